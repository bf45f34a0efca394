"""Processes that work on one site take turns: each upload is analysed about once, and nobody waits for the dead."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from commands import environment, hourly_rows
from emulator import Emulator
from lakes import QUICK, arrive, as_if_each_had_come_once, contents, run_one

from energy_analytics.cleanup import contents as removable
from energy_analytics.cleanup import remove
from energy_analytics.lake import Lake, LocalLake
from energy_analytics.pipeline import STAGES
from energy_analytics.runs import runs, waiting_uploads
from energy_analytics.schema import RUNS

WORKER = """
import sys
from energy_analytics import pipeline
from energy_analytics.pipeline import turns
from energy_analytics.lake import open_lake
from energy_analytics.settings import Settings
from energy_analytics.uploads import find

turns.EXPIRY_SECONDS = 2.0
lake, analyses = open_lake(sys.argv[1]), 0

def progress(stage, engine, rows):
    global analyses
    analyses += stage == pipeline.STAGES[1]

for key in sys.argv[2:]:
    pipeline.run(lake, find(lake, key), Settings(model="moving_average", threads=1), progress=progress)
print(analyses)
"""
HOLDER = """
import sys, time
from energy_analytics.lake import open_lake
held = open_lake(sys.argv[1]).claim("runs", seconds=30)
print("held", flush=True)
time.sleep(60)
"""


def python(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], env=environment(), stdout=subprocess.PIPE, encoding="utf-8"
    )


def uploads(lake: Lake, count: int) -> list[str]:
    """Upload a day each, all at once."""
    with lake.work_folder() as folder:
        files = {f"raw/{number:02}.csv": folder / str(number) for number in range(count)}
        for number, path in enumerate(files.values()):
            path.write_text("timestamp,appliance,kwh\n" + hourly_rows(f"2026-01-{1 + number:02}", hours=24))
        lake.put_all(files)
    return list(files)


@pytest.mark.slow
def test_uploads_at_once_are_analysed_once_each(lake: Lake) -> None:
    keys = uploads(lake, 9)
    random.Random(1).shuffle(keys)  # noqa: S311
    processes = [python(WORKER, lake.uri, *keys[first::3]) for first in range(3)]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert 9 <= sum(map(int, said)) <= 11
    assert contents(lake) == as_if_each_had_come_once(lake, settings=QUICK)


def test_a_claim_is_one_processs_and_hidden(lake: Lake) -> None:
    first = lake.claim("runs/plant", seconds=30)
    assert first is not None
    assert lake.claim("runs/plant", seconds=30) is None
    other = lake.claim("runs", seconds=30)
    assert other is not None
    other.release()
    assert first.renew()
    assert lake.list(RUNS) == []
    first.release()
    second = lake.claim("runs/plant", seconds=30)
    assert second is not None
    second.release()


def test_a_holder_that_shows_no_life_loses_its_claim(lake: Lake) -> None:
    first = lake.claim("runs", seconds=1)
    assert first is not None
    until = time.monotonic() + 8
    while (second := lake.claim("runs", seconds=1)) is None:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert not first.renew()
    first.release()
    assert second.renew()
    assert lake.claim("runs", seconds=30) is None
    second.release()


def test_a_holder_that_is_killed_delays_nobody_for_long(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder not at all; in a bucket until the claim expires."""
    monkeypatch.setattr("energy_analytics.pipeline.turns.EXPIRY_SECONDS", 2.0)
    key = arrive(lake, "raw/a.csv", hourly_rows("2026-01-01", hours=48))
    holder = python(HOLDER, lake.uri)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    begun = time.monotonic()
    assert run_one(lake, key)["results"]["total_kwh"] == 48
    assert time.monotonic() - begun < (4 if isinstance(lake, LocalLake) else 8)


def test_a_claim_that_was_left_is_cleaned_away(lake: Lake, request: pytest.FixtureRequest) -> None:
    run_one(lake, arrive(lake, "raw/a.csv", hourly_rows("2026-01-01", hours=48)))
    assert lake.claim("runs", seconds=30) is not None
    remove(lake, removable(lake, keep_raw=False))
    if isinstance(lake, LocalLake):
        assert not lake.root.exists()
        return
    aws: Emulator = request.getfixturevalue("aws")
    assert aws.client("s3").list_objects_v2(Bucket=request.getfixturevalue("bucket"))["KeyCount"] == 0


def test_an_unusable_upload_is_left_to_who_brings_it(lake: Lake) -> None:
    """Whoever runs a later one passes over it, so that it is told where it was brought, and once."""
    bad = arrive(lake, "raw/bad.csv", "1,2\n", header="when,what\n")
    run_one(lake, arrive(lake, "raw/good.csv", hourly_rows("2026-01-01", hours=24)))
    assert [one["upload"]["key"] for one in runs(lake)] == ["raw/good.csv"]
    assert [stored.key for stored in waiting_uploads(lake)] == [bad]


def test_what_comes_again_is_not_analysed_again(lake: Lake) -> None:
    for name, first in (("a", "2026-01-01"), ("b", "2026-01-03")):
        run_one(lake, arrive(lake, f"raw/{name}.csv", hourly_rows(first, hours=48)))
    before = contents(lake)
    stages: list[str] = []
    manifest = run_one(lake, "raw/a.csv", progress=lambda stage, *_: stages.append(stage))
    assert (stages, manifest) == ([], runs(lake)[1])
    lake.delete(manifest["outputs"]["report_text"])
    run_one(lake, "raw/a.csv", progress=lambda stage, *_: stages.append(stage))
    assert stages == list(STAGES)
    assert contents(lake) == before
    changed = run_one(lake, "raw/b.csv", settings=QUICK.model_copy(update={"sigma": 3.0}))
    assert json.loads(lake.read(f"runs/run_{changed['stamp']}.json"))["settings"]["sigma"] == 3.0
