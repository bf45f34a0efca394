"""What to do differently without buying anything, in words."""

from collections.abc import Sequence
from typing import Final

from energy_analytics import words
from energy_analytics.insights.phrases import between, energy_and_money, named, saved
from energy_analytics.results import Finding

HOME_KW: Final = 10.0
"""Baseload up to which someone can walk through the place and switch things off."""


def habit(findings: Sequence[Finding]) -> str:
    """Tell what another way of using an appliance saves."""
    finding = findings[0]
    figures, what = finding.figures, finding.labels["what"]
    return (
        f"{what[0].upper()}{what[1:]} saves about {words.percent(figures['saving_percent'])} of what "
        f"{named(finding)} uses: {saved(finding)} a year."
    )


def standby(findings: Sequence[Finding]) -> str:
    """Tell what an appliance takes while nobody uses it."""
    finding = findings[0]
    figures = finding.figures
    text = (
        f"{named(finding)} is never off: it takes {words.power(figures['level_kw'])} even while it does nothing, "
        f"which comes to {energy_and_money(finding, 'kwh_per_year', 'cost_per_year')} a year. It idles "
        f"{words.percent(figures['idle_percent'])} of the time; switched off then, it saves {saved(finding)} a year"
        f"{between(finding)}."
    )
    if figures["level_kw"] > HOME_KW:
        return text
    return f"{text} A switched socket or a timer does it, where it need not wake by itself."


def move(findings: Sequence[Finding]) -> str:
    """Tell what cheaper hours save."""
    finding = findings[0]
    labels = finding.labels
    saving = words.money(finding.figures["saving_per_year"], labels["currency"])
    return (
        f"{named(finding)} can run between {labels['from']} and {labels['to']} instead: the same energy "
        f"({words.energy(finding.figures['kwh_per_day'])} a day) then costs {saving} less a year under your tariff."
    )


def baseload(findings: Sequence[Finding]) -> str:
    """Tell what never stops and what less of it is worth."""
    finding = findings[0]
    figures = finding.figures
    text = (
        f"Something is always running: use hardly ever falls below {words.power(figures['baseload_kw'])}. "
        f"Through a year that is {energy_and_money(finding, 'kwh_per_year', 'cost_per_year')}, "
        f"{words.percent(figures['share_percent'])} of everything."
    )
    if finding.saving is None:
        return text
    text += f" Each tenth less saves {saved(finding)} a year."
    if figures["baseload_kw"] > HOME_KW:
        return f"{text} Start with what runs outside working hours, such as ventilation, pumps and lighting."
    return f"{text} To find it, switch things off one by one on a quiet evening and watch the meter."


def shift(findings: Sequence[Finding]) -> str:
    """Tell what could run at another hour."""
    labels = findings[0].labels
    parts = [
        f"{named(one)} ({words.energy(one.figures['kwh_per_day'])} a day, "
        f"{words.percent(one.figures['window_percent'])} of the peak)"
        for one in findings
    ]
    verb = "do" if len(findings) > 1 else "does"
    return (
        f"{words.listing(parts)} {verb} not have to run between {labels['from']} and {labels['to']}. A "
        "timer or a later start takes this off the busiest hours, and off the bill if your tariff has "
        "cheaper ones."
    )
