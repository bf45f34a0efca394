"""Rules that find unusual stretches: plain functions of the evidence. To add one, list it in `DETECTORS`.

Every rule compares a window with the same window at other times of the same appliance, in units of how much
that usually varies. `THRESHOLDS` says how many units make an alarm at the default sensitivity; they were set
on one half of the meters of the benchmark and are reported on the other half (docs/quality.md).
"""

from collections.abc import Callable, Iterator
from typing import Final

from .candidates import Candidate
from .evidence import Evidence
from .levels import (
    base_loads,
    bursts,
    energies,
    levels,
    restlessness,
    spikes,
    stillness,
)
from .routines import absences, hours_of_day, routines, shifts
from .stoppages import dropouts, repeats

Detector = Callable[[Evidence, float], Iterator[Candidate]]

DETECTORS: Final[dict[str, Detector]] = {
    "spikes": spikes,
    "bursts": bursts,
    "levels": levels,
    "energies": energies,
    "base_loads": base_loads,
    "stillness": stillness,
    "restlessness": restlessness,
    "repeats": repeats,
    "shifts": shifts,
    "routines": routines,
    "hours_of_day": hours_of_day,
    "absences": absences,
    "dropouts": dropouts,
}
"""The rules, by name."""
