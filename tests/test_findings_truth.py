"""Findings of whole runs on homes whose truth is known, and the queries that give their figures again."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import trino_sql_validator
from commands import SAMPLE, drop, hourly_rows, run_key
from known_homes import START, cycling, findings_of, fridge, oven, router, rows, steady, television

from energy_analytics.findings.records import from_row
from energy_analytics.insights.rules import tell
from energy_analytics.lake import LocalLake
from energy_analytics.query import query
from energy_analytics.settings import Settings
from energy_analytics.tariff import default_price

PRICE = default_price().price_per_kwh
ODD = 'O\'Brien "TV"; DROP TABLE daily; -- <script>alert(1)</script> 中文 %_\\'


def of_kind(found: list[Any], kind: str) -> list[Any]:
    return [row for row in found if row["kind"] == kind]


def check_evidence(lake: Path, found: list[Any]) -> None:
    """Run each query, and check that each of its columns is the figure of that name."""
    assert found
    for row in found:
        if row["kind"] == "price":
            continue
        checked = trino_sql_validator.validate(row["evidence"])
        assert checked.valid, (row["kind"], checked.error)
        # What Athena understands by it, in the engine that is here.
        [as_athena] = sqlglot.transpile(row["evidence"], read="athena", write="duckdb")
        for statement in (row["evidence"], as_athena):
            answer = query(LocalLake(lake), statement, Settings())
            assert len(answer.rows) == 1
            for column, value in zip(answer.columns, answer.rows[0], strict=True):
                assert value == pytest.approx(row["figures"][column], rel=1e-9), (row["kind"], column)


def test_a_standby_of_forty_watts(tmp_path: Path) -> None:
    found = findings_of(tmp_path, {"TV": television, "Fridge": fridge(300), "Router": router, "Oven": oven}, days=42)
    (standby,) = of_kind(found, "standby")
    figures = standby["figures"]
    assert standby["appliance"] == "TV"
    assert figures["level_kw"] == pytest.approx(0.040, rel=0.05)
    assert figures["kwh_per_year"] == pytest.approx(350.4, rel=0.05)
    assert figures["cost_per_year"] == pytest.approx(350.4 * PRICE, rel=0.05)
    assert figures["idle_percent"] == pytest.approx(100 * 21 / 24)
    saving = standby["saving"]
    assert saving["kwh"]["value"] == pytest.approx(350.4 * 21 / 24, rel=0.05)
    assert saving["kwh"]["low"] == pytest.approx(350.4 / 3, rel=0.05)
    assert saving["kwh"]["low"] < saving["kwh"]["value"] <= saving["kwh"]["high"]
    assert saving["carbon_kg"]["value"] == pytest.approx(saving["kwh"]["value"] * 0.214)
    assert "TV is never off: it takes 40" in tell(from_row(standby)) or "39" in tell(from_row(standby))
    check_evidence(tmp_path, found)


def test_a_fridge_is_no_standby_whatever_it_is_called(tmp_path: Path) -> None:
    found = findings_of(tmp_path, {"Kitchen corner": fridge(400), "Oven": oven}, days=42)
    assert not of_kind(found, "standby")


def test_what_cycles_within_the_hour_is_no_standby(tmp_path: Path) -> None:
    found = findings_of(tmp_path, {"Pump house": cycling, "Oven": oven}, days=20, step_minutes=5)
    assert not of_kind(found, "standby")


def test_a_standby_is_found_in_short_readings_too(tmp_path: Path) -> None:
    found = findings_of(tmp_path, {"TV": television, "Oven": oven}, days=20, step_minutes=15)
    (standby,) = of_kind(found, "standby")
    assert standby["figures"]["level_kw"] == pytest.approx(0.040, rel=0.05)
    check_evidence(tmp_path, found)


def test_one_meter_has_a_baseload_and_no_standby(tmp_path: Path) -> None:
    found = findings_of(tmp_path, {"Main": television}, days=42)
    assert not of_kind(found, "standby")
    assert of_kind(found, "baseload")


@pytest.mark.parametrize("name", ["meter_17", "Main", "Whole house", "OTHER"])
def test_a_meter_of_many_things_has_no_standby(name: str, tmp_path: Path) -> None:
    assert not of_kind(findings_of(tmp_path, {name: television, "Oven": oven}, days=20), "standby")


def test_the_weather_is_taken_out_of_the_trend(tmp_path: Path) -> None:
    """A heater takes 0.08 kW for each degree below 15.5; from the sixth week on something takes 0.2 kW more."""

    def celsius(day: int) -> float:
        return 12 - day / 7 + 3 * (day % 5 - 2)

    def load(moment: datetime, rng: random.Random) -> float:
        day = (moment - START).days
        return 0.3 + 0.08 * max(0.0, 15.5 - celsius(day)) + (0.2 if day >= 42 else 0.0)

    file = tmp_path / "temperatures.csv"
    lines = [f"{START + timedelta(days=day)},{celsius(day)}\n" for day in range(80)]
    file.write_text("timestamp,temperature_c\n" + "".join(lines), encoding="utf-8")
    found = findings_of(tmp_path / "lake", {"Heating": load}, days=70, temperature_file=file)
    (trend,) = of_kind(found, "trend")
    figures = trend["figures"]
    assert figures["weather_change_percent"] == pytest.approx(100 * 4.8 / figures["before_kwh_per_day"], rel=0.01)
    assert "degree-day regression" in trend["assumption"]
    text = tell(from_row(trend))
    assert "where the weather added" in text
    assert "everything else made it" in text


def test_a_fridge_at_twice_its_class(tmp_path: Path) -> None:
    found = findings_of(tmp_path, {"Old fridge": fridge(692), "Oven": oven}, days=42)
    (above,) = of_kind(found, "above_class")
    assert above["figures"]["kwh_per_year"] == pytest.approx(692, rel=0.03)
    yearly = (above["figures"]["kwh_per_year"] - 168) * PRICE
    assert above["figures"]["payback_years_low"] == pytest.approx(792 / yearly, rel=0.01)
    text = tell(from_row(above))
    assert "more than a typical refrigerator (346 kWh)" in text
    assert "has paid for itself after 5." in text
    check_evidence(tmp_path, found)


def test_a_home_with_nothing_remarkable_is_told_little(tmp_path: Path) -> None:
    found = findings_of(tmp_path, {"Upstairs": steady(0.2), "Downstairs": steady(0.2)}, days=70)
    kinds = {row["kind"] for row in found}
    assert kinds <= {"overview", "top_consumer", "unknown_class", "baseload", "forecast", "anomalies", "price"}


@pytest.mark.parametrize("days", [1, 3, 13])
def test_a_short_history_makes_no_yearly_claim(days: int, tmp_path: Path) -> None:
    found = findings_of(tmp_path, {"TV": television, "Old fridge": fridge(900), "Oven": oven}, days=days)
    assert {row["kind"] for row in found}.isdisjoint({"standby", "above_class", "upgrade", "trend", "habit", "weekend"})
    assert all(row["saving"] is None for row in found)
    check_evidence(tmp_path, found)


def test_odd_names_neither_break_the_queries_nor_the_page(tmp_path: Path) -> None:
    found = findings_of(tmp_path, {ODD: television, 'Fridge\'s "door"': fridge(900), "a\nb": oven}, days=42)
    assert of_kind(found, "standby")[0]["appliance"] == ODD
    check_evidence(tmp_path, found)
    [page] = (tmp_path / "reports").glob("*.html")
    assert "<script" not in page.read_text("utf-8")


NIGHT_TARIFF = """
name = "Cheap nights"
currency = "EUR"
source = "this test"

[[version]]
valid_from = 2020-01-01

[[version.period]]
name = "night"
price_per_kwh = 0.10
when = [{ hours = "00:00-06:00" }]

[[version.period]]
name = "day"
price_per_kwh = 0.40
"""


def test_a_heater_that_could_move_to_the_night(tmp_path: Path) -> None:
    """2 kWh at 18:00 and at 19:00: at night they would cost 0.30 EUR less each, 438 EUR a year."""
    tariff = tmp_path / "tariff.toml"
    tariff.write_text(NIGHT_TARIFF, encoding="utf-8")
    lake = tmp_path / "lake"
    heater = {"Water heater": lambda moment, rng: 2.0 if moment.hour in (18, 19) else 0.0, "Oven": oven}
    found = findings_of(lake, heater, days=28, tariff_file=tariff)
    (moved,) = of_kind(found, "move")
    assert moved["appliance"] == "Water heater"
    assert moved["figures"]["saving_per_year"] == pytest.approx(438, rel=1e-6)
    assert moved["figures"]["kwh_per_day"] == pytest.approx(4)
    assert moved["labels"]["to"] <= "06:00"
    assert found[0]["kind"] in ("move", "above_class", "upgrade")
    assert not of_kind(found, "shift")
    assert "Cheap nights" in moved["assumption"]
    check_evidence(lake, found)


def test_meters_read_by_the_day_are_left_out_of_hours(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    hours = rows({"TV": television, "Fridge": fridge(300), "Oven": oven}, days=28)
    days = "".join(f"{START + timedelta(days=n)},Water,{0.5 + n % 3}\n" for n in range(28))
    manifest: Any = run_key(lake, drop(lake, "raw/a.csv", hours + days))
    found = manifest["results"]["findings"]
    assert {"baseload", "busiest_hours"} <= {row["kind"] for row in found}
    assert "NOT IN ('Water')" in of_kind(found, "baseload")[0]["evidence"]
    check_evidence(lake, found)


def test_a_site_of_its_own_and_a_daylight_saving_clock(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    key = drop(lake, "raw/it's a site/a.csv", hourly_rows("2026-02-20", hours=24 * 60, appliance="Water heater"))
    manifest: Any = run_key(lake, key, timezone="Europe/Paris")
    check_evidence(lake, manifest["results"]["findings"])


def test_the_queries_of_the_sample_give_its_figures_again(tmp_path: Path) -> None:
    path = tmp_path / "raw" / "a.csv.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(SAMPLE.read_bytes())
    manifest: Any = run_key(tmp_path, "raw/a.csv.gz")
    check_evidence(tmp_path, manifest["results"]["findings"])
