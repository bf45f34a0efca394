"""Files that were fetched from a remote lake: kept while they are used, then as long as there is room."""

import hashlib
import shutil
import threading
import weakref
from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory, gettempdir
from typing import Final, NamedTuple

from .workplace import Workplace

FOLDER_PREFIX: Final = "energy-lake-"
"""Of a cache's own folder among the temporary files."""
_LIMIT_BYTES: Final = 512 << 20
"""A quarter of the disk that a function has unless told otherwise."""


class Name(NamedTuple):
    """What a file in the cache holds."""

    lake: str
    key: str
    version: str


class Cache:
    """A folder of fetched files that goes with the process.

    Nothing is dropped while a `work` is going on. Then files go of which there is a newer version, and the ones
    that were used longest ago until the rest is within the limit.
    """

    def __init__(self, *, limit_bytes: int = _LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._sizes: OrderedDict[Name, int] = OrderedDict()
        self._lock = threading.RLock()
        self._going_on = 0
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder, made when it is first needed."""
        with self._lock:
            if self._folder is None:
                place = Workplace(Path(gettempdir()), prefix=FOLDER_PREFIX)
                weakref.finalize(self, place.close)
                self._folder = place.folder
            return self._folder

    @property
    def size_bytes(self) -> int:
        """What all files take together."""
        with self._lock:
            return sum(self._sizes.values())

    def find(self, name: Name) -> Path | None:
        """Return the file, if it is there."""
        with self._lock:
            if name not in self._sizes:
                return None
            path = self._path(name)
            if not path.is_file():
                del self._sizes[name]
                return None
            self._sizes.move_to_end(name)
            return path

    def add(self, name: Name, file: Path) -> None:
        """Move a file into the cache."""
        path = self._path(name)
        with self._lock:
            shutil.move(file, path)
            self._sizes[name] = path.stat().st_size
            self._sizes.move_to_end(name)

    def trim(self, *, keep: Collection[Name] = ()) -> None:
        """Drop what is too much, unless a work is going on; never what is to be kept."""
        with self._lock:
            if self._going_on:
                return
            newest = {(name.lake, name.key): name for name in self._sizes}
            for name in [one for one in self._sizes if newest[one.lake, one.key] != one and one not in keep]:
                self._drop(name)
            total = self.size_bytes
            for name in [one for one in self._sizes if one not in keep]:
                if total <= self._limit_bytes:
                    break
                total -= self._drop(name)

    @contextmanager
    def work(self) -> Iterator[Path]:
        """Give a folder of its own for files on their way; all that is in the cache stays meanwhile."""
        with self._lock:
            self._going_on += 1
        try:
            with TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as own:
                yield Path(own)
        finally:
            with self._lock:
                self._going_on -= 1
            self.trim()

    def _drop(self, name: Name) -> int:
        self._path(name).unlink(missing_ok=True)
        return self._sizes.pop(name)

    def _path(self, name: Name) -> Path:
        digest = hashlib.sha256("\0".join(name).encode()).hexdigest()
        return self.folder / (digest[:32] + PurePosixPath(name.key).suffix)


@cache
def process_cache() -> Cache:
    """Return the cache that all lakes of this process share."""
    return Cache()
