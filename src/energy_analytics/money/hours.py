"""Which price holds in which hour: the clock face of a tariff's version, and what is wrong with it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import gcd
from typing import Final

from energy_analytics import words

from .terms import ALL_MONTHS, DAY_MINUTES, HOLIDAY, Period, Tariff, Version, Window

UNPRICED: Final = 255
MOST_PERIODS: Final = 200

Face = Mapping[tuple[int, int], bytes]
"""Index of the period at each minute of the day, by month and kind of day."""


def faces(periods: Sequence[Period]) -> Face:
    """Return the period at every minute; of two that overlap the first, UNPRICED where none holds."""
    painted = {key: bytearray([UNPRICED]) * DAY_MINUTES for key in _keys()}
    for index, period in enumerate(periods):
        for month, kind, first, end in _cells(period.windows):
            minutes = painted[month, kind]
            minutes[first:end] = bytes(index if found == UNPRICED else found for found in minutes[first:end])
    rest = next((index for index, period in enumerate(periods) if not period.windows), None)
    if rest is None:
        return {key: bytes(minutes) for key, minutes in painted.items()}
    return {key: bytes(minutes).replace(bytes([UNPRICED]), bytes([rest])) for key, minutes in painted.items()}


@lru_cache(maxsize=64)
def _face_of(periods: tuple[Period, ...]) -> Face:
    return faces(periods)


def face_of(version: Version) -> Face:
    """Return the clock face of a version, worked out once."""
    return _face_of(version.periods)


def covers(window: Window, month: int, kind: int, minute: int) -> bool:
    """Return whether the window holds at a minute of a kind of day."""
    return month in window.months and kind in window.days and any(a <= minute < b for a, b in window.spans)


def slot_minutes(tariffs: Iterable[Tariff]) -> int:
    """Return the longest part of an hour in which no price of these tariffs changes."""
    slot = 60
    for tariff in tariffs:
        for version in tariff.versions:
            for window in version.windows:
                for first, end in window.spans:
                    slot = gcd(slot, first, end)
    return slot


def unpriced(periods: Sequence[Period], *, holidays_apart: bool) -> list[str]:
    """Tell the hours that no period covers, as phrases such as `23:00 to 24:00 on Monday in January`."""
    gaps = {
        key: tuple(_runs(minutes, {UNPRICED}))
        for key, minutes in faces(periods).items()
        if holidays_apart or key[1] != HOLIDAY
    }
    return _phrases({key: runs for key, runs in gaps.items() if runs})


def overlaps(one: Period, other: Period) -> list[str]:
    """Tell the hours that both periods cover."""
    shared: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
    others = list(_cells(other.windows))
    for month, kind, first, end in _cells(one.windows):
        for other_month, other_kind, other_first, other_end in others:
            low, high = max(first, other_first), min(end, other_end)
            if (month, kind) == (other_month, other_kind) and low < high:
                shared[month, kind] = (*shared.get((month, kind), ()), (low, high))
    return _phrases(shared)


def span_in_words(first: int, end: int) -> str:
    """Write minutes of the day: `22:30 to 24:00`."""
    return f"{first // 60:02d}:{first % 60:02d} to {end // 60:02d}:{end % 60:02d}"


def months_in_words(months: Iterable[int]) -> str:
    """Write months, neighbours as a range; nothing for all of them."""
    found = sorted(set(months))
    if frozenset(found) == ALL_MONTHS:
        return ""
    runs: list[list[int]] = []
    for month in found:
        if runs and month == runs[-1][-1] + 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    if len(runs) > 1 and runs[0][0] == 1 and runs[-1][-1] == 12:
        runs[-1] += runs.pop(0)
    names = [words.MONTHS[run[0] - 1] + (f" to {words.MONTHS[run[-1] - 1]}" if len(run) > 1 else "") for run in runs]
    return f" in {words.listing(names)}"


def days_in_words(kinds: Iterable[int]) -> str:
    """Write kinds of day as a person would."""
    found = set(kinds)
    if found >= set(range(7)):
        return " every day"
    parts = []
    for name, group in (("weekdays", set(range(5))), ("weekends", {5, 6})):
        if group <= found:
            parts.append(name)
            found -= group
    parts += [words.WEEKDAYS[kind] for kind in sorted(found) if kind != HOLIDAY]
    if HOLIDAY in found:
        parts.append("public holidays")
    return f" on {words.listing(parts)}"


def _keys() -> Iterator[tuple[int, int]]:
    for month in range(1, 13):
        for kind in range(8):
            yield month, kind


def _cells(windows: Iterable[Window]) -> Iterator[tuple[int, int, int, int]]:
    for window in windows:
        for month in window.months:
            for kind in window.days:
                for first, end in window.spans:
                    yield month, kind, first, end


def _runs(minutes: bytes, wanted: set[int]) -> Iterator[tuple[int, int]]:
    first = None
    for minute, value in enumerate([*minutes, None]):
        if value in wanted and first is None:
            first = minute
        elif value not in wanted and first is not None:
            yield first, minute
            first = None


def _phrases(found: Mapping[tuple[int, int], tuple[tuple[int, int], ...]]) -> list[str]:
    """Say each run of hours once, with all the months and days that it is wrong in."""
    months_of: dict[tuple[int, tuple[int, int]], set[int]] = {}
    for (month, kind), runs in found.items():
        for run in runs:
            months_of.setdefault((kind, run), set()).add(month)
    kinds_of: dict[tuple[tuple[int, int], frozenset[int]], set[int]] = {}
    for (kind, run), months in months_of.items():
        kinds_of.setdefault((run, frozenset(months)), set()).add(kind)
    return [
        f"{span_in_words(*run)}{days_in_words(kinds)}{months_in_words(months)}"
        for (run, months), kinds in sorted(kinds_of.items(), key=lambda item: (item[0][0], sorted(item[0][1])))
    ]
