"""What the pre-trained correction looks at: scale-free numbers, all known after the day of the forecast."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .experts import (
    WEEK,
    YEAR_DAYS,
    Array,
    same_weekdays,
    trailing_mean,
    weekday_profiles,
)
from .panel import FAMILIES, Panel

QUANTILES: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
NAMES: Final = (
    *(f"day_minus_{lag}" for lag in range(WEEK)),
    *(f"same_weekday_{week}" for week in range(1, 5)),
    "same_weekday_mean",
    "same_weekday_spread",
    *(f"family_{name}" for name in FAMILIES),
    "families_spread",
    *(f"mean_{days}" for days in (3, 7, 28, 91)),
    *(f"quantile_{q}" for q in QUANTILES),
    "spread_7",
    "spread_28",
    "zero_share",
    "level",
    "score",
    "bias_7",
    "bias_28",
    "absolute_28",
    "profile_short",
    "profile_long",
    "profile_strength",
    "year_ago_day",
    "year_ago_days_around",
    "year_ago_week_change",
    "horizon",
    "history_days",
)


def make_features(panel: Panel, origins: NDArray[np.int_]) -> Array:
    """Describe forecasts made after the days `origins`: (N, origins, H, features); NaN where unknown.

    Energies are differences from the combination's forecast, in usual week-on-week changes.
    """
    y, scale = panel.daily_kwh, panel.scale[:, origins, None]
    series, _, horizon = panel.combined.shape
    base = panel.combined[:, origins]
    shape = base.shape
    columns: list[Array] = []

    def energy(values: Array) -> None:
        columns.append(np.broadcast_to((values - base) / scale, shape))

    def plain(values: Array) -> None:
        columns.append(np.broadcast_to(values, shape))

    for lag in range(WEEK):
        known = origins >= lag
        energy(np.where(known, y[:, np.maximum(origins - lag, 0)], np.nan)[:, :, None])
    same = same_weekdays(y, horizon=horizon, weeks=4)[:, origins]
    for week in range(4):
        energy(same[..., week])
    known = ~np.isnan(same)
    count = np.maximum(known.sum(axis=3), 1)
    mean = np.where(known, same, 0.0).sum(axis=3) / count
    energy(np.where(known.any(axis=3), mean, np.nan))
    plain(np.sqrt(np.where(known, (same - mean[..., None]) ** 2, 0.0).sum(axis=3) / count) / scale)
    families = panel.families[:, origins]
    for family in range(len(FAMILIES)):
        energy(families[:, :, family])
    plain(families[:, :, :-1].std(axis=2) / scale)
    for days in (3, 7, 28, 91):
        energy(trailing_mean(y, days)[:, origins, None])
    recent = _recent(y, 28)[:, origins]
    ranked = np.sort(recent, axis=2)
    for q in QUANTILES:
        energy(ranked[:, :, round(q * 27), None])
    plain(recent[:, :, -7:].std(axis=2)[:, :, None] / scale)
    plain(recent.std(axis=2)[:, :, None] / scale)
    plain((recent <= 0.02 * np.abs(trailing_mean(y, 91)[:, origins, None])).mean(axis=2)[:, :, None])
    plain(trailing_mean(y, 28)[:, origins, None] / scale)
    plain(panel.score[:, origins, None])
    error = np.zeros_like(y)
    error[:, 1:] = (y[:, 1:] - panel.combined[:, :-1, 0]) / panel.scale[:, :-1] * panel.observed[:, 1:]
    plain(trailing_mean(error, 7)[:, origins, None])
    plain(trailing_mean(error, 28)[:, origins, None])
    plain(trailing_mean(np.abs(error), 28)[:, origins, None])
    profile = weekday_profiles(y, panel.observed, ratio=False)[:, origins]
    target = (origins[:, None] + np.arange(1, horizon + 1)) % WEEK
    row = np.arange(origins.size)[:, None]
    plain(profile[:, row, target, 0] / scale)
    plain(profile[:, row, target, 2] / scale)
    plain(profile[..., 1].std(axis=2)[:, :, None] / scale)
    for change in _year_ago(y, origins, horizon):
        plain(change / scale)
    plain(np.minimum(np.arange(1.0, horizon + 1), WEEK))
    plain(np.minimum(origins + 1.0, 400.0)[None, :, None])
    return np.stack(columns, axis=3).reshape(series, origins.size, horizon, len(NAMES))


def _year_ago(daily_kwh: Array, origins: NDArray[np.int_], horizon: int) -> list[Array]:
    """How the day, the three days around it and its week differed from the week before, 52 weeks ago; kWh."""
    then = origins[:, None] + np.arange(1, horizon + 1) - YEAR_DAYS
    start = origins - YEAR_DAYS
    known = (start >= WEEK - 1)[None, :, None]
    week = trailing_mean(daily_kwh, WEEK)
    before = week[:, np.maximum(start, 0), None]
    day = daily_kwh[:, np.maximum(then, 0)]
    around = trailing_mean(daily_kwh, 3)[:, np.maximum(then + 1, 0)]
    after = week[:, np.maximum(start + WEEK, 0), None]
    return [np.asarray(np.where(known, np.broadcast_to(x - before, day.shape), np.nan)) for x in (day, around, after)]


def _recent(values: Array, days: int) -> Array:
    """The last `days` values at each day, (N, T, days); the first value is repeated before the start."""
    padded = np.concatenate([np.repeat(values[:, :1], days - 1, axis=1), values], axis=1)
    return np.lib.stride_tricks.sliding_window_view(padded, days, axis=1)
