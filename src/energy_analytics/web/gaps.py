"""Where readings of an appliance are missing between two others."""

from datetime import date
from typing import Any

import numpy as np

from .grids import Floats, Grids, Integers
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
        for row, name in enumerate(days.appliances)
        if steps.get(name)
        for span in _stretches(days.numbers, days.coverage[row], start, end)
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


def _stretches(numbers: Integers, coverage: Floats, start: date, end: date) -> list[tuple[date, date]]:
    """Return the spans of days, end exclusive, that hold a gap and a day with readings on either side of it.

    `numbers` are the ordinals of the days.
    """
    known = np.isfinite(coverage)
    own, holed = numbers[known], coverage[known] < 1
    follows_hole = np.diff(own, prepend=own[:1]) > 1
    spans: list[tuple[int, int]] = []
    for place in np.flatnonzero(holed | follows_hole).tolist():
        before = int(own[max(0, place - 1)])
        after = int(own[min(len(own) - 1, place + 1)])
        if after < start.toordinal() or before >= end.toordinal():
            continue
        span = before, (after if holed[place] else int(own[place])) + 1
        if spans and span[0] <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], span[1])
        else:
            spans.append(span)
    return [(date.fromordinal(first), date.fromordinal(last)) for first, last in spans]
