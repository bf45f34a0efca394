"""Rules about how much is used: spikes, days and weeks, the base load, the peak, the restlessness."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from .candidates import Candidate, Direction
from .evidence import Evidence, ordinary_largest
from .scans import BASE_DAYS, FLOOR_SHARE, hop_of, lags_of_days, log_ratio, scan
from .windows import (
    greatest,
    least,
    means,
    median_of_lags,
    shares_known,
    strengths,
)

SIDES: Final[tuple[tuple[str, Direction, str], ...]] = (
    ("up", 1, "unusually high"),
    ("down", -1, "unusually low"),
)


def spikes(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find single steps far above the usual, measured against the largest excess of an ordinary week."""
    excess = np.where(np.isnan(e.kwh - e.usual_kwh), 0.0, e.kwh - e.usual_kwh)
    unit = max(e.ordinary_excess_kwh, FLOOR_SHARE * e.mean_kwh)
    yield from scan(e, excess / unit, least_strength, name="spike", width=1, kind="spike", direction=1, hop=1)


def bursts(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find single readings within an hour, far above the largest of an ordinary week."""
    peaks = e.grid.peak_kwh
    if np.array_equal(peaks, e.kwh, equal_nan=True):
        return
    scores = np.where(np.isnan(peaks), 0.0, peaks / ordinary_largest(peaks, e.per_day))
    yield from scan(e, scores, least_strength, name="burst", width=1, kind="spike", direction=1, hop=1)


def levels(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find days to weeks in which most hours rank high or low among their like."""
    hop = hop_of(e)
    per_day = e.per_day // hop
    for hours in (24, 72, 168):
        width = e.steps(hours)
        scores = strengths(means(e.ranks, width)[::hop], least_spread=0.08, per_day=per_day)
        for side, direction, kind in SIDES:
            yield from scan(
                e,
                direction * scores,
                least_strength,
                name=f"rank {hours} {side}",
                width=width,
                kind=kind,
                direction=direction,
                hop=hop,
            )


def energies(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find days to weeks with far more or far less energy than usual."""
    hop = hop_of(e)
    per_day = e.per_day // hop
    usual = np.where(np.isnan(e.kwh), np.nan, e.usual_kwh)
    for hours in (72, 168):
        width = e.steps(hours)
        ratio = log_ratio(means(e.capped_kwh, width)[::hop], means(usual, width)[::hop], e.mean_kwh)
        scores = strengths(ratio, least_spread=0.03, per_day=per_day)
        for side, direction, kind in SIDES:
            yield from scan(
                e,
                direction * scores,
                least_strength,
                name=f"energy {hours} {side}",
                width=width,
                kind=kind,
                direction=direction,
                hop=hop,
            )
    daily = log_ratio(means(e.capped_kwh, e.per_day)[::hop], means(usual, e.per_day)[::hop], e.mean_kwh)
    for days in (3, 5):
        for (side, direction, kind), extreme in zip(SIDES, (least, greatest), strict=True):
            scores = strengths(extreme(daily, days, stride=e.per_day // hop), least_spread=0.05, per_day=per_day)
            yield from scan(
                e,
                direction * scores,
                least_strength,
                name=f"every day {days} {side}",
                width=days * e.per_day,
                kind=kind,
                direction=direction,
                hop=hop,
            )


def base_loads(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find a day's lowest use that is never reached any more (stuck on), or a day's highest (cut off)."""
    hop, width = hop_of(e), e.per_day
    per_day = width // hop
    if width < 6 or len(e.kwh) < width:
        return
    enough = shares_known(e.kwh, width)[::hop] >= 0.7
    lags = lags_of_days(e, BASE_DAYS, hop)
    base = np.where(enough, least(e.kwh, width)[::hop], np.nan)
    usual = median_of_lags(base, lags)
    excess = strengths(base - usual, least_spread=0.01 * e.mean_kwh, per_day=per_day)
    yield from scan(e, excess, least_strength, name="base up", width=width, kind="stuck on", direction=1, hop=hop)
    growth = strengths(log_ratio(base, usual, e.mean_kwh, 0.05), least_spread=0.03, per_day=per_day)
    yield from scan(e, growth, least_strength, name="base log up", width=width, kind="stuck on", direction=1, hop=hop)
    peak = np.where(enough, greatest(e.kwh, width)[::hop], np.nan)
    fall = strengths(log_ratio(peak, median_of_lags(peak, lags), e.mean_kwh, 0.05), least_spread=0.05, per_day=per_day)
    yield from scan(
        e, -fall, least_strength, name="peak down", width=width, kind="unusually low", direction=-1, hop=hop
    )


def stillness(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find half days and days in which the load hardly moves though it usually does."""
    if e.per_day < 12 or len(e.kwh) < 2 * e.per_day:
        return
    hop = hop_of(e)
    per_day = e.per_day // hop
    change = np.abs(np.diff(e.capped_kwh, append=np.nan))
    lags = lags_of_days(e, BASE_DAYS, hop)
    for hours in (12, 24):
        width = e.steps(hours)
        moved = means(change, width)[::hop]
        scores = strengths(
            log_ratio(moved, median_of_lags(moved, lags), e.mean_kwh, 0.02),
            least_spread=0.05,
            per_day=per_day,
        )
        yield from scan(
            e,
            -scores,
            least_strength,
            name=f"still {hours}",
            width=width,
            kind="hardly moving",
            direction=0,
            hop=hop,
        )


def restlessness(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find days on which the load jumps up and down more than usual, hour by hour."""
    if e.per_day < 12:
        return
    hop = hop_of(e)
    per_day = e.per_day // hop
    for hours in (24, 72):
        width = e.steps(hours)
        scores = strengths(means(e.change_ranks, width)[::hop], least_spread=0.08, per_day=per_day)
        yield from scan(
            e,
            scores,
            least_strength,
            name=f"restless {hours}",
            width=width,
            kind="restless",
            direction=1,
            hop=hop,
        )
