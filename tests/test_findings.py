from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from homes import EVENING, FLAT_10, MONDAY, home, one_row, with_anomaly, with_forecast

from energy_analytics.appliances import catalogue, classify
from energy_analytics.findings import FINDERS, find
from energy_analytics.results import Analysis, Finding
from energy_analytics.tariff import FlatPrice, TariffError, choose_price, default_price

PRICE = FlatPrice("test price", 0.20, "EUR", None, "this test")


def told(analysis: Analysis, kind: str, price: FlatPrice = PRICE) -> list[Finding]:
    return [finding for finding in find(analysis, price=price) if finding.kind == kind]


def kinds(analysis: Analysis) -> set[str]:
    return {finding.kind for finding in find(analysis, price=PRICE)}


def test_totals_shares_and_a_year_in_money() -> None:
    analysis = home({"A": FLAT_10, "B": (5 / 24,) * 24}, days=20)
    (overview,) = told(analysis, "overview")
    assert overview.figures["total_kwh"] == pytest.approx(300)
    assert overview.figures["kwh_per_day"] == pytest.approx(15)
    assert overview.figures["kwh_per_year"] == pytest.approx(5475)
    assert overview.figures["cost_per_year"] == pytest.approx(1095)
    assert overview.labels["first"] == "Monday 1 January 2024"
    assert "20 complete days" in overview.assumption
    assert "test price" in overview.assumption
    first, second = told(analysis, "top_consumer")
    assert first.appliance == "A"
    assert first.figures["share_percent"] == pytest.approx(200 / 3)
    assert second.figures["kwh_per_year"] == pytest.approx(1825)


def test_a_long_history_speaks_of_its_last_year() -> None:
    start = date(2022, 1, 1)
    analysis = home({"A": FLAT_10}, days=800, start=start, factor=lambda day, _: 3.0 if day.year == 2022 else 1.0)
    (overview,) = told(analysis, "overview")
    assert overview.figures["kwh_per_year"] == pytest.approx(3650)
    assert "last 365 complete days" in overview.assumption


def test_incomplete_days_are_never_compared() -> None:
    analysis = home(
        {"A": FLAT_10},
        factor=lambda day, _: 0.1 if day.day == 3 else 1.0,
        incomplete=lambda day: day.day == 3,
    )
    assert told(analysis, "overview")[0].figures["kwh_per_day"] == pytest.approx(10)


def test_too_little_data_is_met_with_silence() -> None:
    assert kinds(one_row()) == {"overview"}
    assert kinds(home({"A": EVENING, "Dryer": EVENING}, days=6)) == {
        "overview",
        "top_consumer",
        "unknown_class",
    }
    assert "kwh_per_year" not in told(home({"A": FLAT_10}, days=13), "overview")[0].figures
    assert "kwh_per_year" in told(home({"A": FLAT_10}, days=14), "overview")[0].figures
    assert "trend" not in kinds(home({"A": FLAT_10}, days=55))
    assert "trend" in kinds(home({"A": FLAT_10}, days=56))


def test_busiest_hours_are_three_in_a_row() -> None:
    (found,) = told(home({"A": EVENING}), "busiest_hours")
    assert (found.labels["from"], found.labels["to"]) == ("18:00", "21:00")
    assert found.figures["kwh_per_day"] == pytest.approx(6)
    assert found.figures["share_percent"] == pytest.approx(100 * 6 / 8.1)


def test_busiest_hours_may_run_past_midnight() -> None:
    late = tuple(1.0 if hour in (23, 0, 1) else 0.0 for hour in range(24))
    (found,) = told(home({"A": late}), "busiest_hours")
    assert (found.labels["from"], found.labels["to"]) == ("23:00", "02:00")


def test_an_even_day_has_no_busiest_hours() -> None:
    assert "busiest_hours" not in kinds(home({"A": FLAT_10}))


def test_daily_readings_make_no_claim_about_hours() -> None:
    analysis = home({"A": EVENING})
    daily = tuple(replace(one, hourly_profile_kwh=(), step_minutes=1440.0) for one in analysis.appliances)
    silent = replace(analysis, appliances=daily, peak_hour=None)
    assert kinds(silent).isdisjoint({"busiest_hours", "night", "shift", "baseload"})


def test_an_hour_without_readings_makes_no_claim_about_hours() -> None:
    analysis = home({"A": EVENING})
    holed = (None, *EVENING[1:])
    only = replace(analysis.appliances[0], hourly_profile_kwh=holed)
    assert "busiest_hours" not in kinds(replace(analysis, appliances=(only,)))


def test_night_is_midnight_to_six() -> None:
    profile = (1.0,) * 6 + (0.5,) * 18
    (found,) = told(home({"A": profile}), "night")
    assert found.figures["kwh_per_night"] == pytest.approx(6)
    assert found.figures["mean_kw"] == pytest.approx(1)
    assert found.figures["share_percent"] == pytest.approx(40)


def test_baseload_through_a_year() -> None:
    (found,) = told(home({"A": FLAT_10}, baseload_kw=0.1), "baseload")
    assert found.figures["kwh_per_year"] == pytest.approx(876)
    assert found.figures["share_percent"] == pytest.approx(24)
    assert found.figures["cost_per_year"] == pytest.approx(175.2)
    assert found.figures["saving_kwh_per_year"] == pytest.approx(87.6)
    assert found.figures["saving_per_year"] == pytest.approx(17.52)
    assert "example" in found.assumption


def test_weekend_against_weekday() -> None:
    analysis = home({"A": FLAT_10}, factor=lambda day, _: 1.5 if day.weekday() == 6 else 1.0)
    (found,) = told(analysis, "weekend")
    assert found.figures["weekday_kwh"] == pytest.approx(10)
    assert found.figures["weekend_day_kwh"] == pytest.approx(12.5)
    assert found.figures["change_percent"] == pytest.approx(25)
    assert found.labels["busiest"] == "Sunday"


def test_trend_and_what_drove_it() -> None:
    turn = MONDAY + timedelta(days=28)
    analysis = home(
        {"Base": FLAT_10, "Heater": FLAT_10},
        days=56,
        factor=lambda day, name: 1.4 if name == "Heater" and day >= turn else 1.0,
    )
    (found,) = told(analysis, "trend")
    assert found.figures["before_kwh_per_day"] == pytest.approx(20)
    assert found.figures["recent_kwh_per_day"] == pytest.approx(24)
    assert found.figures["change_percent"] == pytest.approx(20)
    assert found.appliance == "Heater"
    assert found.figures["driver_change_kwh_per_day"] == pytest.approx(4)
    assert "last_year_change_percent" not in found.figures


def test_trend_against_the_same_weeks_a_year_ago() -> None:
    analysis = home({"A": FLAT_10}, days=400, factor=lambda day, _: 1.0 if day.year == 2024 else 0.5)
    (found,) = told(analysis, "trend")
    assert found.figures["last_year_kwh_per_day"] == pytest.approx(10)
    assert found.figures["recent_kwh_per_day"] == pytest.approx(5)
    assert found.figures["last_year_change_percent"] == pytest.approx(-50)


def test_a_history_full_of_holes_has_no_trend() -> None:
    assert "trend" not in kinds(home({"A": FLAT_10}, days=200, skip=lambda day: day.toordinal() % 3 == 0))


def test_the_week_ahead_against_recent_days() -> None:
    (found,) = told(with_forecast(home({"A": FLAT_10}), 11.0), "forecast")
    assert found.figures["forecast_kwh"] == pytest.approx(77)
    assert found.figures["change_percent"] == pytest.approx(10)
    assert found.figures["cost"] == pytest.approx(15.4)
    assert "The coming week is like the last ones." in found.assumption


def test_a_dead_appliance_is_noticed_and_a_resting_one_is_not() -> None:
    end = MONDAY + timedelta(days=70)
    analysis = home(
        {"Fridge": FLAT_10, "Car": FLAT_10},
        factor=lambda day, name: (
            0.0
            if (name == "Fridge" and day >= end - timedelta(days=3)) or (name == "Car" and day.weekday() != 1)
            else 1.0
        ),
    )
    (found,) = told(analysis, "stopped")
    assert found.appliance == "Fridge"
    assert found.figures == {"idle_days": 3.0, "before_kwh_per_day": pytest.approx(10)}
    assert found.labels["since"] == "Friday 8 March 2024"


def test_a_meter_that_fell_silent_is_noticed() -> None:
    analysis = home({"A": FLAT_10, "Water heater": FLAT_10})
    gone = replace(analysis.appliances[1], last=datetime.fromisoformat("2024-03-01T23:00"))
    analysis = replace(analysis, appliances=(analysis.appliances[0], gone))
    (found,) = told(analysis, "silent")
    assert found.appliance == "Water heater"
    assert found.figures["silent_days"] == pytest.approx(9)
    assert not told(analysis, "upgrade")


def test_appliances_with_the_most_anomalies() -> None:
    (found,) = told(with_anomaly(home({"A": FLAT_10}, days=10), "A"), "anomalies")
    assert found.figures["flagged"] == 3
    assert found.figures["readings_percent"] == pytest.approx(1.25)
    assert found.figures["highest_kwh"] == 4.5


def test_an_upgrade_and_the_price_at_which_it_pays_back() -> None:
    (found,) = told(home({"Water Heater": FLAT_10}), "upgrade")
    assert found.figures["kwh_per_year"] == pytest.approx(3650)
    assert found.figures["saving_percent"] == 50
    assert found.figures["saving_kwh_per_year"] == pytest.approx(1825)
    assert found.figures["saving_per_year"] == pytest.approx(365)
    assert found.figures["breakeven_price"] == pytest.approx(1825)
    assert "ENERGY STAR" in found.assumption
    assert "January 2016" in found.assumption


def test_a_mixed_circuit_is_given_the_smallest_saving() -> None:
    (found,) = told(home({"Water heater & AC": FLAT_10}), "upgrade")
    assert found.figures["saving_percent"] == 10
    assert not told(home({"Water heater & AC": FLAT_10}), "habit")


def test_nothing_is_invented_for_an_unknown_class() -> None:
    analysis = home({"Blorp 3000": FLAT_10, "Gizmo": FLAT_10})
    assert not told(analysis, "upgrade") + told(analysis, "habit") + told(analysis, "shift")
    assert {finding.appliance for finding in told(analysis, "unknown_class")} == {"Blorp 3000", "Gizmo"}


def test_what_can_run_at_another_hour() -> None:
    (found,) = told(home({"Dishwasher": EVENING, "Fridge": EVENING}), "shift")
    assert found.appliance == "Dishwasher"
    assert found.figures["kwh_per_day"] == pytest.approx(6)
    assert found.figures["window_percent"] == pytest.approx(50)
    assert found.assumption


def test_a_household_price_is_not_applied_to_a_grid() -> None:
    grid = home({"Grid": (4e6,) * 24}, baseload_kw=3e6)
    findings = find(grid, price=default_price())
    assert "price" not in {finding.kind for finding in findings}
    names = {name for finding in findings for name in finding.figures}
    assert names.isdisjoint({"cost", "cost_per_year", "saving_per_year", "breakeven_price"})
    own = FlatPrice("own", 0.1, "AUD", None, "settings")
    assert "cost_per_year" in told(grid, "overview", own)[0].figures


def test_every_kind_is_made_by_its_own_finder() -> None:
    analysis = with_forecast(with_anomaly(home({"AC": EVENING, "Gizmo": EVENING}, baseload_kw=0.1), "AC"), 9.0)
    for finding in find(analysis, price=PRICE):
        assert finding.kind in FINDERS
        if any("saving" in name or "cost" in name for name in finding.figures):
            assert finding.assumption


def test_zero_energy_is_no_error() -> None:
    nothing = home({"A": (0.0,) * 24, "B": (0.0,) * 24}, baseload_kw=0.0)
    assert kinds(nothing) == {"overview"}


def test_an_even_week_has_no_heaviest_day_and_no_driver() -> None:
    analysis = home({"A": FLAT_10, "B": EVENING})
    assert "busiest_kwh" not in told(analysis, "weekend")[0].figures
    assert told(analysis, "trend")[0].appliance is None


@pytest.mark.parametrize(
    ("appliance", "classes"),
    [
        ("AC", ["air conditioner"]),
        ("ac_2", ["air conditioner"]),
        ("Refrigerator", ["refrigerator"]),
        ("fridge207", ["refrigerator"]),
        ("Heater", ["electric heater"]),
        ("Water Heater", ["water heater"]),
        ("Washing Machine", ["washing machine"]),
        ("Laundry", ["washing machine", "dryer"]),
        ("EV", ["electric vehicle"]),
        ("Lights", ["lighting"]),
        ("Vacuum", []),
        ("Backyard", []),
        ("", []),
        ("=cmd()\n", []),
    ],
)
def test_classes_are_told_from_whole_words(appliance: str, classes: list[str]) -> None:
    assert [one.name for one in classify(appliance)] == classes


def test_every_figure_of_the_catalogue_has_source_and_date() -> None:
    for one in catalogue():
        for saving in (one.upgrade, one.habit):
            assert saving is None or (saving.source and saving.dated and 0 < saving.saving_percent < 100)


def test_the_default_price_is_named_and_dated() -> None:
    price = choose_price(None, None)
    assert (price.price_per_kwh, price.currency, price.valid_from) == (0.2872, "EUR", date(2025, 1, 1))
    assert "Eurostat" in price.source
    assert "2025" in price.terms


def test_an_own_price_needs_its_currency() -> None:
    assert choose_price(0.31, "GBP").terms == "0.31 GBP per kWh (your own price)"
    with pytest.raises(TariffError, match=r"0\.31 but currency is not set"):
        choose_price(0.31, None)
    with pytest.raises(TariffError, match="currency is GBP but price_per_kwh is not set"):
        choose_price(None, "GBP")
