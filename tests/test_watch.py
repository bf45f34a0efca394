"""A real `energy watch`: what was there, what lands, what is half there, and how it ends."""

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from commands import HEADER, drop, environment, hourly_rows, run_key

from energy_analytics.lake import LocalLake
from energy_analytics.runs import runs
from energy_analytics.watch import Arrivals, watch

ROWS = HEADER + hourly_rows("2026-01-01", hours=48)
PATIENCE_SECONDS = 40


class Watching:
    """A watch of the lake in a folder, and what it has said."""

    def __init__(self, folder: Path) -> None:
        self.raw = folder / "lake" / "raw"
        self._said = folder / "said"
        self._file = self._said.open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "energy_analytics", "watch"],
            cwd=folder,
            env=environment(ENERGY_THREADS="1"),
            stdout=self._file,
            stderr=subprocess.STDOUT,
        )
        self.until(lambda: "Watching" in self.said)

    @property
    def said(self) -> str:
        return self._said.read_text("utf-8")

    def until(self, truth: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not truth():
            assert time.monotonic() < deadline, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.05)

    def until_run(self, *names: str) -> None:
        self.until(lambda: all(f"{name}: " in self.said for name in names))

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout=PATIENCE_SECONDS)
        self._file.close()
        return code


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Callable[[], Watching]]:
    started: list[Watching] = []

    def start() -> Watching:
        started.append(Watching(tmp_path))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.end(signal.SIGKILL)


@pytest.mark.slow
def test_each_upload_once_whether_before_or_during_the_watch(watching: Callable[[], Watching], tmp_path: Path) -> None:
    raw = tmp_path / "lake" / "raw"
    raw.mkdir(parents=True)
    (raw / "before.csv").write_text(ROWS)
    watch = watching()
    (watch.raw / "notes.txt").write_text("not an upload")
    (watch.raw / "plant").mkdir()
    (watch.raw / "plant" / "during.csv").write_text(ROWS)
    (watch.raw / "bad.csv").write_text("when,what\n1,2\n")
    watch.until_run("raw/before.csv", "raw/plant/during.csv")
    watch.until(lambda: "Error: bad.csv" in watch.said)
    (watch.raw / "packed.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    watch.until_run("raw/packed.csv.gz")
    assert watch.end(signal.SIGTERM) == 143
    assert "Traceback" not in watch.said
    found = {manifest["upload"]["key"]: manifest["status"] for manifest in runs(LocalLake(tmp_path / "lake"))}
    assert found == {
        "raw/before.csv": "succeeded",
        "raw/plant/during.csv": "succeeded",
        "raw/packed.csv.gz": "succeeded",
        "raw/bad.csv": "failed",
    }
    lines = watch.said.splitlines()
    assert len(lines) == 5, lines
    again = watching()
    time.sleep(3)
    assert again.end(signal.SIGINT) == 130
    assert len(again.said.splitlines()) == 1


@pytest.mark.slow
def test_a_half_copied_file_is_not_read(watching: Callable[[], Watching], tmp_path: Path) -> None:
    """A writer that keeps its file open; one that stops in a line; a packed file that stops in the middle."""
    watch = watching()
    packed = gzip.compress((HEADER + hourly_rows("2026-01-01", hours=48, kwh=3.3)).encode())
    rows = {name: HEADER + hourly_rows("2026-01-01", hours=48, kwh=kwh) for name, kwh in (("h", 1.1), ("a", 2.2))}
    half = len(ROWS) // 2
    held = (watch.raw / "held.csv").open("w")
    held.write(rows["h"][: rows["h"].index("\n", half) + 1])
    held.flush()
    (watch.raw / "appended.csv").write_text(rows["a"][:half].rstrip("\n"))
    (watch.raw / "half.csv.gz").write_bytes(packed[: len(packed) // 2])
    (watch.raw / "whole.csv").write_text(ROWS)
    watch.until_run("raw/whole.csv")
    time.sleep(2)
    assert len(watch.said.splitlines()) == 2, watch.said
    held.write(rows["h"][rows["h"].index("\n", half) + 1 :])
    held.close()
    with (watch.raw / "appended.csv").open("a") as file:
        file.write(rows["a"][half:])
    (watch.raw / "half.csv.gz").write_bytes(packed)
    watch.until_run("raw/held.csv", "raw/appended.csv", "raw/half.csv.gz")
    assert watch.end(signal.SIGINT) == 130
    manifests = runs(LocalLake(tmp_path / "lake"))
    assert len(manifests) == 4
    assert {manifest["intake"]["rows_accepted"] for manifest in manifests} == {48}


@pytest.mark.slow
def test_an_upload_that_cannot_be_kept_is_told_and_does_not_end_the_watch(
    watching: Callable[[], Watching], tmp_path: Path
) -> None:
    """A name so long that what is made from it is none a disk takes."""
    watch = watching()
    (watch.raw / ("x" * 250 + ".csv")).write_text(ROWS)
    watch.until(lambda: "was not run" in watch.said)
    (watch.raw / "good.csv").write_text(ROWS)
    watch.until_run("raw/good.csv")
    assert watch.end(signal.SIGTERM) == 143
    assert watch.said.count("was not run") <= 2  # tried again after a while, at longer and longer pauses
    assert "File name too long" in watch.said


@pytest.mark.slow
def test_an_upload_that_could_not_be_run_is_run_when_it_can_be(
    watching: Callable[[], Watching], tmp_path: Path
) -> None:
    """As when a disk was full for a while: here a file is in the place of a folder."""
    in_the_way = tmp_path / "lake" / "curated"
    watch = watching()
    in_the_way.write_text("")
    (watch.raw / "a.csv").write_text(ROWS)
    watch.until(lambda: "raw/a.csv was not run; it is tried again" in watch.said)
    in_the_way.unlink()
    watch.until_run("raw/a.csv")
    assert watch.end(signal.SIGTERM) == 143
    assert [one["status"] for one in runs(LocalLake(tmp_path / "lake"))] == ["succeeded"]


def test_what_left_no_record_comes_again_at_longer_and_longer_pauses(tmp_path: Path) -> None:
    now, tries = 0.0, []
    arrivals = Arrivals(LocalLake(tmp_path), clock=lambda: now)
    key = drop(tmp_path, "raw/a.csv", hourly_rows("2026-01-01", hours=24))
    for second in range(300):
        now = float(second)
        for ready in arrivals.ready():
            tries.append(second)
            assert not arrivals.again_is_due()
            arrivals.handled(ready)
    assert tries == [2, 17, 47, 107, 227]
    run_key(tmp_path, key)
    now = 10_000.0
    assert arrivals.ready() == []
    assert not arrivals.again_is_due()


def test_a_lake_that_cannot_be_looked_at_for_a_while_is_told_once(tmp_path: Path) -> None:
    """A link in the place of the folder, which is not followed, stands for a folder that may not be read."""
    moments = iter(range(0, 1000, 10))
    raw, told, handled = tmp_path / "lake" / "raw", [], []
    drop(tmp_path / "lake", "raw/a.csv", hourly_rows("2026-01-01", hours=24))
    raw.rename(tmp_path / "elsewhere")
    raw.symlink_to(tmp_path / "elsewhere")
    rounds = iter(range(6))

    def pause() -> bool:
        if (number := next(rounds)) == 2:
            raw.unlink()
            (tmp_path / "elsewhere").rename(raw)
        return number < 5

    arrivals = Arrivals(LocalLake(tmp_path / "lake"), clock=lambda: next(moments))

    def handle(keys: Sequence[str]) -> Sequence[str]:
        handled.extend(keys)
        return keys

    watch(arrivals, handle, pause=pause, complain=told.append)
    assert len(told) == 1
    assert "symbolic link" in told[0]
    assert handled == ["raw/a.csv"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_a_run_leaves_no_half_work(tmp_path: Path, number: int) -> None:
    rows = "".join(hourly_rows("1990-01-01", hours=200_000, appliance=f"Meter {n}") for n in range(4))
    file = tmp_path / "many.csv"
    file.write_text(HEADER + rows)
    process = subprocess.Popen(
        [sys.executable, "-m", "energy_analytics", "run", file],
        cwd=tmp_path,
        env=environment(ENERGY_THREADS="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    raw = tmp_path / "lake" / "raw" / "many.csv"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not raw.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.15)
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 128 + number
    assert b"Traceback" not in errors
    assert list((tmp_path / "lake" / ".work").iterdir()) == []
    assert os.listdir(tmp_path / "lake" / "raw") == ["many.csv"]  # noqa: PTH208 - hidden files too
