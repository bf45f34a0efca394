"""Energy per appliance and hour: the one pass over all readings that most else rests on.

Of a site that is read every few minutes it leaves a small table, from which days, totals and money follow exactly.
Where hours hold hardly more than a reading each, adding up would cost more than it saves, and the same columns are
a view of the readings.
"""

from dataclasses import dataclass
from typing import Final

import duckdb

from .engine import binary_scale, exact_sum

NANO: Final = 10**9
"""Money adds energy up in whole nano-kWh: the decimals a meter writes, not their binary neighbours."""
_LARGEST_BIGINT: Final = 9.2e18
_WIDE_KWH: Final = 1000.0
"""Beside a reading above this the squares of a small appliance's are lost in 62 bits: all squares then take 126, sum
included, which is slower."""
_HUGEINT_BITS: Final = 126
_SAMPLED_READINGS: Final = 50_000
_FEWEST_AN_HOUR: Final = 2.5
"""Readings in an hour, on average of the sample, from which adding up pays. Measured: at two it costs as much."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Readings by appliance, local hour and offset, with exact sums in units of 1 / scale.

    Columns: hour, appliance, utc_offset_minutes, readings, units (kWh), squares (kWh squared), nano_kwh,
    largest_kwh, first_local, last_local; of a table also minutes, a bit for each minute that has a reading.
    """

    relation: str
    scale: float
    square_scale: float
    added_up: bool
    """Whether it is a table in which an hour of an appliance is one row, in order of time."""


def create_hours(engine: duckdb.DuckDBPyConnection, readings: str, *, name: str = "hours") -> Hours:
    """Create the hours of `readings`, which has the columns of `schema.READINGS`, under that name.

    Readings are finite and not negative.
    """
    found, count = engine.execute(f"SELECT coalesce(max(kwh), 0), count(*) FROM {readings}").fetchall()[0]
    largest, scale = float(found), binary_scale(float(found))
    square, square_scale = "BIGINT", binary_scale(largest, power=2)
    if largest > _WIDE_KWH:
        square = "HUGEINT"
        square_scale = binary_scale(largest, power=2, bits=_HUGEINT_BITS - int(count).bit_length())
    nano_kwh = in_nano_kwh(largest)
    engine.execute(f"DROP VIEW IF EXISTS {name}_seen; DROP TABLE IF EXISTS {name}")
    added_up = _many_an_hour(engine, readings)
    if added_up:
        engine.execute(f"""
            CREATE TEMP TABLE {name} AS
            SELECT date_trunc('hour', timestamp) AS hour, appliance, utc_offset_minutes, count(*) AS readings,
                {exact_sum("kwh", scale)} AS units, {exact_sum("kwh * kwh", square_scale, whole=square)} AS squares,
                sum({nano_kwh}) AS nano_kwh, max(kwh) AS largest_kwh,
                min(timestamp) AS first_local, max(timestamp) AS last_local,
                bit_or(CAST(1 AS UBIGINT) << minute(timestamp)) AS minutes
            FROM {readings} GROUP BY ALL
            ORDER BY hour, appliance, utc_offset_minutes DESC""")
        return Hours(name, scale, square_scale, added_up)
    engine.execute(f"""
        CREATE TEMP VIEW {name}_seen AS
        SELECT date_trunc('hour', timestamp) AS hour, appliance, utc_offset_minutes, CAST(1 AS BIGINT) AS readings,
            CAST(kwh * {scale!r} AS BIGINT) AS units, CAST(kwh * kwh * {square_scale!r} AS {square}) AS squares,
            {nano_kwh} AS nano_kwh, kwh AS largest_kwh, timestamp AS first_local, timestamp AS last_local
        FROM {readings}""")
    return Hours(f"{name}_seen", scale, square_scale, added_up)


def in_nano_kwh(largest_kwh: float) -> str:
    """Write SQL for `kwh` in whole nano-kWh, of a type that holds the largest; the smaller adds up twice as fast."""
    return f"CAST(round(kwh * {NANO}) AS {'BIGINT' if largest_kwh * NANO < _LARGEST_BIGINT else 'HUGEINT'})"


def _many_an_hour(engine: duckdb.DuckDBPyConnection, readings: str) -> bool:
    """Tell whether hours hold several readings each, from the first readings in the file."""
    sampled, hours = engine.execute(f"""
        SELECT coalesce(sum(readings), 0), count(*) FROM (
            SELECT count(*) AS readings FROM (SELECT * FROM {readings} LIMIT {_SAMPLED_READINGS})
            GROUP BY appliance, date_trunc('hour', timestamp))""").fetchall()[0]
    return bool(sampled >= _FEWEST_AN_HOUR * hours)
