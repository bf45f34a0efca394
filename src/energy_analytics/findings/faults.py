"""What looks wrong: an appliance that fell silent or stopped, readings and stretches of time far above the usual."""

from collections.abc import Iterator
from datetime import timedelta
from statistics import fmean
from typing import Final

from energy_analytics import words
from energy_analytics.findings import queries
from energy_analytics.findings.evidence import DAYS_PER_YEAR, Evidence
from energy_analytics.results import Finding

MIN_SILENT_DAYS: Final = 3.0
MIN_SILENT_STEPS: Final = 10
MIN_READINGS: Final = 24
"""Readings below which an appliance has no habit that it could break."""
STOPPED_DAYS: Final = 2
"""Complete days in a row without energy, after `RUNNING_DAYS` that all had some."""
RUNNING_DAYS: Final = 28
FAULTS_TOLD: Final = 5
ANOMALIES_TOLD: Final = 3
EPISODE_DAYS: Final = 0.5
"""Mean days of the site that an episode must have taken above the usual before it is a matter of money."""
EPISODES_TOLD: Final = 3
COSTLY_KINDS: Final = frozenset({"spike", "unusually high", "stuck on", "on at unusual hours"})
"""Kinds of episode that take more energy; where use only moved to another time, the difference is chance."""
_MINUTES_PER_DAY: Final = 1440


def silent(evidence: Evidence) -> Iterator[Finding]:
    """Tell appliances whose readings end days before the site's last one."""
    found = []
    for one in evidence.analysis.appliances:
        days = evidence.silent_for(one.last)
        steps_days = MIN_SILENT_STEPS * (one.step_minutes or 0) / _MINUTES_PER_DAY
        if one.count >= MIN_READINGS and days >= max(MIN_SILENT_DAYS, steps_days):
            labels = {"since": words.moment(one.last)}
            query = queries.silent_days(evidence.site, one.appliance)
            span = one.last.date(), evidence.history[1]
            found.append(Finding("silent", one.appliance, {"silent_days": days}, labels, period=span, evidence=query))
    yield from sorted(found, key=lambda finding: finding.figures["silent_days"])[:FAULTS_TOLD]


def stopped(evidence: Evidence) -> Iterator[Finding]:
    """Tell appliances that used energy on every one of 28 days, then none on the last two or more."""
    days = evidence.complete_days
    if len(days) < RUNNING_DAYS + STOPPED_DAYS:
        return
    told = 0
    for one in evidence.analysis.appliances:
        idle = 0
        while idle < len(days) and days[-1 - idle].by_appliance_kwh.get(one.appliance) == 0:
            idle += 1
        if idle < STOPPED_DAYS:
            continue
        before = days[-idle - RUNNING_DAYS : len(days) - idle]
        used_kwh = [day.by_appliance_kwh.get(one.appliance, 0.0) for day in before]
        if len(used_kwh) == RUNNING_DAYS and all(used_kwh) and told < FAULTS_TOLD:
            told += 1
            figures = {"idle_days": float(idle), "before_kwh_per_day": fmean(used_kwh)}
            span = before[0].day, before[-1].day
            yield Finding(
                "stopped",
                one.appliance,
                figures,
                {"since": words.day(days[-idle].day)},
                period=(before[0].day, days[-1].day),
                evidence=queries.mean_day(evidence.site, span, "before_kwh_per_day", one.appliance),
            )


def anomalies(evidence: Evidence) -> Iterator[Finding]:
    """Tell the appliances with the most readings above their threshold."""
    summary = evidence.analysis.anomalies
    readings = {one.appliance: one.count for one in evidence.analysis.appliances}
    ranked = sorted(summary.by_appliance.items(), key=lambda item: (-item[1], item[0]))
    for appliance, flagged in ranked[:ANOMALIES_TOLD]:
        if not flagged:
            continue
        figures = {"flagged": float(flagged), "sigma": summary.sigma}
        if readings.get(appliance):
            figures["readings_percent"] = 100 * flagged / readings[appliance]
        labels = {}
        worst = max(
            (one for one in summary.top if one.appliance == appliance),
            key=lambda one: one.z_score,
            default=None,
        )
        if worst is not None:
            figures |= {"highest_kwh": worst.kwh, "threshold_kwh": worst.threshold}
            labels["highest_at"] = words.moment(worst.timestamp)
        query = queries.flagged(evidence.site, appliance)
        yield Finding("anomalies", appliance, figures, labels, period=evidence.history, evidence=query)


def costly_episodes(evidence: Evidence) -> Iterator[Finding]:
    """Tell the stretches of the last year in which an appliance took far more than usual."""
    if not evidence.complete_days:
        return
    least_kwh = EPISODE_DAYS * fmean(day.kwh for day in evidence.complete_days)
    since = evidence.analysis.last - timedelta(days=DAYS_PER_YEAR)
    costly = [
        one
        for one in evidence.analysis.episodes
        if one.status != "withdrawn" and one.kind in COSTLY_KINDS and one.end > since
        if one.excess_kwh >= least_kwh > 0
    ]
    for one in sorted(costly, key=lambda one: (-one.excess_kwh, one.id))[:EPISODES_TOLD]:
        labels = {
            "what": one.kind,
            "since": words.plain_day(one.start),
            "until": words.plain_day(one.end),
            "going_on": "yes" if one.status == "open" else "",
            **evidence.currency,
        }
        figures = {
            "actual_kwh": one.actual_kwh,
            "expected_kwh": one.expected_kwh,
            "excess_kwh": one.excess_kwh,
            **evidence.cost(cost=one.excess_kwh),
        }
        yield Finding(
            "episode",
            one.appliance,
            figures,
            labels,
            evidence.price_assumption,
            about=one.id,
            period=(one.start.date(), one.end.date()),
            confidence="medium",
            evidence=queries.episode(evidence.site, one.id),
        )
