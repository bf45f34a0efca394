"""How an upload is written: its delimiter, its columns, and the shape of its timestamps."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..schema import RAW_ENERGY_DATA
from ..words import listing
from .advice import advice, brief, of_other_units, other_unit, resembles_header
from .limits import MOST_COLUMNS
from .verdict import UnusableUploadError

_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE_LINES: Final = 500
_SHOWN_NAMES: Final = 12
_FEW_COLUMNS: Final = 6
"""Of readings without a header; a table with a column for each time has more."""
_DATE: Final = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_LINES_ABOVE: Final = 50
"""Lines in which a header is looked for below the first."""

_STRICT_TIMESTAMPS: Final = {
    re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"): "%Y-%m-%d %H:%M:%S",
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"): "%Y-%m-%dT%H:%M:%S",
    re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"): "%Y-%m-%d %H:%M",
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d"): "%Y-%m-%dT%H:%M",
    re.compile(r"\d{4}-\d\d-\d\d"): "%Y-%m-%d",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the rows of a file are to be read."""

    delimiter: str
    header_line: int
    """Number of the line that names the columns, from 1."""
    columns: tuple[str, ...]
    """All column names as they arrived."""
    timestamp_index: int
    appliance_index: int
    kwh_index: int
    strict_timestamp: str | None
    """strptime format when every sampled timestamp has one plain ISO shape, else None."""
    doubtful_numbers: tuple[str, str] | None
    """Two of the sampled numbers, such as 1.270 beside 900, if their points may separate thousands."""

    @property
    def named_columns(self) -> int:
        """How many columns there are, without empty names at the end."""
        return max(index for index, column in enumerate(self.columns, start=1) if column)

    @property
    def delimiter_name(self) -> str:
        """The delimiter as a person calls it."""
        return _DELIMITERS[self.delimiter]


def sniff(head: str, name: str) -> Dialect:
    """Read the header and a sample of rows. Raises UnusableUploadError when a column is not there."""
    lines = re.split("\r\n|\r|\n", head)
    declared = None
    header_line = 0
    for number, line in enumerate(lines, start=1):
        if declared is None and re.fullmatch(r"sep=.", line.strip("\ufeff\"' \n"), re.IGNORECASE):
            declared = line.strip("\ufeff\"' \n")[-1]
        elif line.strip(" ,;\t"):
            header_line = number
            break
    if not header_line:
        raise UnusableUploadError(f"{name} has no text but delimiters. Expected is a header: timestamp,appliance,kwh.")
    header = lines[header_line - 1].lstrip("\ufeff")
    delimiter = declared if declared in _DELIMITERS else _likely_delimiter(header)
    columns = tuple(field.strip() for field in _split(header, delimiter))
    if len(columns) > MOST_COLUMNS:
        raise UnusableUploadError(
            f"{name}, line {header_line}, has {len(columns):,} columns, and at most {MOST_COLUMNS:,} are read. "
            "Expected are timestamp,appliance,kwh, one reading in a row."
        )
    if _looks_like_a_reading(columns):
        raise UnusableUploadError(
            f"{name} has no header: line {header_line} already looks like a reading. "
            "Put the line timestamp,appliance,kwh at the top."
        )
    if not set(RAW_ENERGY_DATA.column_names) <= _folded(columns):
        _refuse_lines_above(lines, header_line, name)
    positions = column_positions(columns, f"{name}, line {header_line},")
    sample = [_split(line, delimiter) for line in lines[header_line : header_line + _SAMPLE_LINES]]
    rows = [row for row in sample if len(row) == len(columns)]
    unit = of_other_units(columns, rows)
    if unit:
        raise UnusableUploadError(f"{name} has no kWh: {unit}. Then remove that column, or write kWh in it.")
    timestamps = [row[positions["timestamp"]] for row in rows]
    return Dialect(
        delimiter=delimiter,
        header_line=header_line,
        columns=columns,
        timestamp_index=positions["timestamp"],
        appliance_index=positions["appliance"],
        kwh_index=positions["kwh"],
        strict_timestamp=_common_format(timestamps),
        doubtful_numbers=_doubtful([row[positions["kwh"]].strip() for row in rows]),
    )


def _looks_like_a_reading(columns: tuple[str, ...]) -> bool:
    """Tell whether what should be a header is a reading already: a digit in front, or both a date and a number."""
    if _folded(columns) & set(RAW_ENERGY_DATA.column_names):
        return False
    if len(columns) > _FEW_COLUMNS:
        return columns[0][:1].isdigit()
    dated = any(_DATE.match(column) for column in columns)
    return columns[0][:1].isdigit() or (dated and any(_NUMBER.fullmatch(column) for column in columns))


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
    except csv.Error:
        return [line]


def _likely_delimiter(header: str) -> str:
    wanted = set(RAW_ENERGY_DATA.column_names)

    def fitness(delimiter: str) -> tuple[int, int]:
        names = [field.strip().casefold() for field in _split(header, delimiter)]
        return len(wanted.intersection(names)), len(names)

    return max(_DELIMITERS, key=fitness)


def column_positions(columns: tuple[str, ...], where: str) -> dict[str, int]:
    """Return where the contract's columns are among `columns`. Raises UnusableUploadError naming what is missing.

    `where` begins the message: the file, and the line of the header if it has one.
    """
    folded = [column.casefold() for column in columns]
    missing = [column for column in RAW_ENERGY_DATA.column_names if column not in folded]
    if missing:
        shown = ", ".join(brief(column) for column in columns[:_SHOWN_NAMES])
        more = f" and {len(columns) - _SHOWN_NAMES} more" if len(columns) > _SHOWN_NAMES else ""
        have = "has the column" if len(columns) == 1 else "has the columns"
        lack = "is missing" if len(missing) == 1 else "are missing"
        raise UnusableUploadError(
            f"{where} {have} {shown}{more}; {listing(missing)} {lack}. {advice(missing, columns)}"
            "Expected are timestamp,appliance,kwh, in any order; other columns are ignored."
        )
    for column in RAW_ENERGY_DATA.column_names:
        if folded.count(column) > 1:
            raise UnusableUploadError(f"{where} has the column {column} {folded.count(column)} times; keep one.")
    return {column: folded.index(column) for column in RAW_ENERGY_DATA.column_names}


def _folded(columns: Iterable[str]) -> set[str]:
    return {column.strip().casefold() for column in columns}


def _refuse_lines_above(lines: list[str], header_line: int, name: str) -> None:
    """Raise UnusableUploadError when the columns are named further down, below what an export says of itself."""
    below = list(enumerate(lines[header_line : header_line + _LINES_ABOVE], start=header_line + 1))
    for number, line in below:
        if any(set(RAW_ENERGY_DATA.column_names) <= _folded(_split(line, delimiter)) for delimiter in _DELIMITERS):
            raise UnusableUploadError(
                f"{name} names its columns in line {number}. Remove what is above that line: the header comes first."
            )
    above = lines[header_line - 1]
    if any(resembles_header(_split(above, delimiter)) for delimiter in _DELIMITERS):
        return
    for number, line in below:
        for delimiter in _DELIMITERS:
            columns = tuple(field.strip() for field in _split(line, delimiter))
            if resembles_header(columns):
                unit = other_unit(field for one in lines[:number] for field in _split(one, delimiter))
                told = f" A line above it says {unit}." if unit else ""
                column_positions(
                    columns, f"{name} seems to name its columns in line {number}. Remove what is above it.{told} It"
                )


def _doubtful(numbers: list[str]) -> tuple[str, str] | None:
    """Return a number with a point and a whole one, where the same hand would hardly write both with decimals.

    Three decimals are written out, 1.270, or without the zeros at their end, 1.27 and 900. One beside the other
    is 1,270 as many countries write it.
    """
    whole = next((number for number in numbers if re.fullmatch(r"[1-9]\d{0,2}", number)), None)
    pointed = [number for number in numbers if "." in number or "," in number]
    of_thousands = [number for number in pointed if re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", number)]
    if whole is None or len(of_thousands) < len(pointed):
        return None
    return next(((number, whole) for number in of_thousands if number.endswith("0")), None)


def _common_format(timestamps: list[str]) -> str | None:
    for pattern, strptime_format in _STRICT_TIMESTAMPS.items():
        if timestamps and all(pattern.fullmatch(timestamp) for timestamp in timestamps):
            return strptime_format
    return None
