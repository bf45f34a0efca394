"""Results of the real sample, compared with figures that were worked out without the package."""

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import SAMPLE, energy

FIGURES: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "household_power_hourly.json").read_text())
EXACT = {"abs": 2e-9, "rel": 0}
"""The figures are rounded to nine decimals."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    done = energy("run", SAMPLE, folder=folder)
    assert done.returncode == 0, done.stderr
    assert "136,340 of 136,340 rows used" in done.stdout
    return folder / "lake"


@pytest.fixture(scope="module")
def manifest(lake: Path) -> dict[str, Any]:
    [path] = (lake / "runs").glob("run_*.json")
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("appliance", FIGURES["appliances"])
def test_totals_means_deviations_counts_and_peak_hours(lake: Path, manifest: dict[str, Any], appliance: str) -> None:
    [row] = [row for row in rows(lake / manifest["outputs"]["processed"]) if row["appliance"] == appliance]
    figures = FIGURES["appliances"][appliance]
    for name in ("total_kwh", "avg_kwh", "std_kwh"):
        assert float(row[name]) == pytest.approx(figures[name], **EXACT), name
    assert int(row["count"]) == figures["count"]
    assert int(row["peak_hour"]) == figures["peak_hour"]


def test_no_appliance_more_or_less(lake: Path, manifest: dict[str, Any]) -> None:
    found = [row["appliance"] for row in rows(lake / manifest["outputs"]["processed"])]
    assert found == sorted(FIGURES["appliances"])


def test_anomalies(lake: Path, manifest: dict[str, Any]) -> None:
    flagged = rows(lake / manifest["outputs"]["anomalies"])
    for appliance, figures in FIGURES["appliances"].items():
        own = [row for row in flagged if row["appliance"] == appliance]
        assert len(own) == figures["readings_above_threshold"]
        [threshold] = {float(row["threshold"]) for row in own}
        assert threshold == pytest.approx(figures["threshold_kwh"], **EXACT)
    assert len(flagged) == FIGURES["site"]["readings_above_threshold"] == manifest["results"]["anomalies"]


def test_the_three_most_extreme_readings(lake: Path, manifest: dict[str, Any]) -> None:
    flagged = rows(lake / manifest["outputs"]["anomalies"])
    top = sorted(flagged, key=lambda row: -float(row["z_score"]))[:3]
    for row, figures in zip(top, FIGURES["highest_z_scores"], strict=True):
        assert (row["timestamp"], row["appliance"]) == (figures["timestamp"], figures["appliance"])
        assert float(row["kwh"]) == figures["kwh"]
        assert float(row["z_score"]) == pytest.approx(figures["z_score"], **EXACT)


def test_days_gaps_and_totals_in_the_manifest(manifest: dict[str, Any]) -> None:
    results, site = manifest["results"], FIGURES["site"]
    assert manifest["upload"]["sha256"] == FIGURES["source"]["sha256"]
    assert manifest["intake"]["rows_accepted"] == site["readings"]
    assert results["total_kwh"] == pytest.approx(site["total_kwh"], rel=1e-12)
    assert (results["days"], results["complete_days"]) == (site["days_with_readings"], site["complete_days"])
    assert (results["gaps"], results["missing_intervals"]) == (site["gaps"], site["missing_intervals"])


def test_complete_days_of_the_daily_table(lake: Path) -> None:
    days = duckdb.sql(f"""
        SELECT day, sum(kwh) FROM read_parquet('{lake}/curated/daily/daily.parquet')
        WHERE site_day_complete GROUP BY day ORDER BY day""").fetchall()
    assert len(days) == FIGURES["site"]["complete_days"]
    found = {str(day): kwh for day, kwh in (*days[:3], *days[-3:])}
    expected = FIGURES["first_complete_days_kwh"] | FIGURES["last_complete_days_kwh"]
    assert found == pytest.approx(expected, **EXACT)
