"""Merging the files of a site's readings: of an interval that was uploaded twice the later upload wins.

A site that is uploaded to every day has thousands of files after some years. The first of them are then collected in
one, which the next run opens in their place.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from .engine import file_list, literal, parquet
from .lake import Lake, StoredObject
from .readings import Readings, marks_in
from .schema import RUNS
from .uploads import file_digest, in_site, site_of

_LOOSE_FILES: Final = 16
"""Files of readings that are opened one by one; where there are more, they are collected in one."""
_COLLECTED: Final = "readings.parquet"
_DIGEST: Final = "readings.sha256"
"""Of the bytes of that file: of one that was spoilt since, nothing is read."""
_DIGEST_CHARACTERS: Final = 64
_FEWEST_STEPS: Final = 3
_EVEN: Final = 0.9
"""Share of its steps that are alike, in a file that is read at even steps."""
_FORMAT: Final = 2
"""Raised when the same files are merged differently."""
KEY: Final = "appliance, timestamp, coalesce(utc_offset_minutes, 0)"
"""SQL for what tells an interval: on the clock of UTC, a time without an offset is that with the offset 0."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The readings of a site's uploads, an interval of an appliance once."""

    relation: str
    """SQL, with the columns of `schema.READINGS`."""
    uploads: tuple[Readings, ...]
    loose_files: int
    """Files that were opened one by one."""
    overlaid: tuple[str, ...] = ()
    """Appliances of which longer intervals came later than shorter ones that they cover: only the first of those was
    replaced."""


def merge_files(engine: duckdb.DuckDBPyConnection, lake: Lake, uploads: Sequence[Readings]) -> Merged:
    """Merge the files of uploads, given in order. Raises GoneError when one was replaced meanwhile."""
    collected = _collected(engine, lake, uploads)
    done, files = (0, []) if collected is None else (collected[1], [collected[0]])
    rest = uploads[done:]
    files.extend(lake.fetch_all([one.file for one in rest]))
    spans = [(one.first, one.last) for one in rest]
    if done:
        spans.insert(0, (min(one.first for one in uploads[:done]), max(one.last for one in uploads[:done])))
    shared = shared_span(spans)
    relation = merged(engine, files, shared)
    if len({one.verdict.has_offsets for one in uploads}) > 1:
        columns = "timestamp, appliance, kwh, CAST(coalesce(utc_offset_minutes, 0) AS SMALLINT) AS utc_offset_minutes"
        relation = f"(SELECT {columns} FROM {relation})"  # An hour of both kinds is one hour.
    if shared is not None or len(rest) > _LOOSE_FILES:
        engine.execute(f"CREATE OR REPLACE TEMP TABLE readings AS SELECT * FROM {relation}")
        relation = "readings"
    return Merged(relation, tuple(uploads), len(rest), () if shared is None else _overlaid(engine, files, shared))


def collect(engine: duckdb.DuckDBPyConnection, lake: Lake, readings: Merged) -> None:
    """Put the merged readings of many uploads into one file, for the next run to open in their place.

    It is remembered beside the site's records, holds for exactly these files of readings, and may go at any time.
    """
    if readings.loose_files < _LOOSE_FILES:
        return
    marks = {"uploads": str(len(readings.uploads)), "files": _digest_of_files(readings.uploads)}
    metadata = ", ".join(f"{name}: {literal(text)}" for name, text in marks.items())
    with lake.work_folder() as folder:
        path = folder / _COLLECTED
        engine.execute(f"""
            COPY (SELECT * FROM {readings.relation} ORDER BY timestamp, appliance, utc_offset_minutes DESC)
            TO {literal(str(path))} (FORMAT parquet, KV_METADATA {{{metadata}}})""")
        digest = folder / _DIGEST
        digest.write_text(file_digest(path), encoding="ascii")
        place = in_site(RUNS, site_of(readings.uploads[0].key), "")
        lake.remember(place, _COLLECTED, path)
        lake.remember(place, _DIGEST, digest)


def _collected(engine: duckdb.DuckDBPyConnection, lake: Lake, uploads: Sequence[Readings]) -> tuple[Path, int] | None:
    """Return the file in which the first of these uploads are merged already, and how many they are."""
    if len(uploads) <= _LOOSE_FILES:
        return None
    place = in_site(RUNS, site_of(uploads[0].key), "")
    path, digest = lake.recall(place, _COLLECTED), lake.recall(place, _DIGEST)
    if path is None or digest is None or not _is_as_written(path, digest):
        return None
    try:
        marks = marks_in(engine, [path])[path]
        count = int(marks["uploads"])
    except (duckdb.Error, KeyError, ValueError):
        return None
    if not 0 < count <= len(uploads) or marks.get("files") != _digest_of_files(uploads[:count]):
        return None
    return path, count


def _is_as_written(path: Path, digest: Path) -> bool:
    """Tell whether a file is the one that was collected: a run would fail at a spoilt one, and so would the next."""
    try:
        with digest.open("rb") as file:
            return file.read(_DIGEST_CHARACTERS).decode(errors="replace") == file_digest(path)
    except OSError:
        return False


def _digest_of_files(uploads: Iterable[Readings]) -> str:
    told = json.dumps([_FORMAT, *((one.file.key, one.file.version) for one in uploads)])
    return hashlib.sha256(told.encode()).hexdigest()


def _overlaid(
    engine: duckdb.DuckDBPyConnection, paths: Sequence[Path], shared: tuple[datetime, datetime]
) -> tuple[str, ...]:
    """Return the appliances that a later file reads at longer steps than an earlier one does at that time.

    A file has a step where its readings follow each other evenly; a correction of single readings has none.
    """
    found = engine.execute(f"""
        WITH following AS (
            SELECT appliance, place, instant,
                lead(instant) OVER (PARTITION BY place, appliance ORDER BY instant) - instant AS step
            FROM (
                SELECT appliance, place, timestamp - to_minutes(coalesce(utc_offset_minutes, 0)) AS instant
                FROM {readings_of(engine, paths, "filename")} JOIN {places(paths)} USING (filename)
                WHERE {_within(shared)})),
        told AS (
            SELECT appliance, place, step, count(*) AS steps, min(instant) AS first, max(instant) AS last
            FROM following WHERE step IS NOT NULL GROUP BY appliance, place, step),
        even AS (
            SELECT appliance, place, arg_max(step, steps) AS step, min(first) AS first, max(last) AS last
            FROM told GROUP BY appliance, place
            HAVING sum(steps) >= {_FEWEST_STEPS} AND max(steps) >= {_EVEN} * sum(steps))
        SELECT DISTINCT appliance FROM even AS one JOIN even AS other USING (appliance)
        WHERE one.place > other.place AND one.step > other.step AND one.first <= other.last AND other.first <= one.last
        ORDER BY appliance""").fetchall()
    return tuple(appliance for (appliance,) in found)


def merged(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path], shared: tuple[datetime, datetime] | None) -> str:
    """Write SQL for all readings of one site's files, in which of an interval given twice the later file wins.

    `paths` are in order of their uploads, and `shared` is their shared span: no more of them is searched.
    """
    everything = readings_of(engine, paths)
    if shared is None:
        return everything
    within = _within(shared)
    return f"""(
        SELECT * FROM {everything} WHERE NOT ({within})
        UNION ALL
        (SELECT timestamp, appliance, kwh, utc_offset_minutes FROM {readings_of(engine, paths, "filename")}
        JOIN {places(paths)} USING (filename)
        WHERE {within}
        QUALIFY row_number() OVER (
            PARTITION BY {KEY} ORDER BY place DESC) = 1
        ORDER BY timestamp, appliance, utc_offset_minutes DESC))"""


def _within(span: tuple[datetime, datetime]) -> str:
    return f"timestamp BETWEEN TIMESTAMP '{span[0]}' AND TIMESTAMP '{span[1]}'"


def places(paths: Sequence[Path]) -> str:
    """Write SQL for the relation (filename, place) of files that are given in order of their uploads."""
    names = ", ".join(literal(str(path)) for path in paths)
    return f"(SELECT unnest([{names}]) AS filename, unnest(range({len(paths)})) AS place)"


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
