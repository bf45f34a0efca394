"""Forecasts of all appliances of a site at once, whose sum is the site's forecast."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from .baselines import moving_average
from .correction import load_correction
from .ensemble import WINDOW_DAYS, ensemble_tracks
from .experts import Array
from .history import MIN_COMPLETE_DAYS, History, Prediction
from .models import ENSEMBLE

BATCH_DAYS: Final = 4000
"""Days of all the series that are forecast together: as fast as more, at about 50 MB."""


def forecast_each(histories: Mapping[str, History], *, horizon_days: int, level: float) -> dict[str, Prediction]:
    """Forecast every series with the ensemble, those of the same days together; short ones by moving average.

    Known inputs of the histories are not used: they belong to the site.
    """
    made: dict[str, Prediction] = {}
    groups: dict[tuple[int, int], list[tuple[str, Array]]] = {}
    for name, history in histories.items():
        if history.complete_days < MIN_COMPLETE_DAYS:
            made[name] = moving_average(history, horizon_days=horizon_days, level=level)
            continue
        daily = history.daily_kwh[int(np.flatnonzero(~np.isnan(history.daily_kwh))[0]) :]
        groups.setdefault((len(daily), history.first_day.toordinal() + len(history.daily_kwh)), []).append(
            (name, daily)
        )
    correction = load_correction()
    for group in groups.values():
        size = max(1, BATCH_DAYS // min(len(group[0][1]), WINDOW_DAYS))
        for start in range(0, len(group), size):
            batch = group[start : start + size]
            tracks = ensemble_tracks(
                np.stack([daily for _, daily in batch]),
                horizon=horizon_days,
                level=level,
                correction=correction,
            )
            for (name, _), track in zip(batch, tracks, strict=True):
                made[name] = track.prediction(ENSEMBLE)
    return {name: made[name] for name in histories}


def reconcile(parts: Mapping[str, Prediction], total_kwh: Array) -> dict[str, Prediction]:
    """Shift the parts so that their means sum to the total on every day, none below zero.

    The difference goes where the uncertainty is, in proportion to the squared width of the interval
    (weighted least squares with a diagonal covariance: Wickramasuriya, Athanasopoulos and Hyndman 2019).
    Intervals move along.
    """
    names = list(parts)
    if not names:
        return {}
    mean = np.stack([parts[name].mean for name in names])
    width = np.stack([parts[name].upper - parts[name].lower for name in names])
    fitted = np.stack(
        [_shift_to_sum(mean[:, day], width[:, day] ** 2, float(total)) for day, total in enumerate(total_kwh)],
        axis=1,
    )
    moved = fitted - mean
    return {
        name: Prediction(
            part.model,
            fitted[n],
            np.maximum(part.lower + moved[n], 0.0),
            np.maximum(part.upper + moved[n], fitted[n]),
            note=part.note,
            measured_coverage=part.measured_coverage,
        )
        for n, (name, part) in enumerate(parts.items())
    }


def _shift_to_sum(values: Array, weights: Array, total: float) -> Array:
    """Add to each value in proportion to its weight so that they sum to `total`, keeping them at zero or
    above."""
    fitted = values.copy()
    share = weights if weights.sum() > 0 else np.ones_like(values)
    for _ in range(len(values) + 1):
        gap = total - float(fitted.sum())
        movable = share * ((fitted > 0) | (gap > 0))
        if abs(gap) <= 1e-12 * max(total, 1.0) or movable.sum() <= 0:
            break
        fitted = np.maximum(fitted + gap * movable / movable.sum(), 0.0)
    left = float(fitted.sum())
    return fitted * (total / left) if left > 0 else np.full_like(values, total / len(values))
