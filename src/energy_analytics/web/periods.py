"""A period of a site: its totals, its peak, its hours of the week, and how it compares with earlier ones."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .grids import Days, Floats, Grids
from .sites import Site
from .times import Range, dates, period_before, year_before


@dataclass(frozen=True, slots=True)
class Cut:
    """The days of a period that have readings."""

    days: Days
    first: int
    last: int

    @classmethod
    def of(cls, days: Days, start: date, end: date) -> "Cut":
        """Cut the days from `start` to `end`, exclusive."""
        return cls(days, *days.places(start, end))

    @property
    def own(self) -> tuple[date, ...]:
        """Its days."""
        return self.days.days[self.first : self.last]

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which of them are complete."""
        return self.days.complete[self.first : self.last]

    def part(self, matrix: Floats) -> Floats:
        """Return its part of one of the days' matrices."""
        return matrix[:, self.first : self.last]

    def totals(self) -> dict[str, Any]:
        """Add everything up."""
        return {
            "kwh": float(np.nansum(self.part(self.days.kwh))),
            "cost": added(self.part(self.days.cost)),
            "carbon_kg": added(self.part(self.days.carbon_kg)),
        }

    def by_day(self) -> Floats:
        """Return the site's energy of each day."""
        daily: Floats = np.nansum(self.part(self.days.kwh), axis=0)
        return daily


def added(values: Floats) -> float | None:
    """Add amounts up; None where none is known."""
    return float(np.nansum(values)) if np.isfinite(values).any() else None


def overview(site: Site, grids: Grids, span: Range) -> dict[str, Any]:
    """Return a period's part of the overview."""
    days = grids.days(site)
    start, end = span.days(days.days[0], days.days[-1])
    cut = Cut.of(days, start, end)
    totals = cut.totals()
    earlier = year_before(start), year_before(end)
    return {
        "site": site.name,
        "period": {"from": start, "to": end, "days": len(cut.own), "complete_days": int(cut.complete.sum())},
        "total": totals,
        "appliances": _appliances(cut, totals["kwh"]),
        "before": _compared(cut, days, *period_before(start, end)),
        "year_ago": _compared(cut, days, *earlier) if earlier[1] <= start else None,
        **_hours(site, grids, start, end),
    }


def _appliances(cut: Cut, total_kwh: float) -> list[dict[str, Any]]:
    kwh, cost, carbon = (cut.part(one) for one in (cut.days.kwh, cut.days.cost, cut.days.carbon_kg))
    rows = [
        {
            "appliance": name,
            "kwh": float(np.nansum(kwh[row])),
            "share_percent": 100 * float(np.nansum(kwh[row])) / total_kwh if total_kwh > 0 else None,
            "cost": added(cost[row]),
            "carbon_kg": added(carbon[row]),
        }
        for row, name in enumerate(cut.days.appliances)
        if np.isfinite(kwh[row]).any()
    ]
    return sorted(rows, key=lambda one: (-one["kwh"], one["appliance"]))


def _compared(cut: Cut, days: Days, start: date, end: date) -> dict[str, Any] | None:
    """Compare with an earlier period, as many complete days of either from its beginning; None without such days."""
    other = Cut.of(days, start, end)
    own, its = cut.by_day()[cut.complete], other.by_day()[other.complete]
    number = min(len(own), len(its))
    if not number:
        return None
    now, then = float(own[:number].mean()), float(its[:number].mean())
    return {
        "from": start,
        "to": end,
        **other.totals(),
        "change_percent": 100 * (now / then - 1) if then > 0 else None,
        "compared_days": number,
    }


def _hours(site: Site, grids: Grids, start: date, end: date) -> dict[str, Any]:
    """Return the highest hour and the mean hours of the week."""
    hours, zone = grids.hours(site), site.zone
    first, last = hours.places(zone.start_of(start), zone.start_of(end))
    kwh, walls = hours.site_kwh[first:last], hours.walls[first:last]
    known = np.isfinite(kwh)
    week = mean_by(kwh[known], (walls[known] // 86_400 + 3) % 7 * 24 + walls[known] // 3600 % 24, 168)
    peak = None
    if known.any():
        place = int(np.nanargmax(kwh))
        peak = {"start": hours.told[first + place], "kwh": float(kwh[place])}
    return {"peak": peak, "heatmap": {"kwh": [week[day * 24 : day * 24 + 24] for day in range(7)]}}


def mean_by(values: Floats, places: NDArray[np.int64], size: int) -> list[float | None]:
    """Return the mean of the values that share a place; None where there is none."""
    counts = np.bincount(places, minlength=size)
    sums = np.bincount(places, weights=values, minlength=size)
    return [float(total) / int(count) if count else None for total, count in zip(sums, counts, strict=True)]


def covered(days: Days, start: date, end: date) -> list[dict[str, Any]]:
    """Tell how much was read of each day from `start` to `end`, exclusive, as far as the site's readings reach.

    Of a day, each appliance counts that is read before it or on it, and on it or after.
    """
    first, last = max(start, days.days[0]), min(end, date.fromordinal(days.days[-1].toordinal() + 1))
    known = np.isfinite(days.kwh)
    spans = [(int(places[0]), int(places[-1])) for places in map(np.flatnonzero, known)]
    expected = np.zeros(len(days.days))
    for begin, finish in spans:
        expected[begin : finish + 1] += 1
    shares = np.nansum(days.coverage, axis=0) / np.maximum(expected, 1)
    of_day = dict(zip(days.days, zip(shares.tolist(), days.complete.tolist(), strict=True), strict=True))
    return [
        {"day": day, "coverage": min(1.0, of_day[day][0]) if day in of_day else 0.0,
         "complete": day in of_day and of_day[day][1]}
        for day in dates(first, last)
    ]  # fmt: skip
