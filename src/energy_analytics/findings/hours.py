"""At what time of day: the busiest hours, the night, what never stops, what could run at another hour."""

from collections.abc import Iterator, Sequence
from typing import Final

from energy_analytics import words
from energy_analytics.appliances import classify
from energy_analytics.findings import queries
from energy_analytics.findings.evidence import HOURS_PER_YEAR, LEAST_SAVING_KWH, MIN_YEARLY_DAYS, Evidence, sentences
from energy_analytics.results import Amount, Finding

WINDOW_HOURS: Final = 3
BUSY_FACTOR: Final = 1.2
"""A window is busy from this multiple of an even spread on; below, the day has no busy hours to speak of."""
NIGHT_HOURS: Final = 6
"""From midnight."""
NIGHT_FACTOR: Final = 1.1
"""A night is worth a word from this multiple of an even spread on; most homes are well below."""
BASELOAD_PART: Final = 10
"""The saving told is that of a tenth less baseload: an example that needs no outside figure."""
SITE_KW: Final = 1000.0
"""Baseload above which it is no longer one site that someone could walk through, and no saving is told."""
SHIFT_TOLD: Final = 3
SHIFT_ASSUMPTION: Final = (
    "By its name an appliance that can run at another hour. One price for all hours: this moves energy and "
    "saves no money by itself."
)
MOST: Final = 0.9
"""Part of an appliance's energy that the hours named for it hold."""
MIN_SHIFT_SHARE: Final = 0.05
"""Part of an appliance's own day that must fall into the busy window before moving it is worth a word."""


def busiest_hours(evidence: Evidence) -> Iterator[Finding]:
    """Tell the three hours in a row with the most energy. Silent for a day without a peak."""
    start = _busy_start(evidence.site_profile)
    if start is None:
        return
    day_kwh = sum(evidence.site_profile)
    window_kwh = _window_kwh(evidence.site_profile, start)
    figures = {
        "hours": float(WINDOW_HOURS),
        "kwh_per_day": window_kwh,
        "share_percent": 100 * window_kwh / day_kwh,
        "even_share_percent": 100 * WINDOW_HOURS / 24,
    }
    top = None
    if len(evidence.profiles) > 1:
        by_appliance = {name: _window_kwh(profile, start) for name, profile in evidence.profiles.items()}
        top = max(by_appliance, key=lambda name: by_appliance[name])
        figures["top_share_percent"] = 100 * by_appliance[top] / window_kwh
    query = queries.hours_of_day(evidence.site, _window(start), "kwh_per_day", _profiled(evidence))
    yield Finding("busiest_hours", top, figures, _window_labels(start), period=evidence.history, evidence=query)


def shiftable(evidence: Evidence) -> Iterator[Finding]:
    """Tell what appliances that can wait use within the busiest hours; silent where a tariff tells what it saves."""
    start = _busy_start(evidence.site_profile)
    if start is None:
        return
    candidates = []
    for appliance, profile in evidence.profiles.items() if not evidence.shifts else ():
        classes = classify(appliance)
        if classes and all(one.deferrable for one in classes) and sum(profile) > 0:
            share = _window_kwh(profile, start) / sum(profile)
            if share >= MIN_SHIFT_SHARE:
                candidates.append((_window_kwh(profile, start), share, appliance))
    for window_kwh, share, appliance in sorted(candidates, reverse=True)[:SHIFT_TOLD]:
        figures = {
            "kwh_per_day": window_kwh,
            "share_percent": 100 * share,
            "window_percent": 100 * window_kwh / _window_kwh(evidence.site_profile, start),
        }
        yield Finding(
            "shift",
            appliance,
            figures,
            _window_labels(start),
            SHIFT_ASSUMPTION,
            period=evidence.history,
            evidence=queries.hours_of_day(evidence.site, _window(start), "kwh_per_day", appliance),
        )


def moved(evidence: Evidence) -> Iterator[Finding]:
    """Tell what other hours save under the site's tariff. Silent where nothing is known of its prices by hour.

    Needs the two weeks of a yearly figure, and a saving worth that of other advice.
    """
    least = LEAST_SAVING_KWH * evidence.price.price_per_kwh
    for one in evidence.shifts:
        if not evidence.priced or one.days < MIN_YEARLY_DAYS or one.saving_per_year < least:
            continue
        start, hours = _most_of(one.kwh_by_hour)
        yield Finding(
            "move",
            one.appliance,
            {"kwh_per_day": one.kwh_per_day, "saving_kwh_per_year": 0.0, "saving_per_year": one.saving_per_year},
            {"from": words.clock(start), "to": words.clock(start + hours), **evidence.currency},
            one.assumption,
            period=one.span,
            confidence="medium",
            evidence=queries.day_with_readings(evidence.site, one.span, one.appliance),
        )


def _most_of(profile: Sequence[float]) -> tuple[int, int]:
    """Return start and length of the shortest run of hours that holds most of the energy; it may pass midnight."""
    for hours in range(1, 24):
        runs = [sum(profile[(start + offset) % 24] for offset in range(hours)) for start in range(24)]
        if max(runs) >= MOST * sum(profile):
            return runs.index(max(runs)), hours
    return 0, 24


def night_use(evidence: Evidence) -> Iterator[Finding]:
    """Tell the energy between midnight and 06:00 where it is a quarter of the day's or more."""
    day_kwh = sum(evidence.site_profile)
    if day_kwh <= 0:
        return
    night_kwh = sum(evidence.site_profile[:NIGHT_HOURS])
    even_percent = 100 * NIGHT_HOURS / 24
    figures = {
        "kwh_per_night": night_kwh,
        "mean_kw": night_kwh / NIGHT_HOURS,
        "share_percent": 100 * night_kwh / day_kwh,
        "even_share_percent": even_percent,
    }
    if figures["share_percent"] < NIGHT_FACTOR * even_percent:
        return
    query = queries.hours_of_day(evidence.site, range(NIGHT_HOURS), "kwh_per_night", _profiled(evidence))
    labels = {"from": "midnight", "to": words.clock(NIGHT_HOURS)}
    yield Finding("night", None, figures, labels, period=evidence.history, evidence=query)


def baseload(evidence: Evidence) -> Iterator[Finding]:
    """Tell what never stops, through a year, and what a tenth less would save."""
    baseload_kw = evidence.analysis.baseload_kw
    if baseload_kw is None or baseload_kw <= 0 or not evidence.yearly_kwh:
        return
    kwh_per_year = baseload_kw * HOURS_PER_YEAR
    if kwh_per_year > evidence.yearly_kwh:
        return
    less_kwh = kwh_per_year / BASELOAD_PART
    figures = {
        "baseload_kw": baseload_kw,
        "kwh_per_year": kwh_per_year,
        "share_percent": 100 * kwh_per_year / evidence.yearly_kwh,
        **evidence.cost(cost_per_year=kwh_per_year),
    }
    example = ""
    if baseload_kw <= SITE_KW:
        figures |= evidence.saving(Amount(less_kwh, less_kwh, less_kwh))
        example = "A tenth less is an example, not a measured saving."
    assumption = sentences(
        "The level that 95 of 100 hours exceed, taken to run all year.", example, evidence.price_assumption
    )
    yield Finding(
        "baseload",
        None,
        figures,
        evidence.currency,
        assumption,
        period=evidence.history,
        confidence="low",
        evidence=queries.baseload(evidence.site, _profiled(evidence)),
    )


def _profiled(evidence: Evidence) -> queries.Those:
    """Name the appliances whose steps tell hours."""
    fine = [one.appliance for one in evidence.analysis.appliances if one.hourly_profile_kwh]
    coarse = [one.appliance for one in evidence.analysis.appliances if not one.hourly_profile_kwh]
    return queries.Those(fine, coarse)


def _busy_start(profile: Sequence[float]) -> int | None:
    """Return the hour at which the busiest window starts, which may run past midnight."""
    if not profile:
        return None
    start = max(range(24), key=lambda hour: (_window_kwh(profile, hour), -hour))
    even_kwh = sum(profile) * WINDOW_HOURS / 24
    return start if _window_kwh(profile, start) > BUSY_FACTOR * even_kwh else None


def _window_kwh(profile: Sequence[float], start: int) -> float:
    return sum(profile[(start + offset) % 24] for offset in range(WINDOW_HOURS))


def _window(start: int) -> list[int]:
    return [(start + offset) % 24 for offset in range(WINDOW_HOURS)]


def _window_labels(start: int) -> dict[str, str]:
    return {"from": words.clock(start), "to": words.clock(start + WINDOW_HOURS)}
