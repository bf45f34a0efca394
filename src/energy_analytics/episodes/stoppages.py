"""Rules about readings that look like none: the same again and again, nothing, now and then nothing."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from .candidates import Candidate, Direction
from .evidence import Evidence
from .scans import THRESHOLDS, hop_of, scan
from .windows import FORTNIGHT_DAYS, means, quantiles, runs

SHORTEST_RUN_HOURS: Final = 5
SHORTEST_USUAL: Final = 2.0
LEAST_MISSED: Final = 2.0
"""Dead means that the energy of this many average steps is missing; an appliance mostly off misses none."""


def repeats(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find the same reading again and again (frozen), or nothing at all (dead), for longer than ever."""
    used = e.kwh[e.kwh > 0]
    if not len(used):
        return
    tolerance = 1e-6 * float(np.median(used))
    nothing = e.kwh <= 1e-3 * float(np.median(used))
    same = np.zeros(len(e.kwh), dtype=bool)
    same[1:] = (np.abs(np.diff(e.kwh)) <= tolerance) & ~nothing[1:]
    known = int(np.isfinite(e.kwh).sum())
    shortest = max(e.steps(SHORTEST_RUN_HOURS), 3)
    copied = np.zeros(len(e.kwh), dtype=bool)
    copied[e.per_day :] = np.abs(e.kwh[e.per_day :] - e.kwh[: -e.per_day]) <= tolerance
    copied &= ~nothing & ~same
    for flags, extra, name, kind in (
        (same, 1, "frozen", "frozen reading"),
        (nothing, 0, "dead", "dead"),
        (copied, 0, "copied", "repeated readings"),
    ):
        found = runs(flags)
        lengths = sorted((end - start + extra for start, end in found), reverse=True)
        usual = _usual_length(lengths, known / e.per_day)
        for start, end in found:
            length = end - start + extra
            if shortest <= length <= known / 2 and length / usual >= least_strength * THRESHOLDS[name]:
                missed_kwh = np.nansum(np.maximum(e.usual_kwh[start:end], 0))
                if kind == "dead" and missed_kwh < LEAST_MISSED * e.mean_kwh:
                    continue
                direction: Direction = -1 if kind == "dead" else 0
                strength = length / usual / THRESHOLDS[name]
                yield Candidate(start - extra, end, strength, kind, direction)


def _usual_length(longest_first: list[int], days: float) -> float:
    """Return the length that a run reaches once a fortnight."""
    place = round(days / FORTNIGHT_DAYS)
    return max(SHORTEST_USUAL, float(longest_first[place])) if place < len(longest_first) else SHORTEST_USUAL


def dropouts(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find days on which readings fall to zero again and again though they hardly ever do."""
    known = e.kwh[np.isfinite(e.kwh)]
    if e.per_day < 12 or not (known > 0).any():
        return
    nothing = e.kwh <= 1e-3 * np.median(known[known > 0])
    fell = np.where(np.isfinite(e.kwh), nothing, np.nan)
    fell[1:] -= nothing[1:] & nothing[:-1]
    hop = hop_of(e)
    share = means(fell, e.per_day)[::hop]
    if not np.isfinite(share).any():
        return
    usual = quantiles(share[np.isfinite(share)], 0.9)[0]
    yield from scan(
        e,
        np.nan_to_num(share - usual),
        least_strength,
        name="zeros",
        width=e.per_day,
        kind="dropouts",
        direction=-1,
        hop=hop,
    )
