"""What is worth telling, as data: numbers with units. Each kind keeps silent below its minimum of data."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from energy_analytics.findings import faults, hours, savings, standby, usage
from energy_analytics.findings.evidence import CarbonFactor, Evidence, Shift
from energy_analytics.results import Analysis, Finding
from energy_analytics.tariff import FlatPrice

__all__ = ["FINDERS", "CarbonFactor", "Shift", "find"]

FINDERS: Final[dict[str, Callable[[Evidence], Iterator[Finding]]]] = {
    "overview": usage.overview,
    "top_consumer": usage.top_consumers,
    "stopped": faults.stopped,
    "silent": faults.silent,
    "above_class": savings.above_class,
    "upgrade": savings.upgrades,
    "unknown_class": savings.unknown_classes,
    "habit": savings.habits,
    "standby": standby.standby,
    "baseload": hours.baseload,
    "episode": faults.costly_episodes,
    "busiest_hours": hours.busiest_hours,
    "move": hours.moved,
    "shift": hours.shiftable,
    "night": hours.night_use,
    "weekend": usage.weekend,
    "trend": usage.trend,
    "forecast": usage.forecast,
    "anomalies": faults.anomalies,
    "price": savings.price,
}
"""How each kind of finding is made. Every finding of an entry has that kind."""


def find(
    analysis: Analysis, *, price: FlatPrice, carbon: CarbonFactor | None = None, shifts: Sequence[Shift] = ()
) -> tuple[Finding, ...]:
    """Return what the analysis gives to tell: what is worth most money first, the rest kind by kind.

    Amounts of money are in `price.currency` and absent where the price does not fit a site of this size; amounts of
    carbon are absent without a factor. `shifts` are what moving appliances saves, where a tariff tells.
    """
    evidence = Evidence.of(analysis, price=price, carbon=carbon, shifts=tuple(shifts))
    found = [finding for finder in FINDERS.values() for finding in finder(evidence)]
    return tuple(sorted(found, key=_worth, reverse=True))


def _worth(finding: Finding) -> tuple[float, float]:
    """Money that acting on it saves in a year, or that an episode cost; energy decides where there is no price."""
    kwh, money = finding.figures.get("saving_kwh_per_year", 0.0), finding.figures.get("saving_per_year", 0.0)
    if finding.kind == "episode":
        return finding.figures.get("cost", 0.0), finding.figures["excess_kwh"]
    return money, kwh
