"""What the energy of a site cost, emitted and will cost: the settings' terms put on its readings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import inf
from typing import Final

import duckdb

from .. import words
from ..calendar import public_holidays
from ..money import (
    Bill,
    Carbon,
    Costs,
    Deferrable,
    Emissions,
    Load,
    Tariff,
    bill_with_costs,
    check_currencies,
    choose_carbon,
    choose_tariff,
    compare,
    costs_ahead,
    deferrable,
    emissions,
    emissions_of,
    expected_bill,
    mean_price,
    read_tariff,
    shift,
    terms_in_words,
    typical,
)
from ..results import (
    BillTotal,
    CarbonTotal,
    Comparison,
    ExpectedTotal,
    Forecast,
    ForecastCost,
    Money,
    MonthCost,
    PriceTerms,
    ShiftingTotal,
    TariffTotal,
)
from ..settings import Settings
from ..tariff import FlatPrice, default_price

YEAR: Final = timedelta(days=365)
"""The last days that tariffs are compared on and appliances moved on: all seasons once."""
_LOOKS_AHEAD: Final = timedelta(days=62)
"""Past the last reading: the month of the forecast, whose holidays count."""
_MOST_MOVED: Final = 10
"""Of the appliances that can wait by their names, the largest so many are moved; more would take long."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the settings of a site say about money and carbon."""

    tariff: Tariff
    tariff_is_default: bool
    others: tuple[Tariff, ...]
    carbon: Carbon
    carbon_is_default: bool
    exports: frozenset[str]
    deferrables: Mapping[str, Deferrable]
    """Those of the settings, by name; others are told by their names."""
    site_limit_kw: float | None
    holidays_country: str | None
    holidays_region: str | None

    def holidays(self, load: Load) -> frozenset[date]:
        """Return the public holidays from the first reading on to the end of what is looked at."""
        return public_holidays(self.holidays_country, self.holidays_region, load.first, load.last + _LOOKS_AHEAD)


def terms_of(settings: Settings) -> Terms:
    """Read what the settings of a site name. Raises TariffError and CarbonError with what is wrong."""
    tariff = choose_tariff(settings.tariff_file, price_per_kwh=settings.price_per_kwh, currency=settings.currency)
    others = tuple(map(read_tariff, settings.compare_tariffs or ()))
    check_currencies((tariff, *others))
    limits = settings.deferrable or {}
    return Terms(
        tariff=tariff,
        tariff_is_default=settings.tariff_file is None and settings.price_per_kwh is None,
        others=others,
        carbon=choose_carbon(settings.g_per_kwh, settings.carbon_file, timezone=settings.timezone),
        carbon_is_default=settings.carbon_file is None and settings.g_per_kwh is None,
        exports=frozenset(settings.export_appliances or ()),
        deferrables={appliance: deferrable(appliance, own) for appliance, own in limits.items()},
        site_limit_kw=settings.site_limit_kw,
        holidays_country=settings.holidays_country,
        holidays_region=settings.holidays_region,
    )


def price_history(
    engine: duckdb.DuckDBPyConnection, load: Load, terms: Terms, *, appliances: Sequence[str]
) -> tuple[Money, str]:
    """Put cost and carbon beside the energy that was read. `appliances` are in order of their size.

    Returns with it SQL for the relation of both by appliance and day: appliance, day, exported, cost, carbon_kg, not
    rounded. Registers that feed in are in it; they emit nothing. Where no amount is told there is no cost.
    """
    holidays = terms.holidays(load)
    end = load.last + timedelta(days=1)
    tariff = terms.tariff
    bill, costs = bill_with_costs(engine, load, tariff, start=load.first, end=end, holidays=holidays)
    since = max(load.first, end - YEAR)
    unpriced = _unpriced(tariff, costs)
    emitted = _emissions(engine, load, terms, costs, end=end)
    cost = "CAST(NULL AS DOUBLE) AS cost" if unpriced else "cost"
    daily = f"""(SELECT appliance, day, exported, {cost}, carbon_kg
        FROM {costs.daily} LEFT JOIN {emitted.daily} USING (appliance, day))"""
    money = Money(
        price=_price_terms(terms, costs, load, since=since),
        unpriced=unpriced,
        cost=tariff.zero,
        by_appliance={},
        by_day={},
        bill=None,
        carbon=_carbon(terms, costs, emitted),
    )
    if unpriced:
        return money, daily
    priced = replace(
        money,
        cost=sum((one.cost for one in costs.by_appliance.values()), tariff.zero),
        by_appliance={name: one.cost for name, one in costs.by_appliance.items()},
        by_day={day: one.cost for day, one in costs.by_day.items()},
        bill=_bill_total(bill),
        comparison=_comparison(engine, load, terms, start=since, end=end, holidays=holidays),
        shifting=_shifting(engine, load, terms, appliances, start=since, end=end, holidays=holidays),
    )
    return priced, daily


def price_forecast(
    engine: duckdb.DuckDBPyConnection, load: Load, terms: Terms, money: Money, forecast: Forecast
) -> Money:
    """Add what the days ahead cost, and the bill expected at the end of their month."""
    if money.unpriced or not forecast.days:
        return money
    holidays = terms.holidays(load)
    expected = expected_bill(engine, load, terms.tariff, forecast.days, holidays=holidays)
    return replace(
        money,
        ahead=tuple(
            ForecastCost(one.day, one.cost, one.lower, one.upper)
            for one in costs_ahead(engine, load, terms.tariff, forecast.days, holidays=holidays)
        ),
        expected=ExpectedTotal(
            month=expected.bill.start,
            days=(expected.bill.end - expected.bill.start).days,
            days_read=expected.days_read,
            total=expected.bill.total,
            lower=expected.lower,
            upper=expected.upper,
            assumption=expected.assumption,
        ),
    )


def flat_price(money: Money | None) -> FlatPrice:
    """Return the mean price that findings reckon with; one that fits no site where no amount is to be told."""
    if money is None:
        return default_price()
    return FlatPrice(
        name=money.price.mean_price_name,
        price_per_kwh=money.price.mean_price_per_kwh,
        currency=money.price.currency,
        valid_from=None,
        source=money.price.source,
        largest_site_kwh_per_year=0.0 if money.unpriced else inf,
    )


def _price_terms(terms: Terms, costs: Costs, load: Load, *, since: date) -> PriceTerms:
    last_year = replace(costs, by_day={day: one for day, one in costs.by_day.items() if day >= since})
    mean = mean_price(last_year, terms.tariff)
    return PriceTerms(
        name=terms.tariff.name,
        currency=terms.tariff.currency,
        source=terms.tariff.source,
        terms=terms_in_words(terms.tariff, load.last, first=load.first),
        is_default=terms.tariff_is_default,
        mean_price_per_kwh=0.0 if mean is None else mean.price_per_kwh,
        mean_price_name=terms.tariff.name if mean is None else mean.name,
    )


def _unpriced(tariff: Tariff, costs: Costs) -> str:
    """Say why a tariff is not put on a site of this size; nothing where it may be."""
    limit, days = tariff.largest_site_kwh_per_year, len(costs.by_day)
    kwh_per_year = float(sum(one.kwh for one in costs.by_day.values())) * YEAR.days / max(1, days)
    if limit is None or kwh_per_year <= limit:
        return ""
    return (
        f"No cost is told: {tariff.name} is a price for sites of up to {words.energy(limit)} a year, and this one uses "
        f"{words.energy(kwh_per_year)}. Set price_per_kwh and currency, or tariff_file."
    )


def _bill_total(bill: Bill) -> BillTotal:
    return BillTotal(
        start=bill.start,
        end=bill.end,
        months=tuple(MonthCost(one.month, float(one.kwh), one.total) for one in bill.months),
        total=bill.total,
        fed_in_kwh=float(bill.exported_kwh),
        days_without_readings=bill.days_without_readings,
        assumptions=bill.assumptions,
    )


def _emissions(engine: duckdb.DuckDBPyConnection, load: Load, terms: Terms, costs: Costs, *, end: date) -> Emissions:
    if terms.carbon.by_hour:
        return emissions(engine, load, terms.carbon, start=load.first, end=end)
    taken = {name: one.kwh for name, one in costs.by_appliance.items() if name not in load.exports}
    by_day = {day: one.kwh for day, one in costs.by_day.items()}
    return emissions_of(taken, by_day, terms.carbon, daily=costs.daily)


def _carbon(terms: Terms, costs: Costs, found: Emissions) -> CarbonTotal:
    carbon = terms.carbon
    kwh = float(sum(one.kwh for one in costs.by_day.values()))
    return CarbonTotal(
        name=carbon.name,
        source=carbon.source,
        terms=carbon.terms,
        is_default=terms.carbon_is_default,
        kg=found.kg,
        by_appliance_kg=found.by_appliance_kg,
        by_day_kg=found.by_day_kg,
        without_hour_percent=found.without_hour_percent,
        mean_g_per_kwh=1000 * found.kg / kwh if kwh and carbon.by_hour else carbon.g_per_kwh,
    )


def _comparison(
    engine: duckdb.DuckDBPyConnection, load: Load, terms: Terms, *, start: date, end: date, holidays: frozenset[date]
) -> Comparison | None:
    if not terms.others:
        return None
    found = compare(engine, load, [terms.tariff, *terms.others], start=start, end=end, holidays=holidays)
    current = next(one for one in found if one.bill.tariff == terms.tariff.name and not one.saving)
    return Comparison(
        start,
        end,
        tuple(
            TariffTotal(
                name=one.bill.tariff,
                source=one.bill.source,
                is_current=one is current,
                total=one.bill.total,
                saving=one.saving,
                saving_percent=one.saving_percent,
                assumptions=one.bill.assumptions,
            )
            for one in found
        ),
    )


def _shifting(
    engine: duckdb.DuckDBPyConnection,
    load: Load,
    terms: Terms,
    appliances: Sequence[str],
    *,
    start: date,
    end: date,
    holidays: frozenset[date],
) -> ShiftingTotal | None:
    tariff = terms.tariff
    if not tariff.by_the_hour and not any(version.demands for version in tariff.versions):
        return None
    by_name = (typical(one) for one in appliances if one not in terms.deferrables)
    told = [one for one in by_name if one is not None][:_MOST_MOVED]
    able = [*terms.deferrables.values(), *told]
    if not able:
        return None
    found = shift(
        engine, load, tariff, able, start=start, end=end, holidays=holidays, site_limit_kw=terms.site_limit_kw
    )
    return ShiftingTotal(
        start=found.start,
        end=found.end,
        days=found.days,
        saving=found.saving,
        saving_per_year=found.saving_per_year,
        demand_saving=found.demand_saving,
        moved=found.moved,
        skipped=found.skipped,
        proved=found.proved,
    )
