"""SQL over the lake on AWS: the same questions as `query.query`, answered by Athena."""

import re
import time
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from ..query import QueryError, Rows, sql_of

if TYPE_CHECKING:
    from mypy_boto3_athena.client import AthenaClient
    from mypy_boto3_athena.type_defs import QueryExecutionTypeDef, RowTypeDef

_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 3.0
_PAUSE_GROWTH: Final = 1.5

_READING: Final = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "EXPLAIN", "TABLE", "VALUES"})
"""How a statement that only reads begins."""

_NOT_CODE: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
"""Texts, quoted names and comments."""

_ADVICE: Final = (
    (
        r"bytes scanned limit|cancelled.*limit",
        "The workgroup stops a query that would read more than its limit: ask for fewer columns or days, "
        "or raise scanned_limit_mb and deploy again.",
    ),
    (r"TABLE_NOT_FOUND|SCHEMA_NOT_FOUND", "energy query --list names the tables and views."),
    (r"COLUMN_NOT_FOUND", "energy query --list names the columns of each table."),
    (r"SYNTAX_ERROR|mismatched input|FUNCTION_NOT_FOUND", "Athena speaks the SQL of Trino."),
    (
        r"access ?denied|not authorized|insufficient permissions",
        "The policy energy-athena-access of the deployment allows it: have it attached to you.",
    ),
    (r"VIEW_IS_STALE", "Deploy again: energy deploy."),
)
"""What Athena says, and what a person can do about it."""


def query(sql: str, *, database: str, workgroup: str) -> Rows:
    """Answer one statement that reads, or the query of that name, with values typed as DuckDB's are.

    The workgroup says where Athena keeps the answer and how much a query may read. An interrupted wait cancels the
    query. Raises QueryError with Athena's own reason.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    statement = _one_that_reads(sql_of(sql))
    try:
        athena = boto3.client("athena")
        started = athena.start_query_execution(
            QueryString=statement, QueryExecutionContext={"Database": database}, WorkGroup=workgroup
        )
        execution = _wait_for(athena, started["QueryExecutionId"])
        _refuse_failed(execution)
        return _rows(athena, started["QueryExecutionId"])
    except ClientError as error:
        raise QueryError(_told(str(error.response["Error"].get("Message", error)))) from error
    except BotoCoreError as error:
        raise QueryError(_told(str(error))) from error


def _one_that_reads(sql: str) -> str:
    """Return the statement without its semicolon. Raises QueryError if it is not one statement that reads."""
    code = _NOT_CODE.sub(lambda found: (" " if found[0][0] in "-/" else "x") * len(found[0]), sql)
    end = len(code.rstrip().removesuffix(";"))
    words = re.findall(r"\w+", code[:end].upper())
    writes = words[:2] == ["EXPLAIN", "ANALYZE"] and not _READING.intersection(words[2:3])
    if ";" in code[:end] or writes or not _READING.intersection(words[:1]):
        raise QueryError("Athena answers one SELECT at a time, and nothing that writes or changes settings.")
    return sql[:end].strip()


def _wait_for(athena: "AthenaClient", identifier: str) -> "QueryExecutionTypeDef":
    pause_seconds = _FIRST_PAUSE_SECONDS
    try:
        while True:
            execution = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
            if execution.get("Status", {}).get("State") not in ("QUEUED", "RUNNING"):
                return execution
            time.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * _PAUSE_GROWTH, _LONGEST_PAUSE_SECONDS)
    except BaseException:
        # A query that nobody waits for any longer goes on reading, and costs.
        athena.stop_query_execution(QueryExecutionId=identifier)
        raise


def _refuse_failed(execution: "QueryExecutionTypeDef") -> None:
    status = execution.get("Status", {})
    state = str(status.get("State", "UNKNOWN"))
    if state != "SUCCEEDED":
        error = status.get("AthenaError", {})
        reason = status.get("StateChangeReason") or error.get("ErrorMessage") or f"The query was {state.lower()}."
        raise QueryError(_told(reason))


def _told(reason: str) -> str:
    """Return Athena's reason as one sentence, and what to do about it where that is known."""
    sentence = " ".join(reason.split()).rstrip(".") + "."
    advice = next((advice for pattern, advice in _ADVICE if re.search(pattern, sentence, re.IGNORECASE)), None)
    return f"{sentence} {advice}" if advice else sentence


def _rows(athena: "AthenaClient", identifier: str) -> Rows:
    names: tuple[str, ...] = ()
    casts: list[Callable[[str], Any]] = []
    rows: list[tuple[Any, ...]] = []
    for number, page in enumerate(athena.get_paginator("get_query_results").paginate(QueryExecutionId=identifier)):
        found = page["ResultSet"].get("Rows", [])
        if number == 0:
            columns = page["ResultSet"].get("ResultSetMetadata", {}).get("ColumnInfo", [])
            names = tuple(column["Name"] for column in columns)
            casts = [_CASTS.get(column["Type"].lower(), str) for column in columns]
            # The first row of a SELECT repeats the names; that of SHOW does not.
            found = found[1:] if found and _cells(found[0]) == list(names) else found
        rows.extend(
            tuple(None if cell is None else cast(cell) for cell, cast in zip(_cells(row), casts, strict=True))
            for row in found
        )
    return Rows(names, rows)


def _cells(row: "RowTypeDef") -> list[str | None]:
    return [cell.get("VarCharValue") for cell in row.get("Data", [])]


def _instant(text: str) -> datetime:
    """Read a time with its zone, which Athena writes as an offset or by name."""
    wall, _, zone = text.rpartition(" ")
    if zone[0] in "+-":
        return datetime.fromisoformat(f"{wall}{zone}")
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone))


_CASTS: Final[dict[str, Callable[[str], Any]]] = {
    "boolean": lambda text: text == "true",
    "tinyint": int,
    "smallint": int,
    "integer": int,
    "int": int,
    "bigint": int,
    "float": float,
    "real": float,
    "double": float,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "timestamp with time zone": _instant,
}
"""By the type that Athena names; all else stays text."""
