"""Rules about when it is used: profiles that are shifted or changed, hours that are new or missing."""

from collections.abc import Iterator

import numpy as np

from .candidates import Candidate
from .evidence import Evidence
from .scans import THRESHOLDS, scan
from .windows import FILLED, Floats, greatest, least, means, runs, strengths


def _by_day(x: Floats, per_day: int) -> Floats:
    days = len(x) // per_day
    return x[: days * per_day].reshape(days, per_day)


def _day_sums(table: Floats, days: int) -> Floats:
    total = np.concatenate((np.zeros((1, table.shape[1])), np.cumsum(table, axis=0)))
    sums: Floats = total[days:] - total[:-days]
    return sums


def shifts(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find days on which the usual daily profile fits better when it is moved by some hours."""
    if e.per_day < 12:
        return
    used, usual = _by_day(e.capped_kwh, e.per_day), _by_day(e.usual_kwh, e.per_day)
    used = np.sqrt(np.maximum(np.nan_to_num(np.where(np.isnan(used), usual, used)), 0))
    usual = np.sqrt(np.maximum(np.nan_to_num(usual), 0))
    nearest = e.steps(3)
    for days in (5, 7):
        if len(used) < 2 * days:
            continue
        a, b = _day_sums(used, days), _day_sums(usual, days)
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
        product = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + 1e-9 * days
        fit = np.fft.irfft(np.fft.rfft(a) * np.conj(np.fft.rfft(b)), n=e.per_day) / product[:, None]
        gain = fit[:, nearest : e.per_day - nearest + 1].max(axis=1) - fit[:, 0]
        yield from scan(
            e,
            strengths(gain, least_spread=0.08, per_day=1),
            least_strength,
            name=f"shift {days}",
            width=days * e.per_day,
            kind="shifted in time",
            direction=0,
            hop=e.per_day,
        )


def routines(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find weeks whose hours rank high and low in another pattern than usual, whatever the level."""
    if e.per_day < 12:
        return
    ranks = _by_day(e.ranks, e.per_day)
    known = np.isfinite(ranks)
    days = 7
    if len(ranks) < 2 * days:
        return
    counts = _day_sums(known.astype(np.float64), days)
    mean = _day_sums(np.where(known, ranks, 0.0), days) / np.maximum(counts, 1)
    pattern = np.log(((mean - mean.mean(axis=1, keepdims=True)) ** 2).mean(axis=1) + 0.02)
    pattern[counts.mean(axis=1) < FILLED * days] = np.nan
    yield from scan(
        e,
        strengths(pattern, least_spread=0.1, per_day=1),
        least_strength,
        name=f"routine {days}",
        width=days * e.per_day,
        kind="unusual routine",
        direction=0,
        hop=e.per_day,
    )


def hours_of_day(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find the same few hours used on each of several days though they usually are not."""
    if e.per_day < 12:
        return
    block = e.steps(2)
    together = means(np.clip(e.distances, -6, 6), block)
    for days in (4, 5):
        every_day = np.nan_to_num(least(together, days, stride=e.per_day))
        table = _by_day(every_day, e.per_day)
        if not len(table):
            continue
        best = table.max(axis=1)
        hour = table.argmax(axis=1)
        for first, after in runs(best >= least_strength * THRESHOLDS[f"hours {days}"]):
            strongest = first + int(np.argmax(best[first:after]))
            start_hour = int(hour[strongest])
            yield Candidate(
                first * e.per_day + start_hour,
                min((after - 2 + days) * e.per_day + start_hour + block, len(e.kwh)),
                float(best[strongest]) / THRESHOLDS[f"hours {days}"],
                "on at unusual hours",
                1,
                (start_hour, block),
            )


def absences(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find the same hours unused on each of several days though they usually are used."""
    if e.per_day < 12:
        return
    block = e.steps(3)
    together = means(e.ranks, block)
    for days in (4, 6):
        every_day = np.nan_to_num(greatest(together, days, stride=e.per_day))
        table = _by_day(every_day, e.per_day)
        if len(table) < 2 * days:
            continue
        depth = -table.min(axis=1)
        yield from scan(
            e,
            depth,
            least_strength,
            name=f"absent {days}",
            width=days * e.per_day,
            kind="unused at usual hours",
            direction=-1,
            hop=e.per_day,
        )
