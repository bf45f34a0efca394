"""A lake in a folder."""

import filecmp
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .contract import (
    MEMORY_PREFIX,
    Claim,
    GoneError,
    LakeError,
    NoPlaceError,
    StoredObject,
    folder_parts,
    key_parts,
    memory_key,
)
from .durable import make_folder, sync_file, sync_folder
from .local_claim import claim_file
from .workplace import CLAIM_PREFIX, Workplace

_WORK_FOLDER: Final = ".work"
"""Holds objects being written, on the same disk as the lake; engines and `list` pass over hidden names."""
_NAME_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True)
class LocalLake:
    """A lake in a folder. An object appears under its key whole or not at all.

    Only files that lie in the folder itself are objects. Symbolic links, pipes and devices are in no listing, and
    nothing is read, written or removed through a link, which whoever writes to a shared folder may have pointed
    anywhere. That the root itself is reached by a link is the user's choice.
    """

    root: Path

    @property
    def uri(self) -> str:
        """Where the lake is, as a person would write it."""
        return str(self.root)

    def list(self, prefix: str, *, below: bool = True) -> list[StoredObject]:
        """Return the objects whose folder is `prefix`, or lies `below` it, in order of their keys."""
        folder = self._without_links(folder_parts(prefix))
        root = f"{self.root}{os.sep}"
        found = []
        for parent, folders, names in os.walk(folder, onerror=self._unless_gone):
            folders[:] = [name for name in folders if below and not name.startswith(".")]
            place = parent.removeprefix(root).replace(os.sep, "/")
            with self._telling(place, "looked at in"):
                for name in names:
                    if name.startswith("."):
                        continue
                    try:
                        found.append(_described(f"{place}/{name}", os.lstat(f"{parent}{os.sep}{name}")))
                    except (FileNotFoundError, NoPlaceError):
                        continue
        return sorted(found, key=lambda stored: stored.key)

    def strangers(self, prefix: str) -> tuple[str, ...]:
        """Return what lies below a folder and is no object: symbolic links, pipes, names that no key has."""
        found = []
        for parent, folders, names in os.walk(self._without_links(folder_parts(prefix))):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for path in (Path(parent) / name for name in (*folders, *names) if not name.startswith(".")):
                with suppress(FileNotFoundError):
                    if stat.S_ISDIR(path.lstat().st_mode):
                        continue
                    try:
                        self._describe(path)
                    except (FileNotFoundError, NoPlaceError):
                        found.append(path.relative_to(self.root).as_posix())
        return tuple(sorted(found))

    def describe(self, key: str) -> StoredObject:
        """Return one object's listing. Raises GoneError when there is none."""
        try:
            with self._telling(key, "looked at in"):
                return self._describe(self._path(key))
        except FileNotFoundError as error:
            what = " that is a file" if self._path(key).exists() else ""
            raise GoneError(f"There is no {key}{what} in the lake {self.uri}.") from error

    def read(self, key: str) -> bytes:
        """Return an object's content. Raises GoneError when there is none."""
        try:
            with self._telling(key, "read from"):
                return self._path(key).read_bytes()
        except FileNotFoundError as error:
            raise GoneError(f"There is no {key} in the lake {self.uri}.") from error

    def fetch(self, key: str) -> Path:
        """Return the object's own file, to be read only."""
        return self._path(key)

    def fetch_all(self, wanted: Sequence[StoredObject]) -> tuple[Path, ...]:
        """Return the objects' own files, to be read only. Raises GoneError when one has changed or gone."""
        for stored in wanted:
            if self.describe(stored.key).version != stored.version:
                raise GoneError(f"{stored.key} in the lake {self.uri} was replaced meanwhile.")
        return tuple(self._path(stored.key) for stored in wanted)

    def holds(self, stored: StoredObject, path: Path) -> bool:
        """Tell whether an object's content is that of a file."""
        return stored.size_bytes == path.stat().st_size and filecmp.cmp(self._path(stored.key), path, shallow=False)

    def key_of(self, path: Path) -> str | None:
        """Return the key of a file that lies in the lake itself."""
        root, absolute = self.root.resolve(), path.parent.resolve() / path.name
        return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else None

    def write(self, key: str, content: bytes) -> None:
        """Store `content` under `key`, in place of what was there."""
        with self.work_folder() as folder:
            path = folder / "object"
            with self._telling(key, "written to", gone=True):
                path.write_bytes(content)
            self.put(key, path)

    def put(self, key: str, path: Path, *, modified: datetime | None = None) -> StoredObject:
        """Move the file `path`, which must lie in a `work_folder`, to `key`, in place of what was there."""
        stored = self._move(key, path, modified)
        sync_folder(self._path(key).parent)
        return stored

    def put_all(self, files: dict[str, Path]) -> None:
        """Move several files, given by key."""
        for key, path in files.items():
            self._move(key, path, None)
        for folder in {self._path(key).parent for key in files}:
            sync_folder(folder)

    def delete(self, *keys: str) -> None:
        """Remove objects, in this order; it is no fault when there is none."""
        places = set()
        for key in keys:
            *folder, name = key_parts(key)
            place = self._without_links(folder)
            with self._telling(key, "removed from"), suppress(FileNotFoundError):
                (place / name).unlink()  # of a link itself, not of what it names
            places.add(place)
        for place in places:
            sync_folder(place)

    def claim(self, folder: str, *, seconds: float) -> Claim | None:
        """Claim a folder, unless another holds a claim of it and has shown life within so many seconds."""
        name = hashlib.sha256("/".join(folder_parts(folder)).encode()).hexdigest()[:_NAME_CHARACTERS]
        with self.work_folder() as here:
            now = here.stat().st_mtime
            try:
                return claim_file(self.root / _WORK_FOLDER / f"{CLAIM_PREFIX}{name}", seconds=seconds, now=now)
            except OSError as error:
                raise LakeError(f"The lake {self.uri} cannot be written: {error.strerror}.") from error

    def recall(self, folder: str, name: str) -> Path | None:
        """Return what was remembered in a folder, to be read only; None when that is nothing."""
        with suppress(LakeError, OSError):
            path = self._path(memory_key(folder, name))
            if stat.S_ISREG(path.lstat().st_mode):
                return path
        return None

    def remember(self, folder: str, name: str, path: Path) -> None:
        """Move the file `path`, which must lie in a `work_folder`, to where `recall` finds it, if it can be kept."""
        with suppress(LakeError):
            self._move(memory_key(folder, name), path, None)

    def prune(self, *prefixes: str) -> None:
        """Remove what is left of work and claims, what was remembered, the folders under the prefixes that hold nothing,
        and an empty lake's own."""
        shutil.rmtree(self.root / _WORK_FOLDER, ignore_errors=True)
        for prefix in prefixes:
            for parent, _, names in os.walk(self._without_links(folder_parts(prefix)), topdown=False):
                for name in names:
                    if name.startswith(MEMORY_PREFIX):
                        (Path(parent) / name).unlink(missing_ok=True)
                with suppress(OSError):
                    Path(parent).rmdir()
        with suppress(OSError):
            self.root.rmdir()

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """Give a folder for files on their way into the lake, gone afterwards."""
        work = self._without_links([_WORK_FOLDER])
        try:
            make_folder(work)
            place = Workplace(work)
        except OSError as error:
            raise LakeError(f"The lake {self.uri} cannot be written: {error.strerror}.") from error
        try:
            yield place.folder
        finally:
            place.close()

    def _move(self, key: str, path: Path, modified: datetime | None) -> StoredObject:
        target = self._path(key)
        with self._telling(key, "written to", gone=True):
            make_folder(target.parent)
            if modified is not None:
                os.utime(path, (modified.timestamp(), modified.timestamp()))
            sync_file(path)
            stored = _described(key, path.lstat())
            path.replace(target)
            return stored

    @contextmanager
    def _telling(self, key: str, what: str, *, gone: bool = False) -> Iterator[None]:
        """Turn what the system says into a LakeError; that something is not there only with `gone`."""
        try:
            yield
        except OSError as error:
            if not gone and isinstance(error, FileNotFoundError | NotADirectoryError):
                raise FileNotFoundError(error.errno, error.strerror, error.filename) from error
            raise LakeError(f"{key} cannot be {what} the lake {self.uri}: {error.strerror}.") from error

    def _unless_gone(self, error: OSError) -> None:
        """Refuse a listing in which something is missing because it could not be looked at."""
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise LakeError(f"{error.filename} in the lake cannot be listed: {error.strerror}.") from error

    def _describe(self, path: Path) -> StoredObject:
        return _described(path.relative_to(self.root).as_posix(), path.lstat())

    def _path(self, key: str) -> Path:
        return self._without_links(key_parts(key))

    def _without_links(self, parts: Sequence[str]) -> Path:
        """Return a place in the folder. Raises LakeError when a symbolic link lies there or on the way."""
        path = self.root
        for part in parts:
            path = path / part
            if path.is_symlink():
                raise LakeError(
                    f"{path.relative_to(self.root)} in the lake {self.uri} is a symbolic link, and none is followed "
                    "there: put the file or folder itself in its place."
                )
        return path


def _described(key: str, status: os.stat_result) -> StoredObject:
    """Return an object as a listing shows it. Raises FileNotFoundError for what is no file, and NoPlaceError."""
    if not stat.S_ISREG(status.st_mode):
        raise FileNotFoundError
    key_parts(key)
    return StoredObject(
        key=key,
        size_bytes=status.st_size,
        modified=datetime.fromtimestamp(status.st_mtime, UTC),
        version=f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}",
    )
