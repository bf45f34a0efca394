"""The whole story on a lake: generate, upload, wait, verify, show. `python tests/test_pipeline.py` acts on your own."""

import csv
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SITE = "pipeline-test"
COLUMNS = {
    "processed": ["appliance", "total_kwh", "avg_kwh", "std_kwh", "count", "peak_hour"],
    "forecast": ["ds", "yhat", "yhat_lower", "yhat_upper"],
    "anomalies": ["timestamp", "appliance", "kwh", "threshold", "z_score"],
}
APPLIANCES = {"AC", "Refrigerator", "Heater", "Washing Machine"}


class StepFailedError(Exception):
    """A step of the story did not do what it should."""


def energy(*arguments: str) -> str:
    sources = os.pathsep.join([str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "energy_analytics", *arguments],
        env=os.environ | {"PYTHONPATH": sources},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise StepFailedError(f"energy {arguments[0]} ended with exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def expect(truth: bool, otherwise: str) -> None:
    if not truth:
        raise StepFailedError(otherwise)


def tell_story(lake: str, folder: Path) -> str:
    """Go through the five steps on a lake, and return the report. Raises StepFailedError."""
    sys.path.insert(0, str(ROOT / "src"))
    from energy_analytics.lake import open_lake

    print("1. Generate 30 days")  # noqa: T201
    energy("generate", "--days", "30", "--out", str(folder), "--end", "2026-03-31")
    upload = folder / "energy_data.csv"
    with upload.open(encoding="utf-8") as file:
        readings = list(csv.DictReader(file))
    expect(len(readings) == 30 * 24 * 4, f"{upload} has {len(readings)} readings, not 2,880.")

    print(f"2. Upload to {lake}/raw/{SITE}/")  # noqa: T201
    energy("upload", str(upload), "--site", SITE, "--lake", lake)

    print("3. Wait for the run")  # noqa: T201
    manifest = json.loads(energy("upload", str(upload), "--site", SITE, "--lake", lake, "--wait", "--json"))
    expect(manifest["status"] == "succeeded", f"The run failed: {manifest['error']}")
    energy("results", "--site", SITE, "--wait", "--lake", lake)

    print("4. Verify the outputs")  # noqa: T201
    opened = open_lake(lake)
    tables = {}
    for prefix, columns in COLUMNS.items():
        key = manifest["outputs"][prefix]
        expect(key.rpartition("/")[0] == f"{prefix}/{SITE}", f"{key} is not under {prefix}/{SITE}/.")
        rows = csv.DictReader(io.StringIO(opened.read(key).decode()))
        tables[prefix] = list(rows)
        expect(rows.fieldnames == columns, f"{key} has the columns {rows.fieldnames}, not {columns}.")
    expect({row["appliance"] for row in tables["processed"]} == APPLIANCES, "Not every appliance was added up.")
    total = sum(float(row["total_kwh"]) for row in tables["processed"])
    given = sum(float(row["kwh"]) for row in readings)
    expect(abs(total - given) < 1e-6, f"The totals are {total} kWh; {given} kWh were uploaded.")
    expect(
        [row["ds"] for row in tables["forecast"]] == [f"2026-04-0{day}" for day in range(1, 8)],
        "The forecast is not of the seven days after the last.",
    )
    expect(len(tables["anomalies"]) > 0, "Known faults are in the data, but no anomaly was found.")
    page = opened.read(manifest["outputs"]["report_html"]).decode()
    expect("<svg" in page, "The report page has no chart.")

    print("5. Show the report")  # noqa: T201
    report = energy("report", "--site", SITE, "--lake", lake)
    expect(report == opened.read(manifest["outputs"]["report_text"]).decode(), "It is not the newest.")
    print(report)  # noqa: T201
    return report


@pytest.mark.slow
def test_story_can_be_told_twice_on_one_lake(tmp_path: Path) -> None:
    report = tell_story(str(tmp_path / "lake"), tmp_path)
    for appliance in APPLIANCES:
        assert appliance in report
    assert tell_story(str(tmp_path / "lake"), tmp_path) == report


def test_script_fails_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, __file__],
        env=os.environ | {"ENERGY_LAKE": str(tmp_path / "file"), "PYTHONPATH": str(ROOT / "src")},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert "a lake is a folder" in done.stderr
    assert "Traceback" not in done.stderr


def configured_lake() -> str:
    """Return the lake of the environment, energy.toml, deployment.json, or ./lake; its session is in use from here."""
    from energy_analytics.commands.opening import open_configured

    return open_configured(None).settings.lake


if __name__ == "__main__":
    made = ROOT / ".venv" / "bin" / "python"
    if importlib.util.find_spec("duckdb") is None and made.is_file():
        os.execv(made, [str(made), *sys.argv])  # noqa: S606 - this script, where the libraries are
    sys.path.insert(0, str(ROOT / "src"))
    from energy_analytics.lake import LakeError
    from energy_analytics.settings import SettingsError

    try:
        with tempfile.TemporaryDirectory() as name:
            tell_story(configured_lake(), Path(name))
    except (StepFailedError, LakeError, SettingsError) as error:
        sys.exit(f"The pipeline test failed. {error}")
    print("The pipeline test passed.")  # noqa: T201
