"""SQL over the lake: its tables as views, the named queries, and nothing but reading."""

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb

from . import schema
from .apart import BrokenOffError, OutOfMemoryError, OutOfTimeError, apart
from .engine import connect, file_list, file_literal, literal, parquet
from .intake import UnusableUploadError, understood
from .lake import Lake, LocalLake, StoredObject, fetch_folder, open_lake
from .merging import merged_readings, readings_of
from .readings import Readings, readings_in
from .runs import Manifest, runs
from .schema import Table
from .settings import Settings
from .uploads import is_readings, is_upload, site_of
from .words import text_of_csv_cell_sql

_OF_RUNS: Final = {"processed": "processed_energy_data", "forecast": "forecast_data", "anomalies": "anomalies_data"}
"""Views of the results of all runs, and the tables whose columns they have; site and run follow."""
_RECORD: Final = {
    "stamp": "VARCHAR",
    "status": "VARCHAR",
    "site": "VARCHAR",
    "version": "VARCHAR",
    "error": "VARCHAR",
    "upload": "STRUCT(key VARCHAR, uploaded_at VARCHAR, size_bytes BIGINT, sha256 VARCHAR)",
}
"""What the table `runs` tells of a manifest."""
_CURATED: Final = (schema.HOURLY, schema.DAILY, schema.APPLIANCE_FORECAST, schema.DECOMPOSITION, schema.EPISODES)


_ROWS_AT_A_TIME: Final = 1000
_MOST_CHARACTERS: Final = 200_000_000
_UNCOUNTED_MB: Final = 1024
"""For what the engine does not count: values of gigabytes, and an answer on its way."""
_SPILLED_MB: Final = 10_000
_PAUSE_SECONDS: Final = 0.1
_LOOK_BYTES: Final = 1 << 20
_WORDS_OF_SQL: Final = frozenset({"SELECT", "WITH", "VALUES", "FROM", "SHOW", "DESCRIBE", "EXPLAIN", "SUMMARIZE"})
"""Of one of these alone the engine tells better what is missing."""


class QueryError(Exception):
    """A query that cannot be run; the message says why."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer to a query."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def named_queries() -> dict[str, str]:
    """Return the spec's sample queries by name, in the spec's order. The first line tells what each is."""
    order = ("total_by_appliance", "peak_hours", "latest_processed", "latest_forecast", "daily_trend")
    folder = files("energy_analytics") / "sql"
    return {name: (folder / f"{name}.sql").read_text(encoding="utf-8") for name in order}


def sql_of(wanted: str) -> str:
    """Return the SQL of a named query, or what was asked if that is SQL. Raises QueryError for a name there is not."""
    named = named_queries()
    asked = wanted.strip()
    if asked not in named and re.fullmatch(r"\w[\w-]*", asked) and asked.upper() not in _WORDS_OF_SQL:
        raise QueryError(
            f"There is no query called {asked}. There are {', '.join(named)}; or ask in SQL: SELECT * FROM daily."
        )
    return named.get(asked, wanted)


def query_apart(lake: Lake, sql: str, settings: Settings) -> Rows:
    """Answer as `query` does, in a process of its own, which ends at its limits whatever the engine makes of them.

    One value may take some gigabytes, or a minute, of which the engine neither counts nor interrupts anything.
    """
    memory_mb = settings.memory_limit_mb + _UNCOUNTED_MB
    try:
        return apart(
            _asked, lake.uri, sql, settings.model_dump_json(), memory_mb=memory_mb, seconds=settings.query_seconds
        )
    except (OutOfMemoryError, BrokenOffError) as error:
        raise QueryError(
            f"The answer was given up: it needs more memory than {memory_mb:,} MB, or the engine failed at it. Ask for "
            "less, or raise memory_limit_mb in energy.toml or ENERGY_MEMORY_LIMIT_MB."
        ) from error
    except OutOfTimeError as error:
        raise _took_too_long(settings) from error


def _asked(lake: str, sql: str, settings: str) -> Rows:
    return query(open_lake(lake), sql, Settings(**json.loads(settings)))


def _took_too_long(settings: Settings) -> QueryError:
    return QueryError(
        f"The answer took more than {settings.query_seconds:g} s and was given up. Ask for less, or raise "
        "query_seconds in energy.toml or ENERGY_QUERY_SECONDS."
    )


def query(lake: Lake, sql: str, settings: Settings) -> Rows:
    """Answer one SELECT over the lake's tables, or the query of that name.

    The engine can read nothing outside the lake's prefixes and write nothing at all, has `memory_limit_mb` and
    `query_seconds`, and answers with at most `query_rows`. Raises QueryError.
    """
    sql = sql_of(sql)
    if not _is_utf_8(sql):
        raise QueryError("The question has bytes that are no text in UTF-8.")
    # A remote lake's own folder, so that what is fetched stays meanwhile; a local lake is not to be written.
    place = TemporaryDirectory() if isinstance(lake, LocalLake) else lake.work_folder()
    with place as folder, _engine(lake, sql, settings, Path(folder)) as engine:
        try:
            statements = engine.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise QueryError("The lake answers one SELECT at a time, and nothing that writes or changes settings.")
            answer = engine.execute(statements[0])
            columns = tuple(column[0] for column in answer.description or ())
            return Rows(columns, _fetched(answer, most_rows=settings.query_rows))
        except duckdb.InterruptException as error:
            raise _took_too_long(settings) from error
        except duckdb.OutOfMemoryException as error:
            raise QueryError(
                "The memory that the engine may use was not enough: ask for less, or raise memory_limit_mb in "
                f"energy.toml or ENERGY_MEMORY_LIMIT_MB. It said: {str(error).splitlines()[0]}"
            ) from error
        except duckdb.Error as error:
            raise QueryError(_in_words(error)) from error


def _is_utf_8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _in_words(error: duckdb.Error) -> str:
    said = str(error).strip()
    if "'pytz'" in said:  # Told with a traceback.
        return (
            "The answer has times with an offset, which cannot be given: write CAST(... AS TIMESTAMP) in the question."
        )
    return said


def _fetched(answer: duckdb.DuckDBPyConnection, *, most_rows: int) -> list[tuple[Any, ...]]:
    """Return the rows of an answer. Raises QueryError when they are too many, or too long, to be held."""
    rows: list[tuple[Any, ...]] = []
    size, at_a_time = 0, 1
    while some := answer.fetchmany(at_a_time):
        rows += some
        size += sum(len(value) for row in some for value in row if isinstance(value, str | bytes | list | dict))
        if len(rows) > most_rows:
            raise QueryError(
                f"The answer has more than {most_rows:,} rows: put LIMIT behind it, or sum up; or raise query_rows in "
                "energy.toml or ENERGY_QUERY_ROWS."
            )
        if size > _MOST_CHARACTERS:
            raise QueryError(f"The answer is longer than {_MOST_CHARACTERS:,} characters: ask for less of it.")
        at_a_time = max(1, min(2 * at_a_time, _ROWS_AT_A_TIME, _MOST_CHARACTERS * len(rows) // (10 * size + 1)))
    return rows


@contextmanager
def _given_up_after(engine: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt what the engine does when the time is over, again and again: between two queries nothing hears it."""
    ended = threading.Event()

    def interrupt() -> None:
        pause = seconds
        while not ended.wait(pause):
            engine.interrupt()
            pause = _PAUSE_SECONDS

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def _engine(lake: Lake, sql: str, settings: Settings, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with (
        connect(memory_limit_mb=settings.memory_limit_mb, threads=settings.threads, spill_folder=folder) as engine,
        _given_up_after(engine, settings.query_seconds),
    ):
        views = _Views(engine, lake, sql.lower(), folder, settings.max_upload_mb)
        try:
            views.create()
        except duckdb.InterruptException as error:
            raise QueryError(f"The lake's tables could not be opened in {settings.query_seconds:g} s.") from error
        readable = [literal(str(one)) for one in sorted(views.folders | {folder})]
        if isinstance(lake, LocalLake):
            # Its folders a second time as views name them: with *, ? and [ put in brackets.
            for prefix in schema.PREFIXES:
                readable += [literal(str(lake.root / prefix)), file_literal(lake.root / prefix)]
        engine.execute(f"SET allowed_directories = [{', '.join(readable)}]")
        engine.execute(f"SET max_temp_directory_size = '{_SPILLED_MB} MB'; SET python_enable_replacements = false")
        engine.execute("SET enable_external_access = false; SET lock_configuration = true")
        yield engine


@dataclass(slots=True)
class _Views:
    """The lake's tables as views: those that the question names over their files, the others empty."""

    engine: duckdb.DuckDBPyConnection
    lake: Lake
    question: str
    """In lower case."""
    folder: Path
    max_upload_mb: float
    folders: set[Path] = field(default_factory=set)
    """Where the fetched files lie."""

    def create(self) -> None:
        """Create all of them."""
        manifests = runs(self.lake) if self._named("runs", *_OF_RUNS) else []
        succeeded = [manifest for manifest in manifests if manifest["status"] == "succeeded"]
        newest = _newest_per_site(succeeded)
        for output, name in _OF_RUNS.items():
            table = schema.TABLES[name]
            every = self._of_runs(table, output, succeeded if self._named(output) else [])
            for view in (output, name):
                self._create(view, every)
            self._create(f"latest_{output}", self._of_runs(table, output, newest if self._named(output) else []))
        for table in _CURATED:
            paths = list(self._fetched(table.prefix).values()) if self._named(table.name) else []
            self._create(table.name, f"SELECT * FROM {parquet(paths)}" if paths else _nothing(table))
        given = self._fetched(schema.READINGS.prefix, is_readings) if self._named("readings") else {}
        paths = list(given.values())
        self._create(
            "readings_data", f"SELECT * FROM {readings_of(self.engine, paths)}" if paths else _nothing(schema.READINGS)
        )
        self._create("readings", self._readings(given))
        raw = self._raw() if self._named("raw_") else _nothing(schema.RAW_ENERGY_DATA)
        for view in (schema.RAW_ENERGY_DATA.name, "raw_readings"):
            self._create(view, raw)
        self._create_runs(manifests)

    def _named(self, *names: str) -> bool:
        return any(name in self.question for name in names)

    def _fetched(
        self, prefix: str, wanted: Callable[[StoredObject], bool] = lambda stored: True
    ) -> dict[StoredObject, Path]:
        found = fetch_folder(self.lake, prefix, wanted=wanted)
        self.folders |= {path.parent for path in found.values()}
        return found

    def _create(self, name: str, select: str) -> None:
        self.engine.execute(f"CREATE VIEW {name} AS {select}")

    def _create_runs(self, manifests: Sequence[Manifest]) -> None:
        columns = ", ".join(f"{name} {kind}" for name, kind in _RECORD.items())
        self.engine.execute(f"CREATE TABLE runs ({columns})")
        if manifests:
            rows = [[manifest[name] for name in _RECORD] for manifest in manifests]
            places = ", ".join("?" for _ in _RECORD)
            self.engine.executemany(f"INSERT INTO runs VALUES ({places})", rows)

    def _of_runs(self, table: Table, output: str, manifests: Sequence[Manifest]) -> str:
        """Return a SELECT over the CSV files of those runs, with the site and the run of each row."""
        of_key = {manifest["outputs"][output]: manifest for manifest in manifests}
        files = self._fetched(table.prefix, lambda stored: stored.key in of_key) if of_key else {}
        if not files:
            return _nothing(table, ("CAST(NULL AS VARCHAR) AS site", "CAST(NULL AS VARCHAR) AS run"))
        columns = ", ".join(f"'{column.name}': '{column.type}'" for column in table.columns)
        of_path = ((path, of_key[stored.key]) for stored, path in files.items())
        places = " UNION ALL ".join(
            f"SELECT {literal(str(path))} AS file, {literal(manifest['site'])} AS site, "
            f"{literal(manifest['stamp'])} AS run"
            for path, manifest in of_path
        )
        names = ", ".join(
            f"{text_of_csv_cell_sql(one.name)} AS {one.name}" if one.type == "VARCHAR" else one.name
            for one in table.columns
        )
        return f"""
            SELECT {names}, site, run
            FROM read_csv({file_list(sorted(files.values()))}, auto_detect = false, header = true,
                columns = {{{columns}}}, delim = ',', quote = '"', escape = '"', filename = true,
                hive_partitioning = false) AS rows
            JOIN ({places}) AS places ON places.file = rows.filename"""

    def _readings(self, given: Mapping[StoredObject, Path]) -> str:
        """Return a SELECT over the readings that count, with their site; of a site the later upload wins."""
        sites: dict[str, list[Readings]] = {}
        uploads = [stored for stored in self.lake.list(schema.RAW) if is_upload(stored.key)] if given else []
        for one in readings_in(self.engine, lambda some: [given[file] for file in some], given, uploads):
            sites.setdefault(site_of(one.key), []).append(one)
        if not sites:
            return _nothing(schema.READINGS, ("CAST(NULL AS VARCHAR) AS site",))
        return " UNION ALL ".join(
            f"SELECT *, {literal(site)} AS site FROM {merged_readings(self.engine, of_site, given)}"
            for site, of_site in sorted(sites.items())
        )

    def _raw(self) -> str:
        """Return a SELECT over the uploads as they arrived, columns by name, null where a value cannot be cast."""
        selects = []
        for number, (stored, path) in enumerate(self._fetched(schema.RAW, lambda one: is_upload(one.key)).items()):
            own = self.folder / str(number)
            own.mkdir()
            with suppress(UnusableUploadError):
                text, dialect = understood(path, stored.key, own, max_upload_mb=self.max_upload_mb)
                columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(dialect.columns)))
                kwh = (
                    f"c{dialect.kwh_index}" if dialect.delimiter == "," else f"replace(c{dialect.kwh_index}, ',', '.')"
                )
                selects.append(f"""
                    SELECT try_cast(c{dialect.timestamp_index} AS TIMESTAMP) AS timestamp,
                        c{dialect.appliance_index} AS appliance, try_cast({kwh} AS DOUBLE) AS kwh
                    FROM read_csv({file_literal(text.path)}, auto_detect = false, header = false,
                        skip = {dialect.header_line}, columns = {{{columns}}}, delim = {literal(dialect.delimiter)},
                        quote = '"', escape = '"', ignore_errors = true, null_padding = true,
                        parallel = {not _has_quotes(text.path)})""")
        return " UNION ALL ".join(selects) or _nothing(schema.RAW_ENERGY_DATA)


def _has_quotes(path: Path) -> bool:
    """Tell whether a quote may hold a line end: then the engine reads the file in one piece, or not at all."""
    with path.open("rb") as file:
        return any(b'"' in chunk for chunk in iter(lambda: file.read(_LOOK_BYTES), b""))


def _nothing(table: Table, further: Sequence[str] = ()) -> str:
    columns = [f'CAST(NULL AS {column.type}) AS "{column.name}"' for column in table.columns]
    return f"SELECT {', '.join([*columns, *further])} WHERE false"


def _newest_per_site(manifests: Iterable[Manifest]) -> list[Manifest]:
    newest: dict[str, Manifest] = {}
    for manifest in manifests:
        newest.setdefault(manifest["site"], manifest)
    return list(newest.values())
