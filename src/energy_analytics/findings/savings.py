"""What a better appliance or another habit would save, from sourced figures for its class."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from energy_analytics import words
from energy_analytics.appliances import ApplianceClass, Price, Replacement, Saving, classify
from energy_analytics.findings import queries
from energy_analytics.findings.evidence import LEAST_SAVING_KWH, Evidence, sentences
from energy_analytics.findings.faults import MIN_SILENT_DAYS
from energy_analytics.results import Amount, ApplianceTotal, Finding

LOOKED_AT: Final = 10
"""Largest appliances for which savings are reckoned."""
PAYBACK_YEARS: Final = 5.0
"""Time within which a purchase should pay for itself where its price is unknown: the reader compares the price."""
LONGEST_PAYBACK_YEARS: Final = 15.0
"""About the life of a large appliance: what pays back later than that never does."""
ABOVE_FACTOR: Final = 1.5
"""An appliance is far above its class from this multiple of the class's mean on: households differ, and so do sizes."""
MIN_UNKNOWN_SHARE: Final = 0.1
"""Part of the site's energy from which an appliance of unknown class deserves a word."""


def above_class(evidence: Evidence) -> Iterator[Finding]:
    """Tell appliances that take far more than their class does, and what an efficient one would save.

    Needs the two weeks of complete days of a yearly figure. The saving runs from the class's mean to the best.
    """
    found = []
    for one, classes, year in _running(evidence):
        better = classes[0].replacement
        if len(classes) == 1 and better is not None and _is_above(year, better):
            found.append(_above(evidence, one, classes[0], better, year))
    yield from sorted(found, key=lambda finding: -finding.figures["saving_kwh_per_year"])


def upgrades(evidence: Evidence) -> Iterator[Finding]:
    """Tell what an efficient replacement saves a year, and when it pays back, or up to which price it does in five.

    Silent where `above_class` speaks, where the saving is next to nothing, and where it never pays back.
    """
    found = []
    for one, classes, year in _running(evidence):
        steps = [step for each in classes if (step := each.upgrade)]
        better = classes[0].replacement
        if len(steps) < len(classes) or (len(classes) == 1 and better and _is_above(year, better)):
            continue
        finding = _saving("upgrade", one, steps, evidence=evidence, year=year)
        price = better.price if len(classes) == 1 and better else None
        payback = _payback(evidence, finding.figures, price)
        if payback.get("payback_years_low", 0.0) <= LONGEST_PAYBACK_YEARS and _is_worthwhile(finding):
            assumption = sentences(finding.assumption, _price_source(payback, price))
            found.append(replace(finding, figures={**finding.figures, **payback}, assumption=assumption))
    yield from sorted(found, key=lambda finding: -finding.figures["saving_kwh_per_year"])


def habits(evidence: Evidence) -> Iterator[Finding]:
    """Tell what another way of using an appliance saves a year; only where all of it is of one class."""
    found = []
    for one, classes, year in _running(evidence):
        if len(classes) == 1 and (step := classes[0].habit):
            finding = _saving("habit", one, [step], evidence=evidence, year=year)
            if _is_worthwhile(finding):
                found.append(finding)
    yield from sorted(found, key=lambda finding: -finding.figures["saving_kwh_per_year"])


def unknown_classes(evidence: Evidence) -> Iterator[Finding]:
    """Tell large appliances whose name gives no class away, so that no saving is made up for them."""
    total_kwh = evidence.analysis.total_kwh
    if len(evidence.analysis.appliances) < 2:
        return
    for one in evidence.analysis.appliances[:LOOKED_AT]:
        if total_kwh > 0 and one.total_kwh >= MIN_UNKNOWN_SHARE * total_kwh and not classify(one.appliance):
            share_percent = 100 * one.total_kwh / total_kwh
            query = queries.share(evidence.site, one.appliance)
            figures = {"share_percent": share_percent}
            yield Finding("unknown_class", one.appliance, figures, period=evidence.history, evidence=query)


def price(evidence: Evidence) -> Iterator[Finding]:
    """Tell the price and the carbon factor behind every amount. Silent where no amount of money is told."""
    if evidence.priced and evidence.yearly_kwh:
        labels = {"name": evidence.price.name, "source": evidence.price.source, **evidence.currency}
        figures = {"price_per_kwh": evidence.price.price_per_kwh}
        if evidence.carbon is not None:
            labels["carbon"] = evidence.carbon.terms
        yield Finding("price", None, figures, labels)


def _running(evidence: Evidence) -> Iterator[tuple[ApplianceTotal, tuple[ApplianceClass, ...], Amount]]:
    """Yield the largest appliances of known class that still report, with their use in a year."""
    for one in evidence.analysis.appliances[:LOOKED_AT]:
        classes = classify(one.appliance)
        year = evidence.year_of(one.appliance)
        if classes and year and year.value > 0 and evidence.silent_for(one.last) < MIN_SILENT_DAYS:
            yield one, classes, year


def _is_above(year: Amount, better: Replacement) -> bool:
    return year.value >= ABOVE_FACTOR * better.typical_kwh_per_year


def _is_worthwhile(finding: Finding) -> bool:
    return finding.figures["saving_kwh_per_year"] >= LEAST_SAVING_KWH


def _above(
    evidence: Evidence, one: ApplianceTotal, of_class: ApplianceClass, better: Replacement, year: Amount
) -> Finding:
    """Reckon from what the appliance takes to what an efficient one does."""
    best_kwh, modest_kwh = better.efficient_kwh(year.value)
    value = year.value - modest_kwh
    saving = Amount(
        value, min(value, max(0.0, year.low - better.typical_kwh_per_year)), max(value, year.high - best_kwh)
    )
    figures = {
        "kwh_per_year": year.value,
        "typical_kwh_per_year": better.typical_kwh_per_year,
        "above_percent": 100 * (year.value / better.typical_kwh_per_year - 1),
        "efficient_kwh_per_year": modest_kwh,
        **evidence.cost(cost_per_year=year.value),
        **evidence.saving(saving),
    }
    figures |= (payback := _payback(evidence, figures, better.price))
    labels = {"class": of_class.name, "what": better.what, **evidence.currency}
    assumption = sentences(
        f"By its name, {_with_article(of_class.name)}. Typical: {better.typical_source}.",
        f"Efficient: {better.efficient_source}{', in proportion to its use' if better.follows_use else ''}.",
        _price_source(payback, better.price),
        "The least saving is that down to the typical one.",
        evidence.yearly_assumption,
        evidence.price_assumption,
    )
    return Finding(
        "above_class",
        one.appliance,
        figures,
        labels,
        assumption,
        period=evidence.year_span,
        confidence="low",
        evidence=queries.year(evidence.site, evidence.year_span, one.appliance),
    )


def _payback(evidence: Evidence, figures: Mapping[str, float], price: Price | None) -> dict[str, float]:
    """Return price and years to pay back, or the price that pays back in five; empty without money."""
    if figures.get("saving_per_year", 0.0) <= 0:
        return {}
    saving = round(figures["saving_per_year"], 2)
    if price is None or price.currency != evidence.price.currency:
        return {"payback_years": PAYBACK_YEARS, "breakeven_price": saving * PAYBACK_YEARS}
    return {
        "price_low": price.low,
        "price_high": price.high,
        "payback_years_low": price.low / saving,
        "payback_years_high": price.high / saving,
    }


def _price_source(payback: dict[str, float], price: Price | None) -> str:
    return f"Price: {price.source}." if price and "price_low" in payback else ""


def _saving(kind: str, one: ApplianceTotal, steps: list[Saving], *, evidence: Evidence, year: Amount) -> Finding:
    """Reckon with the smallest of the classes' figures: a mixed circuit saves at least that."""
    saving_percent = min(step.saving_percent for step in steps)
    most_percent = max(step.saving_percent_high or step.saving_percent for step in steps)
    figures = {
        "share_percent": 100 * one.total_kwh / evidence.analysis.total_kwh,
        "kwh_per_year": year.value,
        "saving_percent": saving_percent,
        **evidence.cost(cost_per_year=year.value),
        **evidence.saving(_part(year, saving_percent, most_percent)),
    }
    labels = {
        "what": words.listing(list(dict.fromkeys(step.what for step in steps))),
        **evidence.currency,
    }
    instead_of = [step.instead_of for step in steps if step.instead_of]
    assumption = sentences(
        f"By its name, {words.listing([_with_article(each.name) for each in classify(one.appliance)])}"
        f"{', with the smallest of their savings' if len(steps) > 1 else ''}.",
        f"Compared with {words.listing(list(dict.fromkeys(instead_of)))}." if instead_of else "",
        f"{words.percent(saving_percent)} after {_sources(steps)}.",
        evidence.yearly_assumption,
        evidence.price_assumption,
    )
    return Finding(
        kind,
        one.appliance,
        figures,
        labels,
        assumption,
        period=evidence.year_span,
        confidence="low",
        evidence=queries.year(evidence.site, evidence.year_span, one.appliance),
    )


def _part(year: Amount, low_percent: float, high_percent: float) -> Amount:
    low, high = low_percent / 100, high_percent / 100
    return Amount(year.value * low, year.low * low, year.high * high)


def _sources(steps: list[Saving]) -> str:
    lowest = min(step.saving_percent for step in steps)
    named = dict.fromkeys(f"{step.source}, {step.dated}" for step in steps if step.saving_percent == lowest)
    return words.listing(list(named))


def _with_article(noun: str) -> str:
    if noun == "lighting":
        return noun
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
