"""Tables of a TOML file, read entry by entry, that remember what was wrong and where."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from energy_analytics import words

from .terms import ALL_DAYS, ALL_MONTHS, DAY_MINUTES, HOLIDAY, Window

_MOST_DIGITS: Final = 15
"""Before the point, and twice as many behind it: of 1e999999999 nothing can be worked out in a lifetime."""

_LONGEST_TEXT: Final = 500

_SPAN: Final = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_MONTHS: Final = re.compile(r"(\d{1,2})\s*-\s*(\d{1,2})")
_DAYS: Final = {
    **{name.lower(): frozenset({index}) for index, name in enumerate(words.WEEKDAYS)},
    "weekdays": frozenset(range(5)),
    "weekends": frozenset({5, 6}),
    "holidays": frozenset({HOLIDAY}),
}


class Entries:
    """One table of the file: its entries, its place in words, and the list that all faults go into."""

    def __init__(self, entries: dict[str, Any], *, place: str, faults: list[str]) -> None:
        self.place = place
        self._entries = dict(entries)
        self._faults = faults

    def fault(self, text: str) -> None:
        """Remember a fault at this place."""
        self._faults.append(f"{self.place}: {text}")

    def has(self, key: str) -> bool:
        """Tell whether an entry is given and not yet read."""
        return key in self._entries

    def text(self, key: str) -> str:
        """Read a text that must be there, on one line and without what a terminal obeys."""
        value = self._entries.pop(key, None)
        if not isinstance(value, str) or not value.strip():
            self.fault(f"{key} is missing" if value is None else f"{key} = {value!r} is not text")
            return ""
        return words.name(value, limit=_LONGEST_TEXT)

    def amount(self, key: str, *, below_zero: bool = False) -> Decimal | None:
        """Read a number; None when it is not given. Negative only where `below_zero` allows it."""
        value = self._entries.pop(key, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
            self.fault(f"{key} = {value!r} is not a number")
        elif _digits(Decimal(value)) > _MOST_DIGITS:
            self.fault(f"{key} has more than {_MOST_DIGITS} digits before the point, or {2 * _MOST_DIGITS} behind it")
        elif value < 0 and not below_zero:
            self.fault(f"{key} = {value} is negative")
        else:
            return Decimal(value)
        return Decimal(0)

    def needed(self, key: str, *, below_zero: bool = False) -> Decimal:
        """Read a number that must be there."""
        value = self.amount(key, below_zero=below_zero)
        if value is None:
            self.fault(f"{key} is missing")
            return Decimal(0)
        return value

    def whole(self, key: str, *, allowed: Sequence[int], default: int) -> int:
        """Read one of a few whole numbers."""
        value = self._entries.pop(key, default)
        if isinstance(value, bool) or value not in allowed:
            self.fault(f"{key} = {value!r} is none of {', '.join(map(str, allowed))}")
            return default
        return int(value)

    def day(self, key: str) -> date | None:
        """Read a date; None when it is not given."""
        value = self._entries.pop(key, None)
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        self.fault(f"{key} = {value!r} is not a date such as 2026-01-31, without quotes")
        return None

    def texts(self, key: str) -> list[str] | None:
        """Read a text or a list of texts; None when it is not given."""
        value = self._entries.pop(key, None)
        if value is None:
            return None
        items = value if isinstance(value, list) else [value]
        if not items or not all(isinstance(item, str) for item in items):
            self.fault(f"{key} = {value!r} is neither a text nor a list of texts")
            return []
        return [item.strip().lower() for item in items]

    def tables(self, key: str, noun: str) -> list["Entries"]:
        """Read a list of tables; empty when it is not given."""
        value = self._entries.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fault(f"{key} is not a list of tables")
            return []
        return [
            Entries(item, place=f"{self.place}, {noun} {number}", faults=self._faults)
            for number, item in enumerate(value, start=1)
        ]

    def months(self) -> frozenset[int]:
        """Read `months`: numbers, or ranges such as "11-4"; all of them when it is not given."""
        value = self._entries.pop("months", None)
        if value is None:
            return ALL_MONTHS
        found: set[int] = set()
        for item in value if isinstance(value, list) else [value]:
            ends = _MONTHS.fullmatch(item.strip()) if isinstance(item, str) else None
            first, last = (int(ends[1]), int(ends[2])) if ends else (item, item)
            if type(first) is not int or first not in ALL_MONTHS or last not in ALL_MONTHS:
                self.fault(f'months = {item!r} is neither a number from 1 to 12 nor a range such as "11-4"')
                continue
            found |= {(first - 1 + step) % 12 + 1 for step in range((last - first) % 12 + 1)}
        return frozenset(found)

    def window(self) -> Window:
        """Read `months`, `days` and `hours`; what is not given is not limited."""
        return Window(self.months(), self._days(), self._spans())

    def done(self) -> None:
        """Name the entries that nothing has read."""
        for key in self._entries:
            self.fault(f"{key} is not known here")

    def _days(self) -> frozenset[int]:
        names = self.texts("days")
        if names is None:
            return ALL_DAYS
        for name in names:
            if name not in _DAYS:
                self.fault(f"days = {name!r} is none of {', '.join(_DAYS)}")
        return frozenset[int]().union(*(_DAYS.get(name, frozenset()) for name in names))

    def _spans(self) -> tuple[tuple[int, int], ...]:
        given = self.texts("hours")
        if given is None:
            return ((0, DAY_MINUTES),)
        spans: list[tuple[int, int]] = []
        for text in given:
            found = _SPAN.fullmatch(text)
            hours = [int(part) for part in found.groups()] if found else [99, 99, 99, 99]
            first, end = 60 * hours[0] + hours[1], 60 * hours[2] + hours[3]
            if not found or max(hours[1], hours[3]) > 59 or max(first, end) > DAY_MINUTES or first == end:
                self.fault(f"hours = {text!r} is no span of time such as 07:00-19:00")
            elif first < end:
                spans.append((first, end))
            else:
                spans += [span for span in ((first, DAY_MINUTES), (0, end)) if span[0] < span[1]]
        return tuple(spans)


def _digits(value: Decimal) -> float:
    """Return the digits before the point, or half of those behind it if they are more."""
    return max(value.adjusted() + 1, -int(value.as_tuple().exponent) / 2)
