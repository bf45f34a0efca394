"""Anomalies as the spec defines them: readings above their appliance's mean + sigma x standard deviation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import duckdb

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
    """Create the table of readings above their threshold (`schema.ANOMALIES_DATA`), and return its name.

    An appliance without spread has no anomaly.
    """
    spread = {appliance: level for appliance, level in levels.items() if level.std_kwh > 0}
    engine.execute("CREATE OR REPLACE TEMP TABLE levels (appliance VARCHAR, mean_kwh DOUBLE, std_kwh DOUBLE)")
    engine.execute(
        "INSERT INTO levels SELECT unnest(?::VARCHAR[]), unnest(?::DOUBLE[]), unnest(?::DOUBLE[])",
        [
            list(spread),
            [level.mean_kwh for level in spread.values()],
            [level.std_kwh for level in spread.values()],
        ],
    )
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE anomalies AS
        SELECT timestamp, appliance, kwh, mean_kwh + {sigma!r} * std_kwh AS threshold,
            (kwh - mean_kwh) / std_kwh AS z_score
        FROM {readings} JOIN levels USING (appliance)
        WHERE kwh > mean_kwh + {sigma!r} * std_kwh
        ORDER BY timestamp, appliance, z_score""")
    return "anomalies"


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
