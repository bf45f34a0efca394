"""The models that any other has to beat: last week again, and the mean of the last seven days."""

from statistics import NormalDist
from typing import Final

import numpy as np

from .experts import WEEK, Array, trailing_mean
from .history import MIN_COMPLETE_DAYS, History, Prediction
from .panel import fill_gaps

BAND_DAYS: Final = 365
"""Errors older than this no longer set the band."""
SMALLEST_SPREAD_SHARE: Final = 0.2
"""With a handful of days, the spread taken is at least this share of their mean."""


def moving_average(history: History, *, horizon_days: int, level: float) -> Prediction:
    """Repeat the mean of the last 7 complete days; the band is that of its own past errors, or of the days'
    spread."""
    known = history.daily_kwh[~np.isnan(history.daily_kwh)]
    mean = np.full(horizon_days, known[-WEEK:].mean())
    if known.size < MIN_COMPLETE_DAYS:
        half = _short_history_half_width(known, horizon_days=horizon_days, level=level)
        note = (
            f"{known.size} complete days of history: the mean of the last {min(known.size, WEEK)} days with "
            f"a wide interval; from {MIN_COMPLETE_DAYS} complete days on there is a model."
        )
    else:
        filled, observed = fill_gaps(history.daily_kwh[None, -BAND_DAYS:])
        made = trailing_mean(filled, WEEK)[0]
        errors = [np.abs(filled[0, h:] - made[:-h])[observed[0, h:]] for h in _horizons(horizon_days, filled.shape[1])]
        half = _quantiles(errors, horizon_days=horizon_days, level=level)
        note = ""
    return Prediction("moving_average", mean, np.maximum(mean - half, 0.0), mean + half, note=note)


def seasonal_naive(history: History, *, horizon_days: int, level: float) -> Prediction:
    """Repeat the latest complete day of each weekday; the band is that of its own past errors."""
    if history.complete_days < MIN_COMPLETE_DAYS:
        return moving_average(history, horizon_days=horizon_days, level=level)
    daily = history.daily_kwh
    usual = daily[~np.isnan(daily)][-WEEK:].mean()
    mean = np.empty(horizon_days)
    for ahead in range(horizon_days):
        same = daily[(len(daily) + ahead) % WEEK :: WEEK]
        same = same[~np.isnan(same)]
        mean[ahead] = same[-1] if same.size else usual
    recent = daily[-BAND_DAYS:]
    errors = []
    for h in _horizons(horizon_days, len(recent) - 1):
        back = WEEK * ((h + WEEK - 1) // WEEK)
        difference = np.abs(recent[back:] - recent[:-back])
        errors.append(difference[~np.isnan(difference)])
    half = _quantiles(errors, horizon_days=horizon_days, level=level)
    return Prediction("seasonal_naive", mean, np.maximum(mean - half, 0.0), mean + half)


def _horizons(horizon_days: int, days: int) -> range:
    return range(1, min(horizon_days, days - WEEK) + 1)


def _quantiles(errors: list[Array], *, horizon_days: int, level: float) -> Array:
    """The `level` quantile of the absolute errors of each day ahead, never narrower than the day before."""
    half = np.zeros(horizon_days)
    widest = 0.0
    for ahead in range(horizon_days):
        if ahead < len(errors) and errors[ahead].size:
            wanted = min(level * (1 + 1 / errors[ahead].size), 1.0)
            widest = max(widest, float(np.quantile(errors[ahead], wanted)))
        half[ahead] = widest
    return half


def _short_history_half_width(known: Array, *, horizon_days: int, level: float) -> Array:
    """Student's t for the next day given a few, wider by the day since levels drift."""
    spread = max(float(known.std(ddof=1)) if known.size > 1 else 0.0, SMALLEST_SPREAD_SHARE * float(known.mean()))
    freedom = max(known.size - 1, 1)
    student = NormalDist().inv_cdf(0.5 + level / 2) * (1 + 0.7 / freedom + 0.7 / freedom**2)
    drift = np.sqrt(1 + 1 / known.size + np.arange(horizon_days) / 10)
    return np.asarray(student * spread * drift)
