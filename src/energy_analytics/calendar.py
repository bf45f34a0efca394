"""Local time of a site: offsets from UTC, hours that happen twice or never, and how long a day is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_SCAN_STEP = timedelta(days=7)
"""No zone has had two changes of its clock within a week that a reading of energy could tell apart."""


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A moment at which the offset from UTC changes. Times are naive; offsets in minutes."""

    instant: datetime
    """UTC."""
    before_minutes: int
    after_minutes: int

    @property
    def wall_before(self) -> datetime:
        """What the clock would show at the change, had it not been moved."""
        return self.instant + timedelta(minutes=self.before_minutes)

    @property
    def wall_after(self) -> datetime:
        """What the clock shows at the change."""
        return self.instant + timedelta(minutes=self.after_minutes)


@dataclass(frozen=True, slots=True)
class Clock:
    """The wall clock of a site over a span of time. `timezone` None is a clock that never changes."""

    timezone: str | None
    first_offset_minutes: int
    changes: tuple[ClockChange, ...]

    def offset_of_wall(self, column: str, *, repeated: str | None = None) -> str:
        """Write SQL for the offset, in minutes, of the naive local time `column`.

        An hour that happens twice is taken as its first occurrence unless the SQL condition `repeated` holds.
        """
        branches = [
            f"WHEN {column} < {_timestamp(max(change.wall_before, change.wall_after))}"
            + (f" AND NOT ({repeated} AND {column} >= {_timestamp(change.wall_after)})" if repeated else "")
            + f" THEN {change.before_minutes}"
            for change in self.changes
        ]
        return self._case(branches)

    def offset_of_instant(self, column: str) -> str:
        """Write SQL for the offset, in minutes, at the UTC instant `column`."""
        return self._case(
            [f"WHEN {column} < {_timestamp(change.instant)} THEN {change.before_minutes}" for change in self.changes]
        )

    def happens_twice(self, column: str) -> str:
        """Write SQL for whether the local time `column` is in an hour that happens twice."""
        return _any_of(
            f"({column} >= {_timestamp(change.wall_after)} AND {column} < {_timestamp(change.wall_before)})"
            for change in self.changes
            if change.after_minutes < change.before_minutes
        )

    def never_happens(self, column: str) -> str:
        """Write SQL for whether the local time `column` is skipped when the clock goes forward."""
        return _any_of(
            f"({column} >= {_timestamp(change.wall_before)} AND {column} < {_timestamp(change.wall_after)})"
            for change in self.changes
            if change.after_minutes > change.before_minutes
        )

    def day_minutes(self, column: str) -> str:
        """Write SQL for the length in minutes of the local day `column` (a DATE): 1440, or 1380 and 1500."""
        unusual = {}
        for change in self.changes:
            for day in {change.wall_before.date(), change.wall_after.date()}:
                minutes = day_length_minutes(day, self.timezone)
                if minutes != 1440:
                    unusual[day] = minutes
        if not unusual:
            return "1440"
        branches = " ".join(f"WHEN DATE '{day}' THEN {minutes}" for day, minutes in sorted(unusual.items()))
        return f"CASE {column} {branches} ELSE 1440 END"

    def _case(self, branches: list[str]) -> str:
        last = self.changes[-1].after_minutes if self.changes else self.first_offset_minutes
        return f"CASE {' '.join(branches)} ELSE {last} END" if branches else str(last)


def clock(timezone: str | None, first: datetime, last: datetime) -> Clock:
    """Return the clock of `timezone` (an IANA name) for local times from `first` to `last`, both naive."""
    if timezone is None:
        return Clock(None, 0, ())
    zone = ZoneInfo(timezone)
    moment = (first - timedelta(days=2)).replace(tzinfo=UTC)
    end = (last + timedelta(days=2)).replace(tzinfo=UTC)
    first_offset = offset = _offset_minutes(moment, zone)
    changes = []
    while moment < end:
        following = moment + _SCAN_STEP
        next_offset = _offset_minutes(following, zone)
        if next_offset != offset:
            instant = _find_change(moment, following, zone)
            changes.append(ClockChange(instant.replace(tzinfo=None), offset, next_offset))
        moment, offset = following, next_offset
    return Clock(timezone, first_offset, tuple(changes))


class UnknownHolidaysError(ValueError):
    """The settings name a country or region whose public holidays are not known."""


def public_holidays(country: str | None, region: str | None, first: date, last: date) -> frozenset[date]:
    """Return the public holidays from `first` to `last`; none without a country."""
    if country is None:
        return frozenset()
    import holidays

    try:
        found = holidays.country_holidays(country, subdiv=region, years=range(first.year, last.year + 1))
    except NotImplementedError as error:
        raise UnknownHolidaysError(
            f"The public holidays of {country}{f', region {region}' if region else ''} are not known "
            f"(holidays_country, holidays_region): {error}"
        ) from error
    return frozenset(day for day in found if first <= day <= last)


def day_length_minutes(day: date, timezone: str | None) -> int:
    """Return the minutes from local midnight of `day` to the next one."""
    if timezone is None:
        return 1440
    zone = ZoneInfo(timezone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = datetime.combine(day + timedelta(days=1), midnight.timetz())
    return round((following.astimezone(UTC) - midnight.astimezone(UTC)) / timedelta(minutes=1))


def _find_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    offset = _offset_minutes(before, zone)
    while after - before > timedelta(minutes=1):
        middle = before + (after - before) // 2
        middle -= timedelta(seconds=middle.second, microseconds=middle.microsecond)
        if middle <= before:
            break
        if _offset_minutes(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset_minutes(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(zone).utcoffset()
    return round(offset / timedelta(minutes=1)) if offset is not None else 0


def _any_of(conditions: Iterable[str]) -> str:
    joined = " OR ".join(conditions)
    return f"({joined})" if joined else "false"


def _timestamp(moment: datetime) -> str:
    return f"TIMESTAMP '{moment}'"
