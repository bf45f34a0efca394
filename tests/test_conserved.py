"""The check of every lake that tests leave: it compares something, and finds what was lost."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from answers import ByAppliance, as_parquet, differing, read, served, summed, used
from commands import drop, energy, hourly_rows, run_key
from conserved import check_energy, lakes_below
from web.serving import Server

from energy_analytics.lake import LocalLake

TWO_UPLOADS = (hourly_rows("2026-01-01", hours=96), hourly_rows("2026-01-03", hours=96, kwh=0.1))


@pytest.fixture
def two(tmp_path: Path) -> Path:
    for minute, rows in enumerate(TWO_UPLOADS):
        run_key(tmp_path / "lake", drop(tmp_path / "lake", f"raw/home/{minute}.csv", rows, minute=minute))
    return tmp_path / "lake"


def test_a_lake_is_found_and_compared(two: Path) -> None:
    [lake] = lakes_below(two.parent)
    assert check_energy(lake) == 2 * 6 + 3


@pytest.mark.tampered("the point of the test")
@pytest.mark.parametrize("table", ["hourly", "daily"])
def test_a_table_that_is_older_is_found(two: Path, table: str) -> None:
    path = two / "curated" / table / "home" / f"{table}.parquet"
    newer = path.read_bytes()
    run_key(two, drop(two, "raw/home/2.csv", hourly_rows("2026-02-01", hours=24), minute=3))
    assert path.read_bytes() != newer
    path.write_bytes(newer)
    with pytest.raises(AssertionError, match=table):
        check_energy(LocalLake(two))


@pytest.mark.tampered("the point of the test")
def test_a_total_that_is_off_is_found(two: Path) -> None:
    path = next((two / "processed").rglob("*.csv"))
    header, row = path.read_text().splitlines()
    appliance, total, *others = row.split(",")
    path.write_text("\n".join([header, ",".join([appliance, str(float(total) * 1.000001), *others]), ""]))
    with pytest.raises(AssertionError, match=r"processed"):
        check_energy(LocalLake(two))


@pytest.mark.tampered("the point of the test")
@pytest.mark.parametrize(
    ("folder", "wrong", "right", "told"),
    [
        ("processed", "Boiler", "Oven", "processed Boiler"),
        ("reports", "240 kWh", "241 kWh", "does not tell 240 kWh"),
        ("rejected", "raw_text,reason\n", "raw_text,reason\n7,x,y\n", "rejected"),
    ],
)
def test_what_no_total_shows_is_found(tmp_path: Path, folder: str, wrong: str, right: str, told: str) -> None:
    """Totals of two appliances changed over, another total on the page, a refused row too many."""
    rows = hourly_rows("2026-01-01", hours=96) + hourly_rows("2026-01-01", hours=96, kwh=1.5, appliance="Boiler")
    lake = tmp_path / "lake"
    run_key(lake, drop(lake, "raw/a.csv", rows + "2026-01-01 00:30:00,Oven,much\n"))
    check_energy(LocalLake(lake))
    [path] = [one for one in (lake / folder).iterdir() if one.suffix != ".txt"]
    text = path.read_text("utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert wrong in text
    path.write_text(text.replace(right, "\0").replace(wrong, right).replace("\0", wrong), encoding="utf-8")
    with pytest.raises(AssertionError, match=told):
        check_energy(LocalLake(lake))


Truth = dict[tuple[str, str], float]
"""kWh by appliance and instant."""
PARIS = ZoneInfo("Europe/Paris")
OF_HOME = {
    "ENERGY_TIMEZONE": "Europe/Paris",
    "ENERGY_EXPORT_APPLIANCES": '["Solar"]',
    "ENERGY_PRICE_PER_KWH": "0.31",
    "ENERGY_CURRENCY": "EUR",
}
SCALES = {"Oven": 1 / 3, "Kühlschrank, alt": 1e-4, "Solar": 0.7, "Boiler": 1234.5678901}
STEPS = {"Oven": 60, "Kühlschrank, alt": 15, "Solar": 30, "Boiler": 60}


def rows_of(first: str, days: int, appliances: Sequence[str], truth: Truth, *, wall: bool, factor: float = 1.0) -> str:
    """Write readings with offsets, or as wall time; the later of an interval counts in `truth`."""
    start = datetime.fromisoformat(first).replace(tzinfo=PARIS).astimezone(UTC)
    rows = []
    for appliance in appliances:
        step = timedelta(minutes=STEPS[appliance])
        for n in range(int(timedelta(days=days) / step)):
            at, kwh = (start + n * step), SCALES[appliance] * factor * (1 + n % 7 + n / 1000)
            local = at.astimezone(PARIS)
            told = local.replace(tzinfo=None).isoformat(sep=" ") if wall else local.isoformat()
            rows.append(f'{told},"{appliance}",{kwh!r}\n')
            truth[appliance, at.isoformat()] = kwh
    return "".join(rows)


@pytest.fixture
def home(tmp_path: Path) -> tuple[Path, ByAppliance]:
    """Two uploads that overlap over an autumn night of 25 hours, the first corrected later; refused rows; feed-in."""
    truth: Truth = {}
    (tmp_path / "lake").mkdir()
    bad = "2025-10-20 00:00:00,Oven,much\n2025-10-20 00:00:00,,1\n2025-10-20 01:00:00,Oven,-1\n"
    for minute, (name, first, days, factor) in enumerate(
        [
            ("a", "2025-10-20", 9, 1.0),
            ("b", "2025-10-25", 9, 2.0),
            ("a", "2025-10-24", 4, 3.0),
            ("c", "2026-03-27", 4, 1.0),
        ]
    ):
        if (name, minute) == ("a", 2):  # What its first version gave counts no more, but where b has given it too.
            truth = {}
            rows_of("2025-10-25", 9, [*SCALES], truth, wall=False, factor=2.0)
        rows = rows_of(first, days, [*SCALES], truth, wall=False, factor=factor)
        drop(tmp_path / "lake", f"raw/home/{name}.csv", rows + bad, minute=minute)
        done = energy("run", f"lake/raw/home/{name}.csv", folder=tmp_path, variables=OF_HOME)
        assert done.returncode == 0, done.stderr
    return tmp_path, summed((appliance, kwh) for (appliance, _), kwh in truth.items())


@pytest.mark.slow
def test_every_answer_adds_up_to_what_was_put_in(home: tuple[Path, ByAppliance]) -> None:
    folder, truth = home
    without_exports = {name: kwh for name, kwh in truth.items() if name != "Solar"}
    assert differing(read(folder, "home"), truth) == []
    assert differing(used(folder, "home"), without_exports) == []
    total = math.fsum(without_exports.values())
    days = ("--from", "2025-10-20", "--to", "2026-03-31")
    done = energy("bill", "--site", "home", *days, "--json", folder=folder, variables=OF_HOME)
    assert done.returncode == 0, done.stderr
    bill = json.loads(done.stdout)
    assert float(bill["kwh"]) == pytest.approx(total, rel=1e-9)
    assert math.fsum(float(month["kwh"]) for month in bill["months"]) == pytest.approx(total, rel=1e-9)
    assert float(bill["exported_kwh"]) == pytest.approx(truth["Solar"], rel=1e-9)
    server = Server(folder, **OF_HOME)
    try:
        span = "from=2025-10-20&to=2026-04-01"
        assert differing(served(server, "home", span), without_exports) == []
        assert differing([("Parquet", as_parquet(server, "home", span, folder))], without_exports) == []
    finally:
        server.end()
