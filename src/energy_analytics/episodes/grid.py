"""Readings of one appliance, and the same on a regular grid of hours or longer."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
AnyIntegers = NDArray[np.integer[Any]]

DAY_SECONDS: Final = 86_400
GRID_STEPS_SECONDS: Final = tuple(60 * minutes for minutes in (60, 90, 120, 180, 240, 360, 480, 720, 1440))
"""Steps of the grid: whole fractions of a day, an hour at least, so that a time of day is a place in it."""

LONGEST_HOLE_SECONDS: Final = 366 * DAY_SECONDS
"""Readings further apart are looked at like those of two meters: a clock that went back to 1970 makes no decades."""

LEAST_FILLED: Final = 0.5
"""A step of the grid is known from this share of its readings on; the rest is made up in proportion."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Readings of one appliance in order of time, one per stamp. Stamps are seconds of local wall time."""

    appliance: str
    starts: Integers
    kwh: Floats
    step_seconds: int

    def rows_between(self, start: int, end: int) -> slice:
        """Return where the readings lie that start in `start`..`end` (seconds)."""
        first, last = np.searchsorted(self.starts, (start, end))
        return slice(int(first), int(last))


@dataclass(frozen=True, slots=True)
class Grid:
    """Energy per step from a midnight on; NaN where too few readings are known."""

    midnight: int
    step_seconds: int
    kwh: Floats
    filled: Floats
    """Share of each step's readings that are known, at most 1."""
    peak_kwh: Floats
    """The largest reading of each step: the same as `kwh` when a step is one reading."""

    @property
    def per_day(self) -> int:
        """Steps in a day."""
        return DAY_SECONDS // self.step_seconds

    def seconds(self, place: int) -> int:
        """Return the wall time at which a step starts."""
        return self.midnight + place * self.step_seconds


def meters(appliance_codes: AnyIntegers, appliances: list[str], seconds: Integers, kwh: Floats) -> Iterator[Meter]:
    """Split readings in any order by appliance and at long holes; of a stamp that occurs again, the mean is kept."""
    order = np.lexsort((seconds, appliance_codes))
    ends = np.cumsum(np.bincount(appliance_codes, minlength=len(appliances)))
    for code, appliance in enumerate(appliances):
        own = order[ends[code - 1] if code else 0 : ends[code]]
        starts, values = _one_per_stamp(seconds[own], kwh[own])
        holes = np.flatnonzero(np.diff(starts) > LONGEST_HOLE_SECONDS) + 1
        for since, until in pairwise((0, *holes.tolist(), len(starts))):
            if until > since:
                yield Meter(appliance, starts[since:until], values[since:until], _step_seconds(starts[since:until]))


def _one_per_stamp(starts: Integers, kwh: Floats) -> tuple[Integers, Floats]:
    first = np.ones(len(starts), dtype=bool)
    first[1:] = starts[1:] != starts[:-1]
    if first.all():
        return starts, kwh
    at = np.flatnonzero(first)
    return starts[at], np.add.reduceat(kwh, at) / np.diff(np.append(at, len(kwh)))


def _step_seconds(starts: Integers) -> int:
    """Return the most frequent distance between readings; an hour for a single reading."""
    if len(starts) < 2:
        return GRID_STEPS_SECONDS[0]
    distances = np.diff(starts)
    middle = int(np.median(distances))
    if (distances == middle).mean() > 0.5:
        return middle
    values, counts = np.unique(distances, return_counts=True)
    return int(values[np.argmax(counts)])


def grid_of(meter: Meter) -> Grid | None:
    """Return the meter on a regular grid of an hour or longer; None for a step longer than a day."""
    step = next((s for s in GRID_STEPS_SECONDS if s >= meter.step_seconds), None)
    if step is None:
        return None
    midnight = int(meter.starts[0] // DAY_SECONDS * DAY_SECONDS)
    place = (meter.starts - midnight) // step
    size = int(place[-1]) + 1
    energy = np.bincount(place, weights=meter.kwh, minlength=size)
    count = np.bincount(place, minlength=size)
    full = max(step / meter.step_seconds, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        energy = np.where(count < full, energy * full / count, energy)
    filled = np.minimum(count / full, 1.0)
    known = filled >= LEAST_FILLED
    peak = np.full(size, np.nan)
    begins = np.flatnonzero(np.diff(place, prepend=-1))
    peak[place[begins]] = np.maximum.reduceat(meter.kwh, begins)
    return Grid(midnight, step, np.where(known, energy, np.nan), filled, np.where(known, peak, np.nan))
