"""The careful reading of an upload: every line is taken or refused, with its number and the reason."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import duckdb

from ..calendar import Clock, clock
from ..engine import literal
from .dialect import Dialect
from .fields import parsed_rows
from .limits import EARLIEST, LATEST, above_limit, absurd_limits
from .records import UNCLOSED, records
from .text import PlainText
from .verdict import Verdict

AMBIGUOUS_DATE: Final = "day and month cannot be told apart"
AMBIGUOUS_NUMBER: Final = "decimal comma or thousands separator cannot be told apart"
NAIVE_AMONG_OFFSETS: Final = "no UTC offset where other rows have one"

DateOrder = Literal["DMY", "MDY"]
Decimal = Literal[".", ","]


@dataclass(frozen=True, slots=True)
class Habits:
    """How a file writes dates and numbers, from the settings or from rows that leave no doubt."""

    date_order: DateOrder | None
    decimal: Decimal | None


def read_tolerant(
    engine: duckdb.DuckDBPyConnection,
    text: PlainText,
    dialect: Dialect,
    target: Path,
    *,
    name: str,
    constants: str,
    copy_options: Callable[[Verdict], str],
    timezone: str | None,
    date_order: DateOrder | None,
    decimal: Decimal | None,
    max_reading_kwh: float,
) -> Verdict:
    """Write the usable readings of `text` to the Parquet file `target`.

    Leaves the rest in the engine's table `rejected` (line_number, raw_text, reason) and returns the account.
    """
    source = records(engine, text, dialect, name, target.parent)
    rows = parsed_rows(
        source,
        timestamp=dialect.timestamp_index,
        appliance=dialect.appliance_index,
        kwh=dialect.kwh_index,
        width=len(dialect.columns),
    )
    engine.execute(f"CREATE OR REPLACE TEMP TABLE parsed AS SELECT * FROM {rows}")
    habits = _habits(engine, date_order=date_order, decimal=decimal)
    _judge(engine, habits, width=len(dialect.columns), timezone=timezone, max_reading_kwh=max_reading_kwh)
    _place_in_time(engine, timezone)
    _refuse_absurd(engine)
    _refuse_duplicates(engine)
    verdict = _account(engine, text, dialect)
    engine.execute(f"""
        COPY (
            SELECT timestamp, appliance, kwh, CAST(utc_offset_minutes AS SMALLINT) AS utc_offset_minutes, {constants}
            FROM judged WHERE reason IS NULL ORDER BY line
        ) TO {literal(str(target))} ({copy_options(verdict)})""")
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE rejected AS
        SELECT line AS line_number, raw AS raw_text, reason || coalesce(detail, '') AS reason
        FROM {source} JOIN judged USING (line) WHERE reason IS NOT NULL ORDER BY line""")
    engine.execute("DROP TABLE parsed; DROP TABLE judged")
    return verdict


def _habits(engine: duckdb.DuckDBPyConnection, *, date_order: DateOrder | None, decimal: Decimal | None) -> Habits:
    dmy, mdy, comma, point = engine.execute("""
        SELECT coalesce(bool_or(wall_dmy IS NOT NULL AND wall_mdy IS NULL), false),
            coalesce(bool_or(wall_mdy IS NOT NULL AND wall_dmy IS NULL), false),
            coalesce(bool_or(proof = 'comma'), false), coalesce(bool_or(proof = 'point'), false)
        FROM parsed""").fetchall()[0]
    if date_order is None and dmy != mdy:
        date_order = "DMY" if dmy else "MDY"
    if decimal is None and comma != point:
        decimal = "," if comma else "."
    return Habits(date_order, decimal)


def _judge(
    engine: duckdb.DuckDBPyConnection,
    habits: Habits,
    *,
    width: int,
    timezone: str | None,
    max_reading_kwh: float,
) -> None:
    """Create the table `judged`: each row with one time and one number, or the reason why it has none."""
    written = {
        "DMY": "wall_dmy",
        "MDY": "wall_mdy",
        None: "CASE WHEN wall_dmy IS NULL OR wall_mdy IS NULL OR wall_dmy = wall_mdy "
        "THEN coalesce(wall_dmy, wall_mdy) END",
    }[habits.date_order]
    number = {
        ",": "CASE WHEN proof = 'comma' OR proof = 'either' THEN with_comma "
        "WHEN proof IS NULL OR proof = 'point' THEN with_point END",
        ".": "CASE WHEN contains(kwh_text, ',') THEN CASE WHEN proof <> 'comma' THEN grouped END ELSE with_point END",
        None: "CASE proof WHEN 'comma' THEN with_comma WHEN 'either' THEN NULL ELSE coalesce(with_point, grouped) END",
    }[habits.decimal]
    mixed = "(SELECT bool_or(given_offset IS NOT NULL) FROM parsed)" if timezone is None else "false"
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        WITH read AS (
            SELECT line, width, first_field, only_empty_beyond, time_text, appliance, kwh_text, given_offset,
                wall_dmy, wall_mdy, proof, coalesce(wall, {written}) AS wall, {number} AS kwh
            FROM parsed)
        SELECT line, appliance, kwh + 0.0 AS kwh, wall, given_offset, CAST(NULL AS VARCHAR) AS detail,
            CASE
                WHEN first_field = {literal(UNCLOSED)} THEN 'a quote is opened and never closed'
                WHEN width <> {width} AND NOT only_empty_beyond THEN 'wrong number of fields'
                WHEN time_text = '' THEN 'no timestamp'
                WHEN appliance = '' THEN 'no appliance'
                WHEN kwh_text = '' THEN 'no kWh value'
                WHEN wall IS NULL AND wall_dmy IS NOT NULL AND wall_mdy IS NOT NULL THEN '{AMBIGUOUS_DATE}'
                WHEN wall IS NULL THEN 'unreadable timestamp'
                WHEN wall < TIMESTAMP '{EARLIEST}' OR wall >= TIMESTAMP '{LATEST}'
                    THEN 'timestamp outside 1970 to 2100'
                WHEN {mixed} AND given_offset IS NULL THEN '{NAIVE_AMONG_OFFSETS}'
                WHEN kwh IS NULL AND proof IN ('either', 'bare point') THEN '{AMBIGUOUS_NUMBER}'
                WHEN kwh IS NULL THEN 'unreadable number'
                WHEN isnan(kwh) OR isinf(kwh) THEN 'not a finite number'
                WHEN kwh < 0 THEN 'negative kWh'
                WHEN kwh > {max_reading_kwh!r} THEN 'absurdly large kWh'
            END AS reason
        FROM read""")


def _place_in_time(engine: duckdb.DuckDBPyConnection, timezone: str | None) -> None:
    """Add `timestamp` (local wall time) and `utc_offset_minutes`; a repeated hour becomes two."""
    first, last = engine.execute("SELECT min(wall), max(wall) FROM judged WHERE reason IS NULL").fetchall()[0]
    wall = clock(timezone, first, last) if first is not None else Clock(None, 0, ())
    if timezone is None:
        local = "CASE WHEN given_offset IS NULL THEN wall ELSE wall - to_minutes(given_offset) END"
        offset = "CASE WHEN given_offset IS NOT NULL THEN 0 END"
        skipped, occurrence = "false", "1"
    else:
        instant = "(wall - to_minutes(given_offset))"
        of_instant = f"CAST({wall.offset_of_instant(instant)} AS INTEGER)"
        local = f"CASE WHEN given_offset IS NULL THEN wall ELSE {instant} + to_minutes({of_instant}) END"
        repeated = f"{wall.happens_twice('wall')} AND given_offset IS NULL AND reason IS NULL"
        occurrence = f"CASE WHEN {repeated} THEN coalesce(nth, 1) ELSE 1 END"
        of_wall = wall.offset_of_wall("wall", repeated=f"{occurrence} > 1")
        offset = f"CASE WHEN given_offset IS NULL THEN {of_wall} ELSE {of_instant} END"
        skipped = f"given_offset IS NULL AND {wall.never_happens('wall')}"
    twice = f"{wall.happens_twice('wall')} AND given_offset IS NULL AND reason IS NULL"
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        WITH repeated_hour AS (
            SELECT line, row_number() OVER (PARTITION BY appliance, wall ORDER BY line) AS nth
            FROM judged WHERE {twice})
        SELECT line, appliance, kwh, {local} AS timestamp, {offset} AS utc_offset_minutes, detail,
            coalesce(reason, CASE WHEN {skipped} THEN 'no such local time: the clock goes forward there' END)
                AS reason
        FROM judged LEFT JOIN repeated_hour USING (line)""")


def _refuse_absurd(engine: duckdb.DuckDBPyConnection) -> None:
    limits = absurd_limits(engine, "(SELECT * FROM judged WHERE reason IS NULL)")
    if limits:
        engine.execute(f"""
            UPDATE judged SET reason = 'absurdly large kWh', detail = ' beside the other readings of the appliance'
            WHERE reason IS NULL AND {above_limit(limits)}""")


def _refuse_duplicates(engine: duckdb.DuckDBPyConnection) -> None:
    """Keep the last line of each appliance and interval."""
    engine.execute("""
        CREATE OR REPLACE TEMP TABLE repeated AS
        SELECT appliance, timestamp, utc_offset_minutes, max(line) AS kept FROM judged WHERE reason IS NULL
        GROUP BY ALL HAVING count(*) > 1""")
    engine.execute("""
        UPDATE judged SET
            reason = CASE WHEN judged.kwh = doubles.kwh THEN 'duplicate' ELSE 'replaced by a later line' END,
            detail = CASE WHEN judged.kwh = doubles.kwh THEN ' of line ' ELSE ': line ' END || doubles.kept
        FROM (
            SELECT repeated.*, last.kwh FROM repeated JOIN judged AS last ON last.line = repeated.kept) AS doubles
        WHERE judged.reason IS NULL AND judged.line < doubles.kept AND judged.appliance = doubles.appliance
            AND judged.timestamp = doubles.timestamp
            AND judged.utc_offset_minutes IS NOT DISTINCT FROM doubles.utc_offset_minutes""")
    engine.execute("DROP TABLE repeated")


def _account(engine: duckdb.DuckDBPyConnection, text: PlainText, dialect: Dialect) -> Verdict:
    accepted, with_offset = engine.execute("""
        SELECT count(*), count(utc_offset_minutes) FROM judged WHERE reason IS NULL""").fetchall()[0]
    reasons = engine.execute("""
        SELECT reason, count(*) FROM judged WHERE reason IS NOT NULL GROUP BY reason
        ORDER BY count(*) DESC, reason""").fetchall()
    return Verdict(
        rows_accepted=accepted,
        rejected_by_reason=dict(reasons),
        encoding=text.encoding,
        delimiter=dialect.delimiter_name,
        has_offsets=with_offset > 0,
    )
