"""From an analysis to what is told about it: the findings, without what the user dismissed."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from ..dismissals import dismissed
from ..findings import CarbonFactor, Shift, find
from ..lake import Lake
from ..results import Analysis, Finding, Money
from .pricing import YEAR, flat_price


def findings_of(analysis: Analysis) -> tuple[Finding, ...]:
    """Return all findings of a site, at its mean price and with what its tariff makes of other hours."""
    money = analysis.money
    return find(
        analysis,
        price=flat_price(money),
        carbon=CarbonFactor(money.carbon.mean_g_per_kwh, money.carbon.terms) if money else None,
        shifts=_shifts(money) if money else (),
    )


def dismissed_of(results: Mapping[str, Any], lake: Lake, site: str) -> list[str]:
    """Return the ids of what a run found, findings and episodes, that the user does not want to be told again."""
    found: Iterable[Mapping[str, Any]] = (*results["findings"], *results["episodes"])
    return sorted(dismissed(lake, site).intersection(one["id"] for one in found))


def _shifts(money: Money) -> tuple[Shift, ...]:
    found = money.shifting
    if found is None or money.unpriced or not found.days:
        return ()
    return tuple(
        Shift(
            appliance=one.appliance,
            span=(found.start, found.end - timedelta(days=1)),
            days=found.days,
            saving_per_year=float(one.saving) * YEAR.days / found.days,
            kwh_per_day=one.kwh_per_day,
            kwh_by_hour=one.kwh_by_hour_moved,
            assumption=(
                f"Each day's energy at the cheapest hours that it may run, scaled to a year, under {money.price.name}."
            ),
        )
        for one in found.moved
    )
