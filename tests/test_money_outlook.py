"""The bill expected at the month's end, and what each kWh emits."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from math import sqrt
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from money_site import PEAK, connection, day, every_hour, site, tariff

from energy_analytics.money import (
    CarbonError,
    carbon_kg,
    choose_carbon,
    default_carbon,
    emissions,
    expected_bill,
    flat_carbon,
    read_carbon,
)
from energy_analytics.money.outlook import days_ahead
from energy_analytics.results import ForecastDay

engine = pytest.fixture(connection)


def week(start: str, *, yhat: float = 24.0, half: float = 6.0) -> list[ForecastDay]:
    return [ForecastDay(day(start) + timedelta(days=ahead), yhat, yhat - half, yhat + half) for ahead in range(7)]


def test_a_month_of_which_most_is_read(engine: duckdb.DuckDBPyConnection) -> None:
    # 23 days x 24 kWh read, 7 forecast with 24 +- 6 kWh, 0.25 a kWh, 30 days x 0.10: 180 + 3; 7 x 6 x 0.25 = 10.50
    load = site(engine, {"A": every_hour(1.0)}, "2026-03-01", "2026-04-24")
    found = expected_bill(engine, load, tariff("price_per_kwh = 0.25\nfixed_per_day = 0.10"), week("2026-04-24"))
    assert (found.bill.total, found.lower, found.upper) == (Decimal("183.00"), Decimal("172.50"), Decimal("193.50"))
    assert (found.bill.start, found.bill.end, found.days_read) == (day("2026-04-01"), day("2026-05-01"), 23)
    assert "past the forecast" not in found.assumption


def test_days_before_the_first_reading_are_not_read(engine: duckdb.DuckDBPyConnection) -> None:
    load = site(engine, {"A": every_hour(1.0)}, "2026-04-22", "2026-04-24")
    assert expected_bill(engine, load, tariff("price_per_kwh = 0.25"), week("2026-04-24")).days_read == 2


def test_days_past_the_forecast_have_wider_intervals(engine: duckdb.DuckDBPyConnection) -> None:
    # 17 to 23 April are forecast, 24 to 30 lie up to a week past: x sqrt(2) for each of the 7.
    load = site(engine, {"A": every_hour(1.0)}, "2026-03-01", "2026-04-17")
    found = expected_bill(engine, load, tariff("price_per_kwh = 1"), week("2026-04-17"))
    assert found.bill.total == Decimal("720.00")
    assert float(found.upper) == pytest.approx(720 + 7 * 6 + 7 * 6 * sqrt(2), abs=0.01)
    assert float(found.lower) == pytest.approx(720 - 7 * 6 - 7 * 6 * sqrt(2), abs=0.01)
    assert "The last 7 days of the month lie past the forecast" in found.assumption
    ahead = days_ahead(week("2026-04-01", half=20.0), day("2026-05-01"))
    widths = [one.yhat_upper - one.yhat for one in ahead]
    assert [round(width / 20, 3) for width in widths] == [
        *[1.0] * 7, *[1.414] * 7, *[1.732] * 7, *[2.0] * 7, *[2.236] * 2,
    ]  # fmt: skip
    assert min(one.yhat_lower for one in ahead) == 0.0


def test_the_hours_of_days_to_come_are_those_of_the_weekday(engine: duckdb.DuckDBPyConnection) -> None:
    # Monday to Friday all energy at noon, at weekends at midnight; 1 May is read as a Sunday, being a holiday.
    def use(moment: datetime) -> float:
        return 24.0 if moment.hour == (12 if moment.weekday() < 5 else 0) else 0.0

    load = site(engine, {"A": use}, "2026-03-02", "2026-05-01")
    made = expected_bill(
        engine, load, tariff(PEAK), week("2026-05-01", half=0.0), holidays=frozenset({day("2026-05-01")})
    )
    # May 2026: 20 weekdays but for the holiday at 24 x 0.30, 11 days at 24 x 0.20
    assert made.bill.total == Decimal("144.00") + Decimal("52.80")
    assert (made.lower, made.upper, made.days_read) == (made.bill.total, made.bill.total, 0)


def test_what_may_still_be_the_highest_demand(engine: duckdb.DuckDBPyConnection) -> None:
    # 9 kW in January, 5 kW in March, 2 kW in April so far
    high = {"2026-01-10 08:00:00": 9.0, "2026-03-28 08:00:00": 5.0, "2026-04-02 08:00:00": 2.0}
    load = site(engine, {"A": lambda moment: high.get(str(moment), 1.0)}, "2026-01-01", "2026-04-24")
    terms = tariff("price_per_kwh = 0\n[[version.demand]]\nprice_per_kw = 10\ninterval_minutes = 60")
    found = expected_bill(engine, load, terms, week("2026-04-24"))
    assert (found.lower, found.bill.total, found.upper) == (Decimal(20), Decimal(50), Decimal(90))


def test_without_a_forecast_there_is_no_expected_bill(engine: duckdb.DuckDBPyConnection) -> None:
    load = site(engine, {"A": every_hour(1.0)}, "2026-03-01", "2026-03-02")
    with pytest.raises(ValueError, match="without a day of forecast"):
        expected_bill(engine, load, tariff("price_per_kwh = 1"), [])


@given(
    start=st.dates(day("2025-01-01"), day("2027-01-01")),
    yhat=st.floats(0, 100),
    half=st.floats(0, 100),
    known=st.integers(1, 7),
)
def test_days_ahead_reach_the_month_end_in_order_and_within_bounds(
    start: date, yhat: float, half: float, known: int
) -> None:
    forecast = week(str(start), yhat=yhat, half=min(half, yhat))[:known]
    end = (forecast[0].day.replace(day=1) + timedelta(days=32)).replace(day=1)
    ahead = days_ahead(forecast, end)
    assert [one.day for one in ahead] == [forecast[0].day + timedelta(days=n) for n in range(len(ahead))]
    assert ahead[-1].day == end - timedelta(days=1)
    assert all(0 <= one.yhat_lower <= one.yhat <= one.yhat_upper for one in ahead)


def test_one_factor(engine: duckdb.DuckDBPyConnection) -> None:
    meters = {"A": every_hour(1.0), "Roof": every_hour(5.0)}
    load = site(engine, meters, "2026-04-01", "2026-04-03", exports=["Roof"])
    found = emissions(engine, load, flat_carbon(250.0), start=day("2026-04-01"), end=day("2026-04-03"))
    assert (found.kg, found.by_appliance_kg, found.without_hour_percent) == (12.0, {"A": 12.0}, 0.0)
    assert found.by_day_kg == {day("2026-04-01"): 6.0, day("2026-04-02"): 6.0}
    assert carbon_kg(4.0, flat_carbon(250.0)) == 1.0


def test_the_default_factor_is_named_and_dated() -> None:
    assert default_carbon().terms == "214 g of CO2 per kWh (EU average, 2023)"
    assert "European Environment Agency" in default_carbon().source


def test_factors_by_the_hour(engine: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    # 25 October: 02:00 local happens twice; its rows (200, 400 and 400) are averaged: 2 kWh at 333.
    path = tmp_path / "grid.csv"
    path.write_text(
        "timestamp,g_per_kwh\n2026-10-24T22:00Z,100\n2026-10-25T00:00Z,200\n2026-10-25T01:00Z,400\n"
        "2026-10-25T01:30+00:00,400\n2026-10-25 12:00,600\n"
    )
    carbon = read_carbon(path, timezone="Europe/Paris")
    at = day("2026-10-25")
    assert {moment.hour: grams for moment, grams in carbon.by_hour.items()} == {
        0: 100,
        2: pytest.approx(1000 / 3),
        12: 600,
    }
    load = site(engine, {"A": every_hour(1.0)}, "2026-10-25", "2026-10-26", timezone="Europe/Paris")
    found = emissions(engine, load, carbon, start=at, end=day("2026-10-26"))
    known = 0.1 + 2 / 3 + 0.6
    assert found.kg == pytest.approx(known + 21 * carbon.g_per_kwh / 1000)
    assert found.without_hour_percent == pytest.approx(100 * 21 / 25)
    assert carbon_kg(1.0, carbon, hour=datetime(2026, 10, 25, 12)) == 0.6


def test_what_the_settings_name(tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text("timestamp,g_per_kwh\n2026-01-01 00:00,100\n2026-01-01 01:00,200\n")
    assert choose_carbon(None, None, timezone=None) == default_carbon()
    assert choose_carbon(50.0, None, timezone=None).g_per_kwh == 50
    assert choose_carbon(None, path, timezone=None).terms == (
        "on average 150 g of CO2 per kWh (hourly, 1 January 2026)"
    )
    with pytest.raises(CarbonError, match="Both carbon_file"):
        choose_carbon(50.0, path, timezone=None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time,g\n", "has the columns time, g; expected are timestamp,g_per_kwh"),
        ("timestamp,g_per_kwh\n", "has no rows below its header"),
        ("timestamp,g_per_kwh\n2026-01-01 00:00,1\nnoon,3\n", "line 3, cannot be read"),
        ("timestamp,g_per_kwh\n2026-01-01 00:00,-1\n", "line 2: g_per_kwh = -1; expected is 0 or more"),
    ],
)
def test_files_of_factors_that_cannot_be_used(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "grid.csv"
    path.write_text(text)
    with pytest.raises(CarbonError) as raised:
        read_carbon(path, timezone=None)
    assert told in str(raised.value)
    with pytest.raises(CarbonError, match="cannot be read: No such file"):
        read_carbon(tmp_path / "none.csv", timezone=None)
