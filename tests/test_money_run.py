"""Costs as a user meets them: settings, a run, the report, bills and comparisons of tariffs."""

import json
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from commands import HEADER, energy, hourly_rows, state, told
from lakes import QUICK, arrive, lake, run_one  # noqa: F401 - a fixture

from energy_analytics.billing import bill_site, compare_site
from energy_analytics.lake import Lake, LakeError, LocalLake
from energy_analytics.pipeline import check_settings
from energy_analytics.settings import Settings, load_settings
from energy_analytics.tariff import TariffError

NIGHT = """
name = "Night"
currency = "EUR"
source = "price sheet of 1 January 2026"
[[version]]
fixed_per_day = 0.50
[[version.period]]
name = "night"
price_per_kwh = 0.10
when = [{ hours = "00:00-06:00" }]
[[version.period]]
name = "day"
price_per_kwh = 0.30
[[version.tax]]
name = "VAT"
percent = 10
"""
FLAT = """
name = "Flat"
currency = "EUR"
source = "made up"
[[version]]
price_per_kwh = 0.20
export_price_per_kwh = 0.05
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with two tariffs, a settings file that names one, and three days of an oven at 1 kWh an hour."""
    (tmp_path / "night.toml").write_text(NIGHT)
    (tmp_path / "flat.toml").write_text(FLAT)
    (tmp_path / "energy.toml").write_text('tariff_file = "night.toml"\n')
    (tmp_path / "a.csv").write_text(HEADER + hourly_rows("2026-04-01", hours=72))
    return tmp_path


def run_json(place: Path, *arguments: str) -> dict[str, Any]:
    done = energy("run", *arguments, "--json", folder=place)
    assert done.returncode == 0, done.stderr
    manifest: dict[str, Any] = json.loads(done.stdout)
    return manifest


@pytest.mark.slow
def test_a_run_and_a_bill_tell_the_same_golden_amounts(place: Path) -> None:
    """18 kWh at 0.10 and 54 at 0.30 are 18.00, three days 1.50, VAT 1.95; energy alone with its VAT 19.80."""
    manifest = run_json(place, "a.csv")
    money = manifest["results"]["money"]
    assert (money["cost"], money["bill"]["total"]) == (19.8, 21.45)
    assert money["by_appliance"] == [{"appliance": "Oven", "cost": 19.8, "co2_kg": 15.408}]
    assert money["bill"]["months"] == [{"month": "2026-04", "kwh": 72.0, "total": 21.45}]
    assert money["tariff"]["terms"] == "0.10 to 0.30 EUR per kWh before taxes (Night)"
    assert money["tariff"]["mean_price_per_kwh"] == 0.275
    assert manifest["settings"]["tariff_file"] == "night.toml"
    assert re.fullmatch("[0-9a-f]{64}", manifest["settings"]["money_sha256"]["night.toml"])
    made = json.loads(energy("bill", "--json", folder=place).stdout)
    assert (made["total"], made["tariff"], made["currency"]) == ("21.45", "Night", "EUR")
    assert [line["amount"] for line in made["months"][0]["lines"]] == ["1.80", "16.20", "1.50", "1.95"]
    shown = energy("bill", folder=place).stdout
    for line in (
        "Energy, night +18 kWh +0.10 EUR +1.80 EUR",
        "VAT +10 % +of 19.50 EUR +1.95 EUR",
        "Total +21.45 EUR for 72",
    ):
        assert re.search(line, shown), shown


def test_the_last_day_is_billed(place: Path) -> None:
    """6 at 0.10 and 18 at 0.30 and 0.50 a day are 6.50, with VAT 7.15."""
    run_json(place, "a.csv")
    days = ("--from", "2026-04-02", "--to", "2026-04-02")
    assert json.loads(energy("bill", *days, "--json", folder=place).stdout)["total"] == "7.15"


@pytest.mark.parametrize(("hour", "end"), [("00:00", "2026-01-01"), ("06:00", "2026-01-02")])
def test_a_meter_read_by_the_month_is_billed_to_the_end_of_its_last_reading(place: Path, hour: str, end: str) -> None:
    rows = "".join(f"2025-{month:02}-01 {hour}:00,Meter,100\n" for month in range(1, 13))
    (place / "year.csv").write_text(HEADER + rows)
    (place / "energy.toml").write_text('tariff_file = "flat.toml"\n')
    results = run_json(place, "year.csv")["results"]
    bill = results["money"]["bill"]
    assert (bill["start"], bill["end"]) == ("2025-01-01", end)
    assert sum(month["kwh"] for month in bill["months"]) == pytest.approx(1200, rel=1e-9)
    assert Decimal(results["money"]["cost"]) == Decimal("240.00")


@pytest.mark.parametrize("minutes", [60, 240, 1440, 7 * 1440])
def test_all_of_a_meter_read_in_the_middle_of_the_day_is_billed(place: Path, minutes: int) -> None:
    """Also under prices that change within the hour."""
    at = [datetime(2026, 4, 1, 23, 30) + timedelta(minutes=minutes * number) for number in range(25)]
    (place / "meter.csv").write_text(HEADER + "".join(f"{moment},Meter,2\n" for moment in at))
    (place / "night.toml").write_text(NIGHT.replace("06:00", "05:30"))
    bill = run_json(place, "meter.csv")["results"]["money"]["bill"]
    assert sum(month["kwh"] for month in bill["months"]) == pytest.approx(50, rel=1e-9)


@pytest.mark.parametrize(
    ("day", "total"),
    # The skipped hour is one of the night's: 5 x 0.10 + 18 x 0.30 + 0.50. The repeated one too: 7 x 0.10 + ...
    [("2026-03-29", "7.04"), ("2026-10-25", "7.26")],
)
def test_days_of_23_and_25_hours(place: Path, day: str, total: str) -> None:
    zone = ZoneInfo("Europe/Paris")
    (place / "energy.toml").write_text('tariff_file = "night.toml"\ntimezone = "Europe/Paris"\n')
    moment = datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(ZoneInfo("UTC"))
    rows = []
    while moment.astimezone(zone).date() == date.fromisoformat(day):
        rows.append(f"{moment.isoformat()},Oven,1.0\n")
        moment += timedelta(hours=1)
    (place / "a.csv").write_text(HEADER + "".join(rows))
    assert f"{run_json(place, 'a.csv')['results']['money']['bill']['total']:.2f}" == total
    assert json.loads(energy("bill", "--json", folder=place).stdout)["total"] == total


def test_the_report_names_the_tariff_and_the_assumptions(place: Path) -> None:
    """The oven takes 0.5 kWh an hour, and the dishwasher 1.2 kWh at 19:00 and at 20:00, for 28 days."""
    rows = hourly_rows("2026-03-01", hours=24 * 28, kwh=0.5)
    for day, hour in product(range(1, 29), range(24)):
        rows += f"2026-03-{day:02} {hour:02}:00:00,Dishwasher,{1.2 if hour in (19, 20) else 0}\n"
    (place / "long.csv").write_text(HEADER + rows)
    (place / "energy.toml").write_text('tariff_file = "night.toml"\ncompare_tariffs = ["flat.toml"]\n')
    manifest = run_json(place, "long.csv")
    plain, page = (
        " ".join((place / "lake" / manifest["outputs"][kind]).read_text("utf-8").split())
        for kind in ("report_text", "report_html")
    )
    # 84 kWh at 0.10 are 8.40, 319.2 at 0.30 95.76, 28 days 14.00 and VAT 11.82: 129.98. Flat: 403.2 at 0.20.
    assert "Price: Night, after price sheet of 1 January 2026." in plain
    assert "Mar 2026 403 kWh 129.98 EUR" in plain
    assert "Flat: 80.64 EUR, 49.34 EUR less (38 %)" in plain
    assert "214 g of CO2 per kWh (EU average, 2023), an assumption" in plain
    # 67.2 kWh at 0.30 and VAT are 22.18, at 0.10 7.39.
    assert "Dishwasher would have cost 14.79 EUR less from 1 March 2026 to 28 March 2026: 193 EUR in a year" in plain
    assert "Dishwasher, 2.40 kWh a day, most at 19:00, 20:00: better at 00:00, 01:00, 193 EUR a year" in plain
    # All 31 days: 93 kWh at 0.10, 353.4 at 0.30, 15.50 and VAT 13.08 are 143.90.
    assert "Bill of March 2026 144 EUR (" in plain
    assert "The bill of March 2026 is expected to be 144 EUR (" in plain
    for told_there in ("Bills by month (Night)", "129.98\N{NO-BREAK SPACE}EUR", "Appliances that can wait"):
        assert told_there.replace("\N{NO-BREAK SPACE}", " ") in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "<title>Saturday 28 March 2026: 14.4 kWh, 4.09 EUR, 3.08 kg of CO2</title>" in page
    assert "<title>Sunday 29 March 2026, forecast: 14.4 kWh, 4.09 EUR (" in page


def test_the_default_price_is_named_as_an_assumption(place: Path) -> None:
    (place / "energy.toml").write_text("")
    done = energy("run", "a.csv", folder=place)
    assert "20.68 EUR" in done.stdout  # 72 x 0.2872
    assert "Price     0.2872 EUR per kWh (EU household average, first half of 2025), an assumption" in done.stdout
    report = energy("report", folder=place).stdout
    assert "an assumption; set tariff_file, or price_per_kwh" in " ".join(report.split())


def test_a_household_price_is_not_put_on_a_factory(place: Path) -> None:
    (place / "energy.toml").write_text("")
    (place / "a.csv").write_text(HEADER + hourly_rows("2026-04-01", hours=72, kwh=50.0))
    manifest = run_json(place, "a.csv")
    money = manifest["results"]["money"]
    assert (money["cost"], money["bill"], money["carbon"]["kg"]) == (None, None, pytest.approx(770.4))
    assert "up to 100 MWh a year, and this one uses 438 MWh" in money["unpriced"]
    report = (place / "lake" / manifest["outputs"]["report_text"]).read_text("utf-8")
    assert "No cost is told" in report
    assert "EUR" not in report


def test_the_week_ahead_costs_the_same_wherever_it_is_told(tmp_path: Path) -> None:
    """Prices rose on 15 April, so the mean of the readings is not what the coming days cost: 168 kWh at 0.40."""
    (tmp_path / "risen.toml").write_text(
        'name = "Risen"\ncurrency = "EUR"\nsource = "made up"\n'
        "[[version]]\nvalid_to = 2026-04-15\nprice_per_kwh = 0.10\n"
        "[[version]]\nvalid_from = 2026-04-15\nprice_per_kwh = 0.40\n"
    )
    settings = QUICK.model_copy(update={"tariff_file": tmp_path / "risen.toml"})
    opened = LocalLake(tmp_path / "lake")
    manifest = run_one(opened, arrive(opened, "raw/a.csv", hourly_rows("2026-04-01", hours=28 * 24)), settings=settings)
    (found,) = [one for one in manifest["results"]["findings"] if one["kind"] == "forecast"]
    assert found["figures"]["cost"] == pytest.approx(67.2)
    report = " ".join(opened.read(manifest["outputs"]["report_text"]).decode().split())
    assert "The next 7 days should take about 168 kWh (67.20 EUR)" in report
    assert "Their energy costs about 67.20 EUR" in report


def test_a_single_day_is_not_told_as_from_itself_to_itself(tmp_path: Path) -> None:
    opened = LocalLake(tmp_path / "lake")
    manifest = run_one(opened, arrive(opened, "raw/a.csv", hourly_rows("2026-04-01", hours=24)))
    told = opened.read(manifest["outputs"]["report_text"]).decode()
    assert "6.89 EUR, 1 April 2026\n" in told
    assert "1 April 2026 to 1 April 2026" not in told + opened.read(manifest["outputs"]["report_html"]).decode()


@pytest.mark.slow
def test_what_is_fed_in_earns_and_is_no_use(place: Path) -> None:
    (place / "energy.toml").write_text('tariff_file = "flat.toml"\nexport_appliances = ["Roof"]\n')
    with (place / "a.csv").open("a") as file:
        file.write(hourly_rows("2026-04-01", hours=72, appliance="Roof", kwh=5.0))
    manifest = run_json(place, "a.csv")
    results = manifest["results"]
    assert results["total_kwh"] == 72
    assert [one["appliance"] for one in results["appliances"]] == ["Oven"]
    report = (place / "lake" / manifest["outputs"]["report_text"]).read_text("utf-8")
    assert "Cost of energy      14.40 EUR at 0.20 EUR per kWh (Flat)" in report
    assert results["forecast"]["kwh"] == pytest.approx(7 * 24)
    assert results["money"]["bill"]["fed_in_kwh"] == 360
    assert {one["appliance"]: one["cost"] for one in results["money"]["by_appliance"]} == {"Oven": 14.4, "Roof": -18.0}
    assert results["money"]["bill"]["total"] == -3.6
    # Of April's 30 days 3 are read and 27 forecast: 24 x 0.20 less 120 x 0.05 a day.
    assert results["money"]["expected"]["total"] == -36.0
    shown = energy("run", "a.csv", folder=place).stdout
    assert "Fed in    360 kWh, 18.00 EUR" in shown
    (place / "energy.toml").write_text('export_appliances = ["Roof", "Oven"]\n')
    assert "names every register" in told(energy("run", "a.csv", folder=place))


def test_each_site_has_its_own_terms(tmp_path: Path) -> None:
    (tmp_path / "night.toml").write_text(NIGHT)
    (tmp_path / "grid.csv").write_text("timestamp,g_per_kwh\n2026-04-01 00:00,100\n")
    settings = Settings(
        price_per_kwh=0.5,
        currency="CHF",
        g_per_kwh=50.0,
        sites={
            "a": {"tariff_file": tmp_path / "night.toml", "carbon_file": tmp_path / "grid.csv"},
            "b": {"price_per_kwh": 0.4},
        },
    )
    check_settings(settings)
    own = settings.for_site("a")
    assert (own.price_per_kwh, own.currency, own.g_per_kwh) == (None, None, None)
    assert (settings.for_site("b").price_per_kwh, settings.for_site("b").currency) == (0.4, "CHF")
    turned = Settings(
        tariff_file=tmp_path / "night.toml", sites={"a": {"price_per_kwh": 0.4, "currency": "CHF", "g_per_kwh": 1.0}}
    )
    assert turned.for_site("a").tariff_file is None
    check_settings(turned)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ('tariff_file = "wrong.toml"', r"no period has a price for 23:00 to 24:00"),
        ('tariff_file = "absent.toml"', r"The tariff file absent.toml cannot be read"),
        ('tariff_file = "night.toml"\nprice_per_kwh = 0.2\ncurrency = "EUR"', r"Both tariff_file"),
        ('tariff_file = "night.toml"\ncompare_tariffs = ["chf.toml"]', r"different currencies cannot be compared"),
        ('carbon_file = "night.toml"', r"expected are timestamp,g_per_kwh"),
        ("g_per_kwh = -1", r"g_per_kwh = -1"),
        ('[deferrable.Oven]\nlike = "rocket"', r"like = 'rocket' is none of"),
        ('[sites.b]\ntariff_file = "wrong.toml"', r"no period has a price"),
    ],
)
def test_wrong_terms_are_told_in_a_sentence_before_anything_is_uploaded(
    place: Path, settings: str, sentence: str
) -> None:
    (place / "wrong.toml").write_text(NIGHT.replace('name = "day"', 'name = "day"\nwhen = [{ hours = "06:00-23:00" }]'))
    (place / "chf.toml").write_text(FLAT.replace("EUR", "CHF"))
    (place / "energy.toml").write_text(settings)
    assert re.search(sentence, told(energy("run", "a.csv", folder=place)))
    assert not (place / "lake").exists() or not state(place / "lake", without=())


@pytest.mark.slow
def test_tariffs_are_checked_and_compared(place: Path) -> None:
    run_json(place, "a.csv")
    (place / "wrong.toml").write_text(NIGHT.replace("0.10", "-1"))
    checked = energy("tariffs", "check", "night.toml", "wrong.toml", folder=place)
    assert "night.toml: no fault found" in checked.stdout
    assert "wrong.toml" in told(checked)
    shown = energy("tariffs", "compare", "flat.toml", folder=place).stdout
    assert re.search(r"Flat +14.40 EUR +7.05 EUR +33 %", shown)  # 72 x 0.20
    assert re.search(r"Night +21.45 EUR +current", shown)
    answer = json.loads(energy("tariffs", "compare", "flat.toml", "--json", folder=place).stdout)
    assert [one["saving"] for one in answer["tariffs"]] == ["7.05", "0.00"]
    assert "no tariff to compare with" in told(energy("tariffs", "compare", folder=place))
    for days in (("--from", "2026-05-01"), ("--to", "2026-03-01"), ("--from", "2026-04-03", "--to", "2026-04-02")):
        assert "nothing to bill" in told(energy("bill", *days, folder=place))


def test_the_same_run_gives_the_same_bytes(place: Path) -> None:
    (place / "energy.toml").write_text(
        'tariff_file = "night.toml"\ncompare_tariffs = ["flat.toml"]\n[deferrable.Oven]\nrun_hours = 3\n'
    )
    run_json(place, "a.csv")
    once = state(place / "lake")
    run_json(place, "a.csv")
    assert state(place / "lake") == once


def test_a_bill_needs_the_readings_as_they_are_set_now(place: Path) -> None:
    run_json(place, "a.csv")
    (place / "energy.toml").write_text('tariff_file = "night.toml"\ntimezone = "Europe/Paris"\n')
    assert "read with another timezone" in told(energy("bill", folder=place))


def test_bills_of_a_lake_of_either_kind(lake: Lake, tmp_path: Path) -> None:  # noqa: F811
    """Two uploads of which the later corrects a day: 24 x 2 kWh and 24 x 1 kWh at 0.20."""
    (tmp_path / "flat.toml").write_text(FLAT)
    (tmp_path / "night.toml").write_text(NIGHT)
    settings = Settings(model="moving_average", tariff_file=tmp_path / "flat.toml")
    run_one(lake, arrive(lake, "raw/plant/a.csv", hourly_rows("2026-04-01", hours=48)), settings=settings)
    run_one(lake, arrive(lake, "raw/plant/b.csv", hourly_rows("2026-04-02", hours=24, kwh=2.0)), settings=settings)
    before = [stored.key for stored in lake.list("curated")]
    assert bill_site(lake, "plant", settings).total == Decimal("14.40")
    assert bill_site(lake, "plant", settings, first=date(2026, 4, 2)).total == Decimal("9.60")
    current, found = compare_site(lake, "plant", [tmp_path / "night.toml"], settings)
    assert (current, [one.bill.tariff for one in found]) == ("Flat", ["Flat", "Night"])
    assert [stored.key for stored in lake.list("curated")] == before
    with pytest.raises(LakeError, match="no readings of elsewhere"):
        bill_site(lake, "elsewhere", settings)
    with pytest.raises(TariffError, match="cannot be read"):
        bill_site(lake, "plant", settings, tariff_file=tmp_path / "absent.toml")


def test_the_example_settings_can_be_run() -> None:
    """But for the files that it names as examples."""
    example = load_settings(Path(__file__).parents[1] / "config" / "energy.example.toml")
    root = Path(__file__).parents[1]
    assert example.compare_tariffs is not None
    check_settings(
        example.model_copy(
            update={"temperature_file": None, "compare_tariffs": tuple(root / one for one in example.compare_tariffs)}
        )
    )
