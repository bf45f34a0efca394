"""Stretches of time that a detector finds unusual, and how several of them become one episode."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from energy_analytics.episodes.windows import Floats, runs

Direction = Literal[-1, 0, 1]

SHARED: Final = 0.5
"""Two candidates are about the same thing when they share this part of the shorter one."""

RIVAL: Final = 0.6
"""A longer candidate sets the bounds of an episode only from this part of the best one's strength on."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Steps `start` up to, not including, `end`. A strength of 1 is just worth an alarm."""

    start: int
    end: int
    strength: float
    kind: str
    direction: Direction
    """1 more than usual, -1 less, 0 as much but otherwise."""
    hours: tuple[int, int] | None = None
    """First step of the day and number of steps, when only those hours of each day are meant."""

    @property
    def length(self) -> int:
        """Number of steps."""
        return self.end - self.start


def above_threshold(
    scores: Floats,
    least_strength: float,
    *,
    width: int,
    hop: int,
    size: int,
    kind: str,
    direction: Direction,
) -> Iterator[Candidate]:
    """Yield one candidate per unbroken row of windows that score `least_strength` or more."""
    for first, after in runs(scores >= least_strength):
        end = min((after - 1) * hop + width, size)
        yield Candidate(first * hop, end, float(scores[first:after].max()), kind, direction)


def joined(candidates: list[Candidate]) -> list[list[Candidate]]:
    """Return groups of candidates that are about the same thing, each with its strongest first."""
    groups: list[list[Candidate]] = []
    for candidate in sorted(candidates, key=lambda c: (-c.strength, c.start)):
        related = [group for group in groups if any(_same(candidate, other) for other in group)]
        if not related:
            groups.append([candidate])
            continue
        related[0].append(candidate)
        for group in related[1:]:
            related[0].extend(group)
            groups.remove(group)
    return [sorted(group, key=lambda c: -c.strength) for group in groups]


def _same(one: Candidate, other: Candidate) -> bool:
    shared = min(one.end, other.end) - max(one.start, other.start)
    opposite = one.direction * other.direction < 0
    return not opposite and shared > 0 and shared >= SHARED * min(one.length, other.length)


def outline(group: list[Candidate]) -> Candidate:
    """Return the strongest of a group, as long as the longest that is about as strong."""
    best = group[0]
    rivals = [c for c in group if c.strength >= RIVAL * best.strength]
    longest = max(rivals, key=lambda c: c.length)
    return replace(best, start=min(best.start, longest.start), end=max(best.end, longest.end))
