"""Turns of the processes that work on one site at a time.

They spare work and are not needed for the results to be right: whoever holds no turn, or one that another believes
to hold too, does what it has to and looks again.
"""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from ..lake import Claim, Lake, LakeError
from ..schema import RUNS
from ..uploads import in_site

EXPIRY_SECONDS: Final = 30.0
"""A holder that has shown no life for so long is not waited for."""
_RENEWALS: Final = 4
"""How often a holder shows life within that time, whatever it is busy with."""
_SHORTEST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 1.5
_GROWTH: Final = 1.5

_of_this_thread: Final = threading.local()


class Turn:
    """A process's turn at a site, once it has got it."""

    def __init__(self, lake: Lake, site: str, *, expiry_seconds: float) -> None:
        self._lake = lake
        self._folder = in_site(RUNS, site, "")
        self._name = lake.uri, self._folder
        self._expiry_seconds = expiry_seconds
        self._pause_seconds = _SHORTEST_PAUSE_SECONDS
        self._claim: Claim | None = None
        self._lost = threading.Event()
        self._ended = threading.Event()
        self._renewing: threading.Thread | None = None

    def is_ours(self) -> bool:
        """Tell whether the turn is this process's, taking it if nobody else has it."""
        if self._claim is not None and self._lost.is_set():
            self.leave()
        if self._claim is None:
            if self._name in _held_here():
                return True  # A run within a run would wait for itself.
            self._claim = self._lake.claim(self._folder, seconds=self._expiry_seconds)
            if self._claim is not None:
                _held_here().add(self._name)
                self._lost.clear()
                self._ended.clear()
                self._renewing = threading.Thread(target=self._renew, args=(self._claim,), daemon=True)
                self._renewing.start()
        return self._claim is not None

    def wait(self) -> None:
        """Let another work for a moment, each time a longer one."""
        time.sleep(self._pause_seconds * random.uniform(0.7, 1.3))  # noqa: S311  # nosec B311
        self._pause_seconds = min(self._pause_seconds * _GROWTH, _LONGEST_PAUSE_SECONDS)

    def leave(self) -> None:
        """Give the turn to the others."""
        if self._claim is None or self._renewing is None:
            return
        self._ended.set()
        self._renewing.join()
        claim, self._claim = self._claim, None
        _held_here().discard(self._name)
        with suppress(LakeError):  # It expires.
            claim.release()

    def _renew(self, claim: Claim) -> None:
        while not self._ended.wait(self._expiry_seconds / _RENEWALS):
            try:
                held = claim.renew()
            except LakeError:
                held = False  # What is wrong with the lake, the work itself will say.
            if not held:
                self._lost.set()
                return


def _held_here() -> set[tuple[str, str]]:
    """Return the lakes and folders whose turn this thread has."""
    held: set[tuple[str, str]] = _of_this_thread.__dict__.setdefault("held", set())
    return held


@contextmanager
def turn_at(lake: Lake, site: str) -> Iterator[Turn]:
    """Give what takes turns at a site; a turn that was got is left at the end."""
    turn = Turn(lake, site, expiry_seconds=EXPIRY_SECONDS)
    try:
        yield turn
    finally:
        turn.leave()
