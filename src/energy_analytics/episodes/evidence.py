"""What an appliance usually uses at an hour of the week, and how far each step is from it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from .grid import Floats, Grid
from .windows import Integers, median_of_lags, quantiles

WEEKS_AROUND: Final = 6
"""A step is compared with the same hour of the week in this many weeks before and after."""

SHORTEST_WEEKLY_DAYS: Final = 28
"""A shorter history is compared with the same hour of its other days instead."""

DAYS_AROUND: Final = 10
"""Days before and after in that case."""

ORDINARY: Final = 0.7
"""Quantile over the weeks of each week's largest excess: what an ordinary week reaches."""

WEEK_OVER_DAY: Final = 1.4
"""How much larger a week's largest excess is than nine in ten days', where only days can be seen."""

FEWEST_PERIODS: Final = 3
CAPPED_AT: Final = 3.0
"""Excesses count up to this many times the ordinary largest."""

FEWEST_COMPARED: Final = 4
LOGIT_TO_NORMAL: Final = 1.7
"""A logit divided by this is close to a standard normal score."""

NEAR_SPREAD: Final = (0.25, 0.5, 0.25)
"""Weights of the hour before, the hour and the hour after: habits are not punctual."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One appliance's grid beside what is usual. All arrays have a value per step, NaN where unknown."""

    grid: Grid
    kwh: Floats
    usual_kwh: Floats
    ranks: Floats
    """Normal score of the step's rank among its comparisons: 0 is the middle, +-2.6 the edge."""
    change_ranks: Floats
    """The same for the size of the change to the next step."""
    distances: Floats
    """Kilowatt-hours from the usual in robust standard deviations of that hour of the week."""
    ordinary_excess_kwh: float
    """The largest excess over the usual in an ordinary week."""
    capped_kwh: Floats
    """The readings without what is far above even that, so that one bad reading does not make a bad week."""
    mean_kwh: float
    """Mean of the capped readings, never 0: the unit of what is large."""

    @property
    def per_day(self) -> int:
        """Steps in a day."""
        return self.grid.per_day

    def steps(self, hours: float) -> int:
        """Return hours as a number of steps, one at least."""
        return max(1, round(hours * 3600 / self.grid.step_seconds))


def evidence_of(grid: Grid) -> Evidence:
    """Compare each step of a grid with its like."""
    kwh = grid.kwh
    lags = compared_lags(len(kwh), grid.per_day)
    usual = _smooth(median_of_lags(kwh, lags))
    ordinary_excess = ordinary_largest(kwh - usual, grid.per_day)
    capped = np.where(kwh - usual > CAPPED_AT * ordinary_excess, usual + CAPPED_AT * ordinary_excess, kwh)
    known = capped[np.isfinite(capped)]
    mean = (float(known.mean()) if len(known) else 0.0) or 1.0
    with_neighbours = _with_neighbours(lags, grid.per_day)
    return Evidence(
        grid=grid,
        kwh=kwh,
        usual_kwh=usual,
        ranks=ranks_among(kwh, with_neighbours),
        change_ranks=ranks_among(np.abs(np.diff(kwh, append=np.nan)), lags),
        distances=_distances(kwh - usual, grid.per_day, mean),
        ordinary_excess_kwh=ordinary_excess,
        capped_kwh=capped,
        mean_kwh=mean,
    )


def ordinary_largest(residual_kwh: Floats, per_day: int) -> float:
    """Return what the largest value of a week usually is, or infinity if unknown."""
    weekly = len(residual_kwh) >= SHORTEST_WEEKLY_DAYS * per_day
    period = 7 * per_day if weekly else per_day
    rounds = len(residual_kwh) // period
    if rounds < FEWEST_PERIODS:
        return np.inf
    filled = np.where(np.isnan(residual_kwh), 0.0, residual_kwh)
    largest = filled[: rounds * period].reshape(rounds, period).max(axis=1)
    ordinary = quantiles(largest, ORDINARY)[0] if weekly else WEEK_OVER_DAY * quantiles(largest, 0.9)[0]
    return max(ordinary, 0.0) or np.inf


def compared_lags(size: int, per_day: int) -> Integers:
    """Return how many steps away, before (positive) and after, a step's like are found."""
    if size >= SHORTEST_WEEKLY_DAYS * per_day:
        away = 7 * per_day * np.arange(1, WEEKS_AROUND + 1)
    else:
        away = per_day * np.arange(1, DAYS_AROUND + 1)
    return np.concatenate((away, -away))


def _with_neighbours(lags: Integers, per_day: int) -> Integers:
    if per_day < 12:
        return lags
    return np.concatenate((lags, lags - 1, lags + 1))


def _smooth(x: Floats) -> Floats:
    if len(x) < 3:
        return x
    padded = np.concatenate((x[:1], x, x[-1:]))
    before, here, after = NEAR_SPREAD
    smooth = before * padded[:-2] + here * padded[1:-1] + after * padded[2:]
    return np.where(np.isnan(smooth), x, smooth)


def ranks_among(values: Floats, lags: Integers) -> Floats:
    """Return each value's normal score among the values `lags` away; NaN with too few of them."""
    x = values.astype(np.float32)
    known = np.isfinite(x)
    above = np.zeros(len(x), dtype=np.float32)
    compared = np.zeros(len(x), dtype=np.float32)
    for lag in lags.tolist():
        away = abs(lag)
        if away >= len(x):
            continue
        here, there = (slice(away, None), slice(None, -away))
        if lag < 0:
            here, there = there, here
        both = known[here] & known[there]
        above[here] += x[here] > x[there]
        above[here] += np.float32(0.5) * (x[here] == x[there])
        compared[here] += both
    share = (above + 0.5) / (compared + 1)
    score = np.log(share / (1 - share)) / LOGIT_TO_NORMAL
    return np.where(known & (compared >= FEWEST_COMPARED), score, np.nan).astype(np.float64)


def _distances(residual_kwh: Floats, per_day: int, mean_kwh: float) -> Floats:
    """Divide by a spread per hour of the week that is never far below the whole series'."""
    known = np.abs(residual_kwh[np.isfinite(residual_kwh)])
    if not len(known):
        return np.full(len(residual_kwh), np.nan)
    half, most = quantiles(known, 0.5, 0.9)
    overall = max(1.4826 * half, 0.25 * most / 1.645)
    period = per_day * (7 if len(residual_kwh) >= SHORTEST_WEEKLY_DAYS * per_day else 1)
    rounds = -(-len(residual_kwh) // period)
    table = np.full(rounds * period, np.nan, dtype=np.float32)
    table[: len(residual_kwh)] = np.abs(residual_kwh)
    table = np.sort(table.reshape(rounds, period).T, axis=1)
    counts = np.isfinite(table).sum(axis=1)
    middle = table[np.arange(period), np.maximum((counts - 1) // 2, 0)]
    spread = 1.4826 * np.where(counts > 0, middle, 0.0)
    if period >= 3:
        spread = np.sqrt((np.roll(spread, 1) ** 2 + 2 * spread**2 + np.roll(spread, -1) ** 2) / 4)
    spread = np.sqrt(spread**2 + (0.5 * overall) ** 2) + 1e-3 * mean_kwh
    distances: Floats = residual_kwh / np.tile(spread, rounds)[: len(residual_kwh)]
    return distances
