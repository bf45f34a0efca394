"""What a lake is: objects under keys, a handful of verbs, and what can go wrong."""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

_NO_KEY: Final = re.compile(r"[\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Backslashes are folders elsewhere, control characters play tricks on terminals and logs, and no store holds halves
of characters, which stand for the bytes of a name that is not UTF-8."""


_NO_NAMES: Final = frozenset({"", ".", ".."})


class LakeError(Exception):
    """The lake cannot be opened, read or written; the message says where and why."""


class NoPlaceError(LakeError):
    """A key that leads out of the lake, has two spellings, or that not every store could hold."""


class GoneError(LakeError):
    """An object, or the version of it that was asked for, is not in the lake, or not any more."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of the lake as a listing shows it."""

    key: str
    size_bytes: int
    modified: datetime
    """UTC. A bucket gives whole seconds."""
    version: str
    """Two contents that a key has had never share a version."""
    content_tag: str = ""
    """What a bucket tells of the content (ETag), and a folder does not: it tells versions of one second apart."""


class Claim(Protocol):
    """A claim of a folder that is being held."""

    def renew(self) -> bool:
        """Show life; tell whether the claim still holds."""

    def release(self) -> None:
        """Give it up, and leave nothing of it in the lake."""


class Lake(Protocol):
    """A lake. An object appears under its key whole or not at all."""

    @property
    def uri(self) -> str:
        """Where the lake is, as a person would write it."""

    def list(self, prefix: str, *, below: bool = True) -> list[StoredObject]:
        """Return the objects whose folder is `prefix`, or lies `below` it, in order of their keys."""

    def describe(self, key: str) -> StoredObject:
        """Return one object's listing. Raises GoneError when there is none."""

    def read(self, key: str) -> bytes:
        """Return an object's content. Raises GoneError when there is none."""

    def fetch(self, key: str) -> Path:
        """Return a local file with the object's present content, to be read only.

        The file of a remote lake stays at least until the outermost `work_folder` closes.
        """

    def fetch_all(self, wanted: Sequence[StoredObject]) -> tuple[Path, ...]:
        """Return local files with exactly these versions, to be read only; the same version is fetched once.

        Raises GoneError when one of them is not what is under its key any more.
        """

    def holds(self, stored: StoredObject, path: Path) -> bool:
        """Tell whether an object's content is that of a file."""

    def key_of(self, path: Path) -> str | None:
        """Return the key of a file that lies in the lake itself."""

    def write(self, key: str, content: bytes) -> None:
        """Store `content` under `key`, in place of what was there."""

    def put(self, key: str, path: Path, *, modified: datetime | None = None) -> StoredObject | None:
        """Move the file `path`, which must lie in a `work_folder`, to `key`, in place of what was there.

        Returns the object as `describe` would, where that is known without asking.

        `modified` becomes the object's time; where the store sets its own, that is not before `modified`,
        as far as two seconds of waiting can bring it there.
        """

    def put_all(self, files: dict[str, Path]) -> None:
        """Move several files, given by key, in any order."""

    def delete(self, *keys: str) -> None:
        """Remove objects; it is no fault when there is none."""

    def claim(self, folder: str, *, seconds: float) -> Claim | None:
        """Claim a folder, unless another holds a claim of it and has shown life within so many seconds.

        A hint to others that saves work, and no lock: two may hold one after all, as when one of them was stopped
        for longer. It is in no listing and in no table.
        """

    def recall(self, folder: str, name: str) -> Path | None:
        """Return a local file, to be read only, of what was remembered in a folder; None when that is nothing."""

    def remember(self, folder: str, name: str, path: Path) -> None:
        """Move a file, which must lie in a `work_folder`, to where `recall` finds it, in place of what was there.

        For what can be made anew at any time: it is in no listing and in no table, and where it cannot be kept, it
        is not.
        """

    def prune(self, *prefixes: str) -> None:
        """Remove what is left of work and claims, what was remembered, the folders under the prefixes that hold nothing, and an empty lake's own."""

    def work_folder(self) -> AbstractContextManager[Path]:
        """Give a folder for files on their way into the lake, gone afterwards."""


MEMORY_PREFIX: Final = ".memory-"
"""Of the names of what is remembered. No listing shows names that begin with a dot."""


def memory_key(folder: str, name: str) -> str:
    """Return where something is remembered."""
    return "/".join((*folder_parts(folder), f"{MEMORY_PREFIX}{name}"))


def key_parts(key: str) -> tuple[str, ...]:
    """Return the names that a key is made of. Raises NoPlaceError for one that leads elsewhere or has two spellings."""
    parts = tuple(key.split("/"))
    if not _NO_NAMES.isdisjoint(parts) or _NO_KEY.search(key):
        raise NoPlaceError(
            f"{key!r} is no place in a lake: names there have no control characters, no backslash, no . or .. and are UTF-8."
        )
    return parts


def folder_parts(prefix: str) -> tuple[str, ...]:
    """Return the names that a folder is made of, which may be written with a slash behind it."""
    return key_parts(prefix.removesuffix("/"))
