"""What the cases need to know: which programs are measured, on how much, and where files are kept."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.speed.measurement import Program, RunFailedError, Usage, measure, say
from benchmarks.speed.totals import Totals, check_same, totals_of_rival

HERE: Final = Path(__file__).parent
THREADS: Final = 2
"""Of every program, so that figures of machines with other numbers of cores can be compared."""

_DISK_BYTES_A_ROW: Final = 160
"""Of the file 37, of its copy in the lake as many, of readings, anomalies and what is spilled the rest."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Of generated readings: how many appliances, and how often each is read."""

    name: str
    appliances: int
    step_minutes: int

    @property
    def options(self) -> list[str]:
        """For `inputs.py`."""
        return ["--appliances", str(self.appliances), "--step-minutes", str(self.step_minutes)]

    @property
    def short(self) -> str:
        return f"{self.appliances}x{self.step_minutes}min"


BY_MINUTE: Final = Shape("50 appliances by the minute", 50, 1)
BY_HOUR: Final = Shape("2,000 appliances by the hour", 2000, 60)
HOME: Final = Shape("4 appliances by the hour", 4, 60)
LARGE_HOME: Final = Shape("10 appliances by the quarter of an hour", 10, 15)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rows: int
    """Of the middle one of the generated files; the others have a tenth and ten times as many."""
    runs: int
    """Of which the median counts."""
    history_days: int
    month_days: int
    sites: int
    huge_sites: int


FULL: Final = Size(rows=10_000_000, runs=3, history_days=1825, month_days=30, sites=100, huge_sites=10_000)
QUICK: Final = Size(rows=20_000, runs=1, history_days=60, month_days=10, sites=3, huge_sites=20)


@dataclass(frozen=True, slots=True)
class Bench:
    """The programs and the size of a measurement."""

    energy: Path
    reader: Path
    """Our reading and aggregating alone, a Python script."""
    polars_python: Path
    """A Python that has polars."""
    folder: Path
    """Where generated files are kept, and lakes come and go."""
    size: Size
    every: int
    """Of the uploads of a site's history, each so manieth is run when the site is made; see `old_site.py`."""
    keep_lakes: bool
    """Whether lakes with a history that another version of the package has made are good enough."""

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a folder that is gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield Path(folder)

    def made(self, name: str, options: Sequence[str]) -> Path:
        """Return a generated file or folder, written on first use and kept."""
        path = self.folder / name
        if not path.exists():
            say(f"writing {name}")
            shutil.rmtree(path.with_name(path.name + ".part"), ignore_errors=True)
            measure([sys.executable, str(HERE / "inputs.py"), str(path), *options])
        return path

    def rows_file(self, shape: Shape, rows: int) -> Path:
        """Return a generated file. Raises RunFailedError when the disk would not hold it and a lake of it."""
        needed, free = rows * _DISK_BYTES_A_ROW, shutil.disk_usage(self.folder).free
        if free < needed:
            raise RunFailedError(
                f"{rows:,} rows need {needed / 1e9:.0f} GB of disk, of which {free / 1e9:.0f} are free"
            )
        return self.made(f"{shape.short}-{rows}.csv", ["--rows", str(rows), *shape.options])

    def run(self, file: Path, lake: Path, *options: str, **further: str) -> Usage:
        """Measure `energy run`."""
        command = [str(self.energy), "run", str(file), "--lake", str(lake), *options]
        return measure(command, ENERGY_THREADS=str(THREADS), **further)

    def duckdb(self, form: str, out: Path, *files: Path) -> Usage:
        rival = str(HERE / "rival_duckdb.py")
        return measure([sys.executable, rival, form, str(THREADS), str(out), *map(str, files)])

    def pandas(self, out: Path, *files: Path, options: Sequence[str] = ()) -> Usage:
        return measure([sys.executable, str(HERE / "rival_pandas.py"), str(out), *map(str, files), *options])

    def polars(self, out: Path, file: Path) -> Usage:
        command = [str(self.polars_python), str(HERE / "rival_polars.py"), str(out), str(file)]
        return measure(command, POLARS_MAX_THREADS=str(THREADS))

    @property
    def has_polars(self) -> bool:
        return os.access(self.polars_python, os.X_OK)


def checked(program: Program, out: Path, wanted: Totals) -> Program:
    """Return the rival's program, which raises unless it leaves the totals wanted in its folder."""

    def run() -> Usage:
        shutil.rmtree(out, ignore_errors=True)
        usage = program()
        try:
            check_same(totals_of_rival(out), wanted)
        except RunFailedError as error:
            raise RunFailedError(f"{out.name}: {error}") from error
        return usage

    return run
