"""Scales and labels of the charts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import floor, log10
from typing import Final

from energy_analytics import words
from energy_analytics.results import DayTotal

DAYS_SHOWN_SINGLY: Final = 400
WEEKS_SHOWN_SINGLY: Final = 400
TICKS: Final = 5
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """A vertical axis from zero: its top in kWh, and its labels with their height, 0 to 1.

    The topmost label carries the unit.
    """

    top_kwh: float
    ticks: tuple[tuple[float, str], ...]


def scale(highest_kwh: float) -> Scale:
    """Choose round steps, three or four up to the top, in the unit that suits the highest value."""
    prefix, unit_kwh = words.unit_scale(highest_kwh)
    highest = highest_kwh / unit_kwh if highest_kwh > 0 else 1.0
    rough = highest / 3
    power = 10.0 ** floor(log10(rough))
    step = next(step * power for step in _STEPS if step * power >= rough * 0.999)
    count = next(count for count in (1, 2, 3, 4) if count * step >= highest * 0.999)
    decimals = max(0, -floor(log10(step)) + (1 if round(step / 10.0 ** floor(log10(step)), 6) == 2.5 else 0))
    labels = [words.number(number * step, decimals=decimals) for number in range(count + 1)]
    labels[-1] += f" {prefix}Wh"
    return Scale(count * step * unit_kwh, tuple((n / count, label) for n, label in enumerate(labels)))


@dataclass(frozen=True, slots=True)
class Buckets:
    """Mean energy of a complete day, per day, week or month; None where no day is complete."""

    noun: str
    starts: tuple[date, ...]
    kwh_per_day: tuple[float | None, ...]


def buckets(days: Sequence[DayTotal]) -> Buckets:
    """Average complete days so that any length of history stays readable: days, weeks, then months."""
    first, last = days[0].day, days[-1].day
    span_days = (last - first).days + 1
    if span_days <= DAYS_SHOWN_SINGLY:
        noun, starts = "day", [first + timedelta(days=number) for number in range(span_days)]
    elif span_days <= 7 * WEEKS_SHOWN_SINGLY:
        noun, starts = "week", [first + timedelta(days=number) for number in range(0, span_days, 7)]
    else:
        noun, starts = "month", _months(first, last)
    sums = [[0.0, 0] for _ in starts]
    place = 0
    for one in days:
        while place + 1 < len(starts) and starts[place + 1] <= one.day:
            place += 1
        if one.complete:
            sums[place][0] += one.kwh
            sums[place][1] += 1
    means = tuple(total / count if count else None for total, count in sums)
    return Buckets(noun, tuple(starts), means)


def _months(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    past = [first.month - 1 + number for number in range(count)]
    return [date(first.year + months // 12, months % 12 + 1, 1) for months in past]


def date_ticks(starts: Sequence[date]) -> list[tuple[int, str]]:
    """Label at most five places: years of a long history, months of a shorter one, else days."""
    years = [n for n, day in enumerate(starts) if n and day.year != starts[n - 1].year]
    if len(years) > 2:
        return [(n, str(starts[n].year)) for n in _thin(years)]
    months = [n for n, day in enumerate(starts) if n and day.month != starts[n - 1].month]
    if len(months) > 2:
        return [(n, words.month(starts[n])) for n in _thin(months)]
    return [(n, words.short_day(starts[n])) for n in _thin(range(len(starts)))]


def _thin(places: Sequence[int]) -> list[int]:
    every = -(-len(places) // TICKS)
    return list(places[::every])
