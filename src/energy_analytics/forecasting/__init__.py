"""Forecasts of daily energy: models, their intervals, and how good they were on the site's own past.

The functions that take and give pandas are in `api`, which is imported where they are used.
"""

from .appliances import forecast_each, reconcile
from .backtest import backtest
from .history import MIN_COMPLETE_DAYS, ForecastError, History, Model, Prediction, Score
from .models import MODELS
from .prophet_model import load_meanwhile
from .site import UnknownModelError, forecast_appliances, forecast_site, history_of, warm_up

__all__ = [
    "MIN_COMPLETE_DAYS",
    "MODELS",
    "ForecastError",
    "History",
    "Model",
    "Prediction",
    "Score",
    "UnknownModelError",
    "backtest",
    "forecast_appliances",
    "forecast_each",
    "forecast_site",
    "history_of",
    "load_meanwhile",
    "reconcile",
    "warm_up",
]
