"""Detectors from textbooks and tutorials that the episodes are measured against.

Each takes an hourly series (gaps filled with the median of the hour of the day) and returns which hours it
flags. Flagged hours up to six apart are one event. Those that need a further package are left out without it.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WEEK_HOURS: Final = 168
JOINED_HOURS: Final = 6
TINY: Final = 1e-12


def _mad(x: Floats) -> float:
    return 1.4826 * float(np.median(np.abs(x - np.median(x))))


def mean_and_two_sigma(x: Floats) -> Bools:
    flags: Bools = x > x.mean() + 2 * x.std(ddof=1)
    return flags


def mean_and_three_sigma_both_sides(x: Floats) -> Bools:
    flags: Bools = np.abs(x - x.mean()) > 3 * x.std(ddof=1)
    return flags


def median_and_mad(x: Floats) -> Bools:
    flags: Bools = np.abs(x - np.median(x)) > 3.5 * max(_mad(x), 1e-3 * float(x.std())) + TINY
    return flags


def quartile_fences(x: Floats) -> Bools:
    low, high = np.quantile(x, (0.25, 0.75))
    reach = 1.5 * (high - low) + TINY
    flags: Bools = (x > high + reach) | (x < low - reach)
    return flags


def _by_hour_of_week(x: Floats) -> Floats:
    weeks = -(-len(x) // WEEK_HOURS)
    table = np.full(weeks * WEEK_HOURS, np.nan)
    table[: len(x)] = x
    return table.reshape(weeks, WEEK_HOURS)


def hour_of_week_two_sigma(x: Floats) -> Bools:
    table = _by_hour_of_week(x)
    limit = np.nanmean(table, axis=0) + 2 * np.nanstd(table, axis=0, ddof=1)
    flags: Bools = (table > limit).ravel()[: len(x)]
    return flags


def _context(x: Floats) -> Floats:
    """Return distances from the running median of the hour of the week, in robust deviations of that hour."""
    table = _by_hour_of_week(x)
    around = 6
    padded = np.pad(table, ((around, around), (0, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * around + 1, axis=0)
    residual = table - np.nanmedian(windows, axis=2)
    overall = 1.4826 * float(np.nanmedian(np.abs(residual)))
    spread = np.hypot(1.4826 * np.nanmedian(np.abs(residual), axis=0), 0.5 * overall)
    scores: Floats = (residual / (spread + 1e-3 * np.abs(x).mean() + TINY)).ravel()[: len(x)]
    return scores


def hour_of_week_median_and_mad(x: Floats) -> Bools:
    flags: Bools = np.abs(_context(x)) > 5
    return flags


def stl_residual(x: Floats) -> Bools:
    from statsmodels.tsa.seasonal import STL

    fit = STL(x, period=WEEK_HOURS, seasonal=7, trend=505, seasonal_jump=24, trend_jump=24, low_pass_jump=24)
    residual = np.asarray(fit.fit().resid)
    flags: Bools = np.abs(residual) > 4 * _mad(residual) + TINY
    return flags


def _context_features(x: Floats) -> Floats:
    z = _context(x)
    day = np.ones(24) / 24
    hour = np.arange(len(x)) % 24
    means = [np.convolve(series, day, mode="same") for series in (x, z)]
    return np.column_stack([x, z, np.diff(x, prepend=x[0]), *means, hour])


def isolation_forest(x: Floats) -> Bools:
    from sklearn.ensemble import IsolationForest

    features = _context_features(x)
    score = -IsolationForest(n_estimators=100, random_state=0, n_jobs=1).fit(features).score_samples(features)
    flags: Bools = score > np.quantile(score, 0.97)
    return flags


def ecod(x: Floats) -> Bools:
    from pyod.models.ecod import ECOD

    score = ECOD(contamination=0.03).fit(_context_features(x)).decision_scores_
    flags: Bools = score > np.quantile(score, 0.97)
    return flags


RIVALS: Final[dict[str, Callable[[Floats], Bools]]] = {
    "mean + 2 sigma (the spec)": mean_and_two_sigma,
    "mean +- 3 sigma": mean_and_three_sigma_both_sides,
    "median and MAD, 3.5": median_and_mad,
    "quartile fences, 1.5": quartile_fences,
    "hour-of-week mean + 2 sigma": hour_of_week_two_sigma,
    "hour-of-week running median and MAD, 5": hour_of_week_median_and_mad,
    **({"STL residual, 4 MAD": stl_residual} if find_spec("statsmodels") else {}),
    **({"isolation forest with context, 3 %": isolation_forest} if find_spec("sklearn") else {}),
    **({"ECOD with context, 3 %": ecod} if find_spec("pyod") else {}),
}


def events(flags: Bools) -> list[tuple[int, int]]:
    """Join flagged hours into events, first hour and first hour after."""
    hours = np.flatnonzero(flags)
    if not len(hours):
        return []
    breaks = np.flatnonzero(np.diff(hours) > JOINED_HOURS)
    first = hours[np.concatenate(([0], breaks + 1))]
    last = hours[np.concatenate((breaks, [len(hours) - 1]))]
    return [(int(a), int(b) + 1) for a, b in zip(first, last, strict=True)]


def filled(kwh: Floats) -> Floats:
    """Fill gaps with the median of the hour of the day."""
    hour = np.arange(len(kwh)) % 24
    medians = np.array([np.nanmedian(kwh[h::24]) if np.isfinite(kwh[h::24]).any() else 0.0 for h in range(24)])
    return np.where(np.isnan(kwh), medians[hour], kwh)
