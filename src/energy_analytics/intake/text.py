"""From the bytes of an upload to a plain UTF-8 text file on disk, whatever they were packed or encoded as."""

import codecs
import gzip
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final, cast

from .verdict import UnusableUploadError

_CHUNK_BYTES: Final = 4 << 20
_HEAD_BYTES: Final = 1 << 20
_LOOKED_AT: Final = 64
_MOST_OF_A_HEADER: Final = 100_000
_BINARY_SHARE: Final = 10
"""A tenth of null bytes is a binary file; fewer are what a logger leaves that loses power in the middle of text."""
_EXPECTED: Final = "Expected is a CSV text file with the columns timestamp,appliance,kwh."

_UTF_8_MARK: Final = b"\xef\xbb\xbf"

_ARCHIVE: Final = "an archive: unpack it, and give its files"
_PACKED_OTHERWISE: Final = "packed in a way that is not read: unpack it, or pack it with gzip"
_FOREIGN_FORMATS: Final = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV",
    b"<?xml": "an XML document, such as Green Button, which is not read: export the readings as CSV",
    b"<!DOCTYPE": "a web page: save the data itself, not the page that shows it",
    b"<html": "a web page: save the data itself, not the page that shows it",
    b"{": "JSON: write the readings as CSV",
    b"[": "JSON: write the readings as CSV",
    b"PAR1": "a Parquet file: give it to `energy run`, which turns it into CSV",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"SQLite format 3": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV",
    b"\xfd7zXZ\x00": _PACKED_OTHERWISE,
    b"BZh91AY&SY": _PACKED_OTHERWISE,
    b"\x28\xb5\x2f\xfd": _PACKED_OTHERWISE,
    b"\x04\x22\x4d\x18": _PACKED_OTHERWISE,
    b"7z\xbc\xaf\x27\x1c": _ARCHIVE,
    b"Rar!\x1a\x07": _ARCHIVE,
    b"ARROW1\x00\x00": "an Arrow file: write the readings as Parquet or CSV",
    b"Obj\x01": "an Avro file: write the readings as Parquet or CSV",
}
"""By what a file begins with."""
_TAR_MARK: Final = slice(257, 265)
"""Where a tar archive tells that it is one."""
_TAR_MARKS: Final = (b"ustar\x0000", b"ustar  \x00")


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text file in UTF-8 without a byte-order mark, not compressed."""

    path: Path
    encoding: str
    """What it was encoded in when it arrived."""

    def head(self) -> str:
        """Return the beginning, at most 1 MiB, never half a line unless there is only one."""
        with self.path.open("rb") as file:
            data = file.read(_HEAD_BYTES)
        if len(data) == _HEAD_BYTES and b"\n" in data:
            data = data[: data.rindex(b"\n") + 1]
        return data.decode("utf-8", errors=_AS_CP1252)


def unpack(source: Path, name: str, folder: Path, *, max_bytes: int) -> PlainText:
    """Decompress and decode `source` as far as its first bytes tell, into `folder` if anything must change.

    A file that claims to be UTF-8 is believed here; `settle` checks all of it. Of a packed file the beginning is
    looked at first, so that no more is unpacked of what is no text at all.
    Raises UnusableUploadError for an empty, binary or damaged file, and for one of more than `max_bytes` unpacked.
    """
    with source.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if not packed and source.stat().st_size > max_bytes:
        raise too_large(name, max_bytes)
    head = _unpacked_head(source, name) if packed else _head(source)
    encoding = _encoding_of_text(head, name)
    if packed:
        source = _gunzip(source, name, folder, max_bytes=max_bytes)
    if head.startswith(_UTF_8_MARK):
        return PlainText(_without_mark(source, folder), "UTF-8")
    if encoding == "utf-8":
        return PlainText(source, "UTF-8")
    return _transcode(source, name, folder, encoding)


def too_large(name: str, max_bytes: int) -> UnusableUploadError:
    """Return what is said of a file that is larger, unpacked, than the setting allows."""
    return UnusableUploadError(
        f"{name} is more than {max_bytes / 1_000_000:,.0f} MB when it is unpacked, which is the most that is read. "
        "If it is meant to be, split it, or raise max_upload_mb in energy.toml or ENERGY_MAX_UPLOAD_MB."
    )


def _encoding_of_text(head: bytes, name: str) -> str:
    """Return how a file is encoded. Raises UnusableUploadError when its beginning is no text."""
    if not head.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise UnusableUploadError(f"{name} is empty. {_EXPECTED}")
    refuse_foreign(head, name)
    if head.startswith(_UTF_8_MARK):
        return "utf-8"
    encoding = _encoding_of(head)
    if encoding == "utf-8" and (b"\0" in head.partition(b"\n")[0] or head.count(0) > len(head) // _BINARY_SHARE):
        raise UnusableUploadError(f"{name} is a binary file, not text. {_EXPECTED}")
    return encoding


def refuse_foreign(head: bytes, name: str) -> None:
    """Raise UnusableUploadError when a file begins as one of another kind; 512 bytes tell all of them."""
    begins = head[:_LOOKED_AT].removeprefix(_UTF_8_MARK).lstrip()
    if head[_TAR_MARK] in _TAR_MARKS:
        raise UnusableUploadError(f"{name} is {_ARCHIVE}. {_EXPECTED}")
    for start, what in _FOREIGN_FORMATS.items():
        if begins.startswith(start):
            raise UnusableUploadError(f"{name} is {what}. {_EXPECTED}")


def estimated_rows(source: Path) -> int | None:
    """Guess how many lines a file has from its beginning; None when that cannot be read as text."""
    try:
        with source.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            head = unpacking(file).read(_HEAD_BYTES) if packed else file.read(_HEAD_BYTES)
            consumed = file.tell()
    except (OSError, EOFError, zlib.error):
        return None
    return round(head.count(b"\n") * source.stat().st_size / max(1, consumed))


def settle(text: PlainText, name: str, folder: Path) -> PlainText:
    """Make sure that all of the text is UTF-8 and that lines end in a line feed alone.

    Bytes that are not UTF-8 are read as Windows-1252, the superset of Latin-1 that is met in practice.
    """
    carriage_returns = False
    try:
        for chunk in _decoded(text.path, "utf-8"):
            carriage_returns = carriage_returns or "\r" in chunk
    except UnicodeDecodeError:
        return replace(_transcode(text.path, name, folder, "utf-8", errors=_AS_CP1252), encoding="Windows-1252")
    if carriage_returns:
        return replace(_transcode(text.path, name, folder, "utf-8"), encoding=text.encoding)
    return text


_NOT_UTF_8: Final = re.compile(
    rb"(?:[\x80-\xc1\xf5-\xff]++"
    rb"|(?:[\xc2-\xf4]|[\xe0-\xf4][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})(?=[^\x80-\xbf]))*+"
)
"""Where a character could begin: bytes that begin none, and beginnings that break off. It remembers no way back."""


def _windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Decode the bytes that are not UTF-8, and only those; as many at once as follow each other."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    following = _NOT_UTF_8.match(error.object, error.end)
    end = following.end() if following else error.end
    return error.object[error.start : end].decode("cp1252", errors="replace"), end


_AS_CP1252: Final = "energy-analytics-windows-1252"
codecs.register_error(_AS_CP1252, _windows_1252)


def _encoding_of(head: bytes) -> str:
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if head[1:400:2].count(0) > len(head[:400]) // 3:
        return "utf-16-le"
    if head[0:400:2].count(0) > len(head[:400]) // 3:
        return "utf-16-be"
    return "utf-8"


_SPOKEN: Final = {
    "utf-8": "UTF-8",
    "utf-32": "UTF-32",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}


def _transcode(source: Path, name: str, folder: Path, encoding: str, *, errors: str = "strict") -> PlainText:
    target = folder / "text.csv" if source.name != "text.csv" else folder / "text-again.csv"
    try:
        with target.open("w", encoding="utf-8", newline="") as file:
            ended_in_return = False
            for chunk in _decoded(source, encoding, errors=errors):
                piece = chunk[1:] if ended_in_return and chunk.startswith("\n") else chunk
                ended_in_return = chunk.endswith("\r")
                file.write(piece.replace("\r\n", "\n").replace("\r", "\n"))
    except UnicodeDecodeError as error:
        raise UnusableUploadError(
            f"{name} begins as {_SPOKEN[encoding]} text but cannot be decoded to its end. {_EXPECTED}"
        ) from error
    return PlainText(target, _SPOKEN[encoding])


def _decoded(path: Path, encoding: str, *, errors: str = "strict") -> Iterator[str]:
    with path.open("r", encoding=encoding, errors=errors, newline="") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _without_mark(source: Path, folder: Path) -> Path:
    target = folder / "unmarked.csv"
    with source.open("rb") as marked, target.open("wb") as file:
        marked.seek(len(_UTF_8_MARK))
        shutil.copyfileobj(marked, file, _CHUNK_BYTES)
    return target


def _head(source: Path) -> bytes:
    with source.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _unpacked_head(source: Path, name: str) -> bytes:
    with _reading_gzip(name), source.open("rb") as file, unpacking(file) as packed:
        return packed.read(_HEAD_BYTES)


def _gunzip(source: Path, name: str, folder: Path, *, max_bytes: int) -> Path:
    target = folder / "unpacked.csv"
    size = 0
    with _reading_gzip(name), source.open("rb") as given, unpacking(given) as packed, target.open("wb") as file:
        while chunk := packed.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > max_bytes:
                raise too_large(name, max_bytes)
            file.write(chunk)
    return target


class _BoundedHeaders:
    """A packed file of which no header goes on for ever: a name in one is read byte by byte, at 4 MB a second."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._single_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Read. Raises BadGzipFile when a name or a comment has no end."""
        self._single_bytes = self._single_bytes + 1 if size == 1 else 0
        if self._single_bytes > _MOST_OF_A_HEADER:
            raise gzip.BadGzipFile(f"a name in it is longer than {_MOST_OF_A_HEADER:,} bytes")
        return self._file.read(size)


def unpacking(file: BinaryIO) -> gzip.GzipFile:
    """Open what is packed in a file."""
    return gzip.GzipFile(fileobj=cast("BinaryIO", _BoundedHeaders(file)), mode="rb")


@contextmanager
def _reading_gzip(name: str) -> Iterator[None]:
    try:
        yield
    except EOFError as error:
        raise UnusableUploadError(
            f"{name} is cut off: its gzip data ends in the middle. Upload the whole file again."
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UnusableUploadError(f"{name} is damaged: its gzip data cannot be read ({error}).") from error
