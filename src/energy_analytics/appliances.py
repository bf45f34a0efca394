"""Classes of appliance: told from a name, with what an efficient one or a changed habit saves."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

_WORD: Final = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Saving:
    """What a step saves of the energy an appliance uses, and who says so."""

    what: str
    saving_percent: float
    source: str
    dated: str
    instead_of: str = ""
    saving_percent_high: float | None = None
    """Where the source gives a range, its other end."""


@dataclass(frozen=True, slots=True)
class Price:
    """What buying costs, from the cheap to the dear."""

    low: float
    high: float
    currency: str
    source: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """What appliances of a class take in a year, and what efficient ones do, with who says so, and when."""

    what: str
    typical_kwh_per_year: float
    typical_source: str
    efficient_kwh_per_year: float
    efficient_kwh_per_year_high: float
    efficient_source: str
    price: Price | None
    follows_use: bool = False
    """Whether the new one would be used as much as the old: a dryer, but not a fridge."""

    def efficient_kwh(self, kwh_per_year: float) -> tuple[float, float]:
        """Return what efficient ones would take in place of one that takes this much: the best, and the modest."""
        scale = kwh_per_year / self.typical_kwh_per_year if self.follows_use else 1.0
        return scale * self.efficient_kwh_per_year, scale * self.efficient_kwh_per_year_high


@dataclass(frozen=True, slots=True)
class ApplianceClass:
    """A kind of appliance. What has no sourced figure is None."""

    name: str
    patterns: tuple[str, ...]
    deferrable: bool
    always_on: bool
    """It must run day and night, so its lowest level is no standby."""
    upgrade: Saving | None
    habit: Saving | None
    replacement: Replacement | None


def classify(appliance: str) -> tuple[ApplianceClass, ...]:
    """Return the classes that the name speaks of: none when it tells nothing, several for a mixed circuit."""
    text = f" {' '.join(_WORD.findall(appliance.casefold()))} "
    found: list[ApplianceClass] = []
    for pattern, classes in _by_pattern():
        if f" {pattern} " in text:
            text = text.replace(f" {pattern} ", " | ")
            found.extend(one for one in classes if one not in found)
    return tuple(found)


@cache
def catalogue() -> tuple[ApplianceClass, ...]:
    """Return all known classes, in the order of the catalogue."""
    text = resources.files("energy_analytics").joinpath("catalogue", "appliances.toml").read_text("utf-8")
    return tuple(_class(entry) for entry in tomllib.loads(text).values())


def _class(entry: dict[str, Any]) -> ApplianceClass:
    steps = {step: Saving(**entry[step]) if step in entry else None for step in ("upgrade", "habit")}
    return ApplianceClass(
        name=entry["name"],
        patterns=tuple(entry["patterns"]),
        deferrable=entry["deferrable"],
        always_on=entry.get("always_on", False),
        upgrade=steps["upgrade"],
        habit=steps["habit"],
        replacement=_replacement(entry["replacement"]) if "replacement" in entry else None,
    )


def _replacement(entry: dict[str, Any]) -> Replacement:
    price = Price(**entry["price"]) if "price" in entry else None
    return Replacement(**{name: value for name, value in entry.items() if name != "price"}, price=price)


@cache
def _by_pattern() -> tuple[tuple[str, tuple[ApplianceClass, ...]], ...]:
    """Patterns with their classes, the longest first: `water heater` is no `heater`."""
    patterns: dict[str, tuple[ApplianceClass, ...]] = {}
    for one in catalogue():
        for pattern in one.patterns:
            patterns[pattern] = (*patterns.get(pattern, ()), one)
    return tuple(sorted(patterns.items(), key=lambda item: (-len(item[0]), item[0])))
