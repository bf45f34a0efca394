"""From a group of candidates to an episode: exact bounds, a kind, energies and a reason."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from energy_analytics.episodes.candidates import Candidate, outline
from energy_analytics.episodes.evidence import Evidence
from energy_analytics.episodes.grid import DAY_SECONDS, Meter
from energy_analytics.episodes.identity import episode_id
from energy_analytics.episodes.reasons import Figures, reason_of
from energy_analytics.episodes.windows import Bools

COVERED: Final = 0.6
"""A kind that says exactly what is wrong names an episode from this share of its length on."""

EXACT_KINDS: Final = ("dead", "frozen reading", "repeated readings")
TRIMMED_KINDS: Final = ("unusually high", "unusually low", "stuck on")
MOST_SEVERE: Final = 10.0


@dataclass(frozen=True, slots=True)
class Episode:
    """One row of the result; the fields are the columns."""

    id: str
    start: datetime
    end: datetime
    appliance: str
    kind: str
    actual_kwh: float
    expected_kwh: float
    excess_kwh: float
    severity: float
    reason: str


def wall_time(seconds: int) -> datetime:
    """Return seconds of wall time as a naive datetime."""
    return datetime.fromtimestamp(seconds, tz=UTC).replace(tzinfo=None)


def describe(group: list[Candidate], meter: Meter, e: Evidence) -> Episode:
    """Turn what the rules found into one episode."""
    found = _named(group, _trimmed(outline(group), e))
    start, end = e.grid.seconds(found.start), e.grid.seconds(found.end)
    start, end = _to_the_reading(found, start, end, meter)
    rows = meter.rows_between(start, end)
    actual = float(meter.kwh[rows].sum())
    expected = _expected_kwh(e, start, end)
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


def _named(group: list[Candidate], whole: Candidate) -> Candidate:
    for kind in EXACT_KINDS:
        exact = [c for c in group if c.kind == kind]
        if exact and sum(c.length for c in exact) >= COVERED * whole.length:
            first, last = min(c.start for c in exact), max(c.end for c in exact)
            return replace(exact[0], start=first, end=last, strength=max(whole.strength, exact[0].strength))
    return whole


def _trimmed(found: Candidate, e: Evidence) -> Candidate:
    """Cut a high or low stretch to where its hours really rank high or low."""
    if found.kind not in TRIMMED_KINDS or found.length < e.per_day:
        return found
    reach = e.per_day // 2
    first, last = max(found.start - reach, 0), min(found.end + reach, len(e.kwh))
    support = np.nan_to_num(found.direction * e.ranks[first:last])
    inside = support[found.start - first : found.end - first]
    total = np.concatenate(([0.0], np.cumsum(support - 0.5 * max(float(inside.mean()), 0.0))))
    gain = total - np.minimum.accumulate(total)
    end = int(np.argmax(gain))
    start = int(np.argmin(total[: end + 1]))
    if end - start < min(e.per_day, found.length // 2):
        return found
    return replace(found, start=first + start, end=first + end)


def _to_the_reading(found: Candidate, start: int, end: int, meter: Meter) -> tuple[int, int]:
    """Narrow or widen the bounds from steps of the grid to the readings that are meant."""
    rows = meter.rows_between(start, end)
    if rows.stop <= rows.start:
        return start, end
    kwh = meter.kwh[rows]
    if found.kind == "spike":
        high = np.flatnonzero(kwh >= kwh.max() / 2)
        first, last = rows.start + int(high[0]), rows.start + int(high[-1])
    elif found.kind in ("dead", "frozen reading"):
        value = float(np.median(kwh))
        alike = np.abs(meter.kwh - value) <= max(1e-6 * abs(value), 1e-9)
        middle = (rows.start + rows.stop) // 2
        first, last = _unbroken(alike, middle, rows)
    else:
        return max(start, int(meter.starts[rows.start])), end
    return int(meter.starts[first]), int(meter.starts[last]) + meter.step_seconds


def _unbroken(alike: Bools, middle: int, rows: slice) -> tuple[int, int]:
    """Return the first and last row of the stretch of like readings around `middle`."""
    if not alike[middle]:
        return rows.start, rows.stop - 1
    unlike = np.flatnonzero(~alike)
    place = int(np.searchsorted(unlike, middle))
    first = int(unlike[place - 1]) + 1 if place else 0
    last = int(unlike[place]) - 1 if place < len(unlike) else len(alike) - 1
    return first, last


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


def days_long(start: datetime, end: datetime) -> float:
    """Return a stretch's length in days."""
    return (end - start) / timedelta(seconds=DAY_SECONDS)
