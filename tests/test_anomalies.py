"""The specification's anomalies on readings whose threshold is worked out by hand."""

from datetime import datetime
from pathlib import Path

import pytest
from engine_tables import hours, relation

from energy_analytics.anomalies import Level, create_anomalies, summarise
from energy_analytics.engine import connect


def test_a_reading_is_an_anomaly_only_above_the_threshold(tmp_path: Path) -> None:
    """Mean 5, deviation 2: the threshold is 9, and 9 itself is not above it."""
    with connect(memory_limit_mb=256, threads=None, spill_folder=tmp_path) as engine:
        readings = relation(engine, hours("AC", "2026-02-20 00:00:00", [5, 9, 9.5, 11, 1]))
        table = create_anomalies(engine, readings, {"AC": Level(5.0, 2.0)}, sigma=2.0)
        assert engine.execute(f"SELECT * FROM {table}").fetchall() == [
            (datetime(2026, 2, 20, 2), "AC", 9.5, 9.0, 2.25),
            (datetime(2026, 2, 20, 3), "AC", 11.0, 9.0, 3.0),
        ]
        summary = summarise(engine, table, sigma=2.0)
        assert (summary.count, summary.by_appliance) == (2, {"AC": 2})
        assert [one.kwh for one in summary.top] == [11.0, 9.5]


@pytest.mark.parametrize(("sigma", "count"), [(1.0, 3), (2.0, 2), (3.0, 0)])
def test_sigma_is_a_setting(tmp_path: Path, sigma: float, count: int) -> None:
    with connect(memory_limit_mb=256, threads=None, spill_folder=tmp_path) as engine:
        readings = relation(engine, hours("AC", "2026-02-20 00:00:00", [5, 9, 9.5, 11, 1]))
        table = create_anomalies(engine, readings, {"AC": Level(5.0, 2.0)}, sigma=sigma)
        assert summarise(engine, table, sigma=sigma).count == count


def test_an_appliance_without_spread_has_none(tmp_path: Path) -> None:
    with connect(memory_limit_mb=256, threads=None, spill_folder=tmp_path) as engine:
        readings = relation(engine, hours("Fridge", "2026-02-20 00:00:00", [0.1, 0.1]))
        table = create_anomalies(engine, readings, {"Fridge": Level(0.1, 0.0)}, sigma=2.0)
        assert summarise(engine, table, sigma=2.0).count == 0
