"""Uploads of several sites at the same time: the same lake as one after another, whatever happens to a process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import drop, environment, hourly_rows, run_key, state

from energy_analytics.crew import Crew

PATIENCE_SECONDS = 60
UPLOADS = {
    "raw/north/a.csv": hourly_rows("2026-01-01", hours=48),
    "raw/north/b.csv": hourly_rows("2026-01-02", hours=48, kwh=2),
    "raw/north/c.csv": hourly_rows("2026-01-01", hours=24, kwh=3),
    "raw/south/a.csv": hourly_rows("2026-01-01", hours=72),
    "raw/east/plant/a.csv": hourly_rows("2026-01-05", hours=30),
    "raw/root.csv": hourly_rows("2026-01-05", hours=30, kwh=4),
}


def begin_writing(said: Path, together: int = 1) -> Callable[[str], None]:
    """Return what writes down each key with its process; of a key with "end" in it the process is ended.

    None goes on before as many processes are at work.
    """

    def handle(key: str) -> None:
        with said.open("a") as file:
            file.write(f"{key} {os.getpid()}\n")
        if "end" in key:
            os.kill(os.getpid(), signal.SIGKILL)
        until(lambda: len({process for _, process in handled(said)}) >= together, "others are at work too")

    return handle


def begin_telling_whether_ctrl_c_comes_through(said: Path) -> Callable[[str], None]:
    """Return what writes down, for each key, whether Ctrl-C would interrupt its process."""

    def handle(key: str) -> None:
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        with said.open("a") as file:
            file.write(f"{'left alone' if signal.SIGINT in blocked else 'interrupted'} {os.getpid()}\n")
        until(lambda: len(handled(said)) == 3, "all have begun")

    return handle


def handled(said: Path) -> list[tuple[str, int]]:
    lines = (line.rsplit(" ", 1) for line in said.read_text("utf-8").splitlines())
    return [(key, int(process)) for key, process in lines]


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"


def until(truth: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not truth():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_sites_at_the_same_time_and_the_uploads_of_one_in_order(tmp_path: Path) -> None:
    keys = [f"raw/{site}/{number}.csv" for number in range(3) for site in "abcd"]
    crew = Crew(2, begin_writing, tmp_path / "said", 2, complain=pytest.fail)
    try:
        assert sorted(crew.handle(keys)) == sorted(keys)
    finally:
        crew.close()
    done = handled(tmp_path / "said")
    assert sorted(key for key, _ in done) == sorted(keys)
    assert len({process for _, process in done}) == 2
    for site in "abcd":
        own = [key for key, _ in done if f"/{site}/" in key]
        assert own == sorted(own)
    until(lambda: not any(is_alive(process) for _, process in done), "they end with the crew")


def test_a_process_that_is_ended_takes_nothing_else_with_it(tmp_path: Path) -> None:
    keys = [f"raw/{number}/{'end' if number == 3 else 'go'}.csv" for number in range(8)]
    told: list[str] = []
    crew = Crew(2, begin_writing, tmp_path / "said", complain=told.append)
    try:
        assert sorted(crew.handle(keys)) == sorted(keys)
        assert list(crew.handle(["raw/9/go.csv"])) == ["raw/9/go.csv"]
    finally:
        crew.close()
    assert len(told) == 1
    assert "raw/3/end.csv" in told[0]
    assert "tried again" in told[0]
    done = {key for key, _ in handled(tmp_path / "said")}
    at_work_too = {key for key in keys if key in told[0]}
    assert done | at_work_too == {*keys, "raw/9/go.csv"}
    assert len(at_work_too) <= 2


def test_a_fault_of_ours_is_raised(tmp_path: Path) -> None:
    crew = Crew(2, begin_writing, tmp_path / "no folder" / "said", complain=pytest.fail)
    try:
        with pytest.raises(FileNotFoundError):
            list(crew.handle(["raw/a/1.csv", "raw/b/1.csv"]))
    finally:
        crew.close()


def test_ctrl_c_leaves_all_processes_alone_from_the_first_on(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from test_crew import *; said = pathlib.Path(sys.argv[1])\n"
        "crew = Crew(3, begin_telling_whether_ctrl_c_comes_through, said, complain=print)\n"
        "list(crew.handle(['raw/a/1.csv', 'raw/b/1.csv', 'raw/c/1.csv'])); crew.close()"
    )
    variables = environment(PYTHONPATH=os.pathsep.join(sys.path))  # A process that has started none before.
    subprocess.run([sys.executable, "-c", code, tmp_path / "said"], env=variables, check=True, timeout=PATIENCE_SECONDS)
    assert [told for told, _ in handled(tmp_path / "said")] == ["left alone"] * 3


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_watch_of_many_sites_leaves_what_one_by_one_leaves(tmp_path: Path, ending: signal.Signals, code: int) -> None:
    lakes = {jobs: tmp_path / f"jobs{jobs}" / "lake" for jobs in (1, 2)}
    for lake in lakes.values():
        for minute, (key, rows) in enumerate(UPLOADS.items()):
            drop(lake, key, rows, minute=minute)
    for key in UPLOADS:
        run_key(lakes[1], key)
    drop(lakes[2], "raw/bad/bad.csv", "no,such\n", minute=30)
    said = tmp_path / "said"
    with said.open("w") as file:
        watch = subprocess.Popen(
            [sys.executable, "-m", "energy_analytics", "watch", "--jobs", "2"],
            cwd=lakes[2].parent,
            env=environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: said.read_text("utf-8").count("rows, ") == len(UPLOADS), "all have run")
        until(lambda: "Error: " in said.read_text("utf-8"), "the bad one is told")
        children = [int(child) for child in Path(f"/proc/{watch.pid}/task/{watch.pid}/children").read_text().split()]
        assert len(children) >= 2
    finally:
        # As Ctrl-C does, it reaches all of them; a kill reaches the first alone.
        (watch.send_signal if ending == signal.SIGKILL else lambda number: os.killpg(watch.pid, number))(ending)
    assert watch.wait(timeout=PATIENCE_SECONDS) == code
    until(lambda: not any(is_alive(child) for child in children), "none is left")
    assert "Traceback" not in said.read_text("utf-8")
    forget_bad(lakes[2])
    assert state(lakes[2]) == state(lakes[1])


def forget_bad(lake: Path) -> None:
    command = [sys.executable, "-m", "energy_analytics", "forget", "--yes", "raw/bad/bad.csv"]
    subprocess.run(command, cwd=lake.parent, env=environment(), check=True, capture_output=True)
