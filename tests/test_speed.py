"""The speed bench itself, with stand-ins for the command that it measures."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

SPEED = Path(__file__).parents[1] / "benchmarks" / "speed.py"

RUN = """
import csv, pathlib, sys
if "--help" in sys.argv:
    raise SystemExit
file, lake = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[4])
totals, counts = {}, {}
with file.open(newline="") as rows:
    for row in csv.DictReader(rows):
        totals[row["appliance"]] = totals.get(row["appliance"], 0.0) + float(row["kwh"])
        counts[row["appliance"]] = counts.get(row["appliance"], 0) + 1
for folder in ("processed", "runs"):
    (lake / folder).mkdir(parents=True)
with (lake / "processed" / "aggregated_1.csv").open("w", newline="") as out:
    writer = csv.writer(out)
    writer.writerow(["appliance", "total_kwh", "count"])
    writer.writerows((name, total, counts[name]) for name, total in totals.items())
(lake / "runs" / "run_1.json").write_text("{}")
"""
READER = RUN.replace("sys.argv[2]", "sys.argv[1]").replace("sys.argv[4]", "sys.argv[2]")


def bench(folder: Path, program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the bench on 2,000 rows against a stand-in."""
    energy = folder / "energy"
    energy.write_text(f"#!{sys.executable} -S\n{dedent(program)}", encoding="utf-8")
    energy.chmod(0o755)
    reader = folder / "reader.py"
    reader.write_text(dedent(READER), encoding="utf-8")
    command = [sys.executable, str(SPEED), "--energy", str(energy), "--folder", str(folder / "bench")]
    command += ["--reader", str(reader)]
    return subprocess.run([*command, "--rows", "2000", *options], capture_output=True, encoding="utf-8", check=False)


def test_a_command_within_the_targets_passes(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    done = bench(tmp_path, RUN, "--only", "help", "--only", "rows-50", "--json", str(figures))
    assert done.returncode == 0, done.stdout + done.stderr
    help_row, seconds, memory, *_ = json.loads(figures.read_text("utf-8"))
    assert (help_row["unit"], seconds["unit"], memory["unit"]) == ("s", "s", "MB")
    assert help_row["script"] is None
    assert memory["ours"] < memory["script"] / 3
    assert "2,000 rows, 50 appliances by the minute" in done.stdout


def test_a_slow_command_misses_its_target(tmp_path: Path) -> None:
    done = bench(tmp_path, "import time; time.sleep(0.4)", "--only", "help")
    assert done.returncode == 1
    assert "MISSED" in done.stdout


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("raise SystemExit('no such option')", "no such option"),
        ("", "0 aggregated files in the lake"),
        (RUN.replace('float(row["kwh"])', '2 * float(row["kwh"])'), "total and count"),
        (RUN.replace("totals.items()", "list(totals.items())[1:]"), "49 appliances aggregated"),
    ],
    ids=["fails", "does nothing", "doubles", "leaves one out"],
)
def test_a_run_that_did_not_do_the_work_is_no_fast_run(tmp_path: Path, program: str, reason: str) -> None:
    done = bench(tmp_path, program, "--only", "rows-50")
    assert done.returncode == 1
    assert reason in done.stdout


def test_ten_times_the_rows_must_all_arrive(tmp_path: Path) -> None:
    assert bench(tmp_path, RUN, "--only", "huge").returncode == 0
    lossy = RUN.replace("totals, counts = {}, {}", "totals, counts = {}, {'Meter 0003': -1}")
    done = bench(tmp_path, lossy, "--only", "huge")
    assert done.returncode == 1
    assert "19,999 readings aggregated of 20,000" in done.stdout


def test_says_when_the_command_is_not_there(tmp_path: Path) -> None:
    command = [sys.executable, str(SPEED), "--energy", str(tmp_path / "energy")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 2
    assert "There is no command" in done.stderr
