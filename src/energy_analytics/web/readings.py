"""Single readings of a site: the files of its uploads, merged for the time and the appliances that are asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from ..engine import file_list, parquet
from ..merging import KEY, places
from ..readings import readings_in
from .caching import Bounded
from .reading import Engine
from .sites import Site
from .times import EPOCH, MICROSECOND

Integers = NDArray[np.int64]

_KEPT_BYTES: Final = 16 << 20
_OFFSETS: Final = timedelta(days=1)
"""Wall time and UTC are nearer to each other than this."""
_INSTANT: Final = "(epoch_us(timestamp) - CAST(coalesce(utc_offset_minutes, 0) AS BIGINT) * 60000000)"
"""SQL for the instant of a reading, in microseconds."""
_LEAST_WINDOW: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class File:
    """A file of readings; times are the wall's."""

    path: Path
    first: datetime
    last: datetime
    has_offsets: bool


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a site's readings in order of their uploads, the later one counting."""

    files: tuple[File, ...]

    @property
    def nbytes(self) -> int:
        """Memory that it takes, about."""
        return 1000 * len(self.files)

    @property
    def span(self) -> tuple[int, int]:
        """Instants, in microseconds, between which all readings start, give or take a day."""
        first = min(file.first for file in self.files) - _OFFSETS
        last = max(file.last for file in self.files) + _OFFSETS
        return _micros(first), _micros(last)


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings in any order: microseconds of UTC and of the wall clock, places of the appliances, energy."""

    instants: Integers
    walls: Integers
    codes: Integers
    kwh: NDArray[np.float64]


class RawReadings:
    """Reads single readings of sites."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._files: Bounded[Files] = Bounded(_KEPT_BYTES, lambda files: files.nbytes)

    def files(self, site: Site) -> Files:
        """Return the files of a site's readings, local copies of them where the lake is elsewhere."""
        own = site.readings
        version = tuple(sorted((file.key, file.version, raw.version) for file, raw in own.items()))
        paths = site.lake.fetch_all(list(own))  # Also when they are known: a cache of files may have dropped some.
        return self._files.get((site.name, version), lambda: self._look(site, paths))

    def rows(self, site: Site, appliances: Sequence[str], start: int, end: int) -> Rows:
        """Return the readings of appliances that start from an instant, inclusive, to another, exclusive."""
        files = self.files(site)
        with self._engine.use() as engine:
            name_appliances(engine, appliances)
            found = engine.execute(f"""
                SELECT epoch_us(timestamp) AS wall, coalesce(utc_offset_minutes, 0) AS shift, code, kwh
                FROM {within(files, start, end)} JOIN names USING (appliance)""").fetchnumpy()
        walls = np.asarray(found["wall"], dtype=np.int64)
        instants = walls - np.asarray(found["shift"], dtype=np.int64) * 60_000_000
        inside = (instants >= start) & (instants < end)
        return Rows(
            instants[inside], walls[inside], np.asarray(found["code"])[inside], np.asarray(found["kwh"])[inside]
        )

    def statistics(
        self, site: Site, appliances: Sequence[str], start: int | None, end: int | None
    ) -> list[dict[str, Any]]:
        """Return count, total, mean, sample deviation and peak hour of each appliance that has readings there."""
        files = self.files(site)
        if not files.files:
            return []
        first, last = files.span
        begin, finish = first if start is None else max(first, start), last if end is None else min(last, end)
        with self._engine.use() as engine:
            name_appliances(engine, appliances)
            rows = engine.execute(
                f"""WITH chosen AS (
                    SELECT appliance, hour(timestamp) AS hour, kwh FROM {within(files, begin, finish)}
                    WHERE {_INSTANT} >= ? AND {_INSTANT} < ?
                ), hours AS (
                    SELECT appliance, hour, avg(kwh) AS mean FROM chosen GROUP BY ALL
                ), peaks AS (
                    SELECT appliance, arg_max(hour, (mean, -hour)) AS peak_hour FROM hours GROUP BY ALL
                ), totals AS (
                    SELECT appliance, sum(kwh), avg(kwh), stddev_samp(kwh), count(*) FROM chosen GROUP BY ALL
                ) SELECT * FROM totals JOIN peaks USING (appliance)""",
                [begin, finish],
            ).fetchall()
        names = ("appliance", "total_kwh", "avg_kwh", "std_kwh", "count", "peak_hour")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def of_days(self, site: Site, spans: Sequence[tuple[str, tuple[date, date]]]) -> Iterator[tuple[int, Integers]]:
        """Yield the instants of an appliance's readings on the days of each span, with the span's place, in order."""
        files = self.files(site)
        if not spans or not files.files:
            return
        appliances = sorted({name for name, _ in spans})
        with self._engine.use() as engine:
            name_appliances(engine, appliances)
            engine.execute(
                """CREATE OR REPLACE TEMP TABLE spans AS
                SELECT unnest(?::VARCHAR[]) AS appliance, unnest(?::DATE[]) AS since, unnest(?::DATE[]) AS until,
                    unnest(range(?)) AS place""",
                [
                    [name for name, _ in spans],
                    [since for _, (since, _) in spans],
                    [until for _, (_, until) in spans],
                    len(spans),
                ],
            )
            first, last = min(since for _, (since, _) in spans), max(until for _, (_, until) in spans)
            found = engine.execute(f"""
                SELECT place, {_INSTANT} AS instant
                FROM {within(files, _micros(_midnight(first)), _micros(_midnight(last)))} AS readings
                JOIN spans ON spans.appliance = readings.appliance AND timestamp >= since AND timestamp < until
                ORDER BY place, instant""").fetchnumpy()
        places, instants = np.asarray(found["place"]), np.asarray(found["instant"])
        bounds = [*np.flatnonzero(np.diff(places, prepend=-1)).tolist(), len(places)]
        for begin, end in pairwise(bounds):
            yield int(places[begin]), instants[begin:end]

    def _look(self, site: Site, paths: Sequence[Path]) -> Files:
        given = dict(zip(site.readings, paths, strict=True))
        if not given:
            return Files(())
        with self._engine.use() as engine:
            ordered = readings_in(engine, lambda some: [given[file] for file in some], given, site.readings.values())
            paths = [given[one.file] for one in ordered]
            with_offsets = {
                row[0]
                for row in engine.execute(
                    f"SELECT file_name FROM parquet_schema({file_list(paths)}) WHERE name = 'utc_offset_minutes'"
                ).fetchall()
            }
        return Files(
            tuple(
                File(path, one.first, one.last, has_offsets=str(path) in with_offsets)
                for one, path in zip(ordered, paths, strict=True)
            )
        )


def name_appliances(engine: duckdb.DuckDBPyConnection, appliances: Sequence[str]) -> None:
    """Create the table `names` of appliances and their places in the list."""
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE names AS SELECT unnest(?::VARCHAR[]) AS appliance, unnest(range(?)) AS code",
        [list(appliances), len(appliances)],
    )


def within(files: Files, start: int, end: int) -> str:
    """Write SQL for the readings of some files around a span of time, of an interval given twice the later one.

    The table `names` tells the appliances. Only files that reach into the span are read, and only what of them is
    needed, before anything is merged; up to a day too much is returned at either end.
    """
    since, until = _wall(start) - _OFFSETS, _wall(end) + _OFFSETS
    chosen = [file for file in files.files if file.first <= until and file.last >= since]
    paths = [file.path for file in chosen]
    if not paths:
        return (
            "(SELECT CAST(NULL AS TIMESTAMP) AS timestamp, CAST(NULL AS VARCHAR) AS appliance, "
            "CAST(NULL AS DOUBLE) AS kwh, CAST(NULL AS SMALLINT) AS utc_offset_minutes WHERE false)"
        )
    offset = (
        "utc_offset_minutes"
        if any(file.has_offsets for file in chosen)
        else "CAST(NULL AS SMALLINT) AS utc_offset_minutes"
    )
    source = parquet(paths, "filename", "union_by_name")
    wanted = f"""timestamp BETWEEN TIMESTAMP '{since}' AND TIMESTAMP '{until}'
        AND appliance IN (SELECT appliance FROM names)"""
    if len(paths) == 1:
        return f"(SELECT timestamp, appliance, kwh, {offset} FROM {source} WHERE {wanted})"
    return f"""(
        SELECT timestamp, appliance, kwh, utc_offset_minutes FROM (
            SELECT timestamp, appliance, kwh, {offset}, place FROM {source}
            JOIN {places(paths)} USING (filename)
            WHERE {wanted})
        QUALIFY row_number() OVER (PARTITION BY {KEY} ORDER BY place DESC) = 1)"""


def first_window(step_minutes: float | None, limit: int) -> int:
    """Return how many microseconds may hold so many readings of that step."""
    step = timedelta(minutes=step_minutes or 60)
    # What is known of where readings begin is a day too early.
    return (_OFFSETS + _LEAST_WINDOW + min(step * (limit + 1), timedelta(days=365_000))) // MICROSECOND


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall time


def _micros(wall: datetime) -> int:
    return (wall.replace(tzinfo=EPOCH.tzinfo) - EPOCH) // MICROSECOND


def _wall(instant: int) -> datetime:
    bounded = min(max(instant, _micros(datetime(1000, 1, 3))), _micros(datetime(2999, 12, 29)))  # noqa: DTZ001
    return (EPOCH + timedelta(microseconds=bounded)).replace(tzinfo=None)
