"""Moving what can wait: exact against trying everything, and sums worked out by hand."""

import itertools
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from money_site import NIGHT, PEAK, connection, day, every_hour, site, tariff

from energy_analytics.money import Deferrable, Load, Shifting, deferrable, shift, typical
from energy_analytics.money.days import Day, parts_of
from energy_analytics.money.moving import Problem, cheapest_ceiling
from energy_analytics.money.placement import Task, place
from energy_analytics.tariff import TariffError

engine = pytest.fixture(connection)


@st.composite
def tasks(draw: st.DrawFn, hours: int) -> Task:
    most = tuple(draw(st.lists(st.integers(0, 3), min_size=hours, max_size=hours)))
    return Task(draw(st.integers(0, 4)), most, draw(st.one_of(st.none(), st.integers(1, hours))))


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Fraction], list[Task], list[int] | None]:
    hours = draw(st.integers(1, 4))
    prices = [Fraction(price) for price in draw(st.lists(st.integers(0, 4), min_size=hours, max_size=hours))]
    limit = draw(st.one_of(st.none(), st.lists(st.integers(0, 5), min_size=hours, max_size=hours)))
    return prices, draw(st.lists(tasks(hours), min_size=1, max_size=3)), limit


def every_way(task: Task) -> Iterator[tuple[int, ...]]:
    """All ways to use a task's energy within its own limits."""
    hours = range(len(task.most_wh))
    for use in itertools.product(*(range(most + 1) for most in task.most_wh)):
        if sum(use) != task.energy_wh:
            continue
        length = task.run_hours
        if length is None or any(even_run(use, start, length) for start in hours if start + length <= len(use)):
            yield use


def even_run(use: tuple[int, ...], start: int, length: int) -> bool:
    """Whether all is used in one stretch, at power as even as whole watt-hours allow: the later hours bear more."""
    within = use[start : start + length]
    return sum(within) == sum(use) and max(within) - min(within) <= 1 and even(within)


def even(within: tuple[int, ...]) -> bool:
    running = list(itertools.accumulate(within))
    return all(total == sum(within) * (number + 1) // len(within) for number, total in enumerate(running))


@settings(max_examples=400)
@given(problems())
def test_placing_is_as_cheap_as_the_best_of_all_ways(
    given: tuple[list[Fraction], list[Task], list[int] | None],
) -> None:
    prices, wanted, limit = given
    best = None
    for ways in itertools.product(*(list(every_way(task)) for task in wanted)):
        site_wh = [sum(hour) for hour in zip(*ways, strict=True)]
        if limit is None or all(use <= most for use, most in zip(site_wh, limit, strict=True)):
            cost = sum((use * price for use, price in zip(site_wh, prices, strict=True)), Fraction(0))
            best = cost if best is None else min(best, cost)
    placed = place(prices, wanted, limit_wh=limit)
    found = placed.placement
    assert placed.proved
    assert (None if found is None else found.cost) == best
    if found is not None:
        for task, use in zip(wanted, found.wh, strict=True):
            assert use in set(every_way(task))


def test_a_search_that_is_given_up_says_so() -> None:
    # Six runs of two hours in five gaps of three: as pieces they fit, as runs they do not, in thousands of ways.
    gaps = [1, 1, 1, 0] * 5
    placed = place([Fraction(1)] * 20, [Task(2, (1,) * 20, 2)] * 6, limit_wh=gaps)
    assert (placed.placement, placed.proved) == (None, False)
    five = place([Fraction(1)] * 20, [Task(2, (1,) * 20, 2)] * 5, limit_wh=gaps)
    assert five.proved
    assert five.placement is not None
    assert five.placement.cost == 10


@settings(max_examples=150)
@given(
    days=st.lists(st.tuples(problems(), st.integers(0, 3)), min_size=1, max_size=3),
    price=st.integers(0, 12).map(lambda value: Fraction(value, 2)),
)
def test_a_demand_charge_is_weighed_as_well_as_by_trying_every_ceiling(
    days: list[tuple[tuple[list[Fraction], list[Task], list[int] | None], int]], price: Fraction
) -> None:
    own = []
    for (prices, wanted, _), rest in days:
        # Read as each task's first possible way; days of which nothing is possible are left out.
        ways = [next(every_way(task), None) for task in wanted]
        if None in ways:
            continue
        hours = len(prices)
        use = tuple(way for way in ways if way)
        exactly = tuple(10**6 * sum(way) for way in use)
        read = Day(day("2026-05-04"), tuple(range(hours)), use, (rest,) * hours, exactly)
        fixed = tuple((0,) * hours for _ in wanted)
        own.append(Problem(read, tuple(prices), fixed, tuple(wanted), None, (True,) * hours))
    if not own:
        return

    def month(ceiling: int) -> Fraction | None:
        solved = [one.solve(ceiling) for one in own]
        if any(one is None for one in solved):
            return None
        return ceiling * price + sum(one[0] for one in solved if one)

    every_ceiling = [cost for ceiling in range(20) if (cost := month(ceiling)) is not None]
    chosen = month(cheapest_ceiling(own, price_per_wh=price))
    assert chosen == min(every_ceiling)


def moved(engine: duckdb.DuckDBPyConnection, load: Load, terms: str, *limits: Deferrable, **further: float) -> Shifting:
    return shift(
        engine, load, tariff(terms), limits,
        start=load.first, end=day("2026-05-05"), site_limit_kw=further.get("site_limit_kw"),
    )  # fmt: skip


def at(*hours: int, kwh: float) -> dict[int, float]:
    return dict.fromkeys(hours, kwh)


def monday(engine: duckdb.DuckDBPyConnection, **meters: dict[int, float]) -> Load:
    """Monday 4 May: each meter uses energy at the hours given."""
    return site(
        engine,
        {name: (lambda moment, use=use: use.get(moment.hour, 0.0)) for name, use in meters.items()},
        "2026-05-04", "2026-05-05",
    )  # fmt: skip


def test_a_car_charges_at_night(engine: duckdb.DuckDBPyConnection) -> None:
    # 3 x 7 kWh from 18:00 at 0.30 = 6.30; allowed 18:00 to 08:00, so three hours at 0.20 = 4.20
    found = moved(
        engine, monday(engine, Car=at(18, 19, 20, kwh=7.0)), PEAK, Deferrable("Car", ((0, 480), (1080, 1440)))
    )
    (car,) = found.moved
    assert (car.cost_as_read, car.cost_moved, found.saving) == (Decimal("6.30"), Decimal("4.20"), Decimal("2.10"))
    assert car.kwh_by_hour_moved[:4] == (7.0, 7.0, 7.0, 0.0)
    assert sum(car.kwh_by_hour_moved) == pytest.approx(21)
    assert found.saving_per_year == pytest.approx(2.1 * 365)


def test_what_an_appliance_takes_while_it_waits_is_not_rounded_away(engine: duckdb.DuckDBPyConnection) -> None:
    # 0.4 Wh in each of 96 quarters are 38.4 Wh, of which 38 can be moved in whole Wh
    load = site(engine, {"Washer": every_hour(0.0004)}, "2026-05-04", "2026-05-05", step_minutes=15)
    demand = '[[version.demand]]\nname = "peak"\nprice_per_kw = 1\ninterval_minutes = 15\n'
    (washer,) = moved(engine, load, PEAK + demand, Deferrable("Washer")).moved
    assert washer.kwh_per_day == 0.0384
    assert sum(washer.kwh_by_hour_as_read) == pytest.approx(0.038)
    assert sum(washer.kwh_by_hour_moved) == pytest.approx(0.038)


def test_a_weaker_charger_takes_more_hours(engine: duckdb.DuckDBPyConnection) -> None:
    # 21 kWh at 2 kW need 10.5 hours: 9 cheap ones take 18, and 3 kWh stay dear: 3.60 + 0.90
    found = moved(engine, monday(engine, Car=at(18, 19, 20, kwh=7.0)), PEAK, Deferrable("Car", most_kw=2.0))
    assert found.moved[0].cost_moved == Decimal("4.50")


def test_a_wash_is_not_interrupted(engine: duckdb.DuckDBPyConnection) -> None:
    # A wash of 2 h from 07:00 to 23:00 can have at most one cheap hour, from 21:00: 0.5 x 0.30 + 0.5 x 0.20
    wash = Deferrable("Wash", ((420, 1380),), run_hours=2.0, most_kw=2.0)
    found = moved(engine, monday(engine, Wash=at(18, kwh=1.0)), PEAK, wash)
    assert found.moved[0].cost_moved == Decimal("0.25")
    assert found.moved[0].kwh_by_hour_moved[21:23] == (0.5, 0.5)


def test_the_site_has_a_limit_of_its_own(engine: duckdb.DuckDBPyConnection) -> None:
    # 4 kW for all, of which 1 is in use at every hour: 3 kWh an hour for car and boiler together, 27 of 30 at night.
    load = monday(
        engine,
        House=dict.fromkeys(range(24), 1.0), Car=at(17, 18, 19, 20, 21, kwh=4.0), Boiler=at(12, 13, 14, 15, kwh=2.5),
    )  # fmt: skip
    found = moved(engine, load, PEAK, Deferrable("Car"), Deferrable("Boiler"), site_limit_kw=4.0)
    assert sum(one.cost_moved for one in found.moved) == Decimal("6.30")  # 27 x 0.20 + 3 x 0.30
    assert max(map(sum, zip(*(one.kwh_by_hour_moved for one in found.moved), strict=True))) == 3.0


def test_part_of_it_may_be_all_that_can_move(engine: duckdb.DuckDBPyConnection) -> None:
    # A third of 9 kWh: 3 x 0.10 less
    found = moved(
        engine, monday(engine, Pump=at(12, kwh=9.0)), PEAK, Deferrable("Pump", movable_percent=100 / 3, most_kw=9.0)
    )
    assert found.saving == Decimal("0.30")


def test_what_does_not_fit_or_gains_nothing_stays(engine: duckdb.DuckDBPyConnection) -> None:
    load = monday(engine, Car=at(2, kwh=5.0), Boiler=at(12, kwh=5.0))
    found = moved(
        engine, load, PEAK, Deferrable("Car", ((720, 780),)), Deferrable("Boiler", ((720, 780),), most_kw=1.0)
    )
    assert [one.days_moved for one in found.moved] == [0, 0]
    assert found.saving == 0
    flat = moved(engine, load, "price_per_kwh = 0.3", Deferrable("Boiler"))
    assert (flat.saving, flat.moved[0].days_moved) == (Decimal("0.00"), 0)


def test_a_demand_charge_is_lowered_by_spreading(engine: duckdb.DuckDBPyConnection) -> None:
    # One price; 24 kWh in two hours over 1 kW elsewhere: 13 kW down to 2 kW x 3.10 x 1/31 = 1.10 of the month's charge
    load = monday(engine, House=dict.fromkeys(range(24), 1.0), Boiler=at(12, 13, kwh=12.0))
    terms = "price_per_kwh = 0.3\n[[version.demand]]\nprice_per_kw = 3.10\ninterval_minutes = 60"
    found = moved(engine, load, terms, Deferrable("Boiler"))
    assert (found.demand_saving, found.saving) == (Decimal("1.10"), Decimal("1.10"))
    assert found.moved[0].kwh_by_hour_moved == (1.0,) * 24


def test_energy_and_demand_are_weighed_against_each_other(engine: duckdb.DuckDBPyConnection) -> None:
    # 6 kWh at noon: each of them saves 0.10 in one of the 9 cheap hours; a kW less saves 0.50 (15.50 x 1/31). Down to
    # 6/9 kW nothing is lost; below, each kW less puts 9 kWh back into dear hours, 0.90: not worth it. In whole Wh
    # that is 667: 0.60 + (6 - 0.667) x 0.50 = 3.2665.
    load = monday(engine, Boiler=at(12, kwh=6.0))
    terms = f"{PEAK}[[version.demand]]\nprice_per_kw = 15.50\ninterval_minutes = 60"
    found = moved(engine, load, terms, Deferrable("Boiler"))
    assert (found.moved[0].saving, found.demand_saving) == (Decimal("0.60"), Decimal("2.67"))
    assert max(found.moved[0].kwh_by_hour_moved) == 0.667
    # At twice the price it is: a quarter of a kW at all 24 hours, 3.75 kWh of them dear. 1.80 less 1.58.
    dearer = moved(engine, load, terms.replace("15.50", "31"), Deferrable("Boiler"))
    assert (dearer.moved[0].saving, dearer.demand_saving) == (Decimal("0.22"), Decimal("5.75"))


def test_the_hour_that_happens_twice_is_used_twice(engine: duckdb.DuckDBPyConnection) -> None:
    load = site(
        engine, {"Boiler": lambda moment: 14.0 if moment.hour == 12 else 0.0}, "2026-10-25", "2026-10-26",
        timezone="Europe/Paris",
    )  # fmt: skip
    found = shift(
        engine, load, tariff(NIGHT), [Deferrable("Boiler", most_kw=2.0)], start=day("2026-10-25"), end=day("2026-10-26")
    )
    # Seven night hours of 2 kWh each
    assert found.moved[0].cost_moved == Decimal("1.40")
    assert found.moved[0].kwh_by_hour_moved[2] == 4.0
    assert len(parts_of(day("2026-10-25"), "Europe/Paris", 60)) == 25
    assert len(parts_of(day("2026-03-29"), "Europe/Paris", 30)) == 46


def test_readings_of_a_day_tell_no_hours(engine: duckdb.DuckDBPyConnection) -> None:
    load = site(engine, {"Car": every_hour(9.0)}, "2026-05-04", "2026-05-05", step_minutes=1440)
    found = moved(engine, load, PEAK, Deferrable("Car"))
    assert (found.skipped, found.moved) == (("Car",), ())


def test_limits_come_from_the_catalogue_or_a_setting() -> None:
    wash = typical("Washing Machine")
    assert wash is not None
    assert (wash.run_hours, wash.spans) == (2.0, ((420, 1320),))
    assert typical("Fridge") is None
    assert typical("Laundry") is None
    own = deferrable("Keller", {"like": "dryer", "hours": "22:00-06:00", "most_kw": 2.5})
    assert own == Deferrable("Keller", ((1320, 1440), (0, 360)), run_hours=2.0, most_kw=2.5)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"like": "toaster"}, "like = 'toaster' is none of washing machine"),
        ({"hours": "late"}, "hours = 'late' is no span of time"),
        ({"movable_percent": 120}, "movable_percent = 120 is above 100"),
        ({"most_kw": 0}, "most_kw = 0 leaves nothing to run"),
        ({"kw": 3}, "kw is not known here"),
    ],
)
def test_wrong_limits_are_told(limits: dict[str, object], told: str) -> None:
    with pytest.raises(TariffError) as raised:
        deferrable("Boiler", limits)
    assert told in str(raised.value)
    assert "'Boiler'" in str(raised.value)
