"""Readings in, episodes out."""

from dataclasses import asdict
from typing import Final

import numpy as np
import pandas as pd

from energy_analytics.episodes.bounds import trimmed
from energy_analytics.episodes.candidates import Candidate, distinct, exactly, joined, level_changes, outline
from energy_analytics.episodes.description import Episode, describe
from energy_analytics.episodes.detectors import DETECTORS
from energy_analytics.episodes.evidence import Evidence, evidence_of
from energy_analytics.episodes.grid import Floats, Integers, Meter, grid_of, meters
from energy_analytics.schema import EPISODES, RAW_ENERGY_DATA

DEFAULT_ALARMS: Final = 0.5
"""Alarms per appliance and month at which a rule's strength of 1 is the limit."""

ALARMS_EXPONENT: Final = 2.2
"""On clean meters alarms fall with this power of the strength asked for (docs/quality_anomalies.md)."""

KIND_SHARE: Final = 0.6
FEWEST_PER_KIND: Final = 3
"""One kind may take this share of the alarms, and this many anyway: what happens every week is a habit."""

ALWAYS_TOLD: Final = 2.0
"""An episode of this strength is told however many there are."""

MONTH_DAYS: Final = 30.4


class ReadingsError(ValueError):
    """The readings cannot be looked at; the message says which column and what is expected."""


def detect_episodes(
    readings: pd.DataFrame, *, alarms_per_appliance_month: float = DEFAULT_ALARMS
) -> pd.DataFrame:
    """Find the stretches of time in which an appliance did not behave as it usually does.

    `readings` has the columns `timestamp` (start of the interval, naive local wall time), `appliance` and
    `kwh` (energy in the interval), in any order of rows; steps of 1 minute to 1 day, which may differ between
    appliances. Rows without a time, an appliance or a finite number are left out; of several rows
    with the same stamp the mean counts. `alarms_per_appliance_month` is the sensitivity: about
    how many episodes an appliance with nothing wrong may be reported with in a month.

    The result has one row per episode, in order of start: `id` (stays the same as long as appliance, kind and
    start do; `carry_over` keeps it through growth), `start`, `end` (first instant after it), `appliance`,
    `kind` (a key of `reasons.SENTENCES`), `actual_kwh`, `expected_kwh`, `excess_kwh` (the difference),
    `severity` (1 just worth an alarm, at most 10) and `reason`.

    Each stretch is compared with the weeks before and after it. The latest ones only have weeks before, so an
    episode at the end of the history may change when more arrives.
    """
    if alarms_per_appliance_month <= 0:
        raise ReadingsError(
            f"alarms_per_appliance_month is {alarms_per_appliance_month}; it has to be above 0, such as 0.5."
        )
    codes, appliances, seconds, kwh = _columns(readings)
    found = [
        episode
        for meter in meters(codes, appliances, seconds, kwh)
        for episode in episodes_of(meter, alarms_per_month=alarms_per_appliance_month)
    ]
    return _frame(found)


def episodes_of(meter: Meter, *, alarms_per_month: float) -> list[Episode]:
    """Find the episodes of one appliance."""
    grid = grid_of(meter)
    if grid is None or not np.isfinite(grid.kwh).any():
        return []
    evidence = evidence_of(grid)
    least_strength = (DEFAULT_ALARMS / alarms_per_month) ** (1 / ALARMS_EXPONENT)
    candidates = [
        candidate for detector in DETECTORS.values() for candidate in detector(evidence, least_strength)
    ]
    found = [exactly(group, trimmed(outline(group), evidence)) for group in joined(candidates)]
    kept = _rare(level_changes(distinct(found), day=evidence.per_day), evidence, alarms_per_month)
    return _once([describe(episode, meter, evidence) for episode in kept])


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


def _columns(readings: pd.DataFrame) -> tuple[Integers, list[str], Integers, Floats]:
    wanted = RAW_ENERGY_DATA.column_names
    missing = [name for name in wanted if name not in readings.columns]
    if missing:
        raise ReadingsError(f"The readings lack {', '.join(missing)}; the columns are {', '.join(wanted)}.")
    stamps = pd.to_datetime(readings["timestamp"])
    if stamps.dt.tz is not None:
        raise ReadingsError("timestamp has an offset; give the site's wall time without one.")
    codes, appliances = pd.factorize(readings["appliance"], sort=True)
    kwh = readings["kwh"].to_numpy(dtype=np.float64, na_value=np.nan)
    seconds = stamps.to_numpy().astype("datetime64[s]").astype(np.int64)
    usable = (codes >= 0) & np.isfinite(kwh) & stamps.notna().to_numpy()
    return codes[usable].astype(np.int64), [str(name) for name in appliances], seconds[usable], kwh[usable]


def _frame(episodes: list[Episode]) -> pd.DataFrame:
    ordered = sorted(episodes, key=lambda episode: (episode.start, episode.appliance, episode.id))
    frame = pd.DataFrame([asdict(episode) for episode in ordered], columns=list(EPISODES.column_names))
    kinds = {"TIMESTAMP": "datetime64[us]", "DOUBLE": "float64", "VARCHAR": "str"}
    return frame.astype({column.name: kinds[column.type] for column in EPISODES.columns})
