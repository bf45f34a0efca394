"""One day, or the days of a month under a demand charge, with its deferrable energy at the cheapest hours."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from heapq import heapify, heappop, heappush
from math import ceil

from .days import Day
from .deferrable import Deferrable
from .placement import Task, place

Use = tuple[tuple[int, ...], ...]
"""Wh of each deferrable appliance in each part of the day."""


@dataclass(frozen=True)
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
    _solved: dict[int, tuple[Fraction, Use] | None] = field(default_factory=dict)
    _unproved: set[int | None] = field(default_factory=set)

    @property
    def proved(self) -> bool:
        """Whether no search for this day was given up, under any ceiling."""
        return not self._unproved

    @cached_property
    def free(self) -> tuple[Fraction, Use]:
        """The cost and the use without a ceiling: as read where nothing is cheaper.

        Without a limit of the site nothing ties the appliances together, and each is moved only if it gains by it.
        """
        as_read = self.cost(self.day.wh), self.day.wh
        placed = self._place(None)
        if placed is not None and self.limit_wh is None:
            each = zip(self.day.wh, placed[1], strict=True)
            use = tuple(min(own, moved, key=lambda one: self.cost((one,))) for own, moved in each)
            return self.cost(use), use
        return placed if placed is not None and placed[0] < as_read[0] else as_read

    def solve(self, ceiling_wh: int) -> tuple[Fraction, Use] | None:
        """Return the cost and the use under the ceiling, as read where nothing is cheaper; None if nothing fits."""
        if self.peak_wh(self.free[1]) <= ceiling_wh:
            return self.free
        if ceiling_wh not in self._solved:
            fits = self.peak_wh(self.day.wh) <= ceiling_wh
            as_read = (self.cost(self.day.wh), self.day.wh) if fits else None
            placed = self._place(ceiling_wh)
            cheaper = placed is not None and (as_read is None or placed[0] < as_read[0])
            self._solved[ceiling_wh] = placed if cheaper else as_read
        return self._solved[ceiling_wh]

    def peak_wh(self, use: Use) -> int:
        """Return the most that the site takes in a part that the demand charge looks at."""
        return max((total for total, charged in zip(self._site(use), self.charged, strict=True) if charged), default=0)

    def cost(self, use: Use) -> Fraction:
        """Return what the deferrable appliances cost, the part that stays included."""
        return sum((wh * price for own in use for wh, price in zip(own, self.prices, strict=True) if wh), Fraction(0))

    def _place(self, ceiling_wh: int | None) -> tuple[Fraction, Use] | None:
        found = place(self.prices, self.tasks, limit_wh=self._room(ceiling_wh))
        if not found.proved:
            self._unproved.add(ceiling_wh)
        placed = found.placement
        if placed is None:
            return None
        use = tuple(
            tuple(kept + moved for kept, moved in zip(fixed, wh, strict=True))
            for fixed, wh in zip(self.fixed_wh, placed.wh, strict=True)
        )
        return self.cost(use), use

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


def cheapest_ceiling(days: Sequence[Problem], *, price_per_wh: Fraction) -> int:
    """Return the ceiling at which demand charge and energy together cost least, in Wh of a part of the day.

    Above the highest use of the days solved without a ceiling nothing gets cheaper any more.
    """

    def energy(ceiling_wh: int) -> Fraction | None:
        total = Fraction(0)
        for one in days:
            found = one.solve(ceiling_wh)
            if found is None:
                return None
            total += found[0]
        return total

    low = max(one.peak_wh(one.fixed_wh) for one in days)
    high = max(one.peak_wh(one.free[1]) for one in days)
    best_ceiling = high
    best = at_high = sum((one.free[0] for one in days), Fraction(0)) + high * price_per_wh
    at_low = energy(low)
    if at_low is not None and at_low + low * price_per_wh < best:
        best_ceiling, best = low, at_low + low * price_per_wh
    intervals = [(low * price_per_wh + at_high - high * price_per_wh, low, high)]
    heapify(intervals)
    while intervals:
        bound, low, high = heappop(intervals)
        if bound >= best or high - low <= 1:
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
