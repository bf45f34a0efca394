"""The engine that answers requests: one for all, in memory, that can read the lake's files and nothing else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from ..engine import connect, file_literal, literal
from ..lake import Lake, LocalLake
from ..lake.cache import process_cache
from ..settings import Settings


class Engine:
    """An engine that is opened when it is first asked. Each use has a connection of its own."""

    def __init__(self, lake: Lake, settings: Settings) -> None:
        self._lake = lake
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: duckdb.DuckDBPyConnection | None = None
        self._folder: TemporaryDirectory[str] | None = None

    @contextmanager
    def use(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection."""
        with self._main().cursor() as own:
            yield own

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Give a folder that the engine may write to, gone afterwards."""
        self._main()
        assert self._folder is not None  # noqa: S101 - opened just now
        with TemporaryDirectory(dir=self._folder.name) as own:
            yield Path(own)

    def close(self) -> None:
        """End it, with what it spilled."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            if self._folder is not None:
                self._folder.cleanup()
            self._opened = self._folder = None

    def _main(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._opened is None:
                self._folder = TemporaryDirectory(prefix="energy-serve-", ignore_cleanup_errors=True)
                engine = connect(
                    memory_limit_mb=self._settings.memory_limit_mb,
                    threads=self._settings.threads,
                    spill_folder=Path(self._folder.name),
                )
                readable = [Path(self._folder.name)]
                readable.append(self._lake.root if isinstance(self._lake, LocalLake) else process_cache().folder)
                # Each a second time as files are named to it: with *, ? and [ put in brackets.
                named = [write(one) for one in readable for write in (lambda path: literal(str(path)), file_literal)]
                engine.execute("SET TimeZone = 'UTC'")
                engine.execute(f"SET allowed_directories = [{', '.join(named)}]")
                engine.execute("SET enable_external_access = false; SET lock_configuration = true")
                self._opened = engine
            return self._opened
