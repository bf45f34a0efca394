"""Forecasts of daily energy: models, their intervals, and how good they were on the site's own past."""

from energy_analytics.forecasting.api import decompose, forecast, forecast_appliances, make_history
from energy_analytics.forecasting.appliances import forecast_each, reconcile
from energy_analytics.forecasting.backtest import backtest
from energy_analytics.forecasting.history import (
    MIN_COMPLETE_DAYS,
    ForecastError,
    History,
    Model,
    Prediction,
    Score,
)
from energy_analytics.forecasting.models import MODELS

__all__ = [
    "MIN_COMPLETE_DAYS",
    "MODELS",
    "ForecastError",
    "History",
    "Model",
    "Prediction",
    "Score",
    "backtest",
    "decompose",
    "forecast",
    "forecast_appliances",
    "forecast_each",
    "make_history",
    "reconcile",
]
