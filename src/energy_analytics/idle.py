"""What appliances take while they do nothing: standby, told apart from what cycles and from what never rests."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Final

import duckdb

from .results import IdleLevel

RECENT_DAYS: Final = 28
"""Four whole weeks up to the last reading: how it is now, whatever was plugged in before."""
MIN_HOURS: Final = 336
"""Two weeks of hours, below which an appliance that was on by chance would pass for one that is never off."""
LEVEL_SHARE: Final = 0.25
"""The level is that of the 25th lowest of a hundred hours: within the idle ones, which are most of them."""
NEAR: Final = 0.1
"""Part of the level by which an idle hour may differ from it; the hours of a compressor or of a whole circuit scatter
more."""
MIN_IDLE_SHARE: Final = 0.6
"""Share of idle hours below which there is no level at which the appliance rests: one used all of a working day, and
in the evening, still idles more."""
ACTIVE_FACTOR: Final = 3.0
"""An hour is one of use from this multiple of the level on; a fridge hardly ever gets there."""
MIN_ACTIVE_SHARE: Final = 0.005
"""Share of hours of use below which nothing tells resting from running: a router, an aquarium."""
MAX_OFF_SHARE: Final = 0.05
"""Share of hours below three quarters of the level, or of shorter readings below a quarter of it, above which the
appliance is off at times: somebody unplugs it already, or it cycles."""
MIN_LEVEL_KW: Final = 0.002
"""Below two watts there is nothing to win, and meters of homes tell no less."""
_LOOKED_AT: Final = 50
_MINUTES_PER_HOUR: Final = 60


def idle_levels(
    engine: duckdb.DuckDBPyConnection,
    readings: str,
    hourly: str,
    *,
    appliances: Sequence[str],
    steps: Mapping[str, float],
    last: datetime,
) -> tuple[IdleLevel, ...]:
    """Find the level at which each of the first 50 appliances rests, if it has one and is never off.

    Only hours with all their readings count.
    """
    fine = {name: steps[name] for name in appliances[:_LOOKED_AT] if steps.get(name, 1e9) <= _MINUTES_PER_HOUR}
    if not fine:
        return ()
    since = datetime.combine(last.date() - timedelta(days=RECENT_DAYS - 1), time())
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE resting AS SELECT unnest(?::VARCHAR[]) AS appliance, unnest(?::DOUBLE[]) AS step",
        [list(fine), list(fine.values())],
    )
    rows = engine.execute(
        f"""
        WITH placed AS (
            SELECT appliance, kwh, row_number() OVER (PARTITION BY appliance ORDER BY kwh) AS place,
                count(*) OVER (PARTITION BY appliance) AS hours
            FROM {hourly} JOIN resting USING (appliance)
            WHERE hour >= ? AND readings >= round({_MINUTES_PER_HOUR} / step)
        ), levels AS (
            SELECT appliance, hours, kwh AS level FROM placed
            WHERE place = ceil({LEVEL_SHARE:e} * hours) AND hours >= {MIN_HOURS} AND kwh >= {MIN_LEVEL_KW}
        )
        SELECT appliance, any_value(level), any_value(levels.hours),
            count(*) FILTER (kwh BETWEEN {1 - NEAR} * level AND {1 + NEAR} * level) / count(*) AS idle,
            count(*) FILTER (kwh >= {ACTIVE_FACTOR} * level) / count(*) AS active,
            count(*) FILTER (kwh < 0.75 * level) / count(*) AS off
        FROM placed JOIN levels USING (appliance) GROUP BY appliance
        HAVING idle >= {MIN_IDLE_SHARE} AND active >= {MIN_ACTIVE_SHARE} AND off <= {MAX_OFF_SHARE}
        ORDER BY any_value(level) DESC, appliance""",
        [since],
    ).fetchall()
    cycling = _cycling(engine, readings, {row[0]: row[1] for row in rows if fine[row[0]] < _MINUTES_PER_HOUR}, since)
    engine.execute("DROP TABLE resting")
    return tuple(
        IdleLevel(name, level, hours, idle, active, since.date(), last.date())
        for name, level, hours, idle, active, _ in rows
        if name not in cycling
    )


def _cycling(
    engine: duckdb.DuckDBPyConnection, readings: str, levels: Mapping[str, float], since: datetime
) -> frozenset[str]:
    """Return the appliances that are off for part of their hours, as readings shorter than an hour show."""
    if not levels:
        return frozenset()
    rows = engine.execute(
        f"""
        SELECT appliance FROM {readings} JOIN resting USING (appliance)
            JOIN (SELECT unnest(?::VARCHAR[]) AS appliance, unnest(?::DOUBLE[]) AS level) USING (appliance)
        WHERE timestamp >= ? GROUP BY appliance
        HAVING count(*) FILTER (kwh * {_MINUTES_PER_HOUR} / step < level / 4) > {MAX_OFF_SHARE} * count(*)""",
        [list(levels), list(levels.values()), since],
    ).fetchall()
    return frozenset(name for (name,) in rows)
