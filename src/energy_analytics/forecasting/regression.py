"""Ridge regressions of a series' forecast errors, fitted anew every week on what was known by then."""

from typing import Final

import numpy as np

from .experts import WEEK, Array, Mask, trailing_mean
from .features import NAMES
from .panel import Panel

OWN_PENALTY: Final = 500.0
"""In squared usual changes: what the series must say before a coefficient is believed."""
INPUT_PENALTY: Final = 5.0
HALF_LIFE_WEEKS: Final = 39.0
ROW_BOUND: Final = 5.0
ERROR_BOUND: Final = 3.0
"""Inputs and errors beyond this many usual changes count as this much."""
HEATING_BELOW_C: Final = 15.5
COOLING_ABOVE_C: Final = 20.0
DEGREES_PER_UNIT: Final = 5.0
"""Brings degrees to the size of the other inputs."""
USED: Final = tuple(
    position
    for position, name in enumerate(NAMES)
    if name.startswith(("day_minus_", "family_", "mean_", "bias_", "profile_short", "profile_long"))
    or name in ("same_weekday_1", "same_weekday_2", "same_weekday_mean")
)


def own_regression(panel: Panel, features: Array) -> Array:
    """Predict the combination's error from the series' own (N, T, H, features) and the weekday: (N, T, H)
    kWh."""
    days, horizon = panel.combined.shape[1:]
    weekday = (np.arange(days)[:, None] + np.arange(1, horizon + 1)) % WEEK
    inputs = np.clip(np.nan_to_num(features[..., USED]), -ROW_BOUND, ROW_BOUND)
    rows = np.concatenate([inputs, np.broadcast_to(np.eye(WEEK)[weekday], (*inputs.shape[:3], WEEK))], axis=3)
    return _weekly_ridge(panel, rows, penalty=OWN_PENALTY, error_bound=ERROR_BOUND)


def input_regression(panel: Panel, *, holidays: Mask | None, temperature_c: Array | None) -> Array:
    """Predict the combination's error from inputs known ahead, each compared with the last week: (N, T, H)
    kWh.

    `holidays` and `temperature_c` cover the days and the horizon. Temperature enters as heating and cooling
    degrees.
    """
    series, days, horizon = panel.combined.shape
    columns = []
    if temperature_c is not None:
        heating = np.maximum(HEATING_BELOW_C - temperature_c, 0)
        cooling = np.maximum(temperature_c - COOLING_ABOVE_C, 0)
        for degrees in (heating, cooling):
            columns += _against_last_week(degrees / DEGREES_PER_UNIT, days, horizon)
    if holidays is not None:
        columns += _against_last_week(holidays.astype(np.float64), days, horizon)
    rows = np.broadcast_to(np.stack(columns, axis=2), (series, days, horizon, len(columns)))
    return _weekly_ridge(panel, rows, penalty=INPUT_PENALTY, error_bound=np.inf)


def _against_last_week(values: Array, days: int, horizon: int) -> list[Array]:
    """The target day, the day before it and a week before it, minus the mean of the 7 days to the origin."""
    usual = trailing_mean(values[None], WEEK)[0, :days, None]
    target = np.arange(days)[:, None] + np.arange(1, horizon + 1)
    return [values[np.maximum(target - back, 0)] - usual for back in (0, 1, WEEK)]


def _weekly_ridge(panel: Panel, rows: Array, *, penalty: float, error_bound: float) -> Array:
    """Regress the errors, in usual changes, on (N, T, H, inputs); predict them for every day and horizon,
    in kWh.

    The fit that a day uses has seen only weeks that ended by then, and only errors whose day had come.
    """
    series, days, horizon, width = rows.shape
    weeks = days // WEEK
    correction = np.zeros((series, days, horizon))
    if weeks < 2:
        return correction
    known = np.zeros((series, days, horizon, width))
    error = np.zeros((series, days, horizon))
    for h in range(1, min(horizon, days - 1) + 1):
        seen = panel.observed[:, h:]
        known[:, h:, h - 1] = rows[:, :-h, h - 1] * seen[..., None]
        missed = (panel.daily_kwh[:, h:] - panel.combined[:, :-h, h - 1]) / panel.scale[:, :-h]
        error[:, h:, h - 1] = np.clip(missed, -error_bound, error_bound) * seen
    weekly_rows = known[:, : weeks * WEEK].reshape(series, weeks, WEEK * horizon, width)
    weekly_errors = error[:, : weeks * WEEK].reshape(series, weeks, WEEK * horizon, 1)
    transposed = weekly_rows.transpose(0, 1, 3, 2)
    square, product = transposed @ weekly_rows, transposed @ weekly_errors
    keep = 0.5 ** (1 / HALF_LIFE_WEEKS)
    for week in range(1, weeks):
        square[:, week] += keep * square[:, week - 1]
        product[:, week] += keep * product[:, week - 1]
    fitted = np.linalg.solve(square + penalty * np.eye(width), product)[..., 0]
    fit_of_day = (np.arange(days) + 1) // WEEK - 1
    usable = fit_of_day >= 1
    correction[:, usable] = np.einsum("nthp,ntp->nth", rows[:, usable], fitted[:, fit_of_day[usable]])
    return np.asarray(correction * panel.scale[:, :, None])
