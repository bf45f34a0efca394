"""What the readings themselves say against being the energy of each interval: a counter, a total beside its parts."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

import duckdb

from .. import words
from ..history import SiteHistory
from ..results import DayTotal
from ..settings import Settings

_RECENT_DAYS: Final = 92
"""At the end of the history, in which counters are looked for: what was brought last is what can be brought again."""
_FEWEST_RISES: Final = 24
_RISES_PER_FALL: Final = 50
"""Use goes down about as often as up; a counter falls where it was changed, and never otherwise."""
_FEWEST_DAYS: Final = 3
_RISES_PER_DAY: Final = 4
"""Of a counter that begins at zero each day."""
_WHOLE_DAYS: Final = 0.95
"""Share of days on which it does not fall between two hours."""
_SHOWN: Final = 3

_SAME: Final = 0.005
"""Relative difference up to which an appliance takes what all others take together."""
_FEWEST_PARTS: Final = 2
_CALLED_TOTAL: Final = frozenset(
    {"total", "sum", "gesamt", "summe", "totaal", "totale", "mains", "aggregate", "whole house", "whole home", "site"}
)


def doubts(engine: duckdb.DuckDBPyConnection, hourly: str, days: Sequence[DayTotal]) -> Iterator[str]:
    """Yield a sentence or two on each thing that the reader should look into before believing the figures."""
    counters = _counters(engine, hourly, since=days[-1].day - timedelta(days=_RECENT_DAYS))
    if counters:
        yield (
            f"The readings of {_some(counters)} rise and hardly ever fall, as a counter's do. kwh is the energy of "
            "each interval: if these are a counter's, upload the differences from one reading to the next instead."
        )
    total = _total_of_the_others(days)
    if total:
        yield (
            f"{words.name(total)} looks like the total of the other appliances. If it is, all energy is counted "
            "twice: remove its rows and upload the file again."
        )


def of_uploads(history: SiteHistory, settings: Settings) -> Iterator[str]:
    """Yield the same of uploads that do not fit together, or not the clock."""
    overlaid = history.merged.overlaid
    if overlaid:
        yield (
            f"{_some(overlaid)} came again at longer intervals than before for the same time. An interval replaces "
            "only the one that begins with it, so the others are counted twice: remove one of the two uploads with "
            "energy forget."
        )
    if history.has_offsets and settings.timezone is None:
        yield (
            "Timestamps carry offsets from UTC and no timezone is set, so days and hours are those of UTC; "
            'set timezone = "Europe/Paris" (or yours) in energy.toml, or ENERGY_TIMEZONE, to see local ones.'
        )
        if history.lacks_offsets:
            yield (
                "Some uploads have timestamps with offsets and others without. Without a timezone those without are "
                "taken as UTC too; set the timezone if they are of another clock."
            )


def _some(names: Sequence[str]) -> str:
    return words.listing([words.name(name) for name in names], most=_SHOWN)


def _counters(engine: duckdb.DuckDBPyConnection, hourly: str, *, since: date) -> list[str]:
    """Return the appliances whose readings look like those of a counter, also of one that begins anew each day."""
    recent = f"(SELECT * FROM {hourly} WHERE hour >= DATE '{since}')"
    rising = engine.execute(f"""
        SELECT appliance FROM (
            SELECT appliance, arg_min(kwh / readings, hour) = min(kwh / readings)
                AND arg_max(kwh / readings, hour) = max(kwh / readings) AS rises
            FROM {recent} GROUP BY appliance, CAST(hour AS DATE))
        GROUP BY appliance HAVING avg(CAST(rises AS INTEGER)) >= {_WHOLE_DAYS}""").fetchall()
    if not rising:
        return []
    found = engine.execute(
        f"""
        WITH steps AS (
            SELECT appliance, CAST(hour AS DATE) AS day, kwh / readings - lag(kwh / readings) OVER appliance AS step,
                CAST(lag(hour) OVER appliance AS DATE) = day AS within
            FROM {recent} WHERE list_contains(?, appliance)
            WINDOW appliance AS (PARTITION BY appliance ORDER BY hour, utc_offset_minutes DESC))
        SELECT appliance FROM (
            SELECT appliance, count(DISTINCT day) AS days, count(*) FILTER (step > 0) AS rises,
                count(*) FILTER (step < 0) AS falls, count(*) FILTER (step > 0 AND within) AS rises_within,
                count(DISTINCT day) FILTER (step < 0 AND within) AS days_falling
            FROM steps GROUP BY appliance)
        WHERE rises >= {_FEWEST_RISES} AND (
            falls * {_RISES_PER_FALL} <= rises
            OR days >= {_FEWEST_DAYS} AND rises_within >= {_RISES_PER_DAY} * days
                AND days_falling <= {1 - _WHOLE_DAYS} * days)
        ORDER BY appliance""",
        [[name for (name,) in rising]],
    ).fetchall()
    return [name for (name,) in found]


def _total_of_the_others(days: Sequence[DayTotal]) -> str | None:
    """Return the appliance that takes on each day what all others take, or at least as much and is called a total."""
    complete = [day for day in days if day.complete and len(day.by_appliance_kwh) > _FEWEST_PARTS and day.kwh > 0]
    if len(complete) < _FEWEST_DAYS:
        return None
    largest = max(complete[0].by_appliance_kwh, key=lambda name: complete[0].by_appliance_kwh[name])
    shares = [day.by_appliance_kwh.get(largest, 0.0) / day.kwh for day in complete]
    if all(abs(2 * share - 1) <= _SAME for share in shares):
        return largest
    if largest.strip().casefold() in _CALLED_TOTAL and min(shares) >= (1 - _SAME) / 2:
        return largest
    return None
