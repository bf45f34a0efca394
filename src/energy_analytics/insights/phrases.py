"""Turns of phrase that several kinds of advice share."""

from typing import Final

from energy_analytics import words
from energy_analytics.results import Finding

EVEN_PERCENT: Final = 5.0
"""Changes up to this are called `about the same`."""


def named(finding: Finding) -> str:
    """Return the appliance's name as it is shown."""
    return words.name(finding.appliance or "")


def energy_and_money(finding: Finding, kwh: str, amount: str, *, brackets: bool = True) -> str:
    """Write an energy with its price beside it where there is one: `120 kWh (34.46 EUR)`."""
    text = words.energy(finding.figures[kwh])
    if amount not in finding.figures:
        return text
    price = words.money(finding.figures[amount], finding.labels["currency"])
    return f"{text} ({price})" if brackets else f"{text} or {price}"


def compared(change_percent: float) -> str:
    """Write a change: `19 % more than`, `about the same as`."""
    if abs(change_percent) < EVEN_PERCENT:
        return "about the same as"
    return f"{words.percent(abs(change_percent))} {'more' if change_percent > 0 else 'less'} than"
