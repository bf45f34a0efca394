"""Readings in, episodes out: the core, without pandas."""

from typing import Final

import numpy as np

from ..results import Episode
from .bounds import trimmed
from .candidates import LEVEL_KINDS, Candidate, distinct, exactly, joined, level_changes, outline
from .description import describe
from .detectors import DETECTORS
from .evidence import Evidence, evidence_of
from .grid import AnyIntegers, Floats, Integers, Meter, grid_of, meters

_FEWEST_READINGS: Final = 8
_LEAST_DIFFERENCE: Final = 0.005
"""Of what was expected: a level differs by more, or the difference would be told as 0 %."""
_LEAST_READ: Final = 0.01
"""Of a grid of which less is read nothing is said: it takes time by its length, whatever is in it."""

DEFAULT_ALARMS: Final = 0.5
"""Alarms per appliance and month at which a rule's strength of 1 is the limit."""

ALARMS_EXPONENT: Final = 2.2
"""On clean meters alarms fall with this power of the strength asked for (docs/quality.md)."""

KIND_SHARE: Final = 0.6
FEWEST_PER_KIND: Final = 3
"""One kind may take this share of the alarms, and this many anyway: what happens every week is a habit."""

ALWAYS_TOLD: Final = 2.0
"""An episode of this strength is told however many there are."""

MONTH_DAYS: Final = 30.4


class ReadingsError(ValueError):
    """The readings cannot be looked at; the message says which column and what is expected."""


def find_episodes(
    codes: AnyIntegers, appliances: list[str], seconds: Integers, kwh: Floats, *, alarms_per_appliance_month: float
) -> list[Episode]:
    """Find the episodes of all appliances, in order of start.

    A reading is an index into `appliances`, the seconds of its local wall time, and its kWh; in any order.
    """
    if alarms_per_appliance_month <= 0:
        raise ReadingsError(
            f"alarms_per_appliance_month is {alarms_per_appliance_month}; it has to be above 0, such as 0.5."
        )
    found = [
        episode
        for meter in meters(codes, appliances, seconds, kwh)
        for episode in episodes_of(meter, alarms_per_month=alarms_per_appliance_month)
    ]
    return sorted(found, key=lambda episode: (episode.start, episode.appliance, episode.id))


def episodes_of(meter: Meter, *, alarms_per_month: float) -> list[Episode]:
    """Find the episodes of one appliance."""
    grid = grid_of(meter)
    if grid is None or np.isfinite(grid.kwh).sum() < max(_FEWEST_READINGS, _LEAST_READ * len(grid.kwh)):
        return []
    evidence = evidence_of(grid)
    least_strength = (DEFAULT_ALARMS / alarms_per_month) ** (1 / ALARMS_EXPONENT)
    candidates = [candidate for detector in DETECTORS.values() for candidate in detector(evidence, least_strength)]
    found = [exactly(group, trimmed(outline(group), evidence)) for group in joined(candidates)]
    kept = _rare(level_changes(distinct(found), day=evidence.per_day), evidence, alarms_per_month)
    return _once([told for told in (describe(episode, meter, evidence) for episode in kept) if _agrees(told)])


def _agrees(episode: Episode) -> bool:
    """Tell whether the energy bears out the kind: a level that differs by next to nothing is none."""
    return episode.kind not in LEVEL_KINDS or abs(episode.excess_kwh) > _LEAST_DIFFERENCE * episode.expected_kwh


def _once(episodes: list[Episode]) -> list[Episode]:
    """Leave out what turns out to be within another of its kind, once the bounds are those of readings."""
    told: list[Episode] = []
    for episode in episodes:
        alike = [other for other in told if other.kind == episode.kind]
        if not any(episode.start < other.end and other.start < episode.end for other in alike):
            told.append(episode)
    return told


def _rare(found: list[Candidate], e: Evidence, alarms_per_month: float) -> list[Candidate]:
    """Keep the strongest of each kind, as many as its share of the alarms allows, and all that stand out."""
    months = np.isfinite(e.kwh).sum() / e.per_day / MONTH_DAYS
    allowed = max(FEWEST_PER_KIND, round(KIND_SHARE * alarms_per_month * months))
    taken: dict[str, int] = {}
    kept = []
    for candidate in sorted(found, key=lambda c: (-c.strength, c.start)):
        taken[candidate.kind] = taken.get(candidate.kind, 0) + 1
        if taken[candidate.kind] <= allowed or candidate.strength >= ALWAYS_TOLD:
            kept.append(candidate)
    return kept
