"""The order of the stages: from the readings of a site to everything that is worth knowing about them."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from .. import schema
from ..aggregate import (
    appliance_totals,
    complete_days,
    create_daily,
    create_days,
    create_hourly,
    day_totals,
    gaps,
    peak_and_baseload,
    statistics,
    steps_minutes,
)
from ..anomalies import Level, create_anomalies, summarise
from ..calendar import clock, public_holidays
from ..engine import literal
from ..forecasting import (
    History,
    check_model,
    forecast_parts,
    forecast_site,
    history_of,
    no_forecast,
    take_apart,
)
from ..history import SiteHistory
from ..hours import Hours, create_hours
from ..idle import idle_levels
from ..money import forget, measure
from ..outputs import write_anomalies
from ..results import Analysis, ApplianceForecast, DayTotal, Decomposition, Forecast, Quality
from ..settings import Settings
from ..tariff import TariffError
from ..unusual import looked_at, unusual_episodes
from ..weather import read_temperatures
from .doubts import doubts, of_uploads
from .pricing import Terms, price_forecast, price_history, terms_of

Progress = Callable[[str, duckdb.DuckDBPyConnection, int | None], None]
"""Told each stage as it begins, the engine that can say how far a query is, and about how many rows there are."""

STAGES: Final = ("Reading", "Adding up", "Looking for anomalies", "Forecasting", "Writing the report")


@dataclass(frozen=True, slots=True)
class Tables:
    """Names of the tables that an analysis leaves in the engine."""

    hourly: str
    daily: str
    hours_in_order: bool
    """Whether the hours come in an order that does not depend on how the readings lie in files."""
    costs: str
    """Of appliances on days, with what they emitted; an SQL relation."""


class NoUseError(TariffError):
    """All registers that have been read feed in, so that nothing is known yet of what the site uses."""


def silent(stage: str, engine: duckdb.DuckDBPyConnection, rows: int | None) -> None:
    """Tell nobody."""


def check_settings(settings: Settings) -> None:
    """Raise what a run would raise for a wrong setting, of any site, before anything is uploaded."""
    for one in (settings, *map(settings.for_site, settings.sites)):
        check_model(one.model)
        terms_of(one)
        public_holidays(one.holidays_country, one.holidays_region, date(2026, 1, 1), date(2026, 1, 1))
        if one.temperature_file is not None:
            read_temperatures(one.temperature_file)


def analyse(
    engine: duckdb.DuckDBPyConnection,
    history: SiteHistory,
    settings: Settings,
    *,
    site: str,
    episodes_before: Sequence[Mapping[str, Any]],
    anomalies_file: Path,
    progress: Progress,
    pool: ThreadPoolExecutor,
) -> tuple[Analysis, Tables]:
    """Work out everything about a site's readings.

    What is seen in its past and ahead of it is worked out in two threads of `pool`, while the engine adds up. Writes
    nothing outside the engine but the anomalies, of which there may be millions, to `anomalies_file`.
    """
    progress(STAGES[1], engine, history.rows_accepted)
    terms = terms_of(settings)
    all_hours = history.hours or create_hours(engine, history.readings)
    steps_of_exports, readings, hours = _set_exports_apart(engine, history.readings, all_hours, terms)
    days_of_appliances = create_days(engine, hours)
    found = statistics(engine, days_of_appliances, hours)
    first, last = min(one.first for one in found.values()), max(one.last for one in found.values())
    wall = clock(settings.timezone, first, last)
    steps = steps_minutes(engine, readings, days_of_appliances)
    in_order = not terms.exports and (hours.added_up or len(history.uploads) == 1)
    hourly = create_hourly(engine, hours, days_of_appliances)
    ends = (one.last + timedelta(minutes=steps.get(name, 0.0)) for name, one in found.items())
    looking_back = pool.submit(
        unusual_episodes,
        looked_at(engine, readings, hourly, appliances=sorted(found)),
        before=episodes_before,
        alarms_per_appliance_month=settings.alarms_per_appliance_month,
        readings_end=max(ends),
    )
    daily = create_daily(engine, days_of_appliances, hours, steps=steps, wall=wall)
    appliances = appliance_totals(engine, hourly, found, steps)
    days = day_totals(engine, daily, largest=[one.appliance for one in appliances])
    order = [one.appliance for one in appliances]
    looking_ahead = pool.submit(_look_ahead, days, complete_days(engine, daily, order), settings)
    whole = tuple(day.day for day in days if day.complete)
    peak, baseload = peak_and_baseload(engine, hourly, steps=steps, complete_days=whole)
    missing = gaps(engine, readings, daily)
    load = measure(
        engine,
        history.readings,
        steps=steps_of_exports | steps,
        wall=wall,
        exports=terms.exports,
        hours=all_hours,
    )

    progress(STAGES[2], engine, history.rows_accepted)
    levels = {name: Level(one.avg_kwh, one.std_kwh) for name, one in found.items() if one.std_kwh is not None}
    anomalies = create_anomalies(engine, readings, levels, sigma=settings.sigma)
    summary = summarise(engine, anomalies, sigma=settings.sigma)
    write_anomalies(engine, anomalies_file)
    resting = idle_levels(engine, readings, hourly, appliances=order, steps=steps, last=last)
    money, costs = price_history(engine, load, terms, appliances=order)
    episodes = looking_back.result()

    progress(STAGES[3], engine, history.rows_accepted)
    ahead = looking_ahead.result()
    money = price_forecast(engine, load, terms, money, ahead.forecast)
    forget(engine, load)
    analysis = Analysis(
        site=site,
        timezone=settings.timezone,
        first=first,
        last=last,
        total_kwh=sum(one.total_kwh for one in appliances),
        appliances=appliances,
        days=days,
        peak_hour=peak,
        baseload_kw=baseload,
        quality=Quality(
            rows_read=history.rows_accepted + sum(history.rejected_by_reason.values()),
            rows_accepted=history.rows_accepted,
            rejected_by_reason=history.rejected_by_reason,
            replaced_by_later_upload=history.replaced_by_later_upload,
            gap_count=missing.count,
            missing_intervals=missing.missing_intervals,
            longest_gaps=missing.longest,
            incomplete_days=tuple(day.day for day in days if not day.complete),
            notes=_notes(history),
            doubts=(*doubts(engine, hourly, days), *of_uploads(history, settings)),
        ),
        anomalies=summary,
        episodes=episodes,
        forecast=ahead.forecast,
        appliance_forecasts=ahead.appliances,
        decomposition=ahead.decomposition,
        idle_levels=resting,
        temperature_c=None if settings.temperature_file is None else read_temperatures(settings.temperature_file),
        money=money,
    )
    return analysis, Tables(hourly, daily, in_order, costs)


def _set_exports_apart(
    engine: duckdb.DuckDBPyConnection, readings: str, hours: Hours, terms: Terms
) -> tuple[dict[str, float], str, Hours]:
    """Return the steps of registers that feed in, and the readings and hours without theirs.

    What a site feeds in is no part of its use, its peaks or its forecast.
    """
    if not terms.exports:
        return {}, readings, hours
    steps = steps_minutes(engine, readings, create_days(engine, hours))
    used = f"appliance NOT IN ({', '.join(map(literal, sorted(terms.exports)))})"
    if not engine.execute(f"SELECT 1 FROM {hours.relation} WHERE {used} LIMIT 1").fetchall():
        raise NoUseError(
            "export_appliances names every register of the site that has been read, so that no use is left. The "
            "readings are kept, and count from the first upload of what the site takes. Leave out of "
            "export_appliances what does not feed in."
        )
    return (
        {name: step for name, step in steps.items() if name in terms.exports},
        f"(SELECT * FROM {readings} WHERE {used})",
        replace(hours, relation=f"(SELECT * FROM {hours.relation} WHERE {used})"),
    )


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the site's days say of the next ones."""

    forecast: Forecast
    appliances: tuple[ApplianceForecast, ...]
    decomposition: Decomposition | None


def _look_ahead(
    days: Sequence[DayTotal], of_appliances: Mapping[str, Mapping[date, float]], settings: Settings
) -> Outlook:
    if not any(day.complete for day in days):
        return Outlook(no_forecast(), (), None)
    history = history_with_inputs(days, settings)
    forecast = forecast_site(history, model=settings.model, temperature_given=settings.temperature_file is not None)
    return Outlook(forecast, forecast_parts(history, of_appliances, forecast), take_apart(history))


def history_with_inputs(days: Sequence[DayTotal], settings: Settings) -> History:
    """Return the history that models learn from, with the holidays and temperatures that the settings name."""
    last = days[-1].day + timedelta(days=schema.HORIZON_DAYS)
    return history_of(
        days,
        holidays=public_holidays(settings.holidays_country, settings.holidays_region, days[0].day, last),
        temperature_c=None if settings.temperature_file is None else read_temperatures(settings.temperature_file),
    )


def _notes(history: SiteHistory) -> tuple[str, ...]:
    unusual = sorted(history.encodings - {"UTF-8"})
    return (f"Text was read as {' and '.join(unusual)}.",) if unusual else ()
