"""Prophet's model solved in numpy, for scoring it at many past days in milliseconds.

The same likelihood, priors, changepoints and weekly terms as `prophet_model` (Taylor and Letham 2018,
"Forecasting at scale", and the package's defaults), at the posterior mode; the band is the model's, by its
variances instead of by sampling. The forecast that a user gets from `prophet` is the package's own; how
close the two are is tested.
"""

from datetime import date
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .experts import Array

CHANGEPOINTS: Final = 25
CHANGEPOINT_RANGE: Final = 0.8
CHANGEPOINT_PRIOR_SCALE: Final = 0.05
TREND_PRIOR_SCALE: Final = 5.0
SEASON_PRIOR_SCALE: Final = 10.0
NOISE_PRIOR_SCALE: Final = 0.5
WEEKLY_ORDER: Final = 3
ROUNDS: Final = 30
_SMALLEST_CHANGE: Final = 1e-7
_EPOCH: Final = date(1970, 1, 1)


def prophet_mode(first_day: date, daily_kwh: Array, *, horizon_days: int, level: float) -> tuple[Array, Array, Array]:
    """Forecast the days after the history: mean, lower, upper, kWh, none negative. NaN days are left out."""
    day = np.flatnonzero(~np.isnan(daily_kwh))
    start, span = day[0], max(day[-1] - day[0], 1)
    y_scale = max(float(np.abs(daily_kwh[day]).max()), 1e-12)
    y = daily_kwh[day] / y_scale
    last = int(np.floor(day.size * CHANGEPOINT_RANGE))
    count = min(CHANGEPOINTS, last - 1)
    places = np.linspace(0, last - 1, count + 1).round().astype(int)[1:]
    changes = (day[places] - start) / span
    ahead = len(daily_kwh) + np.arange(horizon_days)
    offset = (first_day - _EPOCH).days
    rows = _design(day, start, span, changes, offset)
    weight, noise = _solve(rows, y, count)
    made = _design(ahead, start, span, changes, offset) @ weight
    step = 1 / span
    rate = float(np.abs(weight[2 : 2 + count]).mean()) + 1e-8 if count else 0.0
    steps = np.arange(1, horizon_days + 1)
    drift = 2 * rate**2 * step**2 * min(count * step, 1.0) * np.cumsum(steps.astype(float) ** 2)
    half = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt(noise**2 + drift)
    mean, lower, upper = (np.maximum(x * y_scale, 0.0) for x in (made, made - half, made + half))
    return mean, lower, upper


def _design(day: NDArray[np.int_], start: int, span: int, changes: Array, offset: int) -> Array:
    """Columns: slope, intercept, a hinge per changepoint, sines and cosines of the week."""
    t = (day - start) / span
    hinges = np.maximum(t[:, None] - changes, 0.0)
    angle = 2 * np.pi * np.outer(day + offset, np.arange(1, WEEKLY_ORDER + 1)) / 7.0
    return np.column_stack([t, np.ones_like(t), hinges, np.sin(angle), np.cos(angle)])


def _solve(rows: Array, y: Array, changepoints: int) -> tuple[Array, float]:
    """Find the posterior mode: the Laplace prior by reweighted least squares, the noise in between."""
    # einsum, not matmul: threads of a linear algebra library cost more than they save at this size.
    square, product = np.einsum("ti,tj->ij", rows, rows), np.einsum("ti,t->i", rows, y)
    energy = float(np.einsum("t,t->", y, y))
    width = rows.shape[1]
    penalty = np.full(width, 1 / SEASON_PRIOR_SCALE**2)
    penalty[:2] = 1 / TREND_PRIOR_SCALE**2
    change = slice(2, 2 + changepoints)
    weight: Array = np.zeros(width)
    weight[change] = CHANGEPOINT_PRIOR_SCALE
    variance = max(float(y.var()), 1e-8)
    for _ in range(ROUNDS):
        penalty[change] = 1 / (CHANGEPOINT_PRIOR_SCALE * np.maximum(np.abs(weight[change]), _SMALLEST_CHANGE))
        weight = np.asarray(np.linalg.solve(square / variance + np.diag(penalty), product / variance), dtype=np.float64)
        left = max(float(energy - 2 * weight @ product + weight @ square @ weight), 1e-12)
        # Root of n / sigma - left / sigma^3 + sigma / prior^2 in sigma^2.
        a = 1 / NOISE_PRIOR_SCALE**2
        variance = (np.sqrt(len(y) ** 2 + 4 * a * left) - len(y)) / (2 * a)
        variance = max(float(variance), 1e-12)
    return weight, float(np.sqrt(variance))
