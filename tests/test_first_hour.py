"""What somebody meets who uses it for the first time: each of these was a stumble."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import HEADER, SAMPLE, energy, environment, hourly_rows, told

from energy_analytics.forecasting import MODELS
from energy_analytics.schema import VIEWS

ENDLESS = "SELECT count(*) FROM range(100000000000) t(a) WHERE a % 7 = 3"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose lake has one site, called demo, with a day of readings."""
    place = tmp_path_factory.mktemp("demo")
    (place / "a.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=24))
    assert energy("run", "a.csv", "--site", "demo", folder=place).returncode == 0
    return place


@pytest.mark.parametrize("command", ["report", "bill", "backtest"])
def test_who_leaves_out_the_site_is_told_which_there_are(demo: Path, command: str) -> None:
    message = told(energy(command, folder=demo))
    assert "of the root site" in message
    assert message.endswith("Sites that have: --site demo.")


@pytest.mark.parametrize("command", ["report", "bill", "backtest", "findings"])
def test_before_the_first_run_each_command_says_how_to_make_it(tmp_path: Path, command: str) -> None:
    assert told(energy(command, folder=tmp_path)).endswith("Run a file first: energy run FILE.")
    assert list(tmp_path.iterdir()) == []


def test_findings_of_a_site_that_is_not_there(demo: Path) -> None:
    assert told(energy("findings", "--site", "dem", folder=demo)).endswith("Sites that have: --site demo.")


def test_refused_dates_come_with_the_setting_that_resolves_them(tmp_path: Path) -> None:
    rows = "".join(f"0{day}/02/2026 00:00,Oven,1\n" for day in (1, 3))
    (tmp_path / "a.csv").write_text(HEADER + "02/02/2026 00:00,Oven,1\n" + rows)
    done = energy("run", "a.csv", folder=tmp_path)
    assert "2 rows refused (day and month cannot be told apart 2" in done.stdout
    assert (
        'Set date_order = "DMY" (day first) or "MDY" in energy.toml, or ENERGY_DATE_ORDER. Then run the' in done.stdout
    )
    again = energy("run", "a.csv", folder=tmp_path, variables={"ENERGY_DATE_ORDER": "DMY"})
    assert "cannot be told apart" not in again.stdout


def test_each_failure_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("date;meter;value\n1;2;3\n")
    (tmp_path / "b.csv").write_text(HEADER)
    (tmp_path / "c.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=24))
    assert energy("run", "a.csv", "b.csv", "c.csv", folder=tmp_path).returncode == 1
    listed = energy("results", folder=tmp_path).stdout
    assert "raw/a.csv failed: a.csv, line 1, has the columns date, meter, value;" in listed
    assert "raw/b.csv failed: b.csv has a header in line 1 but no rows below it." in listed


def test_a_workbook_never_gets_into_the_lake(tmp_path: Path) -> None:
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04 and so on")
    for _ in range(2):
        assert told(energy("run", "book.xlsx", folder=tmp_path)).startswith("book.xlsx is a ZIP archive or an Excel")
    assert "holds no run yet" in energy("results", folder=tmp_path).stdout


def test_readings_by_the_day_have_no_peak_hour(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "".join(f"2026-01-{day:02},Oven,{day}\n" for day in range(1, 29)))
    shown = energy("run", "a.csv", folder=tmp_path).stdout
    [oven] = [line for line in shown.splitlines() if line.startswith("Oven")]
    assert "00:00" not in oven


def test_the_list_for_queries_names_all_that_can_be_asked(tmp_path: Path) -> None:
    listed = energy("query", "--list", folder=tmp_path).stdout
    for name, view in VIEWS.items():
        assert f"\n{name} " in listed
        assert f"{name}: {view.meaning}" in listed


def test_help_names_the_models_that_there_are(tmp_path: Path) -> None:
    shown = " ".join(energy("run", "--help", folder=tmp_path).stdout.split())
    named = shown.split("Forecast model: ")[1].split(".")[0]
    assert set(named.replace(" or ", ", ").split(", ")) == set(MODELS)


@pytest.mark.parametrize("arguments", [["backtest", str(SAMPLE)], ["watch"], ["query", ENDLESS]])
def test_ctrl_c_ends_a_command_without_a_word(tmp_path: Path, arguments: list[str]) -> None:
    begun = subprocess.Popen(
        [sys.executable, "-m", "energy_analytics", *arguments],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    while not _catches(begun.pid, signal.SIGTERM):
        time.sleep(0.05)
    time.sleep(2)
    os.killpg(begun.pid, signal.SIGINT)
    _, complaint = begun.communicate(timeout=100)
    # A shell tells both as 130; the second is Python's own, where the signal came while a module was loaded.
    assert begun.returncode in (130, -signal.SIGINT)
    assert complaint == ""


def _catches(process: int, number: int) -> bool:
    """Tell whether the process has begun to handle the signal itself, as `energy` does once it is loaded."""
    caught = Path(f"/proc/{process}/status").read_text().split("SigCgt:")[1].split()[0]
    return bool(int(caught, 16) >> (number - 1) & 1)


@pytest.mark.slow
def test_an_installation_without_a_network_says_what_it_needs(tmp_path: Path) -> None:
    """The last line of pip is `No matching distribution found`, of some library."""
    made = subprocess.run(
        ["make", "install", f"VENV={tmp_path / 'venv'}", f"PYTHON={sys.executable}"],
        cwd=Path(__file__).parents[1],
        env=environment(PIP_NO_INDEX="1", PIP_FIND_LINKS=""),
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode != 0
    assert "They come over the network" in made.stdout and "try again when it can be reached" in made.stdout
    assert not (tmp_path / "venv" / ".installed").exists()


def test_a_port_that_is_taken_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told_of = told(energy("serve", "--port", str(port), folder=tmp_path))
    assert told_of == (
        f"Port {port} of 127.0.0.1 cannot be taken: Address already in use. "
        "Choose another with --port, or 0 for a free one."
    )
