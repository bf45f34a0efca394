"""Forecasts of daily energy: models, their intervals, and how good they were on the site's own past.

The functions that take and give pandas (`forecast`, `forecast_appliances`, `decompose`, `make_history`) are
loaded when they are first used: a run does without pandas unless Prophet is asked for.
"""

from typing import Any

from .appliances import forecast_each, reconcile
from .backtest import backtest
from .history import MIN_COMPLETE_DAYS, ForecastError, History, Model, Prediction, Score
from .models import AUTO, MODELS
from .prophet_model import load_meanwhile
from .site import (
    UnknownModelError,
    check_model,
    forecast_parts,
    forecast_site,
    history_of,
    no_forecast,
    take_apart,
    warm_up,
)

__all__ = [
    "AUTO",
    "MIN_COMPLETE_DAYS",
    "MODELS",
    "ForecastError",
    "History",
    "Model",
    "Prediction",
    "Score",
    "UnknownModelError",
    "backtest",
    "check_model",
    "forecast_each",
    "forecast_parts",
    "forecast_site",
    "history_of",
    "load_meanwhile",
    "no_forecast",
    "reconcile",
    "take_apart",
    "warm_up",
]

_WITH_PANDAS = ("decompose", "forecast", "forecast_appliances", "make_history")


def __getattr__(name: str) -> Any:
    if name in _WITH_PANDAS:
        from . import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
