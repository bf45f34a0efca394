"""The models that a user can name."""

import time
from dataclasses import replace
from typing import Final

import numpy as np

from .baselines import moving_average, seasonal_naive
from .correction import Correction, load_correction
from .ensemble import Track, ensemble_tracks
from .history import (
    MIN_COMPLETE_DAYS,
    MIN_MEASURED_DAYS,
    History,
    Model,
    Prediction,
    Score,
)
from .prophet_mode import prophet_mode
from .prophet_model import fit_prophet
from .scoring import Trial, score

AUTO: Final = "auto"
ENSEMBLE: Final = "ensemble"
SCORED_ORIGINS: Final = 12
"""Forecasts of the past that the choice rests on: every third of the ensemble's, 15 days apart."""
MARGIN: Final = 0.1
"""Another model must have a MASE lower than the ensemble's by this share: less is noise in 84 days."""
MIN_SCORED_DAYS: Final = 56
"""With fewer days to compare on, nothing is chosen over the ensemble."""


def prophet(history: History, *, horizon_days: int, level: float) -> Prediction:
    """Forecast with Prophet as specified; a moving average below two weeks of complete days."""
    if history.complete_days < MIN_COMPLETE_DAYS:
        return moving_average(history, horizon_days=horizon_days, level=level)
    return fit_prophet(history, horizon_days=horizon_days, level=level)


def ensemble(history: History, *, horizon_days: int, level: float) -> Prediction:
    """Forecast with the ensemble; a moving average below two weeks of complete days."""
    if history.complete_days < MIN_COMPLETE_DAYS:
        return moving_average(history, horizon_days=horizon_days, level=level)
    track, _ = _ensemble_track(history, horizon_days=horizon_days, level=level, correction=load_correction())
    return track.prediction(ENSEMBLE)


def auto(history: History, *, horizon_days: int, level: float) -> Prediction:
    """Score every model on the history's own past and forecast with the best, in doubt with the ensemble."""
    return forecast_best(history, horizon_days=horizon_days, level=level, correction=load_correction())


def forecast_best(history: History, *, horizon_days: int, level: float, correction: Correction) -> Prediction:
    """Do what `auto` does, with the pre-trained part given: benchmarks leave meters out of it.

    Prophet is scored by `prophet_mode`, the same model solved faster; if it wins, the package makes the
    forecast.
    """
    if history.complete_days < MIN_COMPLETE_DAYS:
        return moving_average(history, horizon_days=horizon_days, level=level)
    track, seconds = _ensemble_track(history, horizon_days=horizon_days, level=level, correction=correction)
    scores = _scoreboard(history, track, seconds, horizon_days=horizon_days, level=level)
    best = choose(scores)
    if best == ENSEMBLE:
        made = track.prediction(ENSEMBLE)
    else:
        made = MODELS[best](history, horizon_days=horizon_days, level=level)
    if made.measured_coverage is None:
        coverage = next((x.coverage for x in scores if x.model == made.model and x.days >= MIN_MEASURED_DAYS), None)
        made = replace(made, measured_coverage=coverage)
    return replace(made, scores=scores)


def choose(scores: tuple[Score, ...]) -> str:
    """Name the model to use: the one with the lowest MASE if it beats the ensemble by `MARGIN`, else the
    ensemble."""
    own = next((line.mase for line in scores if line.model == ENSEMBLE), float("nan"))
    rivals = [
        line
        for line in scores
        if line.model != ENSEMBLE and line.days >= MIN_SCORED_DAYS and line.mase < (1 - MARGIN) * own
    ]
    return min(rivals, key=lambda line: line.mase).model if rivals else ENSEMBLE


def _ensemble_track(
    history: History, *, horizon_days: int, level: float, correction: Correction
) -> tuple[Track, float]:
    """Run the ensemble from the first complete day on; the track counts days of the whole history."""
    started = time.perf_counter()
    first = int(np.flatnonzero(~np.isnan(history.daily_kwh))[0])
    track = ensemble_tracks(
        history.daily_kwh[None, first:],
        horizon=horizon_days,
        level=level,
        correction=correction,
        holidays=None if history.holidays is None else history.holidays[first:],
        temperature_c=None if history.temperature_c is None else history.temperature_c[first:],
    )[0]
    shifted = Track(track.origins + first, track.mean, track.lower, track.upper, track.errors)
    return shifted, time.perf_counter() - started


def _scoreboard(
    history: History, track: Track, seconds: float, *, horizon_days: int, level: float
) -> tuple[Score, ...]:
    """Score all models after the same days, each seeing the history up to that day only."""
    daily = history.daily_kwh
    known = ~np.isnan(track.errors).all(axis=1)
    chosen = np.flatnonzero(known)[::-1][::3][::-1][-SCORED_ORIGINS:]
    trials: dict[str, list[Trial]] = {ENSEMBLE: []}
    spent = {ENSEMBLE: seconds}
    actuals = []
    for position in chosen:
        actual = track.mean[position] + track.errors[position]
        actuals.append((int(track.origins[position]), actual))
        trials[ENSEMBLE].append(
            Trial(
                int(track.origins[position]),
                track.mean[position],
                track.lower[position],
                track.upper[position],
                actual,
            )
        )
    for model in ("prophet", "moving_average", "seasonal_naive"):
        started = time.perf_counter()
        trials[model] = []
        for origin, actual in actuals:
            past = history.until(origin + 1, horizon_days=horizon_days)
            if model == "prophet":
                ends = prophet_mode(past.first_day, past.daily_kwh, horizon_days=horizon_days, level=level)
            else:
                made = MODELS[model](past, horizon_days=horizon_days, level=level)
                ends = made.mean, made.lower, made.upper
            trials[model].append(Trial(origin, *ends, actual))
        spent[model] = time.perf_counter() - started
    return tuple(score(model, daily, made, seconds=spent[model]) for model, made in trials.items())


MODELS: Final[dict[str, Model]] = {
    "prophet": prophet,
    "moving_average": moving_average,
    "seasonal_naive": seasonal_naive,
    ENSEMBLE: ensemble,
    AUTO: auto,
}
"""By name; to add one, write a function with the signature of `Model` and list it here."""
