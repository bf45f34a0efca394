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


def place(
    prices: Sequence[Fraction], tasks: Sequence[Task], *, limit_wh: Sequence[int] | None = None
) -> Placement | None:
    """Return the cheapest placement of all tasks; None when they do not fit.

    `limit_wh` is what all tasks together may use in each hour. Of hours that cost the same the earliest are taken.
    """
    runs = [number for number, task in enumerate(tasks) if task.run_hours is not None]
    loose = [number for number, task in enumerate(tasks) if task.run_hours is None]
    ceiling = list(limit_wh) if limit_wh is not None else [sum(task.energy_wh for task in tasks)] * len(prices)
    found = _place_loose(prices, [tasks[number] for number in loose], ceiling)
    if found is None:
        return None
    best: list[Placement] = []
    starts = {number: sorted(_starts(prices, tasks[number])) for number in runs}
    if not all(starts.values()):
        return None
    order = sorted(runs, key=lambda number: -tasks[number].energy_wh)
    cheapest_after = [Fraction(0)] * (len(order) + 1)
    for depth in range(len(order) - 1, -1, -1):
        cheapest_after[depth] = cheapest_after[depth + 1] + starts[order[depth]][0][0]

    def try_from(depth: int, cost: Fraction, left_wh: list[int], wh: dict[int, tuple[int, ...]]) -> None:
        if depth == len(order):
            rest = _place_loose(prices, [tasks[number] for number in loose], left_wh)
            if rest is not None and (not best or cost + rest.cost < best[0].cost):
                every = wh | dict(zip(loose, rest.wh, strict=True))
                best[:] = [Placement(tuple(every[number] for number in range(len(tasks))), cost + rest.cost)]
            return
        for own_cost, _, shape in starts[order[depth]]:
            if best and cost + own_cost + cheapest_after[depth + 1] + found.cost >= best[0].cost:
                return
            if all(use <= left for use, left in zip(shape, left_wh, strict=True)):
                left = [left - use for use, left in zip(shape, left_wh, strict=True)]
                try_from(depth + 1, cost + own_cost, left, wh | {order[depth]: shape})

    try_from(0, Fraction(0), ceiling, {})
    return best[0] if best else None


def _starts(prices: Sequence[Fraction], task: Task) -> Iterator[tuple[Fraction, int, tuple[int, ...]]]:
    """Yield the cost, the first hour and the shape of every run that the task's own limit allows."""
    hours = task.run_hours or 1
    portions = [task.energy_wh * (number + 1) // hours - task.energy_wh * number // hours for number in range(hours)]
    for start in range(len(prices) - hours + 1):
        if all(use <= task.most_wh[start + number] for number, use in enumerate(portions)):
            cost = sum((use * prices[start + number] for number, use in enumerate(portions)), Fraction(0))
            yield cost, start, (*(0,) * start, *portions, *(0,) * (len(prices) - start - hours))


def _place_loose(prices: Sequence[Fraction], tasks: Sequence[Task], limit_wh: Sequence[int]) -> Placement | None:
    """Place tasks that may be interrupted: hours are opened in order of price, each filled as far as flow allows."""
    flow = [[0] * len(prices) for _ in tasks]
    left_of_task = [task.energy_wh for task in tasks]
    left_of_hour = list(limit_wh)
    opened: list[int] = []
    for hour in sorted(range(len(prices)), key=lambda hour: (prices[hour], hour)):
        if not any(left_of_task):
            break
        opened.append(hour)
        while path := _path(tasks, flow, opened, left_of_task, left_of_hour):
            _push(path, tasks, flow, left_of_task, left_of_hour)
    if any(left_of_task) or min(left_of_hour, default=0) < 0:
        return None
    cost = sum((use * prices[hour] for uses in flow for hour, use in enumerate(uses) if use), Fraction(0))
    return Placement(tuple(tuple(uses) for uses in flow), cost)


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
