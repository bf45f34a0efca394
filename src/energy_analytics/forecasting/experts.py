"""Simple forecasters of a daily series, each evaluated on every past day at once.

Every array has the series first and the day second: `daily_kwh` is (N, T), forecasts are (N, T, G, H) with G
experts and H days ahead, `forecasts[:, t]` being made after day t and from days up to t alone. That
causality is what lets one pass serve the forecast, its scores and its interval. Weekdays are positions
modulo 7.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

WEEK: Final = 7
LEVEL_GAINS: Final = (0.02, 0.05, 0.1, 0.17, 0.27, 0.4, 0.6, 0.9)
"""Share of the latest error that a level takes over: from a mean of months to yesterday's value."""
PROFILE_HALF_LIVES_DAYS: Final = (42.0, 140.0, 1e6)
"""How long a weekday shape is remembered."""
SEASONAL_GAINS: Final = (0.03, 0.1, 0.25)
LEVEL_GAINS_HOLT_WINTERS: Final = (0.05, 0.12, 0.25, 0.45, 0.7)
YEAR_DAYS: Final = 364
"""52 weeks: last year on the same weekday."""
_TINY: Final = 1e-12


def decayed_sum(values: Array, half_life_days: float) -> Array:
    """Sum along the days (axis 1), each day weighing half as much `half_life_days` later."""
    days = values.shape[1]
    growth = np.exp2(np.arange(days) / half_life_days).reshape(1, days, *[1] * (values.ndim - 2))
    return np.cumsum(values * growth, axis=1) / growth


def trailing_mean(values: Array, days: int) -> Array:
    """Mean of the last `days` values at each day (axis 1); of as many as there are at the start."""
    total = np.cumsum(values, axis=1)
    total[:, days:] -= total[:, :-days].copy()
    count = np.minimum(np.arange(1, values.shape[1] + 1), days)
    return total / count


def weekday_profiles(daily_kwh: Array, observed: Mask, *, ratio: bool) -> Array:
    """Estimate the weekday shape after each day, (N, T, 7, memories): kWh from the level, or a share of it.

    Each day is compared with the mean of the week around it, which is known three days later. The shape is
    shrunk towards none by empirical Bayes (James-Stein), so that a series without a weekly pattern gets none.
    """
    series, days = daily_kwh.shape
    deviation = np.zeros((series, days))
    if days >= WEEK:
        around = np.lib.stride_tricks.sliding_window_view(daily_kwh, WEEK, axis=1).mean(axis=2)
        centre = daily_kwh[:, 3:-3]
        deviation[:, 6:] = (
            np.where(around > _TINY, centre / np.maximum(around, _TINY) - 1, 0.0) if ratio else centre - around
        )
    usable = np.zeros((series, days))
    usable[:, 6:] = observed[:, 3 : max(days - 3, 3)]
    slot = (np.arange(days) - 3) % WEEK == np.arange(WEEK)[:, None]
    weight = usable[:, :, None] * slot.T[None]
    profiles = []
    for half_life in PROFILE_HALF_LIVES_DAYS:
        n = decayed_sum(weight, half_life)
        n_squared = decayed_sum(weight, half_life / 2)
        mean = decayed_sum(weight * deviation[:, :, None], half_life) / np.maximum(n, _TINY)
        square = decayed_sum(usable * deviation**2, half_life)
        mean = np.where(n > 0.5, mean, 0.0)
        total = np.maximum(n.sum(axis=2), _TINY)
        within = np.maximum(square - (n * mean**2).sum(axis=2), 0.0) / np.maximum(total - WEEK, 1.0)
        mean = mean - mean.mean(axis=2, keepdims=True)
        effective = np.maximum((n**2 / np.maximum(n_squared, _TINY)).mean(axis=2), 1.0)
        noise = within / effective / np.maximum((mean**2).mean(axis=2), _TINY)
        keep = np.where(total >= WEEK, np.clip(1.0 - noise, 0.0, 1.0), 0.0)
        profiles.append(mean * keep[:, :, None])
    return np.stack(profiles, axis=3)


def _ahead(profile: Array, horizon: int) -> Array:
    """Read a (N, T, 7, M) weekday shape 1..horizon days ahead: (N, T, M, H)."""
    day = np.arange(profile.shape[1])
    return np.stack([profile[:, day, (day + h) % WEEK] for h in range(1, horizon + 1)], axis=3)


def _levels(values: Array, observed: Mask, *, clip_errors: float | None = None) -> Array:
    """Follow the level of (N, T, M) values with every gain of `LEVEL_GAINS`: (N, T, M, gains).

    The gain starts as that of a running mean. `clip_errors` limits an error to that many times its usual
    size.
    """
    series, days, kinds = values.shape
    gains = np.array(LEVEL_GAINS)
    seen = np.cumsum(observed, axis=1, dtype=np.int_)
    steps = np.maximum(gains, 1.0 / np.maximum(seen, 1)[:, :, None]) * observed[:, :, None]
    levels = np.empty((series, days, kinds, gains.size))
    level = np.zeros((series, kinds, gains.size))
    usual = np.zeros_like(level)
    for day in range(days):
        error = values[:, day, :, None] - level
        if clip_errors is not None:
            error, usual = _clipped(error, usual, observed[:, day], seen[:, day], clip_errors)
        level = level + steps[:, day, None] * error
        levels[:, day] = level
    return levels


def _clipped(
    error: Array, usual: Array, observed: Mask, seen: NDArray[np.int_], clip_errors: float
) -> tuple[Array, Array]:
    """Limit errors to `clip_errors` times their usual size, and update that size."""
    bound = clip_errors * usual + _TINY
    size = np.abs(error)
    follow = usual + 0.05 * observed[:, None, None] * (np.minimum(size, bound) - usual)
    if seen.min() > 2 * WEEK:
        return np.clip(error, -bound, bound), follow
    early = (seen <= WEEK)[:, None, None]
    started = np.where(observed[:, None, None], size.mean(axis=(1, 2), keepdims=True), usual)
    free = (seen <= 2 * WEEK)[:, None, None]
    return np.where(free, error, np.clip(error, -bound, bound)), np.where(early, started, follow)


def level_and_profile(
    daily_kwh: Array, observed: Mask, *, horizon: int, ratio: bool, clip_errors: float | None = None
) -> Array:
    """Exponential smoothing of the level around a separately learnt weekday shape, added or multiplied."""
    profile = weekday_profiles(daily_kwh, observed, ratio=ratio)
    days = daily_kwh.shape[1]
    today = profile[:, np.arange(days), np.arange(days) % WEEK]
    if ratio:
        level = _levels(daily_kwh[:, :, None] / np.maximum(1 + today, 0.1), observed, clip_errors=clip_errors)
    else:
        level = _levels(daily_kwh[:, :, None] - today, observed, clip_errors=clip_errors)
    shape = _ahead(profile, horizon)[:, :, :, None, :]
    made = level[..., None] * np.maximum(1 + shape, 0) if ratio else level[..., None] + shape
    return np.asarray(made.reshape(*daily_kwh.shape, -1, horizon))


def holt_winters(daily_kwh: Array, observed: Mask, *, horizon: int) -> Array:
    """Additive Holt-Winters with season 7 over a grid of gains (Holt 1957, Winters 1960), no trend."""
    series, days = daily_kwh.shape
    grid = np.array([(a, g) for a in LEVEL_GAINS_HOLT_WINTERS for g in SEASONAL_GAINS])
    gain, seasonal_gain = grid[:, 0], grid[:, 1]
    level = np.zeros((series, len(grid)))
    season = np.zeros((series, WEEK, len(grid)))
    seen = np.zeros((series, 1))
    levels = np.empty((series, days, len(grid)))
    seasons = np.empty((series, days, WEEK, len(grid)))
    for day in range(days):
        slot = day % WEEK
        here = observed[:, day, None]
        error = (daily_kwh[:, day, None] - level - season[:, slot]) * here
        seen = seen + here
        step = np.maximum(gain, 1.0 / np.maximum(seen, 1.0))
        level = level + step * error
        season[:, slot] += np.maximum(seasonal_gain, 1.0 / (seen / WEEK + 2.0)) * (1 - step) * error
        levels[:, day] = level
        seasons[:, day] = season
    return levels[..., None] + _ahead(seasons, horizon)


def same_weekdays(daily_kwh: Array, *, horizon: int, weeks: int) -> Array:
    """Collect the last `weeks` values of the target's weekday, latest first: (N, T, H, weeks), NaN before
    the start."""
    days = daily_kwh.shape[1]
    day = np.arange(days)[:, None, None]
    ahead = np.arange(1, horizon + 1)[None, :, None]
    back = WEEK * (np.arange(weeks) + (ahead + WEEK - 1) // WEEK)
    index = day + ahead - back
    return np.where(index >= 0, daily_kwh[:, np.maximum(index, 0)], np.nan)


def plain_means(daily_kwh: Array, *, horizon: int) -> Array:
    """Means and the median of the last same weekdays, and of the last days whatever the weekday."""
    same = same_weekdays(daily_kwh, horizon=horizon, weeks=8)
    recent = [trailing_mean(daily_kwh, days) for days in (7, 28, 91)]
    level = np.stack([np.repeat(mean[:, :, None], horizon, axis=2) for mean in recent], axis=2)
    fallback = level[:, :, 0]
    weekday = [
        _nan_mean(same[..., :4]),
        np.sort(same[..., :4], axis=3)[..., 1:3].mean(axis=3),
        _nan_mean(same),
    ]
    filled = [np.where(np.isnan(values), fallback, values) for values in weekday]
    return np.concatenate([np.stack(filled, axis=2), level], axis=2)


def last_year(daily_kwh: Array, base: Array) -> Array:
    """Scale a (N, T, H) forecast by half of last year's change of level over the same days; NaN in the
    first year."""
    series, days, horizon = base.shape
    made = np.full((series, days, 1, horizon), np.nan)
    first = YEAR_DAYS + 14
    if days <= first:
        return made
    total = np.concatenate([np.zeros((series, 1)), np.cumsum(daily_kwh, axis=1)], axis=1)
    day = np.arange(first, days)

    def fortnight(centre: NDArray[np.int_]) -> Array:
        low, high = np.maximum(centre - 7, 0), centre + 8
        return np.asarray((total[:, high] - total[:, low]) / (high - low))

    then = fortnight(day - YEAR_DAYS - 3)
    for h in range(horizon):
        change = (fortnight(day - YEAR_DAYS + h + 1) + _TINY) / (then + _TINY)
        made[:, day, 0, h] = base[:, day, h] * (0.5 + 0.5 * np.clip(change, 0.6, 1.6))
    return made


def _nan_mean(values: Array) -> Array:
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    mean = np.where(known, values, 0.0).sum(axis=-1) / np.maximum(count, 1)
    return np.asarray(np.where(count > 0, mean, np.nan))
