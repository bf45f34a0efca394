"""Bills worked out by hand, and what must hold for every bill."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from time import perf_counter

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from money_site import NIGHT, PEAK, connection, day, every_hour, site, tariff

from energy_analytics.calendar import clock
from energy_analytics.money import Bill, bill, compare, costs, flat_tariff, mean_price, measure, plain
from energy_analytics.money.bill import rounded
from energy_analytics.tariff import TariffError, choose_price, default_price

engine = pytest.fixture(connection)
HOLIDAY = frozenset({day("2026-05-01")})
"""A Friday."""


def told(made: Bill) -> list[tuple[str, str, str]]:
    return [(line.what, f"{line.quantity} {line.unit}", str(line.amount)) for line in made.lines]


def test_one_price(engine: duckdb.DuckDBPyConnection) -> None:
    # 2 x 1 kWh x 24 h x 30 days = 1,440 kWh; x 0.2872 = 413.568
    load = site(engine, {"A": every_hour(1.0), "B": every_hour(1.0)}, "2026-04-01", "2026-05-01")
    made = bill(engine, load, flat_tariff(default_price()))
    assert told(made) == [("Energy", "1440 kWh", "413.57")]
    assert (made.tariff, made.currency, made.total) == (default_price().name, "EUR", Decimal("413.57"))
    assert (made.start, made.end, made.days_without_readings, made.days_with_gaps) == (
        day("2026-04-01"), day("2026-05-01"), 0, 0,
    )  # fmt: skip


def test_kwh_are_added_as_the_meter_wrote_them(engine: duckdb.DuckDBPyConnection) -> None:
    # 720 x 0.1 in binary is 72.00000000000017
    load = site(engine, {"A": every_hour(0.1)}, "2026-04-01", "2026-05-01")
    assert bill(engine, load, tariff("price_per_kwh = 1")).kwh == Decimal(72)


def test_weekend_and_holiday(engine: duckdb.DuckDBPyConnection) -> None:
    # Friday 1 May (a holiday) to Monday 4 May, 1 kWh an hour: 96 kWh, of them Monday 07 to 22 at the peak price.
    # 15 x 0.30 = 4.50; 81 x 0.20 = 16.20
    load = site(engine, {"A": every_hour(1.0)}, "2026-05-01", "2026-05-05", timezone="Europe/Paris")
    made = bill(engine, load, tariff(PEAK), holidays=HOLIDAY)
    assert told(made) == [("Energy, peak", "15 kWh", "4.50"), ("Energy, off-peak", "81 kWh", "16.20")]
    # Where no holidays are known Friday is a Friday: 30 x 0.30 + 66 x 0.20, and the bill says so.
    unknown = bill(engine, load, tariff(PEAK))
    assert unknown.total == Decimal("22.20")
    assert "No public holidays are known" in unknown.assumptions[0]


TIERS = "[[version.tiers]]\ntier = [{ up_to_kwh = 600, price_per_kwh = 0.12 }, { price_per_kwh = 0.142 }]"


def test_tiers_crossed_within_a_month(engine: duckdb.DuckDBPyConnection) -> None:
    # April: 30 x 45 kWh = 1,350: 600 x 0.12 = 72.00, 750 x 0.142 = 106.50
    load = site(engine, {"A": every_hour(1.875)}, "2026-04-01", "2026-05-01")
    assert told(bill(engine, load, tariff(TIERS))) == [
        ("Energy, first 600 kWh a month", "600 kWh", "72.00"),
        ("Energy, above 600 kWh a month", "750 kWh", "106.50"),
    ]
    # 10 of its 30 days: 450 kWh, of which 600 x 10/30 = 200 x 0.12 = 24.00 and 250 x 0.142 = 35.50
    part = bill(engine, load, tariff(TIERS), start=day("2026-04-06"), end=day("2026-04-16"))
    assert [line.amount for line in part.lines] == [Decimal("24.00"), Decimal("35.50")]


def test_tiers_beside_hours_are_a_surcharge_on_the_month(engine: duckdb.DuckDBPyConnection) -> None:
    # Monday 4 May alone in its month's bill: 24 kWh; 15 x 0.30 + 9 x 0.20 = 6.30; of 24 kWh the first 31 x 1/31 = 1
    # earns 0.05, the other 23 cost 0.10 more: -0.05 + 2.30
    terms = PEAK + (
        "[[version.tiers]]\ntier = [{ up_to_kwh = 31, surcharge_per_kwh = -0.05 }, { surcharge_per_kwh = 0.10 }]"
    )
    load = site(engine, {"A": every_hour(1.0)}, "2026-05-04", "2026-05-05")
    made = bill(engine, load, tariff(terms), holidays=HOLIDAY)
    assert [line.amount for line in made.lines] == [Decimal(one) for one in ("4.50", "1.80", "-0.05", "2.30")]


def test_demand_of_the_highest_quarter_of_an_hour(engine: duckdb.DuckDBPyConnection) -> None:
    # On 14 April at 18:15 A uses 2.5 and B 1.25 kWh in a quarter of an hour: 15 kW. Apart from that, A has its
    # highest at another time, and 22:00 is outside the hours of the charge.
    def a(moment: datetime) -> float:
        at = {"2026-04-14 18:15:00": 2.5, "2026-04-15 12:00:00": 3.0, "2026-04-16 22:00:00": 9.0}
        return at.get(str(moment), 0.1)

    def b(moment: datetime) -> float:
        return 1.25 if str(moment) == "2026-04-14 18:15:00" else 0.1

    load = site(engine, {"A": a, "B": b}, "2026-04-01", "2026-05-01", step_minutes=15)
    terms = (
        'price_per_kwh = 0\n[[version.demand]]\nname = "billing demand"\nprice_per_kw = 16.28\n'
        'hours = "08:00-22:00"\ndays = "weekdays"'
    )
    line = bill(engine, load, tariff(terms)).lines[-1]
    assert line.what == "Billing demand, Tuesday 14 April 2026, 18:15, over 15 minutes"
    assert (line.quantity, line.unit, line.amount) == (Decimal(15), "kW", Decimal("244.20"))
    # A third of the month pays a third of the charge, on its own highest: 15 April 12:00, 3.1 kWh = 12.4 kW.
    part = bill(engine, load, tariff(terms), start=day("2026-04-15"), end=day("2026-04-25")).lines[-1]
    assert (part.quantity, part.share, part.amount) == (Decimal("12.4"), Fraction(1, 3), Decimal("67.29"))


def test_hourly_readings_tell_no_shorter_demand_than_an_hour(engine: duckdb.DuckDBPyConnection) -> None:
    load = site(engine, {"A": every_hour(3.0)}, "2026-04-01", "2026-05-01")
    made = bill(engine, load, tariff("price_per_kwh = 0\n[[version.demand]]\nprice_per_kw = 2\ninterval_minutes = 15"))
    assert (made.lines[-1].quantity, made.total) == (Decimal(3), Decimal("6.00"))
    assert "can only be higher" in made.assumptions[0]


def test_taxes_lie_on_what_they_say(engine: duckdb.DuckDBPyConnection) -> None:
    # 100 kWh x 0.25 = 25.00; 20 days x 0.123 = 2.46; 12.50 x 20/30 = 8.333 -> 8.33; VAT 20 % of 35.79 = 7.158 -> 7.16;
    # levy 5.5 % of the fixed 10.79 = 0.59345 -> 0.59
    load = site(engine, {"A": lambda moment: 5.0 if moment.hour == 0 else 0.0}, "2026-04-01", "2026-04-21")
    terms = (
        "price_per_kwh = 0.25\nfixed_per_day = 0.123\nfixed_per_month = 12.5\n"
        '[[version.tax]]\nname = "VAT"\npercent = 20\n[[version.tax]]\nname = "levy"\npercent = 5.5\non = "fixed"'
    )
    made = bill(engine, load, tariff(terms))
    assert [line.amount for line in made.lines] == [
        Decimal(one) for one in ("25.00", "2.46", "8.33", "7.16", "0.59")
    ]  # fmt: skip
    assert made.total == Decimal("43.54")


def test_half_a_cent_is_rounded_away_from_zero() -> None:
    assert [str(rounded(Fraction(one), 2)) for one in ("0.125", "0.135", "-0.125", "0.1249")] == [
        "0.13", "0.14", "-0.13", "0.12",
    ]  # fmt: skip
    assert str(rounded(Fraction("1234.5"), 0)) == "1235"


def test_a_price_that_changes_in_the_middle_of_a_month(engine: duckdb.DuckDBPyConnection) -> None:
    # 10 days x 24 kWh x 0.20 = 48.00, 9.00 x 10/30 = 3.00; 20 days x 24 x 0.30 = 144.00, 12.00 x 20/30 = 8.00
    changing = tariff("""
        [[version]]
        valid_from = 2026-01-01
        valid_to = 2026-04-11
        price_per_kwh = 0.20
        fixed_per_month = 9
        [[version]]
        valid_from = 2026-04-11
        price_per_kwh = 0.30
        fixed_per_month = 12
        """)
    load = site(engine, {"A": every_hour(1.0)}, "2026-04-01", "2026-05-01")
    made = bill(engine, load, changing)
    assert [line.amount for line in made.lines] == [Decimal(one) for one in ("48.00", "3.00", "144.00", "8.00")]
    assert len(made.months) == 1


def test_days_outside_the_dates_of_a_tariff_are_billed_and_named(engine: duckdb.DuckDBPyConnection) -> None:
    dated = tariff("[[version]]\nvalid_from = 2026-04-03\nvalid_to = 2026-04-04\nprice_per_kwh = 1")
    load = site(engine, {"A": every_hour(1.0)}, "2026-04-01", "2026-04-06")
    made = bill(engine, load, dated)
    assert made.total == Decimal("120.00")
    assert [text.partition(" ")[0] for text in made.assumptions] == ["test", "test"]
    assert "dated from 3 April 2026" in made.assumptions[0]
    assert "ends on 4 April 2026" in made.assumptions[1]


@pytest.mark.parametrize(
    ("autumn_or_spring", "night_kwh", "amounts"),
    [
        # The night has its hour from 02:00 twice: 7 x 0.10, 18 x 0.30; one day's charge all the same.
        ("2026-10-25", 7, ["0.70", "5.40", "0.50"]),
        # The hour from 02:00 does not happen: 5 x 0.10.
        ("2026-03-29", 5, ["0.50", "5.40", "0.50"]),
    ],
)
def test_the_clock_is_changed(
    engine: duckdb.DuckDBPyConnection, autumn_or_spring: str, night_kwh: int, amounts: list[str]
) -> None:
    end = str(day(autumn_or_spring) + timedelta(days=1))
    load = site(engine, {"A": every_hour(1.0)}, autumn_or_spring, end, timezone="Europe/Paris")
    made = bill(engine, load, tariff(NIGHT))
    assert [str(line.amount) for line in made.lines] == amounts
    assert made.lines[0].quantity == night_kwh
    assert made.days_with_gaps == 0


def test_a_days_total_is_spread_over_its_hours_and_the_bill_says_so(engine: duckdb.DuckDBPyConnection) -> None:
    # 24 kWh on Monday: 15 dear hours. 25 kWh on the day of 25 hours: 7 of them at night.
    load = site(engine, {"A": every_hour(24.0)}, "2026-05-04", "2026-05-05", step_minutes=1440)
    made = bill(engine, load, tariff(PEAK), holidays=HOLIDAY)
    assert told(made) == [("Energy, peak", "15 kWh", "4.50"), ("Energy, off-peak", "9 kWh", "1.80")]
    assert "Readings of A are longer than 1 hour" in made.assumptions[0]
    autumn = site(
        engine, {"A": every_hour(25.0)}, "2026-10-25", "2026-10-26", step_minutes=1440, timezone="Europe/Paris"
    )
    assert bill(engine, autumn, tariff(NIGHT)).lines[0].quantity == 7
    assert not bill(engine, load, tariff("price_per_kwh = 1")).assumptions


def test_readings_of_a_week_are_shared_between_months_and_nothing_is_lost(engine: duckdb.DuckDBPyConnection) -> None:
    # 4 weeks of 168 kWh from 6 April: 25 days in April and 3 in May, 6 night hours in each; none missing in between
    load = site(engine, {"A": every_hour(168.0)}, "2026-04-06", "2026-05-04", step_minutes=10080)
    made = bill(engine, load, tariff(NIGHT), end=day("2026-05-04"))
    assert [(str(month.month), month.kwh) for month in made.months] == [("2026-04-01", 600), ("2026-05-01", 72)]
    assert [line.quantity for line in made.lines if line.what == "Energy, night"] == [150, 18]
    # Seven hundredths do not divide by 24; the parts still add up to the reading.
    odd = site(engine, {"A": every_hour(0.07)}, "2026-05-04", "2026-05-05", step_minutes=1440)
    assert bill(engine, odd, tariff(NIGHT)).kwh == Decimal("0.07")


def test_prices_that_change_at_half_past(engine: duckdb.DuckDBPyConnection) -> None:
    # An hour's reading is shared between 22:00 and 22:30: 0.5 kWh more of the 7.5 cheap hours.
    terms = PEAK.replace("22:00", "22:30")
    load = site(engine, {"A": every_hour(1.0)}, "2026-05-04", "2026-05-05")
    made = bill(engine, load, tariff(terms), holidays=HOLIDAY)
    assert [str(line.quantity) for line in made.lines] == ["15.5", "8.5"]
    halves = site(engine, {"A": every_hour(0.5)}, "2026-05-04", "2026-05-05", step_minutes=30)
    exact = bill(engine, halves, tariff(terms), holidays=HOLIDAY)
    assert exact.lines == made.lines
    assert not exact.assumptions


def test_what_is_fed_in_is_credited(engine: duckdb.DuckDBPyConnection) -> None:
    # 10 x 0.30 = 3.00 less 6 x 0.08 = 0.48; fed-in energy is no demand
    meters = {"House": lambda at: 10.0 if at.hour == 3 else 0.0, "Roof": lambda at: 6.0 if at.hour == 12 else 0.0}
    load = site(engine, meters, "2026-04-01", "2026-04-02", exports=["Roof"])
    made = bill(engine, load, tariff("price_per_kwh = 0.30\nexport_price_per_kwh = 0.08"))
    assert told(made) == [("Energy", "10 kWh", "3.00"), ("Energy fed in", "6 kWh", "-0.48")]
    assert (made.kwh, made.exported_kwh, made.total) == (Decimal(10), Decimal(6), Decimal("2.52"))
    without = bill(engine, load, tariff("price_per_kwh = 0.30"))
    assert without.total == Decimal("3.00")
    assert "earns nothing" in without.assumptions[0]
    misspelt = site(engine, meters, "2026-04-01", "2026-04-02", exports=["roof"])
    assert bill(engine, misspelt, tariff("price_per_kwh = 0.30")).assumptions == (
        "Set as fed in, but without any reading: roof.",
    )


def test_loads_in_one_engine_do_not_mix(engine: duckdb.DuckDBPyConnection) -> None:
    engine.execute("CREATE TABLE other AS SELECT TIMESTAMP '2026-04-01' AS timestamp, 'A' AS appliance, 5.0 AS kwh, "
        "CAST(NULL AS SMALLINT) AS utc_offset_minutes")  # fmt: skip
    load = site(engine, {"A": every_hour(1.0)}, "2026-04-01", "2026-04-02")
    price = tariff("price_per_kwh = 1")
    other = measure(engine, "(SELECT * FROM other)", steps={}, wall=load.wall)
    assert [bill(engine, one, price).kwh for one in (load, other, load)] == [24, 5, 24]


def test_only_what_was_read_is_billed(engine: duckdb.DuckDBPyConnection) -> None:
    def use(moment: datetime) -> float | None:
        return None if moment.day == 3 or (moment.day == 5 and moment.hour == 4) else 1.0

    load = site(engine, {"A": use}, "2026-04-01", "2026-04-11")
    made = bill(engine, load, tariff("price_per_kwh = 1\nfixed_per_day = 1"), end=day("2026-04-12"))
    assert (made.kwh, made.days_without_readings, made.days_with_gaps) == (Decimal(215), 2, 1)
    assert made.total == Decimal("226.00")


def test_a_household_price_on_a_grid_is_named(engine: duckdb.DuckDBPyConnection) -> None:
    load = site(engine, {"Grid": every_hour(1e6)}, "2026-04-01", "2026-05-01")
    made = bill(engine, load, flat_tariff(default_price()))
    assert (made.kwh, made.total) == (Decimal(720_000_000), Decimal("206784000.00"))
    assert "not a price for a site of this size: it is for up to 100 MWh a year" in made.assumptions[0]


def test_nothing_to_bill(engine: duckdb.DuckDBPyConnection) -> None:
    load = site(engine, {"A": every_hour(1.0)}, "2026-04-01", "2026-04-02")
    with pytest.raises(TariffError, match="end must be after the start"):
        bill(engine, load, tariff("price_per_kwh = 1"), start=day("2026-04-01"), end=day("2026-04-01"))
    engine.execute("DELETE FROM given")
    with pytest.raises(ValueError, match="no readings"):
        measure(engine, "given", steps={}, wall=load.wall)


def test_tariffs_are_compared_on_the_same_days(engine: duckdb.DuckDBPyConnection) -> None:
    # A Monday of 24 kWh: 6.30 with hours, 5.40 and 7.20 flat
    load = site(engine, {"A": every_hour(1.0)}, "2026-05-04", "2026-05-05")
    hours = tariff(PEAK, name="hours")
    cheap, dear = (tariff(f"price_per_kwh = {price}", name=price) for price in ("0.225", "0.3"))
    found = compare(engine, load, [hours, dear, cheap], holidays=HOLIDAY)
    assert [(one.bill.tariff, str(one.saving)) for one in found] == [
        ("0.225", "0.90"), ("hours", "0.00"), ("0.3", "-0.90"),
    ]  # fmt: skip
    assert found[0].saving_percent == pytest.approx(100 * 0.9 / 6.3)
    with pytest.raises(TariffError, match="different currencies"):
        compare(engine, load, [hours, flat_tariff(choose_price(0.3, "USD"))])


def test_cost_beside_each_kwh(engine: duckdb.DuckDBPyConnection) -> None:
    # With 10 % tax on energy, A at noon of a Monday costs 0.33, B at night 0.22 a kWh; the fixed charge is nobody's.
    meters = {"A": lambda at: 4.0 if at.hour == 12 else 0.0, "B": lambda at: 2.0 if at.hour == 3 else 0.0}
    load = site(engine, meters, "2026-05-04", "2026-05-05")
    terms = "fixed_per_day = 1\n" + PEAK + '[[version.tax]]\nname = "tax"\npercent = 10\n'
    found = costs(engine, load, tariff(terms), start=day("2026-05-04"), end=day("2026-05-05"), holidays=HOLIDAY)
    assert {name: str(one.cost) for name, one in found.by_appliance.items()} == {"A": "1.32", "B": "0.44"}
    assert {str(when): (str(one.kwh), str(one.cost)) for when, one in found.by_day.items()} == {
        "2026-05-04": ("6", "1.76")
    }


def test_one_price_for_estimates(engine: duckdb.DuckDBPyConnection) -> None:
    # A Monday of 24 kWh costs 6.30, or 0.2625 a kWh; a flat price is itself.
    load = site(engine, {"A": every_hour(1.0)}, "2026-05-04", "2026-05-05")
    dates = {"start": day("2026-05-04"), "end": day("2026-05-05")}
    hours, flat = tariff(PEAK), flat_tariff(default_price())
    found = mean_price(costs(engine, load, hours, **dates), hours)
    assert found is not None
    assert (found.price_per_kwh, found.name) == (0.2625, "test, mean of its energy")
    assert mean_price(costs(engine, load, flat, **dates), flat) == default_price()
    assert mean_price(costs(engine, load, flat, start=day("2025-01-01"), end=day("2025-01-02")), flat) is None


def test_a_bill_as_json_has_every_cent(engine: duckdb.DuckDBPyConnection) -> None:
    load = site(engine, {"A": every_hour(1.0)}, "2026-05-04", "2026-05-05")
    made = plain(bill(engine, load, tariff("price_per_kwh = 0.1\nfixed_per_month = 31")))
    assert json.loads(json.dumps(made)) == made
    assert made["total"] == "3.40"
    assert made["months"][0]["lines"][1] == {
        "first": "2026-05-04", "end": "2026-05-05", "charge": "monthly", "what": "Fixed charge per month",
        "quantity": "1", "unit": "months", "unit_price": "31", "share": "1/31", "amount": "1.00",
    }  # fmt: skip


cents = st.integers(0, 5000).map(lambda value: Decimal(value) / 10000)


@st.composite
def tariffs(draw: st.DrawFn) -> str:
    """Terms with hours, tiers, charges and taxes, a price change among them."""
    change = draw(st.dates(date(2026, 3, 20), date(2026, 4, 20)))

    def version(header: str) -> str:
        hour = draw(st.integers(1, 23))
        tiers = (
            "[[version.tiers]]\ntier = [{ up_to_kwh = 100, surcharge_per_kwh = -0.01 }, { surcharge_per_kwh = 0.02 }]"
        )
        return f"""
            [[version]]
            {header}
            fixed_per_day = {draw(cents)}
            fixed_per_month = {draw(cents)}
            [[version.period]]
            name = "a"
            price_per_kwh = {draw(cents)}
            when = [{{ days = "weekends", hours = "{hour:02d}:00-00:00" }}, {{ days = "weekdays" }}]
            [[version.period]]
            name = "b"
            price_per_kwh = {draw(cents)}
            {draw(st.sampled_from(["", tiers]))}
            [[version.tax]]
            name = "tax"
            percent = {draw(st.integers(0, 30))}
            """

    return version(f"valid_to = {change}") + version(f"valid_from = {change}")


@pytest.mark.slow
@settings(max_examples=15)
@given(terms=tariffs(), kwh=st.lists(st.integers(0, 9999), min_size=24, max_size=24), month=st.sampled_from([3, 4]))
def test_what_holds_for_every_bill(terms: str, kwh: list[int], month: int) -> None:
    with duckdb.connect() as engine:
        check(engine, terms, kwh, date(2026, month, 1))


def check(engine: duckdb.DuckDBPyConnection, terms: str, kwh: list[int], cut: date) -> None:
    # From February to May over the spring change of the clock.
    load = site(engine, {"A": lambda at: kwh[at.hour] / 1000}, "2026-02-20", "2026-05-03", timezone="Europe/Paris")
    made = bill(engine, load, tariff(terms))
    assert made.total == sum(line.amount for line in made.lines)
    assert made.kwh == sum(line.quantity for line in made.lines if line.charge == "energy")
    assert made.kwh == Decimal(72 * sum(kwh) - kwh[2]) / 1000
    before, after = bill(engine, load, tariff(terms), end=cut), bill(engine, load, tariff(terms), start=cut)
    assert before.lines + after.lines == made.lines
    assert before.total + after.total == made.total
    flat = bill(engine, load, tariff("price_per_kwh = 0.3141"))
    assert flat.total == sum(rounded(Fraction(one.kwh) * Fraction("0.3141"), 2) for one in flat.months)


@pytest.mark.slow
def test_ten_years_of_fifty_appliances_are_billed_in_seconds() -> None:
    with duckdb.connect(config={"threads": 2}) as engine:
        engine.execute("""
            CREATE TABLE given AS SELECT moment AS timestamp, 'A' || meter AS appliance,
                ((hour(moment) * 7 + meter) % 10) / 10 AS kwh, CAST(NULL AS SMALLINT) AS utc_offset_minutes
            FROM range(TIMESTAMP '2015-01-01', TIMESTAMP '2025-01-01', INTERVAL 1 HOUR) AS times(moment),
                range(50) AS meters(meter)""")
        began = perf_counter()
        wall = clock(None, datetime(2015, 1, 1), datetime(2025, 1, 1))
        load = measure(engine, "given", steps={f"A{meter}": 60.0 for meter in range(50)}, wall=wall)
        made = bill(engine, load, tariff(f"{PEAK}[[version.demand]]\nprice_per_kw = 5"))
        seconds = perf_counter() - began
    assert made.kwh == Decimal(50 * 24 * 3653) * Decimal("0.45")
    assert len(made.months) == 120
    assert seconds < 10  # about one on two cores
