"""What runs leave in a lake: the same for the same uploads, whatever the order, and no kWh lost."""

import csv
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from commands import HEADER, SAMPLE, drop, energy, environment, hourly_rows, run_key, state, told
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energy_analytics.lake import LocalLake
from energy_analytics.pipeline import FailedRunError
from energy_analytics.runs import runs, waiting_uploads
from energy_analytics.synthetic import generate
from energy_analytics.watch import Arrivals, watch

THREE = {
    "raw/january.csv": (hourly_rows("2026-01-01", hours=480, kwh=1.1), 1),
    "raw/february.csv": (hourly_rows("2026-01-15", hours=480, kwh=2.3), 2),
    "raw/oven-too.csv": (hourly_rows("2026-01-20", hours=480, kwh=0.7, appliance="Boiler"), 3),
}
"""January and February overlap by 6 days, 144 hours."""


def total(manifest: dict[str, Any]) -> float:
    found: float = manifest["results"]["total_kwh"]
    return found


def lake_with(root: Path, order: tuple[str, ...]) -> Path:
    for key in order:
        rows, minute = THREE[key]
        drop(root, key, rows, minute=minute)
        run_key(root, key)
    return root


def test_same_upload_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    lake = lake_with(tmp_path / "lake", ("raw/january.csv",))
    before = state(lake)
    run_key(lake, "raw/january.csv")
    assert state(lake) == before
    assert {key.split("/")[0] for key in before} == {
        "processed", "forecast", "anomalies", "reports", "curated", "runs",
    }  # fmt: skip


@pytest.mark.slow
def test_threads_and_lakes_do_not_change_a_byte(tmp_path: Path) -> None:
    """The real sample with Prophet: one thread and two, in two lakes."""
    states = []
    for threads in ("1", "2"):
        folder = tmp_path / threads
        folder.mkdir()
        done = energy("run", SAMPLE, folder=folder, variables={"ENERGY_THREADS": threads, "ENERGY_MODEL": "prophet"})
        assert done.returncode == 0, done.stderr
        states.append(state(folder / "lake", without=()))
    assert states[0] == states[1]


@pytest.mark.slow
def test_every_order_of_arrival_ends_in_the_same_lake(tmp_path: Path) -> None:
    orders = list(permutations(THREE))
    states = [state(lake_with(tmp_path / str(number), order)) for number, order in enumerate(orders)]
    for order, found in zip(orders, states, strict=True):
        assert found == states[0], order


@pytest.mark.slow
def test_episodes_carry_on_the_same_way_in_every_order(tmp_path: Path) -> None:
    """A refrigerator goes dead in the second of three uploads and stays dead into the third."""
    readings, _ = generate(start=date(2026, 1, 1), days=90, with_faults=False)
    died, mended = datetime(2026, 2, 25), datetime(2026, 3, 5)
    uploads: dict[str, str] = {"raw/a.csv": "", "raw/b.csv": "", "raw/c.csv": ""}
    for one in readings:
        if one.appliance == "Refrigerator":
            key = "raw/a.csv" if one.timestamp.month == 1 else "raw/b.csv" if one.timestamp.month == 2 else "raw/c.csv"
            kwh = 0.0 if died <= one.timestamp < mended else one.kwh
            uploads[key] += f"{one.timestamp},{one.appliance},{kwh}\n"
    found = []
    for number, order in enumerate([("a", "b", "c"), ("c", "a", "b"), ("b", "c", "a")]):
        lake = tmp_path / str(number)
        for name in order:
            run_key(lake, drop(lake, f"raw/{name}.csv", uploads[f"raw/{name}.csv"], minute=ord(name) - ord("a")))
        found.append(state(lake))
    assert found[0] == found[1] == found[2]
    newest, second, _ = (run["results"]["episodes"] for run in runs(LocalLake(lake)))
    [dead_then] = [one for one in second if one["kind"] == "dead"]
    [dead_now] = [one for one in newest if one["kind"] == "dead"]
    assert (dead_then["status"], dead_now["status"]) == ("open", "closed")
    assert dead_then["id"] == dead_now["id"]
    assert dead_now["end"] > dead_then["end"]


def test_a_watch_that_finds_all_at_once_ends_in_the_same_lake(tmp_path: Path) -> None:
    one_by_one = lake_with(tmp_path / "one", tuple(THREE))
    lake = tmp_path / "all"
    for key, (rows, minute) in THREE.items():
        drop(lake, key, rows, minute=minute)
    times = iter(range(0, 1000, 10))
    arrivals = Arrivals(LocalLake(lake), clock=lambda: next(times))
    handled: list[str] = []

    def handle(keys: Sequence[str]) -> Iterator[str]:
        for key in keys:
            handled.append(key)
            run_key(lake, key)
            yield key

    pauses = iter([True, True, True, False])
    watch(arrivals, handle, pause=lambda: next(pauses), complain=pytest.fail)
    assert handled == list(THREE)
    assert state(lake) == state(one_by_one)


def test_of_overlapping_uploads_the_later_wins_and_is_counted(tmp_path: Path) -> None:
    """480 h x 1.1 and 480 h x 2.3, of which 144 hours are in both: 336 x 1.1 + 480 x 2.3 = 1473.6."""
    lake = lake_with(tmp_path, ("raw/january.csv", "raw/february.csv"))
    newest = runs(LocalLake(lake))[0]
    assert total(newest) == pytest.approx(1473.6, rel=1e-12)
    report = (lake / newest["outputs"]["report_text"]).read_text("utf-8")
    assert "144" in report


def test_a_corrected_upload_replaces_the_old_readings(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    drop(lake, "raw/a.csv", hourly_rows("2026-01-01", hours=48, kwh=1.0), minute=1)
    run_key(lake, "raw/a.csv")
    drop(lake, "raw/a.csv", hourly_rows("2026-01-01", hours=24, kwh=5.0), minute=2)
    assert [stored.key for stored in waiting_uploads(LocalLake(lake))] == ["raw/a.csv"]
    assert total(run_key(lake, "raw/a.csv")) == 120
    assert [total(manifest) for manifest in runs(LocalLake(lake))] == [120]
    done = energy("query", "SELECT sum(kwh) AS kwh FROM readings", "--format", "csv", folder=tmp_path)
    assert done.stdout == "kwh\n120.0\n"


def test_correction_through_the_command(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    for kwh, expected in ((1.0, 48), (2.0, 96)):
        file.write_text(HEADER + hourly_rows("2026-01-01", hours=48, kwh=kwh))
        done = energy("run", file, "--json", folder=tmp_path)
        assert total(json.loads(done.stdout)) == expected


def test_sites_are_separate_also_one_inside_another(tmp_path: Path) -> None:
    sites = {"": 1.0, "north": 2.0, "north/plant": 3.0}
    for minute, (site, kwh) in enumerate(sites.items()):
        key = "/".join(part for part in ("raw", site, "a.csv") if part)
        drop(tmp_path, key, hourly_rows("2026-01-01", hours=24, kwh=kwh), minute=minute)
        run_key(tmp_path, key)
    lake = LocalLake(tmp_path)
    for site, kwh in sites.items():
        [manifest] = runs(lake, site)
        assert total(manifest) == 24 * kwh
        [hourly] = duckdb.sql(f"""SELECT site, sum(kwh) FROM
            read_parquet('{tmp_path / "curated" / "hourly" / site / "hourly.parquet"}') GROUP BY 1""").fetchall()
        assert hourly == (site, 24 * kwh)
    assert len(runs(lake)) == 3


def test_a_failed_upload_is_on_record_and_disturbs_nothing(tmp_path: Path) -> None:
    lake = lake_with(tmp_path, ("raw/january.csv",))
    before = state(lake)
    drop(lake, "raw/bad.csv", "not,a\n", minute=4)
    with pytest.raises(FailedRunError, match=r"bad\.csv"):
        run_key(lake, "raw/bad.csv")
    newest, older = runs(LocalLake(lake))
    assert newest["status"] == "failed"
    assert "bad.csv" in newest["error"]
    assert older["status"] == "succeeded"
    assert waiting_uploads(LocalLake(lake)) == []
    after = state(lake)
    assert {key: after[key] for key in before} == before
    assert all(key.startswith(("runs/", "rejected/")) for key in after.keys() - before.keys())
    drop(lake, "raw/good.csv", hourly_rows("2026-03-01", hours=24), minute=5)
    assert total(run_key(lake, "raw/good.csv")) == pytest.approx(480 * 1.1 + 24)


def test_copies_of_one_file_in_one_second_count_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        drop(tmp_path, f"raw/{name}.csv", hourly_rows("2026-01-01", hours=24), minute=1)
    lake = LocalLake(tmp_path)
    run_key(tmp_path, "raw/a.csv")
    assert [stored.key for stored in waiting_uploads(lake)] == ["raw/b.csv"]
    assert total(run_key(tmp_path, "raw/b.csv")) == 24
    assert waiting_uploads(lake) == []


def test_two_files_of_which_one_is_bad(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("when,what\n1,2\n")
    (tmp_path / "good.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=24))
    done = energy("run", "bad.csv", "missing.csv", "good.csv", folder=tmp_path)
    assert "good.csv: 24 of 24 rows used" in done.stdout
    assert "missing.csv does not exist." in told(done)
    assert [manifest["status"] for manifest in runs(LocalLake(tmp_path / "lake"))] == ["succeeded", "failed"]


appliance_names = st.sampled_from(["Oven", "AC, upstairs", 'The "old" one', "=1+1", "Wärmepumpe", "🔥"])
amounts = st.one_of(
    st.decimals(min_value=0, max_value=1000, places=3).map(float),
    st.floats(min_value=0, max_value=1e6, allow_nan=False).filter(lambda kwh: kwh == 0 or kwh > 1e-12),
)
readings = st.dictionaries(
    st.tuples(appliance_names, st.integers(min_value=0, max_value=24 * 20)), amounts, min_size=1, max_size=60
)


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(readings)
def test_energy_is_conserved(found: dict[tuple[str, int], float]) -> None:
    with TemporaryDirectory() as name:
        lake = Path(name)
        (lake / "raw").mkdir()
        with (lake / "raw" / "a.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["timestamp", "appliance", "kwh"])
            for (appliance, hour), kwh in found.items():
                writer.writerow([datetime.fromisoformat("2026-01-01") + timedelta(hours=hour), appliance, repr(kwh)])
        manifest: Any = run_key(lake, "raw/a.csv", threads=1)
        given_kwh = math.fsum(found.values())
        alike = pytest.approx(given_kwh, rel=1e-9, abs=1e-12)
        assert manifest["intake"]["rows_accepted"] == len(found)
        assert total(manifest) == alike
        assert math.fsum(one["total_kwh"] for one in manifest["results"]["appliances"]) == alike
        with (lake / manifest["outputs"]["processed"]).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert math.fsum(float(row["total_kwh"]) for row in rows) == alike
        assert math.fsum(float(row["avg_kwh"]) * int(row["count"]) for row in rows) == alike
        for table in ("hourly", "daily", "readings"):
            path = lake / "curated" / table / ("a.csv.parquet" if table == "readings" else f"{table}.parquet")
            [(kwh,)] = duckdb.sql(f"SELECT sum(kwh) FROM read_parquet('{path}')").fetchall()
            assert kwh == alike, table


@pytest.mark.slow
def test_several_runs_at_once_lose_nothing(tmp_path: Path) -> None:
    order = (2, 0, 3, 1)
    for number in order:
        file = tmp_path / f"{number}.csv"
        file.write_text(HEADER + hourly_rows(f"2026-01-{1 + number * 4:02}", hours=96, kwh=number + 1))
        os.utime(file, (1_770_000_000 + number, 1_770_000_000 + number))
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "energy_analytics", "run", f"{number}.csv"],
            cwd=tmp_path,
            env=environment(ENERGY_THREADS="1"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for number in order
    ]
    for process in processes:
        assert process.communicate()[1] == b""
        assert process.returncode == 0
    lake = LocalLake(tmp_path / "lake")
    assert total(runs(lake)[0]) == 96 * (1 + 2 + 3 + 4)
    [(daily,)] = duckdb.sql(f"SELECT sum(kwh) FROM '{lake.root}/curated/daily/daily.parquet'").fetchall()
    assert daily == 960
    assert list((lake.root / ".work").iterdir()) == []
    again = tmp_path / "again"
    shutil.copytree(lake.root / "raw", again / "raw")
    for stored in waiting_uploads(LocalLake(again)):
        run_key(again, stored.key)
    assert state(again) == state(lake.root)
