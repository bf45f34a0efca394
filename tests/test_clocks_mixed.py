"""Uploads with offsets from UTC beside others without, and no timezone set: all are on one clock, an interval once."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from answers import ByAppliance, differing, read, served, used
from commands import drop, run_key
from web.serving import Server

from energy_analytics.lake import LocalLake
from energy_analytics.runs import succeeded_runs

TRUTH = {"Oven": 30 * 4 * 0.25 + 42 * 4 * 0.5}
"""The first 30 hours at 1 kW, and from there to the end of the third day what the later upload says: 2 kW."""


def quarters(first: str, *, hours: int, kwh: float, ending: str) -> str:
    start = datetime.fromisoformat(first)
    return "".join(f"{start + n * timedelta(minutes=15)}{ending},Oven,{kwh}\n" for n in range(4 * hours))


@pytest.fixture(params=["offsets come later", "offsets come first"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Two uploads that overlap for a day, the second from the middle of an hour on where the first ends in it."""
    endings = ("", "Z") if request.param == "offsets come later" else ("+00:00", "")
    first = quarters("2026-01-01 00:00", hours=48, kwh=0.25, ending=endings[0])
    second = quarters("2026-01-02 06:00", hours=42, kwh=0.5, ending=endings[1])
    for minute, rows in enumerate((first, second)):
        run_key(tmp_path / "lake", drop(tmp_path / "lake", f"raw/home/{minute}.csv", rows, minute=minute))
    return tmp_path


def test_an_interval_counts_once(home: Path) -> None:
    lake = LocalLake(home / "lake")
    newest = succeeded_runs(lake, "home")[0]
    [row] = csv.DictReader(io.StringIO(lake.read(newest["outputs"]["processed"]).decode()))
    assert (float(row["total_kwh"]), int(row["count"])) == (TRUTH["Oven"], 72 * 4)
    assert newest["results"]["complete_days"] == 3
    report = " ".join(lake.read(newest["outputs"]["report_text"]).decode().split())
    assert "Some uploads have timestamps with offsets and others without" in report


def test_an_hour_of_both_kinds_is_one(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    first, second = (
        quarters("2026-01-01 00:00", hours=12, kwh=0.25, ending=""),
        quarters("2026-01-01 11:30", hours=2, kwh=0.5, ending="Z"),
    )
    for minute, rows in enumerate((first, second)):
        run_key(lake, drop(lake, f"raw/{minute}.csv", rows, minute=minute))
    path = lake / "curated" / "hourly" / "hourly.parquet"
    rows = duckdb.sql(f"SELECT kwh, readings FROM '{path}' WHERE hour(hour) = 11").fetchall()
    assert rows == [(1.5, 4)]


@pytest.mark.slow
def test_every_answer_counts_it_once(home: Path) -> None:
    truth: ByAppliance = TRUTH
    assert differing(read(home, "home"), truth) == []
    assert differing(used(home, "home"), truth) == []
    server = Server(home)
    try:
        assert differing(served(server, "home", "from=2026-01-01&to=2026-01-04"), truth) == []
    finally:
        server.end()
