"""Sliding windows over series with gaps. A window is named by the place where it starts."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]

FILLED: Final = 0.6
"""A window counts from this share of known values on."""

NORMAL_QUARTILE: Final = 0.674
"""Upper quartile of the normal distribution, to turn quartiles into standard deviations."""

FORTNIGHT_DAYS: Final = 14
FEWEST_FORTNIGHTS: Final = 6
"""With fewer, a single fault could be in half of them."""

TYPICAL_EXTREME: Final = 3.0
"""The extreme of a fortnight in standard deviations, where there are too few to see it."""

FEWEST_WINDOWS: Final = 8
"""With fewer windows than this nothing can be called unusual."""


def means(x: Floats, width: int) -> Floats:
    """Return the mean of each window; NaN where too little is known, nothing if the series is too short."""
    if len(x) < width:
        return np.empty(0)
    known = np.isfinite(x)
    total = np.concatenate(([0.0], np.cumsum(np.where(known, x, 0.0))))
    count = np.concatenate(([0], np.cumsum(known)))
    filled = count[width:] - count[:-width]
    mean = (total[width:] - total[:-width]) / np.maximum(filled, 1)
    return np.where(filled >= FILLED * width, mean, np.nan)


def least(x: Floats, width: int, *, stride: int = 1) -> Floats:
    """Return the least known value among `width` places that lie `stride` apart, from each place on."""
    size = len(x) - (width - 1) * stride
    if size <= 0:
        return np.empty(0)
    low, covered = x, 1
    while covered * 2 <= width:
        low = np.fmin(low[: -covered * stride], low[covered * stride :])
        covered *= 2
    rest = (width - covered) * stride
    return np.fmin(low[:size], low[rest : rest + size])


def greatest(x: Floats, width: int, *, stride: int = 1) -> Floats:
    """Return the greatest known value among `width` places that lie `stride` apart, from each place on."""
    return -least(-x, width, stride=stride)


def shares_known(x: Floats, width: int) -> Floats:
    """Return the share of known values in each window."""
    if len(x) < width:
        return np.empty(0)
    count = np.concatenate(([0], np.cumsum(np.isfinite(x))))
    share: Floats = (count[width:] - count[:-width]) / width
    return share


def strengths(values: Floats, *, least_spread: float, per_day: int) -> Floats:
    """Return how far each window lies from the series' own median, above and below each in its own unit.

    The unit is the geometric mean of two that faults hardly reach: the standard deviation read off the middle
    of the distribution, and the extreme of an ordinary fortnight (`per_day` windows start in a day), which
    knows how heavy the tail is. NaN becomes 0: what is not known is not unusual.
    """
    known = values[np.isfinite(values)]
    if len(known) < FEWEST_WINDOWS:
        return np.zeros(len(values))
    quarter, median, three_quarters = quantiles(known, 0.25, 0.5, 0.75)
    above = max((three_quarters - median) / NORMAL_QUARTILE, least_spread)
    below = max((median - quarter) / NORMAL_QUARTILE, least_spread)
    distance = np.where(np.isnan(values), 0.0, values - median)
    highest, lowest = TYPICAL_EXTREME * above, TYPICAL_EXTREME * below
    size = FORTNIGHT_DAYS * per_day
    fortnights = len(distance) // size
    if fortnights >= FEWEST_FORTNIGHTS:
        table = distance[: fortnights * size].reshape(fortnights, size)
        highest = max(_lower_median(table.max(axis=1)), 2 * least_spread)
        lowest = max(_lower_median(-table.min(axis=1)), 2 * least_spread)
    above, below = np.sqrt(above * highest), np.sqrt(below * lowest)
    scores: Floats = np.where(distance > 0, distance / above, distance / below)
    return scores


def quantiles(known: Floats, *shares: float) -> list[float]:
    """Return quantiles of finite values, interpolated; several times faster than numpy on short series."""
    ordered = np.sort(known)
    places = [share * (len(ordered) - 1) for share in shares]
    return [
        float(ordered[int(p)] + (p - int(p)) * (ordered[min(int(p) + 1, len(ordered) - 1)] - ordered[int(p)]))
        for p in places
    ]


def _lower_median(values: Floats) -> float:
    return float(np.sort(values)[(len(values) - 1) // 2])


def runs(flags: Bools) -> list[tuple[int, int]]:
    """Return where stretches of True begin and end (first place after)."""
    if not flags.any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.view(np.int8), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def median_of_lags(x: Floats, lags: Integers) -> Floats:
    """Return, for each place, the median of the known values `lags` away; NaN with fewer than two."""
    size = len(x)
    lags = lags[np.abs(lags) < size]
    if not len(lags):
        return np.full(size, np.nan)
    around = np.full((size, len(lags)), np.nan, dtype=np.float32)
    for column, lag in enumerate(lags.tolist()):
        if lag > 0:
            around[lag:, column] = x[:-lag]
        else:
            around[:lag, column] = x[-lag:]
    around.sort(axis=1)
    known = np.isfinite(around).sum(axis=1)
    row = np.arange(size)
    low = around[row, np.maximum((known - 1) // 2, 0)]
    high = around[row, np.minimum(known // 2, len(lags) - 1)]
    middle: Floats = ((low + high) / 2).astype(np.float64)
    middle[known < 2] = np.nan
    return middle
