"""The lake: objects under keys, in a folder or (elsewhere) a bucket. Logic above knows only these verbs."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final

_WORK_FOLDER: Final = ".work"
"""Holds objects being written, on the same disk as the lake; engines and `list` pass over hidden names."""


class LakeError(Exception):
    """The lake cannot be opened, read or written; the message says where and why."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of the lake as a listing shows it. `modified` is in UTC."""

    key: str
    size_bytes: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class LocalLake:
    """A lake in a folder. An object appears under its key whole or not at all."""

    root: Path

    @property
    def uri(self) -> str:
        """Where the lake is, as a person would write it."""
        return str(self.root)

    def list(self, prefix: str) -> list[StoredObject]:
        """Return the objects whose folder is `prefix` or lies below it, in order of their keys."""
        folder = self._path(prefix)
        found = []
        for parent, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                if name.startswith("."):
                    continue
                path = Path(parent) / name
                with suppress(FileNotFoundError):
                    found.append(self._describe(path))
        return sorted(found, key=lambda stored: stored.key)

    def describe(self, key: str) -> StoredObject:
        """Return one object's listing. Raises LakeError when there is none."""
        try:
            return self._describe(self._path(key))
        except FileNotFoundError as error:
            raise LakeError(f"There is no {key} in the lake {self.uri}.") from error

    def read(self, key: str) -> bytes:
        """Return an object's content. Raises LakeError when there is none."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError as error:
            raise LakeError(f"There is no {key} in the lake {self.uri}.") from error

    def fetch(self, key: str) -> Path:
        """Return a local file with the object's content, to be read only."""
        return self._path(key)

    def write(self, key: str, content: bytes) -> None:
        """Store `content` under `key`, in place of what was there."""
        with self.work_folder() as folder:
            path = folder / "object"
            path.write_bytes(content)
            self.put(key, path)

    def put(self, key: str, path: Path, *, modified: datetime | None = None) -> None:
        """Move the file `path`, which must lie in a `work_folder`, to `key`, in place of what was there."""
        target = self._path(key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if modified is not None:
                os.utime(path, (modified.timestamp(), modified.timestamp()))
            with path.open("rb") as file:
                os.fsync(file.fileno())
            path.replace(target)
        except OSError as error:
            raise LakeError(f"{key} cannot be written to the lake {self.uri}: {error.strerror}.") from error

    def delete(self, key: str) -> None:
        """Remove an object; it is no fault when there is none."""
        self._path(key).unlink(missing_ok=True)

    def prune(self, *prefixes: str) -> None:
        """Remove what is left of work, the folders under the prefixes that hold nothing, and an empty lake's own."""
        shutil.rmtree(self.root / _WORK_FOLDER, ignore_errors=True)
        for prefix in prefixes:
            for parent, _, _ in os.walk(self._path(prefix), topdown=False):
                with suppress(OSError):
                    Path(parent).rmdir()
        with suppress(OSError):
            self.root.rmdir()

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """Give a folder for files on their way into the lake, gone afterwards."""
        try:
            (self.root / _WORK_FOLDER).mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=self.root / _WORK_FOLDER))
        except OSError as error:
            raise LakeError(f"The lake {self.uri} cannot be written: {error.strerror}.") from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _describe(self, path: Path) -> StoredObject:
        status = path.stat()
        return StoredObject(
            key=path.relative_to(self.root).as_posix(),
            size_bytes=status.st_size,
            modified=datetime.fromtimestamp(status.st_mtime, UTC),
        )

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or "/".join(parts) != key or ".." in parts or "\\" in key or "\0" in key:
            raise LakeError(f"{key!r} is no place in a lake.")
        return self.root.joinpath(*parts)


def open_lake(uri: str) -> LocalLake:
    """Open the lake at `uri`: a folder, which is made when something is first written."""
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme == "file":
        root = Path(rest if separator else uri).expanduser().absolute()
        if root.exists() and not root.is_dir():
            raise LakeError(f"{root} is a file; a lake is a folder, such as ./lake.")
        return LocalLake(root)
    raise LakeError(f"A lake at {scheme}:// is not supported by this version; give a folder, such as ./lake.")
