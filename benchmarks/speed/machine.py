"""Where, when and on which code something was measured."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.speed.measurement import BYTES_PER_MB, ROOT


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a reader needs in order to judge figures, or to get them again."""

    command: str
    commit: str
    date: str
    machine: str
    load: float
    """Processes that wanted to run in the minute before the measurement, on average."""


def circumstances(command: str) -> Circumstances:
    return Circumstances(
        command=command,
        commit=_commit(),
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=_machine(),
        load=round(os.getloadavg()[0], 1),
    )


def available_mb() -> float:
    """Return how much memory could be taken now without harm (Linux; elsewhere all there is)."""
    lines = _lines(Path("/proc/meminfo"))
    found = (float(line.split()[1]) / 1024 for line in lines if line.startswith("MemAvailable:"))
    return next(found, _memory_mb())


def _memory_mb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / BYTES_PER_MB


def _machine() -> str:
    system = platform.freedesktop_os_release()["PRETTY_NAME"] if platform.system() == "Linux" else platform.platform()
    return (
        f"{os.cpu_count()} cores of {_processor()}, {_memory_mb() / 1024:.0f} GB of memory, {system}, "
        f"Python {platform.python_version()}, DuckDB {version('duckdb')}"
    )


def _processor() -> str:
    named = (line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _commit() -> str:
    git = ["git", "-C", str(ROOT)]
    found = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        return "unknown"
    changed = subprocess.run([*git, "status", "--porcelain", "src"], capture_output=True, text=True, check=True).stdout
    return found.stdout.strip() + (" with changes" if changed else "")
