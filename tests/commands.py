"""Running `energy` as a person would, and small files to run it on."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from energy_analytics.lake import LocalLake
from energy_analytics.pipeline import run
from energy_analytics.settings import Settings
from energy_analytics.uploads import identify

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample" / "household_power_hourly.csv.gz"
HEADER = "timestamp,appliance,kwh\n"


def environment(**variables: str) -> dict[str, str]:
    """Return this environment without settings of the project, but with those given."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ENERGY_")}
    sources = os.pathsep.join([str(ROOT / "src"), *filter(None, [own.get("PYTHONPATH")])])
    return own | {"PYTHONPATH": sources, "PYTHONWARNINGS": "ignore", "ENERGY_MODEL": "moving_average"} | variables


def energy(
    *arguments: str | Path, folder: Path, variables: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the command in `folder`, where its lake is `lake` unless told otherwise."""
    return subprocess.run(
        [sys.executable, "-m", "energy_analytics", *map(str, arguments)],
        cwd=folder,
        env=environment(**(variables or {})),
        capture_output=True,
        encoding="utf-8",
        input=stdin,
        timeout=120,
        check=False,
    )


def peak_mb(*arguments: str | Path, folder: Path, variables: Mapping[str, str]) -> tuple[float, str]:
    """Run `energy` and return the most memory that it took, and what it said on standard error."""
    code = (
        "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], capture_output=True, text=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024); print(done.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, sys.executable, "-m", "energy_analytics", *map(str, arguments)],
        cwd=folder, env=environment(**variables), capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    peak, _, said = done.stdout.partition("\n")
    return float(peak), said


def told(done: subprocess.CompletedProcess[str], *, code: int = 1) -> str:
    """Return the message of a command that was refused in plain words."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("Error: ")
    return done.stderr.removeprefix("Error: ").strip()


def hourly_rows(first: str, *, hours: int, kwh: float = 1.0, appliance: str = "Oven") -> str:
    """Write rows with one reading an hour."""
    start = datetime.fromisoformat(first)
    return "".join(f"{start + timedelta(hours=n)},{appliance},{kwh}\n" for n in range(hours))


def drop(lake: Path, key: str, rows: str, *, minute: int = 0) -> str:
    """Put a file under `raw/` as a copying tool would, uploaded at that minute of an hour of the past."""
    path = lake / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + rows, encoding="utf-8")
    at = datetime(2026, 3, 1, 12, minute, tzinfo=UTC).timestamp()
    os.utime(path, (at, at))
    return key


def run_key(lake: Path, key: str, **settings: object) -> dict[str, object]:
    """Run one upload that is in the lake."""
    chosen = Settings(model="moving_average").model_copy(update=settings)
    opened = LocalLake(lake)
    return run(opened, identify(opened, opened.describe(key)), chosen)


def state(lake: Path, *, without: Iterable[str] = ("raw",)) -> dict[str, str]:
    """Return the digest of every file of a lake by its key, but of what is only remembered."""
    return {
        path.relative_to(lake).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(lake.rglob("*"))
        if path.is_file()
        and not path.name.startswith(".memory-")
        and path.relative_to(lake).parts[0] not in {".work", *without}
    }
