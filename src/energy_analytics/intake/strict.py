"""The fast reading of a faultless upload: typed by the engine in one pass, then proved faultless.

Anything out of the ordinary makes `read_strict` give the file back unread; the tolerant reading then
finds out what it is, line by line. So the rules for odd rows exist once, there.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb

from ..calendar import Clock, clock
from ..engine import file_literal, literal, parquet
from .dialect import Dialect
from .fields import WHITE_SPACE, clean
from .limits import EARLIEST, LATEST, MOST_APPLIANCES, absurd_limits
from .records import LONGEST_RECORD_BYTES, MARKS, has_endless_line
from .text import PlainText
from .verdict import Verdict


def read_strict(
    engine: duckdb.DuckDBPyConnection,
    text: PlainText,
    dialect: Dialect,
    target: Path,
    *,
    copy_options: Callable[[Verdict], str],
    timezone: str | None,
    max_reading_kwh: float,
) -> Verdict | None:
    """Write the readings of `text` to the Parquet file `target`, and return the account of them.

    Returns None, with nothing promised about `target`, unless every row is a plain reading: typed fields, a
    single ISO shape of timestamp, kWh from 0 to the limit, no duplicate, no hour that happens twice or never.
    """
    if dialect.strict_timestamp is None or has_endless_line(text.path):
        return None
    verdict = Verdict(0, {}, text.encoding, dialect.delimiter_name, has_offsets=False)
    options = copy_options(verdict)
    try:
        _copy(engine, text, dialect, target, copy_options=options)
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.NotImplementedException):
        return None
    proof = _proof(engine, parquet([target]), timezone=timezone, max_reading_kwh=max_reading_kwh)
    if proof is None:
        return None
    count, wall = proof
    if timezone is not None:
        _add_offsets(engine, target, wall, options)
    return replace(verdict, rows_accepted=count)


def _copy(
    engine: duckdb.DuckDBPyConnection,
    text: PlainText,
    dialect: Dialect,
    target: Path,
    *,
    copy_options: str,
) -> None:
    types = ["VARCHAR"] * len(dialect.columns)
    types[dialect.timestamp_index] = "TIMESTAMP"
    types[dialect.kwh_index] = "DOUBLE"
    columns = ", ".join(f"'c{index}': '{sql_type}'" for index, sql_type in enumerate(types))
    engine.execute(f"""
        COPY (
            SELECT c{dialect.timestamp_index} AS timestamp, c{dialect.appliance_index} AS appliance,
                c{dialect.kwh_index} + 0.0 AS kwh
            FROM read_csv({file_literal(text.path)}, auto_detect = false, header = false,
                skip = {dialect.header_line}, columns = {{{columns}}}, delim = {literal(dialect.delimiter)},
                quote = '"', escape = '"', compression = 'none',
                timestampformat = '{dialect.strict_timestamp}')
        ) TO {literal(str(target))} ({copy_options})""")


def _proof(
    engine: duckdb.DuckDBPyConnection, readings: str, *, timezone: str | None, max_reading_kwh: float
) -> tuple[int, Clock] | None:
    """Return the number of readings and their clock, if nothing is odd about any of them.

    Grouped by appliance and day, a bit for each hour tells at once of most files that nothing is there twice.
    """
    summary = engine.execute(f"""
        SELECT sum(rows), sum(times), sum(named), sum(measured), min(lowest), max(highest), min(first), max(last),
            bool_or(seconds), bool_and(rows = hours), count(DISTINCT appliance),
            bool_or(
                appliance = '' OR appliance <> trim(appliance, {WHITE_SPACE}) OR contains(appliance, chr(13))
                OR NOT {clean("appliance")} OR translate(appliance, {literal(MARKS)}, '') <> appliance
                OR strlen(appliance) > {LONGEST_RECORD_BYTES})
        FROM (
            SELECT appliance, count(*) AS rows, count(timestamp) AS times, count(appliance) AS named,
                count(kwh) AS measured, min(kwh) AS lowest, max(kwh) AS highest,
                min(timestamp) AS first, max(timestamp) AS last, bool_or(second(timestamp) <> 0) AS seconds,
                bit_count(bit_or(1 << hour(timestamp))) AS hours
            FROM {readings} GROUP BY appliance, CAST(timestamp AS DATE))""").fetchall()[0]
    count, *counts, lowest, highest, first, last, seconds, once_an_hour, names, odd_names = summary
    if not count or any(other != count for other in counts) or odd_names or names > MOST_APPLIANCES:
        return None
    if not (lowest >= 0 and highest <= max_reading_kwh and first >= EARLIEST and last < LATEST):
        return None
    wall = clock(timezone, first, last)
    if wall.changes:
        odd = f"{wall.happens_twice('timestamp')} OR {wall.never_happens('timestamp')}"
        if engine.execute(f"SELECT 1 FROM {readings} WHERE {odd} LIMIT 1").fetchone():
            return None
    if not once_an_hour and _has_duplicates(engine, readings, whole_minutes=not seconds):
        return None
    if absurd_limits(engine, readings):
        return None
    return int(count), wall


def _has_duplicates(engine: duckdb.DuckDBPyConnection, readings: str, *, whole_minutes: bool) -> bool:
    """Tell whether an appliance has a timestamp twice.

    Whole minutes are marked as bits of their hour, which takes a group per hour instead of one per reading.
    """
    if whole_minutes:
        repeated = f"""
            SELECT 1 FROM {readings} GROUP BY appliance, date_trunc('hour', timestamp)
            HAVING count(*) <> bit_count(bit_or(CAST(1 AS UBIGINT) << minute(timestamp))) LIMIT 1"""
    else:
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
