"""What a bill rests on beyond the readings and the letter of the tariff, in sentences for the reader."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from energy_analytics import words
from energy_analytics.hours import NANO

from .hours import slot_minutes
from .load import Load, demand_minutes
from .terms import DAY_MINUTES, Tariff
from .usage import Usage

_NAMED: Final = 3
_YEAR_DAYS: Final = 365


def basis(
    load: Load, tariff: Tariff, used: Sequence[Usage], *, start: date, end: date, holidays: frozenset[date]
) -> tuple[str, ...]:
    """Tell what the bill of the days from `start` to `end` (exclusive) takes for granted."""
    return (
        *_dates(tariff, start, end),
        *_size(tariff, used, days=(end - start).days),
        *_long_readings(load, tariff),
        *_holidays(tariff, holidays),
        *_demand(load, tariff, used),
        *_feeding_in(load, tariff),
    )


def _dates(tariff: Tariff, start: date, end: date) -> Iterator[str]:
    first, last = tariff.versions[0].valid_from, tariff.versions[-1].valid_to
    if first is not None and start < first:
        yield f"{tariff.name} is dated from {words.plain_day(first)}; earlier days are billed at its first prices."
    if last is not None and end > last:
        yield f"{tariff.name} ends on {words.plain_day(last)}; days from then on are billed at its last prices."


def _size(tariff: Tariff, used: Sequence[Usage], *, days: int) -> Iterator[str]:
    kwh_per_year = sum(sum(one.taken_nano_kwh) for one in used) / NANO * _YEAR_DAYS / days
    limit = tariff.largest_site_kwh_per_year
    if limit is not None and kwh_per_year > limit:
        yield (
            f"{tariff.name} is not a price for a site of this size: it is for up to {words.energy(limit)} a year, "
            f"and this one uses {words.energy(kwh_per_year)}."
        )


def _long_readings(load: Load, tariff: Tariff) -> Iterator[str]:
    limit = slot_minutes([tariff]) if tariff.by_the_hour else DAY_MINUTES
    names = [words.name(one) for one in load.spread(limit)]
    if names:
        yield (
            f"Readings of {words.listing(names, most=_NAMED)} are longer than {words.span(limit)}; their energy is "
            "spread evenly over the time they cover, because nothing tells at what time it was used."
        )


def _holidays(tariff: Tariff, holidays: frozenset[date]) -> Iterator[str]:
    if not holidays and any(version.holidays_apart for version in tariff.versions):
        yield "No public holidays are known for the site, so no day is billed as one."


def _demand(load: Load, tariff: Tariff, used: Sequence[Usage]) -> Iterator[str]:
    longer = [
        peak.minutes
        for one in used
        for demand, peak in zip(tariff.versions[one.segment.version].demands, one.peaks, strict=True)
        if peak is not None and demand_minutes(load, demand.interval_minutes) > demand.interval_minutes
    ]
    if longer:
        yield (
            f"Demand is told from readings of {words.span(max(longer))}; over the shorter interval of the tariff it "
            "can only be higher."
        )


def _feeding_in(load: Load, tariff: Tariff) -> Iterator[str]:
    if load.unread_exports:
        yield f"Set as fed in, but without any reading: {words.listing([*map(words.name, load.unread_exports)])}."
    if load.exports and any(version.export_price_per_kwh is None for version in tariff.versions):
        yield "Energy fed in earns nothing where the tariff has no price for it."
