"""From a site's days to its forecast: which days count, where the forecast begins, what it rests on."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np

from ..results import ApplianceForecast, DayTotal, Decomposition, Forecast, ForecastDay, ModelScore
from ..schema import HORIZON_DAYS, INTERVAL_LEVEL
from .appliances import forecast_each, reconcile
from .baselines import moving_average
from .decomposition import decompose_days
from .experts import Array, Mask
from .history import MIN_COMPLETE_DAYS, History, Prediction
from .models import ENSEMBLE, MODELS
from .prophet_model import load_meanwhile

_HARDLY_BEGUN: Final = 0.5
"""A last day with less than this share of its readings is forecast, not skipped."""
_FORECAST_CLOSELY: Final = 50
"""Appliances that the ensemble forecasts each on its own, the largest; the rest get a moving average."""

_ASSUMPTIONS: Final = {
    "prophet": (
        "Prophet continues the trend and the weekly pattern of the complete days; it knows nothing of weather, "
        "holidays or the season."
    ),
    "moving_average": "Each coming day is taken to be like the mean of the last seven complete days.",
    "seasonal_naive": "Each coming day is taken to be like the same weekday of the last week.",
    "ensemble": (
        "The coming days are taken to follow the level, the weekly pattern and, where there are years of history, "
        "the season of the complete days, each as far as it has held so far."
    ),
}


class UnknownModelError(ValueError):
    """The setting names a model that does not exist."""


def check_model(model: str) -> None:
    """Raise UnknownModelError when there is no such model."""
    if model not in MODELS:
        raise UnknownModelError(f"There is no model {model!r}; the models are {', '.join(MODELS)}.")


def warm_up(model: str) -> None:
    """Load in the background what the model will need."""
    if model == "prophet":
        load_meanwhile()


def history_of(
    days: Sequence[DayTotal],
    *,
    holidays: frozenset[date] = frozenset(),
    temperature_c: Mapping[date, float] | None = None,
) -> History:
    """Return the site's history, up to its last day or, if that has hardly begun, the day before.

    Holidays and temperatures cover the seven days ahead; temperatures that do not are left out.
    """
    known = list(days)
    if len(known) > 1 and not known[-1].complete and known[-1].coverage < _HARDLY_BEGUN:
        known.pop()
    first = known[0].day
    count = (known[-1].day - first).days + 1
    daily_kwh = np.full(count, np.nan)
    for day in known:
        if day.complete:
            daily_kwh[(day.day - first).days] = day.kwh
    span = [first + timedelta(days=n) for n in range(count + HORIZON_DAYS)]
    return History(
        first,
        daily_kwh,
        holidays=_flags(span, holidays),
        temperature_c=_temperatures(span, temperature_c),
    )


def forecast_site(history: History, *, model: str, temperature_given: bool = False) -> Forecast:
    """Forecast the seven days after the history, with 80 % prediction intervals.

    Learns from complete days only; without any there is no forecast. When Prophet cannot be fitted the moving
    average takes its place. `temperature_given` tells that temperatures were given, whether or not they reach
    far enough to be in the history.
    """
    check_model(model)
    why = ""
    try:
        made = MODELS[model](history, horizon_days=HORIZON_DAYS, level=INTERVAL_LEVEL)
    except (ImportError, RuntimeError) as error:
        why = f"The model {model} could not be used ({error}). "
        made = moving_average(history, horizon_days=HORIZON_DAYS, level=INTERVAL_LEVEL)
    if history.complete_days < MIN_COMPLETE_DAYS:
        days = "1 complete day" if history.complete_days == 1 else f"{history.complete_days} complete days"
        why += f"The history has only {days}, and a model of the week needs {MIN_COMPLETE_DAYS}. "
    return Forecast(
        model=made.model,
        days=_days(history, made),
        trained_on_days=history.complete_days,
        assumption=why + _ASSUMPTIONS[made.model] + _known_inputs(history, made.model, temperature_given),
        measured_coverage=made.measured_coverage,
        scores=tuple(
            ModelScore(one.model, one.mase, one.wape, one.coverage, one.origins, one.days, one.seconds)
            for one in made.scores
        ),
    )


def _known_inputs(history: History, model: str, temperature_given: bool) -> str:
    told = ""
    if model == ENSEMBLE and history.holidays is not None:
        told += " Public holidays are known to it."
    if model == ENSEMBLE and history.temperature_c is not None:
        told += " The temperatures given for the coming days are taken as certain."
    if temperature_given and history.temperature_c is None:
        told += " The temperatures given do not cover the seven days ahead and are not used."
    return told


def no_forecast() -> Forecast:
    """Return the forecast of a site without a complete day."""
    return Forecast("none", (), 0, "No day of the history is complete, so there is nothing to learn from.")


def forecast_parts(
    site: History, daily_kwh: Mapping[str, Mapping[date, float]], total: Forecast
) -> tuple[ApplianceForecast, ...]:
    """Forecast each appliance so that the forecasts of a day sum to the site's.

    `daily_kwh` has the complete days of each appliance, the largest appliance first. Appliances without any
    share what the others leave.
    """
    histories = {name: History(site.first_day, _series(site, own)) for name, own in daily_kwh.items() if own}
    histories = {name: own for name, own in histories.items() if own.complete_days}
    closely = list(histories)[:_FORECAST_CLOSELY]
    parts = forecast_each({name: histories[name] for name in closely}, horizon_days=HORIZON_DAYS, level=INTERVAL_LEVEL)
    for name in list(histories)[_FORECAST_CLOSELY:]:
        parts[name] = moving_average(histories[name], horizon_days=HORIZON_DAYS, level=INTERVAL_LEVEL)
    fitted = reconcile(parts, np.array([day.yhat for day in total.days]))
    return tuple(ApplianceForecast(name, part.model, _days(site, part)) for name, part in fitted.items())


def take_apart(history: History) -> Decomposition:
    """Split the site's days into trend, weekly and yearly shape and the rest."""
    trend, weekly, yearly, residual = decompose_days(history.daily_kwh)
    return Decomposition(
        first_day=history.first_day,
        kwh=tuple(history.daily_kwh.tolist()),
        trend_kwh=tuple(trend.tolist()),
        weekly_kwh=tuple(weekly.tolist()),
        yearly_kwh=tuple(yearly.tolist()),
        residual_kwh=tuple(residual.tolist()),
    )


def _days(history: History, made: Prediction) -> tuple[ForecastDay, ...]:
    first = history.first_day + timedelta(days=len(history.daily_kwh))
    values = zip(made.mean.tolist(), made.lower.tolist(), made.upper.tolist(), strict=True)
    return tuple(ForecastDay(first + timedelta(days=n), *ends) for n, ends in enumerate(values))


def _series(site: History, own: Mapping[date, float]) -> Array:
    daily_kwh = np.full(len(site.daily_kwh), np.nan)
    for day, kwh in own.items():
        position = (day - site.first_day).days
        if position < len(daily_kwh):
            daily_kwh[position] = kwh
    return daily_kwh


def _flags(span: Sequence[date], holidays: frozenset[date]) -> Mask | None:
    return np.array([day in holidays for day in span]) if holidays else None


def _temperatures(span: Sequence[date], temperature_c: Mapping[date, float] | None) -> Array | None:
    """Align by day; a gap in the past takes the last value before it, one in the days ahead spoils all."""
    if not temperature_c or any(day not in temperature_c for day in span[-HORIZON_DAYS:]):
        return None
    aligned = np.array([temperature_c.get(day, np.nan) for day in span])
    known = np.flatnonzero(~np.isnan(aligned))
    return aligned[known[np.maximum(np.searchsorted(known, np.arange(len(span)), side="right") - 1, 0)]]
