"""How much, by what and on which days: totals, shares, weekends, trend and the week ahead."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from statistics import fmean, variance
from typing import Final

from energy_analytics import words
from energy_analytics.findings import degree_days, queries
from energy_analytics.findings.evidence import Evidence, change_percent, sentences
from energy_analytics.results import DayTotal, Finding

CONSUMERS_TOLD: Final = 3
MIN_WEEKDAYS: Final = 10
MIN_WEEKEND_DAYS: Final = 4
TREND_DAYS: Final = 28
"""Four whole weeks, so that both sides hold the same weekdays."""
TREND_SPAN_DAYS: Final = 35
"""Calendar days within which those must lie; more holes than that and the comparison is dropped."""
MIN_LAST_YEAR_DAYS: Final = 21
SAME_WEEKDAYS_A_YEAR_AGO: Final = timedelta(days=364)
MIN_RECENT_DAYS: Final = 14
NOTABLE_PART: Final = 0.05
"""Part of a mean day from which a difference is told: smaller ones come and go by chance."""
SURE: Final = 2.5
"""Standard errors that two kinds of day must lie apart: chance passes that once in eighty times, and once in a
dozen for the heaviest of seven days."""


def overview(evidence: Evidence) -> Iterator[Finding]:
    """Tell the total, the mean of a complete day, and a year of such days."""
    analysis = evidence.analysis
    figures = {"total_kwh": analysis.total_kwh}
    assumption = ""
    if evidence.complete_days:
        figures["kwh_per_day"] = fmean(day.kwh for day in evidence.complete_days)
        figures["complete_days"] = len(evidence.complete_days)
    if evidence.yearly_kwh:
        figures["kwh_per_year"] = evidence.yearly_kwh
        figures |= evidence.cost(cost_per_year=evidence.yearly_kwh)
        assumption = sentences(evidence.yearly_assumption, evidence.price_assumption)
    labels = {"first": words.day(analysis.first), "last": words.day(analysis.last), **evidence.currency}
    yield Finding(
        "overview", None, figures, labels, assumption, period=evidence.history, evidence=queries.totals(evidence.site)
    )


def top_consumers(evidence: Evidence) -> Iterator[Finding]:
    """Tell the largest appliances and their share. Needs two appliances to compare."""
    analysis = evidence.analysis
    if len(analysis.appliances) < 2 or analysis.total_kwh <= 0:
        return
    for rank, one in enumerate(analysis.appliances[:CONSUMERS_TOLD], start=1):
        figures = {
            "rank": float(rank),
            "total_kwh": one.total_kwh,
            "share_percent": 100 * one.total_kwh / analysis.total_kwh,
        }
        kwh_per_year = evidence.yearly_kwh_of(one.appliance)
        assumption = ""
        if kwh_per_year:
            figures |= {"kwh_per_year": kwh_per_year, **evidence.cost(cost_per_year=kwh_per_year)}
            assumption = sentences(evidence.yearly_assumption, evidence.price_assumption)
        yield Finding(
            "top_consumer", one.appliance, figures, evidence.currency, assumption,
            period=evidence.history, evidence=queries.totals(evidence.site, one.appliance),
        )  # fmt: skip


def weekend(evidence: Evidence) -> Iterator[Finding]:
    """Compare Saturday and Sunday with the other days. Needs ten weekdays and four weekend days."""
    weekdays = [day.kwh for day in evidence.complete_days if day.day.weekday() < 5]
    weekends = [day.kwh for day in evidence.complete_days if day.day.weekday() >= 5]
    if len(weekdays) < MIN_WEEKDAYS or len(weekends) < MIN_WEEKEND_DAYS or fmean(weekdays) <= 0:
        return
    of_weekday = [[day.kwh for day in evidence.complete_days if day.day.weekday() == number] for number in range(7)]
    busiest = max((number for number in range(7) if of_weekday[number]), key=lambda number: fmean(of_weekday[number]))
    others = [kwh for number in range(7) if number != busiest for kwh in of_weekday[number]]
    change = change_percent(fmean(weekends), fmean(weekdays))
    figures = {"weekday_kwh": fmean(weekdays), "weekend_day_kwh": fmean(weekends), "change_percent": change}
    labels = {}
    if _differ(of_weekday[busiest], others):
        figures["busiest_kwh"] = fmean(of_weekday[busiest])
        labels["busiest"] = words.WEEKDAYS[busiest]
    if labels or _differ(weekends, weekdays):
        yield Finding(
            "weekend", None, figures, labels, period=_span(evidence.complete_days), evidence=queries.week(evidence.site)
        )


def trend(evidence: Evidence) -> Iterator[Finding]:
    """Compare the last 28 complete days with the 28 before and the same weeks a year ago. Silent where all is even."""
    recent = evidence.complete_days[-TREND_DAYS:]
    before = evidence.complete_days[-2 * TREND_DAYS : -TREND_DAYS]
    if not _is_dense(recent):
        return
    recent_kwh = _mean_kwh(recent)
    figures = {"recent_kwh_per_day": recent_kwh, "days": float(TREND_DAYS)}
    driver = None
    if _is_dense(before) and recent[0].day - before[-1].day <= timedelta(days=8) and _mean_kwh(before) > 0:
        figures["before_kwh_per_day"] = _mean_kwh(before)
        figures["change_percent"] = change_percent(recent_kwh, _mean_kwh(before))
        figures |= _at_same_weather(evidence, recent, before, "")
        if len(evidence.analysis.appliances) > 1:
            appliance, change_kwh = _driver(recent, before)
            if abs(change_kwh) >= NOTABLE_PART * recent_kwh > 0:
                driver, figures["driver_change_kwh_per_day"] = appliance, change_kwh
    last_year = _a_year_before(recent, evidence.complete_days)
    if len(last_year) >= MIN_LAST_YEAR_DAYS and _mean_kwh(last_year) > 0:
        figures["last_year_kwh_per_day"] = _mean_kwh(last_year)
        figures["last_year_change_percent"] = change_percent(recent_kwh, _mean_kwh(last_year))
        figures |= _at_same_weather(evidence, recent, last_year, "last_year_")
    notable = any(name.endswith("change_percent") and abs(it) >= 100 * NOTABLE_PART for name, it in figures.items())
    if notable or driver is not None:
        corrected = any(name.endswith("weather_change_percent") for name in figures)
        yield Finding(
            "trend",
            driver,
            figures,
            {"since": words.plain_day(recent[0].day), "until": words.plain_day(recent[-1].day)},
            degree_days.ASSUMPTION if corrected else "",
            period=_span(recent),
            evidence=queries.mean_day(evidence.site, _span(recent), "recent_kwh_per_day"),
        )


def _at_same_weather(
    evidence: Evidence, recent: Sequence[DayTotal], before: Sequence[DayTotal], prefix: str
) -> dict[str, float]:
    """Return the change that the weather does not explain; empty without temperatures or where they explain none."""
    if evidence.analysis.temperature_c is None:
        return {}
    change_kwh = degree_days.change_at_same_weather(recent, before, evidence.analysis.temperature_c)
    if change_kwh is None:
        return {}
    due_kwh = _mean_kwh(recent) - _mean_kwh(before) - change_kwh
    return {
        f"{prefix}weather_kwh_per_day": due_kwh,
        f"{prefix}weather_change_percent": 100 * change_kwh / _mean_kwh(before),
    }


def forecast(evidence: Evidence) -> Iterator[Finding]:
    """Set the week ahead against the recent mean. Needs a forecast and 14 complete days."""
    days = evidence.analysis.forecast.days
    recent = evidence.complete_days[-TREND_DAYS:]
    if not days or len(recent) < MIN_RECENT_DAYS or _mean_kwh(recent) <= 0:
        return
    total_kwh = sum(day.yhat for day in days)
    highest = max(days, key=lambda day: day.yhat)
    cost, price = _cost_ahead(evidence, total_kwh)
    figures = {
        "days": float(len(days)),
        "forecast_kwh": total_kwh,
        "forecast_kwh_per_day": total_kwh / len(days),
        "recent_days": float(len(recent)),
        "recent_kwh_per_day": _mean_kwh(recent),
        "change_percent": change_percent(total_kwh / len(days), _mean_kwh(recent)),
        "highest_kwh": highest.yhat,
        **cost,
    }
    labels = {"highest_day": words.day(highest.day), **evidence.currency}
    assumption = sentences(evidence.analysis.forecast.assumption, price)
    yield Finding(
        "forecast", None, figures, labels, assumption,
        period=(days[0].day, days[-1].day), confidence="medium", evidence=queries.week_ahead(evidence.site),
    )  # fmt: skip


def _cost_ahead(evidence: Evidence, total_kwh: float) -> tuple[dict[str, float], str]:
    """Return what the days ahead cost and what that rests on: their own hours' prices where those are known."""
    money = evidence.analysis.money
    if not evidence.priced or money is None or not money.ahead:
        return evidence.cost(cost=total_kwh), evidence.price_assumption
    return {"cost": float(sum(one.cost for one in money.ahead))}, f"{money.price.terms}."


def _differ(some: Sequence[float], others: Sequence[float]) -> bool:
    """Tell whether two kinds of day differ by a notable part, and by more than chance makes them."""
    if min(len(some), len(others)) < 2:
        return False
    difference = abs(fmean(some) - fmean(others))
    error = (variance(some) / len(some) + variance(others) / len(others)) ** 0.5
    return difference >= NOTABLE_PART * fmean(others) and difference > SURE * error


def _span(days: Sequence[DayTotal]) -> queries.Days:
    return days[0].day, days[-1].day


def _mean_kwh(days: Sequence[DayTotal]) -> float:
    return fmean(day.kwh for day in days)


def _is_dense(days: Sequence[DayTotal]) -> bool:
    return len(days) == TREND_DAYS and days[-1].day - days[0].day < timedelta(days=TREND_SPAN_DAYS)


def _a_year_before(days: Sequence[DayTotal], history: Sequence[DayTotal]) -> list[DayTotal]:
    first, last = (end.day - SAME_WEEKDAYS_A_YEAR_AGO for end in (days[0], days[-1]))
    return [day for day in history if first <= day.day <= last]


def _driver(recent: Sequence[DayTotal], before: Sequence[DayTotal]) -> tuple[str, float]:
    """Return the appliance whose mean changed most, and by how many kWh per day."""
    changes: dict[str, float] = {}
    for days, sign in ((recent, 1), (before, -1)):
        for day in days:
            for appliance, kwh in day.by_appliance_kwh.items():
                changes[appliance] = changes.get(appliance, 0.0) + sign * kwh / len(days)
    return max(changes.items(), key=lambda item: (abs(item[1]), item[0]))
