"""The careful reading of an upload: every line is taken or refused, with its number and the reason."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import duckdb

from ..calendar import Clock, clock
from ..engine import literal, parquet
from .dialect import Dialect
from .fields import clean, parsed_rows, sifted_rows
from .limits import EARLIEST, LATEST, above_limit, absurd_limits
from .records import LONGEST_RECORD_BYTES, TOO_LONG, UNCLOSED, records
from .text import PlainText
from .verdict import Verdict

AMBIGUOUS_DATE: Final = "day and month cannot be told apart"
AMBIGUOUS_NUMBER: Final = "decimal comma or thousands separator cannot be told apart"
NEGATIVE: Final = "negative kWh"
UNREADABLE_NUMBER: Final = "unreadable number"
UNREADABLE_TIMESTAMP: Final = "unreadable timestamp"
WRONG_FIELDS: Final = "wrong number of fields"
NAIVE_AMONG_OFFSETS: Final = "no UTC offset where other rows have one"

_LINES_AT_A_TIME: Final = 500_000
"""Of refused lines, which are sorted: 15 million at once were more than the engine could do in 256 MB."""

DateOrder = Literal["DMY", "MDY"]
Decimal = Literal[".", ","]


@dataclass(frozen=True, slots=True)
class Habits:
    """How a file writes dates and numbers, from the settings or from rows that leave no doubt."""

    date_order: DateOrder | None
    decimal: Decimal | None
    thousands_point: bool
    """Whether 1.234 is 1234: only if the setting says that numbers have a decimal comma and no row denies it."""
    has_offsets: bool


def read_tolerant(
    engine: duckdb.DuckDBPyConnection,
    text: PlainText,
    dialect: Dialect,
    target: Path,
    *,
    copy_options: Callable[[Verdict], str],
    timezone: str | None,
    date_order: DateOrder | None,
    decimal: Decimal | None,
    max_reading_kwh: float,
) -> Verdict:
    """Write the usable readings of `text` to the Parquet file `target`.

    Leaves the rest in the engine's table `rejected` (line_number, raw_text, reason) and returns the account.
    """
    source = records(engine, text, dialect, target.parent)
    columns = {
        "timestamp": dialect.timestamp_index,
        "appliance": dialect.appliance_index,
        "kwh": dialect.kwh_index,
    }
    widths = (dialect.named_columns, len(dialect.columns))
    rows = target.with_name("rows.parquet")
    sifted = sifted_rows(source, **columns, widths=widths, max_reading_kwh=max_reading_kwh)
    engine.execute(f"COPY {sifted} TO {literal(str(rows))} (FORMAT parquet)")
    plain = f"(SELECT * FROM {parquet([rows])} WHERE wall IS NOT NULL)"
    odd = f"(SELECT line, fields FROM {parquet([rows])} WHERE wall IS NULL)"
    engine.execute(f"CREATE OR REPLACE TEMP TABLE parsed AS SELECT * FROM {parsed_rows(odd, **columns, widths=widths)}")
    habits = _habits(engine, plain, date_order=date_order, decimal=decimal)
    if habits.decimal == "," or (habits.has_offsets and timezone is None):
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE parsed AS SELECT * FROM {parsed_rows(source, **columns, widths=widths)}"
        )
        plain = f"(SELECT * FROM {plain} WHERE false)"
    _judge(engine, habits, widths=widths, timezone=timezone, max_reading_kwh=max_reading_kwh)
    placed = _place_in_time(engine, plain, timezone)
    _refuse_absurd(engine, placed)
    _refuse_duplicates(engine, placed)
    remaining = _remaining(engine, placed)
    verdict = _account(engine, remaining, text, dialect, has_offsets=habits.has_offsets)
    order = "" if remaining == placed and timezone is None else "ORDER BY line"  # A join loses the order.
    with_offset = timezone is not None or habits.has_offsets
    offset = ", CAST(utc_offset_minutes AS SMALLINT) AS utc_offset_minutes" if with_offset else ""
    engine.execute(f"""
        COPY (
            SELECT timestamp, appliance, kwh{offset}
            FROM {remaining} {order}
        ) TO {literal(str(target))} ({copy_options(verdict)})""")
    engine.execute("DROP TABLE parsed; DROP TABLE judged; DROP TABLE IF EXISTS repeated_hour")
    _tell_refused(engine, source, target.with_name("raw.parquet"))
    engine.execute("DROP TABLE refused")
    return verdict


def _tell_refused(engine: duckdb.DuckDBPyConnection, source: str, by_line: Path) -> None:
    """Create the table `rejected` out of `refused`: a part at a time where the whole would not fit the memory.

    The lines are then written to the file `by_line`, of which a part can be read without the rest.
    """
    engine.execute("CREATE OR REPLACE TEMP TABLE rejected (line_number BIGINT, raw_text VARCHAR, reason VARCHAR)")
    count, last = engine.execute("SELECT count(*), coalesce(max(line), 0) FROM refused").fetchall()[0]
    step = last + 1
    if count > _LINES_AT_A_TIME:
        engine.execute(f"COPY (SELECT line, raw FROM {source}) TO {literal(str(by_line))} (FORMAT parquet)")
        source, step = parquet([by_line]), _LINES_AT_A_TIME
    for first in range(0, last + 1, step):
        part = f"line >= {first} AND line < {first + step}"
        engine.execute(f"""
            INSERT INTO rejected
            SELECT line, raw, reason || coalesce(detail, '')
            FROM (SELECT * FROM {source} WHERE {part}) JOIN (SELECT * FROM refused WHERE {part}) USING (line)
            ORDER BY line""")


def _habits(
    engine: duckdb.DuckDBPyConnection, plain: str, *, date_order: DateOrder | None, decimal: Decimal | None
) -> Habits:
    """Find out how the file is written: a decimal sign that is proved outranks the setting."""
    dmy, mdy, comma, point, offsets = engine.execute(f"""
        SELECT coalesce(bool_or(wall_dmy IS NOT NULL AND wall_mdy IS NULL), false),
            coalesce(bool_or(wall_mdy IS NOT NULL AND wall_dmy IS NULL), false),
            coalesce(bool_or(proof = 'comma'), false),
            coalesce(bool_or(proof = 'point'), false) OR EXISTS (SELECT 1 FROM {plain} WHERE proves_point),
            coalesce(bool_or(given_offset IS NOT NULL), false)
        FROM parsed""").fetchall()[0]
    if date_order is None and dmy != mdy:
        date_order = "DMY" if dmy else "MDY"
    thousands_point = decimal == "," and not point
    if comma != point:
        decimal = "," if comma else "."
    return Habits(date_order, decimal, thousands_point=thousands_point, has_offsets=offsets)


def _judge(
    engine: duckdb.DuckDBPyConnection,
    habits: Habits,
    *,
    widths: tuple[int, int],
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
        f"WHEN {'true' if habits.thousands_point else 'false'} AND proof = 'bare point' THEN whole "
        "WHEN proof IS NULL OR proof = 'point' THEN coalesce(with_point, grouped) END",
        ".": "CASE WHEN contains(kwh_text, ',') THEN CASE WHEN proof <> 'comma' THEN grouped END ELSE with_point END",
        None: "CASE proof WHEN 'comma' THEN with_comma WHEN 'either' THEN NULL ELSE coalesce(with_point, grouped) END",
    }[habits.decimal]
    mixed = "true" if habits.has_offsets and timezone is None else "false"
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        WITH read AS (
            SELECT line, width, first_field, only_empty_beyond, time_text, appliance, kwh_text, given_offset,
                wall_dmy, wall_mdy, proof, coalesce(wall, {written}) AS wall, {number} AS kwh
            FROM parsed)
        SELECT line, appliance, kwh + 0.0 AS kwh, wall, given_offset, CAST(NULL AS VARCHAR) AS detail,
            CASE
                WHEN first_field = {literal(UNCLOSED)} THEN 'a quote is opened and never closed'
                WHEN first_field = {literal(TOO_LONG)} THEN 'longer than {LONGEST_RECORD_BYTES:,} bytes'
                WHEN width NOT BETWEEN {widths[0]} AND {widths[1]} AND NOT only_empty_beyond
                    THEN '{WRONG_FIELDS}'
                WHEN time_text = '' THEN 'no timestamp'
                WHEN appliance = '' THEN 'no appliance'
                WHEN NOT {clean("appliance")} THEN 'null byte in the appliance'
                WHEN kwh_text = '' THEN 'no kWh value'
                WHEN wall IS NULL AND wall_dmy IS NOT NULL AND wall_mdy IS NOT NULL THEN '{AMBIGUOUS_DATE}'
                WHEN wall IS NULL THEN '{UNREADABLE_TIMESTAMP}'
                WHEN wall < TIMESTAMP '{EARLIEST}' OR wall >= TIMESTAMP '{LATEST}'
                    THEN 'timestamp outside 1970 to 2100'
                WHEN {mixed} AND given_offset IS NULL THEN '{NAIVE_AMONG_OFFSETS}'
                WHEN kwh IS NULL AND proof IN ('either', 'bare point') THEN '{AMBIGUOUS_NUMBER}'
                WHEN kwh IS NULL THEN '{UNREADABLE_NUMBER}'
                WHEN isnan(kwh) OR isinf(kwh) THEN 'not a finite number'
                WHEN kwh < 0 THEN '{NEGATIVE}'
                WHEN kwh > {max_reading_kwh!r} THEN 'absurdly large kWh'
            END AS reason
        FROM read""")


def _place_in_time(engine: duckdb.DuckDBPyConnection, plain: str, timezone: str | None) -> str:
    """Return SQL for the rows so far good, with local wall time and offset; a repeated hour becomes two.

    Creates the table `refused` (line, reason, detail), in which later steps put what they find.
    """
    good = f"""(
        SELECT line, appliance, kwh, wall, NULL AS given_offset FROM {plain}
        UNION ALL SELECT line, appliance, kwh, wall, given_offset FROM judged WHERE reason IS NULL)"""
    first, last = engine.execute(f"SELECT min(wall), max(wall) FROM {good}").fetchall()[0]
    wall = clock(timezone, first, last) if first is not None else Clock(None, 0, ())
    skipped = f"given_offset IS NULL AND {wall.never_happens('wall')}"
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE refused AS
        SELECT line, reason, detail FROM judged WHERE reason IS NOT NULL
        UNION ALL SELECT line, 'no such local time: the clock goes forward there', NULL FROM {good} WHERE {skipped}""")
    instant = "(wall - to_minutes(given_offset))"
    if timezone is None:
        return f"""(
            SELECT line, appliance, kwh, coalesce({instant}, wall) AS timestamp,
                CASE WHEN given_offset IS NOT NULL THEN 0 END AS utc_offset_minutes
            FROM {good})"""
    _find_repeated_hour(engine, f"(SELECT * FROM {good} WHERE given_offset IS NULL)", wall)
    of_wall = wall.offset_of_wall("wall", repeated="line IN (SELECT line FROM repeated_hour)")
    of_instant = f"CAST({wall.offset_of_instant(instant)} AS INTEGER)"
    return f"""(
        SELECT line, appliance, kwh, coalesce({instant} + to_minutes({of_instant}), wall) AS timestamp,
            CASE WHEN given_offset IS NULL THEN {of_wall} ELSE {of_instant} END AS utc_offset_minutes
        FROM {good} WHERE NOT ({skipped}))"""


def _find_repeated_hour(engine: duckdb.DuckDBPyConnection, rows: str, wall: Clock) -> None:
    """Create the table `repeated_hour` (line): readings of the second passage of an hour that happens twice.

    Lines tell which was first: the upper one, or the lower one where an appliance's day is written newest first.
    """
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE repeated_hour AS
        WITH doubtful AS (
            SELECT line, appliance, wall, CAST(wall AS DATE) AS day FROM {rows} WHERE {wall.happens_twice("wall")}
        ), moves AS (
            SELECT appliance, CAST(wall AS DATE) AS day,
                sign(epoch_us(wall) - lag(epoch_us(wall)) OVER (
                    PARTITION BY appliance, CAST(wall AS DATE) ORDER BY line)) AS move
            FROM {rows} WHERE CAST(wall AS DATE) IN (SELECT day FROM doubtful)
        ), directions AS (
            SELECT appliance, day, CASE WHEN sum(move) < 0 THEN -1 ELSE 1 END AS direction FROM moves GROUP BY ALL)
        SELECT line FROM doubtful JOIN directions USING (appliance, day)
        QUALIFY row_number() OVER (PARTITION BY appliance, wall ORDER BY direction * line) > 1""")


def _remaining(engine: duckdb.DuckDBPyConnection, placed: str) -> str:
    """Return SQL for the rows of `placed` that no later step refused."""
    late = f"SELECT line FROM {placed} SEMI JOIN refused USING (line)"
    if engine.execute(f"SELECT 1 FROM ({late}) LIMIT 1").fetchone() is None:
        return placed
    return f"(SELECT * FROM {placed} ANTI JOIN refused USING (line))"


def _refuse_absurd(engine: duckdb.DuckDBPyConnection, placed: str) -> None:
    limits = absurd_limits(engine, placed)
    if limits:
        engine.execute(f"""
            INSERT INTO refused
            SELECT line, 'absurdly large kWh', ' beside the other readings of the appliance'
            FROM {placed} WHERE {above_limit(limits)}""")


def _refuse_duplicates(engine: duckdb.DuckDBPyConnection, placed: str) -> None:
    """Keep the last line of each appliance and interval."""
    remaining = _remaining(engine, placed)
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE hours_in_doubt AS
        SELECT appliance, date_trunc('hour', timestamp) AS hour FROM {remaining} GROUP BY ALL
        HAVING count(*) <> bit_count(bit_or(CAST(1 AS UBIGINT) << minute(timestamp)))""")
    engine.execute(f"""
        INSERT INTO refused
        SELECT line, CASE WHEN kwh = kept.kwh THEN 'duplicate' ELSE 'replaced by a later line' END,
            CASE WHEN kwh = kept.kwh THEN ' of line ' ELSE ': line ' END || kept.line
        FROM (
            SELECT line, kwh, max({{line: line, kwh: kwh}}) OVER (
                PARTITION BY appliance, timestamp, utc_offset_minutes) AS kept
            FROM {remaining} AS one SEMI JOIN hours_in_doubt AS other
                ON one.appliance = other.appliance AND date_trunc('hour', one.timestamp) = other.hour)
        WHERE line < kept.line""")
    engine.execute("DROP TABLE hours_in_doubt")


def _account(
    engine: duckdb.DuckDBPyConnection, remaining: str, text: PlainText, dialect: Dialect, *, has_offsets: bool
) -> Verdict:
    accepted = engine.execute(f"SELECT count(*) FROM {remaining}").fetchall()[0][0]
    reasons = engine.execute(
        "SELECT reason, count(*) FROM refused GROUP BY reason ORDER BY count(*) DESC, reason"
    ).fetchall()
    return Verdict(
        rows_accepted=accepted,
        rejected_by_reason=dict(reasons),
        encoding=text.encoding,
        delimiter=dialect.delimiter_name,
        has_offsets=has_offsets,
    )
