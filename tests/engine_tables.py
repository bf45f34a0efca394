"""Readings by hand for tests of the stages."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import duckdb

Row = tuple[str, str, float]
"""timestamp, appliance, kWh"""


def relation(engine: duckdb.DuckDBPyConnection, rows: Iterable[Row], *, offsets: dict[str, int] | None = None) -> str:
    """Put rows into the engine as readings; `offsets` are minutes by timestamp, None where absent."""
    engine.execute("""
        CREATE OR REPLACE TEMP TABLE given (
            timestamp TIMESTAMP, appliance VARCHAR, kwh DOUBLE, utc_offset_minutes SMALLINT)""")
    engine.executemany("INSERT INTO given VALUES (?, ?, ?, ?)", [(*row, (offsets or {}).get(row[0])) for row in rows])
    return "given"


def hours(appliance: str, start: str, kwh: Iterable[float], *, step_minutes: int = 60) -> list[Row]:
    """Consecutive readings of one appliance."""
    first = datetime.fromisoformat(start)
    return [(str(first + timedelta(minutes=n * step_minutes)), appliance, value) for n, value in enumerate(kwh)]
