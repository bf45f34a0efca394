"""Rules that find unusual stretches: plain functions of the evidence. To add one, list it in `DETECTORS`.

Every rule compares a window with the same window at other times of the same appliance, in units of how much
that usually varies. `THRESHOLDS` says how many units make an alarm at the default sensitivity; they were set
on one half of the meters of the benchmark and are reported on the other half (docs/quality_anomalies.md).
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from energy_analytics.episodes.candidates import Candidate, Direction, above_threshold
from energy_analytics.episodes.evidence import Evidence
from energy_analytics.episodes.windows import (
    Floats,
    Integers,
    greatest,
    least,
    means,
    median_of_lags,
    runs,
    shares_known,
    strengths,
)

Detector = Callable[[Evidence, float], Iterator[Candidate]]

THRESHOLDS: Final[dict[str, float]] = {
    "spike": 1.8,
    "rank 24 up": 3.75,
    "rank 24 down": 3.5,
    "rank 72 up": 3.0,
    "rank 72 down": 3.0,
    "rank 168 up": 2.75,
    "rank 168 down": 2.75,
    "energy 72 up": 3.0,
    "energy 72 down": 3.5,
    "energy 168 up": 2.5,
    "energy 168 down": 3.0,
    "every day 3 up": 3.75,
    "every day 3 down": 3.75,
    "every day 5 up": 4.5,
    "every day 5 down": 3.25,
    "base up": 13.0,
    "base log up": 8.75,
    "peak down": 4.25,
    "still 12": 5.0,
    "still 24": 4.75,
    "restless 24": 4.5,
    "restless 72": 3.75,
    "frozen": 1.75,
    "copied": 2.5,
    "dead": 3.25,
    "shift 5": 3.0,
    "shift 7": 2.75,
    "routine 7": 2.5,
    "absent 4": 1.6,
    "absent 6": 1.3,
    "zeros": 0.15,
    "hours 4": 3.85,
    "hours 5": 3.1,
}
"""Units of a rule's own spread at which it raises an alarm."""

HOPS_PER_DAY: Final = 8
"""Windows of half a day and more start every three hours."""

FLOOR_SHARE: Final = 0.1
"""Part of the mean that is added before a ratio is taken, so that near nothing stays near nothing."""

SHORTEST_RUN_HOURS: Final = 5

ORDINARY: Final = 0.7
"""Quantile over the weeks of each week's largest excess: what an ordinary week reaches."""


def _ratio(kwh: Floats, usual_kwh: Floats, mean_kwh: float, floor: float = FLOOR_SHARE) -> Floats:
    return np.log((kwh + floor * mean_kwh) / (np.maximum(usual_kwh, 0) + floor * mean_kwh))


def _hop(e: Evidence) -> int:
    hop = max(e.per_day // HOPS_PER_DAY, 1)
    return hop if e.per_day % hop == 0 else 1


def _scan(
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
    yield from above_threshold(
        scores / THRESHOLDS[name],
        least_strength,
        width=width,
        hop=hop,
        size=len(e.kwh),
        kind=kind,
        direction=direction,
    )


SIDES: Final[tuple[tuple[str, Direction, str], ...]] = (
    ("up", 1, "unusually high"),
    ("down", -1, "unusually low"),
)


def spikes(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find single steps far above the usual, measured against the largest excess of an ordinary week."""
    excess = np.nan_to_num(e.kwh - e.usual_kwh)
    period = 7 * e.per_day if len(excess) >= 4 * 7 * e.per_day else e.per_day
    rounds = len(excess) // period
    if rounds < 3:
        return
    largest = excess[: rounds * period].reshape(rounds, period).max(axis=1)
    unit = max(float(np.quantile(largest, ORDINARY)), FLOOR_SHARE * e.mean_kwh)
    yield from _scan(
        e, excess / unit, least_strength, name="spike", width=1, kind="spike", direction=1, hop=1
    )


def levels(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find days to weeks in which most hours rank high or low among their like."""
    hop = _hop(e)
    for hours in (24, 72, 168):
        width = e.steps(hours)
        scores = strengths(means(e.ranks, width)[::hop], least_spread=0.08)
        for side, direction, kind in SIDES:
            yield from _scan(
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
    hop = _hop(e)
    usual = np.where(np.isnan(e.kwh), np.nan, e.usual_kwh)
    for hours in (72, 168):
        width = e.steps(hours)
        ratio = _ratio(means(e.kwh, width)[::hop], means(usual, width)[::hop], e.mean_kwh)
        scores = strengths(ratio, least_spread=0.03)
        for side, direction, kind in SIDES:
            yield from _scan(
                e,
                direction * scores,
                least_strength,
                name=f"energy {hours} {side}",
                width=width,
                kind=kind,
                direction=direction,
                hop=hop,
            )
    daily = _ratio(means(e.kwh, e.per_day)[::hop], means(usual, e.per_day)[::hop], e.mean_kwh)
    for days in (3, 5):
        for (side, direction, kind), extreme in zip(SIDES, (least, greatest), strict=True):
            scores = strengths(extreme(daily, days, stride=e.per_day // hop), least_spread=0.05)
            yield from _scan(
                e,
                direction * scores,
                least_strength,
                name=f"every day {days} {side}",
                width=days * e.per_day,
                kind=kind,
                direction=direction,
                hop=hop,
            )


def _days_away(e: Evidence, days: tuple[int, ...], hop: int) -> Integers:
    away = np.array(days) * (e.per_day // hop)
    return np.concatenate((away, -away))


BASE_DAYS: Final = (3, 4, 5, 7, 14, 21)
"""Days before and after with which a day's base load, peak and restlessness are compared."""


def base_loads(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find a day's lowest use that is never reached any more (stuck on), or a day's highest (cut off)."""
    hop, width = _hop(e), e.per_day
    if width < 6 or len(e.kwh) < width:
        return
    enough = shares_known(e.kwh, width)[::hop] >= 0.7
    lags = _days_away(e, BASE_DAYS, hop)
    base = np.where(enough, least(e.kwh, width)[::hop], np.nan)
    usual = median_of_lags(base, lags)
    excess = strengths(base - usual, least_spread=0.01 * e.mean_kwh)
    yield from _scan(
        e, excess, least_strength, name="base up", width=width, kind="stuck on", direction=1, hop=hop
    )
    growth = strengths(_ratio(base, usual, e.mean_kwh, 0.05), least_spread=0.03)
    yield from _scan(
        e, growth, least_strength, name="base log up", width=width, kind="stuck on", direction=1, hop=hop
    )
    peak = np.where(enough, greatest(e.kwh, width)[::hop], np.nan)
    fall = strengths(_ratio(peak, median_of_lags(peak, lags), e.mean_kwh, 0.05), least_spread=0.05)
    yield from _scan(
        e, -fall, least_strength, name="peak down", width=width, kind="unusually low", direction=-1, hop=hop
    )


def stillness(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find half days and days in which the load hardly moves though it usually does."""
    if e.per_day < 12 or len(e.kwh) < 2 * e.per_day:
        return
    hop = _hop(e)
    change = np.abs(np.diff(e.kwh, append=np.nan))
    lags = _days_away(e, BASE_DAYS, hop)
    for hours in (12, 24):
        width = e.steps(hours)
        moved = means(change, width)[::hop]
        scores = strengths(_ratio(moved, median_of_lags(moved, lags), e.mean_kwh, 0.02), least_spread=0.05)
        yield from _scan(
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
    hop = _hop(e)
    for hours in (24, 72):
        width = e.steps(hours)
        scores = strengths(means(e.change_ranks, width)[::hop], least_spread=0.08)
        yield from _scan(
            e,
            scores,
            least_strength,
            name=f"restless {hours}",
            width=width,
            kind="restless",
            direction=1,
            hop=hop,
        )


def repeats(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find the same reading again and again (frozen), or nothing at all (dead), for longer than ever."""
    used = e.kwh[e.kwh > 0]
    if not len(used):
        return
    tolerance = 1e-6 * float(np.median(used))
    nothing = e.kwh <= 1e-3 * float(np.median(used))
    same = np.zeros(len(e.kwh), dtype=bool)
    same[1:] = (np.abs(np.diff(e.kwh)) <= tolerance) & ~nothing[1:]
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
        usual = max(2.0, float(np.median(lengths[:12]))) if len(lengths) > 24 else 2.0
        for start, end in found:
            length = end - start + extra
            if length >= shortest and length / usual >= least_strength * THRESHOLDS[name]:
                direction: Direction = -1 if kind == "dead" else 0
                strength = length / usual / THRESHOLDS[name]
                yield Candidate(start - extra, end, strength, kind, direction)


def _by_day(x: Floats, per_day: int) -> Floats:
    days = len(x) // per_day
    return x[: days * per_day].reshape(days, per_day)


def _day_sums(table: Floats, days: int) -> Floats:
    total = np.cumsum(np.pad(table, ((1, 0), (0, 0))), axis=0)
    sums: Floats = total[days:] - total[:-days]
    return sums


def shifts(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find days on which the usual daily profile fits better when it is moved by some hours."""
    if e.per_day < 12:
        return
    used, usual = _by_day(e.kwh, e.per_day), _by_day(e.usual_kwh, e.per_day)
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
        yield from _scan(
            e,
            strengths(gain, least_spread=0.08),
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
    yield from _scan(
        e,
        strengths(pattern, least_spread=0.1),
        least_strength,
        name=f"routine {days}",
        width=days * e.per_day,
        kind="unusual routine",
        direction=0,
        hop=e.per_day,
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
        yield from _scan(
            e,
            depth,
            least_strength,
            name=f"absent {days}",
            width=days * e.per_day,
            kind="unused at usual hours",
            direction=-1,
            hop=e.per_day,
        )


def dropouts(e: Evidence, least_strength: float) -> Iterator[Candidate]:
    """Find days on which an appliance that hardly ever reads zero does so again and again."""
    known = e.kwh[np.isfinite(e.kwh)]
    if e.per_day < 12 or not (known > 0).any():
        return
    nothing = np.where(np.isfinite(e.kwh), e.kwh <= 1e-3 * np.median(known[known > 0]), np.nan)
    hop = _hop(e)
    share = means(nothing, e.per_day)[::hop]
    if not np.isfinite(share).any():
        return
    usual = float(np.nanquantile(share, 0.9))
    yield from _scan(
        e,
        np.nan_to_num((share - usual) / (1 - usual + 1e-9)),
        least_strength,
        name="zeros",
        width=e.per_day,
        kind="dropouts",
        direction=-1,
        hop=hop,
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


DETECTORS: Final[dict[str, Detector]] = {
    "spikes": spikes,
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
