"""Asking Athena: types as DuckDB gives them, refusals in plain words, nothing left running."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from emulator import Emulator

from energy_analytics.aws import athena
from energy_analytics.query import QueryError

WORKGROUP = "asked"


@pytest.fixture
def workgroup(aws: Emulator, bucket: str) -> Iterator[str]:
    """A workgroup that keeps its answers, over an empty database."""
    settings = {"ResultConfiguration": {"OutputLocation": f"s3://{bucket}/athena-results/"}}
    aws.client("athena").create_work_group(Name=WORKGROUP, Configuration=settings)
    aws.client("glue").create_database(DatabaseInput={"Name": "energy_db"})
    yield WORKGROUP
    aws.client("athena").delete_work_group(WorkGroup=WORKGROUP, RecursiveDeleteOption=True)
    aws.client("glue").delete_database(Name="energy_db")


def ask(sql: str) -> Any:
    return athena.query(sql, database="energy_db", workgroup=WORKGROUP)


def test_values_have_the_types_of_duckdb(workgroup: str) -> None:
    found = ask("""
        SELECT CAST(1 AS bigint) AS n, 1.5e0 AS x, 'a''b' AS t, CAST(NULL AS double) AS nothing, true AS yes,
            CAST('2026-02-20' AS date) AS d, CAST('2026-02-20 01:02:03.5' AS timestamp) AS at,
            CAST(2.50 AS decimal(5, 2)) AS price, '' AS empty;  -- one statement; really""")
    assert found.columns == ("n", "x", "t", "nothing", "yes", "d", "at", "price", "empty")
    expected = (1, 1.5, "a'b", None, True, date(2026, 2, 20), datetime(2026, 2, 20, 1, 2, 3, 500000), Decimal("2.50"))
    assert found.rows == [(*expected, "")]
    assert [type(value) for value in found.rows[0][:8]] == [type(value) for value in expected]


def test_instants_keep_their_zone() -> None:
    read = athena._CASTS["timestamp with time zone"]
    for text in (
        "2026-02-20 01:02:03.000 UTC",
        "2026-02-20 02:02:03.000 +01:00",
        "2026-02-20 02:02:03.000 Europe/Paris",
    ):
        assert read(text) == datetime(2026, 2, 20, 1, 2, 3, tzinfo=UTC)


def counting(rows: int) -> str:
    """Write SQL that counts from 0, in the grammar of any engine."""
    ten = ", ".join(f"({digit})" for digit in range(10))
    digits = " CROSS JOIN ".join(f"ten AS t{place}" for place in range(len(str(rows))))
    number = " + ".join(f"t{place}.n * {10**place}" for place in range(len(str(rows))))
    return f"WITH ten(n) AS (VALUES {ten}) SELECT n FROM (SELECT {number} AS n FROM {digits}) AS c WHERE n < {rows}"


def test_many_pages_come_whole_and_in_order(workgroup: str) -> None:
    assert ask(f"{counting(2500)} ORDER BY n").rows == [(n,) for n in range(2500)]


def test_an_interrupted_wait_cancels_the_query(aws: Emulator, workgroup: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ask(f"SELECT count(DISTINCT n) FROM ({counting(4_000_000)}) AS many")
    client = aws.client("athena")
    begun = client.list_query_executions(WorkGroup=WORKGROUP)["QueryExecutionIds"]
    found = client.batch_get_query_execution(QueryExecutionIds=begun)["QueryExecutions"]
    (one,) = [execution for execution in found if "count(DISTINCT n)" in execution["Query"]]
    assert one["Status"]["State"] == "CANCELLED"


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE readings",
        "INSERT INTO readings VALUES (1)",
        "CREATE TABLE a AS SELECT 1",
        "UNLOAD (SELECT 1) TO 's3://elsewhere/' WITH (format = 'PARQUET')",
        "MSCK REPAIR TABLE readings",
        "EXPLAIN ANALYZE INSERT INTO readings VALUES (1)",
        "SELECT 1; SELECT 2",
        "-- only a remark",
        "/* SELECT */ DELETE FROM readings",
        ";",
        "",
    ],
)
def test_refuses_what_is_not_one_statement_that_reads(sql: str) -> None:
    with pytest.raises(QueryError, match="one SELECT at a time"):
        ask(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ';' AS a",
        '(SELECT 1 AS ";")',
        "-- it's a remark; yes\nSELECT 1 AS a",
        "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
    ],
)
def test_takes_every_form_of_one(workgroup: str, sql: str) -> None:
    assert len(ask(sql).rows) == 1


def test_faults_are_told_with_athenas_reason(workgroup: str) -> None:
    with pytest.raises(QueryError, match="nope"):
        ask("SELECT * FROM nope")
    with pytest.raises(QueryError, match=r"\w+"):
        athena.query("SELECT 1", database="energy_db", workgroup="not-there")


def test_advice() -> None:
    limit = athena._told("Bytes scanned limit was exceeded")
    assert limit.startswith("Bytes scanned limit was exceeded. The workgroup stops")
    assert "energy-athena-access" in athena._told("User: x is not authorized to perform: athena:StartQueryExecution")
    assert athena._told("Something  else\n") == "Something else."
