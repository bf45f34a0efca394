"""Zip archives that are the same, byte for byte, whenever and by whomever they are made."""

import hashlib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WRITTEN: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip knows, for every entry."""
_UNIX: Final = 3
_FILE: Final = 0o100644
_PROGRAM: Final = 0o100755
_PROGRAM_BEGINS: Final = b"\x7fELF"
_LEVEL: Final = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive: the name that it has there, and where it lies now."""

    name: str
    path: Path


def write_archive(path: Path, entries: Iterable[Entry]) -> None:
    """Write a zip whose bytes depend on the names and contents alone, and on the zlib that packs them.

    What Linux can run is executable in it, whatever the builder's file system and umask made of that.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for entry in sorted(entries, key=lambda one: one.name):
            content = entry.path.read_bytes()
            told = zipfile.ZipInfo(entry.name, _WRITTEN)
            told.create_system = _UNIX
            told.external_attr = (_PROGRAM if content.startswith(_PROGRAM_BEGINS) else _FILE) << 16
            told.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(told, content, compresslevel=_LEVEL)


def sizes_of(archive: Path) -> dict[str, int]:
    """Return the unzipped bytes of each file of an archive."""
    with zipfile.ZipFile(archive) as opened:
        return {told.filename: told.file_size for told in opened.infolist()}


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
