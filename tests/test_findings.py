import json
import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from commands import ROOT
from homes import EVENING, FLAT_10, MONDAY, home, one_row, with_anomaly, with_forecast

from energy_analytics.appliances import catalogue, classify
from energy_analytics.findings import FINDERS, CarbonFactor, Shift, find
from energy_analytics.findings.records import as_rows, from_row
from energy_analytics.results import Analysis, EpisodeFound, Finding
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
    turn = MONDAY + timedelta(days=28)
    assert "trend" not in kinds(home({"A": FLAT_10}, days=55, factor=lambda day, _: 2.0 if day >= turn else 1.0))
    assert "trend" in kinds(home({"A": FLAT_10}, days=56, factor=lambda day, _: 2.0 if day >= turn else 1.0))


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
    assert found.figures["payback_years_low"] == pytest.approx(2000 / 365)
    assert found.figures["payback_years_high"] == pytest.approx(4000 / 365)
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


def test_the_documents_state_the_minimum_of_every_kind() -> None:
    page = (ROOT / "docs" / "findings.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(FINDERS)


def test_zero_energy_is_no_error() -> None:
    nothing = home({"A": (0.0,) * 24, "B": (0.0,) * 24}, baseload_kw=0.0)
    assert kinds(nothing) == {"overview"}


def test_a_price_in_another_currency_is_not_compared() -> None:
    pounds = FlatPrice("test price", 0.20, "GBP", None, "this test")
    (found,) = told(home({"Water Heater": FLAT_10}), "upgrade", pounds)
    assert "price_low" not in found.figures
    assert found.figures["breakeven_price"] == pytest.approx(1825)


def test_an_even_home_is_told_little() -> None:
    quiet = home({"A": FLAT_10, "B": FLAT_10})
    assert kinds(quiet) == {"overview", "top_consumer", "unknown_class", "price"}


def test_a_purchase_that_never_pays_back_is_not_told() -> None:
    small = tuple(kwh / 20 for kwh in FLAT_10)
    assert not told(home({"Water Heater": small, "Fridge": small}), "upgrade")


def test_a_fridge_at_twice_its_class_and_what_an_efficient_one_is_worth() -> None:
    twice = (2 * 346 / 8760,) * 24
    (found,) = told(home({"Fridge": twice, "TV": FLAT_10}), "above_class")
    assert found.figures["kwh_per_year"] == pytest.approx(692)
    assert found.figures["above_percent"] == pytest.approx(100)
    assert found.figures["saving_kwh_per_year"] == pytest.approx(692 - 168)
    assert found.saving is not None
    assert (found.saving.kwh.low, found.saving.kwh.high) == (pytest.approx(346), pytest.approx(692 - 101))
    assert found.saving.money is not None
    assert found.saving.money.value == pytest.approx(104.8)
    assert found.figures["payback_years_low"] == pytest.approx(792 / 104.8)
    assert found.figures["payback_years_high"] == pytest.approx(988 / 104.8)
    assert not told(home({"Fridge": twice, "TV": FLAT_10}), "upgrade")
    usual = (1.4 * 346 / 8760,) * 24
    assert not told(home({"Fridge": usual, "TV": FLAT_10}), "above_class")
    assert not told(home({"Fridge": twice, "TV": FLAT_10}, days=13), "above_class")


def test_what_follows_use_is_compared_in_proportion() -> None:
    (found,) = told(home({"Dryer": (2 * 301 / 8760,) * 24, "TV": FLAT_10}), "above_class")
    assert found.figures["saving_kwh_per_year"] == pytest.approx(602 * (1 - 120 / 301))


def test_the_bounds_of_a_year_are_those_of_its_weeks() -> None:
    even = told(home({"Water heater": FLAT_10}), "upgrade")[0].saving
    assert even is not None
    assert even.kwh.low == even.kwh.high == pytest.approx(1825)
    uneven = home({"Water heater": FLAT_10}, factor=lambda day, _: 1.5 if day.toordinal() // 7 % 2 else 0.5)
    saving = told(uneven, "upgrade")[0].saving
    assert saving is not None
    assert saving.kwh.low < 0.95 * saving.kwh.value < 1.05 * saving.kwh.value < saving.kwh.high


def test_a_saving_is_told_in_carbon_too() -> None:
    found = find(home({"Water Heater": FLAT_10}), price=PRICE, carbon=CarbonFactor(500, "half a kilo"))
    (upgrade,) = [finding for finding in found if finding.kind == "upgrade"]
    assert upgrade.saving is not None
    assert upgrade.saving.carbon_kg is not None
    assert upgrade.saving.carbon_kg.value == pytest.approx(912.5)


def test_findings_are_ranked_by_money() -> None:
    analysis = home({"Water heater": FLAT_10, "AC": EVENING, "Dryer": EVENING}, baseload_kw=0.2)
    money = [finding.figures.get("saving_per_year", 0.0) for finding in find(analysis, price=PRICE)]
    assert money == sorted(money, reverse=True)
    assert money[0] > money[1] > 0


def test_an_id_outlives_the_figures_and_tells_matters_apart() -> None:
    first = find(home({"Water heater": FLAT_10, "AC": EVENING}), price=PRICE)
    later = find(home({"Water heater": EVENING, "AC": EVENING}, days=100), price=PRICE)
    of_upgrade = {(one.kind, one.appliance): one.id for one in first}
    for one in later:
        assert of_upgrade.get((one.kind, one.appliance), one.id) == one.id
    assert len({one.id for one in first}) == len(first)
    assert all(len(one.id) == 8 for one in first)


def episode(number: int, kind: str, excess_kwh: float, *, days_ago: int = 10, status: str = "closed") -> EpisodeFound:
    end = datetime.combine(MONDAY + timedelta(days=70 - days_ago), time(12))
    start = end - timedelta(hours=6)
    reason = "It took more."
    return EpisodeFound(f"e{number}", start, end, "A", kind, excess_kwh + 1, 1.0, excess_kwh, 3.0, reason, status)


def test_an_episode_that_cost_money() -> None:
    analysis = replace(
        home({"A": FLAT_10}),
        episodes=(
            episode(1, "stuck on", 8.0),
            episode(2, "stuck on", 0.5),
            episode(3, "shifted in time", 9.0),
            episode(4, "spike", 9.0, status="withdrawn"),
            episode(5, "spike", 9.0, days_ago=400),
            episode(6, "unusually low", -9.0),
        ),
    )
    (found,) = told(analysis, "episode")
    assert found.about == "e1"
    assert found.figures["cost"] == pytest.approx(1.6)
    assert found.figures["excess_kwh"] == pytest.approx(8)


def test_two_episodes_of_an_appliance_have_ids_of_their_own() -> None:
    analysis = replace(home({"A": FLAT_10}), episodes=(episode(1, "spike", 8.0), episode(2, "spike", 9.0)))
    assert len({one.id for one in told(analysis, "episode")}) == 2


def test_what_cheaper_hours_save_is_told_where_it_is_known() -> None:
    analysis = home({"Heater": EVENING, "Dishwasher": EVENING})
    assert not told(analysis, "move")
    night = tuple(1.35 if hour in (23, 0, 1, 2, 3, 4) else 0.0 for hour in range(24))
    shift = Shift("Heater", (MONDAY, MONDAY), 60, 120.0, 8.1, night, "Under the night tariff.")
    small, short = replace(shift, appliance="Dishwasher", saving_per_year=1.0), replace(shift, days=13)
    found = find(analysis, price=PRICE, shifts=[shift, small, short])
    (moved,) = [finding for finding in found if finding.kind == "move"]
    assert (moved.appliance, moved.labels["from"], moved.labels["to"]) == ("Heater", "23:00", "05:00")
    assert moved.figures["saving_per_year"] == 120
    assert "shift" not in {finding.kind for finding in found}


def cooling_down(day: date) -> float:
    """From 14 °C to -2 °C over ten weeks, up and down from day to day."""
    number = (day - MONDAY).days
    return 14 - number * 16 / 70 + 3 * (number % 5 - 2)


def heated_home(*, rise: float) -> Analysis:
    """10 kWh a day and 1.5 kWh for every degree below 15.5; `rise` kWh more in the last four weeks."""
    turn = MONDAY + timedelta(days=42)
    days = [MONDAY + timedelta(days=number) for number in range(70)]
    kwh = {
        day: 10 + 1.5 * max(0.0, 15.5 - cooling_down(day)) + (rise if day >= turn else 0.0) + 0.3 * (n % 3 - 1)
        for n, day in enumerate(days)
    }
    analysis = home({"Heating": (1 / 24,) * 24}, days=70, factor=lambda day, _: kwh[day])
    return replace(analysis, temperature_c={day: cooling_down(day) for day in days})


@pytest.mark.parametrize("rise", [-3.0, 0.0, 4.0])
def test_the_weather_is_taken_out_of_the_trend(rise: float) -> None:
    (found,) = told(heated_home(rise=rise), "trend")
    before = found.figures["before_kwh_per_day"]
    assert found.figures["weather_change_percent"] == pytest.approx(100 * rise / before, abs=1.5)
    whole = found.figures["recent_kwh_per_day"] - before
    assert found.figures["weather_kwh_per_day"] == pytest.approx(whole - rise, abs=0.4)


def test_weather_that_does_not_matter_is_not_mentioned() -> None:
    turn = MONDAY + timedelta(days=42)
    indifferent = home({"A": FLAT_10}, factor=lambda day, _: (1.3 if day >= turn else 1.0) + 0.1 * (day.day % 3))
    analysis = replace(indifferent, temperature_c={day.day: cooling_down(day.day) for day in indifferent.days})
    assert "weather_change_percent" not in told(analysis, "trend")[0].figures
    few = replace(heated_home(rise=4.0), temperature_c={MONDAY: 3.0})
    assert "weather_change_percent" not in told(few, "trend")[0].figures


def test_every_finding_can_be_read_back_from_the_record() -> None:
    analysis = with_forecast(with_anomaly(home({"AC": EVENING, "Fridge": FLAT_10}, baseload_kw=0.1), "AC"), 9.0)
    found = find(analysis, price=PRICE)
    assert [from_row(json.loads(json.dumps(row))) for row in as_rows(found)] == list(found)


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
