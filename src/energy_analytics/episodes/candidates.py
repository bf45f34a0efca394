"""Stretches of time that a detector finds unusual, and how several of them become one episode."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from .windows import Floats, runs

Direction = Literal[-1, 0, 1]

SHARED: Final = 0.5
"""Two candidates are about the same thing when they share this part of the shorter one."""

RIVAL: Final = 0.6
"""A longer candidate sets the bounds of an episode only from this part of the best one's strength on."""


EXACT_KINDS: Final = ("dead", "frozen reading", "repeated readings")
LEVEL_KINDS: Final = ("unusually high", "unusually low")
SHORTEST_LEVEL_DAYS: Final = 6
COVERED: Final = 0.6
"""A kind that says exactly what is wrong names an episode from this share of its length on."""


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
    """Return what a group is about: as long as the longest that is about as strong as the strongest.

    The kind is that of the strongest which is half as long or more, so that a spike does not name a week."""
    best = group[0]
    rivals = [c for c in group if c.strength >= RIVAL * best.strength and _same(c, best)]
    longest = max(rivals, key=lambda c: c.length)
    first, last = min(best.start, longest.start), max(best.end, longest.end)
    named = next(c for c in group if 2 * c.length >= last - first)
    return replace(named, start=first, end=last, strength=best.strength)


def exactly(group: list[Candidate], whole: Candidate) -> Candidate:
    """Return `whole`, or what in its group says exactly which readings are wrong if that is most of it."""
    for kind in EXACT_KINDS:
        exact = [c for c in group if c.kind == kind]
        if exact and (exact[0] is group[0] or sum(c.length for c in exact) >= COVERED * whole.length):
            first, last = min(c.start for c in exact), max(c.end for c in exact)
            return replace(exact[0], start=first, end=last, strength=whole.strength)
    return whole


def distinct(found: list[Candidate]) -> list[Candidate]:
    """Return the strongest of those that turn out to be about the same thing once their bounds are exact.

    Two of one kind that merely touch become one.
    """
    kept: list[Candidate] = []
    for candidate in sorted(found, key=lambda c: (-c.strength, c.start)):
        if any(_same(candidate, other) for other in kept):
            continue
        whole = candidate
        for other in [c for c in kept if c.kind == candidate.kind]:
            if other.start < whole.end and whole.start < other.end:
                kept.remove(other)
                whole = replace(other, start=min(whole.start, other.start), end=max(whole.end, other.end))
        kept.append(whole)
    return kept


def level_changes(found: list[Candidate], *, day: int) -> list[Candidate]:
    """Return `found` with each low stretch that turns into a high one, or the reverse, told as one new level.

    A level that changes for good looks low before and high after, being compared with the weeks around.
    `day` is the number of steps in a day.
    """
    levels = [c for c in found if c.kind in LEVEL_KINDS and c.length >= SHORTEST_LEVEL_DAYS * day]
    changed = list(found)
    for before in levels:
        for after in levels:
            turns = before.direction * after.direction < 0 and abs(after.start - before.end) <= 2 * day
            if turns and before in changed and after in changed:
                changed.remove(before)
                changed.remove(after)
                strength = max(before.strength, after.strength)
                changed.append(replace(after, kind="new level", strength=strength))
    return changed
