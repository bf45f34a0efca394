"""What a tariff is applied to: energy per period and highest demand, month by month and version by version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction

import duckdb

from .hours import covers, face_of
from .load import Load, demand_minutes, site_slots
from .terms import DAY_MINUTES, HOLIDAY, Tariff


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of a calendar month that one version of a tariff bills; days from `first` to `end`, exclusive."""

    version: int
    first: date
    end: date

    @property
    def days(self) -> int:
        """Number of its local days."""
        return (self.end - self.first).days

    @property
    def share_of_month(self) -> Fraction:
        """Its days over those of its month."""
        return Fraction(self.days, (next_month(self.first) - self.first.replace(day=1)).days)


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest mean power over an interval of `minutes`, and the local start of that interval."""

    start: datetime
    nano_kwh: int
    minutes: int

    @property
    def watts(self) -> Fraction:
        """Mean power over the interval, W."""
        return Fraction(self.nano_kwh * 60, 10**6 * self.minutes)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a segment has used. `taken_nano_kwh` has one value per period of the version, or one in all without."""

    segment: Segment
    taken_nano_kwh: tuple[int, ...]
    fed_in_nano_kwh: int
    peaks: tuple[Peak | None, ...]
    """One per demand charge; None without a reading in its hours."""


def segments(tariff: Tariff, first: date, end: date) -> tuple[Segment, ...]:
    """Cut the days from `first` to `end` (exclusive) at month ends and where a version of the tariff ends."""
    found: list[Segment] = []
    while first < end:
        version = tariff.version_on(first)
        stop = min(end, next_month(first))
        last_day_of_version = tariff.versions[version].valid_to
        if last_day_of_version is not None and first < last_day_of_version < stop:
            stop = last_day_of_version
        found.append(Segment(version, first, stop))
        first = stop
    return tuple(found)


def usage(
    engine: duckdb.DuckDBPyConnection,
    load: Load,
    tariff: Tariff,
    *,
    start: date,
    end: date,
    holidays: frozenset[date],
    slot_minutes: int,
) -> tuple[Usage, ...]:
    """Add up the load of the days from `start` to `end`, exclusive, as the tariff needs it."""
    parts = segments(tariff, start, end)
    create_days(engine, tariff, parts, holidays)
    create_faces(engine, tariff, slot_minutes)
    taken = [[0] * max(1, len(tariff.versions[part.version].periods)) for part in parts]
    fed_in = [0] * len(parts)
    period_sql, joins = period_of(slot_minutes)
    for number, period, total, returned in engine.execute(f"""
        SELECT segment, {period_sql} AS period, sum(coalesce(taken, 0)), sum(coalesce(fed_in, 0))
        FROM {site_slots(engine, load, slot_minutes)} {joins} GROUP BY ALL""").fetchall():
        taken[number][period] = int(total)
        fed_in[number] += int(returned)
    peaks = _peaks(engine, load, tariff)
    return tuple(
        Usage(
            part,
            tuple(taken[number]),
            fed_in[number],
            tuple(peaks.get((number, index)) for index in range(len(tariff.versions[part.version].demands))),
        )
        for number, part in enumerate(parts)
    )


def create_days(
    engine: duckdb.DuckDBPyConnection, tariff: Tariff, parts: Sequence[Segment], holidays: frozenset[date]
) -> None:
    """Create the table of what each billed day is: its segment, version, month and kind of day."""
    apart = [tariff.versions[part.version].holidays_apart for part in parts]
    engine.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE money_days AS
        SELECT day, segment, version, CAST(month(day) AS INTEGER) AS month,
            CAST(CASE WHEN apart AND list_contains(?::DATE[], day) THEN {HOLIDAY} ELSE isodow(day) - 1 END AS INTEGER)
                AS kind
        FROM (
            SELECT CAST(unnest(range(first, until, INTERVAL 1 DAY)) AS DATE) AS day, segment, version, apart
            FROM (SELECT unnest(?::TIMESTAMP[]) AS first, unnest(?::TIMESTAMP[]) AS until,
                unnest(range(CAST(? AS INTEGER))) AS segment, unnest(?::INTEGER[]) AS version,
                unnest(?::BOOLEAN[]) AS apart))""",
        [
            sorted(holidays),
            [part.first for part in parts],
            [part.end for part in parts],
            len(parts),
            [part.version for part in parts],
            apart,
        ],
    )


def create_faces(engine: duckdb.DuckDBPyConnection, tariff: Tariff, slot_minutes: int) -> None:
    """Create the table of the periods that hold in the parts of each kind of day; one period where there are none."""
    rows = [
        (number, month, kind, list(minutes[::slot_minutes]) if version.periods else [0] * len(minutes[::slot_minutes]))
        for number, version in enumerate(tariff.versions)
        for (month, kind), minutes in face_of(version).items()
    ]
    columns = {"version": "INTEGER", "month": "INTEGER", "kind": "INTEGER", "periods": "INTEGER[]"}
    create_table(engine, "money_faces", columns, rows)


def period_of(slot_minutes: int) -> tuple[str, str]:
    """Write SQL for the period of a part of a day, and the joins with the tables above that it needs."""
    return f"periods[minute // {slot_minutes} + 1]", (
        "JOIN money_days USING (day) JOIN money_faces USING (version, month, kind)"
    )


def next_month(day: date) -> date:
    """Return the first day of the month after that of `day`."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _peaks(engine: duckdb.DuckDBPyConnection, load: Load, tariff: Tariff) -> dict[tuple[int, int], Peak]:
    """Return the highest interval of each segment (in `money_days`) for each demand charge; of equals the first."""
    found = {}
    for number, version in enumerate(tariff.versions):
        for index, demand in enumerate(version.demands):
            minutes = demand_minutes(load, demand.interval_minutes)
            hours = [
                (month, kind, minute)
                for month in demand.window.months
                for kind in demand.window.days
                for minute in range(0, DAY_MINUTES, minutes)
                if covers(demand.window, month, kind, minute)
            ]
            create_table(engine, "money_hours", dict.fromkeys(("month", "kind", "minute"), "INTEGER"), hours)
            for segment, nano_kwh, day, minute in engine.execute(f"""
                SELECT segment, taken, day, minute
                FROM {site_slots(engine, load, minutes)}
                JOIN money_days USING (day) JOIN money_hours USING (month, kind, minute)
                WHERE version = {number} AND taken IS NOT NULL
                QUALIFY row_number() OVER (
                    PARTITION BY segment ORDER BY taken DESC, day, minute, offset_minutes DESC) = 1""").fetchall():
                start = datetime.combine(day, time()) + timedelta(minutes=minute)
                found[segment, index] = Peak(start, int(nano_kwh), minutes)
    return found


def create_table(
    engine: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], rows: Sequence[tuple[object, ...]]
) -> None:
    """Create a table of rows in the order of its columns."""
    names = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({names})")
    if rows:
        values = ", ".join(f"unnest(?::{kind}[])" for kind in columns.values())
        engine.execute(f"INSERT INTO {table} SELECT {values}", [list(column) for column in zip(*rows, strict=True)])
