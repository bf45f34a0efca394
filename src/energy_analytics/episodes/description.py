"""From a group of candidates to an episode: exact bounds, a kind, energies and a reason."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import numpy as np

from ..results import Episode
from .bounds import to_the_reading
from .candidates import LEVEL_KINDS, Candidate
from .evidence import Evidence
from .grid import Meter
from .identity import episode_id
from .reasons import Figures, reason_of

MOST_SEVERE: Final = 10.0


def wall_time(seconds: int) -> datetime:
    """Return seconds of wall time as a naive datetime."""
    return datetime.fromtimestamp(seconds, tz=UTC).replace(tzinfo=None)


def describe(found: Candidate, meter: Meter, e: Evidence) -> Episode:
    """Turn what the rules found into one episode."""
    start, end = e.grid.seconds(found.start), e.grid.seconds(found.end)
    start, end = to_the_reading(found, start, end, meter)
    rows = meter.rows_between(start, end)
    actual = float(meter.kwh[rows].sum())
    expected = _expected_kwh(e, start, end)
    # Rules that look at ranks or peaks alone may call a stretch low that used more than usual.
    if found.kind in LEVEL_KINDS:
        found = replace(found, kind=LEVEL_KINDS[actual < expected])
    figures = Figures(
        start=wall_time(start),
        end=wall_time(end),
        actual_kwh=actual,
        expected_kwh=expected,
        readings=rows.stop - rows.start,
    )
    return Episode(
        id=episode_id(meter.appliance, found.kind, figures.start),
        start=figures.start,
        end=figures.end,
        appliance=meter.appliance,
        kind=found.kind,
        actual_kwh=actual,
        expected_kwh=expected,
        excess_kwh=actual - expected,
        severity=round(min(found.strength, MOST_SEVERE), 2),
        reason=reason_of(found, figures, meter, e),
    )


def _expected_kwh(e: Evidence, start: int, end: int) -> float:
    """Return what was usual in the time that has readings, kWh."""
    step = e.grid.step_seconds
    first = max((start - e.grid.midnight) // step, 0)
    last = min(-(-(end - e.grid.midnight) // step), len(e.kwh))
    places = np.arange(first, last)
    begins = e.grid.midnight + places * step
    inside = (np.minimum(begins + step, end) - np.maximum(begins, start)) / step
    usual = e.usual_kwh[first:last]
    fallback = np.nanmedian(e.kwh)
    usual = np.where(np.isnan(usual), fallback, usual)
    return float((usual * inside * e.grid.filled[first:last]).sum())
