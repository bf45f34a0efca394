"""The next seven days of a site's energy, from its complete days."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from ..results import DayTotal, Forecast, ForecastDay
from ..schema import HORIZON_DAYS
from .moving_average import moving_average
from .prophet import ProphetError, load_meanwhile, prophet
from .series import FEWEST_COMPLETE_DAYS, History, Prediction

__all__ = [
    "FEWEST_COMPLETE_DAYS",
    "MODELS",
    "History",
    "Prediction",
    "UnknownModelError",
    "check_model",
    "forecast_days",
    "warm_up",
]

MODELS: Final[dict[str, Callable[..., Prediction]]] = {
    "prophet": prophet,
    "moving_average": moving_average,
}

_HARDLY_BEGUN: Final = 0.5
"""A last day with less than this share of its readings is forecast, not skipped."""


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


def forecast_days(days: Sequence[DayTotal], *, model: str) -> Forecast:
    """Forecast the seven days after the last one read, in kWh per day, with 80 % prediction intervals.

    Learns from complete days only. Below 14 of them the moving average takes over, and also when Prophet
    cannot be fitted; without any there is no forecast.
    """
    check_model(model)
    complete = sum(day.complete for day in days)
    if complete == 0:
        return Forecast("none", (), 0, "No day of the history is complete, so there is nothing to learn from.")
    known = list(days)
    if known[-1].coverage < _HARDLY_BEGUN and not known[-1].complete and len(known) > 1:
        known.pop()
    history = _history(known)
    why = ""
    if complete < FEWEST_COMPLETE_DAYS and model != "moving_average":
        model = "moving_average"
        why = f"The history has only {_days(complete)}, and a model of the week needs {FEWEST_COMPLETE_DAYS}. "
    try:
        prediction = MODELS[model](history, horizon_days=HORIZON_DAYS)
    except ProphetError as error:
        model, why = "moving_average", f"{error}. "
        prediction = moving_average(history, horizon_days=HORIZON_DAYS)
    first = known[-1].day + timedelta(days=1)
    ahead = zip(prediction.mean.tolist(), prediction.lower.tolist(), prediction.upper.tolist(), strict=True)
    return Forecast(
        model=model,
        days=tuple(ForecastDay(first + timedelta(days=n), *values) for n, values in enumerate(ahead)),
        trained_on_days=complete,
        assumption=why + _ASSUMPTIONS[model],
    )


_ASSUMPTIONS: Final = {
    "prophet": (
        "Prophet continues the trend and the weekly pattern of the complete days; it knows nothing of weather, "
        "holidays or the season."
    ),
    "moving_average": "Each coming day is taken to be like the mean of the last seven complete days.",
}


def _days(count: int) -> str:
    return "1 complete day" if count == 1 else f"{count} complete days"


def _history(days: Sequence[DayTotal]) -> History:
    first = days[0].day
    daily_kwh = np.full((days[-1].day - first).days + 1, np.nan)
    for day in days:
        if day.complete:
            daily_kwh[(day.day - first).days] = day.kwh
    return History(first, daily_kwh)
