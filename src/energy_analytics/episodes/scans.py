"""How a row of window scores becomes candidates, and what the windows of the rules have in common."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from .candidates import Candidate, Direction, above_threshold
from .evidence import Evidence
from .windows import Floats, Integers

THRESHOLDS: Final[dict[str, float]] = {
    "spike": 1.89,
    "burst": 2.2,
    "rank 24 up": 3.77,
    "rank 24 down": 5.12,
    "rank 72 up": 3.93,
    "rank 72 down": 3.73,
    "rank 168 up": 4.46,
    "rank 168 down": 3.69,
    "energy 72 up": 3.93,
    "energy 72 down": 5.84,
    "energy 168 up": 3.85,
    "energy 168 down": 4.45,
    "every day 3 up": 3.86,
    "every day 3 down": 4.98,
    "every day 5 up": 4.51,
    "every day 5 down": 4.49,
    "base up": 31.2,
    "base log up": 17.5,
    "peak down": 20.8,
    "still 12": 5.52,
    "still 24": 6.55,
    "restless 24": 2.96,
    "restless 72": 3.97,
    "frozen": 3.59,
    "copied": 2.69,
    "dead": 3.68,
    "shift 5": 5.57,
    "shift 7": 3.83,
    "routine 7": 5.69,
    "absent 4": 2.18,
    "absent 6": 1.3,
    "zeros": 0.175,
    "hours 4": 6.52,
    "hours 5": 3.5,
}
"""Units of a rule's own spread at which it raises an alarm."""

HOPS_PER_DAY: Final = 8
"""Windows of half a day and more start every three hours."""

BASE_DAYS: Final = (3, 4, 5, 7, 14, 21)
"""Days before and after with which a day's base load, peak and restlessness are compared."""

FLOOR_SHARE: Final = 0.1
"""Part of the mean that is added before a ratio is taken, so that near nothing stays near nothing."""


def log_ratio(kwh: Floats, usual_kwh: Floats, mean_kwh: float, floor: float = FLOOR_SHARE) -> Floats:
    """Return the logarithm of used over usual, tame near zero."""
    ratio: Floats = np.log((kwh + floor * mean_kwh) / (np.maximum(usual_kwh, 0) + floor * mean_kwh))
    return ratio


def hop_of(e: Evidence) -> int:
    """Return how many steps lie between the starts of long windows."""
    hop = max(e.per_day // HOPS_PER_DAY, 1)
    return hop if e.per_day % hop == 0 else 1


def scan(
    e: Evidence,
    scores: Floats,
    least_strength: float,
    *,
    name: str,
    width: int,
    kind: str,
    direction: Direction,
    hop: int,
) -> Iterator[Candidate]:
    """Yield the candidates of one rule; `scores` are in units of its spread, high being unusual."""
    yield from above_threshold(
        scores / THRESHOLDS[name],
        least_strength,
        width=width,
        hop=hop,
        size=len(e.kwh),
        kind=kind,
        direction=direction,
    )


def lags_of_days(e: Evidence, days: tuple[int, ...], hop: int) -> Integers:
    """Return days before and after as numbers of hops."""
    away = np.array(days) * (e.per_day // hop)
    return np.concatenate((away, -away))
