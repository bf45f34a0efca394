"""Episodes of a site: the readings that are looked at, and what an earlier run already called by name."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

import duckdb
import numpy as np

from .episodes import carry_rows, find_episodes
from .episodes.grid import AnyIntegers, Floats, Integers
from .results import EpisodeFound

_LOOKED_AT: Final = 1_000_000
"""Readings that are looked at; of a longer history the hours, and of those the newest."""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """The readings of a site that are looked at, in any order."""

    appliances: tuple[str, ...]
    codes: AnyIntegers
    """Where the appliance of each reading stands in `appliances`."""
    seconds: Integers
    """Local wall time of each, since 1970."""
    kwh: Floats


def looked_at(engine: duckdb.DuckDBPyConnection, readings: str, hourly: str, *, appliances: Sequence[str]) -> LookedAt:
    """Take from the engine what `unusual_episodes` needs, which then leaves the engine to others."""
    source = _source(engine, readings, hourly)
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE named AS SELECT unnest(?::VARCHAR[]) AS appliance, unnest(?::UINTEGER[]) AS code",
        [list(appliances), list(range(len(appliances)))],
    )
    columns = engine.execute(f"""
        SELECT code, epoch_us(timestamp) // 1000000 AS seconds, kwh
        FROM {source} JOIN named USING (appliance)""").fetchnumpy()
    return LookedAt(tuple(appliances), *(np.asarray(columns[name]) for name in ("code", "seconds", "kwh")))


def unusual_episodes(
    of: LookedAt,
    *,
    before: Sequence[Mapping[str, Any]],
    alarms_per_appliance_month: float,
    readings_end: datetime,
) -> tuple[EpisodeFound, ...]:
    """Find the episodes in a site's readings; those that the run `before` reported keep their ids."""
    found = find_episodes(
        of.codes,
        list(of.appliances),
        of.seconds,
        of.kwh,
        alarms_per_appliance_month=alarms_per_appliance_month,
    )
    rows = carry_rows([dict(row) for row in before], [asdict(one) for one in found], readings_end=readings_end)
    return tuple(EpisodeFound(**row) for row in rows)


def as_rows(episodes: Sequence[EpisodeFound]) -> list[dict[str, Any]]:
    """Return episodes as they are kept in the record of a run."""
    return [
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(one).items()}
        for one in episodes
    ]


def from_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Read what `as_rows` gave, without those that were withdrawn."""
    names = [field.name for field in fields(EpisodeFound) if field.name != "status"]
    return [
        {name: datetime.fromisoformat(row[name]) if name in ("start", "end") else row[name] for name in names}
        for row in rows
        if row["status"] != "withdrawn"
    ]


def _source(engine: duckdb.DuckDBPyConnection, readings: str, hourly: str) -> str:
    """Return the readings, or the hours of a longer history, or the newest of those."""

    def count(relation: str) -> int:
        return int(engine.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])

    if count(readings) <= _LOOKED_AT:
        return readings
    hours = f"(SELECT hour AS timestamp, appliance, kwh FROM {hourly})"
    total = count(hours)
    if total <= _LOOKED_AT:
        return hours
    first, last = engine.execute(f"SELECT min(timestamp), max(timestamp) FROM {hours}").fetchall()[0]
    since = last - timedelta(days=max(1, round((last - first).days * _LOOKED_AT / total)))
    return f"(SELECT * FROM {hours} WHERE timestamp >= TIMESTAMP '{since}')"
