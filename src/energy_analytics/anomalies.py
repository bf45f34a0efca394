"""Anomalies as the spec defines them: readings above their appliance's mean + sigma x standard deviation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import duckdb

from .engine import significant
from .results import Anomaly, AnomalySummary

_TOP: Final = 10


@dataclass(frozen=True, slots=True)
class Level:
    """Mean and sample standard deviation of an appliance's readings, kWh."""

    mean_kwh: float
    std_kwh: float


def create_anomalies(
    engine: duckdb.DuckDBPyConnection, readings: str, levels: Mapping[str, Level], *, sigma: float
) -> str:
    """Find the readings above their threshold, and return the relation of them (`schema.ANOMALIES_DATA`), in order.

    An appliance without spread has no anomaly. There may be millions, so a row keeps the place of its appliance, and
    what belongs to the appliance is looked up in lists: a join would lose the order, and sorting names takes long.
    """
    spread = {appliance: level for appliance, level in sorted(levels.items()) if level.std_kwh > 0}
    engine.execute("CREATE OR REPLACE TEMP TABLE levels (appliance VARCHAR, mean_kwh DOUBLE, std_kwh DOUBLE)")
    engine.execute(
        "INSERT INTO levels SELECT unnest(?::VARCHAR[]), unnest(?::DOUBLE[]), unnest(?::DOUBLE[])",
        [
            list(spread),
            [level.mean_kwh for level in spread.values()],
            [level.std_kwh for level in spread.values()],
        ],
    )
    threshold = f"mean_kwh + {sigma!r} * std_kwh"
    for name, value in (
        ("names", "appliance"),
        ("means", "mean_kwh"),
        ("deviations", "std_kwh"),
        ("thresholds", threshold),
        ("printed_thresholds", f"CAST({significant(threshold)} AS VARCHAR)"),
    ):
        engine.execute(f"SET VARIABLE anomaly_{name} = (SELECT list({value} ORDER BY rowid) FROM levels)")
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE anomalies AS
        SELECT timestamp, CAST(levels.rowid + 1 AS INTEGER) AS place, kwh
        FROM {readings} JOIN levels USING (appliance)
        WHERE kwh > {threshold}
        ORDER BY timestamp, place, kwh""")
    return f"""(SELECT timestamp, {_of("names")} AS appliance, kwh, {_of("thresholds")} AS threshold,
        {_Z_SCORE} AS z_score FROM anomalies)"""


def printed_anomalies() -> str:
    """Write SQL for the same rows as they are printed: threshold and z-score as text of 12 significant digits."""
    return f"""(SELECT timestamp, {_of("names")} AS appliance, kwh, {_of("printed_thresholds")} AS threshold,
        CASE WHEN z_score < 1e6 AND contains(digits, '.') THEN digits ELSE CAST(CAST(digits AS DOUBLE) AS VARCHAR)
            END AS z_score
        FROM (SELECT *, {_Z_SCORE} AS z_score, printf('%.12g', z_score) AS digits FROM anomalies))"""


def _of(what: str) -> str:
    return f"list_extract(getvariable('anomaly_{what}'), place)"


_Z_SCORE: Final = f"(kwh - {_of('means')}) / {_of('deviations')}"


def summarise(engine: duckdb.DuckDBPyConnection, anomalies: str, *, sigma: float) -> AnomalySummary:
    """Count the anomalies per appliance, most first, and pick out the most extreme."""
    counts = engine.execute(f"""
        SELECT appliance, count(*) FROM {anomalies} GROUP BY appliance ORDER BY count(*) DESC, appliance""").fetchall()
    top = engine.execute(f"""
        SELECT timestamp, appliance, kwh, threshold, z_score FROM {anomalies}
        ORDER BY z_score DESC, timestamp, appliance LIMIT {_TOP}""").fetchall()
    return AnomalySummary(
        count=sum(count for _, count in counts),
        sigma=sigma,
        by_appliance=dict(counts),
        top=tuple(Anomaly(*row) for row in top),
    )
