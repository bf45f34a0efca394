"""Totals, steps, days and gaps of readings whose answers are worked out by hand."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
from engine_tables import Row, hours, relation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energy_analytics import aggregate
from energy_analytics.calendar import clock
from energy_analytics.engine import connect
from energy_analytics.hours import Hours, create_hours
from energy_analytics.results import DayTotal


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(memory_limit_mb=256, threads=2, spill_folder=tmp_path) as opened:
        yield opened


def added_up(engine: duckdb.DuckDBPyConnection, readings: str) -> tuple[Hours, str, dict[str, aggregate.Statistics]]:
    by_hour = create_hours(engine, readings)
    days = aggregate.create_days(engine, by_hour)
    return by_hour, days, aggregate.statistics(engine, days, by_hour)


def steps_of(engine: duckdb.DuckDBPyConnection, readings: str) -> dict[str, float]:
    return aggregate.steps_minutes(engine, readings, added_up(engine, readings)[1])


def days_of(
    engine: duckdb.DuckDBPyConnection, readings: str, timezone: str | None = None
) -> tuple[tuple[DayTotal, ...], str, dict[str, float]]:
    by_hour, days, found = added_up(engine, readings)
    steps = aggregate.steps_minutes(engine, readings, days)
    wall = clock(timezone, min(one.first for one in found.values()), max(one.last for one in found.values()))
    daily = aggregate.create_daily(engine, days, by_hour, steps=steps, wall=wall)
    return aggregate.day_totals(engine, daily, largest=list(found)), daily, steps


def test_statistics_by_hand(engine: duckdb.DuckDBPyConnection) -> None:
    """2, 4, 4, 4, 5, 5, 7, 9: mean 5, squares of the distances sum to 32, sample variance 32 / 7."""
    readings = relation(
        engine, [*hours("AC", "2026-02-20 00:00:00", [2, 4, 4, 4, 5, 5, 7, 9]), ("2026-02-20", "Lamp", 3)]
    )
    found = added_up(engine, readings)[2]
    ac = found["AC"]
    assert (ac.count, ac.total_kwh, ac.avg_kwh) == (8, 40.0, 5.0)
    assert ac.std_kwh == pytest.approx((32 / 7) ** 0.5, rel=1e-15)
    assert (ac.first, ac.last) == (datetime(2026, 2, 20, 0), datetime(2026, 2, 20, 7))
    assert found["Lamp"].std_kwh is None


@pytest.mark.parametrize("step_minutes", [60, 10])
def test_the_spread_of_a_small_appliance_beside_a_huge_reading(
    engine: duckdb.DuckDBPyConnection, step_minutes: int
) -> None:
    """0.1, 0.2 and 0.3 in turn, 100 times (squared distances sum to 2), where a counter told 900 million kWh once."""
    small = hours("Fridge", "2026-02-20 00:00:00", [0.1, 0.2, 0.3] * 100, step_minutes=step_minutes)
    found = added_up(engine, relation(engine, [*small, ("2026-02-20", "Main", 9e8), ("2026-02-21", "Main", 1.0)]))[2]
    assert found["Fridge"].std_kwh == pytest.approx((2 / 299) ** 0.5, rel=1e-9)
    assert found["Main"].std_kwh == pytest.approx((9e8 - 1) / 2**0.5, rel=1e-12)


@pytest.mark.parametrize("kwh", [0.1, 0.3, 1 / 3, 7e-9, 1234.567, 9e6])
@pytest.mark.parametrize("count", [2, 49, 720])
def test_the_same_reading_again_and_again_has_no_spread(
    engine: duckdb.DuckDBPyConnection, kwh: float, count: int
) -> None:
    rows = hours("Pump", "2026-02-20 00:00:00", [kwh] * count) + hours("Oven", "2026-02-20 00:00:00", [1.7, 2.3])
    assert added_up(engine, relation(engine, rows))[2]["Pump"].std_kwh == 0


def test_a_constant_reading_has_no_spread_and_zero_is_no_fault(engine: duckdb.DuckDBPyConnection) -> None:
    rows = hours("Fridge", "2026-02-20 00:00:00", [0.1] * 50) + hours("Off", "2026-02-20 00:00:00", [0.0] * 50)
    found = added_up(engine, relation(engine, rows))[2]
    assert found["Fridge"].std_kwh == pytest.approx(0.0, abs=1e-9)
    assert (found["Off"].total_kwh, found["Off"].std_kwh) == (0.0, 0.0)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=2, max_size=60), st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_the_order_of_rows(
    engine: duckdb.DuckDBPyConnection, values: list[float], chance: object
) -> None:
    rows = hours("AC", "2026-02-20 00:00:00", values)
    in_order = added_up(engine, relation(engine, rows))[2]["AC"]
    chance.shuffle(rows)  # type: ignore[attr-defined]
    shuffled = added_up(engine, relation(engine, rows))[2]["AC"]
    assert in_order == shuffled
    assert in_order.total_kwh == pytest.approx(sum(values), rel=1e-12)


@pytest.mark.parametrize("minutes", [1, 10, 15, 30, 60, 180, 1440])
def test_the_step_is_the_commonest_distance(engine: duckdb.DuckDBPyConnection, minutes: int) -> None:
    rows = hours("AC", "2026-02-01 00:00:00", [1.0] * 300, step_minutes=minutes)
    del rows[100:120]
    readings = relation(engine, rows)
    assert steps_of(engine, readings) == {"AC": minutes}


def test_one_timestamp_far_off_hides_neither_step_nor_days(engine: duckdb.DuckDBPyConnection) -> None:
    rows = [("1970-01-01 00:00:00", "AC", 1.0), *hours("AC", "2026-01-01 00:00:00", [1.0] * 24 * 40)]
    days, _, steps = days_of(engine, relation(engine, [*rows, ("2100-12-31 23:00:00", "AC", 1.0)]))
    assert steps == {"AC": 60}
    assert sum(day.complete for day in days) == 40


def test_readings_more_than_a_month_apart_have_no_step(engine: duckdb.DuckDBPyConnection) -> None:
    months = [("2026-01-01", 31.0), ("2026-02-01", 28.0), ("2026-03-01", 31.0), ("2026-04-01", 30.0)]
    rows = [(f"{day} 00:00:00", "Monthly", kwh) for day, kwh in months]
    rows += [(f"{year}-01-01 00:00:00", "Yearly", 365.0) for year in (2024, 2025, 2026)]
    assert steps_of(engine, relation(engine, rows)) == {"Monthly": 31 * 1440}


def test_steps_differ_between_appliances_and_one_reading_has_none(engine: duckdb.DuckDBPyConnection) -> None:
    rows = [
        *hours("Minute", "2026-02-01 00:00:00", [0.01] * 1440, step_minutes=1),
        *hours("Quarter", "2026-02-01 00:00:00", [0.1] * 96, step_minutes=15),
        *hours("Day", "2026-02-01 00:00:00", [9.0], step_minutes=1440),
    ]
    readings = relation(engine, rows)
    assert steps_of(engine, readings) == {
        "Minute": 1,
        "Quarter": 15,
    }


def test_a_day_is_complete_from_95_percent_on(engine: duckdb.DuckDBPyConnection) -> None:
    """Of 96 quarters, 92 are 95.8 % and 91 are 94.8 %."""
    rows = hours("AC", "2026-02-01 00:00:00", [0.25] * 96 * 3, step_minutes=15)
    for quarter in (300 - 1 - 96 * 2, 150):  # the second day lacks one
        del rows[quarter]
    rows = [row for row in rows if not "2026-02-01 10:00" <= row[0] < "2026-02-01 11:00"]  # the first lacks four
    rows = [row for row in rows if not "2026-02-03 10:00" <= row[0] < "2026-02-03 11:15"]  # the third five
    days, _, _ = days_of(engine, relation(engine, rows))
    assert [day.complete for day in days] == [True, True, False]
    assert days[0].kwh == pytest.approx(92 * 0.25)
    assert days[0].coverage == pytest.approx(92 / 96)


def test_an_appliance_is_expected_from_its_first_day_to_its_last(engine: duckdb.DuckDBPyConnection) -> None:
    """The lamp comes on the second day and is gone after the third; the AC misses its third day."""
    ac = hours("AC", "2026-02-01 00:00:00", [1.0] * 24 * 4)
    rows = [row for row in ac if not row[0].startswith("2026-02-03")] + hours("Lamp", "2026-02-02 00:00:00", [1.0] * 48)
    days, _, _ = days_of(engine, relation(engine, rows))
    assert [(day.day.day, day.kwh, day.coverage, day.complete) for day in days] == [
        (1, 24.0, 1.0, True),
        (2, 48.0, 1.0, True),
        (3, 24.0, 0.5, False),
        (4, 24.0, 1.0, True),
    ]
    assert days[1].by_appliance_kwh == {"AC": 24.0, "Lamp": 24.0}


def test_days_of_23_and_25_hours_are_complete_in_paris(engine: duckdb.DuckDBPyConnection) -> None:
    spring = [row for row in hours("AC", "2026-03-29 00:00:00", [1.0] * 24) if row[0] != "2026-03-29 02:00:00"]
    days, _, _ = days_of(engine, relation(engine, spring), "Europe/Paris")
    assert [(day.kwh, day.coverage) for day in days] == [(23.0, 1.0)]

    autumn = hours("AC", "2026-10-25 00:00:00", [1.0] * 24)
    readings = relation(engine, autumn, offsets={row[0]: 120 if row[0] <= "2026-10-25 02" else 60 for row in autumn})
    engine.execute("INSERT INTO given VALUES ('2026-10-25 02:00:00', 'AC', 1.0, 60)")
    engine.execute("UPDATE given SET utc_offset_minutes = 120 WHERE timestamp = '2026-10-25 02:00:00' AND rowid < 24")
    days, daily, steps = days_of(engine, readings, "Europe/Paris")
    assert [(day.kwh, day.coverage) for day in days] == [(25.0, 1.0)]
    assert steps == {"AC": 60}
    assert aggregate.gaps(engine, readings, daily).count == 0


def test_gaps_within_a_day_and_across_days(engine: duckdb.DuckDBPyConnection) -> None:
    rows = hours("AC", "2026-02-01 00:00:00", [1.0] * 24 * 6)
    lost = {"2026-02-01 05:00:00", "2026-02-01 06:00:00"}  # two within a day
    lost |= {str(datetime(2026, 2, 2, hour)) for hour in range(22, 24)}  # over midnight, a whole day, and on
    lost |= {str(datetime(2026, 2, 3, hour)) for hour in range(24)} | {str(datetime(2026, 2, 4, 0))}
    readings = relation(engine, [row for row in rows if row[0] not in lost])
    _, daily, _ = days_of(engine, readings)
    found = aggregate.gaps(engine, readings, daily)
    assert (found.count, found.missing_intervals) == (2, 2 + 27)
    longest = found.longest[0]
    assert (longest.start, longest.end, longest.missing_intervals) == (
        datetime(2026, 2, 2, 22),
        datetime(2026, 2, 4, 1),
        27,
    )


@pytest.mark.parametrize("step_minutes", [60, 30])
def test_hours_and_peak(engine: duckdb.DuckDBPyConnection, step_minutes: int) -> None:
    """Two weeks with 1 kWh an hour, 3 kWh at 19:00, and once 10 kWh."""
    each = step_minutes / 60
    values = []
    for day in range(14):
        for hour in range(24):
            kwh = 10.0 if (day, hour) == (4, 20) else 3.0 if hour == 19 else 1.0
            values += [kwh * each] * (60 // step_minutes)
    rows = hours("AC", "2026-02-01 00:00:00", values, step_minutes=step_minutes)
    readings = relation(engine, rows)
    by_hour, days, found = added_up(engine, readings)
    hourly = aggregate.create_hourly(engine, by_hour, days)
    totals = aggregate.appliance_totals(engine, hourly, found, {"AC": step_minutes})
    assert totals[0].peak_hour == 19
    assert totals[0].hourly_profile_kwh[19] == pytest.approx(3.0)
    assert totals[0].hourly_profile_kwh[20] == pytest.approx(1 + 9 / 14)
    complete = tuple(date(2026, 2, day) for day in range(1, 15))
    peak, baseload = aggregate.peak_and_baseload(engine, hourly, steps={"AC": step_minutes}, complete_days=complete)
    assert peak is not None and (peak.start, peak.kwh) == (datetime(2026, 2, 5, 20), 10.0)
    assert baseload == pytest.approx(1.0)


def test_daily_readings_say_nothing_of_hours(engine: duckdb.DuckDBPyConnection) -> None:
    rows: list[Row] = hours("House", "2026-02-01 00:00:00", [20.0] * 30, step_minutes=1440)
    readings = relation(engine, rows)
    by_hour, days, found = added_up(engine, readings)
    hourly = aggregate.create_hourly(engine, by_hour, days)
    total = aggregate.appliance_totals(engine, hourly, found, {"House": 1440})[0]
    assert (total.peak_hour, total.hourly_profile_kwh) == (0, ())
    assert aggregate.peak_and_baseload(engine, hourly, steps={"House": 1440}, complete_days=()) == (None, None)
