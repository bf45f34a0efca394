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


def saved(finding: Finding) -> str:
    """Write what is saved in a year, with money and carbon where they are known: `120 kWh (34.46 EUR, 26 kg CO₂)`."""
    figures = finding.figures
    worth = []
    if "saving_per_year" in figures:
        worth.append(words.money(figures["saving_per_year"], finding.labels["currency"]))
    if "saving_carbon_kg_per_year" in figures:
        worth.append(f"{words.number(figures['saving_carbon_kg_per_year'])} kg of CO₂")
    text = words.energy(figures["saving_kwh_per_year"])
    return f"{text} ({', '.join(worth)})" if worth else text


def between(finding: Finding) -> str:
    """Write the bounds of what is saved: `, somewhere between 300 kWh and 600 kWh`; empty without them."""
    saving = finding.saving
    if saving is None or saving.kwh.low >= saving.kwh.high:
        return ""
    return f", somewhere between {words.energy(saving.kwh.low)} and {words.energy(saving.kwh.high)}"


def compared(change_percent: float) -> str:
    """Write a change: `19 % more than`, `about the same as`."""
    if abs(change_percent) < EVEN_PERCENT:
        return "about the same as"
    return f"{words.percent(abs(change_percent))} {'more' if change_percent > 0 else 'less'} than"
