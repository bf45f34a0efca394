"""What files of readings tell: which version of which upload gave them, how many there are, and from when to when."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import duckdb

from . import index as index_of
from .engine import file_list, parquet
from .index import SiteIndex
from .intake import Verdict
from .lake import Lake, StoredObject
from .schema import READINGS
from .uploads import (
    Place,
    Upload,
    in_site,
    is_readings,
    readings_key,
    upload_time,
    uploads_of_site,
)

_MARK_CHARACTERS: Final = 16
_FEW_FILES: Final = 4


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings of a raw key, and which of its versions gave them."""

    key: str
    """The raw key."""
    uploaded_at: datetime
    size_bytes: int
    content_tag: str
    file: StoredObject
    """The Parquet file in the lake."""
    first: datetime
    last: datetime
    """Wall time of the first and of the last reading."""
    fingerprint: str
    """Tells the settings that they were read with."""
    verdict: Verdict

    @property
    def place(self) -> Place:
        """Where the version that gave them stands in the order of uploads."""
        return self.uploaded_at, self.key

    def are_of(self, other: Upload | StoredObject) -> bool:
        """Tell whether that version gave them."""
        at = other.uploaded_at if isinstance(other, Upload) else upload_time(other)
        return (self.key, self.uploaded_at, self.size_bytes, self.content_tag) == (
            other.key,
            at,
            other.size_bytes,
            other.content_tag,
        )


def marks_of(uploads: Iterable[Readings]) -> list[dict[str, str | int]]:
    """Return, for each upload, what tells it and those before it from others: what a run of it rests on."""
    digest, tags, marks = hashlib.sha256(), hashlib.sha256(), []
    for number, one in enumerate(uploads, start=1):
        digest.update(json.dumps([one.key, one.uploaded_at.isoformat(), one.size_bytes]).encode())
        tags.update(one.content_tag.encode())
        mark: dict[str, str | int] = {"uploads": number, "sha256": digest.hexdigest()[:_MARK_CHARACTERS]}
        if one.content_tag:
            mark["content_tag"] = tags.hexdigest()[:_MARK_CHARACTERS]
        marks.append(mark)
    return marks


def readings_folder(site: str) -> str:
    """Return where the files of readings of a site lie."""
    return in_site(READINGS.prefix, site, "")


def readings_of_site(
    engine: duckdb.DuckDBPyConnection, lake: Lake, site: str, index: SiteIndex | None = None
) -> tuple[Readings, ...]:
    """Return the readings of a site's raw keys that are present, in order of the uploads that gave them."""
    files = [stored for stored in lake.list(readings_folder(site), below=False) if is_readings(stored)]
    return readings_in(engine, lake.fetch_all, files, uploads_of_site(lake, site), index)


def readings_in(
    engine: duckdb.DuckDBPyConnection,
    fetch: Callable[[Sequence[StoredObject]], Sequence[Path]],
    files: Iterable[StoredObject],
    raw: Iterable[StoredObject],
    index: SiteIndex | None = None,
) -> tuple[Readings, ...]:
    """Return what files of readings tell of themselves, in order, without those whose raw key is not present.

    `fetch` gives local paths of files. Those that the index knows are not read.
    """
    of_key = {stored.key: stored for stored in files}
    present = {stored: of_key[readings_key(stored.key)] for stored in raw if readings_key(stored.key) in of_key}
    found: dict[StoredObject, Readings | None] = {}
    for stored, file in present.items():
        found[file] = None
        if index is not None and (told := index.find(index_of.READINGS, file)) is not None:
            found[file] = index.once((stored, file), partial(_told, stored, file, told))
    unknown = {file: stored for stored, file in present.items() if found[file] is None}
    if unknown:
        paths = dict(zip(unknown, fetch(list(unknown)), strict=True))
        for file, told in _looked_at(engine, paths).items():
            found[file] = _told(unknown[file], file, told)
            if index is not None:
                index.add(index_of.READINGS, file, told)
    return tuple(sorted((one for one in found.values() if one is not None), key=lambda one: one.place))


def _looked_at(
    engine: duckdb.DuckDBPyConnection, paths: Mapping[StoredObject, Path]
) -> dict[StoredObject, dict[str, Any]]:
    """Return what files of readings tell of themselves, as an index keeps it."""
    files = list(paths.values())
    rows = dict(engine.execute(f"SELECT file_name, num_rows FROM parquet_file_metadata({file_list(files)})").fetchall())
    ends = "CAST(min(timestamp) AS VARCHAR), CAST(max(timestamp) AS VARCHAR)"
    if len(files) <= _FEW_FILES:  # Of one file the engine knows them without reading it.
        spans = {str(path): engine.execute(f"SELECT {ends} FROM {parquet([path])}").fetchall()[0] for path in files}
    else:
        selected = f"SELECT filename, {ends} FROM {parquet(files, 'union_by_name', 'filename')} GROUP BY filename"
        spans = {name: (first, last) for name, first, last in engine.execute(selected).fetchall()}
    marks = marks_in(engine, files)
    found: dict[StoredObject, dict[str, Any]] = {}
    for stored, path in paths.items():
        first, last = spans.get(str(path), (None, None))
        found[stored] = marks[path] | {"rows": rows[str(path)], "first": first, "last": last}
    return found


def _told(stored: StoredObject, file: StoredObject, told: Any) -> Readings | None:
    """Return what a file of readings tells of itself; None of what is not ours, and counts for nothing."""
    try:
        version = json.loads(told.get("upload", "{}"))  # Files of the first format do not tell.
        at = version.get("uploaded_at")
        return Readings(
            key=stored.key,
            uploaded_at=datetime.fromisoformat(at) if at else upload_time(stored),
            size_bytes=version.get("size_bytes", stored.size_bytes),
            content_tag=version.get("content_tag", ""),
            file=file,
            first=datetime.fromisoformat(told["first"]).replace(tzinfo=None),
            last=datetime.fromisoformat(told["last"]).replace(tzinfo=None),
            fingerprint=told["fingerprint"],
            verdict=Verdict.from_json(told["verdict"], rows_accepted=told["rows"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def marks_in(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> dict[Path, dict[str, str]]:
    """Return what Parquet files have in their metadata beside the rows, by path."""
    found: dict[Path, dict[str, str]] = {path: {} for path in paths}
    for file_name, key, value in engine.execute(
        f"SELECT file_name, key, value FROM parquet_kv_metadata({file_list(paths)})"
    ).fetchall():
        found[Path(file_name)][bytes(key).decode(errors="replace")] = bytes(value).decode(errors="replace")
    return found
