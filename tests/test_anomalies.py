"""The specification's anomalies on readings whose threshold is worked out by hand."""

import csv
from datetime import datetime
from pathlib import Path

import pytest
from engine_tables import hours, relation

from energy_analytics.anomalies import Level, create_anomalies, summarise
from energy_analytics.engine import connect
from energy_analytics.outputs import write_anomalies


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


def test_many_anomalies_are_written_in_order_of_time_and_name(tmp_path: Path) -> None:
    """More than the engine writes at a time, and more than fits its memory beside the readings."""
    with connect(memory_limit_mb=128, threads=2, spill_folder=tmp_path) as engine:
        engine.execute("""
            CREATE TABLE given AS
            SELECT TIMESTAMP '2026-01-01' + to_minutes(n // 40) AS timestamp, printf('Meter %02d', n % 40) AS appliance,
                hash(n) % 1000 / 100.0 AS kwh, CAST(NULL AS SMALLINT) AS utc_offset_minutes
            FROM range(1500000) AS rows(n)""")
        levels = {f"Meter {number:02}": Level(5.0, 1.0 + number / 100) for number in range(40)}
        table = create_anomalies(engine, "given", levels, sigma=2.0)
        write_anomalies(engine, tmp_path / "anomalies.csv")
        expected = summarise(engine, table, sigma=2.0)
    with (tmp_path / "anomalies.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == expected.count > 300_000
    order = [(row["timestamp"], row["appliance"]) for row in rows]
    assert order == sorted(order)
    level = levels[rows[7]["appliance"]]
    assert float(rows[7]["threshold"]) == pytest.approx(5.0 + 2 * level.std_kwh, rel=1e-11)
    assert float(rows[7]["z_score"]) == pytest.approx((float(rows[7]["kwh"]) - 5.0) / level.std_kwh, rel=1e-11)


def test_without_anomalies_the_header_stands_alone(tmp_path: Path) -> None:
    with connect(memory_limit_mb=256, threads=None, spill_folder=tmp_path) as engine:
        readings = relation(engine, hours("Fridge", "2026-02-20 00:00:00", [0.1, 0.1]))
        create_anomalies(engine, readings, {"Fridge": Level(0.1, 0.0)}, sigma=2.0)
        write_anomalies(engine, tmp_path / "anomalies.csv")
    assert (tmp_path / "anomalies.csv").read_text("utf-8") == "timestamp,appliance,kwh,threshold,z_score\n"
