"""Forecasts of daily energy: models, their intervals, and how good they were on the site's own past.

The functions that take and give pandas objects are loaded when first used: the models need numpy alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from energy_analytics.forecasting.appliances import forecast_each, reconcile
from energy_analytics.forecasting.backtest import backtest
from energy_analytics.forecasting.decomposition import decompose_days
from energy_analytics.forecasting.history import (
    MIN_COMPLETE_DAYS,
    ForecastError,
    History,
    Model,
    Prediction,
    Score,
)
from energy_analytics.forecasting.models import MODELS

if TYPE_CHECKING:
    from energy_analytics.forecasting.api import decompose, forecast, forecast_appliances, make_history

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
    "decompose_days",
    "forecast",
    "forecast_appliances",
    "forecast_each",
    "make_history",
    "reconcile",
]

_WITH_PANDAS: Final = ("decompose", "forecast", "forecast_appliances", "make_history")


def __getattr__(name: str) -> Any:
    """Load what needs pandas when it is asked for."""
    if name in _WITH_PANDAS:
        return getattr(import_module("energy_analytics.forecasting.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
