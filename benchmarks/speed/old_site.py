"""Make a lake with a site that has a history, as if each of its files had been run when it came.

Each file goes through what `energy run` does for it (`deliver`, then `pipeline.run`), one after the other in
one process, which spares the start of a thousand. With `--every N` only each Nth upload, and the last, is run:
the readings of those between are taken in as they are in a run, and their records are those of the run before
them with their own names and marks. To the next run that is the same: it looks at the readings and records of all
uploads, and of results at those of the last run alone. `tests/test_speed.py` holds the two against each other.

What was made stays when it is stopped; the same command goes on.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from energy_analytics import history, readings
from energy_analytics.delivery import deliver
from energy_analytics.engine import connect
from energy_analytics.lake import LocalLake
from energy_analytics.pipeline import run
from energy_analytics.readings import Readings
from energy_analytics.runs import Manifest, describe_upload, mark_of, put_manifest, result_keys, runs
from energy_analytics.settings import Settings
from energy_analytics.uploads import Upload, readings_key, uploads_of_site

SITE: Final = "home"


@dataclass(slots=True)
class OldSite:
    """A site that is being given a history."""

    lake: LocalLake
    every: int
    settings: Settings = field(default_factory=Settings)
    _before: Manifest | None = None
    _readings: list[Readings] = field(default_factory=list)

    def make(self, files: Sequence[Path]) -> list[float]:
        """Upload the files in order of their age, and return the seconds that each of the runs took."""
        ordered = sorted(files, key=lambda path: path.stat().st_mtime)
        done = self._resume()
        taken = []
        for number, file in enumerate(ordered[done:], start=done + 1):
            upload = deliver(self.lake, file, site=SITE, now=datetime.now(UTC))
            if self._before is None or number % self.every == 0 or number == len(ordered):
                started = time.perf_counter()
                self._before = run(self.lake, upload, self.settings)
                taken.append(time.perf_counter() - started)
                with self._engine() as engine:
                    self._remember(engine, upload)
            else:
                with self._engine() as engine:
                    self._take_in(engine, upload, before=self._before)
        return taken

    def _resume(self) -> int:
        """Return how many uploads are finished; the last that is there may not be."""
        done = uploads_of_site(self.lake, SITE)[:-1]
        if done:
            with self._engine() as engine:
                self._readings = list(readings.readings_of_site(engine, self.lake, SITE))[: len(done)]
            self._before = next(one for one in runs(self.lake, SITE) if one["upload"]["key"] == done[-1].key)
        return len(done)

    def _take_in(self, engine: duckdb.DuckDBPyConnection, upload: Upload, *, before: Manifest) -> None:
        """Leave the upload's readings, and a record of a run that found what the run before did."""
        history.take_in(engine, self.lake, upload, self.lake.fetch(upload.key), self.settings)
        self._remember(engine, upload)
        self._before = before | {
            "stamp": upload.stamp,
            "upload": describe_upload(upload),
            "after": mark_of(before),
            "history": readings.marks_of(self._readings)[-1],
            "outputs": result_keys(upload),
        }
        put_manifest(self.lake, upload, self._before)

    def _remember(self, engine: duckdb.DuckDBPyConnection, upload: Upload) -> None:
        given = self.lake.describe(readings_key(upload.key))
        self._readings += readings.readings_in(engine, self.lake.fetch_all, [given], [upload.stored])

    @contextmanager
    def _engine(self) -> Iterator[duckdb.DuckDBPyConnection]:
        limit, threads = self.settings.memory_limit_mb, self.settings.threads
        with (
            self.lake.work_folder() as spill,
            connect(memory_limit_mb=limit, threads=threads, spill_folder=spill) as engine,
        ):
            yield engine


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a lake with a site that has a history.")
    parser.add_argument("lake", type=Path)
    parser.add_argument("files", type=Path, help="folder of CSV files")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="run only each Nth upload, and the last")
    options = parser.parse_args()
    started = time.perf_counter()
    taken = OldSite(LocalLake(options.lake), options.every).make(sorted(options.files.glob("*.csv")))
    told = {"seconds": time.perf_counter() - started, "runs": len(taken), "last_run_seconds": taken[-1] if taken else 0}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
