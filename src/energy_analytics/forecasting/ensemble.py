"""The ensemble: experts, a regression on the series' own past, and a pre-trained correction, weighed by their record."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from energy_analytics.forecasting.correction import Correction, tree_rows
from energy_analytics.forecasting.experts import Array
from energy_analytics.forecasting.features import make_features
from energy_analytics.forecasting.intervals import half_width_ratios, level_ratio, widening, width_factor
from energy_analytics.forecasting.panel import make_panel
from energy_analytics.forecasting.pooling import running_scores
from energy_analytics.forecasting.regression import own_regression

WINDOW_DAYS: Final = 800
"""Two years and a bit: older days no longer help next week."""
ORIGIN_STEP_DAYS: Final = 5
"""Not a multiple of 7, so that every horizon meets every weekday."""
ORIGINS: Final = 36
FIRST_ORIGIN: Final = 14
POWER: Final = 4.0
PRIOR_ERRORS: Final = 50.0
SCORE_HALF_LIFE_DAYS: Final = 90.0
ERROR_CAP: Final = 5.0


@dataclass(frozen=True, slots=True)
class Track:
    """Forecasts of one series made after each of the days `origins`, the last being the forecast itself.

    `mean`, `lower`, `upper` and `errors` (actual minus mean, NaN where not known) are (origins, H), in kWh.
    """

    origins: NDArray[np.int_]
    mean: Array
    lower: Array
    upper: Array
    errors: Array


def origins_of(days: int) -> NDArray[np.int_]:
    """Choose the days after which forecasts are made, counted back from the last day."""
    back = np.arange(ORIGINS) * ORIGIN_STEP_DAYS
    origins = days - 1 - back[::-1]
    return origins[(origins >= FIRST_ORIGIN - 1) | (origins == days - 1)]


def ensemble_tracks(daily_kwh: Array, *, horizon: int, level: float, correction: Correction) -> list[Track]:
    """Forecast (N, T) series that start on the same day, from the last day and from earlier ones; NaN is missing."""
    daily_kwh = daily_kwh[:, -WINDOW_DAYS:]
    panel = make_panel(daily_kwh, horizon=horizon)
    series, days = daily_kwh.shape
    features = make_features(panel, np.arange(days))
    own = own_regression(panel, features)
    pair = np.stack([panel.combined, own], axis=2)
    scores = running_scores(pair, panel.daily_kwh, panel.observed, panel.scale)
    origins = origins_of(days)
    base, scale = panel.combined[:, origins], panel.scale[:, origins, None]
    shape = base.shape
    own_score = np.broadcast_to((scores[:, origins, 1] / scores[:, origins, 0])[:, :, None], shape)
    rows = tree_rows(features[:, origins], (own[:, origins] - base) / scale, own_score)
    median, low, high = (
        base + scale * trees.predict(rows).reshape(shape)
        for trees in (correction.median, correction.lower, correction.upper)
    )
    candidates = np.stack([base, own[:, origins], median], axis=2)
    day = np.minimum(origins[:, None] + np.arange(1, horizon + 1), days - 1)
    seen = origins[:, None] + np.arange(1, horizon + 1) < days
    actual = np.where(seen & panel.observed[:, day], panel.daily_kwh[:, day], np.nan)
    mean = _weigh(np.maximum(candidates, 0.0), actual, scale, origins)
    stretch = level_ratio(level)
    smallest = 0.02 * scale
    lower_half = widening(stretch * np.maximum(mean - low, smallest))
    upper_half = widening(stretch * np.maximum(high - mean, smallest))
    return [
        _calibrated(origins, mean[n], lower_half[n], upper_half[n], actual[n] - mean[n], level)
        for n in range(series)
    ]


def _known(origins: NDArray[np.int_], horizon: int) -> NDArray[np.bool_]:
    """Whether the error of origin j at h days ahead is known at origin i: (i, j, H)."""
    return (origins[None, :, None] + np.arange(1, horizon + 1)) <= origins[:, None, None]


def _weigh(candidates: Array, actual: Array, scale: Array, origins: NDArray[np.int_]) -> Array:
    """Average (N, origins, 3, H) candidates by their errors known at each origin; the last one starts ahead."""
    horizon = candidates.shape[3]
    error = np.abs(candidates - actual[:, :, None]) / scale[..., None]
    valid = ~np.isnan(error)
    error = np.where(valid, np.minimum(error, ERROR_CAP), 0.0)
    age = origins[:, None] - origins[None, :]
    weight = _known(origins, horizon) * (0.5 ** (np.maximum(age, 0) / SCORE_HALF_LIFE_DAYS))[:, :, None]
    total = np.einsum("ijh,njch->nic", weight, error)
    count = np.einsum("ijh,njch->nic", weight, valid.astype(float))
    prior = np.array([1.02, 1.02, 0.98])
    usual = (total.sum(axis=2, keepdims=True) + 1e-6) / (count.sum(axis=2, keepdims=True) + 1e-6)
    score = (total + PRIOR_ERRORS * prior * usual + 1e-9) / (count + PRIOR_ERRORS)
    share = PRIOR_SHARES * (score.min(axis=2, keepdims=True) / score) ** POWER
    return np.asarray(np.einsum("nic,nich->nih", share / share.sum(axis=2, keepdims=True), candidates))


PRIOR_SHARES: Final = np.array([0.1, 0.1, 0.8])


def _calibrated(
    origins: NDArray[np.int_], mean: Array, lower_half: Array, upper_half: Array, errors: Array, level: float
) -> Track:
    ratios = half_width_ratios(errors, lower_half, upper_half)
    known = _known(origins, mean.shape[1]) & ~np.isnan(ratios)[None]
    ages = (origins[:, None, None] - origins[None, :, None]) * np.ones((1, 1, mean.shape[1]))
    factors = np.array(
        [width_factor(ratios[known[i]], ages[i][known[i]], level=level) for i in range(len(origins))]
    )[:, None]
    return Track(
        origins,
        mean,
        np.maximum(mean - factors * lower_half, 0.0),
        np.maximum(mean + factors * upper_half, 0.0),
        errors,
    )
