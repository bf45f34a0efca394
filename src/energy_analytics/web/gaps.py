"""Where readings of an appliance are missing between two others."""

from datetime import date, timedelta
from typing import Any

import numpy as np

from .grids import Grids
from .readings import RawReadings
from .sites import Site


def gaps_of(site: Site, grids: Grids, raw: RawReadings, start: date, end: date) -> list[dict[str, Any]]:
    """Return the gaps that reach into the days from `start` to `end`, exclusive, in order of time.

    Readings are looked at only on days that are not covered, and on the days around them: where a day is covered,
    nothing is missing.
    """
    days, zone = grids.days(site), site.zone
    steps = {one["appliance"]: one["step_minutes"] for one in site.newest["results"]["appliances"]}
    spans = [
        (name, span)
        for name in days.appliances
        if steps.get(name)
        for span in _stretches(days.days, days.coverage[days.appliances.index(name)], start, end)
    ]
    begin, until = zone.start_of(start), zone.start_of(end)
    found = []
    for place, instants in raw.of_days(site, spans):
        name = spans[place][0]
        step = round(steps[name] * 60e6)
        for number in np.flatnonzero(np.diff(instants) > 1.5 * step).tolist():
            before, after = int(instants[number]), int(instants[number + 1])
            if after > begin and before + step < until:
                missing = round((after - before) / step) - 1
                found.append((before + step, after, name, missing))
    return [
        {"appliance": name, "start": zone.at(first), "end": zone.at(after), "missing_intervals": missing}
        for first, after, name, missing in sorted(found)
    ]


def _stretches(
    days: tuple[date, ...], coverage: np.ndarray[Any, np.dtype[np.float64]], start: date, end: date
) -> list[tuple[date, date]]:
    """Return the spans of days, end exclusive, that hold a gap and a day with readings on either side of it."""
    own = [(day, share) for day, share in zip(days, coverage.tolist(), strict=True) if np.isfinite(share)]
    spans: list[tuple[date, date]] = []
    for place, (day, share) in enumerate(own):
        before = own[place - 1][0] if place else day
        after = own[place + 1][0] if place + 1 < len(own) else day
        is_holed = share < 1
        follows_hole = (day - before).days > 1
        if not (is_holed or follows_hole) or after < start or before >= end:
            continue
        span = before, (after if is_holed else day) + timedelta(days=1)
        if spans and span[0] <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], span[1])
        else:
            spans.append(span)
    return spans
