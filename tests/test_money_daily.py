"""What each appliance cost and emitted on each day: the columns `cost` and `carbon_kg` of the table `daily`."""

from collections import defaultdict
from contextlib import nullcontext
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import hourly_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from lakes import QUICK, arrive, run_one
from money_site import NIGHT, connection, day, every_hour, site, tariff

from energy_analytics import outputs
from energy_analytics.calendar import clock
from energy_analytics.engine import connect
from energy_analytics.lake import Lake, LocalLake
from energy_analytics.money import (
    Load,
    Tariff,
    bill_with_costs,
    emissions,
    emissions_of,
    flat_carbon,
    measure,
    read_carbon,
)
from energy_analytics.pipeline.pricing import price_history, terms_of
from energy_analytics.query import query
from energy_analytics.results import CarbonTotal, Money, PriceTerms
from energy_analytics.settings import Settings

engine = pytest.fixture(connection)
VAT = '[[version.tax]]\nname = "VAT"\npercent = 10\n'
Days = dict[tuple[str, str], float]


def days_of(engine: duckdb.DuckDBPyConnection, load: Load, terms: Tariff, start: str, end: str) -> Days:
    """Return the cost of each appliance's days."""
    _, found = bill_with_costs(engine, load, terms, start=day(start), end=day(end))
    rows = engine.execute(f"SELECT appliance, day, cost FROM {found.daily} ORDER BY ALL").fetchall()
    return {(name, str(at)): cost for name, at, cost in rows}


def test_one_price_at_every_hour(engine: duckdb.DuckDBPyConnection) -> None:
    load = site(engine, {"A": every_hour(1.0), "B": every_hour(0.5)}, "2026-04-01", "2026-04-03")
    assert days_of(engine, load, tariff("price_per_kwh = 0.20"), "2026-04-01", "2026-04-03") == {
        ("A", "2026-04-01"): pytest.approx(4.80),
        ("A", "2026-04-02"): pytest.approx(4.80),
        ("B", "2026-04-01"): pytest.approx(2.40),
        ("B", "2026-04-02"): pytest.approx(2.40),
    }


def test_hours_have_their_prices_and_taxes(engine: duckdb.DuckDBPyConnection) -> None:
    """6 kWh at 0.10 and 18 at 0.30 are 6.00 and with VAT 6.60; 2 kWh in the evening 0.66. The charge is no kWh's."""
    load = site(engine, {"A": every_hour(1.0), "B": lambda at: float(at.hour in (19, 20))}, "2026-04-01", "2026-04-02")
    assert days_of(engine, load, tariff(NIGHT + VAT), "2026-04-01", "2026-04-02") == {
        ("A", "2026-04-01"): pytest.approx(6.60),
        ("B", "2026-04-01"): pytest.approx(0.66),
    }


def test_tiers_count_with_the_mean_of_the_month(engine: duckdb.DuckDBPyConnection) -> None:
    """48 kWh in April, of which 24 at 0.10: on average 0.15. In May 24, all at 0.10. Thresholds are of whole months."""
    terms = tariff("[[version.tiers]]\ntier = [{ up_to_kwh = 24, price_per_kwh = 0.10 }, { price_per_kwh = 0.20 }]")

    def use(moment: datetime) -> float:
        return 1.0 if moment.date() in (date(2026, 4, 29), date(2026, 4, 30), date(2026, 5, 1)) else 0.0

    load = site(engine, {"A": use}, "2026-04-01", "2026-06-01")
    found = days_of(engine, load, terms, "2026-04-01", "2026-06-01")
    assert {at: cost for (_, at), cost in found.items() if cost} == {
        "2026-04-29": pytest.approx(3.60),
        "2026-04-30": pytest.approx(3.60),
        "2026-05-01": pytest.approx(2.40),
    }


def test_a_price_changes_within_a_month(engine: duckdb.DuckDBPyConnection) -> None:
    terms = tariff(
        "[[version]]\nvalid_to = 2026-04-02\nprice_per_kwh = 0.20\n"
        "[[version]]\nvalid_from = 2026-04-02\nprice_per_kwh = 0.30\n"
    )
    load = site(engine, {"A": every_hour(1.0)}, "2026-04-01", "2026-04-03")
    found = days_of(engine, load, terms, "2026-04-01", "2026-04-03")
    assert list(found.values()) == [pytest.approx(4.80), pytest.approx(7.20)]


@pytest.mark.parametrize(
    ("at", "after", "cost"),
    # The skipped hour is one of the night's, the repeated one too: 5 or 7 at 0.10, 18 at 0.30.
    [("2026-03-29", "2026-03-30", 5.90), ("2026-10-25", "2026-10-26", 6.10)],
)
def test_days_of_23_and_25_hours(engine: duckdb.DuckDBPyConnection, at: str, after: str, cost: float) -> None:
    load = site(engine, {"A": every_hour(1.0)}, at, after, timezone="Europe/Paris")
    assert days_of(engine, load, tariff(NIGHT), at, after) == {("A", at): pytest.approx(cost)}
    kg = emissions(engine, load, flat_carbon(100.0), start=day(at), end=day(after))
    assert engine.execute(f"SELECT carbon_kg FROM {kg.daily}").fetchall() == [
        (pytest.approx(2.3 if cost < 6 else 2.5),)
    ]


def test_what_is_fed_in_earns_and_emits_nothing(engine: duckdb.DuckDBPyConnection) -> None:
    meters = {"A": every_hour(1.0), "Roof": every_hour(5.0)}
    load = site(engine, meters, "2026-04-01", "2026-04-02", exports=["Roof"])
    terms = tariff("price_per_kwh = 0.20\nexport_price_per_kwh = 0.05")
    assert days_of(engine, load, terms, "2026-04-01", "2026-04-02") == {
        ("A", "2026-04-01"): pytest.approx(4.80),
        ("Roof", "2026-04-01"): pytest.approx(-6.0),
    }
    flat = emissions_of({"A": Decimal(24)}, {day("2026-04-01"): Decimal(24)}, flat_carbon(250.0), daily="money_daily")
    rows = [("A", day("2026-04-01"), pytest.approx(6.0))]
    assert engine.execute(f"SELECT * FROM {flat.daily}").fetchall() == rows
    found = emissions(engine, load, flat_carbon(250.0), start=day("2026-04-01"), end=day("2026-04-02"))
    assert engine.execute(f"SELECT * FROM {found.daily}").fetchall() == rows


def test_hours_have_their_emissions(engine: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """100 g at noon of the first day and 300 at noon of the second; 200, the mean, at the 23 hours without."""
    (tmp_path / "grid.csv").write_text("timestamp,g_per_kwh\n2026-04-01 12:00,100\n2026-04-02 12:00,300\n")
    carbon = read_carbon(tmp_path / "grid.csv", timezone=None)
    load = site(engine, {"A": every_hour(1.0), "B": every_hour(2.0)}, "2026-04-01", "2026-04-03")
    found = emissions(engine, load, carbon, start=day("2026-04-01"), end=day("2026-04-03"))
    rows = engine.execute(f"SELECT appliance, day, carbon_kg FROM {found.daily} ORDER BY ALL").fetchall()
    assert [(name, at.day, kg) for name, at, kg in rows] == [
        ("A", 1, pytest.approx(4.7)),
        ("A", 2, pytest.approx(4.9)),
        ("B", 1, pytest.approx(9.4)),
        ("B", 2, pytest.approx(9.8)),
    ]
    assert found.by_day_kg == {day("2026-04-01"): pytest.approx(14.1), day("2026-04-02"): pytest.approx(14.7)}


def test_a_reading_of_a_week_counts_on_the_day_on_which_it_starts(engine: duckdb.DuckDBPyConnection) -> None:
    """168 kWh in a week, spread evenly: 6 of 24 hours at 0.10, 18 at 0.30: 42 a week. Of the last only two days are
    billed."""
    load = site(engine, {"A": lambda at: 168.0}, "2026-04-06", "2026-04-22", step_minutes=7 * 1440)
    found = days_of(engine, load, tariff(NIGHT), "2026-04-06", "2026-04-22")
    assert found == {
        ("A", "2026-04-06"): pytest.approx(42),
        ("A", "2026-04-13"): pytest.approx(42),
        ("A", "2026-04-20"): pytest.approx(12),
    }


TERMS = (
    "price_per_kwh = 0.123456",
    NIGHT + VAT,
    "[[version.tiers]]\ntier = [{ up_to_kwh = 99, price_per_kwh = 0.1 }, { price_per_kwh = 0.2 }]",
    NIGHT.replace("06:00", "05:30"),
)


def with_export(terms: str) -> Tariff:
    return tariff(f"export_price_per_kwh = 0.0713\n{terms}")


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(
    terms=st.sampled_from(TERMS),
    kwh=st.lists(st.integers(0, 10**7), min_size=24, max_size=24),
    start=st.dates(date(2026, 3, 20), date(2026, 4, 10)),
    step=st.sampled_from([30, 60, 180]),
)
def test_days_sum_to_the_appliances_and_to_the_site(terms: str, kwh: list[int], start: date, step: int) -> None:
    """Over a change of the clock and of the month, and the same to the last bit on one thread and on many."""
    end = date.fromordinal(start.toordinal() + 12)
    meters = {
        "A": lambda at: kwh[at.hour] / 1e6,
        "B": lambda at: kwh[-1 - at.hour] / 1e7 * at.day,
        "Roof": lambda at: kwh[at.hour] / 1e5,
    }
    tables = []
    for threads in (1, 4):
        with duckdb.connect(config={"threads": threads}) as engine:
            load = site(
                engine, meters, str(start), str(end), timezone="Europe/Paris", step_minutes=step, exports=["Roof"]
            )
            _, found = bill_with_costs(engine, load, with_export(terms), start=start, end=end)
            tables.append(engine.execute(f"SELECT * FROM {found.daily} ORDER BY appliance, day").fetchall())
    assert tables[0] == tables[1]
    by_appliance: dict[str, float] = defaultdict(float)
    by_day: dict[date, float] = defaultdict(float)
    for appliance, at, exported, _, cost in tables[0]:
        by_appliance[appliance] += cost
        by_day[at] += 0.0 if exported else cost
    for own, told in ((by_appliance, found.by_appliance), (by_day, found.by_day)):
        for name, cost in own.items():
            assert cost == pytest.approx(float(told[name].cost), abs=0.005 + 1e-9)  # type: ignore[index]


def table(lake: Lake, sql: str) -> list[dict[str, Any]]:
    answer = query(lake, sql, Settings())
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


@pytest.mark.parametrize("grid", [False, True])
def test_a_reading_that_reaches_beyond_the_last_day_costs_and_emits_all_of_it(
    engine: duckdb.DuckDBPyConnection, tmp_path: Path, grid: bool
) -> None:
    """Of the 24 kWh of the day that begins on Tuesday at 06:00, 6 fall on Wednesday, of which nothing else is known."""
    engine.execute("""
        CREATE TABLE given AS SELECT day + INTERVAL 6 HOUR AS timestamp, 'A' AS appliance, 24.0 AS kwh,
            CAST(NULL AS SMALLINT) AS utc_offset_minutes
        FROM (VALUES (DATE '2026-05-04'), (DATE '2026-05-05')) AS days(day)""")
    load = measure(engine, "given", steps={"A": 1440.0}, wall=clock(None, datetime(2026, 5, 4), datetime(2026, 5, 6)))
    own: dict[str, Any] = {"price_per_kwh": 0.2, "currency": "EUR", "g_per_kwh": 100.0}
    if grid:
        (tmp_path / "grid.csv").write_text("timestamp,g_per_kwh\n2026-05-04 12:00,100\n")
        own = {"price_per_kwh": 0.2, "currency": "EUR", "carbon_file": tmp_path / "grid.csv"}
    money, daily = price_history(engine, load, terms_of(Settings(**own)), appliances=["A"])
    assert (money.cost, money.by_appliance, money.carbon.kg) == (Decimal("9.60"), {"A": Decimal("9.60")}, 4.8)
    rows = engine.execute(f"SELECT day, cost, carbon_kg FROM {daily} ORDER BY day").fetchall()
    assert rows == [(day(f"2026-05-0{at}"), pytest.approx(4.8), pytest.approx(2.4)) for at in (4, 5)]
    assert money.bill is not None
    assert money.bill.end == day("2026-05-07")


def test_the_table_of_days_tells_cost_and_carbon(tmp_path: Path) -> None:
    opened = LocalLake(tmp_path / "lake")
    (tmp_path / "own.toml").write_text('name = "Own"\ncurrency = "EUR"\nsource = "made up"\n[[version]]\n' + NIGHT)
    own = QUICK.model_copy(
        update={"tariff_file": tmp_path / "own.toml", "g_per_kwh": 100.0, "export_appliances": ("Roof",)}
    )
    rows = hourly_rows("2026-04-01", hours=48) + hourly_rows("2026-04-01", hours=48, appliance="Roof", kwh=5.0)
    manifest = run_one(opened, arrive(opened, "raw/a.csv", rows), settings=own)
    found = table(opened, "SELECT * FROM daily ORDER BY day")
    assert list(found[0]) == [
        "day",
        "appliance",
        "kwh",
        "readings",
        "coverage",
        "site_day_complete",
        "cost",
        "carbon_kg",
        "site",
    ]
    assert [(one["appliance"], one["cost"], one["carbon_kg"]) for one in found] == [
        ("Oven", pytest.approx(6.0), pytest.approx(2.4)),
        ("Oven", pytest.approx(6.0), pytest.approx(2.4)),
    ]
    assert {one["appliance"]: one["cost"] for one in manifest["results"]["money"]["by_appliance"]}["Oven"] == 12.0


def test_where_no_amount_is_told_days_have_none(tmp_path: Path) -> None:
    opened = LocalLake(tmp_path / "lake")
    run_one(opened, arrive(opened, "raw/a.csv", hourly_rows("2026-04-01", hours=48, kwh=50.0)))
    found = table(opened, "SELECT cost, carbon_kg FROM daily ORDER BY day")
    assert found == [{"cost": None, "carbon_kg": pytest.approx(1200 * 0.214)}] * 2


TOTAL = Money(
    PriceTerms("t", "EUR", "s", "t", is_default=False, mean_price_per_kwh=0.2, mean_price_name="t"),
    unpriced="",
    cost=Decimal("1.23"),
    by_appliance={"A": Decimal("1.23")},
    by_day={},
    bill=None,
    carbon=CarbonTotal(
        "c",
        "s",
        "t",
        is_default=False,
        kg=2.0,
        by_appliance_kg={"A": 2.0},
        by_day_kg={},
        without_hour_percent=0.0,
        mean_g_per_kwh=100.0,
    ),
)


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        ("('A', DATE '2026-04-01', false, 1.234e0, 2e0)", ""),
        ("('A', DATE '2026-04-01', false, 1.250e0, 2.0)", "The days of A cost 1.25 and A"),
        ("('A', DATE '2026-04-01', false, NULL, 2.0)", "The days of A cost None"),
        ("('A', DATE '2026-04-01', false, 1.234e0, 3e0)", "emit 3.0 kg"),
        ("('A', DATE '2026-04-02', false, 1.234e0, 2e0)", "2 days of appliances"),
    ],
)
def test_days_that_do_not_sum_to_the_total_are_not_written(tmp_path: Path, costs: str, told: str) -> None:
    with connect(memory_limit_mb=100, threads=1, spill_folder=tmp_path) as engine:
        daily = "(SELECT 'A' AS appliance, DATE '2026-04-01' AS day)"
        relation = f"(SELECT * FROM (VALUES {costs}) AS costs (appliance, day, exported, cost, carbon_kg))"
        with pytest.raises(outputs.BrokenResultError, match=told) if told else nullcontext():
            outputs.check_costs(engine, daily, relation, TOTAL)
