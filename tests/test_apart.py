"""Work in a process of its own: what comes back, and how it ends at each limit."""

import os
import time
from pathlib import Path

import pytest

from energy_analytics import apart as module
from energy_analytics.apart import BrokenOffError, OutOfMemoryError, OutOfTimeError, apart
from energy_analytics.settings import SettingsError, load_settings


def test_what_is_returned_and_raised_comes_back() -> None:
    assert apart(divmod, 7, 2, memory_mb=64, seconds=30) == (3, 1)
    assert apart(os.getpid, memory_mb=64, seconds=30) != os.getpid()
    with pytest.raises(SettingsError, match=r"There is no settings file nowhere\.toml"):
        apart(load_settings, Path("nowhere.toml"), memory_mb=512, seconds=30)


def test_too_much_memory_ends_it() -> None:
    with pytest.raises(OutOfMemoryError):
        apart(bytearray, 3 << 30, memory_mb=64, seconds=30)


def test_too_much_time_ends_it_whatever_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STARTING_SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(OutOfTimeError):
        apart(time.sleep, 600, memory_mb=64, seconds=0.5)
    assert time.monotonic() - began < 30


def test_a_crash_is_told() -> None:
    with pytest.raises(BrokenOffError):
        apart(os.abort, memory_mb=64, seconds=30)


def test_a_file_where_we_stand_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("duckdb.py", "energy_analytics.py", "multiprocessing.py", "typing.py"):
        (tmp_path / name).write_text("raise SystemExit(0)")
    monkeypatch.chdir(tmp_path)
    assert apart(os.getcwd, memory_mb=64, seconds=30) == str(tmp_path)
