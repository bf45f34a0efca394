"""What appliances take while nobody uses them."""

import re
from collections.abc import Iterator
from typing import Final

from energy_analytics.appliances import classify
from energy_analytics.findings import queries
from energy_analytics.findings.evidence import HOURS_PER_YEAR, LEAST_SAVING_KWH, Evidence, sentences
from energy_analytics.results import Amount, Finding, IdleLevel

STANDBY_TOLD: Final = 5
NIGHT_SHARE: Final = 8 / 24
"""Part of a year in which even a busy household can switch something off."""
MANY_THINGS: Final = re.compile(
    r"(?<![^\W_])(meters?|mains?|total|whole|house|home|flat|apartment|building|site|grid|others?|rest)(?![^\W\d_])",
    re.IGNORECASE,
)
"""Words by which a name tells of many appliances at once, whose lowest level is a baseload and no standby."""
_MINUTES_PER_HOUR: Final = 60


def standby(evidence: Evidence) -> Iterator[Finding]:
    """Tell the idle level of appliances that are never off, and what switching them off saves.

    What must run day and night by its class is left out, and so is a meter of many things, whose lowest level is a
    baseload. Needs the two weeks of hours of `idle`.
    """
    analysis = evidence.analysis
    if len(analysis.appliances) < 2:
        return
    steps = {one.appliance: one.step_minutes for one in analysis.appliances}
    told = 0
    for one in analysis.idle_levels:
        worthwhile = one.level_kw * HOURS_PER_YEAR * one.idle_share >= LEAST_SAVING_KWH
        must_run = any(each.always_on for each in classify(one.appliance))
        if must_run or MANY_THINGS.search(one.appliance) or not worthwhile or told == STANDBY_TOLD:
            continue
        told += 1
        yield _finding(evidence, one, step_minutes=steps[one.appliance] or _MINUTES_PER_HOUR)


def _finding(evidence: Evidence, one: IdleLevel, *, step_minutes: float) -> Finding:
    kwh_per_year = one.level_kw * HOURS_PER_YEAR
    saving = Amount(
        kwh_per_year * one.idle_share,
        kwh_per_year * min(one.idle_share, NIGHT_SHARE),
        kwh_per_year * (1 - one.active_share),
    )
    figures = {
        "level_kw": one.level_kw,
        "kwh_per_year": kwh_per_year,
        "idle_percent": 100 * one.idle_share,
        **evidence.cost(cost_per_year=kwh_per_year),
        **evidence.saving(saving),
    }
    assumption = sentences(
        "Taken from the hours of the last four weeks, through a year. Off whenever it idled; at the least, off for "
        "eight hours a day.",
        evidence.price_assumption,
    )
    days = one.first, one.last
    readings = round(_MINUTES_PER_HOUR / step_minutes)
    return Finding(
        "standby",
        one.appliance,
        figures,
        evidence.currency,
        assumption,
        period=days,
        confidence="medium",
        evidence=queries.idle_level(evidence.site, one.appliance, days, readings=readings),
    )
