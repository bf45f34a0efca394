"""The specification's story on AWS: deploy, upload, the results, the questions; all as on a local lake."""

import csv
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from commands import ROOT, SAMPLE, told
from real_deployment import Deployment, contents, lead

from energy_analytics.aws import athena
from energy_analytics.lake import LocalLake
from energy_analytics.query import Rows, named_queries, query
from energy_analytics.schema import TABLES, VIEWS

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.slow]

GERMAN = "timestamp;appliance;kwh\n" + "".join(
    f"{day:02}.02.2026 {hour:02}:00;Küche, {room};{hour + room},{day % 10}\n"
    for room in (1, 2)
    for day in range(7, 17)
    for hour in range(24)
)
NEWER = {
    "readings": "WHERE timestamp >= DATE '2026-01-01'",
    "readings_data": "WHERE timestamp >= DATE '2026-01-01'",
    "hourly": "WHERE hour >= DATE '2026-01-01'",
}
"""Of the sample's hundreds of thousands of rows the named queries ask."""
GENERATED = ("AC", "Heater", "Refrigerator", "Washing Machine")


@dataclass(frozen=True)
class Story:
    """What the commands have said, the lake on AWS, and its twin: the same uploads run in a folder."""

    owner: Deployment
    said: dict[str, str]
    lake: dict[str, Any]
    twin: LocalLake
    twin_lake: dict[str, Any]


@pytest.fixture(scope="module")
def story(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """All uploads that this module asks about."""
    with pytest.MonkeyPatch.context() as patch:
        lead(deployment.aws, patch)
        deployment.empty()
        said = {"generate": deployment.done("generate", "--days", "30", "--end", "2026-03-31")}
        said["sample"] = deployment.done("upload", SAMPLE, "--site", "house", "--wait")
        said["generated"] = deployment.done("upload", "data/output/energy_data.csv", "--wait")
        (deployment.folder / "Zähler + 100%.csv").write_text(GERMAN + "17.02.2026 00:00;Herd;viel\n", encoding="utf-8")
        said["german"] = deployment.done("upload", "Zähler + 100%.csv", "--site", "north/plant a", "--wait")
        twin = deployment.twin(tmp_path_factory.mktemp("twin"))
        yield Story(deployment, said, contents(deployment.lake), twin, contents(twin))


def of(lake: dict[str, Any], *prefixes: str) -> dict[str, Any]:
    return {key: value for key, value in lake.items() if key.startswith(prefixes)}


def test_an_upload_is_run_and_its_results_shown(story: Story) -> None:
    assert "household_power_hourly.csv.gz: 136,340 of 136,340 rows used" in story.said["sample"]
    assert "energy_data.csv: 2,880 of 2,880 rows used" in story.said["generated"]
    assert "Zähler + 100%.csv: 480 of 481 rows used" in story.said["german"]
    shown = story.owner.done("results")
    for name in ("household_power_hourly.csv.gz", "energy_data.csv", "Zähler + 100%.csv"):
        [line] = [line for line in shown.splitlines() if name in line]
        assert "succeeded" in line
    [found] = of(story.lake, "reports/house/").keys() & {key for key in story.lake if key.endswith(".txt")}
    assert story.owner.done("report", "--site", "house").encode() == story.lake[found]


def test_totals_and_anomalies_are_byte_for_byte_those_of_a_local_run(story: Story) -> None:
    found = of(story.lake, "processed/", "anomalies/")
    assert len(found) == 6
    assert found == of(story.twin_lake, "processed/", "anomalies/")


def test_forecasts_are_those_of_a_local_run(story: Story) -> None:
    found, expected = of(story.lake, "forecast/"), of(story.twin_lake, "forecast/")
    assert len(found) == 3
    assert found.keys() == expected.keys()
    for key, content in found.items():
        assert same(table(content), table(expected[key]), tolerance=1e-6), key
        assert len(table(content)) == 8


def test_curated_tables_are_those_of_a_local_run(story: Story) -> None:
    found, expected = of(story.lake, "curated/"), of(story.twin_lake, "curated/")
    assert {key.split("/")[1] for key in found} == {
        "appliance_forecast", "daily", "decomposition", "episodes", "hourly", "readings"
    }  # fmt: skip
    assert found.keys() == expected.keys()
    for key, rows in found.items():
        assert same(rows, expected[key], tolerance=1e-6), key


def test_reports_refused_rows_and_records_are_those_of_a_local_run(story: Story) -> None:
    found = of(story.lake, "reports/", "rejected/", "runs/")
    assert {key.split("/")[0] for key in found} == {"reports", "rejected", "runs"}
    assert found == of(story.twin_lake, "reports/", "rejected/", "runs/")


@pytest.mark.parametrize("name", list(named_queries()))
def test_athena_answers_as_the_local_lake(story: Story, name: str) -> None:
    rows = [tuple(row.values()) for row in json.loads(story.owner.done("query", name, "--format", "json"))]
    expected = [tuple(map(plain, row)) for row in query(story.twin, name, story.owner.settings).rows]
    assert len(rows) >= 10
    assert same(rows, expected, tolerance=1e-9)


@pytest.mark.parametrize("name", [name for name in VIEWS if name != "raw_readings"])
def test_a_view_has_the_rows_of_the_local_lake(story: Story, name: str) -> None:
    columns = ", ".join(f'"{column}"' for column in VIEWS[name].column_names)
    sql = f"SELECT {columns} FROM {name} {NEWER.get(name, '')}"
    found, expected = ask(story.owner, sql), query(story.twin, sql, story.owner.settings)
    assert found.columns == expected.columns == VIEWS[name].column_names
    assert len(found.rows) > 6
    assert same(in_order(found), in_order(expected), tolerance=1e-9)


@pytest.mark.parametrize(
    "name", ["readings_data", "hourly", "daily", "episodes", "appliance_forecast", "decomposition"]
)
def test_a_curated_table_has_the_rows_of_the_local_lake(story: Story, name: str) -> None:
    columns = ", ".join(f'"{column}"' for column in TABLES[name].column_names)
    sql = f"SELECT {columns} FROM {name} {NEWER.get(name, '')}"
    found, expected = ask(story.owner, sql), query(story.twin, sql, story.owner.settings)
    assert len(found.rows) > 6
    assert same(in_order(found), in_order(expected), tolerance=1e-9)


def test_uploads_that_are_laid_out_plainly_can_be_asked_as_they_are(story: Story) -> None:
    appliances = ", ".join(f"'{name}'" for name in GENERATED)
    sql = f"SELECT timestamp, appliance, kwh FROM raw_readings WHERE appliance IN ({appliances})"
    found, expected = ask(story.owner, sql), query(story.twin, sql, story.owner.settings)
    assert len(found.rows) == 2880
    assert same(in_order(found), in_order(expected), tolerance=1e-9)
    texts = ask(story.owner, f"SELECT count(*) FROM raw_energy_data WHERE appliance IN ({appliances})")
    assert texts.rows == [(2880,)]


def test_the_records_of_runs_can_be_asked(story: Story) -> None:
    sql = "SELECT stamp, status, site, version, error, upload.key, upload.size_bytes FROM runs ORDER BY stamp"
    found = ask(story.owner, sql)
    assert found.rows == query(story.twin, sql, story.owner.settings).rows
    assert [row[1] for row in found.rows] == ["succeeded"] * 3


def test_a_question_that_cannot_be_answered_is_told_in_a_sentence(story: Story) -> None:
    assert "energy query --list names the columns" in told(story.owner.energy("query", "SELECT volts FROM readings"))
    assert "energy query --list names the tables" in told(story.owner.energy("query", "SELECT * FROM voltages"))
    assert "Athena speaks the SQL of Trino" in told(story.owner.energy("query", "SELECT kwh FORM readings"))
    assert "nothing that writes" in told(story.owner.energy("query", "DROP TABLE runs"))


def test_the_pipeline_script_passes_on_the_lake_that_was_deployed(story: Story) -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "test_pipeline.py")],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "ignore"},
        cwd=story.owner.folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"2. Upload to {story.owner.lake.uri}/raw/pipeline-test/" in ended.stdout
    assert ended.stdout.endswith("The pipeline test passed.\n")


def ask(owner: Deployment, sql: str) -> Rows:
    return athena.query(sql, database=owner.outputs["DatabaseName"], workgroup=owner.outputs["WorkgroupName"])


def table(content: bytes) -> list[tuple[Any, ...]]:
    """Read a CSV file, its numbers as numbers."""
    return [tuple(map(number_or_text, row)) for row in csv.reader(io.StringIO(content.decode()))]


def number_or_text(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    return value if isinstance(value, (int, float, str, type(None))) else str(value)


def in_order(answer: Rows) -> list[tuple[Any, ...]]:
    """Return rows in an order of their own, that of what they say before their numbers."""
    return sorted(answer.rows, key=lambda row: ([str(cell) for cell in row if not isinstance(cell, float)], str(row)))


def same(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]], *, tolerance: float) -> bool:
    """Tell whether rows are the same in the same order; of floats, as near as that."""
    return len(found) == len(expected) and all(
        len(row) == len(other) and all(alike(*pair, tolerance=tolerance) for pair in zip(row, other, strict=True))
        for row, other in zip(found, expected, strict=True)
    )


def alike(one: Any, other: Any, *, tolerance: float) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
    return bool(one == other)
