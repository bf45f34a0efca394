"""Totals of a site's readings: per appliance, per hour, per day, and what is missing from them.

Every sum is exact whatever the order of rows (see `engine.exact_sum`), so the same readings give the same
bytes on any number of threads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final

import duckdb

from .calendar import Clock
from .engine import binary_scale, exact_sum
from .hours import Hours
from .results import ApplianceTotal, DayTotal, Gap, PeakHour
from .schema import COMPLETE_DAY_SHARE

_SAMPLED_READINGS: Final = 500
"""Readings per appliance from which its step is inferred."""
_LONGEST_STEP: Final = timedelta(days=31)
"""Readings that are always further apart have no step: nothing tells over which time their energy was used."""
_FEWEST_HOURS: Final = 168
"""A week of hours, below which a baseload is not told."""
_BASELOAD_QUANTILE: Final = 0.05
_LISTED_GAPS: Final = 10
_TOLD_APART: Final = 50
_ROUNDING: Final = 1e-9
_RECENT_DAYS: Final = 35
_HALF_BIT: Final = Fraction(1, 2**53)
"""Of a double: by what part of it a product may be wrong."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Count, sum, mean and sample deviation of one appliance's readings, from exact sums."""

    count: int
    total_kwh: float
    avg_kwh: float
    std_kwh: float | None
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Gaps:
    """Missing intervals between readings: how many gaps, how many intervals, and the longest gaps."""

    count: int
    missing_intervals: int
    longest: tuple[Gap, ...]


def create_days(engine: duckdb.DuckDBPyConnection, hours: Hours) -> str:
    """Create the table of each appliance's local days, with the exact sums of its hours, and return its name."""
    instant = "- to_minutes(coalesce(utc_offset_minutes, 0))"
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE days AS
        SELECT CAST(hour AS DATE) AS day, appliance, CAST(sum(readings) AS BIGINT) AS readings,
            sum(units) AS units, sum(squares) AS squares,
            min(first_local {instant}) AS first_instant, max(last_local {instant}) AS last_instant,
            min(first_local) AS first_local, max(last_local) AS last_local,
            sum(readings) = bit_count(bit_or(1 << hour(hour))) AS once_an_hour
        FROM {hours.relation} GROUP BY ALL""")
    return "days"


def statistics(engine: duckdb.DuckDBPyConnection, days: str, hours: Hours) -> dict[str, Statistics]:
    """Return the statistics of each appliance from the table of days."""
    rows = engine.execute(f"""
        SELECT appliance, sum(readings), sum(units), sum(squares), min(first_local), max(last_local)
        FROM {days} GROUP BY appliance ORDER BY appliance""").fetchall()
    found = {}
    for appliance, count, units, squares, first, last in rows:
        exact_total = Fraction(int(units)) / Fraction(hours.scale)
        spread = _spread(hours, int(count), exact_total, int(squares)) if count > 1 else None
        found[appliance] = Statistics(
            count=int(count),
            total_kwh=float(exact_total),
            avg_kwh=float(exact_total / count),
            std_kwh=None if spread is None else float(spread / (int(count) - 1)) ** 0.5,
            first=first,
            last=last,
        )
    return found


def _spread(hours: Hours, count: int, total_kwh: Fraction, squares: int) -> Fraction:
    """Return the sum of the squared distances from the mean; 0 where it is no more than what rounding makes of equals.

    Each square is rounded twice: to the 53 bits of a double, and to units; each reading to units of its own.
    """
    spread = Fraction(squares) / Fraction(hours.square_scale) - total_kwh**2 / count
    rounding = (squares * _HALF_BIT + Fraction(count, 2)) / Fraction(hours.square_scale)
    return spread if spread > rounding + total_kwh / Fraction(hours.scale) else Fraction(0)


def steps_minutes(engine: duckdb.DuckDBPyConnection, readings: str, days: str) -> dict[str, float]:
    """Return the commonest time between consecutive readings of each appliance, in minutes, of a month at most.

    Looked for on an appliance's newest days that together have 500 readings; of two that are equally common, the
    shorter.
    """
    instant = "timestamp - to_minutes(coalesce(utc_offset_minutes, 0))"
    return dict(
        engine.execute(f"""
        WITH recent AS (
            SELECT appliance, day, sum(readings) OVER (PARTITION BY appliance ORDER BY day DESC) - readings AS newer
            FROM {days}
        ), reach AS (
            SELECT appliance, min(day) AS since FROM recent WHERE newer < {_SAMPLED_READINGS} GROUP BY appliance
        ), newest AS (
            SELECT appliance, epoch_us({instant}) AS moment_us
            FROM {readings} JOIN reach USING (appliance) WHERE timestamp >= since
        ), steps AS (
            SELECT appliance, moment_us - lag(moment_us) OVER (PARTITION BY appliance ORDER BY moment_us) AS step_us
            FROM newest
        ), counted AS (
            SELECT appliance, step_us, count(*) AS times FROM steps
            WHERE step_us BETWEEN 1 AND {_LONGEST_STEP // timedelta(microseconds=1)} GROUP BY ALL)
        SELECT appliance, arg_max(step_us, (times, -step_us)) / 60e6 FROM counted GROUP BY appliance
        ORDER BY appliance""").fetchall()
    )


def create_hourly(engine: duckdb.DuckDBPyConnection, hours: Hours, days: str) -> str:
    """Create the relation of energy per appliance and local hour, and return its name.

    An hour that happens twice is two rows with different `utc_offset_minutes`. Where no hour of an appliance
    has two readings, the readings are the hours, and nothing is added up.
    """
    kwh = f"CAST({{}} AS DOUBLE) / {hours.scale!r} AS kwh"
    engine.execute("DROP VIEW IF EXISTS hourly; DROP TABLE IF EXISTS hourly_sums")
    if engine.execute(f"SELECT bool_and(once_an_hour) FROM {days}").fetchall() == [(True,)]:
        select = f"SELECT hour, appliance, largest_kwh AS kwh, readings, utc_offset_minutes FROM {hours.relation}"
    elif hours.added_up:
        select = f"SELECT hour, appliance, {kwh.format('units')}, readings, utc_offset_minutes FROM {hours.relation}"
    else:
        engine.execute(f"""
            CREATE TEMP TABLE hourly_sums AS
            SELECT hour, appliance, {kwh.format("sum(units)")}, CAST(sum(readings) AS BIGINT) AS readings,
                utc_offset_minutes
            FROM {hours.relation} GROUP BY hour, appliance, utc_offset_minutes
            ORDER BY hour, appliance, utc_offset_minutes DESC""")
        select = "SELECT * FROM hourly_sums"
    engine.execute(f"CREATE TEMP VIEW hourly AS {select}")
    return "hourly"


def create_daily(
    engine: duckdb.DuckDBPyConnection, days: str, hours: Hours, *, steps: Mapping[str, float], wall: Clock
) -> str:
    """Create the table of energy per appliance and local day with its coverage, and return its name."""
    engine.execute("CREATE OR REPLACE TEMP TABLE steps (appliance VARCHAR, step_minutes DOUBLE)")
    engine.execute(
        "INSERT INTO steps SELECT unnest(?::VARCHAR[]), unnest(?::DOUBLE[])", [list(steps), list(steps.values())]
    )
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE daily AS
        SELECT days.*, CAST(units AS DOUBLE) / {hours.scale!r} AS kwh, step_minutes,
            CASE WHEN step_minutes IS NOT NULL THEN
                least(1.0, readings * step_minutes / greatest({wall.day_minutes("day")}, step_minutes)) END AS coverage
        FROM {days} AS days LEFT JOIN steps USING (appliance)""")
    return "daily"


def day_totals(engine: duckdb.DuckDBPyConnection, daily: str, *, largest: Sequence[str]) -> tuple[DayTotal, ...]:
    """Return the site's days, of which an appliance is expected on each from its first reading to its last.

    Of the appliances in `largest`, the first 50 are told apart on each day.
    """
    scale = binary_scale(_largest(engine, daily))
    by_appliance: dict[date, dict[str, float]] = {}
    for day, appliance, kwh in engine.execute(
        f"SELECT day, appliance, kwh FROM {daily} WHERE appliance IN (SELECT unnest(?::VARCHAR[])) ORDER BY ALL",
        [list(largest[:_TOLD_APART])],
    ).fetchall():
        by_appliance.setdefault(day, {})[appliance] = kwh
    rows = engine.execute(f"""
        WITH spans AS (
            SELECT appliance, min(day) AS first_day, max(day) AS last_day FROM {daily} GROUP BY appliance
        ), present AS (SELECT DISTINCT day FROM {daily}
        ), expected AS (
            SELECT present.day, count(*) AS appliances
            FROM present JOIN spans ON present.day BETWEEN first_day AND last_day GROUP BY present.day
        ), sums AS (
            SELECT day, CAST({exact_sum("kwh", scale)} AS DOUBLE) / {scale!r} AS kwh,
                {exact_sum("coalesce(coverage, 0)", 2.0**50)} AS covered
            FROM {daily} GROUP BY day)
        SELECT day, kwh, CAST(covered AS DOUBLE) / {2.0**50!r} / appliances AS coverage
        FROM sums JOIN expected USING (day) ORDER BY day""").fetchall()
    return tuple(
        DayTotal(
            day=day,
            kwh=kwh,
            coverage=coverage,
            complete=coverage >= COMPLETE_DAY_SHARE - _ROUNDING,
            by_appliance_kwh=by_appliance.get(day, {}),
        )
        for day, kwh, coverage in rows
    )


def complete_days(engine: duckdb.DuckDBPyConnection, daily: str, order: Sequence[str]) -> dict[str, dict[date, float]]:
    """Return the energy of each appliance on the days that its own readings cover, in the order given.

    Of the first 50 all days; of the others the last five weeks, for which there are often thousands.
    """
    found: dict[str, dict[date, float]] = {appliance: {} for appliance in order}
    for appliance, day, kwh in engine.execute(
        f"""
        SELECT appliance, day, kwh FROM {daily} WHERE coverage >= {COMPLETE_DAY_SHARE - _ROUNDING!r}
            AND (appliance IN (SELECT unnest(?::VARCHAR[])) OR day > (SELECT max(day) FROM {daily}) - {_RECENT_DAYS})
        ORDER BY day, appliance""",
        [list(order[:_TOLD_APART])],
    ).fetchall():
        found[appliance][day] = kwh
    return found


def appliance_totals(
    engine: duckdb.DuckDBPyConnection,
    hourly: str,
    found: Mapping[str, Statistics],
    steps: Mapping[str, float],
) -> tuple[ApplianceTotal, ...]:
    """Return the appliances with their peak hour and profile of the day, largest total first."""
    scale = binary_scale(_largest(engine, hourly))
    sums: dict[str, dict[int, tuple[int, int, int]]] = {appliance: {} for appliance in found}
    for appliance, hour, total, readings, hours in engine.execute(f"""
        SELECT appliance, hour(hour), {exact_sum("kwh", scale)}, sum(readings), count(*)
        FROM {hourly} GROUP BY ALL""").fetchall():
        sums[appliance][hour] = (total, readings, hours)
    totals = []
    for appliance, own in found.items():
        by_hour = sums[appliance]
        step = steps.get(appliance)
        profile = tuple(
            float(Fraction(by_hour[hour][0]) / Fraction(scale) / by_hour[hour][2]) if hour in by_hour else None
            for hour in range(24)
        )
        totals.append(
            ApplianceTotal(
                appliance=appliance,
                total_kwh=own.total_kwh,
                avg_kwh=own.avg_kwh,
                std_kwh=own.std_kwh,
                count=own.count,
                peak_hour=min(by_hour, key=lambda hour: (-Fraction(by_hour[hour][0], by_hour[hour][1]), hour)),
                step_minutes=step,
                first=own.first,
                last=own.last,
                hourly_profile_kwh=profile if step is not None and step <= 60 else (),
            )
        )
    return tuple(sorted(totals, key=lambda total: (-total.total_kwh, total.appliance)))


def peak_and_baseload(
    engine: duckdb.DuckDBPyConnection,
    hourly: str,
    *,
    steps: Mapping[str, float],
    complete_days: tuple[date, ...],
) -> tuple[PeakHour | None, float | None]:
    """Return the site's highest hour and the 5th percentile of its hours on complete days, in kWh.

    Appliances read less often than hourly say nothing about an hour and are left out.
    """
    fine = [appliance for appliance, step in steps.items() if step <= 60]
    if not fine:
        return None, None
    scale = binary_scale(_largest(engine, hourly))
    engine.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE site_hours AS
        SELECT hour, utc_offset_minutes, CAST({exact_sum("kwh", scale)} AS DOUBLE) / {scale!r} AS kwh
        FROM {hourly} WHERE appliance IN (SELECT unnest(?::VARCHAR[])) GROUP BY hour, utc_offset_minutes""",
        [fine],
    )
    start, kwh = engine.execute(
        "SELECT hour, kwh FROM site_hours ORDER BY kwh DESC, hour, utc_offset_minutes LIMIT 1"
    ).fetchall()[0]
    hours, baseload = engine.execute(
        f"""
        SELECT count(*), quantile_cont(kwh, {_BASELOAD_QUANTILE}) FROM site_hours
        WHERE CAST(hour AS DATE) IN (SELECT unnest(?::DATE[]))""",
        [list(complete_days)],
    ).fetchall()[0]
    engine.execute("DROP TABLE site_hours")
    return PeakHour(start, kwh), baseload if hours >= _FEWEST_HOURS else None


def gaps(engine: duckdb.DuckDBPyConnection, readings: str, daily: str) -> Gaps:
    """Find the intervals that are missing between two readings of an appliance.

    Within a day only where the count of readings does not fill the time between its first and its last.
    """
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE gaps AS
        WITH across AS (
            SELECT appliance, step_minutes, lag(last_instant) OVER days AS from_instant,
                first_instant AS to_instant, lag(last_local) OVER days AS from_local, first_local AS to_local
            FROM {daily} WHERE step_minutes IS NOT NULL WINDOW days AS (PARTITION BY appliance ORDER BY day)
        ), holed AS (
            SELECT appliance, day, step_minutes FROM {daily}
            WHERE readings < round(date_diff('second', first_instant, last_instant) / 60.0 / step_minutes) + 1
        ), instants AS (
            SELECT reading.appliance, holed.step_minutes, holed.day, reading.timestamp AS local,
                reading.timestamp - to_minutes(coalesce(reading.utc_offset_minutes, 0)) AS instant
            FROM {readings} AS reading JOIN holed
                ON holed.appliance = reading.appliance AND holed.day = CAST(reading.timestamp AS DATE)
        ), within AS (
            SELECT appliance, step_minutes, lag(instant) OVER moments AS from_instant, instant AS to_instant,
                lag(local) OVER moments AS from_local, local AS to_local
            FROM instants WINDOW moments AS (PARTITION BY appliance, day ORDER BY instant)
        ), pairs AS (SELECT * FROM across UNION ALL BY NAME SELECT * FROM within)
        SELECT appliance, from_local + to_seconds(CAST(round(step_minutes * 60) AS BIGINT)) AS gap_from,
            to_local AS gap_to,
            CAST(round(date_diff('second', from_instant, to_instant) / 60.0 / step_minutes) AS BIGINT) - 1 AS missing
        FROM pairs
        WHERE date_diff('second', from_instant, to_instant) > 1.5 * 60 * step_minutes""")
    count, missing = engine.execute("SELECT count(*), coalesce(sum(missing), 0) FROM gaps").fetchall()[0]
    longest = engine.execute(f"""
        SELECT appliance, gap_from, gap_to, missing FROM gaps
        ORDER BY missing DESC, gap_from, appliance LIMIT {_LISTED_GAPS}""").fetchall()
    engine.execute("DROP TABLE gaps")
    return Gaps(int(count), int(missing), tuple(Gap(*row) for row in longest))


def _largest(engine: duckdb.DuckDBPyConnection, relation: str) -> float:
    return float(engine.execute(f"SELECT max(kwh) FROM {relation}").fetchall()[0][0])
