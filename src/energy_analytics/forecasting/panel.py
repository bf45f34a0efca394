"""The experts of a batch of series and their combination, after every past day."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from .experts import (
    WEEK,
    Array,
    Mask,
    holt_winters,
    last_year,
    level_and_profile,
    plain_means,
)
from .pooling import pool, running_scores, usual_change

POWER_WITHIN_FAMILY: Final = 10.0
POWER_ACROSS_FAMILIES: Final = 5.0
"""How sharply better scores count; flat between 5 and 20 on the development meters."""
WILD_DAYS: Final = 14
WILD_CHANGES: Final = 4.0
"""A day is cut to the range of the 14 days before it and this many usual changes: one wild reading carries
no news."""
CLIP_ERRORS: Final = 2.5
"""A robust level follows at most this many times the usual error."""
FAMILIES: Final = ("added", "robust", "multiplied", "holt_winters", "means", "last_year")


@dataclass(frozen=True, slots=True)
class Panel:
    """What is known after each day: forecasts are (N, T, families, H), `combined` (N, T, H), the rest (N,
    T)."""

    daily_kwh: Array
    """Missing days filled from the days before them, wild days cut."""
    observed: Mask
    scale: Array
    """Usual change from week to week, kWh."""
    families: Array
    combined: Array
    score: Array
    """Mean absolute error of the combination so far, in usual changes."""


def fill_gaps(daily_kwh: Array) -> tuple[Array, Mask]:
    """Put the mean of the last four same weekdays in place of NaN, else the mean of all days before; (N,
    T)."""
    observed = ~np.isnan(daily_kwh)
    filled = np.where(observed, daily_kwh, 0.0)
    for day in np.flatnonzero(~observed.all(axis=0)):
        before = filled[:, max(day % WEEK, day - 4 * WEEK) : day : WEEK] if day >= WEEK else filled[:, :day]
        guess = before.mean(axis=1) if before.shape[1] else np.zeros(len(filled))
        filled[:, day] = np.where(observed[:, day], filled[:, day], guess)
    return filled, observed


def cut_wild_days(filled_kwh: Array, scale: Array) -> Array:
    """Limit each day by those before it, as they were: a second day at a new level is not cut any more; (N,
    T)."""
    cut = filled_kwh.copy()
    if filled_kwh.shape[1] > WILD_DAYS:
        before = np.lib.stride_tricks.sliding_window_view(filled_kwh[:, :-1], WILD_DAYS, axis=1)
        room = WILD_CHANGES * scale[:, WILD_DAYS - 1 : -1]
        cut[:, WILD_DAYS:] = np.clip(
            filled_kwh[:, WILD_DAYS:], np.maximum(before.min(axis=2) - room, 0.0), before.max(axis=2) + room
        )
    return cut


def make_panel(daily_kwh: Array, *, horizon: int) -> Panel:
    """Run every expert over (N, T) series that start on the same day; NaN marks a day that is not
    complete."""
    filled, observed = fill_gaps(daily_kwh)
    filled = cut_wild_days(filled, usual_change(filled, observed))
    scale = usual_change(filled, observed)
    grids = [
        level_and_profile(filled, observed, horizon=horizon, ratio=False),
        level_and_profile(filled, observed, horizon=horizon, ratio=False, clip_errors=CLIP_ERRORS),
        level_and_profile(filled, observed, horizon=horizon, ratio=True),
        holt_winters(filled, observed, horizon=horizon),
        plain_means(filled, horizon=horizon),
    ]
    pooled = [pool(grid, running_scores(grid, filled, observed, scale), power=POWER_WITHIN_FAMILY) for grid in grids]
    families = np.concatenate([np.stack(pooled, axis=2), last_year(filled, pooled[0])], axis=2)
    scores = running_scores(families, filled, observed, scale)
    combined = np.maximum(pool(families, scores, power=POWER_ACROSS_FAMILIES), 0.0)
    score = running_scores(combined[:, :, None], filled, observed, scale)[:, :, 0]
    return Panel(filled, observed, scale, families, combined, score)
