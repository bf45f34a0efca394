"""What has arrived for several sites, handled at the same time by processes of their own."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, Final

from . import words
from .uploads import site_of

Handle = Callable[[str], None]
"""Handles the upload under a raw key."""

_MOST_NAMED: Final = 3
_SAFE_PATH: Final = "PYTHONSAFEPATH"


class Crew:
    """Processes that handle uploads: those of one site one after another, sites at the same time.

    A process is started when there is work for it, and works on until the crew is closed. `begin`, a function of a
    module, makes in each what handles a key there; it and what it is given are pickled.
    """

    def __init__(self, jobs: int, begin: Callable[..., Handle], *given: Any, complain: Callable[[str], None]) -> None:
        self._jobs = jobs
        self._begun_with = (begin, given)
        self._complain = complain
        self._pool: ProcessPoolExecutor | None = None

    def handle(self, keys: Sequence[str]) -> Iterator[str]:
        """Have the uploads under these keys handled, and tell of each when it is done.

        Where a process was ended, as for want of memory, what was at work then is told too: whoever gave it sees that
        it has no run. The rest goes on.
        """
        of_sites: dict[str, list[str]] = {}
        for key in keys:
            of_sites.setdefault(site_of(key), []).append(key)
        waiting, at_work = deque(of_sites.values()), dict[Future[None], list[str]]()
        while waiting or at_work:
            while waiting and len(at_work) < self._jobs:
                own = waiting.popleft()
                at_work[self._submit(own)] = own
            done = wait(at_work, return_when=FIRST_COMPLETED).done
            broken = any(isinstance(future.exception(), BrokenProcessPool) for future in done)
            if broken:
                done = wait(at_work).done
                self.close()
                lost = [key for own in at_work.values() for key in own]
                self._complain(
                    f"A process was ended while it ran one of {words.listing(lost, most=_MOST_NAMED)}; "
                    "what has no run is tried again after a while."
                )
            for future in done:
                if not broken:
                    future.result()
                yield from at_work.pop(future)

    def close(self) -> None:
        """End the processes at once, which a lake bears at any time."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
            for process in multiprocessing.active_children():
                process.kill()

    def _submit(self, keys: Sequence[str]) -> Future[None]:
        with _fit_to_begin():
            try:
                return self._at_hand().submit(_work, keys)
            except BrokenProcessPool:  # One was ended while it had nothing to do.
                self.close()
                return self._at_hand().submit(_work, keys)

    def _at_hand(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._jobs, context, _begin, self._begun_with)
        return self._pool


@contextmanager
def _fit_to_begin() -> Iterator[None]:
    """Let processes that begin here be left alone by Ctrl-C, which reaches all of a terminal and is for us.

    A file of a library's name in the folder where we stand is not run in its place.
    """
    resource_tracker.ensure_running()  # As it begins it lets Ctrl-C through again, to whatever begins after it.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # also in those that we start
    safe_path = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if safe_path is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = safe_path
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


_handles: Final[list[Handle]] = []
"""Of a process of a crew: the one that it has begun with."""


def _begin(begin: Callable[..., Handle], given: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _handles.append(begin(*given))


def _work(keys: Sequence[str]) -> None:
    for key in keys:
        _handles[0](key)


def _end_with_parent() -> None:
    """End the process when the one that started it has ended without a word: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
