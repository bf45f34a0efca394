"""The readings of a site: one Parquet file per upload, merged when read, the later upload winning."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from . import index as index_of
from .engine import file_list, literal, parquet
from .hours import Hours
from .index import SiteIndex
from .intake import Taken, UnusableUploadError, Verdict, read_upload
from .lake import GoneError, Lake, StoredObject
from .runs import begin, record_of
from .schema import READINGS, REJECTED, REJECTED_ROWS, RUNS
from .settings import Settings
from .uploads import (
    Place,
    Upload,
    identify,
    in_site,
    is_readings,
    readings_key,
    site_of,
    upload_time,
    uploads_of_site,
)
from .words import csv_cell_sql

_READINGS_FILE: Final = "readings.parquet"
_MARK_CHARACTERS: Final = 16
_LOOSE_FILES: Final = 16
"""Files of readings that are opened one by one; where there are more, they are collected in one."""
_FEW_FILES: Final = 4
_COLLECTED: Final = "readings.parquet"
_COLLECTED_FORMAT: Final = 1
_FORMAT: Final = 2
"""Raised when intake reads the same bytes differently, so that readings are taken in anew."""


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


def _version(of: Readings | Upload) -> dict[str, str | int]:
    """Return what tells a version of a raw key from others."""
    told: dict[str, str | int] = {"uploaded_at": of.uploaded_at.isoformat(), "size_bytes": of.size_bytes}
    return told | ({"content_tag": of.content_tag} if of.content_tag else {})


@dataclass(frozen=True, slots=True)
class SiteHistory:
    """All readings of a site up to an upload."""

    uploads: tuple[Readings, ...]
    """The earliest first."""
    readings: str
    """SQL for the relation with the columns of `schema.READINGS`, an interval of an appliance once."""
    rows_accepted: int
    rejected_by_reason: Mapping[str, int]
    replaced_by_later_upload: int
    has_offsets: bool
    encodings: frozenset[str]
    hours: Hours | None = None
    """Of the readings, where intake has added them up already."""
    loose_files: int = 0
    """Files of readings that were opened one by one."""


def take_in(
    engine: duckdb.DuckDBPyConnection, lake: Lake, upload: Upload, path: Path, settings: Settings
) -> Hours | None:
    """Turn an upload, whose content is in `path`, into its file of readings and its file of rejected rows.

    Returns its hours, in the engine until the next upload is taken in, where intake has added them up.
    Raises UnusableUploadError when no row is usable; readings of an earlier upload under this key then stay.
    """
    with lake.work_folder() as folder:
        try:
            taken = _read(engine, upload, path, settings, folder)
        except UnusableUploadError as error:
            _put_rejected(engine, lake, upload, folder)
            there = lake.list(_readings_folder(upload.site), below=False)
            if any(stored.key == readings_key(upload.key) for stored in there):
                raise UnusableUploadError(f"{error} The readings of the upload before it still count.") from error
            raise
        _put_rejected(engine, lake, upload, folder)
        lake.put(readings_key(upload.key), folder / _READINGS_FILE)
    return taken.hours


def _take_in_anew(engine: duckdb.DuckDBPyConnection, lake: Lake, own: Readings, settings: Settings) -> None:
    """Read an upload again with other settings; where they do not fit it, what was read before stays.

    So it does where the version that gave the readings is not there any more.
    """
    with lake.work_folder() as folder, suppress(UnusableUploadError, GoneError):
        stored = lake.describe(own.key)
        if not own.are_of(stored):
            return
        upload = identify(lake, stored)
        _read(engine, upload, lake.fetch_all([stored])[0], settings, folder)
        if not _put_rejected(engine, lake, upload, folder):
            lake.delete(upload.result_key(REJECTED, "rejected.csv"))
        lake.put(readings_key(own.key), folder / _READINGS_FILE)


def _read(engine: duckdb.DuckDBPyConnection, upload: Upload, path: Path, settings: Settings, folder: Path) -> Taken:
    return read_upload(
        engine,
        path,
        folder / _READINGS_FILE,
        name=upload.name,
        marks={"fingerprint": fingerprint(settings), "upload": json.dumps(_version(upload))},
        timezone=settings.timezone,
        date_order=settings.date_order,
        decimal=settings.decimal,
        max_reading_kwh=settings.max_reading_kwh,
        max_upload_mb=settings.max_upload_mb,
    )


def _put_rejected(engine: duckdb.DuckDBPyConnection, lake: Lake, upload: Upload, folder: Path) -> bool:
    """Write the rows that intake left in the table `rejected`, and tell whether there are any."""
    if not engine.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'rejected'").fetchone() or not (
        engine.execute("SELECT 1 FROM rejected LIMIT 1").fetchone()
    ):
        return False
    if record_of(lake, upload) is None:
        begin(lake, upload)
    rejected = folder / "rejected.csv"
    columns = ", ".join(
        f"{csv_cell_sql(column.name)} AS {column.name}" if column.type == "VARCHAR" else column.name
        for column in REJECTED_ROWS.columns
    )
    engine.execute(f"COPY (SELECT {columns} FROM rejected) TO {literal(str(rejected))} (FORMAT csv, HEADER)")
    lake.put(upload.result_key(REJECTED, "rejected.csv"), rejected)
    return True


def _readings_folder(site: str) -> str:
    return in_site(READINGS.prefix, site, "")


def readings_of_site(
    engine: duckdb.DuckDBPyConnection, lake: Lake, site: str, index: SiteIndex | None = None
) -> tuple[Readings, ...]:
    """Return the readings of a site's raw keys that are present, in order of the uploads that gave them."""
    files = [stored for stored in lake.list(_readings_folder(site), below=False) if is_readings(stored)]
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
    found = {
        file: None if index is None else _told(stored, file, index.find(index_of.READINGS, file))
        for stored, file in present.items()
    }
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
    marks = _marks(engine, files)
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


def merge(
    engine: duckdb.DuckDBPyConnection, lake: Lake, uploads: Sequence[Readings], settings: Settings
) -> SiteHistory:
    """Merge readings of one site, taking in anew any that were read with other settings."""
    keys = {one.key for one in uploads}
    site = site_of(uploads[0].key)
    outdated = read_with_other_settings(uploads, settings)
    for one in outdated:
        _take_in_anew(engine, lake, one, settings)
    changed = bool(outdated)
    while True:
        if changed:
            uploads = [one for one in readings_of_site(engine, lake, site) if one.key in keys]
        try:
            relation, loose = _merged(engine, lake, site, uploads)
            break
        except GoneError:  # One was replaced meanwhile; where its upload has gone too, it is missing now.
            changed = True
    accepted = sum(one.verdict.rows_accepted for one in uploads)
    kept = engine.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]
    rejected: Counter[str] = Counter()
    for one in uploads:
        rejected.update(one.verdict.rejected_by_reason)
    return SiteHistory(
        uploads=tuple(uploads),
        readings=relation,
        rows_accepted=accepted,
        rejected_by_reason=dict(sorted(rejected.items(), key=lambda item: (-item[1], item[0]))),
        replaced_by_later_upload=accepted - kept,
        has_offsets=any(one.verdict.has_offsets for one in uploads),
        encodings=frozenset(one.verdict.encoding for one in uploads),
        loose_files=loose,
    )


def _merged(engine: duckdb.DuckDBPyConnection, lake: Lake, site: str, uploads: Sequence[Readings]) -> tuple[str, int]:
    """Return SQL for the merged readings of uploads, and how many files they lie in apart from the collected ones."""
    collected = _collected(engine, lake, site, uploads)
    done, files = (0, []) if collected is None else (collected[1], [collected[0]])
    rest = uploads[done:]
    files.extend(lake.fetch_all([one.file for one in rest]))
    spans = [(one.first, one.last) for one in rest]
    if done:
        spans.insert(0, (min(one.first for one in uploads[:done]), max(one.last for one in uploads[:done])))
    shared = shared_span(spans)
    relation = merged(engine, files, shared)
    if shared is not None or len(rest) > _LOOSE_FILES:
        engine.execute(f"CREATE OR REPLACE TEMP TABLE readings AS SELECT * FROM {relation}")
        relation = "readings"
    return relation, len(rest)


def collect(engine: duckdb.DuckDBPyConnection, lake: Lake, history: SiteHistory) -> None:
    """Put the merged readings of many uploads into one file, for the next run to open in their place.

    It is remembered beside the site's records, holds for exactly these files of readings, and may go at any time.
    """
    if history.loose_files < _LOOSE_FILES:
        return
    marks = {"uploads": str(len(history.uploads)), "files": _digest_of_files(history.uploads)}
    metadata = ", ".join(f"{name}: {literal(text)}" for name, text in marks.items())
    with lake.work_folder() as folder:
        path = folder / _COLLECTED
        engine.execute(f"""
            COPY (SELECT * FROM {history.readings} ORDER BY timestamp, appliance, utc_offset_minutes DESC)
            TO {literal(str(path))} (FORMAT parquet, KV_METADATA {{{metadata}}})""")
        lake.remember(in_site(RUNS, site_of(history.uploads[0].key), ""), _COLLECTED, path)


def _collected(
    engine: duckdb.DuckDBPyConnection, lake: Lake, site: str, uploads: Sequence[Readings]
) -> tuple[Path, int] | None:
    """Return the file in which the first of these uploads are merged already, and how many they are."""
    if len(uploads) <= _LOOSE_FILES:
        return None
    path = lake.recall(in_site(RUNS, site, ""), _COLLECTED)
    if path is None:
        return None
    try:
        marks = _marks(engine, [path])[path]
        count = int(marks["uploads"])
    except (duckdb.Error, KeyError, ValueError):
        return None
    if not 0 < count <= len(uploads) or marks.get("files") != _digest_of_files(uploads[:count]):
        return None
    return path, count


def _digest_of_files(uploads: Iterable[Readings]) -> str:
    told = json.dumps([_COLLECTED_FORMAT, *((one.file.key, one.file.version) for one in uploads)])
    return hashlib.sha256(told.encode()).hexdigest()


def read_with_other_settings(uploads: Iterable[Readings], settings: Settings) -> list[Readings]:
    """Return those that intake would read otherwise under these settings."""
    return [one for one in uploads if one.fingerprint != fingerprint(settings)]


def fingerprint(settings: Settings) -> str:
    """Return what tells the settings that readings are taken in with."""
    names = ("timezone", "date_order", "decimal", "max_reading_kwh")
    return json.dumps({"format": _FORMAT} | {name: getattr(settings, name) for name in names}, sort_keys=True)


def _marks(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> dict[Path, dict[str, str]]:
    found: dict[Path, dict[str, str]] = {path: {} for path in paths}
    for file_name, key, value in engine.execute(
        f"SELECT file_name, key, value FROM parquet_kv_metadata({file_list(paths)})"
    ).fetchall():
        found[Path(file_name)][bytes(key).decode(errors="replace")] = bytes(value).decode(errors="replace")
    return found


def merged(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path], shared: tuple[datetime, datetime] | None) -> str:
    """Write SQL for all readings of one site's files, in which of an interval given twice the later file wins.

    `paths` are in order of their uploads, and `shared` is their shared span: no more of them is searched.
    """
    everything = readings_of(engine, paths)
    if shared is None:
        return everything
    within = f"timestamp BETWEEN TIMESTAMP '{shared[0]}' AND TIMESTAMP '{shared[1]}'"
    names = ", ".join(literal(str(path)) for path in paths)
    return f"""(
        SELECT * FROM {everything} WHERE NOT ({within})
        UNION ALL
        (SELECT timestamp, appliance, kwh, utc_offset_minutes FROM {readings_of(engine, paths, "filename")}
        JOIN (SELECT unnest([{names}]) AS filename, unnest(range({len(paths)})) AS place) USING (filename)
        WHERE {within}
        QUALIFY row_number() OVER (
            PARTITION BY appliance, timestamp, utc_offset_minutes ORDER BY place DESC) = 1
        ORDER BY timestamp, appliance, utc_offset_minutes DESC))"""


def shared_span(spans: Sequence[tuple[datetime, datetime]]) -> tuple[datetime, datetime] | None:
    """Return the first and last moment between which files of these spans may have the same intervals; None if none."""
    shared: list[tuple[datetime, datetime]] = []
    reach: datetime | None = None
    for first, last in sorted(spans):
        if reach is not None and first <= reach:
            shared.append((first, min(last, reach)))
        reach = last if reach is None else max(reach, last)
    return (min(first for first, _ in shared), max(last for _, last in shared)) if shared else None


def merged_readings(
    engine: duckdb.DuckDBPyConnection, uploads: Sequence[Readings], paths: Mapping[StoredObject, Path]
) -> str:
    """Write SQL for the merged readings of one site's uploads, given in order, whose files are at these paths."""
    shared = shared_span([(one.first, one.last) for one in uploads])
    return merged(engine, [paths[one.file] for one in uploads], shared)


def readings_of(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path], *further: str) -> str:
    """Write SQL for the rows of files of readings; where no file has offsets, they are null."""
    have_offsets = engine.execute(
        f"SELECT 1 FROM parquet_schema({file_list(paths)}) WHERE name = 'utc_offset_minutes' LIMIT 1"
    ).fetchone()
    offset = "utc_offset_minutes" if have_offsets else "CAST(NULL AS SMALLINT) AS utc_offset_minutes"
    columns = ", ".join(["timestamp", "appliance", "kwh", offset, *further])
    return f"(SELECT {columns} FROM {parquet(paths, 'union_by_name', *further)})"
