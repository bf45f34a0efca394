"""The check of every lake that tests leave: it compares something, and finds what was lost."""

from pathlib import Path

import pytest
from commands import drop, hourly_rows, run_key
from conserved import check_energy, lakes_below

from energy_analytics.lake import LocalLake

TWO_UPLOADS = (hourly_rows("2026-01-01", hours=96), hourly_rows("2026-01-03", hours=96, kwh=0.1))


@pytest.fixture
def two(tmp_path: Path) -> Path:
    for minute, rows in enumerate(TWO_UPLOADS):
        run_key(tmp_path / "lake", drop(tmp_path / "lake", f"raw/home/{minute}.csv", rows, minute=minute))
    return tmp_path / "lake"


def test_a_lake_is_found_and_compared(two: Path) -> None:
    [lake] = lakes_below(two.parent)
    assert check_energy(lake) == 2 * 4 + 3


@pytest.mark.tampered("the point of the test")
@pytest.mark.parametrize("table", ["hourly", "daily"])
def test_a_table_that_is_older_is_found(two: Path, table: str) -> None:
    path = two / "curated" / table / "home" / f"{table}.parquet"
    newer = path.read_bytes()
    run_key(two, drop(two, "raw/home/2.csv", hourly_rows("2026-02-01", hours=24), minute=3))
    assert path.read_bytes() != newer
    path.write_bytes(newer)
    with pytest.raises(AssertionError, match=table):
        check_energy(LocalLake(two))


@pytest.mark.tampered("the point of the test")
def test_a_total_that_is_off_is_found(two: Path) -> None:
    path = next((two / "processed").rglob("*.csv"))
    header, row = path.read_text().splitlines()
    appliance, total, *others = row.split(",")
    path.write_text("\n".join([header, ",".join([appliance, str(float(total) * 1.000001), *others]), ""]))
    with pytest.raises(AssertionError, match=r"processed"):
        check_energy(LocalLake(two))
