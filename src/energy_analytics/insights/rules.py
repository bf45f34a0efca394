"""Advice written by rules: the insights assistant and the virtual auditor, without a language model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from energy_analytics.findings.records import from_row
from energy_analytics.insights import audit, habits, patterns
from energy_analytics.results import Advice, Finding, Paragraph

Teller = Callable[[Sequence[Finding]], str]
"""Writes one paragraph from findings of one kind."""

INSIGHTS: Final[dict[str, Teller]] = {
    "overview": patterns.overview,
    "stopped": patterns.stopped,
    "silent": patterns.silent,
    "habit": habits.habit,
    "standby": habits.standby,
    "baseload": habits.baseload,
    "episode": patterns.episode,
    "move": habits.move,
    "busiest_hours": patterns.busiest_hours,
    "shift": habits.shift,
    "night": patterns.night,
    "weekend": patterns.weekend,
    "trend": patterns.trend,
    "forecast": patterns.forecast,
    "anomalies": patterns.anomalies,
}
"""What the assistant tells, in the order in which it is told where nothing is saved."""

AUDIT: Final[dict[str, Teller]] = {
    "top_consumer": audit.top_consumers,
    "above_class": audit.above_class,
    "upgrade": audit.upgrade,
    "unknown_class": audit.unknown_classes,
    "price": audit.price,
}
"""What the auditor tells."""

ONE_BY_ONE: Final = frozenset({"stopped", "habit", "standby", "move", "above_class", "upgrade"})
"""Kinds of which each finding gets a paragraph of its own; the others share one."""

NOTHING_YET: Final = Paragraph(
    "There is too little to see a pattern yet. A week of complete days shows the busy hours, two weeks allow "
    "a yearly figure, eight weeks show a trend."
)
NOTHING_SPECIAL: Final = Paragraph(
    "Nothing stands out: no hour, day or appliance takes far more than its part, and nothing has changed of late."
)
ONE_SERIES: Final = Paragraph(
    "Everything was measured as one, so nothing can be said of single appliances. Readings of the largest "
    "ones on their own, from a sub-meter or smart plugs, would show where the energy goes and what a better "
    "appliance is worth."
)


def advise(findings: Sequence[Finding]) -> Advice:
    """Write the advice: what saves most comes first, then what there is to know."""
    insights = _paragraphs(findings, INSIGHTS)
    auditor = _paragraphs(findings, AUDIT)
    told = {finding.kind for finding in findings}
    if told.isdisjoint(INSIGHTS.keys() - {"overview", "anomalies"}):
        insights.append(NOTHING_SPECIAL if _has_a_year(findings) else NOTHING_YET)
    if "top_consumer" not in told:
        auditor.insert(0, ONE_SERIES)
    return Advice(tuple(insights), tuple(auditor), "rules")


def tell(finding: Finding) -> str:
    """Tell one finding on its own."""
    return (INSIGHTS | AUDIT)[finding.kind]([finding])


def retell(rows: Iterable[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Finding, str]]:
    """Tell the findings that a record holds, each with its row.

    One of a kind or with figures that no run gives counts for nothing: others may write to a lake.
    """
    told = []
    for row in rows:
        with suppress(LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            finding = from_row(row)
            told.append((row, finding, tell(finding)))
    return told


def _paragraphs(findings: Sequence[Finding], tellers: dict[str, Teller]) -> list[Paragraph]:
    """Tell what a section knows: the opening, faults, what is worth money by the amount, the rest in order."""
    place = {kind: number for number, kind in enumerate(tellers)}

    def rank(group: Sequence[Finding]) -> tuple[int, float, float, int]:
        kind, figures = group[0].kind, group[0].figures
        kwh = figures.get("saving_kwh_per_year", figures.get("excess_kwh", 0.0))
        money = figures.get("saving_per_year", figures.get("cost", 0.0) if kind == "episode" else 0.0)
        leading = {"overview": 0, "top_consumer": 0, "stopped": 1, "silent": 1}
        return leading.get(kind, 2 if money > 0 or kwh > 0 else 3), -money, -kwh, place[kind]

    groups: list[list[Finding]] = []
    for kind in tellers:
        of_kind = [finding for finding in findings if finding.kind == kind]
        if kind in ONE_BY_ONE:
            groups.extend([finding] for finding in of_kind)
        elif of_kind:
            groups.append(of_kind)
    return [
        Paragraph(tellers[group[0].kind](group), _assumption(group), tuple(finding.id for finding in group))
        for group in sorted(groups, key=rank)
    ]


def _has_a_year(findings: Sequence[Finding]) -> bool:
    return any(finding.kind == "overview" and "kwh_per_year" in finding.figures for finding in findings)


def _assumption(group: Sequence[Finding]) -> str:
    return " ".join(dict.fromkeys(finding.assumption for finding in group if finding.assumption))
