"""What every kind of finding looks at: the analysis, its complete days and the price."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from statistics import fmean
from typing import Final, Self

from energy_analytics import words
from energy_analytics.results import Analysis, DayTotal
from energy_analytics.tariff import FlatPrice

DAYS_PER_YEAR: Final = 365
HOURS_PER_YEAR: Final = 8760
MIN_YEARLY_DAYS: Final = 14
"""Complete days below which nothing is scaled up to a year: two whole weeks."""
MIN_PROFILE_DAYS: Final = 7
"""Complete days below which no hour of the day is called typical."""
PROFILED_SHARE: Final = 0.5
"""Part of the energy that must come from steps of an hour or less before hours of the site are compared."""


@dataclass(frozen=True)
class Evidence:
    """An analysis, ready to be questioned."""

    analysis: Analysis
    price: FlatPrice
    complete_days: tuple[DayTotal, ...]

    @classmethod
    def of(cls, analysis: Analysis, *, price: FlatPrice) -> Self:
        """Set the complete days apart: only they are ever compared or scaled up."""
        return cls(analysis, price, tuple(day for day in analysis.days if day.complete))

    @property
    def year(self) -> tuple[DayTotal, ...]:
        """The last 365 complete days, or as many as there are."""
        return self.complete_days[-DAYS_PER_YEAR:]

    @cached_property
    def yearly_kwh(self) -> float | None:
        """Energy of a year of such days; None with too few of them."""
        if len(self.year) < MIN_YEARLY_DAYS:
            return None
        return fmean(day.kwh for day in self.year) * DAYS_PER_YEAR

    def yearly_kwh_of(self, appliance: str) -> float | None:
        """Energy of one appliance in a year of days like those on which it has readings."""
        used = [day.by_appliance_kwh[appliance] for day in self.year if appliance in day.by_appliance_kwh]
        return fmean(used) * DAYS_PER_YEAR if len(used) >= MIN_YEARLY_DAYS else None

    @property
    def yearly_assumption(self) -> str:
        """What a yearly figure rests on."""
        if len(self.year) == DAYS_PER_YEAR:
            since = words.plain_day(self.year[0].day)
            return f"A year like the last {DAYS_PER_YEAR} complete days, from {since} on."
        days = words.count(len(self.year), "complete day")
        return f"A year scaled up from {days}, without the seasons that were not measured."

    def cost(self, **kwh: float) -> dict[str, float]:
        """Price the energies, name by name; empty where the price does not fit a site of this size."""
        if not self.priced:
            return {}
        return {figure: energy * self.price.price_per_kwh for figure, energy in kwh.items()}

    @cached_property
    def priced(self) -> bool:
        """Whether the price may be applied to a site of this size."""
        if self.yearly_kwh is not None:
            return self.yearly_kwh <= self.price.largest_site_kwh_per_year
        hours = (self.analysis.last - self.analysis.first) / timedelta(hours=1) + 24
        return self.analysis.total_kwh * HOURS_PER_YEAR / hours <= self.price.largest_site_kwh_per_year

    @property
    def price_assumption(self) -> str:
        """What an amount of money rests on; empty where none is told."""
        return f"{self.price.terms}." if self.priced else ""

    @property
    def currency(self) -> dict[str, str]:
        """The label that goes with amounts of money."""
        return {"currency": self.price.currency} if self.priced else {}

    @cached_property
    def profiles(self) -> Mapping[str, tuple[float, ...]]:
        """Energy by local hour of the day, for each appliance whose step allows it.

        Empty when they carry too little of the energy, an hour was never measured, or there are too few days.
        """
        profiled = [one for one in self.analysis.appliances if one.hourly_profile_kwh]
        covered_kwh = sum(one.total_kwh for one in profiled)
        enough = len(self.complete_days) >= MIN_PROFILE_DAYS and covered_kwh > 0
        if not enough or covered_kwh < PROFILED_SHARE * self.analysis.total_kwh:
            return {}
        if any(all(one.hourly_profile_kwh[hour] is None for one in profiled) for hour in range(24)):
            return {}
        return {one.appliance: tuple(kwh or 0.0 for kwh in one.hourly_profile_kwh) for one in profiled}

    @cached_property
    def site_profile(self) -> tuple[float, ...]:
        """Energy of all profiled appliances by local hour, kWh; empty when `profiles` is."""
        if not self.profiles:
            return ()
        return tuple(sum(profile[hour] for profile in self.profiles.values()) for hour in range(24))

    def silent_for(self, last: datetime) -> float:
        """Days from an appliance's last reading to the last of the site."""
        return (self.analysis.last - last) / timedelta(days=1)


def sentences(*parts: str) -> str:
    """Join assumptions that are not empty."""
    return " ".join(part for part in parts if part)


def change_percent(now: float, before: float) -> float:
    """Return how much `now` is above `before`, in percent of it."""
    return 100 * (now - before) / before
