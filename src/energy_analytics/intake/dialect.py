"""How an upload is written: its delimiter, its columns, and the shape of its timestamps."""

import csv
import difflib
import io
import re
from dataclasses import dataclass
from typing import Final

from ..schema import RAW_ENERGY_DATA
from .limits import MOST_COLUMNS
from .verdict import UnusableUploadError

_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE_LINES: Final = 500
_SHOWN_NAMES: Final = 12

_ALSO_CALLED: Final = {
    "timestamp": (
        "time",
        "datetime",
        "date",
        "date_time",
        "ts",
        "start",
        "interval_start",
        "read_at",
        "zeit",
    ),
    "appliance": (
        "device",
        "meter",
        "meter_id",
        "circuit",
        "channel",
        "sensor",
        "name",
        "equipment",
        "submeter",
    ),
    "kwh": (
        "energy",
        "energy_kwh",
        "consumption",
        "usage",
        "value",
        "kw_h",
        "kilowatt_hours",
        "wh",
        "kw",
        "power",
    ),
}

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
    if re.match(r"\d", columns[0]) and not {"timestamp", "appliance", "kwh"} & {one.casefold() for one in columns}:
        raise UnusableUploadError(
            f"{name} has no header: line {header_line} already looks like a reading. "
            "Put the line timestamp,appliance,kwh at the top."
        )
    positions = column_positions(columns, f"{name}, line {header_line},")
    sample = [_split(line, delimiter) for line in lines[header_line : header_line + _SAMPLE_LINES]]
    timestamps = [row[positions["timestamp"]] for row in sample if len(row) == len(columns)]
    return Dialect(
        delimiter=delimiter,
        header_line=header_line,
        columns=columns,
        timestamp_index=positions["timestamp"],
        appliance_index=positions["appliance"],
        kwh_index=positions["kwh"],
        strict_timestamp=_common_format(timestamps),
    )


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
        shown = ", ".join(_brief(column) for column in columns[:_SHOWN_NAMES])
        more = f" and {len(columns) - _SHOWN_NAMES} more" if len(columns) > _SHOWN_NAMES else ""
        raise UnusableUploadError(
            f"{where} has the columns {shown}{more}; missing is "
            + ", ".join(f"{column}{_suggestion(column, columns)}" for column in missing)
            + ". Expected are timestamp,appliance,kwh (any order, further columns are ignored)."
        )
    for column in RAW_ENERGY_DATA.column_names:
        if folded.count(column) > 1:
            raise UnusableUploadError(f"{where} has the column {column} {folded.count(column)} times; keep one.")
    return {column: folded.index(column) for column in RAW_ENERGY_DATA.column_names}


def _suggestion(wanted: str, columns: tuple[str, ...]) -> str:
    taken = set(RAW_ENERGY_DATA.column_names)
    candidates = {re.sub(r"[\s\-.]+", "_", column.casefold()): column for column in columns}
    candidates = {key: column for key, column in candidates.items() if key not in taken}
    for alias in _ALSO_CALLED[wanted]:
        if alias in candidates:
            return f" (rename {_brief(candidates[alias])} if that is it)"
    known = difflib.get_close_matches(wanted, candidates, n=1, cutoff=0.5)
    if not known:
        known = [key for key in candidates if wanted in key or any(a in key.split("_") for a in _ALSO_CALLED[wanted])]
    return f" (rename {_brief(candidates[known[0]])} if that is it)" if known else ""


def _common_format(timestamps: list[str]) -> str | None:
    for pattern, strptime_format in _STRICT_TIMESTAMPS.items():
        if timestamps and all(pattern.fullmatch(timestamp) for timestamp in timestamps):
            return strptime_format
    return None


def _brief(text: str) -> str:
    single = " ".join(text.split())
    return single if len(single) <= 40 else single[:39] + "…"
