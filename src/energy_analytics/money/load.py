"""The site's energy on the clock that prices go by: per local day and part of the day, in exact decimals.

A reading counts in the part of the day it starts in. A reading longer than that part, such as a day's total under
a price that changes by the hour, is spread evenly over the time to the next reading (no longer than half as much
again as its usual step), because nothing tells when in it the energy was used. A bill of all readings is of all days
that they reach into, so that all that was read is billed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import duckdb

from energy_analytics.calendar import Clock
from energy_analytics.hours import NANO, Hours, create_hours, in_nano_kwh

_LONGEST_STRETCH: Final = 1.5
_HOUR_MINUTES: Final = 60


@dataclass(frozen=True, slots=True)
class Load:
    """Readings of a site, ready to be priced. `steps` are minutes between an appliance's readings, where known."""

    name: str
    """What the names of its tables in the engine begin with."""
    readings: str
    """SQL for the relation with the columns of `schema.READINGS`."""
    hours: str
    """SQL for the relation of the same readings by the hour, with the columns of `hours.Hours`."""
    steps: Mapping[str, float]
    wall: Clock
    exports: frozenset[str]
    """Registers that count what the site feeds in; all others count what it takes."""
    unread_exports: tuple[str, ...]
    """Those of them that have no reading: a name that is not spelled as in the readings."""
    first: date
    last: date
    """First local day with a reading, and the last; or the last that readings longer than an hour reach into."""
    nano_kwh: str
    """SQL for `kwh` of a reading in whole nano-kWh."""
    made: set[str] = field(default_factory=set)
    """Names of those of its tables that are made once, when they are asked for."""

    def spread(self, slot_minutes: int) -> tuple[str, ...]:
        """Return the appliances whose readings are longer than a part of the day, in order."""
        return tuple(sorted(name for name, step in self.steps.items() if step > slot_minutes))


def measure(
    engine: duckdb.DuckDBPyConnection,
    readings: str,
    *,
    steps: Mapping[str, float],
    wall: Clock,
    exports: Collection[str] = (),
    hours: Hours | None = None,
) -> Load:
    """Return the load of a site from its readings, and their hours where they are there already.

    Raises ValueError when there are none.
    """
    name = "money_{}".format(
        engine.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'money_%_registers'").fetchall()[0][
            0
        ]
    )
    by_hour = (hours or create_hours(engine, readings, name=f"{name}_hours")).relation
    first, last, largest_kwh = engine.execute(
        f"SELECT min(hour)::DATE, max(hour)::DATE, max(largest_kwh) FROM {by_hour}"
    ).fetchall()[0]
    if first is None:
        raise ValueError("there are no readings to put a price on")
    engine.execute(
        f"""CREATE TEMP TABLE {name}_registers AS
        SELECT appliance, coalesce(step, 0) AS step, list_contains(?::VARCHAR[], appliance) AS exported
        FROM (SELECT DISTINCT appliance FROM {by_hour})
        LEFT JOIN (SELECT unnest(?::VARCHAR[]) AS appliance, unnest(?::DOUBLE[]) AS step) USING (appliance)""",
        [sorted(exports), list(steps), list(steps.values())],
    )
    read = {one for (one,) in engine.execute(f"SELECT appliance FROM {name}_registers").fetchall()}
    return Load(
        name,
        readings,
        by_hour,
        steps={appliance: step for appliance, step in steps.items() if appliance in read},
        wall=wall,
        exports=frozenset(read.intersection(exports)),
        unread_exports=tuple(sorted(set(exports) - read)),
        first=first,
        last=max(last, _last_reached(engine, name, by_hour, steps)),
        nano_kwh=in_nano_kwh(largest_kwh),
    )


def _last_reached(engine: duckdb.DuckDBPyConnection, name: str, by_hour: str, steps: Mapping[str, float]) -> date:
    """Return the last local day that a reading longer than an hour reaches into, as that of a month does."""
    if max(steps.values(), default=0.0) <= _HOUR_MINUTES:
        return date.min
    reached = engine.execute(f"""
        SELECT CAST(max(last_local + to_minutes(CAST(step AS BIGINT))) - INTERVAL 1 SECOND AS DATE)
        FROM {by_hour} JOIN {name}_registers USING (appliance) WHERE step > {_HOUR_MINUTES}""").fetchall()[0][0]
    return reached or date.min


def within(load: Load, start: date, end: date) -> Load:
    """Return a load of which no more is read than the days from `start` to `end` (exclusive) need.

    What is added up of these days stays the same: a long reading that reaches into them is read too, and the one
    that tells how far the last of them reaches.
    """
    longest = timedelta(minutes=_LONGEST_STRETCH * max(load.steps.values(), default=0.0))
    margin = timedelta(days=2 + longest.days)
    since, until = max(start, load.first) - margin, min(end, load.last) + margin
    return replace(
        load,
        readings=f"(SELECT * FROM {load.readings} WHERE timestamp >= '{since}' AND timestamp < '{until}')",
        hours=f"(SELECT * FROM {load.hours} WHERE hour >= '{since}' AND hour < '{until}')",
    )


def forget(engine: duckdb.DuckDBPyConnection, load: Load) -> None:
    """Drop the tables and views of a load that is not needed any more."""
    for kind, name in engine.execute(
        """SELECT 'VIEW', view_name FROM duckdb_views() WHERE starts_with(view_name, $1)
        UNION ALL SELECT 'TABLE', table_name FROM duckdb_tables() WHERE starts_with(table_name, $1)""",
        [f"{load.name}_"],
    ).fetchall():
        engine.execute(f"DROP {kind} {name}")


def slots(load: Load, slot_minutes: int) -> str:
    """Write SQL for the load in parts of a day.

    Columns: appliance, day (local), minute (of the local day, a multiple of `slot_minutes`), offset_minutes,
    exported, nano_kwh, and read_on: the local day on which the reading starts that the energy is of.
    """
    minute = f"(60 * hour(local) + minute(local)) // {slot_minutes} * {slot_minutes}"
    start, nano_kwh, source = "timestamp", load.nano_kwh, load.readings
    if slot_minutes % 60 == 0:  # Short readings of an hour are in the same part of the day.
        start, nano_kwh, source = "hour", "nano_kwh", load.hours
    short = f"""
        SELECT appliance, {start} AS local, coalesce(utc_offset_minutes, 0) AS offset_minutes, exported,
            {nano_kwh} AS nano_kwh, CAST({start} AS DATE) AS read_on
        FROM {source} JOIN {load.name}_registers USING (appliance) WHERE step <= {slot_minutes}"""
    parts = f"{short} UNION ALL {_spread(load, slot_minutes)}" if load.spread(slot_minutes) else short
    return f"""(SELECT appliance, CAST(local AS DATE) AS day, {minute} AS minute, offset_minutes, exported, nano_kwh,
            read_on FROM ({parts}))"""


def site_slots(engine: duckdb.DuckDBPyConnection, load: Load, slot_minutes: int) -> str:
    """Create the table of the whole site's load (day, minute, offset_minutes, taken, fed_in), once; return its name.

    `taken` and `fed_in` are nano-kWh; NULL where no register of that direction has a reading.
    """
    table = f"{load.name}_site_{slot_minutes}"
    if table not in load.made:
        engine.execute(f"""
            CREATE TEMP TABLE {table} AS
            SELECT day, minute, offset_minutes, sum(nano_kwh) FILTER (NOT exported) AS taken,
                sum(nano_kwh) FILTER (exported) AS fed_in
            FROM {slots(load, slot_minutes)} GROUP BY day, minute, offset_minutes""")
        load.made.add(table)
    return table


def demand_minutes(load: Load, interval_minutes: int) -> int:
    """Return the interval over which the demand can be told: the one asked for, or the shortest step if longer."""
    steps = [step for name, step in load.steps.items() if name not in load.exports]
    return max(interval_minutes, round(min(steps, default=60.0)))


def days_between(first: date, end: date) -> list[date]:
    """List the days from `first` to `end`, exclusive."""
    return [first + timedelta(days=number) for number in range((end - first).days)]


def kwh(nano_kwh: int) -> Decimal:
    """Return nano-kWh as kWh, exactly, without needless zeros."""
    value = Decimal(nano_kwh).scaleb(-9).normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


def _spread(load: Load, slot_minutes: int) -> str:
    """Write SQL for readings longer than a part of the day, spread over the parts they cover; nothing is lost.

    None goes beyond the last day, as an hour from 23:30 would under prices that change at half past.
    """
    natural_end = f"""CASE WHEN step % 1440 = 0
        THEN timestamp + to_minutes(CAST(step AS BIGINT))
            - to_minutes({load.wall.offset_of_wall("(timestamp + to_minutes(CAST(step AS BIGINT)))")})
        ELSE start + to_minutes(CAST(step AS BIGINT)) END"""
    midnight = f"TIMESTAMP '{load.last + timedelta(days=1)}'"
    last_end = f"({midnight} - to_minutes({load.wall.offset_of_wall(midnight)}))"
    return f"""
        SELECT appliance, instant + to_minutes(offset_minutes) AS local, offset_minutes, exported,
            (part + 1) * nano_kwh // parts - part * nano_kwh // parts AS nano_kwh, read_on
        FROM (
            SELECT *, {load.wall.offset_of_instant("instant")} AS offset_minutes
            FROM (
                SELECT *, unnest(range(parts)) AS part, start + to_minutes(part * {slot_minutes}) AS instant
                FROM (
                    SELECT appliance, exported, start, CAST(timestamp AS DATE) AS read_on,
                        CAST(round(kwh * {NANO}) AS HUGEINT) AS nano_kwh,
                        greatest(1, CAST(round(date_diff('second', start, least({last_end},
                            CASE WHEN following <= start + to_seconds(60 * step * {_LONGEST_STRETCH}) THEN following
                            ELSE natural_end END)) / {60.0 * slot_minutes}) AS BIGINT)) AS parts
                    FROM (
                        SELECT *, {natural_end} AS natural_end,
                            lead(start) OVER (PARTITION BY appliance ORDER BY start) AS following
                        FROM (
                            SELECT *, timestamp - to_minutes(coalesce(utc_offset_minutes, 0)) AS start
                            FROM {load.readings} JOIN {load.name}_registers USING (appliance)
                            WHERE step > {slot_minutes})))))"""
