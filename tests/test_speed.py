"""The speed bench itself: with stand-ins for the command that it measures, and once with the command."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

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


def measured(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the bench on few rows, with what it keeps in the folder."""
    command = [sys.executable, "-m", "benchmarks.speed", "--quick", "--folder", str(folder / "bench"), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)


def bench(folder: Path, program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the bench against a stand-in."""
    energy = folder / "energy"
    energy.write_text(f"#!{sys.executable} -S\n{dedent(program)}", encoding="utf-8")
    energy.chmod(0o755)
    reader = folder / "reader.py"
    reader.write_text(dedent(READER), encoding="utf-8")
    return measured(folder, "--energy", str(energy), "--reader", str(reader), *options)


def figures_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


@pytest.mark.slow
def test_a_command_within_the_targets_passes(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    done = bench(tmp_path, RUN, "--only", "rows-tenth", "--json", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    told = figures_of(path)
    programs = told["rows-tenth"]["figures"]["programs"]
    ours, parser = programs["energy run, everything"], programs["DuckDB's CSV parser alone"]
    assert ours["peak_mb"] < parser["peak_mb"] / 2
    assert ours["cpu_seconds"] > 0
    assert 0 < ours["wall_seconds"] < parser["wall_seconds"]
    assert "2,000 rows, 50 appliances by the minute" in done.stdout
    assert told["rows-tenth"]["circumstances"]["machine"].count(" of memory") == 1


def test_a_slow_command_misses_its_target(tmp_path: Path) -> None:
    done = bench(tmp_path, "import time; time.sleep(0.4)", "--only", "help")
    assert done.returncode == 1
    assert "MISSED" in done.stdout


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("raise SystemExit('no such option')", "no such option"),
        ("", "0 aggregated files in the lake"),
        (RUN.replace('float(row["kwh"])', '2 * float(row["kwh"])'), "Meter 0000: total_kwh is "),
        (RUN.replace("totals.items()", "list(totals.items())[1:]"), "49 appliances aggregated, the rival has 50"),
        (RUN.replace("totals, counts = {}, {}", "totals, counts = {}, {'Meter 0003': -1}"), "Meter 0003: count is 39"),
    ],
    ids=["fails", "does nothing", "doubles", "leaves an appliance out", "leaves a reading out"],
)
def test_a_run_that_did_not_do_the_work_is_no_fast_run(tmp_path: Path, program: str, reason: str) -> None:
    done = bench(tmp_path, program, "--only", "rows-tenth")
    assert done.returncode == 1
    assert reason in done.stdout


def test_memory_is_measured_of_whole_runs_only(tmp_path: Path) -> None:
    assert bench(tmp_path, RUN, "--only", "memory").returncode == 0
    lossy = RUN.replace("totals, counts = {}, {}", "totals, counts = {}, {'Meter 0003': -1}")
    done = bench(tmp_path, lossy, "--only", "memory")
    assert done.returncode == 1
    assert "1,999 readings aggregated of 2,000" in done.stdout


@pytest.mark.slow
def test_the_page_keeps_its_words_and_earlier_measurements(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Title\n<!-- measured: claims -->\nold\n<!-- end -->\nWords.\n"
        "<!-- measured: help -->\nold\n<!-- end -->\n<!-- measured: rows-tenth -->\nkept\n<!-- end -->\nEnd.\n",
        encoding="utf-8",
    )
    bench(tmp_path, "import time; time.sleep(0.4)", "--only", "help", "--markdown", str(page))
    text = page.read_text("utf-8")
    assert "| energy --help | 0." in text
    assert "| under 0.3 s | **missed** |" in text
    assert "Words." in text
    assert "kept\n<!-- end -->\nEnd.\n" in text
    assert "\nold\n" not in text
    assert str(tmp_path) not in text
    bench(tmp_path, RUN, "--only", "rows-tenth", "--markdown", str(page))
    text = page.read_text("utf-8")
    assert "**missed**" in text
    assert "| DuckDB, read and aggregate |" in text


def test_the_page_has_a_place_for_each_case() -> None:
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    listed = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed", "--list"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout.split()
    assert len(listed) > 10
    for name in ("claims", *listed):
        assert page.count(f"<!-- measured: {name} -->\n") == 1, name


def test_says_when_the_command_is_not_there(tmp_path: Path) -> None:
    done = measured(tmp_path, "--energy", str(tmp_path / "energy"))
    assert done.returncode == 2
    assert "There is no command" in done.stderr


@pytest.mark.slow
def test_measures_the_command_itself(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    cases = ("rows", "stages", "incremental", "memory", "sites")
    done = measured(tmp_path, *(part for case in cases for part in ("--only", case)), "--json", str(path))
    told = figures_of(path)
    assert list(told) == list(cases)
    assert not any(claim["note"] for case in told.values() for claim in case["claims"]), done.stdout
    stages = told["stages"]["figures"]["stages"]
    assert {"Loading the program", "Reading", "Adding up"} <= set(stages)
    assert all(stage["peak_mb"] > 20 and stage["wall_seconds"] > 0 for stage in stages.values())


@pytest.mark.slow
def test_a_site_made_in_part_is_one_made_by_runs_to_the_next_run(tmp_path: Path) -> None:
    def made(every: int) -> tuple[Path, Path]:
        days, lake = tmp_path / "days", tmp_path / f"lake-{every}"
        module = [sys.executable, "-m", "benchmarks.speed.old_site", str(lake), str(days), "--every", str(every)]
        subprocess.run(module, cwd=ROOT, check=True, capture_output=True)
        return lake, tmp_path / "next" / "2020-01-25.csv"

    shape = ["--appliances", "2", "--step-minutes", "60"]
    inputs = [sys.executable, "-m", "benchmarks.speed.inputs"]
    for name, first, count in (("days", 0, 24), ("next", 24, 1)):
        options = ["--first-day", str(first), "--days", str(count), *shape]
        subprocess.run([*inputs, str(tmp_path / name), *options], cwd=ROOT, check=True)
    left = []
    for every in (1, 8):
        lake, day = made(every)
        before = {path: path.stat().st_mtime_ns for path in lake.rglob("*") if path.is_file()}
        energy = Path(sys.executable).with_name("energy")
        command = [str(energy), "run", str(day), "--site", "home", "--lake", str(lake)]
        subprocess.run(command, check=True, capture_output=True)
        newest = sorted((lake / "runs" / "home").glob("run_*.json"))[-1]
        manifest = json.loads(newest.read_text("utf-8"))
        again = [path for path, at in before.items() if path.match("run_*.json") and path.stat().st_mtime_ns != at]
        assert not again, "no earlier run was due"
        left.append((len(list((lake / "runs" / "home").glob("run_*.json"))), manifest["results"], manifest["history"]))
    assert left[0] == left[1]
