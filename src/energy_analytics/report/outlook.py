"""What the report says of the days ahead: the forecast, how good its model has been, and the seasons behind it."""

import math
from collections.abc import Mapping
from datetime import timedelta
from statistics import fmean
from typing import Final

from energy_analytics import words
from energy_analytics.results import Decomposition, Forecast, ModelScore
from energy_analytics.schema import INTERVAL_LEVEL

MODEL_WORDS: Final[Mapping[str, str]] = {
    "ensemble": "a blend of simple models, each weighed by how well it has done",
    "prophet": "Prophet, which adds a slow trend and a weekly rhythm",
    "moving_average": "an average of the most recent complete days",
    "seasonal_naive": "the same weekday of the week before",
}
"""Models of the forecast in plain words; another model is called by its name."""

MODEL_NAMES: Final[Mapping[str, str]] = {
    "ensemble": "Blend",
    "prophet": "Prophet",
    "moving_average": "Moving average",
    "seasonal_naive": "Same weekday last week",
}

_NAIVE: Final = "seasonal_naive"
_FEWEST_DAYS_FOR_SEASONS: Final = 28
_TREND_ENDS_DAYS: Final = 28
_NOTICEABLE: Final = 0.02
"""Of a mean day: a shape smaller than this is not worth a sentence."""


def sentences(forecast: Forecast) -> tuple[str, ...]:
    """Tell the forecast, its model, and how far it can be trusted."""
    if not forecast.days:
        why = forecast.assumption or "No complete day was found to learn from."
        return ("There is no forecast.", why)
    total = words.energy(sum(day.yhat for day in forecast.days))
    model = MODEL_WORDS.get(forecast.model, f"the model {forecast.model.replace('_', ' ')}")
    each = words.energy(sum(day.yhat for day in forecast.days) / len(forecast.days))
    return (
        f"From {words.day(forecast.days[0].day)} to {words.day(forecast.days[-1].day)} about {total} are expected, "
        f"{each} a day.",
        f"The model is {model}. It was trained on {words.count(forecast.trained_on_days, 'complete day')}.",
        *_merit(forecast),
        _coverage(forecast),
    )


def scoreboard(forecast: Forecast) -> tuple[tuple[str, str, str, str], ...]:
    """List the models tried on the history, the best first: name, MASE, WAPE, coverage."""
    ranked = sorted(forecast.scores, key=lambda one: (math.isnan(one.mase), one.mase, one.model))
    return tuple(
        (
            MODEL_NAMES.get(one.model, one.model.replace("_", " "))
            + (" (used)" if one.model == forecast.model else ""),
            _figure(one.mase, decimals=2),
            "-" if math.isnan(one.wape) else words.percent(100 * one.wape),
            "-" if math.isnan(one.coverage) else words.percent(100 * one.coverage),
        )
        for one in ranked
    )


def predictions(forecast: Forecast) -> tuple[tuple[str, str, str, str], ...]:
    """List the days ahead with the ends of their intervals, in one unit."""
    if not forecast.days:
        return ()
    highest_kwh = max(day.yhat_upper for day in forecast.days)
    prefix, scale = words.unit_scale(highest_kwh)
    decimals = words.decimals_of(highest_kwh / scale)

    def energy(kwh: float) -> str:
        return f"{words.number(kwh / scale, decimals=decimals)} {prefix}Wh"

    return tuple(
        (words.day(day.day), energy(day.yhat), energy(day.yhat_lower), energy(day.yhat_upper)) for day in forecast.days
    )


def seasons(parts: Decomposition | None) -> tuple[str, ...]:
    """Tell the trend, the shape of the week and the shape of the year, where there is one to tell."""
    if parts is None:
        return ()
    known = [kwh for kwh in parts.kwh if not math.isnan(kwh)]
    if len(known) < _FEWEST_DAYS_FOR_SEASONS or fmean(known) <= 0:
        return ()
    mean = fmean(known)
    told = []
    weekly = {(parts.first_day + timedelta(days=n)).strftime("%A"): kwh for n, kwh in enumerate(parts.weekly_kwh[:7])}
    most, least = max(weekly, key=lambda day: weekly[day]), min(weekly, key=lambda day: weekly[day])
    if weekly[most] - weekly[least] > _NOTICEABLE * mean:
        told.append(
            f"The week: {most} takes {words.energy(weekly[most])} more than the average day of its week, {least} "
            f"{words.energy(-weekly[least])} less."
        )
    high, low = max(parts.yearly_kwh), min(parts.yearly_kwh)
    if high - low > _NOTICEABLE * mean:
        top, bottom = (parts.first_day + timedelta(days=parts.yearly_kwh.index(end)) for end in (high, low))
        told.append(
            f"The year: it adds most in {top:%B} (up to {words.energy(high)} a day) and takes away most in "
            f"{bottom:%B} (up to {words.energy(-low)})."
        )
    first, last = fmean(parts.trend_kwh[:_TREND_ENDS_DAYS]), fmean(parts.trend_kwh[-_TREND_ENDS_DAYS:])
    told.append(
        f"The trend: without what repeats, the level was {words.energy(max(first, 0.0))} a day in the first four "
        f"weeks and {words.energy(max(last, 0.0))} in the last four."
    )
    return tuple(told)


def _merit(forecast: Forecast) -> tuple[str, ...]:
    """Say by how much the model beats repeating the last week, or that it does not."""
    by_model = {one.model: one for one in forecast.scores}
    used, naive = by_model.get(forecast.model), by_model.get(_NAIVE)
    if used is None or naive is None or not _comparable(used, naive):
        return ()
    tried = f"Tried on {words.count(used.days, 'day')} of the past, each forecast from the days before alone"
    if used.mase < naive.mase and used.model != _NAIVE:
        gain = 100 * (1 - used.mase / naive.mase)
        return (f"{tried}, its mean error was {words.percent(gain)} smaller than that of repeating the last week.",)
    better = any(one.mase < naive.mase for one in forecast.scores if one.model != _NAIVE and _comparable(one, naive))
    return (f"{tried}, {'it did no better' if better else 'no model did better'} than repeating the last week.",)


def _comparable(one: ModelScore, other: ModelScore) -> bool:
    return one.days > 0 and not math.isnan(one.mase) and not math.isnan(other.mase) and other.mase > 0


def _coverage(forecast: Forecast) -> str:
    share = round(100 * INTERVAL_LEVEL)
    if forecast.measured_coverage is None:
        return (
            f"The range beside each day is what the model gives as its {share} % prediction interval. "
            "How often days of this history would have fallen within it has not been measured."
        )
    return (
        f"The range beside each day is its {share} % prediction interval. Of the past days that were forecast the "
        f"same way, {words.percent(100 * forecast.measured_coverage)} fell within theirs."
    )


def _figure(value: float, *, decimals: int) -> str:
    return "-" if math.isnan(value) else words.number(value, decimals=decimals)
