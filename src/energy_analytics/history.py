"""The readings of a site: one Parquet file per upload, merged when read, the later upload winning."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from .engine import file_list, literal, parquet
from .intake import UnusableUploadError, Verdict, read_upload
from .lake import Lake, StoredObject
from .schema import READINGS, REJECTED, REJECTED_ROWS
from .settings import Settings
from .uploads import Upload, identify, in_site, place_of, readings_key, uploads_of_site

_READINGS_FILE: Final = "readings.parquet"
_FORMAT: Final = 1
"""Raised when intake reads the same bytes differently, so that readings are taken in anew."""


@dataclass(frozen=True, slots=True)
class SiteHistory:
    """All readings of a site up to an upload."""

    uploads: tuple[StoredObject, ...]
    """Those that gave readings, the earliest first."""
    readings: str
    """SQL for the relation with the columns of `schema.READINGS`, an interval of an appliance once."""
    verdicts: Mapping[str, Verdict]
    """By raw key."""
    rows_accepted: int
    rejected_by_reason: Mapping[str, int]
    replaced_by_later_upload: int
    has_offsets: bool
    encodings: frozenset[str]


def take_in(engine: duckdb.DuckDBPyConnection, lake: Lake, upload: Upload, settings: Settings) -> Verdict:
    """Turn an upload into its file of readings and its file of rejected rows.

    Raises UnusableUploadError when no row is usable; readings of an earlier upload under this key then stay.
    """
    with lake.work_folder() as folder:
        try:
            verdict = _read(engine, lake, upload, settings, folder)
        except UnusableUploadError as error:
            _put_rejected(engine, lake, upload, folder)
            if any(stored.key == readings_key(upload.key) for stored in lake.list(_readings_folder(upload.site))):
                raise UnusableUploadError(f"{error} The readings of the upload before it still count.") from error
            raise
        _put_rejected(engine, lake, upload, folder)
        lake.put(readings_key(upload.key), folder / _READINGS_FILE)
    return verdict


def _take_in_anew(engine: duckdb.DuckDBPyConnection, lake: Lake, upload: Upload, settings: Settings) -> None:
    """Read an upload again with other settings; where they do not fit it, what was read before stays."""
    with lake.work_folder() as folder, suppress(UnusableUploadError):
        _read(engine, lake, upload, settings, folder)
        _put_rejected(engine, lake, upload, folder)
        lake.put(readings_key(upload.key), folder / _READINGS_FILE)


def _read(engine: duckdb.DuckDBPyConnection, lake: Lake, upload: Upload, settings: Settings, folder: Path) -> Verdict:
    return read_upload(
        engine,
        lake.fetch(upload.key),
        folder / _READINGS_FILE,
        name=upload.name,
        fingerprint=_fingerprint(settings),
        timezone=settings.timezone,
        date_order=settings.date_order,
        decimal=settings.decimal,
        max_reading_kwh=settings.max_reading_kwh,
    )


def _put_rejected(engine: duckdb.DuckDBPyConnection, lake: Lake, upload: Upload, folder: Path) -> None:
    """Write the rows that intake left in the table `rejected`, or remove what an earlier reading refused."""
    key = upload.result_key(REJECTED, "rejected.csv")
    if not engine.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'rejected'").fetchone() or not (
        engine.execute("SELECT 1 FROM rejected LIMIT 1").fetchone()
    ):
        lake.delete(key)
        return
    rejected = folder / "rejected.csv"
    columns = ", ".join(REJECTED_ROWS.column_names)
    engine.execute(f"COPY (SELECT {columns} FROM rejected) TO {literal(str(rejected))} (FORMAT csv, HEADER)")
    lake.put(key, rejected)


def _readings_folder(site: str) -> str:
    return in_site(READINGS.prefix, site, "")


def history_until(lake: Lake, upload: Upload) -> tuple[StoredObject, ...]:
    """Return the uploads of the site, up to this one, that have given readings."""
    given = {stored.key for stored in lake.list(_readings_folder(upload.site))}
    return tuple(
        stored
        for stored in uploads_of_site(lake, upload.site)
        if place_of(stored) <= upload.place and readings_key(stored.key) in given
    )


def merge(
    engine: duckdb.DuckDBPyConnection, lake: Lake, uploads: Sequence[StoredObject], settings: Settings
) -> SiteHistory:
    """Merge the readings of uploads of one site, taking in anew any that were read with other settings."""
    files = {stored.key: lake.fetch(readings_key(stored.key)) for stored in uploads}
    paths = list(files.values())
    metadata = _metadata(engine, paths)
    outdated = [one for one in uploads if metadata[files[one.key]]["fingerprint"] != _fingerprint(settings)]
    if outdated:
        for stored in outdated:
            _take_in_anew(engine, lake, identify(lake, stored), settings)
        metadata = _metadata(engine, paths)
    counts = dict(
        engine.execute(f"SELECT file_name, num_rows FROM parquet_file_metadata({file_list(paths)})").fetchall()
    )
    verdicts = {
        key: Verdict.from_json(metadata[path]["verdict"], rows_accepted=counts[str(path)])
        for key, path in files.items()
    }
    accepted = sum(verdict.rows_accepted for verdict in verdicts.values())
    relation = merged(engine, paths)
    if len(paths) > 1:
        engine.execute(f"CREATE OR REPLACE TEMP TABLE readings AS SELECT * FROM {relation}")
        relation = "readings"
    kept = engine.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]
    rejected: Counter[str] = Counter()
    for verdict in verdicts.values():
        rejected.update(verdict.rejected_by_reason)
    return SiteHistory(
        uploads=tuple(uploads),
        readings=relation,
        verdicts=verdicts,
        rows_accepted=accepted,
        rejected_by_reason=dict(sorted(rejected.items(), key=lambda item: (-item[1], item[0]))),
        replaced_by_later_upload=accepted - kept,
        has_offsets=any(verdict.has_offsets for verdict in verdicts.values()),
        encodings=frozenset(verdict.encoding for verdict in verdicts.values()),
    )


def _fingerprint(settings: Settings) -> str:
    names = ("timezone", "date_order", "decimal", "max_reading_kwh")
    return json.dumps({"format": _FORMAT} | {name: getattr(settings, name) for name in names}, sort_keys=True)


def _metadata(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> dict[Path, dict[str, str]]:
    found: dict[Path, dict[str, str]] = {path: {} for path in paths}
    for file_name, key, value in engine.execute(
        f"SELECT file_name, key, value FROM parquet_kv_metadata({file_list(paths)})"
    ).fetchall():
        found[Path(file_name)][bytes(key).decode()] = bytes(value).decode()
    return found


def merged(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> str:
    """Write SQL for all readings of one site's files, in which of an interval given twice the later file wins.

    `paths` are in order of their uploads. Only the span of time that uploads share is searched.
    """
    everything = readings_of(engine, paths)
    if len(paths) == 1:
        return everything
    spans = engine.execute(f"""
        SELECT min(timestamp), max(timestamp) FROM {parquet(paths, "union_by_name", "filename")} GROUP BY filename
        ORDER BY 1, 2""").fetchall()
    shared: list[tuple[datetime, datetime]] = []
    reach = spans[0][1]
    for first, last in spans[1:]:
        if first <= reach:
            shared.append((first, min(last, reach)))
        reach = max(reach, last)
    if not shared:
        return everything
    since, until = min(first for first, _ in shared), max(last for _, last in shared)
    within = f"timestamp BETWEEN TIMESTAMP '{since}' AND TIMESTAMP '{until}'"
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


def readings_of(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path], *further: str) -> str:
    """Write SQL for the rows of files of readings; where no file has offsets, they are null."""
    have_offsets = engine.execute(
        f"SELECT 1 FROM parquet_schema({file_list(paths)}) WHERE name = 'utc_offset_minutes' LIMIT 1"
    ).fetchone()
    offset = "utc_offset_minutes" if have_offsets else "CAST(NULL AS SMALLINT) AS utc_offset_minutes"
    columns = ", ".join(["timestamp", "appliance", "kwh", offset, *further])
    return f"(SELECT {columns} FROM {parquet(paths, 'union_by_name', *further)})"
