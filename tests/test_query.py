"""SQL over the lake: every table in lakes of no, one and two sites, and nothing but reading."""

import csv
import io
import json
from pathlib import Path

import pytest
from commands import drop, energy, hourly_rows, run_key, state, told

from energy_analytics.lake import LocalLake
from energy_analytics.query import QueryError, named_queries, query
from energy_analytics.schema import REJECTED_ROWS, TABLES, VIEWS
from energy_analytics.settings import Settings

ASKED = {**{name: one for name, one in TABLES.items() if one is not REJECTED_ROWS}, **VIEWS}
FIVE = ["total_by_appliance", "peak_hours", "latest_processed", "latest_forecast", "daily_trend"]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("empty") / "lake"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of an oven at 1 kWh and a boiler at 2 kWh an hour: 48 and 96 kWh."""
    lake = tmp_path_factory.mktemp("one") / "lake"
    rows = hourly_rows("2026-01-01", hours=48) + hourly_rows("2026-01-01", hours=48, kwh=2, appliance="Boiler")
    run_key(lake, drop(lake, "raw/a.csv", rows))
    return lake


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root site with two runs, and a plant with one."""
    lake = tmp_path_factory.mktemp("two") / "lake"
    run_key(lake, drop(lake, "raw/a.csv", hourly_rows("2026-01-01", hours=24)))
    run_key(lake, drop(lake, "raw/b.csv", hourly_rows("2026-01-02", hours=24, kwh=3), minute=1))
    run_key(lake, drop(lake, "raw/it's [a] plant/a.csv", hourly_rows("2026-01-01", hours=24, kwh=5), minute=2))
    (lake / "evil.csv").symlink_to("/etc/passwd")
    return lake


def answer(lake: Path, sql: str) -> list[tuple[object, ...]]:
    return query(LocalLake(lake), sql, Settings()).rows


@pytest.mark.parametrize("table", ASKED)
def test_tables_of_an_empty_lake_are_there_and_empty(empty: Path, table: str) -> None:
    found = query(LocalLake(empty), f"SELECT * FROM {table}", Settings())
    assert found.rows == []
    assert set(ASKED[table].column_names) <= set(found.columns)


@pytest.mark.parametrize("table", ASKED)
def test_tables_have_the_same_columns_full_or_empty(empty: Path, two: Path, table: str) -> None:
    full = query(LocalLake(two), f"SELECT * FROM {table}", Settings())
    assert full.columns == query(LocalLake(empty), f"SELECT * FROM {table}", Settings()).columns
    assert full.rows or "anomalies" in table or table == "episodes"


@pytest.mark.parametrize("name", FIVE)
def test_named_queries_answer_on_every_lake(empty: Path, one: Path, two: Path, name: str) -> None:
    assert list(named_queries()) == FIVE
    assert answer(empty, name) == []
    assert answer(one, name)
    assert len({row[0] for row in answer(two, name)}) == 2


def test_answers_of_the_named_queries(one: Path) -> None:
    assert answer(one, "total_by_appliance") == [("", "Boiler", 48, 96.0), ("", "Oven", 48, 48.0)]
    assert [str(row[1]) for row in answer(one, "daily_trend")] == ["2026-01-01", "2026-01-02"]
    assert [row[2] for row in answer(one, "daily_trend")] == [72.0, 72.0]
    assert answer(one, "latest_processed")[0] == ("", "Boiler", 96.0, 2.0, 0.0, 48, 0)
    assert [str(row[1]) for row in answer(one, "latest_forecast")] == [f"2026-01-0{day}" for day in range(3, 10)]
    assert [row[1:] for row in answer(one, "peak_hours")] == [(hour, 3.0) for hour in range(24)]


def test_latest_is_of_each_site_and_sums_do_not_multiply(two: Path) -> None:
    totals = "SELECT site, sum(total_kwh) FROM {} GROUP BY site ORDER BY site"
    plant = ("it's [a] plant", 120.0)
    assert answer(two, totals.format("latest_processed")) == [("", 96.0), plant]
    assert answer(two, totals.format("processed_energy_data")) == [("", 24.0 + 96.0), plant]
    assert answer(two, "SELECT site, sum(kwh) FROM readings GROUP BY site ORDER BY site") == [("", 96.0), plant]
    assert answer(two, "SELECT sum(kwh), count(*) FROM raw_energy_data") == [(216.0, 72)]


@pytest.mark.parametrize(
    "sql", ["DESCRIBE readings", "SHOW TABLES", "FROM daily LIMIT 1;", "WITH a AS (SELECT 1) FROM a"]
)
def test_other_ways_to_ask(one: Path, sql: str) -> None:
    assert answer(one, sql)


@pytest.mark.parametrize("name", ["daily-trend", "trend"])
def test_a_name_that_there_is_not_is_told_with_those_that_there_are(two: Path, name: str) -> None:
    with pytest.raises(QueryError, match=f"There is no query called {name}. There are total_by_appliance, peak_hours"):
        answer(two, name)


@pytest.mark.parametrize(
    "sql",
    [
        "COPY readings TO '{lake}/stolen.csv'",
        "COPY (SELECT 1) TO '/tmp/stolen.csv'",
        "ATTACH '{lake}/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "RESET threads",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/stolen.csv'",
        "CREATE TABLE a AS SELECT 1",
        "DROP VIEW readings",
        "EXPORT DATABASE '{lake}/stolen'",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY (SELECT 1) TO '{lake}/stolen.csv'",
        ";",
    ],
)
def test_refuses_what_is_not_one_select(two: Path, sql: str) -> None:
    before = state(two, without=())
    with pytest.raises(QueryError, match="The lake answers one SELECT at a time"):
        answer(two, sql.format(lake=two))
    assert state(two, without=()) == before


@pytest.mark.parametrize(
    "source",
    [
        "read_text('/etc/passwd')",
        "read_blob('/etc/passwd')",
        "read_csv('/etc/passwd')",
        "read_json('/etc/passwd')",
        "read_parquet('/etc/passwd')",
        "'/etc/passwd'",
        "glob('/etc/*')",
        "read_text('{lake}/../../../../../etc/passwd')",
        "read_text('{lake}/evil.csv')",
        "read_csv('{lake}/*.csv')",
        "read_csv('https://example.org/a.csv')",
    ],
)
def test_reads_nothing_outside_the_lake(two: Path, source: str) -> None:
    with pytest.raises(QueryError):
        answer(two, f"SELECT * FROM {source.format(lake=two)}")


def test_a_query_leaves_no_trace(tmp_path: Path, two: Path) -> None:
    before = sorted(two.rglob("*")), state(two, without=())
    answer(two, "SELECT * FROM raw_energy_data")
    assert (sorted(two.rglob("*")), state(two, without=())) == before
    assert answer(tmp_path / "lake", "SELECT 1") == [(1,)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_forms(one: Path) -> None:
    shown = energy("query", "total_by_appliance", folder=one.parent)
    assert shown.returncode == 0, shown.stderr
    assert "Boiler" in shown.stdout
    assert shown.stdout.rstrip().endswith("2 rows")
    sql = "SELECT appliance, 1.5::DECIMAL(3, 1) AS d, 'nan'::DOUBLE AS n FROM latest_processed ORDER BY 1 LIMIT 1"
    written = energy("query", sql, "--format", "json", folder=one.parent)
    assert json.loads(written.stdout) == [{"appliance": "Boiler", "d": 1.5, "n": None}]
    separated = energy("query", "SELECT 'a,\"b\"' AS x, NULL AS y", "--format", "csv", folder=one.parent)
    assert list(csv.reader(io.StringIO(separated.stdout))) == [["x", "y"], ['a,"b"', ""]]


@pytest.mark.slow
def test_messages(one: Path) -> None:
    assert "Table with name nope does not exist" in told(energy("query", "SELECT * FROM nope", folder=one.parent))
    assert "one SELECT at a time" in told(energy("query", "COPY (SELECT 1) TO 'x.csv'", folder=one.parent))
    assert "syntax error" in told(energy("query", "SELEC 1", folder=one.parent))
    nothing = told(energy("query", folder=one.parent), code=2)
    assert nothing.startswith("Say what to ask")
    assert all(name in nothing.replace("\n", "") for name in FIVE)
    assert not (one.parent / "x.csv").exists()


def test_list_names_queries_and_tables(one: Path) -> None:
    listed = energy("query", "--list", folder=one.parent).stdout
    for name in (*FIVE, *ASKED):
        assert name in listed


def test_uploads_with_line_ends_in_names_are_told_as_they_arrived(tmp_path: Path) -> None:
    rows = '2026-01-01 00:00,"Oven\\nleft",1.5\n2026-01-01 01:00,"Oven\nleft",2.5\n2026-01-01 02:00,Kettle\n'
    drop(tmp_path / "lake", "raw/a.csv", rows)
    drop(tmp_path / "lake", "raw/b.csv", "2026-01-01 00:00,Oven,1\n")
    found = query(
        LocalLake(tmp_path / "lake"), "SELECT appliance, sum(kwh) FROM raw_readings GROUP BY 1 ORDER BY 2", Settings()
    )
    assert found.rows == [("Oven", 1.0), ("Oven\\nleft", 1.5), ("Oven\nleft", 2.5), ("Kettle", None)]
