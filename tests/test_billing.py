"""What a lake's readings cost when asked without a run: any days, other tariffs, and an appliance at other hours."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from commands import hourly_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from lakes import QUICK, arrive, lake, run_one  # noqa: F401 - a fixture
from money_site import NIGHT, day, every_hour, site, tariff

from energy_analytics.billing import bill_site, compare_site, move_site, tariff_of
from energy_analytics.lake import Lake, LakeError, LocalLake
from energy_analytics.money import bill, parse_tariff, plain, within
from energy_analytics.settings import Settings
from energy_analytics.tariff import TariffError

HEAD = 'name = "{}"\ncurrency = "EUR"\nsource = "made up"\n[[version]]\n'
HALF_PAST = """
[[version.period]]
name = "night"
price_per_kwh = 0.10
when = [{ hours = "22:30-06:00" }]
[[version.period]]
name = "day"
price_per_kwh = 0.30
"""


@pytest.fixture
def own(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with a tariff of these terms."""

    def named(terms: str, **others: object) -> Settings:
        (tmp_path / "own.toml").write_text(HEAD.format("Own") + terms)
        return QUICK.model_copy(update={"tariff_file": tmp_path / "own.toml", **others})

    return named


@pytest.fixture
def washed(tmp_path: Path) -> Lake:
    """A lake with three days of an oven at 1 kWh an hour and a dishwasher that takes 1 kWh at 19:00 and at 20:00."""
    at = Path(tmp_path / "lake")
    opened = LocalLake(at)
    hours = [datetime(2026, 4, 1) + timedelta(hours=n) for n in range(72)]
    dishes = "".join(f"{one},Dishwasher,{float(one.hour in (19, 20))}\n" for one in hours)
    run_one(opened, arrive(opened, "raw/a.csv", hourly_rows("2026-04-01", hours=72) + dishes))
    return opened


def test_an_appliance_is_moved_to_hours_over_midnight(washed: Lake, own: Callable[..., Settings]) -> None:
    """2 kWh a day at 0.10 in place of 0.30 save 0.40 a day, in three days 1.20: 146 in a year."""
    found = move_site(washed, "", own(NIGHT), appliance="Dishwasher", hours=(22, 6))
    (moved,) = found.moved
    assert (found.start, found.end, found.days, found.proved) == (date(2026, 4, 1), date(2026, 4, 4), 3, True)
    assert (moved.cost_as_read, moved.cost_moved, found.saving) == (Decimal("1.80"), Decimal("0.60"), Decimal("1.20"))
    assert found.saving_per_year == pytest.approx(146)
    assert {hour for hour, kwh in enumerate(moved.kwh_by_hour_as_read) if kwh} == {19, 20}
    assert {hour for hour, kwh in enumerate(moved.kwh_by_hour_moved) if kwh} == {0, 1}
    assert move_site(washed, "", own(NIGHT), appliance="Dishwasher", hours=(0, 24)).saving == Decimal("1.20")
    one_day = move_site(
        washed, "", own(NIGHT), appliance="Dishwasher", hours=(22, 6), first=date(2026, 4, 2), last=date(2026, 4, 2)
    )
    assert (one_day.days, one_day.saving) == (1, Decimal("0.40"))


def test_hours_that_are_no_cheaper_change_nothing(washed: Lake, own: Callable[..., Settings]) -> None:
    found = move_site(washed, "", own(NIGHT), appliance="Dishwasher", hours=(8, 0))
    assert (found.saving, found.moved[0].days_moved) == (0, 0)
    flat = own("price_per_kwh = 0.20")
    assert move_site(washed, "", flat, appliance="Dishwasher", hours=(22, 6)).saving == 0
    assert not tariff_of(flat, "").by_the_hour
    assert tariff_of(own(NIGHT), "").by_the_hour


def test_limits_are_those_of_the_settings_or_of_nothing_else_known(washed: Lake, own: Callable[..., Settings]) -> None:
    """An oven is no appliance that waits: 24 kWh a day fit into the hours given at its highest power, 1 kW, or not."""
    eight = move_site(washed, "", own(NIGHT), appliance="Oven", hours=(22, 6))
    assert (eight.saving, eight.moved[0].days_moved) == (0, 0)
    hot = own(NIGHT, deferrable={"Oven": {"most_kw": 4, "hours": ["12:00-14:00"]}})
    found = move_site(washed, "", hot, appliance="Oven", hours=(0, 6))
    # 18 of 24 kWh were used at 0.30; at 4 kW all of them fit into the night at 0.10.
    assert found.saving == Decimal("10.80")
    assert sum(found.moved[0].kwh_by_hour_moved[:6]) == pytest.approx(24)


def test_hourly_readings_are_told_under_prices_of_half_hours(washed: Lake, own: Callable[..., Settings]) -> None:
    """From 22:30 at 0.10: two hours of 1 kWh each begin at 22:30 or after midnight."""
    found = move_site(washed, "", own(HALF_PAST), appliance="Dishwasher", hours=(21, 2))
    assert found.saving == Decimal("1.20")


def test_what_cannot_be_moved_is_told_in_a_sentence(washed: Lake, own: Callable[..., Settings]) -> None:
    with pytest.raises(LakeError, match="no appliance 'Kettle'"):
        move_site(washed, "", own(NIGHT), appliance="Kettle", hours=(22, 6))
    with pytest.raises(LakeError, match="no readings of plant"):
        move_site(washed, "plant", own(NIGHT), appliance="Oven", hours=(22, 6))
    for hours in ((24, 6), (5, 5), (-1, 3), (3, 25)):
        with pytest.raises(TariffError, match="is no span of hours"):
            move_site(washed, "", own(NIGHT), appliance="Oven", hours=hours)
    with pytest.raises(TariffError, match="feeds in"):
        move_site(washed, "", own(NIGHT, export_appliances=("Oven",)), appliance="Oven", hours=(22, 6))
    with pytest.raises(TariffError, match=r"nothing to bill from 2027-01-01 on: the site has readings from 20\d\d-"):
        move_site(washed, "", own(NIGHT), appliance="Oven", hours=(22, 6), first=date(2027, 1, 1))


def test_readings_of_a_day_tell_no_hours(tmp_path: Path, own: Callable[..., Settings]) -> None:
    opened = LocalLake(tmp_path / "lake")
    rows = "".join(f"2026-04-{number:02},Car,9.0\n" for number in range(1, 15))
    run_one(opened, arrive(opened, "raw/a.csv", rows))
    with pytest.raises(TariffError, match="longer than an hour"):
        move_site(opened, "", own(NIGHT), appliance="Car", hours=(22, 6))


def test_a_tariff_that_was_sent_is_compared_as_one_from_a_file(
    washed: Lake, tmp_path: Path, own: Callable[..., Settings]
) -> None:
    """96 kWh less 6 in the day: 18 + 54 + 6 = 78 kWh, of which 18 at 0.10; three days at 0.50. Flat: 78 at 0.20."""
    text = HEAD.format("Flat") + "price_per_kwh = 0.20"
    (tmp_path / "flat.toml").write_text(text)
    sent = parse_tariff(text, origin="what you sent")
    from_file = compare_site(washed, "", [tmp_path / "flat.toml"], own(NIGHT))
    assert compare_site(washed, "", [], own(NIGHT), further=[sent]) == from_file
    current, found = from_file
    assert current == "Own"
    assert {one.bill.tariff: one.bill.total for one in found} == {"Own": Decimal("21.30"), "Flat": Decimal("15.60")}
    both = own(NIGHT, compare_tariffs=(tmp_path / "flat.toml",))
    _, beside = compare_site(washed, "", [], both, further=[parse_tariff(text.replace("Flat", "Sent"), origin="x")])
    assert [one.bill.tariff for one in beside] == ["Flat", "Sent", "Own"]
    francs = parse_tariff(text.replace("EUR", "CHF"), origin="x")
    with pytest.raises(TariffError, match="different currencies"):
        compare_site(washed, "", [], own(NIGHT), further=[francs])


def test_only_the_newest_days_are_billed_of_corrected_uploads(lake: Lake, own: Callable[..., Settings]) -> None:  # noqa: F811
    """A day that a later upload doubled, billed alone and within all, in lakes of either kind."""
    run_one(lake, arrive(lake, "raw/a.csv", hourly_rows("2024-01-01", hours=24 * 500)))
    run_one(lake, arrive(lake, "raw/b.csv", hourly_rows("2025-05-01", hours=24, kwh=2.0)))
    flat = own("price_per_kwh = 0.10")
    first = last = date(2025, 5, 1)
    assert bill_site(lake, "", flat, first=first, last=last).total == Decimal("4.80")
    assert move_site(lake, "", flat, appliance="Oven", hours=(0, 6)).days == 365
    _, found = compare_site(lake, "", [], flat, further=[tariff("price_per_kwh = 0.20", name="Other")])
    assert [one.bill.kwh for one in found] == [24 * 366, 24 * 366]


STEPS = st.sampled_from([15, 60, 180, 1440, 7 * 1440])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(step=STEPS, skipped=st.sets(st.integers(0, 39), max_size=6), first=st.integers(0, 38), days=st.integers(1, 12))
def test_what_is_not_read_does_not_change_a_bill(step: int, skipped: set[int], first: int, days: int) -> None:
    """Forty days over a change of the clock, with gaps and readings of up to a week."""
    begin = datetime(2026, 3, 10)

    def use(moment: datetime) -> float | None:
        return None if (moment - begin).days in skipped else 0.123 * (1 + moment.hour % 5)

    with duckdb.connect() as engine:
        load = site(
            engine,
            {"Meter": use, "Oven": every_hour(0.5)},
            "2026-03-10",
            "2026-04-19",
            timezone="Europe/Paris",
            step_minutes={"Meter": step, "Oven": 60},
        )
        start = day("2026-03-10") + timedelta(days=first)
        end = start + timedelta(days=days)
        terms = tariff(HALF_PAST + '[[version.demand]]\nname = "power"\nprice_per_kw = 3\ninterval_minutes = 30\n')
        some = within(load, start, end)
        assert plain(bill(engine, some, terms, start=start, end=end)) == plain(
            bill(engine, load, terms, start=start, end=end)
        )
