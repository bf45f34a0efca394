"""Prophet with the specification's settings."""

import contextlib
import importlib
import logging
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import numpy as np

from energy_analytics.forecasting.history import History, Prediction

SEED: Final = 20260220
"""Seed of the sampled band."""
_PLOTTING: Final = ("matplotlib", "plotly")


@cache
def _prophet_class() -> Any:
    """Import Prophet without its plotting, which we never use and which takes half of the import's time."""
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # says that plotting is missing
    hidden = {name: sys.modules.get(name) for name in _PLOTTING}
    try:
        for name, module in hidden.items():
            if module is None:
                sys.modules[name] = None  # type: ignore[assignment]
        found = importlib.import_module("prophet").Prophet
    finally:
        for name, module in hidden.items():
            if module is None:
                del sys.modules[name]
    for name in ("prophet", "cmdstanpy"):  # cmdstanpy sets a level of its own when it is first used
        logging.getLogger(name).disabled = True
    return found


@contextlib.contextmanager
def _apart() -> Iterator[None]:
    """Seed the global generator that Prophet samples from and give it back as it was; drop its deprecation
    warnings.

    They are about how the package calls pandas: a user can do nothing about them.
    """
    before = np.random.get_state()
    np.random.seed(SEED)
    try:
        with warnings.catch_warnings():
            for category in (DeprecationWarning, FutureWarning):
                warnings.simplefilter("ignore", category)
            yield
    finally:
        np.random.set_state(before)


def fit_prophet(history: History, *, horizon_days: int, level: float) -> Prediction:
    """Fit Prophet as specified: weekly season only, changepoint prior 0.05, its own sampled band, cut at
    zero."""
    import pandas as pd  # noqa: PLC0415 - only Prophet needs it here

    days = pd.date_range(history.first_day, periods=len(history.daily_kwh) + horizon_days, freq="D")
    frame = pd.DataFrame({"ds": days[: len(history.daily_kwh)], "y": history.daily_kwh}).dropna()
    with _apart():
        model = _prophet_class()(
            daily_seasonality=False,
            weekly_seasonality=True,
            yearly_seasonality=False,
            changepoint_prior_scale=0.05,
            interval_width=level,
        )
        model.fit(frame)
        made = model.predict(pd.DataFrame({"ds": days[len(history.daily_kwh) :]}))
    mean, lower, upper = (
        np.maximum(made[column].to_numpy(dtype=np.float64), 0.0)
        for column in ("yhat", "yhat_lower", "yhat_upper")
    )
    return Prediction("prophet", mean, np.minimum(lower, mean), np.maximum(upper, mean))
