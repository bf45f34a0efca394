"""Weights of experts from what each would have got wrong so far, at every past day at once."""

from typing import Final

import numpy as np

from .experts import WEEK, Array, Mask, decayed_sum, trailing_mean

SCORE_HALF_LIFE_DAYS: Final = 60.0
"""An error this old weighs half as much as yesterday's."""
PRIOR_ERRORS: Final = 14.0
"""Errors that every expert is credited with at the start, of average size, so that a lucky week does not
decide."""
ERROR_CAP: Final = 5.0
"""An error counts for at most this many usual week-on-week changes: one wild day must not choose the
experts."""


def usual_change(daily_kwh: Array, observed: Mask) -> Array:
    """Mean absolute change from a week before, up to each day and over at most a year; never zero. (N, T)."""
    days = daily_kwh.shape[1]
    change = np.zeros_like(daily_kwh)
    known = np.zeros_like(daily_kwh)
    change[:, WEEK:] = np.abs(daily_kwh[:, WEEK:] - daily_kwh[:, :-WEEK])
    known[:, WEEK:] = observed[:, WEEK:] & observed[:, :-WEEK]
    level = trailing_mean(np.abs(daily_kwh), 365)
    share = trailing_mean(known, 365)
    weekly = trailing_mean(change * known, 365) / np.maximum(share, 1e-9)
    spread = np.sqrt(np.maximum(trailing_mean(daily_kwh**2, 365) - trailing_mean(daily_kwh, 365) ** 2, 0.0))
    count = np.minimum(np.arange(1, days + 1), 365) * share
    trust = count / (count + WEEK)
    return np.asarray(trust * weekly + (1 - trust) * spread + 0.01 * level + 1e-9)


def past_errors(made: Array, daily_kwh: Array, observed: Mask) -> Array:
    """Actual minus forecast of every day, horizon and expert, (N, T, G, H); NaN where not known or not
    made."""
    series, days, experts, horizon = made.shape
    errors = np.full((series, days, experts, horizon), np.nan)
    actual = np.where(observed, daily_kwh, np.nan)
    for h in range(1, min(horizon, days - 1) + 1):
        errors[:, :-h, :, h - 1] = actual[:, h:, None] - made[:, :-h, :, h - 1]
    return errors


def running_scores(made: Array, daily_kwh: Array, observed: Mask, scale: Array) -> Array:
    """Score each expert after each day by the errors that are known by then: (N, T, G), in usual changes."""
    series, days, experts, horizon = made.shape
    total = np.zeros((series, days, experts))
    count = np.zeros((series, days, experts))
    for h in range(1, min(horizon, days - 1) + 1):
        error = np.abs(daily_kwh[:, h:, None] - made[:, :-h, :, h - 1]) / scale[:, :-h, None]
        known = observed[:, h:, None] & ~np.isnan(error)
        total[:, h:] += np.where(known, np.minimum(error, ERROR_CAP), 0.0)
        count[:, h:] += known
    total, count = decayed_sum(total, SCORE_HALF_LIFE_DAYS), decayed_sum(count, SCORE_HALF_LIFE_DAYS)
    mean = total.sum(axis=2, keepdims=True) / np.maximum(count.sum(axis=2, keepdims=True), 1e-9)
    return np.asarray((total + PRIOR_ERRORS * (mean + 1e-6)) / (count + PRIOR_ERRORS))


def pool(made: Array, scores: Array, *, power: float) -> Array:
    """Average the experts (axis 2), each weighing `(best score / its score) ** power`; NaN forecasts do not
    count."""
    known = ~np.isnan(made[..., 0])
    ranked = np.where(known, scores, np.inf)
    weight = np.where(known, (ranked.min(axis=2, keepdims=True) / np.where(known, scores, 1.0)) ** power, 0.0)
    weight /= weight.sum(axis=2, keepdims=True)
    return np.asarray(np.einsum("ntg,ntgh->nth", weight, np.where(known[..., None], made, 0.0)))
