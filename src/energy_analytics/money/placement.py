"""The cheapest hours of a day for energy that can wait, found exactly.

Energy is in whole Wh, hours are any parts of a day in order. Appliances that can be interrupted and share a limit
of power form a polymatroid: filling the cheapest hour as far as any way of filling all allows, then the next, is
optimal (Edmonds 1970). "As far as" is a maximum flow from appliances to hours. Runs that must not be interrupted
are tried at every start, the cheapest first, and given up as soon as what is left cannot beat the best so far.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from typing import Final

MOST_TRIES: Final = 300
"""Starts of uninterrupted runs that are gone into before the best so far is taken: under a tight limit three or four
runs have more ways than there is time. Without a limit the first way is the best."""


@dataclass(frozen=True, slots=True)
class Task:
    """Energy of one appliance to be used within the day."""

    energy_wh: int
    most_wh: tuple[int, ...]
    """Most it may use in each hour; 0 where it may not run."""
    run_hours: int | None = None
    """Length of an uninterrupted run with even power; None where the energy may go to any hours."""


@dataclass(frozen=True, slots=True)
class Placement:
    """When each task runs, Wh by hour, and what that costs (Wh times price)."""

    wh: tuple[tuple[int, ...], ...]
    cost: Fraction


@dataclass(frozen=True, slots=True)
class Placed:
    """The cheapest placement, None when the tasks do not fit; or the best found, where the search was given up."""

    placement: Placement | None
    proved: bool
    """Whether no cheaper one exists (see MOST_TRIES)."""


def place(prices: Sequence[Fraction], tasks: Sequence[Task], *, limit_wh: Sequence[int] | None = None) -> Placed:
    """Find the cheapest placement of all tasks.

    `limit_wh` is what all tasks together may use in each hour. Of hours that cost the same the earliest are taken.
    """
    scale = lcm(*(price.denominator for price in prices))
    found = _Search([int(price * scale) for price in prices], tasks)
    room = list(limit_wh) if limit_wh is not None else [sum(task.energy_wh for task in tasks)] * len(prices)
    found.run(room)
    if found.best is None:
        return Placed(None, proved=not found.gave_up)
    cost, wh = found.best
    return Placed(Placement(wh, Fraction(cost, scale)), proved=not found.gave_up)


class _Search:
    """Every start of every run, but for those that cannot beat the best so far. Prices are whole numbers."""

    def __init__(self, prices: Sequence[int], tasks: Sequence[Task]) -> None:
        self._prices = prices
        self._order = sorted(range(len(prices)), key=lambda hour: (prices[hour], hour))
        self._tasks = tasks
        self._runs = sorted(
            (number for number, task in enumerate(tasks) if task.run_hours is not None),
            key=lambda number: (-tasks[number].energy_wh, number),
        )
        self._loose = [number for number, task in enumerate(tasks) if task.run_hours is None]
        self._starts = {number: sorted(_starts(prices, tasks[number])) for number in self._runs}
        self._cheapest_loose = self._least = 0
        self._tries_left = MOST_TRIES
        self.best: tuple[int, tuple[tuple[int, ...], ...]] | None = None

    @property
    def gave_up(self) -> bool:
        """Whether ways were left untried that might have been cheaper."""
        return self._tries_left <= 0 and not self._beaten(self._least)

    def run(self, room_wh: list[int]) -> None:
        """Find the best placement within the room of each hour."""
        loose = [self._tasks[number] for number in self._loose]
        pieces = [_in_pieces(self._tasks[number]) for number in self._runs]
        alone, every = self._place(loose, room_wh), self._place([*loose, *pieces], room_wh)
        if alone is None or every is None or not all(self._starts.values()):
            return
        self._cheapest_loose, self._least = alone[0], every[0]
        self._try(0, 0, room_wh, {})

    def _try(self, depth: int, cost: int, room_wh: list[int], wh: dict[int, tuple[int, ...]]) -> None:
        """Go through the starts of one run; after the last, place the rest exactly."""
        self._tries_left -= 1
        if depth == len(self._runs):
            rest = self._place([self._tasks[number] for number in self._loose], room_wh)
            if rest is not None and not self._beaten(cost + rest[0]):
                every = wh | dict(zip(self._loose, rest[1], strict=True))
                self.best = cost + rest[0], tuple(every[number] for number in range(len(self._tasks)))
            return
        number = self._runs[depth]
        later = sum(self._starts[other][0][0] for other in self._runs[depth + 1 :]) + self._cheapest_loose
        for own_cost, _, shape in self._starts[number]:
            if self._tries_left <= 0 or self._beaten(max(cost + own_cost + later, self._least)):
                return
            if all(use <= room for use, room in zip(shape, room_wh, strict=True)):
                left = [room - use for use, room in zip(shape, room_wh, strict=True)]
                self._try(depth + 1, cost + own_cost, left, wh | {number: shape})

    def _beaten(self, cost: int) -> bool:
        return self.best is not None and cost >= self.best[0]

    def _place(self, tasks: Sequence[Task], room_wh: Sequence[int]) -> tuple[int, tuple[tuple[int, ...], ...]] | None:
        """Place tasks that may be interrupted: the cheapest hours are opened first, each filled as flow allows."""
        if min(room_wh, default=0) < 0:
            return None
        flow = [[0] * len(room_wh) for _ in tasks]
        left_of_task = [task.energy_wh for task in tasks]
        left_of_hour = list(room_wh)
        opened: list[int] = []
        for hour in self._order:
            if not any(left_of_task):
                break
            opened.append(hour)
            while path := _path(tasks, flow, opened, left_of_task, left_of_hour):
                _push(path, tasks, flow, left_of_task, left_of_hour)
        if any(left_of_task):
            return None
        cost = sum(use * price for uses in flow for use, price in zip(uses, self._prices, strict=True))
        return cost, tuple(tuple(uses) for uses in flow)


def _in_pieces(run: Task) -> Task:
    """Return a run as if it could be interrupted, at no more than its even power: what it costs at least."""
    portion = ceil(run.energy_wh / (run.run_hours or 1))
    return Task(run.energy_wh, tuple(min(most, portion) for most in run.most_wh))


def _starts(prices: Sequence[int], task: Task) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Yield the cost, the first hour and the shape of every run that the task's own limit allows."""
    hours = task.run_hours or 1
    portions = [task.energy_wh * (number + 1) // hours - task.energy_wh * number // hours for number in range(hours)]
    for start in range(len(prices) - hours + 1):
        if all(use <= task.most_wh[start + number] for number, use in enumerate(portions)):
            cost = sum(use * prices[start + number] for number, use in enumerate(portions))
            yield cost, start, (*(0,) * start, *portions, *(0,) * (len(prices) - start - hours))


def _path(
    tasks: Sequence[Task],
    flow: Sequence[Sequence[int]],
    opened: Sequence[int],
    left_of_task: Sequence[int],
    left_of_hour: Sequence[int],
) -> list[int]:
    """Return the shortest way to use more: task, hour, task that gives that hour up, hour, ...; empty if none."""
    came_from: dict[tuple[str, int], tuple[str, int] | None] = {}
    queue: deque[tuple[str, int]] = deque()
    for number, left in enumerate(left_of_task):
        if left:
            came_from["task", number] = None
            queue.append(("task", number))
    while queue:
        kind, index = node = queue.popleft()
        if kind == "hour" and left_of_hour[index] > 0:
            path = [index]
            step = came_from[node]
            while step is not None:
                path.append(step[1])
                step = came_from[step]
            return path[::-1]
        if kind == "task":
            following = [("hour", hour) for hour in opened if flow[index][hour] < tasks[index].most_wh[hour]]
        else:
            following = [("task", number) for number in range(len(tasks)) if flow[number][index] > 0]
        for one in following:
            if one not in came_from:
                came_from[one] = node
                queue.append(one)
    return []


def _push(
    path: Sequence[int],
    tasks: Sequence[Task],
    flow: list[list[int]],
    left_of_task: list[int],
    left_of_hour: list[int],
) -> None:
    """Send as much as fits along a path, which alternates between tasks and hours."""
    forward = [(path[place], path[place + 1]) for place in range(0, len(path), 2)]
    back = [(path[place + 1], path[place]) for place in range(1, len(path) - 1, 2)]
    amount = min(
        left_of_task[path[0]],
        left_of_hour[path[-1]],
        *(tasks[task].most_wh[hour] - flow[task][hour] for task, hour in forward),
        *(flow[task][hour] for task, hour in back),
    )
    for task, hour in forward:
        flow[task][hour] += amount
    for task, hour in back:
        flow[task][hour] -= amount
    left_of_task[path[0]] -= amount
    left_of_hour[path[-1]] -= amount
