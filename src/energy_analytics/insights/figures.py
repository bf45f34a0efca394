"""What a reference stands for: a figure of a finding as a phrase that says what it is of, wherever it is put."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from energy_analytics import words
from energy_analytics.insights.phrases import compared
from energy_analytics.results import Finding

LABEL_LIMIT: Final = 120
APPLIANCE: Final = "appliance"
"""The reference to the name of a finding's appliance."""

_PERIODS: Final = {"year": "a year", "month": "a month", "week": "a week", "day": "a day", "night": "a night"}
_RATE: Final = re.compile(rf"_per_({'|'.join(_PERIODS)})$")

_PERCENT: Final[Mapping[tuple[str, str], str]] = {
    ("top_consumer", "share_percent"): "{} of all energy",
    ("upgrade", "share_percent"): "{} of all energy",
    ("habit", "share_percent"): "{} of all energy",
    ("unknown_class", "share_percent"): "{} of all energy",
    ("baseload", "share_percent"): "{} of everything used",
    ("busiest_hours", "share_percent"): "{} of the day's energy",
    ("busiest_hours", "top_share_percent"): "{} of the energy in these hours",
    ("night", "share_percent"): "{} of the day's energy",
    ("upgrade", "saving_percent"): "{} of what it uses",
    ("habit", "saving_percent"): "{} of what it uses",
    ("anomalies", "readings_percent"): "{} of its readings",
    ("standby", "idle_percent"): "{} of the time",
    ("above_class", "above_percent"): "{} above a typical one",
    ("shift", "share_percent"): "{} of its own energy",
    ("shift", "window_percent"): "{} of the energy in these hours",
}
"""What a percentage is of. One that is not listed is not offered: without its base it says nothing."""

_CHANGES: Final[Mapping[tuple[str, str], str]] = {
    ("weekend", "change_percent"): "a weekday",
    ("trend", "change_percent"): "the days before",
    ("trend", "last_year_change_percent"): "in the same weeks a year ago",
    ("trend", "weather_change_percent"): "the days before, had the weather been the same",
    ("trend", "last_year_weather_change_percent"): "a year ago, had the weather been the same",
    ("forecast", "change_percent"): "the recent days",
}
"""With what a change compares."""

_OF: Final[Mapping[tuple[str, str], str]] = {
    ("overview", "total_kwh"): "{} in all",
    ("overview", "complete_days"): "{} that are complete",
    ("top_consumer", "total_kwh"): "{} in all",
    ("busiest_hours", "kwh_per_day"): "{} in these hours",
    ("shift", "kwh_per_day"): "{} in these hours",
    ("night", "mean_kw"): "{} on average",
    ("baseload", "saving_kwh_per_year"): "{} for each tenth less",
    ("baseload", "saving_per_year"): "{} for each tenth less",
    ("baseload", "saving_carbon_kg_per_year"): "{} for each tenth less",
    ("standby", "level_kw"): "{} while idle",
    ("standby", "kwh_per_year"): "{} at that level",
    ("standby", "cost_per_year"): "{} at that level",
    ("above_class", "typical_kwh_per_year"): "{} for a typical one",
    ("above_class", "efficient_kwh_per_year"): "{} for an efficient one",
    ("episode", "actual_kwh"): "{} in that time",
    ("episode", "expected_kwh"): "{} expected in that time",
    ("episode", "excess_kwh"): "{} in excess",
    ("episode", "cost"): "{} for the excess",
    ("weekend", "weekday_kwh"): "{} on a weekday",
    ("weekend", "weekend_day_kwh"): "{} on a weekend day",
    ("weekend", "busiest_kwh"): "{} on a {busiest}",
    ("trend", "recent_kwh_per_day"): "{} lately",
    ("trend", "before_kwh_per_day"): "{} before that",
    ("trend", "last_year_kwh_per_day"): "{} a year ago",
    ("stopped", "before_kwh_per_day"): "{} before that",
    ("forecast", "forecast_kwh"): "{} in the coming days",
    ("forecast", "cost"): "{} in the coming days",
    ("forecast", "forecast_kwh_per_day"): "{} in the coming days",
    ("forecast", "recent_kwh_per_day"): "{} lately",
    ("forecast", "highest_kwh"): "{} on {highest_day}",
    ("anomalies", "highest_kwh"): "{} on {highest_at}",
}
"""What a quantity is of, where its name alone would let it be taken for another; with the finding's labels."""

_UNSAID: Final = frozenset(
    {"breakeven_price", "rank", "sigma", "even_share_percent", "price_per_kwh", "threshold_kwh", "hours", "days"}
    | {"recent_days", "weather_kwh_per_day", "last_year_weather_kwh_per_day"}
)
"""Figures that mean nothing by themselves."""

_OF_THE_APPLIANCE: Final[Mapping[str, frozenset[str]]] = {
    "busiest_hours": frozenset({"top_share_percent"}),
    "trend": frozenset({"driver_change_kwh_per_day"}),
}
"""Kinds that tell of the site and name an appliance beside, with the figures that are the appliance's."""

_WINDOWS: Final[Mapping[str, str]] = {"move": "better_hours"}
"""What the hours of a kind are called, where they are not those that the finding is about."""

_LABELS: Final[Mapping[str, str]] = {
    "what": "{}",
    "busiest": "{}",
    "since": "since {}",
}


@dataclass(frozen=True, slots=True)
class Phrase:
    """What stands in a text in place of a reference."""

    text: str
    is_figure: bool = False
    saves: bool = False
    """Whether the figure is a saving, rather than what something uses or costs."""
    subject: str | None = None
    """The appliance that it is of; None for the site."""


def phrases(finding: Finding) -> dict[str, Phrase]:
    """Return what can be referred to in a finding, by name."""
    found = {}
    if finding.appliance is not None:
        found[APPLIANCE] = Phrase(words.name(finding.appliance), subject=finding.appliance)
    own = _OF_THE_APPLIANCE.get(finding.kind)
    for name in dict.fromkeys((*finding.figures, *_SAYINGS)):
        text = _figure(finding, name) if name in finding.figures else _SAYINGS[name](finding)
        if text is not None:
            subject = finding.appliance if own is None or name in own else None
            found[name] = Phrase(text, is_figure=True, saves=name.startswith("saving"), subject=subject)
    return found | {name: Phrase(text) for name, text in _labels(finding).items()}


def _labels(finding: Finding) -> dict[str, str]:
    labels = {name: words.name(text, limit=LABEL_LIMIT) for name, text in finding.labels.items()}
    found = {name: _LABELS[name].format(text) for name, text in labels.items() if name in _LABELS}
    window = _WINDOWS.get(finding.kind, "window")
    for name, start, end in ((window, "from", "to"), ("period", "first", "last"), ("period", "since", "until")):
        if start in labels and end in labels:
            found.pop(start, None)
            same = labels[start] == labels[end]
            found[name] = f"on {labels[start]}" if same else f"from {labels[start]} to {labels[end]}"
    return found


def _figure(finding: Finding, name: str) -> str | None:
    """Write a figure with its unit, its period and what it is of; None for what cannot stand alone."""
    value, place = finding.figures[name], (finding.kind, name)
    if name in _UNSAID or name.endswith(("_low", "_high")) or (value == 0 and name.startswith("saving")):
        return None
    if place in _CHANGES:
        return f"{compared(value)} {_CHANGES[place]}"
    if place in _PERCENT:
        return _PERCENT[place].format(words.percent(value))
    if name in _SAYINGS:
        return _SAYINGS[name](finding)
    return _quantity(finding, name)


def _quantity(finding: Finding, name: str) -> str | None:
    """Write a figure by the unit and the period in its name, with its bounds if it has any."""
    rate = _RATE.search(name)
    stem, period = (name[: rate.start()], f" {_PERIODS[rate[1]]}") if rate else (name, "")
    unit = next((unit for fits, unit in _UNITS if fits.search(stem)), None)
    if unit is None or (unit is _money and "currency" not in finding.labels):
        return None
    text = unit(finding.figures[name], finding)
    low, high = (finding.figures.get(f"{name}_{end}") for end in ("low", "high"))
    if low is not None and high is not None and low != high:
        text = f"{text} (between {unit(low, finding)} and {unit(high, finding)})"
    labels = {label: words.name(said, limit=LABEL_LIMIT) for label, said in finding.labels.items()}
    place = (finding.kind, name)
    try:
        return _OF.get(place, "{}").format(f"{text}{period}", **labels)
    except KeyError:  # Without the label it does not say what it is of.
        return None


def _money(value: float, finding: Finding) -> str:
    return words.money(value, finding.labels["currency"])


_UNITS: Final[tuple[tuple[re.Pattern[str], Callable[[float, Finding], str]], ...]] = (
    (re.compile(r"(^|_)kwh(_|$)"), lambda value, _: words.energy(value)),
    (re.compile(r"(^|_)kw$"), lambda value, _: words.power(value)),
    (re.compile(r"(^|_)kg$"), lambda value, _: f"{words.number(value)} kg of carbon dioxide"),
    (re.compile(r"(^|_)days$"), lambda value, _: words.count(round(value), "day")),
    (re.compile(r"(^|_)hours$"), lambda value, _: words.count(round(value), "hour")),
    (re.compile(r"^(cost|saving|bill|payment|amount|purchase_price)(?!.*percent)(_|$)"), _money),
)
"""How a quantity is written, by its name without the period. What fits nothing is not offered."""


def _change_of_driver(finding: Finding) -> str | None:
    change_kwh = finding.figures.get("driver_change_kwh_per_day")
    if change_kwh is None:
        return None
    return f"{'up' if change_kwh > 0 else 'down'} by {words.energy(abs(change_kwh))} a day"


def _payback(finding: Finding) -> str | None:
    """Write the time in which a purchase pays back with the price at which it does: neither is true alone."""
    figures, currency = finding.figures, finding.labels.get("currency")
    if currency is None:
        return None
    if {"payback_years_low", "payback_years_high", "price_low", "price_high"} <= figures.keys():
        years = [words.number(figures[f"payback_years_{end}"], decimals=1) for end in ("low", "high")]
        prices = [words.money(figures[f"price_{end}"], currency) for end in ("low", "high")]
        return f"{years[0]} to {years[1]} years if it costs {prices[0]} to {prices[1]}"
    if {"payback_years", "breakeven_price"} <= figures.keys():
        price = words.money(figures["breakeven_price"], currency, cents=True)
        return f"{words.count(figures['payback_years'], 'year')} if it costs at most {price}"
    return None


def _flagged(finding: Finding) -> str | None:
    flagged = finding.figures.get("flagged")
    return None if flagged is None else words.count(flagged, "time")


_SAYINGS: Final[Mapping[str, Callable[[Finding], str | None]]] = {
    "driver_change_kwh_per_day": _change_of_driver,
    "payback_years": _payback,
    "flagged": _flagged,
}
"""Figures that are said in a way of their own, some of them made of several."""
