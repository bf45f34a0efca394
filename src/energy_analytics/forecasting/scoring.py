"""Accuracy of forecasts against what came: MASE, WAPE and coverage, over any set of origins."""

from dataclasses import dataclass

import numpy as np

from .experts import WEEK, Array
from .history import Score

SCALE_DAYS = 365


@dataclass(frozen=True, slots=True)
class Trial:
    """A forecast made after `origin` (a position in the daily series) and what came; NaN where not
    complete."""

    origin: int
    mean: Array
    lower: Array
    upper: Array
    actual: Array


def naive_scale(daily_kwh: Array, origin: int) -> float:
    """Mean absolute change from a week before, over the 365 days up to `origin`; NaN when nothing changed.

    The scale of the MASE (Hyndman and Koehler 2006), from the past only.
    """
    year = daily_kwh[max(0, origin - SCALE_DAYS + 1) : origin + 1]
    change = np.abs(year[WEEK:] - year[:-WEEK])
    change = change[~np.isnan(change)]
    if change.size == 0 or change.mean() <= 1e-9 * max(float(np.nanmax(year)), 1e-9):
        return float("nan")
    return float(change.mean())


def score(model: str, daily_kwh: Array, trials: list[Trial], *, seconds: float) -> Score:
    """Score trials over the days that have a complete value; a figure that no day can give is NaN."""
    scaled, absolute, energy, inside = [], [], [], []
    for trial in trials:
        here = ~np.isnan(trial.actual)
        actual, mean = trial.actual[here], trial.mean[here]
        error = np.abs(actual - mean)
        scaled.append(error / naive_scale(daily_kwh, trial.origin))
        absolute.append(error)
        energy.append(actual)
        inside.append((actual >= trial.lower[here]) & (actual <= trial.upper[here]))
    joined = [np.concatenate(part) if part else np.zeros(0) for part in (scaled, absolute, energy, inside)]
    usable = joined[0][~np.isnan(joined[0])]
    total = float(joined[2].sum())
    return Score(
        model=model,
        mase=float(usable.mean()) if usable.size else float("nan"),
        wape=float(joined[1].sum()) / total if total > 0 else float("nan"),
        coverage=float(joined[3].mean()) if joined[3].size else float("nan"),
        origins=len(trials),
        days=int(joined[1].size),
        seconds=seconds,
    )
