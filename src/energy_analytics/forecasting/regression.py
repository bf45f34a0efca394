"""A ridge regression of a series on its own past, fitted anew every week: what the experts got wrong and could know."""

from typing import Final

import numpy as np

from energy_analytics.forecasting.experts import WEEK, Array
from energy_analytics.forecasting.features import NAMES
from energy_analytics.forecasting.panel import Panel

PENALTY: Final = 500.0
"""Ridge penalty in units of one squared usual change: about as much as 100 days must say."""
HALF_LIFE_WEEKS: Final = 39.0
ROW_BOUND: Final = 5.0
ERROR_BOUND: Final = 3.0
"""Inputs and errors beyond this many usual changes count as this much."""
USED: Final = tuple(
    position
    for position, name in enumerate(NAMES)
    if name.startswith(("day_minus_", "family_", "mean_", "bias_", "profile_short", "profile_long"))
    or name in ("same_weekday_1", "same_weekday_2", "same_weekday_mean")
)


def own_regression(panel: Panel, features: Array) -> Array:
    """Correct the combined forecast by a regression on (N, T, H, features), known day by day: (N, T, H) kWh.

    The fit that a day uses has seen only weeks that ended by then, and only errors whose day had come.
    """
    series, days, horizon = panel.combined.shape
    weekday = (np.arange(days)[:, None] + np.arange(1, horizon + 1)) % WEEK
    inputs = np.clip(np.nan_to_num(features[..., USED]), -ROW_BOUND, ROW_BOUND)
    rows = np.concatenate([inputs, np.broadcast_to(np.eye(WEEK)[weekday], (*inputs.shape[:3], WEEK))], axis=3)
    weeks = days // WEEK
    if weeks < 2:
        return panel.combined
    known = np.zeros((series, days, horizon, rows.shape[3]))
    error = np.zeros((series, days, horizon))
    for h in range(1, min(horizon, days - 1) + 1):
        seen = panel.observed[:, h:]
        known[:, h:, h - 1] = rows[:, :-h, h - 1] * seen[..., None]
        missed = (panel.daily_kwh[:, h:] - panel.combined[:, :-h, h - 1]) / panel.scale[:, :-h]
        error[:, h:, h - 1] = np.clip(missed, -ERROR_BOUND, ERROR_BOUND) * seen
    width = rows.shape[3]
    known = known[:, : weeks * WEEK].reshape(series, weeks, WEEK * horizon, width)
    error = error[:, : weeks * WEEK].reshape(series, weeks, WEEK * horizon, 1)
    transposed = known.transpose(0, 1, 3, 2)
    square, product = transposed @ known, transposed @ error
    keep = 0.5 ** (1 / HALF_LIFE_WEEKS)
    for week in range(1, weeks):
        square[:, week] += keep * square[:, week - 1]
        product[:, week] += keep * product[:, week - 1]
    fitted = np.linalg.solve(square + PENALTY * np.eye(width), product)[..., 0]
    fit_of_day = (np.arange(days) + 1) // WEEK - 1
    usable = fit_of_day >= 1
    correction = np.zeros((series, days, horizon))
    correction[:, usable] = np.einsum("nthp,ntp->nth", rows[:, usable], fitted[:, fit_of_day[usable]])
    return np.asarray(np.maximum(panel.combined + correction * panel.scale[:, :, None], 0.0))
