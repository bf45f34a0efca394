"""Appliances whose use can wait, and within which limits: typical ones by class, or a setting's own."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from energy_analytics.appliances import classify
from energy_analytics.tariff import TariffError

from .tables import Entries
from .terms import DAY_MINUTES


@dataclass(frozen=True, slots=True)
class Deferrable:
    """Limits within which the energy of an appliance may move to other hours of the same local day."""

    appliance: str
    spans: tuple[tuple[int, int], ...] = ((0, DAY_MINUTES),)
    """Minutes of the day in which it may run, from inclusive, to exclusive."""
    run_hours: float | None = None
    """Length of a run that must not be interrupted; None where it may be."""
    movable_percent: float = 100.0
    most_kw: float | None = None
    """None takes the highest power on record."""


def typical(appliance: str) -> Deferrable | None:
    """Return the limits that are typical of the appliance's class, told from its name; None where it cannot wait.

    A name that speaks of several classes, such as a laundry circuit, has none.
    """
    classes = classify(appliance)
    if len(classes) != 1 or classes[0].name not in _catalogue():
        return None
    return _deferrable(appliance, _catalogue()[classes[0].name], place="the catalogue")


def deferrable(appliance: str, limits: Mapping[str, Any]) -> Deferrable:
    """Read a setting: `like` names a class of the catalogue whose limits hold unless given; others as there.

    Keys: like, hours, run_hours, movable_percent, most_kw. Raises TariffError with what is wrong.
    """
    place = f"The deferrable appliance {appliance!r}"
    given = dict(limits)
    like = given.pop("like", None)
    if like is not None and like not in _catalogue():
        raise TariffError(f"{place}: like = {like!r} is none of {', '.join(_catalogue())}.")
    return _deferrable(appliance, {**(_catalogue()[like] if like else {}), **given}, place=place)


def _deferrable(appliance: str, limits: Mapping[str, Any], *, place: str) -> Deferrable:
    faults: list[str] = []
    numbers = {key: Decimal(str(value)) if type(value) is float else value for key, value in limits.items()}
    entries = Entries(numbers, place=place, faults=faults)
    run_hours, most_kw = entries.amount("run_hours"), entries.amount("most_kw")
    percent = entries.amount("movable_percent")
    spans = entries.window().spans
    entries.done()
    if percent is not None and percent > 100:
        entries.fault(f"movable_percent = {percent} is above 100")
    for name, value in (("run_hours", run_hours), ("most_kw", most_kw)):
        if value == 0:
            entries.fault(f"{name} = 0 leaves nothing to run")
    if faults:
        raise TariffError("; ".join(faults) + ".")
    return Deferrable(
        appliance,
        spans,
        run_hours=None if run_hours is None else float(run_hours),
        movable_percent=100.0 if percent is None else float(percent),
        most_kw=None if most_kw is None else float(most_kw),
    )


@cache
def _catalogue() -> dict[str, dict[str, Any]]:
    text = resources.files("energy_analytics").joinpath("catalogue", "deferrable.toml").read_text("utf-8")
    return tomllib.loads(text)
