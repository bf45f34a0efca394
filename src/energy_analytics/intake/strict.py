"""The fast reading of a faultless upload: typed by the engine in one pass, then proved faultless.

Anything out of the ordinary makes `read_strict` give the file back unread; the tolerant reading then
finds out what it is, line by line. So the rules for odd rows exist once, there.
"""

import csv
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb

from ..calendar import Clock, clock
from ..engine import file_literal, literal, parquet
from ..hours import Hours, create_hours
from .dialect import Dialect
from .fields import WHITE_SPACE, clean
from .limits import EARLIEST, LATEST, MOST_APPLIANCES, absurd_limits
from .records import LONGEST_RECORD_BYTES, MARKS, has_endless_line
from .text import PlainText
from .verdict import Taken, Verdict

_LARGE_BYTES: Final = 16 << 20
"""Of a file of this size, to look for the names of its appliances beforehand takes less time than it saves."""
_FIRST_BYTES: Final = 256 << 10
_STRETCHES: Final = 64
_STRETCH_BYTES: Final = 16 << 10
_MOST_NAMES: Final = 5000


def read_strict(
    engine: duckdb.DuckDBPyConnection,
    text: PlainText,
    dialect: Dialect,
    target: Path,
    *,
    copy_options: Callable[[Verdict], str],
    timezone: str | None,
    max_reading_kwh: float,
) -> Taken | None:
    """Write the readings of `text` to the Parquet file `target`, and return the account of them.

    Returns None, with nothing promised about `target`, unless every row is a plain reading: typed fields, a
    single ISO shape of timestamp, kWh from 0 to the limit, no duplicate, no hour that happens twice or never.
    """
    if dialect.strict_timestamp is None or has_endless_line(text.path):
        return None
    verdict = Verdict(0, {}, text.encoding, dialect.delimiter_name, has_offsets=False)
    options = copy_options(verdict)
    names = _names_met(text, dialect)
    copied = bool(names) and _copy(engine, text, dialect, target, copy_options=options, names=names)
    if not copied and not _copy(engine, text, dialect, target, copy_options=options):
        return None
    proof = _proof(engine, parquet([target]), timezone=timezone, max_reading_kwh=max_reading_kwh)
    if proof is None:
        return None
    count, wall, hours = proof
    if timezone is not None:
        _add_offsets(engine, target, wall, options)
    return Taken(replace(verdict, rows_accepted=count), hours if hours.added_up else None)


def _names_met(text: PlainText, dialect: Dialect) -> list[str]:
    """Return the names of appliances that are met in stretches of a large file, in order; none where one is odd."""
    size = text.path.stat().st_size
    names: set[str] = set()
    if size < _LARGE_BYTES:
        return []
    with text.path.open("rb") as file:
        for number in range(_STRETCHES):
            file.seek(size * number // _STRETCHES)
            stretch = file.read(_STRETCH_BYTES if number else _FIRST_BYTES)
            whole_lines = stretch[stretch.find(b"\n") + 1 : stretch.rfind(b"\n")]
            lines = whole_lines.decode(errors="replace").split("\n")[0 if number else dialect.header_line - 1 :]
            try:
                rows = list(csv.reader(lines, delimiter=dialect.delimiter))
            except csv.Error:
                return []
            names.update(row[dialect.appliance_index] for row in rows if len(row) == len(dialect.columns))
    plain = all(name.isprintable() and name.strip() == name != "" for name in names)
    return sorted(names) if plain and len(names) <= _MOST_NAMES else []


def _copy(
    engine: duckdb.DuckDBPyConnection,
    text: PlainText,
    dialect: Dialect,
    target: Path,
    *,
    copy_options: str,
    names: Collection[str] = (),
) -> bool:
    """Write the rows of `text` as they are to the Parquet file `target`, and tell whether they could be typed.

    Where all the names that there are are given, names are handled as numbers, which is much quicker to write;
    the file is one of texts all the same.
    """
    types = ["VARCHAR"] * len(dialect.columns)
    types[dialect.timestamp_index] = "TIMESTAMP"
    types[dialect.kwh_index] = "DOUBLE"
    columns = ", ".join(f"'c{index}': '{sql_type}'" for index, sql_type in enumerate(types))
    appliance = f"c{dialect.appliance_index}"
    if names:
        appliance = f"CAST({appliance} AS ENUM({', '.join(map(literal, names))}))"
    try:
        engine.execute(f"""
            COPY (
                SELECT c{dialect.timestamp_index} AS timestamp, {appliance} AS appliance,
                    c{dialect.kwh_index} + 0.0 AS kwh
                FROM read_csv({file_literal(text.path)}, auto_detect = false, header = false,
                    skip = {dialect.header_line}, columns = {{{columns}}}, delim = {literal(dialect.delimiter)},
                    quote = '"', escape = '"', compression = 'none',
                    timestampformat = '{dialect.strict_timestamp}')
            ) TO {literal(str(target))} ({copy_options})""")
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.NotImplementedException):
        return False
    return True


def _proof(
    engine: duckdb.DuckDBPyConnection, readings: str, *, timezone: str | None, max_reading_kwh: float
) -> tuple[int, Clock, Hours] | None:
    """Return the number of readings, their clock and their hours, if nothing is odd about any of them."""
    count, *counts, lowest, highest, first, last = engine.execute(f"""
        SELECT count(*), count(timestamp), count(appliance), count(kwh), min(kwh), max(kwh), min(timestamp),
            max(timestamp)
        FROM {readings}""").fetchall()[0]
    if not count or any(other != count for other in counts):
        return None
    if not (lowest >= 0 and highest <= max_reading_kwh and first >= EARLIEST and last < LATEST):
        return None
    wall = clock(timezone, first, last)
    if wall.changes:
        odd = f"{wall.happens_twice('timestamp')} OR {wall.never_happens('timestamp')}"
        if engine.execute(f"SELECT 1 FROM {readings} WHERE {odd} LIMIT 1").fetchone():
            return None
    offset = "NULL" if timezone is None else wall.offset_of_wall("timestamp")
    hours = create_hours(
        engine, f"(SELECT *, CAST({offset} AS SMALLINT) AS utc_offset_minutes FROM {readings})", name="upload_hours"
    )
    if _has_odd_names(engine, hours) or _has_duplicates(engine, readings, hours) or absurd_limits(engine, readings):
        return None
    return int(count), wall, hours


def _has_odd_names(engine: duckdb.DuckDBPyConnection, hours: Hours) -> bool:
    """Tell whether a name is one that the careful reading must see, or there are too many of them."""
    names, odd = engine.execute(f"""
        SELECT count(*), bool_or(
            appliance = '' OR appliance <> trim(appliance, {WHITE_SPACE}) OR contains(appliance, chr(13))
            OR NOT {clean("appliance")} OR translate(appliance, {literal(MARKS)}, '') <> appliance
            OR strlen(appliance) > {LONGEST_RECORD_BYTES})
        FROM (SELECT DISTINCT appliance FROM {hours.relation})""").fetchall()[0]
    return bool(odd) or names > MOST_APPLIANCES


def _has_duplicates(engine: duckdb.DuckDBPyConnection, readings: str, hours: Hours) -> bool:
    """Tell whether an appliance has a timestamp twice.

    As many minutes, or hours of a day, as there are readings tell of most files at once that it has not.
    """
    groups = (
        f"SELECT readings, bit_count(minutes) AS times FROM {hours.relation}"
        if hours.added_up
        else f"""SELECT count(*) AS readings, bit_count(bit_or(1 << hour(timestamp))) AS times
            FROM {readings} GROUP BY appliance, CAST(timestamp AS DATE)"""
    )
    if not engine.execute(f"SELECT 1 FROM ({groups}) WHERE readings <> times LIMIT 1").fetchone():
        return False
    repeated = f"SELECT 1 FROM {readings} GROUP BY appliance, timestamp HAVING count(*) > 1 LIMIT 1"
    return engine.execute(repeated).fetchone() is not None


def _add_offsets(engine: duckdb.DuckDBPyConnection, target: Path, wall: Clock, copy_options: str) -> None:
    without = target.with_suffix(".without-offsets")
    target.rename(without)
    engine.execute(f"""
        COPY (
            SELECT *, CAST({wall.offset_of_wall("timestamp")} AS SMALLINT) AS utc_offset_minutes
            FROM {parquet([without])}
        ) TO {literal(str(target))} ({copy_options})""")
    without.unlink()
