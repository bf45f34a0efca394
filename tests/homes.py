"""Hand-made analyses whose answers can be worked out on paper."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from energy_analytics.results import (
    Analysis,
    Anomaly,
    AnomalySummary,
    ApplianceTotal,
    DayTotal,
    Forecast,
    ForecastDay,
    PeakHour,
    Quality,
)

MONDAY = date(2024, 1, 1)
FLAT_10 = (10 / 24,) * 24
EVENING = tuple(2.0 if hour in (18, 19, 20) else 0.1 for hour in range(24))
"""6 kWh from 18:00 to 21:00 and 2.1 kWh in the other 21 hours."""


def home(
    profiles: Mapping[str, Sequence[float]],
    *,
    days: int = 70,
    start: date = MONDAY,
    factor: Callable[[date, str], float] = lambda day, appliance: 1.0,
    skip: Callable[[date], bool] = lambda day: False,
    incomplete: Callable[[date], bool] = lambda day: False,
    baseload_kw: float | None = None,
) -> Analysis:
    """Make a home whose appliances follow their profile every day, times `factor`."""
    dates = [day for number in range(days) if not skip(day := start + timedelta(days=number))]
    totals = []
    for day in dates:
        used = {name: sum(profile) * factor(day, name) for name, profile in profiles.items()}
        coverage = 0.5 if incomplete(day) else 1.0
        totals.append(DayTotal(day, sum(used.values()), coverage, not incomplete(day), used))
    appliances = []
    for name, profile in profiles.items():
        total_kwh = sum(day.by_appliance_kwh[name] for day in totals)
        appliances.append(
            ApplianceTotal(
                appliance=name,
                total_kwh=total_kwh,
                avg_kwh=total_kwh / (24 * len(dates)),
                std_kwh=0.1,
                count=24 * len(dates),
                peak_hour=max(range(24), key=lambda hour, profile=profile: profile[hour]),
                step_minutes=60.0,
                first=datetime.combine(dates[0], time(0)),
                last=datetime.combine(dates[-1], time(23)),
                hourly_profile_kwh=tuple(profile),
            )
        )
    appliances.sort(key=lambda one: -one.total_kwh)
    rows = sum(one.count for one in appliances)
    return Analysis(
        site="",
        timezone="Europe/Paris",
        first=datetime.combine(dates[0], time(0)),
        last=datetime.combine(dates[-1], time(23)),
        total_kwh=sum(day.kwh for day in totals),
        appliances=tuple(appliances),
        days=tuple(totals),
        peak_hour=PeakHour(datetime.combine(dates[0], time(18)), 2.0),
        baseload_kw=baseload_kw,
        quality=Quality(rows, rows, {}, 0, 0, 0, (), tuple(day for day in dates if incomplete(day))),
        anomalies=AnomalySummary(0, 2.0, {}, ()),
        forecast=Forecast("none", (), 0, ""),
    )


def with_forecast(analysis: Analysis, kwh: float) -> Analysis:
    """Add a week ahead of `kwh` a day, give or take 2."""
    last = analysis.days[-1].day
    ahead = tuple(ForecastDay(last + timedelta(days=number), kwh, kwh - 2, kwh + 2) for number in range(1, 8))
    made = Forecast("moving_average", ahead, len(analysis.days), "The coming week is like the last ones.")
    return replace(analysis, forecast=made)


def with_anomaly(analysis: Analysis, appliance: str) -> Analysis:
    """Flag three readings of an appliance and show one of them."""
    worst = Anomaly(analysis.first, appliance, 4.5, 1.5, 6.0)
    return replace(analysis, anomalies=AnomalySummary(3, 2.0, {appliance: 3}, (worst,)))


def one_row(kwh: float = 0.0) -> Analysis:
    """Return what a file with a single reading gives."""
    moment = datetime.fromisoformat("2024-01-01T07:00")
    meter = ApplianceTotal("Meter", kwh, kwh, None, 1, 7, None, moment, moment, ())
    day = DayTotal(moment.date(), kwh, 0.04, False, {"Meter": kwh})
    quality = Quality(1, 1, {}, 0, 0, 0, (), (moment.date(),))
    return Analysis(
        "", None, moment, moment, kwh, (meter,), (day,), None, None, quality, AnomalySummary(0, 2.0, {}, ()),
        Forecast("none", (), 0, "No day is complete."),
    )  # fmt: skip
