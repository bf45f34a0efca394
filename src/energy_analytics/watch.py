"""The laptop's trigger: runs whatever lands under `raw/` of a local lake, each upload once."""

import fcntl
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from .lake import Lake, LakeError, LocalLake, StoredObject
from .runs import SeenRuns, waiting_uploads
from .schema import RAW

SETTLED_SECONDS: Final = 2.0
"""A file whose size and time have not changed for so long has arrived."""
UNFINISHED_SECONDS: Final = 15.0
"""The same for a file that does not look finished: text whose last line has no end."""
AGAIN_SECONDS: Final = 15.0
"""After so long an upload is tried again whose run left no record, as when the disk was full; then after twice that."""
LONGEST_AGAIN_SECONDS: Final = 1800.0

_CHUNK_BYTES: Final = 1 << 20
_CHUNKS_LOOKED_AT: Final = 4096


def watchable(lake: Lake) -> LocalLake:
    """Return the lake as one that can be watched, with a folder to copy files to. Raises LakeError."""
    if not isinstance(lake, LocalLake):
        raise LakeError(
            f"{lake.uri} needs no watch: what lands in a bucket is run by the function that energy deploy makes."
        )
    lake.fetch(RAW).mkdir(parents=True, exist_ok=True)
    return lake


@dataclass(frozen=True, slots=True)
class _Given:
    """An upload that was handed over, and when that is done again if it still has no run then."""

    stored: StoredObject
    again_at: float
    pause_seconds: float


@dataclass(slots=True)
class Arrivals:
    """What has been seen under `raw/`, and since when it has looked as it does."""

    lake: LocalLake
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[StoredObject, float]] = field(default_factory=dict)
    _given: dict[str, _Given] = field(default_factory=dict)
    _strangers: set[str] = field(default_factory=set)
    _runs: SeenRuns = field(default_factory=SeenRuns)

    def ready(self) -> list[str]:
        """Return the keys of uploads that have arrived whole and have no run, the earliest first.

        An upload whose run left no record, because the disk was full or its name too long, comes again after a
        while, each time a longer one. What is no file, or has a name that no key has, comes once: the lake says so
        when it is asked for it.
        """
        waiting, now = waiting_uploads(self.lake, seen=self._runs), self.clock()
        ready = [stored for stored in waiting if self._is_due(stored, now) and self._has_arrived(stored, now)]
        keys = {stored.key for stored in waiting}
        self._given = {key: given for key, given in self._given.items() if key in keys}
        self._seen = {key: seen for key, seen in self._seen.items() if key in keys}
        self._given.update({stored.key: self._give(stored, now) for stored in ready})
        strangers = [key for key in self.lake.strangers(RAW) if key not in self._strangers]
        self._strangers.update(strangers)
        return [*strangers, *(stored.key for stored in ready)]

    def again_is_due(self) -> bool:
        """Tell whether the time has come for an upload that was handed over, and had no run when last looked for."""
        now = self.clock()
        return any(given.again_at <= now for given in self._given.values())

    def handled(self, key: str) -> None:
        """Be told that what was handed over has been dealt with: the time until it comes again begins now."""
        if (given := self._given.get(key)) is not None:
            self._given[key] = replace(given, again_at=self.clock() + given.pause_seconds)

    def _is_due(self, stored: StoredObject, now: float) -> bool:
        given = self._given.get(stored.key)
        return given is None or given.stored != stored or given.again_at <= now

    def _give(self, stored: StoredObject, now: float) -> _Given:
        before = self._given.get(stored.key)
        pause = AGAIN_SECONDS
        if before is not None and before.stored == stored:
            pause = min(2 * before.pause_seconds, LONGEST_AGAIN_SECONDS)
        return _Given(stored, now + pause, pause)

    def _has_arrived(self, stored: StoredObject, now: float) -> bool:
        before, since = self._seen.get(stored.key, (None, now))
        if before != stored:
            self._seen[stored.key] = (stored, now)
            return False
        path = self.lake.fetch(stored.key)
        if now - since < SETTLED_SECONDS or _is_open_for_writing(path):
            return False
        return now - since >= UNFINISHED_SECONDS or _looks_finished(path)


def watch(
    arrivals: Arrivals,
    handle: Callable[[Sequence[str]], Iterable[str]],
    *,
    pause: Callable[[], bool],
    complain: Callable[[str], None],
) -> None:
    """Hand the keys of uploads that arrive to `handle`, for ever, or until `pause` says to stop.

    `handle` tells of each key when it is done with it. `pause` waits a moment and tells whether to go on. A lake that
    cannot be looked at, as when a folder in it may not be read, is told to `complain` once, and looked at again.
    """
    told = ""
    while True:
        try:
            ready, wrong = arrivals.ready(), ""
        except LakeError as error:
            ready, wrong = [], str(error)
        if wrong and wrong != told:
            complain(wrong)
        told = wrong
        for key in handle(ready):
            arrivals.handled(key)
        if not pause():
            return


def _is_open_for_writing(path: Path) -> bool:
    """Tell whether a process still has the file open for writing, where the system can say (Linux: leases)."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        with path.open("rb") as file:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _looks_finished(path: Path) -> bool:
    """Tell whether the text ends with a line end, or the packed file with its trailer."""
    try:
        file = path.open("rb")
    except OSError:  # Gone again, or not for us to read, which the run will say.
        return True
    with file:
        start = file.read(2)
        if start == b"\x1f\x8b":
            return _is_whole_gzip(path)
        size = file.seek(0, 2)
        file.seek(max(0, size - 2))
        return b"\n" in file.read()


def _is_whole_gzip(path: Path) -> bool:
    import gzip
    import zlib

    from .intake import unpacking

    try:
        with path.open("rb") as packed, unpacking(packed) as file:
            for _ in range(_CHUNKS_LOOKED_AT):  # A longer one is whole for our purpose: the run looks at its size.
                if not file.read(_CHUNK_BYTES):
                    break
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return True
