"""Hours and days of a site as arrays: what charts and totals are cut from without asking the engine each time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from ..engine import parquet
from ..lake import GoneError, StoredObject
from .caching import Bounded
from .problems import ProblemError
from .reading import Engine
from .sites import Site
from .times import Zone, offset_text

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_KEPT_BYTES: Final = 512 << 20
_LARGEST_CELLS: Final = 24_000_000
"""Hours times appliances up to which all of a site's hours are kept, 190 MB; above, each page is asked for.

Days times appliances up to which a site is told at all, 1 GB.
"""
_SECOND: Final = 1_000_000
_INSTANT: Final = f"(CAST(epoch(hour) AS BIGINT) - 60 * CAST(coalesce(utc_offset_minutes, 0) AS BIGINT)) * {_SECOND}"
"""SQL for the instant of an hour, in microseconds."""


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a site, in order of time. Instants are microseconds since 1970, UTC."""

    instants: Integers
    walls: Integers
    """Seconds of the local clock since 1970."""
    told: tuple[str, ...]
    appliances: tuple[str, ...]
    kwh: Floats | None
    """A row per appliance, NaN where it has no reading; None for a site that is too large to be kept."""
    site_kwh: Floats
    """The sum of the appliances that are read each hour or more often; NaN where none is."""
    stored: StoredObject
    _site: Site
    _engine: Engine = field(repr=False)

    @property
    def nbytes(self) -> int:
        """Memory that it takes, about."""
        return (0 if self.kwh is None else self.kwh.nbytes) + 150 * len(self.instants)

    def places(self, start: int | None, end: int | None) -> tuple[int, int]:
        """Return where the hours lie whose start is from an instant, inclusive, to another, exclusive."""
        first = 0 if start is None else int(np.searchsorted(self.instants, start))
        last = len(self.instants) if end is None else int(np.searchsorted(self.instants, end))
        return first, max(first, last)

    def totals(self, appliances: list[str], first: int, last: int) -> Floats:
        """Return the energy of those appliances together, NaN where none has a reading.

        Of a site that is too large to be kept, a row for each of them may not fit into memory.
        """
        if self.kwh is not None:
            return _sum(self.values(appliances, first, last))
        source = parquet([self._site.lake.fetch_all([self.stored])[0]])
        with self._engine.use() as engine:
            return _site_hours(engine, source, appliances, self.instants)[first:last]

    def values(self, appliances: list[str], first: int, last: int) -> Floats:
        """Return the energy of those appliances in the hours from a place to another, a row each."""
        rows = places_in(self.appliances, appliances)
        if self.kwh is not None:
            return self.kwh[rows, first:last]
        found = np.full((len(appliances), last - first), np.nan)
        if not rows or first == last:
            return found
        path = self._site.lake.fetch_all([self.stored])[0]
        with self._engine.use() as engine:
            rows_found = _rows(
                engine, path_sql=parquet([path]), appliances=appliances,
                wall_range=(int(self.walls[first:last].min()), int(self.walls[first:last].max())),
            )  # fmt: skip
        place = np.searchsorted(self.instants[first:last], rows_found["instant"])
        inside = (rows_found["instant"] >= self.instants[first]) & (rows_found["instant"] <= self.instants[last - 1])
        found[rows_found["code"][inside], place[inside]] = rows_found["kwh"][inside]
        return found


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a site that have readings, in order. Matrices have a row per appliance, NaN where unknown."""

    days: tuple[date, ...]
    numbers: Integers
    """Ordinals of the days."""
    complete: NDArray[np.bool_]
    appliances: tuple[str, ...]
    kwh: Floats
    readings: Floats
    coverage: Floats
    cost: Floats
    carbon_kg: Floats

    @property
    def nbytes(self) -> int:
        """Memory that it takes, about."""
        return 5 * self.kwh.nbytes + 100 * len(self.days)

    def starts(self, zone: Zone) -> Integers:
        """Return the instants at which they begin."""
        return _starts(self.days, zone)

    def places(self, start: date, end: date) -> tuple[int, int]:
        """Return where the days lie from one, inclusive, to another, exclusive."""
        first, last = np.searchsorted(self.numbers, (start.toordinal(), end.toordinal()))
        return int(first), max(int(first), int(last))


class Grids:
    """Makes hours and days of sites, and keeps them as long as they are as the lake has them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._hours: Bounded[Hours] = Bounded(_KEPT_BYTES, lambda hours: hours.nbytes)
        self._days: Bounded[Days] = Bounded(_KEPT_BYTES // 4, lambda days: days.nbytes)

    def hours(self, site: Site) -> Hours:
        """Return the hours of a site."""
        stored = site.table("hourly")
        steps = {one["appliance"]: one["step_minutes"] for one in site.newest["results"]["appliances"]}
        return self._hours.get((stored.key, stored.version), lambda: self._read_hours(site, stored, steps))

    def days(self, site: Site) -> Days:
        """Return the days of a site."""
        stored = site.table("daily")
        return self._days.get((stored.key, stored.version), lambda: self._read_days(site, stored))

    def _read_hours(self, site: Site, stored: StoredObject, steps: dict[str, float | None]) -> Hours:
        source = parquet([site.lake.fetch_all([stored])[0]])
        with self._engine.use() as engine:
            names = [row[0] for row in engine.execute(f"SELECT DISTINCT appliance FROM {source} ORDER BY 1").fetchall()]
            axis = engine.execute(f"""
                SELECT DISTINCT CAST(epoch(hour) AS BIGINT) AS wall,
                    CAST(coalesce(utc_offset_minutes, 0) AS BIGINT) AS shift FROM {source}""").fetchnumpy()
            instants = (np.asarray(axis["wall"]) - 60 * np.asarray(axis["shift"])) * _SECOND
            order = np.argsort(instants, kind="stable")
            instants, walls, shifts = instants[order], np.asarray(axis["wall"])[order], np.asarray(axis["shift"])[order]
            fine = np.array([(steps.get(name) or 0) <= 60 for name in names], dtype=bool)
            kwh: Floats | None = None
            if len(instants) * len(names) <= _LARGEST_CELLS:
                found = _rows(engine, path_sql=source, appliances=names)
                kwh = np.full((len(names), len(instants)), np.nan)
                kwh[found["code"], np.searchsorted(instants, found["instant"])] = found["kwh"]
                total = _sum(kwh[fine])
            else:
                total = _site_hours(
                    engine, source, [name for name, is_fine in zip(names, fine, strict=True) if is_fine], instants
                )
        return Hours(instants, walls, _told(walls, shifts), tuple(names), kwh, total, stored, site, self._engine)

    def _read_days(self, site: Site, stored: StoredObject) -> Days:
        source = parquet([site.lake.fetch_all([stored])[0]])
        with self._engine.use() as engine:
            there = {row[0] for row in engine.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
            amounts = ", ".join(
                name if name in there else f"CAST(NULL AS DOUBLE) AS {name}" for name in ("cost", "carbon_kg")
            )
            found = engine.execute(f"""
                SELECT CAST(epoch(CAST(day AS TIMESTAMP)) AS BIGINT) // 86400 AS day,
                    dense_rank() OVER (ORDER BY appliance) - 1 AS code,
                    kwh, CAST(readings AS DOUBLE) AS readings, coverage, site_day_complete, {amounts}
                FROM {source}""").fetchnumpy()
            names = [row[0] for row in engine.execute(f"SELECT DISTINCT appliance FROM {source} ORDER BY 1").fetchall()]
        numbers, place = np.unique(np.asarray(found["day"]), return_inverse=True)
        if len(numbers) * len(names) > _LARGEST_CELLS:
            raise ProblemError(
                422,
                f"There are {len(names):,} appliances on {len(numbers):,} days in {site.title}, more than can be shown "
                "here. The report and energy query tell of them.",
            )
        code = np.asarray(found["code"])
        complete = np.zeros(len(numbers), dtype=bool)
        complete[place] = np.ma.filled(np.ma.asarray(found["site_day_complete"]), False)

        def matrix(name: str) -> Floats:
            made = np.full((len(names), len(numbers)), np.nan)
            made[code, place] = np.ma.filled(np.ma.asarray(found[name], dtype=np.float64), np.nan)
            return made

        epoch = date(1970, 1, 1).toordinal()
        return Days(
            tuple(date.fromordinal(epoch + int(number)) for number in numbers),
            numbers + epoch,
            complete, tuple(names), matrix("kwh"), matrix("readings"), matrix("coverage"), matrix("cost"),
            matrix("carbon_kg"),
        )  # fmt: skip


def places_in(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return where those that are wanted stand among the names, of both of which there may be tens of thousands.

    Raises GoneError when one is not among them: the table is of another run than the record that names it.
    """
    places = {name: place for place, name in enumerate(names)}
    try:
        return [places[name] for name in wanted]
    except KeyError as error:
        raise GoneError(f"The tables of the site have no appliance {error.args[0]!r} any more.") from error


def _rows(
    engine: duckdb.DuckDBPyConnection,
    *,
    path_sql: str,
    appliances: list[str],
    wall_range: tuple[int, int] | None = None,
) -> dict[str, Integers]:
    """Return the instant, the appliance's place in the list, and the energy of each row, in any order."""
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE names AS SELECT unnest(?::VARCHAR[]) AS appliance, "
        "unnest(range(?)) AS code", [appliances, len(appliances)],
    )  # fmt: skip
    where, given = "", []
    if wall_range is not None:
        where = "WHERE hour BETWEEN make_timestamp(?) AND make_timestamp(?)"
        given = [wall * _SECOND for wall in wall_range]
    found = engine.execute(
        f"""SELECT {_INSTANT} AS instant,
            code, kwh FROM {path_sql} JOIN names USING (appliance) {where}""",
        given,
    ).fetchnumpy()
    return {name: np.asarray(values) for name, values in found.items()}


def _sum(kwh: Floats) -> Floats:
    """Sum over appliances; NaN where none is known."""
    if not len(kwh):
        return np.full(kwh.shape[1], np.nan)
    known = np.isfinite(kwh).any(axis=0)
    return np.where(known, np.nansum(kwh, axis=0), np.nan)


def _site_hours(engine: duckdb.DuckDBPyConnection, source: str, fine: list[str], instants: Integers) -> Floats:
    total = np.full(len(instants), np.nan)
    found = engine.execute(
        f"""SELECT {_INSTANT} AS instant,
            sum(kwh) AS kwh FROM {source} WHERE appliance IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL""",
        [fine],
    ).fetchnumpy()
    total[np.searchsorted(instants, np.asarray(found["instant"]))] = np.asarray(found["kwh"])
    return total


def _told(walls: Integers, shifts: Integers) -> tuple[str, ...]:
    """Write wall times with their offsets."""
    texts = np.datetime_as_string(walls.astype("datetime64[s]"), unit="s").tolist()
    endings = {int(shift): offset_text(int(shift)) for shift in np.unique(shifts)}
    return tuple(text + endings[shift] for text, shift in zip(texts, shifts.tolist(), strict=True))


@lru_cache(maxsize=64)
def told_days(days: tuple[date, ...], zone: Zone) -> list[str]:
    """Write the starts of local days with their offsets."""
    return [zone.told(datetime(day.year, day.month, day.day)) for day in days]  # noqa: DTZ001 - a wall time


@lru_cache(maxsize=64)
def _starts(days: tuple[date, ...], zone: Zone) -> Integers:
    return np.array([zone.start_of(day) for day in days], dtype=np.int64)
