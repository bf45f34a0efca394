"""Times of requests and answers: what is asked without an offset is the site's wall time, what is told bears one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from .problems import ProblemError

_YEAR: Final = r"[12][0-9]{3}"
_DAY: Final = (
    rf"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"|[12][0-9](?:0[48]|[2468][048]|[13579][26])-02-29|(?:12|16|20|24|28)00-02-29)"
)
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_OFFSET: Final = r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])"
MOMENT: Final = rf"^{_DAY}(?:[T ]{_TIME}{_OFFSET}?)?$"
"""A day, or a time with or without an offset: exactly what is accepted, so that the documentation can say it."""
_MOMENT: Final = re.compile(MOMENT)

_EARLIEST: Final = date(1, 1, 1)
MICROSECOND: Final = timedelta(microseconds=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Zone:
    """The clock of a site. A site without a timezone has one without daylight saving, told as UTC."""

    name: str | None

    @property
    def _zone(self) -> ZoneInfo | None:
        return None if self.name is None else ZoneInfo(self.name)

    def instant(self, wall: datetime) -> int:
        """Return the microseconds since 1970 (UTC) of a wall time; of one that happens twice, the first."""
        zone = self._zone
        return (wall.replace(tzinfo=zone or UTC).astimezone(UTC) - EPOCH) // MICROSECOND

    def start_of(self, day: date) -> int:
        """Return the instant at which a local day begins."""
        return self.instant(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - a wall time

    def day_of(self, instant: int) -> date:
        """Return the local day of an instant."""
        return (EPOCH + timedelta(microseconds=instant)).astimezone(self._zone or UTC).date()

    def at(self, instant: int) -> str:
        """Write an instant as the local time that it is."""
        return (EPOCH + timedelta(microseconds=instant)).astimezone(self._zone or UTC).isoformat()

    def told(self, wall: datetime, offset_minutes: int | None = None) -> str:
        """Write a wall time with its offset; without one given, that of its first occurrence."""
        if offset_minutes is None:
            offset = wall.replace(tzinfo=self._zone or UTC).utcoffset() or timedelta()
            offset_minutes = offset // timedelta(minutes=1)
        return f"{wall.isoformat()}{offset_text(offset_minutes)}"


@lru_cache(maxsize=256)
def offset_text(minutes: int) -> str:
    """Write an offset in minutes: +01:00."""
    sign, size = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{sign}{size // 60:02}:{size % 60:02}"


@dataclass(frozen=True, slots=True)
class Range:
    """What a request is about: from an instant, inclusive, to another, exclusive, in microseconds. None is open."""

    start: int | None
    end: int | None
    zone: Zone

    def days(self, first: date, last: date) -> tuple[date, date]:
        """Return the local days that it touches, from inclusive, to exclusive; those given where it is open."""
        start = first if self.start is None else self.zone.day_of(self.start)
        end = last + timedelta(days=1) if self.end is None else self.zone.day_of(self.end - 1) + timedelta(days=1)
        return start, max(start, end)


def range_of(start: str | None, end: str | None, zone: Zone) -> Range:
    """Read the two ends of a request's range."""
    return Range(
        None if start is None else _instant(start, zone),
        None if end is None else _instant(end, zone),
        zone,
    )


def _instant(text: str, zone: Zone) -> int:
    if not _MOMENT.fullmatch(text):
        raise ProblemError(
            422, f"{text!r} is not a time: write 2026-03-01, 2026-03-01T12:00 or 2026-03-01T12:00+01:00."
        )
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return zone.instant(moment)
    return (moment - EPOCH) // MICROSECOND


def year_before(day: date) -> date:
    """Return the same day a year earlier; of 29 February, the 28th."""
    return date(day.year - 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


def period_before(start: date, end: date) -> tuple[date, date]:
    """Return the period just before: as many calendar months where these are whole months, else as many days.

    It is shorter where the calendar begins within it.
    """
    if start.toordinal() - (end - start).days <= _EARLIEST.toordinal():
        return _EARLIEST, start
    if start.day == end.day == 1 and end > start:
        months = (end.year - start.year) * 12 + end.month - start.month
        first = start.year * 12 + start.month - 1 - months
        return date(first // 12, first % 12 + 1, 1), start
    return start - (end - start), start


def dates(start: date, end: date) -> Sequence[date]:
    """Return the days from `start` to `end`, exclusive."""
    return [start + timedelta(days=number) for number in range((end - start).days)]
