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


@dataclass(frozen=True, slots=True)
class ApplianceClass:
    """A kind of appliance. `upgrade` and `habit` are None where no sourced figure is known."""

    name: str
    patterns: tuple[str, ...]
    deferrable: bool
    upgrade: Saving | None
    habit: Saving | None


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
        upgrade=steps["upgrade"],
        habit=steps["habit"],
    )


@cache
def _by_pattern() -> tuple[tuple[str, tuple[ApplianceClass, ...]], ...]:
    """Patterns with their classes, the longest first: `water heater` is no `heater`."""
    patterns: dict[str, tuple[ApplianceClass, ...]] = {}
    for one in catalogue():
        for pattern in one.patterns:
            patterns[pattern] = (*patterns.get(pattern, ()), one)
    return tuple(sorted(patterns.items(), key=lambda item: (-len(item[0]), item[0])))
