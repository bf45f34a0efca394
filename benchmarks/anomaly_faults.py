"""Faults that the anomaly benchmark puts into real hourly series, each by seed.

A fault takes the series (numbered from a midnight), a start hour, a length in hours and a random generator,
and returns the stretch with the fault in it. `KNOWN` are the kinds the rules were written for, `HELD_BACK`
those they were not: nothing in `energy_analytics.episodes` was tuned on them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Change = Callable[[Floats, int, int, np.random.Generator], Floats]

DAY_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to the readings, and for how long: shortest and longest, hours."""

    change: Change
    shortest_hours: int
    longest_hours: int
    whole_days: bool = False


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault as it was put in, hours since the series' first midnight; `end` is the first hour after."""

    kind: str
    start: int
    end: int


def _scale(x: Floats) -> float:
    mean = float(np.nanmean(x))
    return mean if mean > 0 else 1.0


def _profile(x: Floats) -> Floats:
    days = len(x) // DAY_HOURS
    profile: Floats = np.nanmean(x[: days * DAY_HOURS].reshape(days, DAY_HOURS), axis=0)
    return profile


def _spike(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return x[start : start + hours] + rng.uniform(1.2, 4) * np.nanquantile(x, 0.99)


def _level_up(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return x[start : start + hours] * rng.uniform(1.5, 2.5)


def _level_down(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return x[start : start + hours] * rng.uniform(0.25, 0.6)


def _stuck_on(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return x[start : start + hours] + rng.uniform(0.6, 2) * _scale(x)


def _dead(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return np.zeros(hours)


def _frozen(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    before = x[:start][np.isfinite(x[:start])]
    return np.full(hours, before[-1] if len(before) else _scale(x))


def _shifted(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    by = int(rng.integers(5, 13)) * int(rng.choice([-1, 1]))
    return np.roll(x[start : start + hours], by)


def _night_use(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    first, width = int(rng.integers(0, 4)), int(rng.integers(2, 5))
    hour = np.arange(start, start + hours) % DAY_HOURS
    on = (hour >= first) & (hour < first + width)
    return x[start : start + hours] + on * rng.uniform(0.7, 2) * _scale(x)


def _drift(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return x[start : start + hours] * (1 + np.linspace(0, rng.uniform(0.8, 2), hours))


def _noise(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return x[start : start + hours] * rng.lognormal(0, 1.0, hours)


def _capped(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return np.minimum(x[start : start + hours], np.nanquantile(x, rng.uniform(0.3, 0.5)))


def _counted_twice(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return x[start : start + hours] * 2


def _short_cycling(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return x[start : start + hours] + (np.arange(hours) % 2) * rng.uniform(1, 2) * _scale(x)


def _missing_peak(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    profile = _profile(x)
    peak = np.argsort(profile)[-6:]
    hour = np.arange(start, start + hours) % DAY_HOURS
    return np.where(
        np.isin(hour, peak),
        np.minimum(x[start : start + hours], np.nanquantile(x, 0.1)),
        x[start : start + hours],
    )


def _repeated_day(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return np.tile(x[start : start + DAY_HOURS], hours // DAY_HOURS)


def _dropouts(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return np.where(rng.random(hours) < 0.35, 0.0, x[start : start + hours])


def _unit_error(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return x[start : start + hours] * float(rng.choice([0.001, 10.0]))


def _slow_leak(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return x[start : start + hours] + rng.uniform(0.35, 0.7) * _scale(x)


def _upside_down(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    days = x[start : start + hours].reshape(-1, DAY_HOURS)
    low, high = np.fmin.reduce(days, axis=1), np.fmax.reduce(days, axis=1)
    swapped: Floats = (low + high)[:, None] - days
    return swapped.ravel()


def _late_day(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return np.roll(x[start : start + hours], 3)


def _lump(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    stretch = np.zeros(hours)
    stretch[-1] = np.nansum(x[start : start + hours])
    return stretch


def _averaged(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    days = np.nan_to_num(x[start : start + hours]).reshape(-1, DAY_HOURS)
    return np.repeat(days.mean(axis=1), DAY_HOURS) * rng.normal(1, 0.02, hours)


def _base_lost(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    return np.maximum(x[start : start + hours] - rng.uniform(0.4, 0.8) * _scale(x), 0)


def _other_season(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    away = (start + len(x) // 2) % len(x)
    return np.resize(x[away : away + hours], hours)[::-1]


def _evening_doubled(x: Floats, start: int, hours: int, rng: np.random.Generator) -> Floats:
    hour = np.arange(start, start + hours) % DAY_HOURS
    return x[start : start + hours] * np.where((hour >= 17) & (hour < 22), rng.uniform(2, 3), 1.0)


KNOWN: Final = {
    "spike": Fault(_spike, 1, 2),
    "level up": Fault(_level_up, 72, 336),
    "level down": Fault(_level_down, 72, 336),
    "stuck on": Fault(_stuck_on, 8, 72),
    "dead": Fault(_dead, 12, 96),
    "frozen": Fault(_frozen, 12, 72),
    "shifted": Fault(_shifted, 96, 336, whole_days=True),
    "night use": Fault(_night_use, 120, 336, whole_days=True),
    "noise": Fault(_noise, 72, 168),
    "repeated day": Fault(_repeated_day, 96, 192, whole_days=True),
    "drift": Fault(_drift, 240, 504),
    "missing peak": Fault(_missing_peak, 96, 240, whole_days=True),
    "dropouts": Fault(_dropouts, 48, 120),
    "short cycling": Fault(_short_cycling, 24, 72),
    "unit error": Fault(_unit_error, 4, 24),
    "counted twice": Fault(_counted_twice, 24, 72, whole_days=True),
}

HELD_BACK: Final = {
    "capped": Fault(_capped, 96, 240),
    "slow leak": Fault(_slow_leak, 168, 504),
    "upside down": Fault(_upside_down, 72, 168, whole_days=True),
    "late by 3 h": Fault(_late_day, 168, 336, whole_days=True),
    "lump after a gap": Fault(_lump, 6, 36),
    "averaged": Fault(_averaged, 72, 168, whole_days=True),
    "base load lost": Fault(_base_lost, 120, 336),
    "another season": Fault(_other_season, 120, 336, whole_days=True),
    "evening doubled": Fault(_evening_doubled, 120, 240, whole_days=True),
}


def inject(
    kwh: Floats, *, kinds: dict[str, Fault], per_month: float, rng: np.random.Generator
) -> tuple[Floats, tuple[Injected, ...]]:
    """Return a copy of an hourly series with faults in it, about `per_month`, two days or more apart.

    Kinds take turns in random order. A place where half of the readings are missing, or where the fault
    would change next to nothing (a dead meter declared dead), is not used.
    """
    faulty = kwh.copy()
    wanted = max(1, round(per_month * len(kwh) / (30 * DAY_HOURS)))
    names = list(kinds)
    order = [names[i] for _ in range(wanted // len(names) + 1) for i in rng.permutation(len(names))][:wanted]
    placed: list[Injected] = []
    for kind in order:
        fault = kinds[kind]
        for _attempt in range(30):
            hours = int(rng.integers(fault.shortest_hours, fault.longest_hours + 1))
            start = int(rng.integers(7 * DAY_HOURS, max(len(kwh) - hours, 7 * DAY_HOURS + 1)))
            if fault.whole_days:
                hours -= hours % DAY_HOURS
                start -= start % DAY_HOURS
            end = start + hours
            if end > len(kwh) or any(start < f.end + 48 and f.start < end + 48 for f in placed):
                continue
            true = kwh[start:end]
            if np.isnan(true).mean() > 0.5 or np.nanmax(true) <= 0:
                continue
            changed = np.where(np.isnan(true), np.nan, fault.change(kwh, start, hours, rng))
            if np.nansum(np.abs(changed - true)) < 0.1 * _scale(kwh) * min(hours, 12):
                continue
            faulty[start:end] = changed
            placed.append(Injected(kind, start, end))
            break
    return faulty, tuple(sorted(placed, key=lambda f: f.start))
