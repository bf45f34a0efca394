"""Energy added up by appliance, hour of the day, weekday and month."""

from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np

from ..schema import COMPLETE_DAY_SHARE
from .grids import Grids, places_in
from .periods import Cut, added, mean_by
from .readings import RawReadings
from .sites import Site
from .times import Range

By = Literal["appliance", "hour", "weekday", "month"]
Rows = list[dict[str, Any]]

_ROUNDING: Final = 1e-9


def by_appliance(site: Site, grids: Grids, raw: RawReadings, span: Range, appliances: list[str]) -> Rows:
    """Return statistics of each appliance's readings, the largest total first. Costs are of whole days."""
    days = grids.days(site)
    cut = Cut.of(days, *span.days(days.days[0], days.days[-1]))
    rows = []
    found = raw.statistics(site, appliances, span.start, span.end)
    everything = sum(one["total_kwh"] for one in found)
    places = places_in(days.appliances, [one["appliance"] for one in found])
    for one, place in zip(found, places, strict=True):
        share = 100 * one["total_kwh"] / everything if everything > 0 else None
        costs = {
            name: added(cut.part(matrix)[place])
            for name, matrix in (("cost", days.cost), ("carbon_kg", days.carbon_kg))
        }
        rows.append({**one, "share_percent": share, **costs})
    return sorted(rows, key=lambda one: (-one["total_kwh"], one["appliance"]))


def by_hour(site: Site, grids: Grids, raw: RawReadings, span: Range, appliances: list[str]) -> Rows:
    """Return the mean energy of the appliances together in each hour of the day."""
    hours = grids.hours(site)
    steps = {one["appliance"]: one["step_minutes"] for one in site.newest["results"]["appliances"]}
    fine = [one for one in appliances if (steps.get(one) or 0) <= 60]
    first, last = hours.places(span.start, span.end)
    total = hours.totals(fine, first, last)
    known = np.isfinite(total)
    means = mean_by(total[known], hours.walls[first:last][known] // 3600 % 24, 24)
    return [{"hour": hour, "mean_kwh": mean} for hour, mean in enumerate(means)]


def by_weekday(site: Site, grids: Grids, raw: RawReadings, span: Range, appliances: list[str]) -> Rows:
    """Return the mean energy of the days of each weekday on which all the appliances were read throughout."""
    days = grids.days(site)
    cut = Cut.of(days, *span.days(days.days[0], days.days[-1]))
    rows = places_in(days.appliances, appliances)
    if len(rows) == len(days.appliances):
        whole = cut.complete
    else:
        covered = np.nan_to_num(cut.part(days.coverage)[rows])
        whole = np.logical_and.reduce(covered >= COMPLETE_DAY_SHARE - _ROUNDING, axis=0)
    kwh = np.nansum(cut.part(days.kwh)[rows], axis=0)
    weekdays = np.array([day.weekday() for day in cut.own], dtype=np.int64)
    means = mean_by(kwh[whole], weekdays[whole], 7)
    return [{"weekday": day + 1, "mean_kwh_per_day": mean} for day, mean in enumerate(means)]


def by_month(site: Site, grids: Grids, raw: RawReadings, span: Range, appliances: list[str]) -> Rows:
    """Return the energy of each calendar month, as far as it was read."""
    days = grids.days(site)
    cut = Cut.of(days, *span.days(days.days[0], days.days[-1]))
    rows = places_in(days.appliances, appliances)
    months = np.array([f"{day:%Y-%m}" for day in cut.own])
    return [
        {
            "month": str(month),
            "kwh": float(np.nansum(cut.part(days.kwh)[rows][:, own])),
            "cost": added(cut.part(days.cost)[rows][:, own]),
            "carbon_kg": added(cut.part(days.carbon_kg)[rows][:, own]),
        }
        for month in np.unique(months)
        for own in [months == month]
    ]


BY: Final[dict[By, Callable[[Site, Grids, RawReadings, Range, list[str]], Rows]]] = {
    "appliance": by_appliance,
    "hour": by_hour,
    "weekday": by_weekday,
    "month": by_month,
}
