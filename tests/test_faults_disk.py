"""Disks as they are: one that is full, a folder that may not be written, and one that may not be looked at."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import HEADER, environment, hourly_rows, state
from web.serving import Server
from zygote import Ended, zygote

pytestmark = pytest.mark.slow

NOBODY = 65534
PAGE = 4096
FILES = {
    "a": hourly_rows("2026-01-01", hours=48) + "2026-01-01 00:30:00,Oven,much\n",
    "b": hourly_rows("2026-01-02", hours=48),
}
CORRECTED = hourly_rows("2026-01-01", hours=48, kwh=3)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={4 << 20}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no disk of our own can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can get to."""
    if os.geteuid() or shutil.which("setpriv") is None:
        pytest.skip("only root, with setpriv, can act as another user")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    for number, (name, rows) in enumerate(FILES.items()):
        (folder / f"{name}.csv").write_text(HEADER + rows)
        os.utime(folder / f"{name}.csv", (1_770_000_000 + 60 * number,) * 2)
    try:
        yield folder
    finally:
        subprocess.run(["chmod", "-R", "u+rwx", str(folder)], check=True)
        shutil.rmtree(folder)


def energy_as(user: int, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    by = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
    return subprocess.run(
        [*by, sys.executable, "-m", "energy_analytics", *arguments],
        cwd=folder,
        env=environment(ENERGY_THREADS="1", PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def _may_start_python(user: int) -> bool:
    """Tell whether that user can; an interpreter in root's own folder runs for others only if root starts it."""
    command = [
        "setpriv",
        f"--reuid={user}",
        f"--regid={user}",
        "--clear-groups",
        "sh",
        "-c",
        '"$0" -c ""',
        sys.executable,
    ]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("Error: "), done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


@pytest.mark.parametrize(
    "command",
    [
        ("run", "b.csv"),
        pytest.param(("run", "corrected/a.csv"), marks=pytest.mark.long),
        pytest.param(("forget", "a.csv", "--yes"), marks=pytest.mark.long),
    ],
    ids=["second upload", "correction", "forgotten"],
)
def test_a_disk_that_fills_up_at_any_time(disk: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    """With more and more pages left, until the command fits; each time it says why, and goes on when there is room."""
    corrected = tmp_path / "corrected"
    for path in (corrected, tmp_path / "out"):
        path.mkdir()
    files = {f"{name}.csv": rows for name, rows in FILES.items()} | {"corrected/a.csv": CORRECTED}
    for number, (name, rows) in enumerate(files.items()):
        (tmp_path / name).write_text(HEADER + rows)
        os.utime(tmp_path / name, (1_770_000_000 + 60 * number,) * 2)
    lake, before = disk / "lake", tmp_path / "before"
    with zygote(tmp_path / "out") as forks:

        def energy(*arguments: str) -> Ended:
            return forks.run(*arguments, "--lake", lake, folder=tmp_path)

        for name in ("a.csv", "b.csv")[: 1 if command == ("run", "b.csv") else 2]:
            assert energy("run", name).code == 0
        shutil.copytree(lake, before)
        assert energy(*command).code == 0
        expected = state(lake, without=())
        codes = []
        for pages in range(0, 200, 3):
            shutil.rmtree(lake)
            shutil.copytree(before, lake)
            room = os.statvfs(disk)
            with (disk / "ballast").open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(1, room.f_bavail * room.f_bsize - pages * PAGE))
            ended = energy(*command)
            codes.append(ended.code)
            if ended.code:
                assert ended.code == 1, ended.said
                assert ended.said.startswith("Error: "), ended.said
                assert "No space left on device" in " ".join(ended.said.split()), ended.said
            (disk / "ballast").unlink()
            again = energy(*command)
            assert again.code == 0 or "nothing that came of it" in again.said, again.said
            assert state(lake, without=()) == expected, pages
            if codes[-3:] == [0, 0, 0]:
                break
        if command[0] == "run":
            assert list((lake / ".work").iterdir()) == []
    assert codes.count(1) > 3, "the disk was full in the middle of it, not only before"
    assert codes[-1] == 0


def test_a_file_for_which_a_served_lake_has_no_room(disk: Path) -> None:
    rows = (HEADER + hourly_rows("2026-01-01", hours=48) + "#" * (1 << 20)).encode()
    (disk / "lake").mkdir()
    server = Server(disk)
    try:
        room = os.statvfs(disk)
        with (disk / "ballast").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_bsize - 20 * PAGE)
        answer = server.ask("/api/v1/uploads?site=&name=a.csv", "POST", rows)
        assert answer.status == 507, answer.body
        assert "a.csv could not be stored: No space left on device" in answer.json["detail"]
        assert not list((disk / "lake").rglob("*.csv"))
        assert "Traceback" not in server.said
        (disk / "ballast").unlink()
        assert server.upload("", "a.csv", rows)["state"] == "succeeded"
    finally:
        server.end()


def test_a_disk_that_is_mounted_read_only(disk: Path, tmp_path: Path) -> None:
    """Nothing can be written, and the command says so; all that is there can be read."""
    for name, rows in FILES.items():
        (tmp_path / f"{name}.csv").write_text(HEADER + rows)
    lake = disk / "lake"
    assert energy_as(0, "run", "a.csv", "--lake", str(lake), folder=tmp_path).returncode == 0
    before = state(lake, without=())
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for command in (["run", "b.csv"], ["forget", "a.csv", "--yes"], ["clean", "--yes"]):
        told = said(energy_as(0, *command, "--lake", str(lake), folder=tmp_path))
        assert "Read-only file system" in told, told
    for command in (["results"], ["report"], ["query", "SELECT count(*) FROM daily"], ["bill"], ["findings"]):
        done = energy_as(0, *command, "--lake", str(lake), folder=tmp_path)
        assert done.returncode == 0, done.stderr
    assert state(lake, without=()) == before
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert energy_as(0, "run", "b.csv", "--lake", str(lake), folder=tmp_path).returncode == 0


def test_a_lake_that_may_not_be_written(open_folder: Path) -> None:
    assert energy_as(0, "run", "a.csv", folder=open_folder).returncode == 0
    before = state(open_folder / "lake", without=())
    told = said(energy_as(NOBODY, "run", "b.csv", folder=open_folder))
    assert "lake cannot be written: Permission denied" in told
    assert said(energy_as(NOBODY, "forget", "a.csv", "--yes", folder=open_folder)).endswith("Permission denied.")
    readings = [["results"], ["report"]]
    if _may_start_python(NOBODY):  # A question is asked in a process of its own.
        readings.append(["query", "SELECT count(*) FROM daily"])
    for reading in readings:
        done = energy_as(NOBODY, *reading, folder=open_folder)
        assert done.returncode == 0, done.stderr
    assert state(open_folder / "lake", without=()) == before


@pytest.mark.parametrize("hidden", ["raw", "runs", "curated/readings", "raw/a.csv"])
def test_what_may_not_be_looked_at_is_not_taken_for_gone(open_folder: Path, hidden: str) -> None:
    assert energy_as(0, "run", "a.csv", folder=open_folder).returncode == 0
    subprocess.run(["chown", "-R", f"{NOBODY}", str(open_folder)], check=True)
    before = state(open_folder / "lake", without=())
    path = open_folder / "lake" / hidden
    mode = path.stat().st_mode
    path.chmod(0o300 if path.is_dir() else 0)
    done = energy_as(NOBODY, "run", "b.csv", folder=open_folder)
    path.chmod(mode)
    if hidden != "raw/a.csv":
        assert "Permission denied" in said(done)
    after = state(open_folder / "lake", without=())
    assert before.keys() <= after.keys()
    again = energy_as(NOBODY, "run", "b.csv", folder=open_folder)
    assert again.returncode == 0, again.stderr
