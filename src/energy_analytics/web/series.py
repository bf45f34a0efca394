"""Energy over time: one page of it, at the resolution that was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

import numpy as np

from .grids import Days, Floats, Grids, Integers, places_in, told_days
from .problems import ProblemError
from .readings import RawReadings, first_window
from .sites import Site
from .times import Range, offset_text

Resolution = Literal["raw", "hour", "day", "week", "month"]

MOST_VALUES: Final = 1_000_000
"""Of one page, whatever the limit says: an answer of this size is about 10 MB."""


@dataclass(frozen=True, slots=True)
class Page:
    """Energy of appliances, a row each, NaN where there is no reading, and where the next page begins."""

    instants: Integers
    told: Sequence[str]
    appliances: list[str]
    kwh: Floats
    next_cursor: str | None


def appliances_of(site: Site, wanted: Sequence[str]) -> list[str]:
    """Return the appliances that were asked for, or all, the largest first. Raises ProblemError for an unknown one."""
    known = [str(one["appliance"]) for one in site.newest["results"]["appliances"]]
    for name in wanted:
        if name not in known:
            raise ProblemError(404, f"There is no appliance {name!r} in {site.title}.")
    return list(dict.fromkeys(wanted)) or known


def page_of(
    site: Site,
    grids: Grids,
    raw: RawReadings,
    span: Range,
    *,
    appliances: list[str],
    resolution: Resolution,
    limit: int,
    cursor: str | None,
) -> Page:
    """Return the page that begins at the cursor, or else at the start of the range."""
    limit = max(1, min(limit, MOST_VALUES // max(1, len(appliances))))
    start = span.start if cursor is None else max(int(cursor), span.start if span.start is not None else int(cursor))
    if resolution == "raw":
        return _raw(site, raw, span, start, appliances, limit)
    if resolution == "hour":
        hours = grids.hours(site)
        first, end = hours.places(start, span.end)
        last = min(end, first + limit)
        following = str(int(hours.instants[last])) if last < end else None
        return Page(
            hours.instants[first:last], hours.told[first:last], appliances,
            hours.values(appliances, first, last), following,
        )  # fmt: skip
    return _days(site, grids.days(site), Range(start, span.end, span.zone), appliances, resolution, limit)


def _raw(site: Site, raw: RawReadings, span: Range, start: int | None, appliances: list[str], limit: int) -> Page:
    files = raw.files(site)
    empty = Page(np.empty(0, dtype=np.int64), [], appliances, np.empty((len(appliances), 0)), None)
    if not files.files:
        return empty
    first, last = files.span
    begin = first if start is None else max(start, first)
    end = last if span.end is None else min(span.end, last)
    wanted = set(appliances)
    steps = [one["step_minutes"] for one in site.newest["results"]["appliances"] if one["appliance"] in wanted]
    window = first_window(min((step for step in steps if step), default=None), limit)
    while True:
        until = min(end, begin + window)
        if until <= begin:
            return empty
        rows = raw.rows(site, appliances, begin, until)
        instants, where, place = np.unique(rows.instants, return_index=True, return_inverse=True)
        if len(instants) > limit or until >= end:
            break
        window *= 4
    following = str(int(instants[limit])) if len(instants) > limit else None
    instants, where, own = instants[:limit], where[:limit], place < limit
    kwh = np.full((len(appliances), len(instants)), np.nan)
    kwh[rows.codes[own], place[own]] = rows.kwh[own]
    return Page(instants, _told(rows.walls[where], instants), appliances, kwh, following)


def _days(site: Site, days: Days, span: Range, appliances: list[str], resolution: Resolution, limit: int) -> Page:
    zone = site.zone
    starts = days.starts(zone)
    first = 0 if span.start is None else int(np.searchsorted(starts, span.start))
    end = len(starts) if span.end is None else max(first, int(np.searchsorted(starts, span.end)))
    own = days.days[first:end]
    begins = [_begin(day, resolution) for day in own]
    at = [number for number, day in enumerate(begins) if number == 0 or begins[number - 1] != day]
    following = None
    if len(at) > limit:
        following, end = str(int(starts[first + at[limit]])), first + at[limit]
        at = at[:limit]
    rows = places_in(days.appliances, appliances)
    kwh = days.kwh[rows, first:end]
    if resolution != "day" and at:
        known = np.add.reduceat(np.isfinite(kwh), at, axis=1) > 0
        kwh = np.where(known, np.add.reduceat(np.nan_to_num(kwh), at, axis=1), np.nan)
    told = tuple(begins[number] for number in at)
    instants = np.array([zone.start_of(day) for day in told], dtype=np.int64)
    return Page(instants, told_days(told, zone), appliances, kwh, following)


def _begin(day: date, resolution: Resolution) -> date:
    if resolution == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if resolution == "month" else day


def _told(walls: Integers, instants: Integers) -> list[str]:
    texts = np.datetime_as_string(walls.astype("datetime64[us]"), unit="us" if (walls % 1_000_000).any() else "s")
    shifts = ((walls - instants) // 60_000_000).tolist()
    return [text + offset_text(shift) for text, shift in zip(texts.tolist(), shifts, strict=True)]
