"""Numbers, dates and names as a person likes to read them. The same in every locale."""

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

NAME_LIMIT: Final = 40
"""Characters of a name that are shown."""
_NAME_TAIL: Final = 9
"""Characters kept from the end of a long name: where names of a series differ."""

_TO_LOOK_AT: Final = re.compile(r"[^\t\n\x20-\x7e]")
"""Characters that may be invisible."""
_FORMULA: Final = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""A spreadsheet takes a cell that begins so for a formula and runs it (OWASP, CSV injection)."""
_LITERAL: Final = "'"
"""Put before a cell, says that it is text; a cell that begins with one gets a second, so that it can be taken off."""

_UNIT_PREFIXES: Final = (("T", 1e9), ("G", 1e6), ("M", 1e3), ("k", 1.0), ("", 1e-3), ("m", 1e-6))
_MINUS: Final = "\N{MINUS SIGN}"


def number(value: float, *, decimals: int | None = None) -> str:
    """Write with thousands separators; by default about three significant digits, no decimals from 100."""
    if decimals is None:
        decimals = decimals_of(value)
    text = f"{value:,.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", _MINUS)


def decimals_of(value: float) -> int:
    """Return the decimals with which a value of this size is written, for a column that shares them."""
    size = abs(value)
    return 0 if size >= 99.95 or size == 0 else 1 if size >= 9.995 else 2


def unit_scale(value: float) -> tuple[str, float]:
    """Return the prefix in which `value` (in kWh or kW) reads well, and how many kilo-units one of it is.

    A larger unit starts at 100,000 of the one below, so that a home's yearly use stays in kWh; a smaller one
    below a tenth.
    """
    size = abs(value)
    if size == 0:
        return "k", 1.0
    if size >= 1.0:
        for prefix, scale in _UNIT_PREFIXES[:3]:
            if size >= 100 * scale:
                return prefix, scale
        return "k", 1.0
    for prefix, scale in _UNIT_PREFIXES[3:]:
        if size >= 0.1 * scale:
            return prefix, scale
    return _UNIT_PREFIXES[-1]


def energy(kwh: float) -> str:
    """Write an energy in the unit that suits its size, from mWh to TWh."""
    prefix, scale = unit_scale(kwh)
    return f"{number(kwh / scale)} {prefix}Wh"


def power(kw: float) -> str:
    """Write a power in the unit that suits its size."""
    prefix, scale = unit_scale(kw)
    return f"{number(kw / scale)} {prefix}W"


def money(amount: float, currency: str, *, cents: bool = False) -> str:
    """Write an amount: whole units from 100 on, cents below or where asked for."""
    return f"{number(amount, decimals=0 if abs(amount) >= 99.995 and not cents else 2)} {currency}"


def unit_price(amount: float, currency: str) -> str:
    """Write a price per unit with all its digits, two decimals at least: `0.2872 EUR`, `0.30 EUR`."""
    digits = f"{amount:,.10f}".rstrip("0")
    whole, _, decimals = digits.partition(".")
    return f"{whole}.{decimals:0<2} {currency}"


def weight(kg: float) -> str:
    """Write a weight in the unit that suits its size: `480 g`, `7.95 kg`, `12.4 t`."""
    size = abs(kg)
    if size and size < 1:
        return f"{number(1000 * kg)} g"
    return f"{number(kg)} kg" if size < 10_000 else f"{number(kg / 1000)} t"


def percent(value: float) -> str:
    """Write a percentage; whole from 10 on."""
    if 0 < abs(value) < 0.05:
        return "less than 0.1 %"
    return f"{number(value, decimals=0 if abs(value) >= 9.95 or value == 0 else 1)} %"


def count(amount: float, noun: str) -> str:
    """Write a number of things: `1 day`, `1,204 days`."""
    return f"{number(amount, decimals=0)} {noun if amount == 1 else noun + 's'}"


def day(value: date) -> str:
    """Write a date in full: `Friday 26 November 2010`."""
    return f"{WEEKDAYS[value.weekday()]} {plain_day(value)}"


def plain_day(value: date) -> str:
    """Write a date without its weekday: `26 November 2010`."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def day_span(first: date, last: date) -> str:
    """Write the days from the first to the last: `3 May 2007 to 5 May 2007`, or `3 May 2007` alone."""
    return plain_day(first) if first == last else f"{plain_day(first)} to {plain_day(last)}"


def month(value: date) -> str:
    """Write a month short enough for an axis: `Nov 2010`."""
    return f"{MONTHS[value.month - 1][:3]} {value.year}"


def short_day(value: date) -> str:
    """Write a date short enough for an axis: `26 Nov`."""
    return f"{value.day} {MONTHS[value.month - 1][:3]}"


def moment(value: datetime) -> str:
    """Write a local time with its date: `Friday 26 November 2010, 19:00`."""
    return f"{day(value)}, {value:%H:%M}"


def clock(hour: int) -> str:
    """Write an hour of the day, 24 being midnight again."""
    return f"{hour % 24:02d}:00"


def day_runs(days: Sequence[date]) -> list[str]:
    """Write days in order, runs of neighbours as one: `3 May 2007`, `28 April 2007 to 1 May 2007`."""
    runs: list[list[date]] = []
    for one in sorted(days):
        if runs and one - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(one)
        else:
            runs.append([one])
    return [day_span(run[0], run[-1]) for run in runs]


def span(minutes: float) -> str:
    """Write a length of time in the unit that suits it."""
    for noun, size in (("day", 1440.0), ("hour", 60.0)):
        if minutes >= 2 * size or minutes == size:
            amount = minutes / size
            whole = math.isclose(amount, round(amount))
            return count(round(amount), noun) if whole else f"{number(amount, decimals=1)} {noun}s"
    return count(round(minutes), "minute") if minutes >= 1 else f"{number(minutes * 60)} seconds"


def listing(parts: Sequence[str], *, most: int | None = None) -> str:
    """Join as in a sentence: `a, b and c`; beyond `most` only how many others there are."""
    if most is not None and len(parts) > most:
        parts = [*parts[:most], count(len(parts) - most, "other")]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def name(raw: str, *, limit: int = NAME_LIMIT) -> str:
    """Put a foreign name on one line of at most `limit` characters, without control or direction marks."""
    kept = (" " if char.isspace() else char for char in raw if char.isspace() or _visible(char))
    line = " ".join("".join(kept).split())
    if len(line) > limit:
        line = f"{line[: limit - _NAME_TAIL - 1].rstrip()}…{line[-_NAME_TAIL:].lstrip()}"
    return line or "(no name)"


def printable(text: str) -> str:
    """Take out of a text what a terminal obeys and what turns lines around; line ends and tabs stay."""
    return _TO_LOOK_AT.sub(lambda found: found[0] if _visible(found[0]) else "", text)


def visible_json(text: str) -> str:
    """Write characters of JSON that cannot be seen as escapes, so that nothing is lost and nothing obeyed."""
    return _TO_LOOK_AT.sub(lambda found: found[0] if _visible(found[0]) else json.dumps(found[0])[1:-1], text)


def csv_cell(value: object) -> object:
    """Return what is written for a value in a CSV file that may be opened as a spreadsheet: text never as a formula."""
    return f"{_LITERAL}{value}" if isinstance(value, str) and value[:1] in (*_FORMULA, _LITERAL) else value


def text_of_csv_cell(cell: str) -> str:
    """Return the text of which a cell was made."""
    return cell[1:] if cell[:1] == _LITERAL and cell[1:2] in (*_FORMULA, _LITERAL) else cell


def csv_cell_sql(text: str) -> str:
    """Write SQL for what `csv_cell` returns of a text."""
    return f"CASE WHEN {_begins(text, 1)} THEN {_sql(_LITERAL)} || {text} ELSE {text} END"


def text_of_csv_cell_sql(cell: str) -> str:
    """Write SQL that gives back the text of which a cell was made; the same in DuckDB and in Athena."""
    marked = f"substr({cell}, 1, 1) = {_sql(_LITERAL)} AND {_begins(cell, 2)}"
    return f"CASE WHEN {marked} THEN substr({cell}, 2) ELSE {cell} END"


def _begins(text: str, position: int) -> str:
    # No IN: the engine makes a join of a long list, which loses the order of the rows.
    of = " || ".join(_sql(char) for char in (*_FORMULA, _LITERAL))
    return f"(length({text}) >= {position} AND strpos({of}, substr({text}, {position}, 1)) > 0)"


def _sql(char: str) -> str:
    plain = char.isascii() and char.isprintable()
    return "'" + char.replace("'", "''") + "'" if plain else f"chr({ord(char)})"


def _visible(char: str) -> bool:
    joins_emoji = char == "\N{ZERO WIDTH JOINER}"
    return joins_emoji or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co")


_USER_OF_ADDRESS: Final = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*:/{1,2})[^\s/@\"']+@")


def without_credentials(text: str) -> str:
    """Return text in which addresses have no user and no password, such as those of a server or a proxy."""
    return _USER_OF_ADDRESS.sub(r"\1…@", text)
