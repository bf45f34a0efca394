"""Questions in SQL that want more than an answer: files, settings, extensions, secrets, time, memory."""

import os
import time
from pathlib import Path

import pytest
from commands import drop, energy, hourly_rows, peak_mb, run_key, state, told

from energy_analytics.lake import LocalLake
from energy_analytics.query import QueryError, query
from energy_analytics.settings import Settings

CANARY = "canary-4711"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake beside a file with a secret, with links to it, in a folder where someone keeps other things."""
    folder = tmp_path_factory.mktemp("hostile")
    lake = folder / "lake"
    run_key(lake, drop(lake, "raw/a.csv", hourly_rows("2026-01-01", hours=48)))
    for name in ("secret.csv", "lake/mine.csv"):
        (folder / name).write_text(f"a,b,c\n{CANARY},{CANARY},1\n")
    (lake / "raw" / "link.csv").symlink_to(folder / "secret.csv")
    (lake / "raw" / "linked").symlink_to(folder)
    (lake / "link.csv").symlink_to(folder / "secret.csv")
    return lake


READERS = [
    f"SELECT * FROM {function}('{{place}}')"
    for function in (
        "read_text",
        "read_blob",
        "read_csv",
        "read_csv_auto",
        "read_json",
        "read_json_objects",
        "read_ndjson",
        "read_parquet",
        "parquet_metadata",
        "parquet_schema",
        "parquet_kv_metadata",
        "parquet_file_metadata",
        "sniff_csv",
        "glob",
        "query_table",
    )
]
PLACES = [
    "{outside}/secret.csv",
    "{lake}/../secret.csv",
    "{lake}/raw/../../secret.csv",
    "{lake}/raw/link.csv",
    "{lake}/mine.csv",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("reader", READERS)
def test_no_file_outside_the_lakes_own_can_be_read(lake: Path, reader: str, place: str) -> None:
    _attack(lake, reader.format(place=place))


ATTACKS = [
    "SELECT * FROM '{outside}/secret.csv'",
    "FROM '{lake}/raw/linked/secret.csv'",
    "FROM read_text('{outside}/*')",
    "FROM glob('{outside}/**')",
    "FROM read_text(['{lake}/raw/a.csv', '{outside}/secret.csv'])",
    "FROM read_text('/proc/self/environ')",
    "FROM read_csv('/dev/stdin')",
    "FROM read_text('file://{outside}/secret.csv')",
    "FROM read_csv('https://127.0.0.1/a.csv')",
    "FROM read_csv('s3://bucket/a.csv')",
    "FROM read_csv('hf://datasets/a/b.csv')",
    "FROM read_text('{lake}/raw/linked/secret.csv')",
    "WITH a AS (FROM read_text('{outside}/secret.csv')) FROM a",
    "SELECT (SELECT content FROM read_text('{outside}/secret.csv'))",
    "SELECT * FROM readings WHERE EXISTS (FROM read_text('{outside}/secret.csv'))",
    "FROM query('FROM read_text(''{outside}/secret.csv'')')",
    "FROM query('COPY (SELECT 1) TO ''{lake}/raw/x.csv''')",
    "FROM json_execute_serialized_sql(json_serialize_sql('FROM glob(''/*'')'))",
    "SELECT getenv('HOME')",
    "FROM getvariable('HOME')",
    "SELECT * FROM duckdb_secrets()",
    "FROM which_secret('s3://a', 's3')",
    "COPY readings TO '{lake}/raw/x.csv'",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "COPY readings FROM '{outside}/secret.csv'",
    "ATTACH '{outside}/secret.csv' AS x",
    "ATTACH ':memory:' AS x",
    "DETACH memory",
    "USE memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "FORCE INSTALL httpfs FROM 'http://127.0.0.1'",
    "LOAD '{outside}/x.duckdb_extension'",
    "CREATE SECRET (TYPE s3)",
    "DROP SECRET x",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "SET lock_configuration = false",
    "RESET memory_limit",
    "PRAGMA enable_profiling",
    "PRAGMA memory_limit = '100GB'",
    "SET VARIABLE x = 1",
    "SET temp_directory = '{outside}'",
    "CREATE VIEW v AS FROM read_text('{outside}/secret.csv')",
    "CREATE MACRO m() AS TABLE FROM read_text('{outside}/secret.csv')",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW readings AS SELECT 1",
    "DROP VIEW readings",
    "DELETE FROM runs",
    "INSERT INTO runs SELECT * FROM runs",
    "UPDATE runs SET error = 'x'",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "CALL enable_logging()",
    "FROM enable_logging('QueryLog', storage = 'file')",
    "FROM enable_logging(storage_path = '{outside}/log', storage = 'file')",
    "FROM set_config('threads', '1')",
    "CHECKPOINT",
    "VACUUM",
    "EXPORT DATABASE '{outside}/x'",
    "IMPORT DATABASE '{outside}'",
    "BEGIN",
    "COMMIT",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/raw/x'",
    "SELECT 1; COPY (SELECT 1) TO '{lake}/raw/x.csv'",
    "SELECT 1 -- \n; DROP VIEW readings",
    "/* */ COPY (SELECT 1) TO '{lake}/raw/x.csv'",
    "FROM sqlite_scan('{outside}/secret.csv', 'x')",
    "FROM postgres_scan('host=127.0.0.1', 'a', 'b')",
    "FROM read_xlsx('{outside}/secret.csv')",
    "FROM st_read('{outside}/secret.csv')",
    "FROM iceberg_scan('{outside}')",
    "FROM delta_scan('{outside}')",
    "FROM folder",
    "FROM settings",
    "FROM lake",
    "FROM read_duckdb('{outside}/secret.csv')",
    "FROM '{outside}/secret.csv' AS readings",
    ".shell id",
    "\\! id",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks(lake: Path, attack: str) -> None:
    _attack(lake, attack)


def _attack(lake: Path, sql: str) -> None:
    """Nothing outside is told, and nothing is changed; whether with an answer or with a refusal."""
    before = state(lake.parent, without=())
    asked = sql.replace("{outside}", str(lake.parent)).replace("{lake}", str(lake))
    try:
        rows = query(LocalLake(lake), asked, Settings()).rows
    except QueryError as error:
        assert CANARY not in str(error)
    else:
        assert rows in ([], [(None,)]), rows
    assert state(lake.parent, without=()) == before
    assert query(LocalLake(lake), "SELECT sum(kwh) FROM readings", Settings()).rows == [(48.0,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 7",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
        "SELECT sum(a.kwh) FROM readings a, readings b, readings c, readings d, readings e, readings f, readings g",
    ],
)
def test_a_question_for_ever_ends(lake: Path, sql: str) -> None:
    began = time.monotonic()
    with pytest.raises(QueryError, match=r"more than 1 s and was given up.* raise query_seconds|Out of Memory|memory"):
        query(LocalLake(lake), sql, Settings(query_seconds=1))
    assert time.monotonic() - began < 30


def test_a_question_for_ever_ends_in_a_sentence(lake: Path) -> None:
    sql = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 7"
    said = told(energy("query", sql, folder=lake.parent, variables={"ENERGY_QUERY_SECONDS": "1"}))
    assert said == (
        "The answer took more than 1 s and was given up. Ask for less, or raise query_seconds in energy.toml or "
        "ENERGY_QUERY_SECONDS."
    )


def test_a_question_for_too_much_memory_ends(lake: Path) -> None:
    with pytest.raises(QueryError, match="Out of Memory"):
        query(LocalLake(lake), "SELECT list(range) FROM range(100000000)", Settings(memory_limit_mb=64))


def test_one_value_cannot_take_gigabytes(lake: Path) -> None:
    """The engine does not count what one value takes: this one took 5.8 GB."""
    asked = "SELECT length(repeat('x', 3000000000))"
    peak, said = peak_mb("query", asked, folder=lake.parent, variables={"ENERGY_THREADS": "1"})
    assert "raise memory_limit_mb" in said
    assert peak < 1700


@pytest.mark.slow
def test_what_cannot_be_interrupted_ends(lake: Path) -> None:
    began = time.monotonic()
    said = told(
        energy(
            "query", "SELECT length(lpad('', 900000000, 'x')) FROM range(10)",
            folder=lake.parent, variables={"ENERGY_QUERY_SECONDS": "1"},
        )
    )  # fmt: skip
    assert "took more than 1 s" in said
    assert time.monotonic() - began < 30


def test_a_question_that_is_no_text_is_refused_in_a_sentence(lake: Path) -> None:
    asked = energy("query", "SELECT '" + os.fsdecode(b"caf\xe9") + "'", folder=lake.parent)
    assert told(asked) == "The question has bytes that are no text in UTF-8."


def test_times_with_an_offset_are_told_in_words(lake: Path) -> None:
    with pytest.raises(QueryError, match=r"^The answer has times with an offset.*CAST"):
        query(LocalLake(lake), "SELECT now()", Settings())


def test_a_question_that_deletes_does_so_in_its_own_copy(lake: Path) -> None:
    before = state(lake.parent, without=())
    query(LocalLake(lake), "WITH gone AS (DELETE FROM runs RETURNING *) FROM gone", Settings())
    assert state(lake.parent, without=()) == before
    assert query(LocalLake(lake), "SELECT count(*) FROM runs", Settings()).rows == [(1,)]


@pytest.mark.slow
def test_answers_are_bounded(lake: Path) -> None:
    settings = Settings(query_rows=1000)
    assert len(query(LocalLake(lake), "FROM range(1000)", settings).rows) == 1000
    with pytest.raises(QueryError, match="more than 1,000 rows: put LIMIT behind it"):
        query(LocalLake(lake), "FROM range(100000000000)", settings)
    with pytest.raises(QueryError, match="longer than 200,000,000 characters"):
        query(LocalLake(lake), "SELECT repeat('x', 1000000) FROM range(100000)", Settings())
