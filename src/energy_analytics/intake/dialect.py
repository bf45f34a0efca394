"""How an upload is written: its delimiter, its columns, and the shape of its timestamps."""

import csv
import difflib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..schema import RAW_ENERGY_DATA
from .limits import MOST_COLUMNS
from .verdict import UnusableUploadError

_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE_LINES: Final = 500
_SHOWN_NAMES: Final = 12
_LINES_ABOVE: Final = 50
"""Lines in which a header is looked for below the first."""

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
        "datum",
        "zeitstempel",
        "zeitpunkt",
        "fecha",
        "horodatage",
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
        "gerät",
        "geraet",
        "zähler",
        "zaehler",
        "appareil",
        "compteur",
    ),
    "kwh": (
        "energy",
        "energy_kwh",
        "consumption",
        "usage",
        "value",
        "kw_h",
        "kilowatt_hours",
        "verbrauch",
        "energie",
        "consommation",
        "consumo",
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
    if not set(RAW_ENERGY_DATA.column_names) <= _folded(columns):
        _refuse_lines_above(lines, header_line, name)
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
        have = "has the column" if len(columns) == 1 else "has the columns"
        lack = "is missing" if len(missing) == 1 else "are missing"
        raise UnusableUploadError(
            f"{where} {have} {shown}{more}; {_enumerated(missing)} {lack}. {_advice(missing, columns)}"
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
    for number, line in enumerate(lines[header_line : header_line + _LINES_ABOVE], start=header_line + 1):
        if any(set(RAW_ENERGY_DATA.column_names) <= _folded(_split(line, delimiter)) for delimiter in _DELIMITERS):
            raise UnusableUploadError(
                f"{name} names its columns in line {number}. Remove what is above that line: the header comes first."
            )


def _date_and_time(columns: tuple[str, ...]) -> dict[str, str]:
    """Return the columns `date` and `time`, where a file has both."""
    found = {column.casefold(): column for column in columns if column.casefold() in ("date", "time")}
    return found if len(found) == 2 else {}


def _advice(missing: list[str], columns: tuple[str, ...]) -> str:
    """Say what to do about the columns that are missing, as far as the names of the others tell."""
    in_two = _date_and_time(columns) if "timestamp" in missing else {}
    to_rename = [column for column in missing if not (in_two and column == "timestamp")]
    alike = {column: found for column in to_rename if (found := _alike(column, columns))}
    of_power = _unit_of(alike.get("kwh", ""))
    if of_power:
        del alike["kwh"]
    sentences = []
    if in_two:
        sentences.append(f"Join {in_two['date']} and {in_two['time']} in one column timestamp: 2026-02-20 00:00:00.")
    if alike:
        renames = _enumerated([f"{_brief(found)} to {column}" for column, found in alike.items()])
        sentences.append(f"Rename {renames}, if that is what {'it is' if len(alike) == 1 else 'they are'}.")
    if of_power:
        sentences.append(of_power)
    others = [
        column
        for column in columns
        if column.strip() and column.casefold() not in ("timestamp", *in_two, *alike.values())
    ]
    if missing == ["appliance"] and not alike:
        sentences.append("Where all is of one meter, add a column appliance with its name in every row.")
    elif missing == ["appliance", "kwh"] and not alike and not of_power and others:
        named = f"each of {_brief(others[0])}, {_brief(others[1])}" if len(others) > 1 else _brief(others[0])
        sentences.append(f"If {named} is an appliance, write a row for each of its readings.")
    return "".join(f"{sentence} " for sentence in sentences)


def _alike(wanted: str, columns: tuple[str, ...]) -> str | None:
    """Return the column that may be the one wanted under another name."""
    taken = set(RAW_ENERGY_DATA.column_names)
    candidates = {re.sub(r"[\s\-.]+", "_", column.casefold()): column for column in columns}
    candidates = {key: column for key, column in candidates.items() if key not in taken}
    for alias in _ALSO_CALLED[wanted]:
        if alias in candidates:
            return candidates[alias]
    known = difflib.get_close_matches(wanted, candidates, n=1, cutoff=0.5)
    if not known:
        known = [key for key in candidates if wanted in key or any(a in key.split("_") for a in _ALSO_CALLED[wanted])]
    return candidates[known[0]] if known else None


def _unit_of(column: str) -> str | None:
    """Return what to do where the name tells of another unit than kWh: to rename it would be wrong by a thousand."""
    words = set(re.split(r"[^a-z]+", column.casefold()))
    if "wh" in words:
        return f"{_brief(column)} looks like watt-hours: divide by 1,000 for kwh."
    if "mwh" in words:
        return f"{_brief(column)} looks like megawatt-hours: multiply by 1,000 for kwh."
    if words & {"kw", "w", "watt", "watts", "power"}:
        return f"{_brief(column)} looks like power: kwh is the mean power in kW times the hours of the interval."
    return None


def _enumerated(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _common_format(timestamps: list[str]) -> str | None:
    for pattern, strptime_format in _STRICT_TIMESTAMPS.items():
        if timestamps and all(pattern.fullmatch(timestamp) for timestamp in timestamps):
            return strptime_format
    return None


def _brief(text: str) -> str:
    single = " ".join(text.split())
    return single if len(single) <= 40 else single[:39] + "…"
