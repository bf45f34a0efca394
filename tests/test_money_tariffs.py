"""Tariff files: what they may say, and what is told of those that are wrong."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from money_site import PEAK, tariff

from energy_analytics.money import (
    TariffFileError,
    choose_tariff,
    flat_tariff,
    parse_tariff,
    read_tariff,
    slot_prices,
    terms_in_words,
)
from energy_analytics.tariff import TariffError, choose_price

EXAMPLES = sorted((Path(__file__).parents[1] / "config" / "tariffs").glob("*.toml"))

MONDAY, SATURDAY, FRIDAY = date(2026, 5, 4), date(2026, 5, 2), date(2026, 5, 1)


def hours(terms: str, day: date, *, holidays: frozenset[date] = frozenset()) -> list[float]:
    return [float(price) for price in slot_prices(tariff(terms), day, slot=60, holidays=holidays)]


def test_hours_over_midnight_are_those_of_the_day_itself() -> None:
    cheap_then_dear = [0.2] * 7 + [0.3] * 15 + [0.2] * 2
    assert hours(PEAK, MONDAY) == cheap_then_dear
    assert hours(PEAK, SATURDAY) == [0.2] * 24
    assert hours(PEAK, FRIDAY) == cheap_then_dear
    assert hours(PEAK, FRIDAY, holidays=frozenset({FRIDAY})) == [0.2] * 24


def test_holidays_that_no_window_names_are_weekdays() -> None:
    terms = PEAK.replace(', "holidays"', "")
    assert hours(terms, FRIDAY, holidays=frozenset({FRIDAY})) == hours(terms, FRIDAY)


def test_months_wrap_around_the_year_and_the_rest_is_one_period() -> None:
    terms = """
        [[version.period]]
        name = "winter"
        price_per_kwh = 0.4
        when = [{ months = "11-2" }, { months = [3, "9-10"], hours = ["06:00-09:00", "17:00-24:00"] }]
        [[version.period]]
        name = "otherwise"
        price_per_kwh = 0.1
        """
    assert hours(terms, date(2026, 1, 15)) == [0.4] * 24
    assert hours(terms, date(2026, 10, 1)) == [0.1] * 6 + [0.4] * 3 + [0.1] * 8 + [0.4] * 7
    assert hours(terms, date(2026, 6, 1)) == [0.1] * 24


def test_prices_are_decimals_to_the_last_digit() -> None:
    (version,) = tariff("price_per_kwh = 0.1").versions
    assert version.periods[0].price_per_kwh == Decimal("0.1")
    own = flat_tariff(choose_price(0.1, "EUR")).versions[0]
    assert own.periods[0].price_per_kwh == Decimal("0.1")
    assert own.valid_from is None


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_whole_and_sourced(path: Path) -> None:
    found = read_tariff(path)
    assert found.source
    assert found.versions[0].valid_from
    assert path.read_text("utf-8").startswith("# An example: ")


def test_ontario_is_as_published() -> None:
    found = read_tariff(next(path for path in EXAMPLES if path.stem == "ontario-time-of-use"))
    winter, summer = date(2025, 1, 6), date(2025, 7, 7)
    expected = [0.076] * 7 + [0.158] * 4 + [0.122] * 6 + [0.158] * 2 + [0.076] * 5
    assert [float(price) for price in slot_prices(found, winter, slot=60, holidays=frozenset())] == expected
    in_summer = [0.076] * 7 + [0.122] * 4 + [0.158] * 6 + [0.122] * 2 + [0.076] * 5
    assert [float(price) for price in slot_prices(found, summer, slot=60, holidays=frozenset())] == in_summer
    later = slot_prices(found, date(2025, 11, 3), slot=60, holidays=frozenset())
    assert float(max(later)) == 0.203


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        (PEAK.replace("22:00-07:00", "23:00-07:00"), "version 1: no period has a price for 22:00 to 23:00 on weekdays"),
        (
            PEAK.replace('["weekends", "holidays"]', '"weekends"').replace(
                'days = "weekdays", hours = "22', 'days = ["weekdays", "holidays"], hours = "22'
            ),
            "no period has a price for 07:00 to 22:00 on public holidays",
        ),
        (
            PEAK.replace("22:00-07:00", "21:30-07:00"),
            "periods 'peak' and 'off-peak' overlap: 21:30 to 22:00 on weekdays",
        ),
        (
            '[[version.period]]\nname = "a"\nprice_per_kwh = 1\nwhen = [{ months = "4-2" }]',
            "no period has a price for 00:00 to 24:00 every day in March",
        ),
        ('[[version.period]]\nname = "a"\nprice_per_kwh = -1', "period 'a': price_per_kwh = -1 is negative"),
        ("price_per_kwh = nan", "price_per_kwh = Decimal('NaN') is not a number"),
        ("price_per_kwh = 1\nprice = 2", "version 1: price is not known here"),
        ("price_per_kwh = '0.3'", "price_per_kwh = '0.3' is not a number"),
        (f"price_per_kwh = 1\n{PEAK}", "price_per_kwh and [[version.period]] exclude each other"),
        ("fixed_per_day = 1", "energy has no price"),
        (
            '[[version.period]]\nname = "a"\nprice_per_kwh = 1\n[[version.period]]\nname = "b"\nprice_per_kwh = 2',
            "only one can have all the other hours",
        ),
        (
            '[[version.period]]\nname = "a"\nprice_per_kwh = 1\nwhen = [{ hours = "7-22" }]',
            "period 'a', when 1: hours = '7-22' is no span of time such as 07:00-19:00",
        ),
        (
            '[[version.period]]\nname = "a"\nprice_per_kwh = 1\nwhen = [{ days = "sunnday" }]',
            "days = 'sunnday' is none of monday",
        ),
        (
            '[[version.period]]\nname = "a"\nprice_per_kwh = 1\nwhen = [{ months = 13 }]',
            "months = 13 is neither a number from 1 to 12",
        ),
        (
            "[[version.tiers]]\ntier = [{ up_to_kwh = 9, price_per_kwh = 1 }, { up_to_kwh = 5, price_per_kwh = 1 }, "
            "{ price_per_kwh = 1 }]",
            "tiers 1: up_to_kwh does not ascend: 9, 5",
        ),
        (
            "[[version.tiers]]\ntier = [{ up_to_kwh = 9, price_per_kwh = 1 }]",
            "every tier but the last, and not the last, needs up_to_kwh",
        ),
        (
            '[[version.tiers]]\nmonths = "5-10"\ntier = [{ price_per_kwh = 1 }]',
            "no tiers in November to April",
        ),
        (
            "price_per_kwh = 1\n[[version.tiers]]\ntier = [{ price_per_kwh = 1 }]",
            "price_per_kwh must be surcharge_per_kwh: beside a flat or time-of-use price a tier adds to it",
        ),
        ("price_per_kwh = 1\n[[version.demand]]\ninterval_minutes = 7", "interval_minutes = 7 is none of 5, 10"),
        ("price_per_kwh = 1\n[[version.demand]]\nname = 'd'", "demand charge 1: price_per_kw is missing"),
        ("price_per_kwh = 1\n[[version.tax]]\nname = 't'\npercent = 5\non = 'all'", "on = 'all' is none of energy"),
        ("valid_from = '2026-01-01'\nprice_per_kwh = 1", "valid_from = '2026-01-01' is not a date such as 2026-01-31"),
        (
            "valid_from = 2026-02-01\nvalid_to = 2026-02-01\nprice_per_kwh = 1",
            "version 1 (from 2026-02-01): valid_to 2026-02-01 is not after valid_from",
        ),
        (
            "[[version]]\nvalid_to = 2026-01-01\nprice_per_kwh = 1\n"
            "[[version]]\nvalid_from = 2026-02-01\nprice_per_kwh = 1",
            "version 2 (from 2026-02-01): no version is valid from 2026-01-01 to 2026-02-01",
        ),
        (
            "[[version]]\nvalid_to = 2026-03-01\nprice_per_kwh = 1\n"
            "[[version]]\nvalid_from = 2026-02-01\nprice_per_kwh = 1",
            "it begins 2026-02-01, before the version before it ends (2026-03-01)",
        ),
        (
            "[[version]]\nprice_per_kwh = 1\n[[version]]\nvalid_from = 2026-02-01\nprice_per_kwh = 1",
            "the version before it has no valid_to",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(terms: str, told: str) -> None:
    with pytest.raises(TariffFileError) as raised:
        tariff(terms)
    assert told in str(raised.value)
    assert "test.toml" in str(raised.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(TariffFileError) as raised:
        parse_tariff("name = 1\ncolour = 2\n", origin="mine.toml")
    for told in ("name = 1 is not text", "currency is missing", "no [[version]] is given", "colour is not known here"):
        assert told in str(raised.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TariffFileError, match="cannot be read: No such file"):
        read_tariff(tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("name = ")
    with pytest.raises(TariffFileError, match="is not valid TOML"):
        read_tariff(tmp_path / "broken.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(TariffFileError, match="UTF-8"):
        read_tariff(tmp_path / "latin.toml")


def test_a_price_is_told_with_what_it_leaves_out_and_since_when_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "Mine"\ncurrency = "GBP"\nsource = "my bill"\n'
        "[[version]]\nvalid_to = 2025-07-01\nprice_per_kwh = 0.2\n"
        "[[version]]\nvalid_from = 2025-07-01\nprice_per_kwh = 0.3\n"
        '[[version.tax]]\nname = "VAT"\npercent = 5\n'
    )
    mine = read_tariff(path)
    before, after = date(2025, 6, 30), date(2025, 7, 2)
    assert terms_in_words(mine, before, first=before) == "0.20 GBP per kWh (Mine)"
    assert terms_in_words(mine, after, first=after) == "0.30 GBP per kWh before taxes (Mine)"
    assert terms_in_words(mine, after, first=before) == "0.30 GBP per kWh before taxes since 1 July 2025 (Mine)"


def test_what_the_settings_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'name = "Mine"\ncurrency = "GBP"\nsource = "my bill"\n[[version]]\n{PEAK}')
    mine = choose_tariff(path, price_per_kwh=None, currency=None)
    assert terms_in_words(mine, MONDAY, first=MONDAY) == "0.20 to 0.30 GBP per kWh (Mine)"
    own = choose_tariff(None, price_per_kwh=0.31, currency="GBP")
    assert terms_in_words(own, MONDAY, first=MONDAY) == "0.31 GBP per kWh (your own price)"
    assert choose_tariff(None, price_per_kwh=None, currency=None).name.startswith("EU household average")
    with pytest.raises(TariffError, match="Both tariff_file"):
        choose_tariff(path, price_per_kwh=0.31, currency="GBP")
    with pytest.raises(TariffError, match=r"currency is EUR, but .* is in GBP"):
        choose_tariff(path, price_per_kwh=None, currency="EUR")


def test_the_tariff_in_the_description_is_one() -> None:
    text = (EXAMPLES[0].parent / "README.md").read_text("utf-8")
    found = parse_tariff(text.partition("```toml\n")[2].partition("```")[0], origin="README.md")
    assert (len(found.versions[0].demands), len(found.versions[0].taxes)) == (1, 1)


VALUES = st.one_of(
    st.sampled_from(
        [
            "1",
            "-1",
            "1.5",
            "3.0",
            "nan",
            "inf",
            "true",
            '"x"',
            '""',
            '"11-4"',
            '"22:00-06:00"',
            "[]",
            "[[1]]",
            '["a", 1]',
            "{}",
        ]
    ),
    st.sampled_from(["2026-01-01", "2026-01-01T00:00:00", "[{}]", '[{ hours = "07:00-07:00" }]', "[{ months = 1 }]"]),
)
KEYS = st.one_of(
    st.sampled_from(["valid_from", "valid_to", "price_per_kwh", "fixed_per_day", "export_price_per_kwh", "period"]),
    st.sampled_from(["tiers", "demand", "tax", "name", "months", "days", "hours", "when", "tier", "percent", "on"]),
    st.sampled_from(["price_per_kw", "interval_minutes"]),
)
TABLES = st.sampled_from(["period", "tiers", "demand", "tax"])


@given(
    version=st.dictionaries(KEYS, VALUES, max_size=3),
    tables=st.lists(st.tuples(TABLES, st.dictionaries(KEYS, VALUES, max_size=4)), max_size=2),
)
def test_nonsense_is_refused_in_one_way_only(version: dict[str, str], tables: list[tuple[str, dict[str, str]]]) -> None:
    terms = "\n".join(f"{key} = {value}" for key, value in version.items())
    for table, entries in tables:
        terms += f"\n[[version.{table}]]\n" + "\n".join(f"{key} = {value}" for key, value in entries.items())
    with suppress(TariffFileError):
        tariff(terms)
