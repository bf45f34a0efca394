"""What is worth telling, as data: numbers with units. Each kind keeps silent below its minimum of data."""

from collections.abc import Callable, Iterator
from typing import Final

from energy_analytics.findings import faults, hours, savings, usage
from energy_analytics.findings.evidence import Evidence
from energy_analytics.results import Analysis, Finding
from energy_analytics.tariff import FlatPrice

FINDERS: Final[dict[str, Callable[[Evidence], Iterator[Finding]]]] = {
    "overview": usage.overview,
    "top_consumer": usage.top_consumers,
    "stopped": faults.stopped,
    "silent": faults.silent,
    "upgrade": savings.upgrades,
    "unknown_class": savings.unknown_classes,
    "habit": savings.habits,
    "baseload": hours.baseload,
    "busiest_hours": hours.busiest_hours,
    "shift": hours.shiftable,
    "night": hours.night_use,
    "weekend": usage.weekend,
    "trend": usage.trend,
    "forecast": usage.forecast,
    "anomalies": faults.anomalies,
    "price": savings.price,
}
"""How each kind of finding is made. Every finding of an entry has that kind."""


def find(analysis: Analysis, *, price: FlatPrice) -> tuple[Finding, ...]:
    """Return what the analysis gives to tell, kind by kind.

    Amounts of money are in `price.currency` and absent where the price does not fit a site of this size.
    """
    evidence = Evidence.of(analysis, price=price)
    return tuple(finding for finder in FINDERS.values() for finding in finder(evidence))
