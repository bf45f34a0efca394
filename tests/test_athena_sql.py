"""The SQL that Athena runs: its grammar, and that it gives the rows that the laptop gives."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
import trino_sql_validator
from commands import drop, hourly_rows, run_key
from template_reading import BUCKET, athena_view, glue_tables

from energy_analytics import schema
from energy_analytics.engine import literal
from energy_analytics.lake import LocalLake
from energy_analytics.pipeline import FailedRunError
from energy_analytics.query import named_queries, query
from energy_analytics.settings import Settings

STATEMENTS = named_queries() | {f"view {name}": athena_view(name)["originalSql"] for name in schema.VIEWS}


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_statement_is_sql_of_athena(name: str) -> None:
    parsed = sqlglot.parse(STATEMENTS[name], read="athena")
    assert len(parsed) == 1
    checked = trino_sql_validator.validate(STATEMENTS[name])
    assert checked.valid, checked.error
    assert not checked.warnings


def test_every_table_could_be_made_by_hive_ddl() -> None:
    for name, table in glue_tables().items():
        if table["TableType"] == "EXTERNAL_TABLE":
            storage = table["StorageDescriptor"]
            columns = ", ".join(f"`{one['Name']}` {one['Type']}" for one in storage["Columns"])
            serde = storage["SerdeInfo"]["SerializationLibrary"]
            ddl = (
                f"CREATE EXTERNAL TABLE `{name}` ({columns}) ROW FORMAT SERDE '{serde}' "
                f"STORED AS INPUTFORMAT '{storage['InputFormat']}' OUTPUTFORMAT '{storage['OutputFormat']}' "
                f"LOCATION '{storage['Location']}'"
            )
            parsed = sqlglot.parse_one(ddl, read="hive")
            assert isinstance(parsed, sqlglot.exp.Create)
            assert len(list(parsed.find_all(sqlglot.exp.ColumnDef))) >= len(storage["Columns"])


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root site: two uploads that overlap, a failed one, one corrected. A plant: one upload, with an odd name."""
    root = tmp_path_factory.mktemp("two") / "lake"
    spike = hourly_rows("2026-01-05", hours=1, kwh=50)
    run_key(root, drop(root, "raw/a.csv", hourly_rows("2026-01-01", hours=96) + spike))
    run_key(root, drop(root, "raw/b.csv", hourly_rows("2026-01-04", hours=48, kwh=3), minute=1))
    with pytest.raises(FailedRunError):
        run_key(root, drop(root, "raw/bad.csv", "not a time,Oven,1\n", minute=2))
    odd = hourly_rows("2026-01-01", hours=24, kwh=5, appliance='"Pump \\1, ""big"""')
    run_key(root, drop(root, "raw/it's a+b %41 ü/a b.csv", odd, minute=3))
    run_key(root, drop(root, "raw/a.csv", hourly_rows("2026-01-01", hours=48, kwh=2) + spike, minute=4))
    offsets = "2026-10-25 02:30:00+02:00,Oven,1\n2026-10-25 02:30:00+01:00,Oven,2\n"
    run_key(root, drop(root, "raw/berlin/a.csv", offsets, minute=5), timezone="Europe/Berlin")
    names = ("=1+1", "-Boiler", "'quoted", "it's")
    formulas = "".join(hourly_rows("2026-01-01", hours=24, kwh=n, appliance=name) for n, name in enumerate(names))
    run_key(
        root, drop(root, "raw/sheet/a.csv", formulas + "".join(f"2026-01-05,{one},50\n" for one in names), minute=6)
    )
    (root / "processed" / "mine.csv").write_text("appliance,total_kwh\nx,not a number\n", encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def athena(lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as engine:
        yield _database(engine, lake)


def _database(engine: duckdb.DuckDBPyConnection, lake: Path) -> duckdb.DuckDBPyConnection:
    """Make the database of the template over that lake: external tables as files lie, views by their SQL."""
    engine.execute("SET TimeZone = 'UTC'")
    for name, table in glue_tables().items():
        if table["TableType"] == "EXTERNAL_TABLE":
            engine.execute(f'CREATE VIEW "{name}" AS {_external(lake, table)}')
    for name in schema.VIEWS:
        sql = sqlglot.transpile(athena_view(name)["originalSql"], read="athena", write="duckdb")[0]
        engine.execute(f"CREATE VIEW {name} AS {sql}")
    return engine


def _external(lake: Path, table: dict[str, Any]) -> str:
    """Read what lies under a table's location, each row with the path of its object."""
    storage = table["StorageDescriptor"]
    prefix = storage["Location"].removeprefix(f"s3://{BUCKET}/").rstrip("/")
    paths = [path for path in sorted((lake / prefix).rglob("*")) if path.is_file()]
    types = {"string": "VARCHAR", "int": "INTEGER", "struct<": schema.RUN_RECORDS.columns[-1].type}
    columns = {one["Name"]: types.get(one["Type"][:7], one["Type"]) for one in storage["Columns"]}
    selected = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in columns.items())
    nothing = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in columns.items())
    if not paths:
        return f"SELECT {nothing}, '' AS \"$path\" WHERE false"
    listed = "[" + ", ".join(literal(str(path).replace("[", "[[]")) for path in paths) + "]"
    declared = "{" + ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items()) + "}"
    reader = {
        "csv": f"read_csv({listed}, auto_detect = false, header = false, skip = 1, columns = {declared}, delim = ',', "
        "quote = '\"', escape = '\"', filename = true, hive_partitioning = false, null_padding = true)",
        "json": f"read_json({listed}, columns = {declared}, filename = true, hive_partitioning = false)",
        # By name: a column that no file has is null.
        "parquet": f"(SELECT {nothing} WHERE false UNION ALL BY NAME "
        f"SELECT * FROM read_parquet({listed}, union_by_name = true, filename = true, hive_partitioning = false))",
    }[table["Parameters"]["classification"]]
    where = f"'s3://{BUCKET}' || substr(filename, {len(str(lake)) + 1})"
    return f'SELECT {selected}, {where} AS "$path" FROM {reader}'


def _answer(engine: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return engine.execute(sqlglot.transpile(sql, read="athena", write="duckdb")[0]).fetchall()


@pytest.mark.parametrize("name", named_queries())
def test_named_queries_give_the_rows_of_the_laptop(lake: Path, athena: duckdb.DuckDBPyConnection, name: str) -> None:
    there = _answer(athena, named_queries()[name])
    assert there == query(LocalLake(lake), name, Settings()).rows
    assert there


@pytest.mark.parametrize("name", [*(view for view in schema.VIEWS if view != "raw_readings"), "runs"])
def test_views_give_the_rows_of_the_laptop(lake: Path, athena: duckdb.DuckDBPyConnection, name: str) -> None:
    told = schema.VIEWS[name] if name in schema.VIEWS else schema.TABLES[name]
    sql = f"SELECT {', '.join(told.column_names)} FROM {name} ORDER BY ALL"
    here = query(LocalLake(lake), sql, Settings())
    assert athena.execute(sql).fetchall() == here.rows
    assert query(LocalLake(lake), f"SELECT * FROM {name}", Settings()).columns == told.column_names


def test_later_upload_wins_and_only_within_its_site(athena: duckdb.DuckDBPyConnection) -> None:
    asked = "SELECT kwh, count(*) FROM readings WHERE site = '' GROUP BY kwh ORDER BY kwh"
    # a.csv as corrected (48 h of 2 kWh and the spike, uploaded last) over b.csv (48 h of 3 kWh from the 4th).
    assert athena.execute(asked).fetchall() == [(2.0, 48), (3.0, 47), (50.0, 1)]
    plant = athena.execute("SELECT DISTINCT site, appliance FROM readings WHERE kwh = 5").fetchall()
    assert plant == [("it's a+b %41 ü", 'Pump \\1, "big"')]
    autumn = athena.execute(
        "SELECT utc_offset_minutes, kwh FROM readings WHERE site = 'berlin' ORDER BY kwh"
    ).fetchall()
    assert autumn == [(120, 1.0), (60, 2.0)]


def test_only_runs_that_succeeded_count(athena: duckdb.DuckDBPyConnection) -> None:
    runs = athena.execute("SELECT status, count(*) FROM runs GROUP BY status ORDER BY status").fetchall()
    assert runs[0] == ("failed", 1)
    counted = athena.execute("SELECT site, count(DISTINCT run) FROM processed GROUP BY site ORDER BY site").fetchall()
    succeeded = "SELECT site, count(*) FROM runs WHERE status = 'succeeded' GROUP BY site ORDER BY site"
    assert counted == athena.execute(succeeded).fetchall()
    assert athena.execute("SELECT count(*) FROM processed_energy_data WHERE appliance = 'x'").fetchall() == [(1,)]
    assert athena.execute("SELECT count(*) FROM processed WHERE appliance = 'x'").fetchall() == [(0,)]
    newest = athena.execute("SELECT site, total_kwh FROM latest_processed WHERE site = ''").fetchall()
    assert newest == [("", 2 * 48 + 3 * 47 + 50.0)]
    assert athena.execute("SELECT DISTINCT kwh FROM latest_anomalies").fetchall() == [(50.0,)]


def test_raw_readings_are_typed_where_the_layout_is_plain(athena: duckdb.DuckDBPyConnection) -> None:
    told = athena.execute("SELECT count(*), count(timestamp), count(kwh) FROM raw_readings").fetchall()
    # The row that is no time counts, and has none; so do the two with an offset.
    assert told[0][0] - told[0][1] in (1, 3)
    assert told[0][0] == told[0][2]


def test_views_have_the_declared_types(athena: duckdb.DuckDBPyConnection) -> None:
    for name, view in schema.VIEWS.items():
        described = athena.execute(f"DESCRIBE {name}").fetchall()
        assert [(row[0], row[1].replace("TIMESTAMP_MS", "TIMESTAMP")) for row in described] == [
            (column.name, column.type) for column in view.columns
        ]


def test_an_unusable_correction_changes_nothing(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    run_key(lake, drop(lake, "raw/a.csv", hourly_rows("2026-01-01", hours=24)))
    run_key(lake, drop(lake, "raw/b.csv", hourly_rows("2026-01-01", hours=24, kwh=3), minute=1))
    with pytest.raises(FailedRunError):
        run_key(lake, drop(lake, "raw/a.csv", "not a time,Oven,1\n", minute=2))
    sql = "SELECT sum(kwh), count(*) FROM readings"
    with duckdb.connect() as engine:
        assert _database(engine, lake).execute(sql).fetchall() == query(LocalLake(lake), sql, Settings()).rows
        assert engine.execute(sql).fetchall() == [(24 * 3.0, 24)]


def test_an_empty_lake_answers_with_nothing(tmp_path: Path) -> None:
    with duckdb.connect() as engine:
        _database(engine, tmp_path)
        for name in [*schema.VIEWS, *(table for table in schema.TABLES if table != schema.REJECTED_ROWS.name)]:
            assert engine.execute(f"SELECT * FROM {name}").fetchall() == []
