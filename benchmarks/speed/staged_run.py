"""Run a file as `energy run` does, and print as JSON what each stage took."""

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

STARTED = time.perf_counter()


@dataclass(slots=True)
class Stage:
    """What was taken until the next stage began, by all threads."""

    name: str
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0


@dataclass(slots=True)
class Watch:
    """Measures from one stage to the next."""

    stages: list[Stage] = field(default_factory=list)
    _wall: float = STARTED
    _cpu: float = 0.0

    def end(self, name: str) -> None:
        """Say that what was done since the last end bears this name."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.stages.append(Stage(name, wall - self._wall, cpu - self._cpu, peak_mb()))
        forget_peak()
        self._wall, self._cpu = wall, cpu


def peak_mb() -> float:
    """Return the most memory since the peak was last forgotten (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def main() -> None:
    """Run the file given first, with the lake in the folder given second."""
    watch, names = Watch(), ["Copying the file"]
    from energy_analytics.delivery import deliver
    from energy_analytics.lake import LocalLake
    from energy_analytics.pipeline import run
    from energy_analytics.settings import load_settings

    settings, lake = load_settings(), LocalLake(Path(sys.argv[2]))
    watch.end("Loading the program")

    def begin(stage: str, engine: duckdb.DuckDBPyConnection, rows: int | None) -> None:
        watch.end(names[-1])
        names.append(stage)

    upload = deliver(lake, Path(sys.argv[1]), site="", now=datetime.now(UTC))
    run(lake, upload, settings, progress=begin)
    watch.end(names[-1])
    print(json.dumps([asdict(stage) for stage in watch.stages]))


if __name__ == "__main__":
    main()
