"""The bill at the month's end: what was read so far and the forecast of the days to come, at their prices.

- The forecast is of what the site takes. A day ahead is shared among the hours of the day as the same weekday was in
  the last eight weeks (a public holiday as a Sunday), and feeds in as much for each kWh taken as they did.
- A day past the forecast takes the forecast of its weekday. Its interval is wider by the square root of one more
  than the weeks it lies past: an error that wanders from week to week grows so.
- The lower and upper bill take every day at its lower or upper end, as if all erred the same way. Errors of
  neighbouring days do go together; where they do not, the interval is too wide rather than too narrow.
- The highest demand still to come is taken as that of the last 30 days; for the upper bill that of the last year.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, sqrt
from statistics import fmean
from typing import Final

import duckdb

from energy_analytics import words
from energy_analytics.hours import NANO
from energy_analytics.results import ForecastDay

from .basis import basis
from .bill import Bill, assemble, rounded
from .costs import prices_of
from .hours import face_of, slot_minutes
from .load import Load, days_between, site_slots
from .terms import DAY_MINUTES, Tariff
from .usage import Peak, Segment, Usage, next_month, segments, usage

_PROFILE_DAYS: Final = 56
_RECENT_DAYS: Final = 30
_YEAR_DAYS: Final = 365
_SUNDAY: Final = 6
_ENDS: Final = ("yhat", "yhat_lower", "yhat_upper")

Shares = Mapping[int, Fraction]
"""Part of a day's energy by the index of its period; sums to 1."""


@dataclass(frozen=True, slots=True)
class _Profile:
    """How days like those before were used: nano-kWh by minute for each weekday, and what is fed in for each kWh."""

    by_weekday: Mapping[int, Mapping[int, int]]
    fed_in_per_kwh: Fraction


@dataclass(frozen=True, slots=True)
class ExpectedBill:
    """The bill of a whole month, of which `days_read` are read and those ahead forecast, with its interval."""

    bill: Bill
    lower: Decimal
    upper: Decimal
    days_read: int
    assumption: str


@dataclass(frozen=True, slots=True)
class CostAhead:
    """What the energy of one day ahead costs with the taxes on energy, and its interval."""

    day: date
    cost: Decimal
    lower: Decimal
    upper: Decimal


def expected_bill(
    engine: duckdb.DuckDBPyConnection,
    load: Load,
    tariff: Tariff,
    forecast: Sequence[ForecastDay],
    *,
    holidays: frozenset[date] = frozenset(),
) -> ExpectedBill:
    """Return the bill of the month in which the forecast begins. Readings from its first day on are not used.

    Raises ValueError without a day of forecast.
    """
    if not forecast:
        raise ValueError("without a day of forecast there is no expected bill")
    today = forecast[0].day
    start, end = today.replace(day=1), next_month(today)
    slot = slot_minutes([tariff])
    so_far = {
        one.segment.first: one
        for one in (
            usage(engine, load, tariff, start=start, end=today, holidays=holidays, slot_minutes=slot)
            if today > start
            else ()
        )
    }
    recent = _usage_since(engine, load, tariff, today, _RECENT_DAYS, holidays=holidays, slot=slot)
    yearly = _usage_since(engine, load, tariff, today, _YEAR_DAYS, holidays=holidays, slot=slot)
    profile = _profile(engine, load, today, slot)
    days = days_ahead(forecast, end)
    shares = _shares_of(days, profile, tariff, holidays)
    bills = []
    for which, seen in zip(_ENDS, (recent, (), yearly), strict=True):
        used = [
            _whole(tariff, segment, so_far.get(segment.first), days, which, shares, profile.fed_in_per_kwh, seen)
            for segment in segments(tariff, start, end)
        ]
        told = basis(load, tariff, used, start=start, end=end, holidays=holidays)
        bills.append(assemble(tariff, used, assumptions=told))
    totals = [one.total for one in bills]
    days_read = max(0, (today - max(start, load.first)).days)
    return ExpectedBill(bills[0], min(totals), max(totals), days_read, _assumption(forecast, end))


def costs_ahead(
    engine: duckdb.DuckDBPyConnection,
    load: Load,
    tariff: Tariff,
    forecast: Sequence[ForecastDay],
    *,
    holidays: frozenset[date] = frozenset(),
) -> tuple[CostAhead, ...]:
    """Return what the energy of each forecast day costs. Tiers count with the mean of these days, as part of a month.

    Raises ValueError without a day of forecast.
    """
    if not forecast:
        raise ValueError("without a day of forecast there is no cost of it")
    slot = slot_minutes([tariff])
    shares = _shares_of(forecast, _profile(engine, load, forecast[0].day, slot), tariff, holidays)
    found = []
    for segment in segments(tariff, forecast[0].day, forecast[-1].day + timedelta(days=1)):
        prices = {
            which: prices_of(tariff, _whole(tariff, segment, None, forecast, which, shares, Fraction(0), ()))
            for which in _ENDS
        }
        for one in forecast:
            if segment.first <= one.day < segment.end:
                own = shares[one.day].items()
                amounts = [
                    rounded(
                        Fraction(getattr(one, which)) * sum(share * prices[which][period] for period, share in own),
                        tariff.decimals,
                    )
                    for which in _ENDS
                ]
                found.append(CostAhead(one.day, amounts[0], min(amounts), max(amounts)))
    return tuple(found)


def days_ahead(forecast: Sequence[ForecastDay], end: date) -> tuple[ForecastDay, ...]:
    """Return the forecast up to `end` (exclusive), carried on by weekday past its horizon with a wider interval."""
    by_weekday = {one.day.weekday(): one for one in forecast}
    mean = ForecastDay(
        forecast[0].day,
        fmean(one.yhat for one in forecast),
        fmean(one.yhat_lower for one in forecast),
        fmean(one.yhat_upper for one in forecast),
    )
    known = {one.day: one for one in forecast}
    found = []
    for day in days_between(forecast[0].day, end):
        if day in known:
            found.append(known[day])
            continue
        like = by_weekday.get(day.weekday(), mean)
        wider = sqrt(1 + ceil((day - forecast[-1].day).days / 7))
        lower = max(0.0, like.yhat - wider * (like.yhat - like.yhat_lower))
        found.append(ForecastDay(day, like.yhat, lower, like.yhat + wider * (like.yhat_upper - like.yhat)))
    return tuple(found)


def _usage_since(
    engine: duckdb.DuckDBPyConnection,
    load: Load,
    tariff: Tariff,
    today: date,
    days: int,
    *,
    holidays: frozenset[date],
    slot: int,
) -> tuple[Usage, ...]:
    """Return the usage of the days before `today`; nothing where no version has a demand charge."""
    if not any(version.demands for version in tariff.versions):
        return ()
    start = today - timedelta(days=days)
    return usage(engine, load, tariff, start=start, end=today, holidays=holidays, slot_minutes=slot)


def _whole(
    tariff: Tariff,
    segment: Segment,
    so_far: Usage | None,
    days: Sequence[ForecastDay],
    which: str,
    shares: Mapping[date, Shares],
    fed_in_per_kwh: Fraction,
    seen: Sequence[Usage],
) -> Usage:
    """Add the days ahead to what a segment has used so far."""
    version = tariff.versions[segment.version]
    nothing = Usage(segment, (0,) * max(1, len(version.periods)), 0, (None,) * len(version.demands))
    before = replace(so_far, segment=segment) if so_far else nothing
    taken, fed_in = list(before.taken_nano_kwh), before.fed_in_nano_kwh
    peaks = before.peaks
    for one in days:
        if not segment.first <= one.day < segment.end:
            continue
        nano = round(getattr(one, which) * NANO)
        returned = round(nano * fed_in_per_kwh)
        fed_in += returned
        for period, share in shares[one.day].items():
            taken[period] += round(nano * share)
    if any(segment.first <= one.day < segment.end for one in days):
        peaks = tuple(_highest(peak, index, seen) for index, peak in enumerate(peaks))
    return Usage(segment, tuple(taken), fed_in, peaks)


def _highest(peak: Peak | None, index: int, seen: Sequence[Usage]) -> Peak | None:
    """Return the highest of the peak so far and those seen earlier under the same demand charge, in order."""
    earlier = [one.peaks[index] for one in seen if index < len(one.peaks)]
    found = [one for one in (peak, *earlier) if one is not None]
    return max(found, key=lambda one: one.watts) if found else None


def _profile(engine: duckdb.DuckDBPyConnection, load: Load, today: date, slot: int) -> _Profile:
    since = today - timedelta(days=_PROFILE_DAYS)
    sums: dict[int, dict[int, int]] = {weekday: {} for weekday in range(7)}
    everything: dict[int, int] = {}
    fed_in = 0
    for weekday, minute, taken, returned in engine.execute(f"""
        SELECT isodow(day) - 1, minute, sum(coalesce(taken, 0)), sum(coalesce(fed_in, 0))
        FROM {site_slots(engine, load, slot)} WHERE day >= DATE '{since}' AND day < DATE '{today}'
        GROUP BY ALL ORDER BY ALL""").fetchall():
        sums[weekday][minute] = int(taken)
        everything[minute] = everything.get(minute, 0) + int(taken)
        fed_in += int(returned)
    total = sum(everything.values())
    fallback = everything if total else dict.fromkeys(range(0, DAY_MINUTES, slot), 1)
    by_weekday = {weekday: own if any(own.values()) else fallback for weekday, own in sums.items()}
    return _Profile(by_weekday, Fraction(fed_in, total) if total else Fraction(0))


def _shares_of(
    days: Sequence[ForecastDay], profile: _Profile, tariff: Tariff, holidays: frozenset[date]
) -> dict[date, Shares]:
    """Share the energy of days ahead among the periods of the tariff that hold in their hours."""
    found: dict[date, Shares] = {}
    for day in (one.day for one in days):
        version = tariff.versions[tariff.version_on(day)]
        own = profile.by_weekday[_SUNDAY if day in holidays else day.weekday()]
        face = face_of(version)[day.month, version.kind_of(day, holidays)] if version.periods else bytes(DAY_MINUTES)
        energy: dict[int, int] = {}
        for minute, nano in own.items():
            if nano:
                energy[face[minute]] = energy.get(face[minute], 0) + nano
        total = sum(energy.values())
        found[day] = {period: Fraction(nano, total) for period, nano in energy.items()}
    return found


def _assumption(forecast: Sequence[ForecastDay], end: date) -> str:
    last = forecast[-1].day
    text = (
        "Readings so far, then the forecast, shared among the hours as in the last eight weeks. The range takes "
        "every day at its lower or its upper end, as if all erred the same way."
    )
    past = (end - last).days - 1
    if past > 0:
        text += (
            f" The last {words.count(past, 'day')} of the month {'lie' if past > 1 else 'lies'} past the forecast "
            f"and {'take' if past > 1 else 'takes'} that of {'their' if past > 1 else 'its'} weekday, with a wider "
            "range."
        )
    return text
