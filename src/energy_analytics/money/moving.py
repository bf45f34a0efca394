"""One day, or the days of a month under a demand charge, with its deferrable energy at the cheapest hours."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heapify, heappop, heappush
from math import ceil

from .days import Day
from .deferrable import Deferrable
from .placement import Task, place

Use = tuple[tuple[int, ...], ...]
"""Wh of each deferrable appliance in each part of the day."""


@dataclass(slots=True)
class Problem:
    """A day whose deferrable energy is to be placed. `ceiling` is the highest Wh in any part that is `charged`."""

    day: Day
    prices: tuple[Fraction, ...]
    """Per Wh, of each part of the day."""
    fixed_wh: Use
    """What stays where it was."""
    tasks: tuple[Task, ...]
    limit_wh: int | None
    charged: tuple[bool, ...]
    """Parts of the day that the demand charge looks at."""
    _solved: dict[int | None, tuple[Fraction, Use] | None] = field(default_factory=dict)

    def solve(self, ceiling_wh: int | None) -> tuple[Fraction, Use] | None:
        """Return the cost and the use under the ceiling, as read where that is no dearer; None if nothing fits."""
        if ceiling_wh not in self._solved:
            self._solved[ceiling_wh] = self._solve(ceiling_wh)
        return self._solved[ceiling_wh]

    def peak_wh(self, use: Use) -> int:
        """Return the most that the site takes in a part that the demand charge looks at."""
        return max((total for total, charged in zip(self._site(use), self.charged, strict=True) if charged), default=0)

    def cost(self, use: Use) -> Fraction:
        """Return what the deferrable appliances cost, the part that stays included."""
        return sum((wh * price for own in use for wh, price in zip(own, self.prices, strict=True) if wh), Fraction(0))

    def _solve(self, ceiling_wh: int | None) -> tuple[Fraction, Use] | None:
        if ceiling_wh is not None:
            free = self.solve(None)
            if free is not None and self.peak_wh(free[1]) <= ceiling_wh:
                return free
        found: tuple[Fraction, Use] | None = None
        if ceiling_wh is None or self.peak_wh(self.day.wh) <= ceiling_wh:
            found = self.cost(self.day.wh), self.day.wh
        placed = place(self.prices, self.tasks, limit_wh=self._room(ceiling_wh))
        if placed is not None:
            use = tuple(
                tuple(kept + moved for kept, moved in zip(fixed, wh, strict=True))
                for fixed, wh in zip(self.fixed_wh, placed.wh, strict=True)
            )
            cost = self.cost(use)
            if found is None or cost < found[0]:
                found = cost, use
        return found

    def _site(self, use: Use) -> list[int]:
        return [rest + sum(own[part] for own in use) for part, rest in enumerate(self.day.rest_wh)]

    def _room(self, ceiling_wh: int | None) -> list[int] | None:
        """Return what may be placed in each part; what is above a limit without any placing leaves no room."""
        if self.limit_wh is None and ceiling_wh is None:
            return None
        kept = self._site(self.fixed_wh)
        everything = sum(task.energy_wh for task in self.tasks)
        room = []
        for used, charged in zip(kept, self.charged, strict=True):
            free = everything if self.limit_wh is None else max(0, self.limit_wh - used)
            if ceiling_wh is not None and charged:
                free = min(free, ceiling_wh - used)
            room.append(free)
        return room


def problem(
    day: Day,
    limits: Sequence[Deferrable],
    *,
    prices: tuple[Fraction, ...],
    most_wh: Sequence[int],
    slot_minutes: int,
    limit_wh: int | None,
    charged: tuple[bool, ...],
) -> Problem:
    """Set a day up. `most_wh` is what each appliance can use in a part of the day at most."""
    fixed, tasks = [], []
    for own, limit, most in zip(day.wh, limits, most_wh, strict=True):
        percent = Fraction(str(limit.movable_percent)) / 100
        stays = tuple(wh - int(wh * percent) for wh in own)
        allowed = tuple(
            max(0, most - kept) if any(first <= minute < end for first, end in limit.spans) else 0
            for minute, kept in zip(day.minutes, stays, strict=True)
        )
        energy = sum(own) - sum(stays)
        parts = None
        if limit.run_hours is not None and energy:
            parts = max(1, round(limit.run_hours * 60 / slot_minutes), ceil(energy / most))
        fixed.append(stays)
        tasks.append(Task(energy, allowed, parts))
    return Problem(day, prices, tuple(fixed), tuple(tasks), limit_wh, charged)


def cheapest_ceiling(days: Sequence[Problem], *, price_per_wh: Fraction, coin: Fraction) -> int:
    """Return the ceiling at which demand charge and energy together cost least, to within half a `coin`."""

    def energy(ceiling_wh: int) -> Fraction | None:
        total = Fraction(0)
        for one in days:
            found = one.solve(ceiling_wh)
            if found is None:
                return None
            total += found[0]
        return total

    low, high = max(one.peak_wh(one.fixed_wh) for one in days), max(one.peak_wh(one.day.wh) for one in days)
    best_ceiling = high
    best = at_high = _known(energy(high)) + high * price_per_wh
    at_low = energy(low)
    if at_low is not None and at_low + low * price_per_wh < best:
        best_ceiling, best = low, at_low + low * price_per_wh
    intervals = [(low * price_per_wh + at_high - high * price_per_wh, low, high)]
    heapify(intervals)
    while intervals:
        bound, low, high = heappop(intervals)
        if bound >= best - coin / 2 or high - low <= 1:
            continue
        middle = (low + high) // 2
        found = energy(middle)
        of_high = bound - low * price_per_wh
        heappush(intervals, (middle * price_per_wh + of_high, middle, high))
        if found is not None:
            if found + middle * price_per_wh < best:
                best_ceiling, best = middle, found + middle * price_per_wh
            heappush(intervals, (low * price_per_wh + found, low, middle))
    return best_ceiling


def _known(cost: Fraction | None) -> Fraction:
    if cost is None:
        raise RuntimeError("the days as they were read do not fit under their own peak")
    return cost
