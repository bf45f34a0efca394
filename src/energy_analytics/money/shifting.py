"""What it would have saved to run appliances that can wait at the cheapest hours of the same day.

Each local day keeps its energy per appliance; power, hours and uninterrupted runs stay within their limits, and the
site within its own. Days are solved exactly (see `placement`), in whole Wh. A day that would not get cheaper, or
whose energy does not fit, stays as it was; so does each appliance of a day where nothing ties them together.

A demand charge ties the days of a month together. For a given ceiling of the site's power each day is solved on its
own, and its cost never rises with the ceiling; so between two ceilings the month cannot cost less than the demand
charge at the lower and the energy at the higher. Pairs are halved, down to a Wh, until none could beat the best.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import duckdb

from energy_analytics.hours import NANO
from energy_analytics.results import MovedAppliance

from .bill import rounded
from .costs import slot_prices
from .days import Day, days_of
from .deferrable import Deferrable
from .hours import covers, slot_minutes
from .load import Load, demand_minutes, site_slots
from .moving import Problem, Use, cheapest_ceiling, problem
from .terms import Demand, Tariff, Version
from .usage import segments

_WH_PER_KWH: Final = 1000
_YEAR_DAYS: Final = 365
_HOUR_MINUTES: Final = 60
"""Readings up to so long tell when it ran, also where prices change within the hour: they are spread over it."""


@dataclass(frozen=True, slots=True)
class Shifting:
    """The saving over the days from `start` to `end` (exclusive), by appliance and by lower demand."""

    currency: str
    start: date
    end: date
    days: int
    """Days with readings of the site."""
    moved: tuple[MovedAppliance, ...]
    demand_saving: Decimal
    skipped: tuple[str, ...]
    """Appliances whose readings are too long to tell hours."""
    proved: bool
    """Whether nothing saves more. Not so where many uninterrupted runs share a tight limit and a search was given
    up; the saving is then one that can be had, and perhaps not the highest."""

    @property
    def saving(self) -> Decimal:
        """The whole saving."""
        return sum((one.saving for one in self.moved), self.demand_saving)

    @property
    def saving_per_year(self) -> float | None:
        """The saving in a year of such days; None without a day."""
        return float(self.saving) * _YEAR_DAYS / self.days if self.days else None


def shift(
    engine: duckdb.DuckDBPyConnection,
    load: Load,
    tariff: Tariff,
    deferrables: Sequence[Deferrable],
    *,
    start: date,
    end: date,
    holidays: frozenset[date] = frozenset(),
    site_limit_kw: float | None = None,
) -> Shifting:
    """Move the deferrable appliances to the cheapest hours of each local day from `start` to `end`, exclusive.

    `site_limit_kw` limits the whole site; None does not. Of several demand charges at a time the dearest is weighed.
    """
    slot = _slot_minutes(load, tariff)
    told = max(slot, _HOUR_MINUTES)
    able = [one for one in deferrables if one.appliance in load.steps and load.steps[one.appliance] <= told]
    days = days_of(engine, load, [one.appliance for one in able], start=start, end=end, slot_minutes=slot)
    most_wh = [_most_wh(one, [wh for day in days for wh in day.wh[number]], slot) for number, one in enumerate(able)]
    limit_wh = None if site_limit_kw is None else int(site_limit_kw * _WH_PER_KWH * slot / 60)
    solved: list[tuple[Problem, Use]] = []
    demand_saving = Fraction(0)
    for segment in segments(tariff, start, end):
        version = tariff.versions[segment.version]
        demand = _dearest(version, load, slot)
        problems = [
            problem(
                day,
                able,
                prices=_prices(tariff, day, slot, holidays),
                most_wh=most_wh,
                slot_minutes=slot,
                limit_wh=limit_wh,
                charged=tuple(_charged(demand, version, day, minute, holidays) for minute in day.minutes),
            )
            for day in days
            if segment.first <= day.day < segment.end
        ]
        ceiling_wh = None
        if demand is not None and problems:
            tax = 1 + Fraction(version.tax_percent("demand")) / 100
            per_wh = Fraction(demand.price_per_kw) * segment.share_of_month * tax * 60 / slot / _WH_PER_KWH
            ceiling_wh = cheapest_ceiling(problems, price_per_wh=per_wh)
            before = max(one.peak_wh(one.day.wh) for one in problems)
            demand_saving += (before - max(one.peak_wh(_use(one, ceiling_wh)) for one in problems)) * per_wh
        solved += [(one, _use(one, ceiling_wh)) for one in problems]
    days_read = engine.execute(
        f"SELECT count(DISTINCT day) FROM {site_slots(engine, load, slot)} "
        f"WHERE day >= DATE '{start}' AND day < DATE '{end}'"
    ).fetchall()[0][0]
    return Shifting(
        currency=tariff.currency,
        start=start,
        end=end,
        days=days_read,
        moved=tuple(_told(tariff, one, number, solved, days=max(1, days_read)) for number, one in enumerate(able)),
        demand_saving=rounded(demand_saving, tariff.decimals),
        skipped=tuple(one.appliance for one in deferrables if one not in able),
        proved=all(one.proved for one, _ in solved),
    )


def _slot_minutes(load: Load, tariff: Tariff) -> int:
    """Return parts of the day fine enough for the prices and, where it is a part of an hour, for the demand."""
    slot = slot_minutes([tariff])
    intervals = {demand_minutes(load, one.interval_minutes) for version in tariff.versions for one in version.demands}
    return min([slot, *(minutes for minutes in intervals if slot % minutes == 0)])


def _most_wh(limit: Deferrable, seen_wh: Sequence[int], slot: int) -> int:
    if limit.most_kw is None:
        return max(seen_wh, default=0)
    return max(1, int(limit.most_kw * _WH_PER_KWH * slot / 60))


def _dearest(version: Version, load: Load, slot: int) -> Demand | None:
    weighed = [one for one in version.demands if demand_minutes(load, one.interval_minutes) == slot]
    return max(weighed, key=lambda one: one.price_per_kw, default=None)


def _charged(demand: Demand | None, version: Version, day: Day, minute: int, holidays: frozenset[date]) -> bool:
    kind = version.kind_of(day.day, holidays)
    return demand is not None and covers(demand.window, day.day.month, kind, minute)


def _prices(tariff: Tariff, day: Day, slot: int, holidays: frozenset[date]) -> tuple[Fraction, ...]:
    by_part = slot_prices(tariff, day.day, slot=slot, holidays=holidays)
    return tuple(by_part[minute // slot] / _WH_PER_KWH for minute in day.minutes)


def _use(one: Problem, ceiling_wh: int | None) -> Use:
    found = one.free if ceiling_wh is None else one.solve(ceiling_wh)
    return one.day.wh if found is None else found[1]


def _told(
    tariff: Tariff, limit: Deferrable, number: int, solved: Sequence[tuple[Problem, Use]], *, days: int
) -> MovedAppliance:
    """Put one appliance's days together."""
    cost = [Fraction(0), Fraction(0)]
    by_hour = [[0] * 24, [0] * 24]
    moved = 0
    for one, use in solved:
        moved += use[number] != one.day.wh[number]
        for which, own in enumerate((one.day.wh[number], use[number])):
            cost[which] += one.cost((own,))
            for minute, wh in zip(one.day.minutes, own, strict=True):
                by_hour[which][minute // 60] += wh
    return MovedAppliance(
        limit.appliance,
        kwh_per_day=sum(one.day.nano_kwh[number] for one, _ in solved) / NANO / days,
        days_moved=moved,
        cost_as_read=rounded(cost[0], tariff.decimals),
        cost_moved=rounded(cost[1], tariff.decimals),
        kwh_by_hour_as_read=tuple(wh / _WH_PER_KWH / days for wh in by_hour[0]),
        kwh_by_hour_moved=tuple(wh / _WH_PER_KWH / days for wh in by_hour[1]),
    )
