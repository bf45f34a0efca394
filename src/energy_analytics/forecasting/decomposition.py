"""A daily series taken apart: trend, shape of the week, shape of the year, and the rest."""

from typing import Final

import numpy as np

from .experts import WEEK, Array

TREND_DAYS: Final = 29
"""Width of the trend's centred mean without a yearly shape: four weeks and the day itself."""
LONG_TREND_DAYS: Final = 365
YEARLY_FROM_DAYS: Final = 730
"""A yearly shape needs two years: with less it cannot be told from a trend."""
YEARLY_ORDER: Final = 3
DAYS_PER_YEAR: Final = 365.25


def decompose_days(daily_kwh: Array) -> tuple[Array, Array, Array, Array]:
    """Split (T,) into trend, weekly, yearly and residual, kWh, which sum to it; the residual of a gap is NaN.

    Unlike the forecast this looks both ways in time. The weekly shape is the median of each weekday's
    distance from the mean of the week around it; the yearly shape a Fourier series of order 3.
    """
    days = np.arange(len(daily_kwh))
    known = ~np.isnan(daily_kwh)
    filled = np.interp(days, days[known], daily_kwh[known])
    around = _centred_mean(filled, WEEK)
    shape = np.zeros(WEEK)
    if known.sum() >= 2 * WEEK:
        distance = filled - around
        for weekday in range(WEEK):
            values = distance[weekday::WEEK][known[weekday::WEEK]]
            shape[weekday] = np.median(values) if values.size else 0.0
        shape -= shape.mean()
    weekly = shape[days % WEEK]
    rest = filled - weekly
    yearly = np.zeros(len(filled))
    if len(filled) >= YEARLY_FROM_DAYS:
        angle = 2 * np.pi * np.outer(days, np.arange(1, YEARLY_ORDER + 1)) / DAYS_PER_YEAR
        waves = np.column_stack([np.sin(angle), np.cos(angle)])
        level = np.column_stack([np.ones(len(days)), days / len(days)])
        fitted = np.linalg.lstsq(np.column_stack([level, waves])[known], rest[known], rcond=None)[0]
        yearly = waves @ fitted[2:]
    trend = _centred_mean(rest - yearly, LONG_TREND_DAYS if yearly.any() else TREND_DAYS)
    return trend, weekly, yearly, daily_kwh - trend - weekly - yearly


def _centred_mean(values: Array, days: int) -> Array:
    """Mean of the `days` around each day; at the ends of those that there are, as many on either side."""
    half = np.minimum(np.minimum(np.arange(len(values)), np.arange(len(values))[::-1]), days // 2)
    total = np.concatenate([[0.0], np.cumsum(values)])
    day = np.arange(len(values))
    return np.asarray((total[day + half + 1] - total[day - half]) / (2 * half + 1))
