"""What every kind of finding looks at: the analysis, its complete days and the price."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from statistics import fmean, stdev
from typing import Final, Self

from energy_analytics import words
from energy_analytics.findings.queries import Days
from energy_analytics.results import Amount, Analysis, DayTotal
from energy_analytics.tariff import FlatPrice

DAYS_PER_YEAR: Final = 365
HOURS_PER_YEAR: Final = 8760
MIN_YEARLY_DAYS: Final = 14
"""Complete days below which nothing is scaled up to a year: two whole weeks."""
MIN_PROFILE_DAYS: Final = 7
"""Complete days below which no hour of the day is called typical."""
PROFILED_SHARE: Final = 0.5
"""Part of the energy that must come from steps of an hour or less before hours of the site are compared."""
_BOUND_DEVIATIONS: Final = 1.28
"""Standard errors of the mean of weeks between which a year lies four times in five, seasons apart."""
_WEEK_DAYS: Final = 7
_GRAMS_PER_KG: Final = 1000
LEAST_SAVING_KWH: Final = 20.0
"""A saving below this, in a year, is not worth anyone's time: some euros."""


@dataclass(frozen=True, slots=True)
class CarbonFactor:
    """What a kWh emits, and the name of that figure as it stands beside amounts."""

    g_per_kwh: float
    terms: str


@dataclass(frozen=True, slots=True)
class Shift:
    """What an appliance would save at other hours under the site's tariff."""

    appliance: str
    span: Days
    days: int
    """First and last day that it was reckoned on, and how many of those have readings."""
    saving_per_year: float
    """In the currency of the price."""
    kwh_per_day: float
    kwh_by_hour: tuple[float, ...]
    """24 values: mean energy in that local hour of a day, as it would run."""
    assumption: str


@dataclass(frozen=True)
class Evidence:
    """An analysis, ready to be questioned."""

    analysis: Analysis
    price: FlatPrice
    complete_days: tuple[DayTotal, ...]
    carbon: CarbonFactor | None
    shifts: tuple[Shift, ...]

    @classmethod
    def of(
        cls,
        analysis: Analysis,
        *,
        price: FlatPrice,
        carbon: CarbonFactor | None = None,
        shifts: tuple[Shift, ...] = (),
    ) -> Self:
        """Set the complete days apart: only they are ever compared or scaled up."""
        return cls(analysis, price, tuple(day for day in analysis.days if day.complete), carbon, shifts)

    @property
    def site(self) -> str:
        """Name of the site, as tables have it."""
        return self.analysis.site

    @property
    def history(self) -> Days:
        """First and last day with readings."""
        return self.analysis.first.date(), self.analysis.last.date()

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

    @property
    def year_span(self) -> Days:
        """First and last day of `year`, which must have days."""
        return self.year[0].day, self.year[-1].day

    def year_of(self, appliance: str) -> Amount | None:
        """Energy of one appliance in a year of days like those on which it has readings.

        The bounds tell how much its weeks differ. A whole year has none: it is what was measured.
        """
        used = [day.by_appliance_kwh[appliance] for day in self.year if appliance in day.by_appliance_kwh]
        if len(used) < MIN_YEARLY_DAYS:
            return None
        value = fmean(used) * DAYS_PER_YEAR
        if len(used) == DAYS_PER_YEAR:
            return Amount(value, value, value)
        weeks = [fmean(used[n : n + _WEEK_DAYS]) for n in range(0, len(used) - _WEEK_DAYS + 1, _WEEK_DAYS)]
        error = _BOUND_DEVIATIONS * stdev(weeks) / len(weeks) ** 0.5 * DAYS_PER_YEAR
        return Amount(value, max(0.0, value - error), value + error)

    def yearly_kwh_of(self, appliance: str) -> float | None:
        """Return the middle of `year_of`."""
        amount = self.year_of(appliance)
        return amount.value if amount else None

    def saving(self, kwh: Amount) -> dict[str, float]:
        """Return the figures of a saving in energy, money and carbon, each with its bounds."""
        figures = _with_bounds("saving_kwh_per_year", kwh, 1.0)
        if self.priced:
            figures |= _with_bounds("saving_per_year", kwh, self.price.price_per_kwh)
        if self.carbon is not None:
            figures |= _with_bounds("saving_carbon_kg_per_year", kwh, self.carbon.g_per_kwh / _GRAMS_PER_KG)
        return figures

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


def _with_bounds(name: str, kwh: Amount, per_kwh: float) -> dict[str, float]:
    bounds = {f"{name}_low": kwh.low * per_kwh, f"{name}_high": kwh.high * per_kwh} if kwh.low < kwh.high else {}
    return {name: kwh.value * per_kwh, **bounds}


def sentences(*parts: str) -> str:
    """Join assumptions that are not empty."""
    return " ".join(part for part in parts if part)


def change_percent(now: float, before: float) -> float:
    """Return how much `now` is above `before`, in percent of it."""
    return 100 * (now - before) / before
