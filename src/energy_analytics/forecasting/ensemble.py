"""The ensemble: experts, a regression on the series' own past, and a pre-trained correction, weighed by
their record."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .correction import Correction, tree_rows
from .experts import Array, Mask
from .features import make_features
from .history import MIN_MEASURED_DAYS, Prediction
from .intervals import half_width_ratios, level_ratio, widening, width_factor
from .level_shift import RETURN_SHARE, level_shifts
from .panel import Panel, make_panel
from .pooling import running_scores
from .regression import input_regression, own_regression

WINDOW_DAYS: Final = 800
"""Two years and a bit: older days no longer help next week."""
ORIGIN_STEP_DAYS: Final = 5
"""Not a multiple of 7, so that every horizon meets every weekday."""
ORIGINS: Final = 36
FIRST_ORIGIN: Final = 14
"""Days of history that the earliest scored forecast has."""
PRIOR_SHARES: Final = np.array([0.1, 0.1, 0.8])
"""Weights of the combination, the own regression and the pre-trained correction while their records are
equal."""
POWER: Final = 12.0
PRIOR_ERRORS: Final = 50.0
"""Errors of average size that each is credited with at the start."""
SCORE_HALF_LIFE_DAYS: Final = 90.0
ERROR_CAP: Final = 5.0
"""An error counts for at most this many usual changes in the record."""
SMALLEST_HALF_WIDTH: Final = 0.02
"""In usual changes, before calibration."""


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

    def prediction(self, model: str) -> Prediction:
        """Take the last forecast, with the coverage that the earlier ones had."""
        known = ~np.isnan(self.errors)
        actual = self.mean + self.errors
        inside = (actual >= self.lower) & (actual <= self.upper)
        coverage = float(inside[known].mean()) if known.sum() >= MIN_MEASURED_DAYS else None
        return Prediction(model, self.mean[-1], self.lower[-1], self.upper[-1], measured_coverage=coverage)


def origins_of(days: int) -> NDArray[np.int_]:
    """Choose the days after which forecasts are made, counted back from the last day."""
    origins = days - 1 - np.arange(ORIGINS)[::-1] * ORIGIN_STEP_DAYS
    return np.asarray(origins[(origins >= FIRST_ORIGIN - 1) | (origins == days - 1)])


def ensemble_tracks(
    daily_kwh: Array,
    *,
    horizon: int,
    level: float,
    correction: Correction,
    holidays: Mask | None = None,
    temperature_c: Array | None = None,
) -> list[Track]:
    """Forecast (N, T) series that share their days, from the last day and from earlier ones; NaN is missing.

    `holidays` and `temperature_c` are (T + horizon,). The origins of a track count from the first day given.
    """
    dropped = max(daily_kwh.shape[1] - WINDOW_DAYS, 0)
    daily_kwh = daily_kwh[:, dropped:]
    panel = make_panel(daily_kwh, horizon=horizon)
    series, days = panel.daily_kwh.shape
    origins = origins_of(days)
    candidates, low, high = _candidates(panel, origins, correction)
    shares = PRIOR_SHARES
    if holidays is not None or temperature_c is not None:
        shift = input_regression(
            panel,
            holidays=None if holidays is None else holidays[dropped:],
            temperature_c=None if temperature_c is None else temperature_c[dropped:],
        )[:, origins]
        candidates = np.concatenate([candidates, candidates + shift[:, :, None]], axis=2)
        shares = np.concatenate([shares, shares])
    target = origins[:, None] + np.arange(1, horizon + 1)
    day = np.minimum(target, days - 1)
    actual = np.where(target < days, daily_kwh[:, day], np.nan)
    scale = panel.scale[:, origins, None]
    mean = _weigh(np.maximum(candidates, 0.0), actual, scale, origins, shares)
    trust, moved, size = (values[:, origins] for values in level_shifts(panel, horizon=horizon))
    mean += trust[..., None] * (moved - mean)
    middle = candidates[:, :, 2]
    smallest = SMALLEST_HALF_WIDTH * scale
    lower_half = widening(level_ratio(level) * np.maximum(middle - low, smallest))
    upper_half = widening(level_ratio(level) * np.maximum(high - middle, smallest))
    doubt = RETURN_SHARE * (trust * size)[..., None]
    lower_half, upper_half = np.maximum(lower_half, doubt), np.maximum(upper_half, doubt)
    errors = actual - mean
    return [
        _calibrated(
            Track(origins + dropped, mean[n], mean[n], mean[n], errors[n]),
            (lower_half[n], upper_half[n]),
            level=level,
        )
        for n in range(series)
    ]


def _candidates(panel: Panel, origins: NDArray[np.int_], correction: Correction) -> tuple[Array, Array, Array]:
    """Make the three forecasts at the origins, (N, origins, 3, H), and the learnt 10 % and 90 % quantiles."""
    features = make_features(panel, np.arange(panel.daily_kwh.shape[1]))
    own = np.maximum(panel.combined + own_regression(panel, features), 0.0)
    record = running_scores(np.stack([panel.combined, own], axis=2), panel.daily_kwh, panel.observed, panel.scale)[
        :, origins
    ]
    base, own, scale = panel.combined[:, origins], own[:, origins], panel.scale[:, origins, None]
    ratio = np.broadcast_to((record[..., 1] / record[..., 0])[..., None], base.shape)
    rows = tree_rows(features[:, origins], (own - base) / scale, ratio)
    median, low, high = (
        base + scale * trees.predict(rows).reshape(base.shape)
        for trees in (correction.median, correction.lower, correction.upper)
    )
    return np.stack([base, own, median], axis=2), low, high


def _known(origins: NDArray[np.int_], horizon: int) -> NDArray[np.bool_]:
    """Whether the error of origin j at h days ahead is known at origin i: (i, j, H)."""
    return np.asarray((origins[None, :, None] + np.arange(1, horizon + 1)) <= origins[:, None, None])


def _weigh(candidates: Array, actual: Array, scale: Array, origins: NDArray[np.int_], shares: Array) -> Array:
    """Average (N, origins, C, H) candidates at each origin by the errors known there, starting from
    `shares`."""
    error = np.abs(candidates - actual[:, :, None]) / scale[..., None]
    valid = ~np.isnan(error)
    error = np.where(valid, np.minimum(error, ERROR_CAP), 0.0)
    age = np.maximum(origins[:, None] - origins[None, :], 0)
    weight = _known(origins, candidates.shape[3]) * (0.5 ** (age / SCORE_HALF_LIFE_DAYS))[:, :, None]
    total = np.einsum("ijh,njch->nic", weight, error)
    count = np.einsum("ijh,njch->nic", weight, valid.astype(np.float64))
    usual = (total.sum(axis=2, keepdims=True) + 1e-6) / (count.sum(axis=2, keepdims=True) + 1e-6)
    score = (total + PRIOR_ERRORS * usual + 1e-9) / (count + PRIOR_ERRORS)
    share = shares * (score.min(axis=2, keepdims=True) / score) ** POWER
    share /= share.sum(axis=2, keepdims=True)
    return np.asarray(np.einsum("nic,nich->nih", share, candidates))


def _calibrated(track: Track, half_widths: tuple[Array, Array], *, level: float) -> Track:
    """Put the interval around the means of a track: half-widths times what they needed by each origin."""
    origins, mean = track.origins, track.mean
    lower_half, upper_half = half_widths
    ratios = half_width_ratios(track.errors, lower_half, upper_half)
    known = _known(origins, mean.shape[1]) & ~np.isnan(ratios)
    ages = np.broadcast_to((origins[:, None] - origins[None, :])[..., None], known.shape)
    factors = np.array([width_factor(ratios[known[i]], ages[i][known[i]], level=level) for i in range(len(origins))])[
        :, None
    ]
    lower = np.maximum(mean - factors * lower_half, 0.0)
    return replace(track, lower=lower, upper=mean + factors * upper_half)
