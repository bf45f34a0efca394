"""A level that moved a week ago and stayed: the one case where the record of the past misleads."""

from typing import Final

import numpy as np

from .experts import WEEK, Array, trailing_mean, weekday_profiles
from .panel import Panel

DOUBTFUL: Final = 1.5
CERTAIN: Final = 3.0
"""Usual week-on-week changes by which every one of the last 7 days must be off, all on one side."""
RETURN_SHARE: Final = 0.3
"""Half-width that a certain shift leaves, as a share of it: some levels move back."""


def level_shifts(panel: Panel, *, horizon: int) -> tuple[Array, Array, Array]:
    """Judge after each day whether the last week lies on a new level.

    Return the trust in it, 0 to 1 (N, T), the forecast that it gives (N, T, H) and its size in kWh (N, T).
    """
    y = panel.daily_kwh
    series, days = y.shape
    trust, size = np.zeros((series, days)), np.zeros((series, days))
    ahead = (np.arange(days)[:, None] + np.arange(1, horizon + 1)) % WEEK
    profile = weekday_profiles(y, panel.observed, ratio=False)[:, np.arange(days)[:, None], ahead, 2]
    made = np.maximum(trailing_mean(y, WEEK)[:, :, None] + profile, 0.0)
    first = 3 * WEEK
    if days <= first:
        return trust, made, size
    change = y[:, 2 * WEEK :] - (y[:, WEEK:-WEEK] + y[:, : -2 * WEEK]) / 2
    week = np.lib.stride_tricks.sliding_window_view(change, WEEK, axis=1)[:, 1:]
    complete = np.lib.stride_tricks.sliding_window_view(panel.observed, WEEK, axis=1)[:, -week.shape[1] :].all(axis=2)
    smallest = np.maximum(week.min(axis=2), 0) + np.minimum(week.max(axis=2), 0)
    off = np.abs(smallest) / panel.scale[:, first - WEEK : -WEEK]
    trust[:, first:] = np.clip((off - DOUBTFUL) / (CERTAIN - DOUBTFUL), 0.0, 1.0) * complete
    size[:, first:] = np.abs(week.mean(axis=2))
    return trust, made, size
