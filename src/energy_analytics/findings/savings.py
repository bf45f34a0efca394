"""What a better appliance or another habit would save, from sourced figures for its class."""

from collections.abc import Iterator
from typing import Final

from energy_analytics import words
from energy_analytics.appliances import ApplianceClass, Saving, classify
from energy_analytics.findings.evidence import Evidence, sentences
from energy_analytics.findings.faults import MIN_SILENT_DAYS
from energy_analytics.results import ApplianceTotal, Finding

LOOKED_AT: Final = 10
"""Largest appliances for which savings are reckoned."""
PAYBACK_YEARS: Final = 5.0
"""Time within which a purchase should pay for itself; the reader compares the price with it."""
MIN_UNKNOWN_SHARE: Final = 0.1
"""Part of the site's energy from which an appliance of unknown class deserves a word."""


def upgrades(evidence: Evidence) -> Iterator[Finding]:
    """Tell what an efficient replacement saves a year, and the price up to which it pays back in five."""
    found = []
    for one, classes, kwh_per_year in _running(evidence):
        steps = [step for each in classes if (step := each.upgrade)]
        if len(steps) == len(classes):
            finding = _saving("upgrade", one, steps, evidence=evidence, kwh_per_year=kwh_per_year)
            saving = finding.figures.get("saving_per_year")
            payback = {} if saving is None else {"breakeven_price": round(saving, 2) * PAYBACK_YEARS}
            figures = {**finding.figures, "payback_years": PAYBACK_YEARS, **payback}
            found.append(Finding("upgrade", one.appliance, figures, finding.labels, finding.assumption))
    yield from sorted(found, key=lambda finding: -finding.figures["saving_kwh_per_year"])


def habits(evidence: Evidence) -> Iterator[Finding]:
    """Tell what another way of using an appliance saves a year; only where all of it is of one class."""
    found = []
    for one, classes, kwh_per_year in _running(evidence):
        if len(classes) == 1 and (step := classes[0].habit):
            found.append(_saving("habit", one, [step], evidence=evidence, kwh_per_year=kwh_per_year))
    yield from sorted(found, key=lambda finding: -finding.figures["saving_kwh_per_year"])


def unknown_classes(evidence: Evidence) -> Iterator[Finding]:
    """Tell large appliances whose name gives no class away, so that no saving is made up for them."""
    total_kwh = evidence.analysis.total_kwh
    if len(evidence.analysis.appliances) < 2:
        return
    for one in evidence.analysis.appliances[:LOOKED_AT]:
        if total_kwh > 0 and one.total_kwh >= MIN_UNKNOWN_SHARE * total_kwh and not classify(one.appliance):
            share_percent = 100 * one.total_kwh / total_kwh
            yield Finding("unknown_class", one.appliance, {"share_percent": share_percent})


def price(evidence: Evidence) -> Iterator[Finding]:
    """Tell the price behind every amount. Silent where no amount is told."""
    if evidence.priced and evidence.yearly_kwh:
        labels = {"name": evidence.price.name, "source": evidence.price.source, **evidence.currency}
        figures = {"price_per_kwh": evidence.price.price_per_kwh}
        yield Finding("price", None, figures, labels)


def _running(evidence: Evidence) -> Iterator[tuple[ApplianceTotal, tuple[ApplianceClass, ...], float]]:
    """Yield the largest appliances of known class that still report, with their use in a year."""
    for one in evidence.analysis.appliances[:LOOKED_AT]:
        classes = classify(one.appliance)
        kwh_per_year = evidence.yearly_kwh_of(one.appliance)
        if classes and kwh_per_year and evidence.silent_for(one.last) < MIN_SILENT_DAYS:
            yield one, classes, kwh_per_year


def _saving(kind: str, one: ApplianceTotal, steps: list[Saving], *, evidence: Evidence, kwh_per_year: float) -> Finding:
    """Reckon with the smallest of the classes' figures: a mixed circuit saves at least that."""
    saving_percent = min(step.saving_percent for step in steps)
    saving_kwh = kwh_per_year * saving_percent / 100
    figures = {
        "share_percent": 100 * one.total_kwh / evidence.analysis.total_kwh,
        "kwh_per_year": kwh_per_year,
        "saving_percent": saving_percent,
        "saving_kwh_per_year": saving_kwh,
        **evidence.cost(cost_per_year=kwh_per_year, saving_per_year=saving_kwh),
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
    return Finding(kind, one.appliance, figures, labels, assumption)


def _sources(steps: list[Saving]) -> str:
    lowest = min(step.saving_percent for step in steps)
    named = dict.fromkeys(f"{step.source}, {step.dated}" for step in steps if step.saving_percent == lowest)
    return words.listing(list(named))


def _with_article(noun: str) -> str:
    if noun == "lighting":
        return noun
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
