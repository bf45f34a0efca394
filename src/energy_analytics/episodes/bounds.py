"""The exact bounds of an episode: from windows to steps, from steps to readings."""

from dataclasses import replace
from typing import Final

import numpy as np

from .candidates import Candidate
from .evidence import Evidence
from .grid import Meter
from .windows import Bools, runs

TRIMMED_KINDS: Final = ("unusually high", "unusually low", "stuck on")

BURST_SHARE: Final = 0.8
"""A high stretch with this share of its energy in less than a day is a spike."""

MORE_DAYS: Final = 3
"""Days on both sides that are looked at for more of the same hours."""


def trimmed(found: Candidate, e: Evidence) -> Candidate:
    """Cut or widen a stretch of windows to the steps that are really unusual."""
    if found.hours is not None:
        return _to_the_hours(found, found.hours, e)
    if found.kind not in TRIMMED_KINDS or found.length < e.per_day:
        return found
    return _to_the_level(found, e)


def _to_the_hours(found: Candidate, hours: tuple[int, int], e: Evidence) -> Candidate:
    """Widen the hours of the day, then the days, to where use is at least half as unusual."""
    day_zero = found.start // e.per_day - MORE_DAYS
    days = -(-found.end // e.per_day) + MORE_DAYS - day_zero
    place = (day_zero * e.per_day + hours[0] + np.arange(days * e.per_day)).reshape(days, e.per_day)
    known = (place >= 0) & (place < len(e.kwh))
    far = np.where(known, np.clip(np.nan_to_num(e.distances[np.where(known, place, 0)]), -6, 6), 0.0)
    by_hour = np.median(far[MORE_DAYS : days - MORE_DAYS], axis=0)
    limit = by_hour[: hours[1]].mean() / 2
    after = hours[1]
    while after < e.per_day // 2 and by_hour[after] >= limit:
        after += 1
    before = 0
    while before < e.per_day // 2 - 1 and by_hour[-before - 1] >= limit:
        before += 1
    on = far[:, : hours[1]].mean(axis=1) >= limit
    middle = (found.start + found.end) // 2 // e.per_day - day_zero
    stretch = next(((a, b) for a, b in runs(on) if a <= middle < b), (MORE_DAYS, days - MORE_DAYS))
    start = int(place[stretch[0], 0]) - before
    end = int(place[stretch[1] - 1, 0]) + after
    width = before + after
    return replace(
        found,
        start=max(start, 0),
        end=min(end, len(e.kwh)),
        hours=((hours[0] - before) % e.per_day, width),
    )


def _to_the_level(found: Candidate, e: Evidence) -> Candidate:
    reach = e.per_day // 2
    first, last = max(found.start - reach, 0), min(found.end + reach, len(e.kwh))
    support = np.nan_to_num(found.direction * e.ranks[first:last])
    inside = support[found.start - first : found.end - first]
    total = np.concatenate(([0.0], np.cumsum(support - 0.5 * max(float(inside.mean()), 0.0))))
    gain = total - np.minimum.accumulate(total)
    end = int(np.argmax(gain))
    start = int(np.argmin(total[: end + 1]))
    if end - start < min(e.per_day, found.length // 2):
        used = np.nan_to_num(e.kwh)
        burst = used[first + start : first + end].sum() >= BURST_SHARE * used[found.start : found.end].sum()
        if found.direction > 0 and burst:
            return replace(found, start=first + start, end=first + end, kind="spike")
        return found
    return replace(found, start=first + start, end=first + end)


def to_the_reading(found: Candidate, start: int, end: int, meter: Meter) -> tuple[int, int]:
    """Narrow or widen the bounds from steps of the grid to the readings that are meant."""
    rows = meter.rows_between(start, end)
    if rows.stop <= rows.start:
        return start, end
    kwh = meter.kwh[rows]
    if found.kind == "spike":
        high = np.flatnonzero(kwh >= kwh.max() / 2)
        first, last = rows.start + int(high[0]), rows.start + int(high[-1])
    elif found.kind in ("dead", "frozen reading"):
        value = float(np.median(kwh))
        alike = np.abs(meter.kwh - value) <= max(1e-6 * abs(value), 1e-9)
        middle = (rows.start + rows.stop) // 2
        first, last = _unbroken(alike, middle, rows)
    else:
        return max(start, int(meter.starts[rows.start])), end
    return int(meter.starts[first]), int(meter.starts[last]) + meter.step_seconds


def _unbroken(alike: Bools, middle: int, rows: slice) -> tuple[int, int]:
    """Return the first and last row of the stretch of like readings around `middle`."""
    if not alike[middle]:
        return rows.start, rows.stop - 1
    unlike = np.flatnonzero(~alike)
    place = int(np.searchsorted(unlike, middle))
    first = int(unlike[place - 1]) + 1 if place else 0
    last = int(unlike[place]) - 1 if place < len(unlike) else len(alike) - 1
    return first, last
