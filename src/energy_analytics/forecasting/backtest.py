"""Every model refitted at past days of a history and compared with what came."""

import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from .experts import Array
from .history import MIN_COMPLETE_DAYS, ForecastError, History, Score
from .models import AUTO, MODELS
from .scoring import Trial, score

ORIGINS: Final = 8
"""Forecasts of the past per model."""


def rolling_origins(daily_kwh: Array, *, horizon_days: int, count: int = ORIGINS) -> tuple[int, ...]:
    """Choose up to `count` positions to forecast from, evenly over the last year, each with two weeks
    before it."""
    complete = np.cumsum(~np.isnan(daily_kwh))
    last = len(daily_kwh) - 1 - horizon_days
    enough = np.flatnonzero(complete[: max(last + 1, 0)] >= MIN_COMPLETE_DAYS)
    if enough.size == 0:
        raise ForecastError(
            f"A backtest needs {MIN_COMPLETE_DAYS} complete days and {horizon_days} more to compare with; "
            f"got {int(complete[-1]) if complete.size else 0} complete of {len(daily_kwh)} days."
        )
    first = max(int(enough[0]), last - 364)
    return tuple(int(day) for day in np.unique(np.linspace(first, last, count).round().astype(int)))


def backtest(
    history: History,
    *,
    models: Sequence[str] = tuple(sorted(set(MODELS) - {AUTO})),
    horizon_days: int = 7,
    level: float = 0.8,
    origins: int = ORIGINS,
) -> tuple[Score, ...]:
    """Score models by forecasting from past days with nothing but the days up to then; known inputs stay
    known."""
    daily = history.daily_kwh
    places = rolling_origins(daily, horizon_days=horizon_days, count=origins)
    lines = []
    for name in models:
        if name not in MODELS:
            raise ForecastError(f"There is no model {name!r}; the models are {', '.join(MODELS)}.")
        started = time.perf_counter()
        trials = []
        for origin in places:
            past = history.until(origin + 1, horizon_days=horizon_days)
            made = MODELS[name](past, horizon_days=horizon_days, level=level)
            actual = daily[origin + 1 : origin + 1 + horizon_days]
            trials.append(Trial(origin, made.mean, made.lower, made.upper, actual))
        lines.append(score(name, daily, trials, seconds=time.perf_counter() - started))
    return tuple(lines)
