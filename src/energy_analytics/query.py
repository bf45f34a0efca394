"""SQL over the lake: its tables as views, the named queries, and nothing but reading."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb

from . import schema
from .engine import connect, file_list, file_literal, literal, parquet
from .history import merged
from .intake import UnusableUploadError, understood
from .lake import Lake
from .runs import Manifest, succeeded_runs
from .schema import Table
from .settings import Settings
from .uploads import is_upload, place_of, readings_key, site_of

_OUTPUT_OF: Final = {"processed_energy_data": "processed", "forecast_data": "forecast", "anomalies_data": "anomalies"}


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


def query(lake: Lake, sql: str, settings: Settings) -> Rows:
    """Answer one SELECT over the lake's tables, or the query of that name.

    The engine can read nothing outside the lake and write nothing at all. Raises QueryError.
    """
    sql = named_queries().get(sql.strip(), sql)
    with TemporaryDirectory() as folder, _engine(lake, sql, settings, Path(folder)) as engine:
        try:
            statements = engine.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise QueryError("The lake answers one SELECT at a time, and nothing that writes or changes settings.")
            answer = engine.execute(statements[0])
            columns = tuple(column[0] for column in answer.description or ())
            return Rows(columns, answer.fetchall())
        except duckdb.Error as error:
            raise QueryError(str(error).strip()) from error


@contextmanager
def _engine(lake: Lake, sql: str, settings: Settings, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(memory_limit_mb=settings.memory_limit_mb, threads=settings.threads, spill_folder=folder) as engine:
        succeeded = succeeded_runs(lake)
        newest = _newest_per_site(succeeded)
        for name, output in _OUTPUT_OF.items():
            _create_view(engine, name, _run_tables(lake, schema.TABLES[name], output, succeeded))
        for name, of in schema.LATEST.items():
            _create_view(engine, name, _run_tables(lake, schema.TABLES[of], _OUTPUT_OF[of], newest))
        for table in (schema.HOURLY, schema.DAILY, schema.APPLIANCE_FORECAST, schema.DECOMPOSITION, schema.EPISODES):
            paths = [lake.fetch(stored.key) for stored in lake.list(table.prefix)]
            _create_view(engine, table.name, f"SELECT * FROM {parquet(paths)}" if paths else _nothing(table))
        _create_view(engine, schema.READINGS.name, _readings(engine, lake))
        if schema.RAW_ENERGY_DATA.name in sql.lower():
            _create_view(engine, schema.RAW_ENERGY_DATA.name, _raw(lake, folder))
        # The root a second time as views name it: with its *, ? and [ put in brackets.
        readable = ", ".join([literal(lake.uri), file_literal(Path(lake.uri)), literal(str(folder))])
        engine.execute(f"SET allowed_directories = [{readable}]")
        engine.execute("SET enable_external_access = false; SET lock_configuration = true")
        yield engine


def _create_view(engine: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    engine.execute(f"CREATE VIEW {name} AS {select}")


def _nothing(table: Table, further: Sequence[str] = ()) -> str:
    columns = [f'CAST(NULL AS {column.type}) AS "{column.name}"' for column in table.columns]
    return f"SELECT {', '.join([*columns, *further])} WHERE false"


def _newest_per_site(manifests: Iterable[Manifest]) -> list[Manifest]:
    newest: dict[str, Manifest] = {}
    for manifest in manifests:
        newest.setdefault(manifest["site"], manifest)
    return list(newest.values())


def _run_tables(lake: Lake, table: Table, output: str, manifests: Sequence[Manifest]) -> str:
    """Return a SELECT over the CSV files of those runs, with the site and the run of each row."""
    if not manifests:
        return _nothing(table, ("CAST(NULL AS VARCHAR) AS site", "CAST(NULL AS VARCHAR) AS run"))
    columns = ", ".join(f"'{column.name}': '{column.type}'" for column in table.columns)
    paths = {lake.fetch(manifest["outputs"][output]): manifest for manifest in manifests}
    places = " UNION ALL ".join(
        f"SELECT {literal(str(path))} AS file, {literal(manifest['site'])} AS site, {literal(manifest['stamp'])} AS run"
        for path, manifest in paths.items()
    )
    names = ", ".join(table.column_names)
    return f"""
        SELECT {names}, site, run
        FROM read_csv({file_list(sorted(paths))}, auto_detect = false, header = true, columns = {{{columns}}},
            delim = ',', quote = '"', escape = '"', filename = true, hive_partitioning = false) AS rows
        JOIN ({places}) AS places ON places.file = rows.filename"""


def _readings(engine: duckdb.DuckDBPyConnection, lake: Lake) -> str:
    given = {stored.key for stored in lake.list(schema.READINGS.prefix)}
    sites: dict[str, list[Path]] = {}
    for stored in sorted(lake.list(schema.RAW), key=place_of):
        if is_upload(stored.key) and readings_key(stored.key) in given:
            sites.setdefault(site_of(stored.key), []).append(lake.fetch(readings_key(stored.key)))
    if not sites:
        return _nothing(schema.READINGS, ("CAST(NULL AS VARCHAR) AS site",))
    return " UNION ALL ".join(
        f"SELECT *, {literal(site)} AS site FROM {merged(engine, paths)}" for site, paths in sorted(sites.items())
    )


def _raw(lake: Lake, folder: Path) -> str:
    """Return a SELECT over the uploads as they arrived, columns by name, null where a value cannot be cast."""
    selects = []
    for number, stored in enumerate(stored for stored in lake.list(schema.RAW) if is_upload(stored.key)):
        own = folder / str(number)
        own.mkdir()
        with suppress(UnusableUploadError):
            text, dialect = understood(lake.fetch(stored.key), stored.key, own)
            columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(dialect.columns)))
            kwh = f"c{dialect.kwh_index}" if dialect.delimiter == "," else f"replace(c{dialect.kwh_index}, ',', '.')"
            selects.append(f"""
                SELECT try_cast(c{dialect.timestamp_index} AS TIMESTAMP) AS timestamp,
                    c{dialect.appliance_index} AS appliance, try_cast({kwh} AS DOUBLE) AS kwh
                FROM read_csv({file_literal(text.path)}, auto_detect = false, header = false,
                    skip = {dialect.header_line}, columns = {{{columns}}}, delim = {literal(dialect.delimiter)},
                    quote = '"', escape = '"', ignore_errors = true, null_padding = true)""")
    return " UNION ALL ".join(selects) or _nothing(schema.RAW_ENERGY_DATA)
