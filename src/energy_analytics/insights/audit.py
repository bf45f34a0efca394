"""What uses most and what a better appliance is worth, in words."""

from collections.abc import Sequence

from energy_analytics import words
from energy_analytics.insights.phrases import energy_and_money, named
from energy_analytics.results import Finding


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
    text = f"{named(findings[0])} uses the most: {parts[0]}."
    rest = [f"{named(one)} with {part}" for one, part in zip(findings[1:], parts[1:], strict=True)]
    return f"{text} Next {'come' if len(rest) > 1 else 'comes'} {words.listing(rest)}." if rest else text


def upgrade(findings: Sequence[Finding]) -> str:
    """Tell what a replacement saves, and up to which price it pays back, with the sum."""
    finding = findings[0]
    figures, labels = finding.figures, finding.labels
    text = (
        f"{named(finding)} takes {energy_and_money(finding, 'kwh_per_year', 'cost_per_year')} a year. With "
        f"{labels['what']} it would take about {words.percent(figures['saving_percent'])} less, saving "
        f"{energy_and_money(finding, 'saving_kwh_per_year', 'saving_per_year')} each year."
    )
    if "breakeven_price" not in figures:
        return text
    years, currency = f"{figures['payback_years']:.0f}", labels["currency"]
    return (
        f"{text} The change pays back within {years} years if it costs less than "
        f"{words.money(figures['breakeven_price'], currency, cents=True)}, which is {years} times "
        f"{words.money(figures['saving_per_year'], currency, cents=True)}."
    )


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
    return (
        f"All amounts use one price, {words.unit_price(figures['price_per_kwh'], labels['currency'])} per "
        f"kWh: {labels['name']}. It comes from {labels['source']}. Savings on the same appliance overlap and "
        "should not be added up."
    )
