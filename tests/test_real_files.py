"""The real series beside the repository, run whole and compared with sums worked out without the engine."""

import csv
import gzip
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from commands import energy

pytestmark = pytest.mark.real_data

FILES = {
    "household_power/household_power_hourly.csv.gz": None,
    "household_power/household_power_minute.csv.gz": None,
    "smart_meters_au/smart_meters_halfhourly.csv.gz": None,
    "vic_demand/vic_demand_halfhourly.csv.gz": "Australia/Melbourne",
    "appliances_10min/appliances_10min.csv.gz": None,
    "appliance_faults/appliance_faults_minute.csv.gz": None,
}


def totals_by_hand(path: Path, *, repeated_hours: bool) -> tuple[dict[str, Decimal], int]:
    """Sum a file in decimals; of an appliance and time given twice the last line counts, unless hours repeat."""
    readings: dict[tuple[str, str, int], Decimal] = {}
    rows = 0
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows += 1
            nth = 0
            if repeated_hours:
                while (row["appliance"], row["timestamp"], nth) in readings:
                    nth += 1
            readings[row["appliance"], row["timestamp"], nth] = Decimal(row["kwh"])
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for (appliance, _, _), kwh in readings.items():
        totals[appliance] += kwh
    return totals, rows


@pytest.mark.parametrize("file", FILES)
def test_every_output_has_the_energy_of_the_file(real_data: Path, tmp_path: Path, file: str) -> None:
    timezone = FILES[file]
    settings = {"ENERGY_TIMEZONE": timezone} if timezone else {}
    done = energy(
        "run", str(real_data / file), "--json", folder=tmp_path, variables=settings | {"ENERGY_MODEL": "auto"}
    )
    assert done.returncode == 0, done.stderr
    manifest = json.loads(done.stdout)
    lake = tmp_path / "lake"
    totals, rows = totals_by_hand(real_data / file, repeated_hours=timezone is not None)
    assert manifest["intake"]["rows_read"] == rows
    refused = sum(manifest["intake"]["rejected_by_reason"].values())
    assert manifest["intake"]["rows_accepted"] + refused == rows

    with (lake / manifest["outputs"]["processed"]).open(encoding="utf-8", newline="") as processed:
        found = {row["appliance"]: float(row["total_kwh"]) for row in csv.DictReader(processed)}
    assert found == pytest.approx({name: float(kwh) for name, kwh in totals.items()}, rel=1e-9)
    whole = pytest.approx(float(sum(totals.values())), rel=1e-9)
    for table in ("hourly", "daily"):
        query = f"SELECT sum(kwh) FROM '{lake}/curated/{table}/{table}.parquet'"
        assert duckdb.sql(query).fetchall()[0][0] == whole

    forecast = (lake / manifest["outputs"]["forecast"]).read_text(encoding="utf-8").splitlines()
    assert len(forecast) == 8
    parts = duckdb.sql(
        f"SELECT ds, sum(yhat) FROM '{lake}/curated/appliance_forecast/appliance_forecast.parquet' GROUP BY ds"
    ).fetchall()
    assert dict(parts) == pytest.approx(
        dict(duckdb.sql(f"SELECT ds, yhat FROM '{lake / manifest['outputs']['forecast']}'").fetchall()), rel=1e-6
    )


def test_melbourne_has_days_of_23_and_25_hours(real_data: Path, tmp_path: Path) -> None:
    file = real_data / "vic_demand/vic_demand_halfhourly.csv.gz"
    done = energy("run", str(file), "--json", folder=tmp_path, variables={"ENERGY_TIMEZONE": "Australia/Melbourne"})
    manifest = json.loads(done.stdout)
    assert manifest["intake"]["rows_accepted"] == 52_608
    assert manifest["results"]["gaps"] == 0
    odd = duckdb.sql(f"""
        SELECT CAST(day AS VARCHAR), readings, site_day_complete
        FROM '{tmp_path}/lake/curated/daily/daily.parquet' WHERE readings <> 48 ORDER BY day""").fetchall()
    assert odd == [
        ("2012-04-01", 50, True),
        ("2012-10-07", 46, True),
        ("2013-04-07", 50, True),
        ("2013-10-06", 46, True),
        ("2014-04-06", 50, True),
        ("2014-10-05", 46, True),
    ]
