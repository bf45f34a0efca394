"""The reference figures: still those of the sample, and right on a file small enough to work out by hand."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample" / "household_power_hourly.csv.gz"
FIGURES = ROOT / "tests" / "golden" / "household_power_hourly.json"
SCRIPT = ROOT / "tests" / "golden" / "work_out.py"


def work_out(file: Path, *, step_minutes: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(file), "--step-minutes", str(step_minutes)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def figures_of(file: Path, rows: list[str], *, step_minutes: int) -> dict[str, Any]:
    file.write_text("\n".join(["timestamp,appliance,kwh", *rows, ""]), encoding="utf-8")
    done = work_out(file, step_minutes=step_minutes)
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def test_figures_belong_to_the_sample_in_the_repository() -> None:
    assert json.loads(work_out(SAMPLE, step_minutes=60).stdout) == json.loads(FIGURES.read_text("utf-8"))


def test_sample_is_unchanged() -> None:
    figures = json.loads(FIGURES.read_text("utf-8"))
    assert hashlib.sha256(SAMPLE.read_bytes()).hexdigest() == figures["source"]["sha256"]
    assert figures["site"]["readings"] == 136_340


def test_mean_deviation_and_flags_of_ten_readings(tmp_path: Path) -> None:
    """Nine readings of 1 and one of 11: mean 2, squares 9 x 1 + 81 = 90, over 9 is 10; 11 > 2 + 2 x 3.16."""
    rows = [f"2024-05-01 {hour:02}:00:00,Oven,{11 if hour == 4 else 1}" for hour in range(10)]
    figures = figures_of(tmp_path / "ten.csv", rows, step_minutes=60)
    oven = figures["appliances"]["Oven"]
    assert (oven["total_kwh"], oven["avg_kwh"], oven["count"], oven["peak_hour"]) == (20, 2, 10, 4)
    assert oven["std_kwh"] == 3.16227766
    assert oven["threshold_kwh"] == 8.32455532
    assert oven["readings_above_threshold"] == 1
    assert figures["highest_z_scores"][0]["z_score"] == 2.846049894


def test_a_day_is_complete_at_95_percent_of_its_half_hours(tmp_path: Path) -> None:
    """46 of 48 half hours are 95.8 %, 45 are 93.75 %; the second day's gap does not touch the first."""
    rows = []
    for day, missing in (("2024-05-01", {7, 30}), ("2024-05-02", {7, 8, 30})):
        rows += [f"{day} {slot // 2:02}:{slot % 2 * 30:02}:00,Oven,0.1" for slot in range(48) if slot not in missing]
    figures = figures_of(tmp_path / "days.csv", rows, step_minutes=30)
    assert figures["first_complete_days_kwh"] == {"2024-05-01": 4.6}
    assert figures["site"]["days_with_readings"] == 2
    assert figures["appliances"]["Oven"]["gaps"] == 4
    assert figures["appliances"]["Oven"]["missing_intervals"] == 5


def test_an_appliance_is_expected_only_between_its_first_and_last_day(tmp_path: Path) -> None:
    """The heater lives on the second day alone, so the first is complete without it and the third too."""
    rows = [f"2024-05-{day:02} {hour:02}:00:00,Oven,1" for day in (1, 2, 3) for hour in range(24)]
    rows += ["2024-05-02 06:00:00,Heater,2"]
    figures = figures_of(tmp_path / "lives.csv", rows, step_minutes=60)
    assert figures["first_complete_days_kwh"] == {"2024-05-01": 24, "2024-05-03": 24}
    assert figures["appliances"]["Heater"]["std_kwh"] is None


def test_of_equal_hours_the_smallest_is_the_peak(tmp_path: Path) -> None:
    rows = [f"2024-05-01 {hour:02}:00:00,Oven,{kwh}" for hour, kwh in ((3, 0.1), (9, 0.3), (7, 0.3))]
    assert figures_of(tmp_path / "ties.csv", rows, step_minutes=60)["appliances"]["Oven"]["peak_hour"] == 7


def test_refuses_a_file_that_needs_a_judgement(tmp_path: Path) -> None:
    file = tmp_path / "twice.csv"
    file.write_text("timestamp,appliance,kwh\n" + "2024-05-01 00:00:00,Oven,1\n" * 2, encoding="utf-8")
    done = work_out(file, step_minutes=60)
    assert done.returncode != 0
    assert "two readings" in done.stderr
