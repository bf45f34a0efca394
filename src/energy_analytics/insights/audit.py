"""What uses most and what a better appliance is worth, in words."""

from collections.abc import Sequence
from typing import Final

from energy_analytics import words
from energy_analytics.insights.phrases import between, energy_and_money, named, saved
from energy_analytics.results import Finding

_PLACES: Final = {1: "uses the most", 2: "comes second", 3: "comes third"}


def top_consumers(findings: Sequence[Finding]) -> str:
    """Tell the largest consumers with their shares."""
    parts: list[str] = []
    for one in findings:
        part = f"{words.energy(one.figures['total_kwh'])}, {words.percent(one.figures['share_percent'])}"
        part += " of all energy" if not parts else ""
        if "kwh_per_year" in one.figures:
            yearly = energy_and_money(one, "kwh_per_year", "cost_per_year", brackets=False)
            part += f" (about {yearly} a year)"
        parts.append(part)
    place = _PLACES[int(findings[0].figures["rank"])]
    text = f"{named(findings[0])} {place}: {parts[0]}."
    rest = [f"{named(one)} with {part}" for one, part in zip(findings[1:], parts[1:], strict=True)]
    return f"{text} Next {'come' if len(rest) > 1 else 'comes'} {words.listing(rest)}." if rest else text


def upgrade(findings: Sequence[Finding]) -> str:
    """Tell what a replacement saves, and when it pays back, with the sum."""
    finding = findings[0]
    figures = finding.figures
    return (
        f"{named(finding)} takes {energy_and_money(finding, 'kwh_per_year', 'cost_per_year')} a year. With "
        f"{finding.labels['what']} it would take about {words.percent(figures['saving_percent'])} less, saving "
        f"{saved(finding)} each year.{_payback(finding)}"
    )


def above_class(findings: Sequence[Finding]) -> str:
    """Tell an appliance that takes far more than its like, and what an efficient one saves, with the sum."""
    finding = findings[0]
    figures, labels = finding.figures, finding.labels
    return (
        f"{named(finding)} takes {energy_and_money(finding, 'kwh_per_year', 'cost_per_year')} a year, "
        f"{words.percent(figures['above_percent'])} more than a typical {labels['class']} "
        f"({words.energy(figures['typical_kwh_per_year'])}). {labels['what'][0].upper()}{labels['what'][1:]} takes "
        f"{words.energy(figures['efficient_kwh_per_year'])}: a saving of {saved(finding)} a year"
        f"{between(finding)}.{_payback(finding)}"
    )


def _payback(finding: Finding) -> str:
    """Tell after how many years a purchase has paid for itself; empty without money."""
    figures = finding.figures
    if "saving_per_year" not in figures:
        return ""
    currency = finding.labels["currency"]
    saving = words.money(figures["saving_per_year"], currency, cents=True)
    if "price_low" in figures:
        low, high = (words.number(figures[f"payback_years_{end}"], decimals=1) for end in ("low", "high"))
        cheap, dear = (words.number(figures[f"price_{end}"], decimals=0) for end in ("low", "high"))
        return (
            f" It costs {cheap} to {dear} {currency}, so it has paid for itself after {low} to {high} years: "
            f"{cheap} and {dear} divided by the {saving} saved each year."
        )
    if "breakeven_price" not in figures:
        return ""
    years = f"{figures['payback_years']:.0f}"
    price = words.money(figures["breakeven_price"], currency, cents=True)
    return f" The change pays back within {years} years if it costs less than {price}, which is {years} times {saving}."


def unknown_classes(findings: Sequence[Finding]) -> str:
    """Tell the large consumers of which nothing more is known."""
    names = words.listing([named(one) for one in findings])
    if len(findings) == 1:
        return (
            f"The name {names} does not say what kind of appliance it is, so no saving is claimed for it. "
            "Measuring its parts, or a name that tells, would show what can be done."
        )
    return (
        f"The names {names} do not say what kinds of appliance they are, so no saving is claimed for them. "
        "Measuring their parts, or names that tell, would show what can be done."
    )


def price(findings: Sequence[Finding]) -> str:
    """Tell the price behind all amounts."""
    figures, labels = findings[0].figures, findings[0].labels
    carbon = f" Emissions are reckoned with {labels['carbon']}." if "carbon" in labels else ""
    return (
        f"All amounts use one price, {words.unit_price(figures['price_per_kwh'], labels['currency'])} per "
        f"kWh: {labels['name']}. It comes from {labels['source']}.{carbon} Savings on the same appliance overlap and "
        "should not be added up."
    )
