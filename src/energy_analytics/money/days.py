"""Local days taken apart: what each appliance that can wait used in each part of the day, and the site beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

import duckdb

from .load import Load, site_slots, slots
from .terms import DAY_MINUTES

_NANO_PER_WH = 10**6


@dataclass(frozen=True, slots=True)
class Day:
    """One local day. The repeated hour of autumn is there twice, the skipped one of spring not at all."""

    day: date
    minutes: tuple[int, ...]
    """Local minute of the day at which each part begins, in order of time."""
    wh: tuple[tuple[int, ...], ...]
    """Of each appliance asked for, in each part, in whole Wh: what rounding leaves of a part goes to the next one."""
    rest_wh: tuple[int, ...]
    """All that the site takes beside them."""
    nano_kwh: tuple[int, ...]
    """Of each appliance asked for, on the whole day, exactly."""


def days_of(
    engine: duckdb.DuckDBPyConnection,
    load: Load,
    appliances: Sequence[str],
    *,
    start: date,
    end: date,
    slot_minutes: int,
) -> tuple[Day, ...]:
    """Return the days from `start` to `end` (exclusive) on which one of the appliances used energy."""
    used: dict[date, dict[tuple[str, int, int], int]] = {}
    within = f"day >= DATE '{start}' AND day < DATE '{end}'"
    for appliance, day, minute, offset, nano in engine.execute(
        f"""SELECT appliance, day, minute, offset_minutes, sum(nano_kwh) FROM {slots(load, slot_minutes)}
        WHERE {within} AND list_contains(?::VARCHAR[], appliance) GROUP BY ALL HAVING sum(nano_kwh) > 0""",
        [list(appliances)],
    ).fetchall():
        used.setdefault(day, {})[appliance, minute, offset] = int(nano)
    site: dict[date, dict[tuple[int, int], int]] = {}
    for day, minute, offset, nano in engine.execute(
        f"SELECT day, minute, offset_minutes, taken FROM {site_slots(engine, load, slot_minutes)} "
        f"WHERE {within} AND taken IS NOT NULL"
    ).fetchall():
        site.setdefault(day, {})[minute, offset] = _wh(int(nano))
    found = []
    for day in sorted(used):
        parts = parts_of(day, load.wall.timezone, slot_minutes)
        nano = tuple(tuple(used[day].get((name, *part), 0) for part in parts) for name in appliances)
        wh = tuple(map(_whole_wh, nano))
        rest = (
            max(0, site.get(day, {}).get(part, 0) - sum(own[number] for own in wh)) for number, part in enumerate(parts)
        )
        found.append(Day(day, tuple(minute for minute, _ in parts), wh, tuple(rest), tuple(map(sum, nano))))
    return tuple(found)


@lru_cache(maxsize=4096)
def parts_of(day: date, timezone: str | None, slot_minutes: int) -> tuple[tuple[int, int], ...]:
    """Return the local minute and the offset from UTC of each part of a local day, in order of time."""
    if timezone is None:
        return tuple((minute, 0) for minute in range(0, DAY_MINUTES, slot_minutes))
    zone = ZoneInfo(timezone)
    moment = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    found = []
    while (local := moment.astimezone(zone)).date() <= day:
        if local.date() == day:
            minute = (60 * local.hour + local.minute) // slot_minutes * slot_minutes
            found.append((minute, round((local.utcoffset() or timedelta()) / timedelta(minutes=1))))
        moment += timedelta(minutes=slot_minutes)
    return tuple(found)


def _whole_wh(nano_kwh: Sequence[int]) -> tuple[int, ...]:
    """Round the parts of a day so that none of it is lost or gained but half a Wh at its end."""
    until = [_wh(total) for total in accumulate(nano_kwh, initial=0)]
    return tuple(after - before for before, after in pairwise(until))


def _wh(nano_kwh: int) -> int:
    return (2 * nano_kwh + _NANO_PER_WH) // (2 * _NANO_PER_WH)
