"""The emulator reads tables and answers queries as Athena does, and refuses what Athena would."""

import base64
import gzip
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from botocore.exceptions import ClientError
from emulator import ACCOUNT, Emulator
from emulator.serde import CSV, JSON, PARQUET, split

FORMATS = {
    CSV: "org.apache.hadoop.mapred.TextInputFormat",
    JSON: "org.apache.hadoop.mapred.TextInputFormat",
    PARQUET: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
}


@dataclass(frozen=True)
class Asked:
    """A query that has ended."""

    execution: dict[str, Any]
    types: list[str]
    columns: list[str]
    rows: list[tuple[str | None, ...]]

    @property
    def state(self) -> str:
        state: str = self.execution["Status"]["State"]
        return state

    @property
    def why(self) -> str:
        why: str = self.execution["Status"].get("StateChangeReason", "")
        return why


@dataclass(frozen=True)
class Warehouse:
    """A bucket, a database and a workgroup of one test."""

    aws: Emulator
    bucket: str
    database: str

    def put(self, key: str, data: bytes | str) -> None:
        body = data.encode() if isinstance(data, str) else data
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    def table(self, name: str, serde: str, columns: dict[str, str], **parameters: str) -> None:
        described = {
            "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
            "Location": f"s3://{self.bucket}/{name}/",
            "InputFormat": FORMATS[serde],
            "SerdeInfo": {"SerializationLibrary": serde},
        }
        table = {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": described, "Parameters": parameters}
        self.aws.client("glue").create_table(DatabaseName=self.database, TableInput=table)

    def view(self, name: str, query: str, columns: dict[str, str]) -> None:
        """Make a view; the columns' types are Athena's."""
        listed = [{"name": column, "type": kind} for column, kind in columns.items()]
        definition = {
            "originalSql": query,
            "catalog": "awsdatacatalog",
            "schema": self.database,
            "columns": listed,
        }
        encoded = base64.b64encode(json.dumps(definition).encode()).decode()
        of_glue = {"varchar": "string", "integer": "int", "timestamp(3)": "timestamp"}
        table = {
            "Name": name,
            "TableType": "VIRTUAL_VIEW",
            "Parameters": {"presto_view": "true"},
            "ViewOriginalText": f"/* Presto View: {encoded} */",
            "StorageDescriptor": {
                "Columns": [{"Name": column, "Type": of_glue.get(kind, kind)} for column, kind in columns.items()]
            },
        }
        self.aws.client("glue").create_table(DatabaseName=self.database, TableInput=table)

    def ask(self, query: str, client: Any = None, group: str = "primary") -> Asked:
        athena = client or self.aws.client("athena")
        started = athena.start_query_execution(
            QueryString=query,
            WorkGroup=group,
            QueryExecutionContext={"Database": self.database},
            ResultConfiguration={"OutputLocation": f"s3://{self.bucket}/results/"},
        )
        while True:
            found = athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"]
            if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
                break
            time.sleep(0.02)
        if found["Status"]["State"] != "SUCCEEDED":
            return Asked(found, [], [], [])
        result = athena.get_query_results(QueryExecutionId=found["QueryExecutionId"])["ResultSet"]
        info = result["ResultSetMetadata"]["ColumnInfo"]
        rows = [tuple(value.get("VarCharValue") for value in row["Data"]) for row in result["Rows"]]
        names = [column["Name"] for column in info]
        assert rows[0] == tuple(names), "the first row of a query's result is its header"
        return Asked(found, [column["Type"] for column in info], names, rows[1:])


@pytest.fixture
def warehouse(aws: Emulator, bucket: str) -> Warehouse:
    database = f"db_{uuid.uuid4().hex[:8]}"
    aws.client("glue").create_database(DatabaseInput={"Name": database})
    return Warehouse(aws, bucket, database)


def test_csv_is_read_by_position_as_text_and_hidden_files_are_passed_over(warehouse: Warehouse) -> None:
    warehouse.put("meters/a.csv", 'id,kwh,note\n1,0.5,"a, ""b"""\n2,,\n')
    warehouse.put("meters/site one/b.csv.gz", gzip.compress(b"other,names,here\n3,0.25,x,extra\n4\n"))
    warehouse.put("meters/_c.csv", "never\nread\n")
    warehouse.put("meters/.d/e.csv", "never\nread\n")
    warehouse.put("metersish/f.csv", "never\nread\n")
    warehouse.table(
        "meters", CSV, {"id": "string", "kwh": "string", "note": "string"}, **{"skip.header.line.count": "1"}
    )
    asked = warehouse.ask('SELECT *, "$path" FROM meters ORDER BY id')
    path = f"s3://{warehouse.bucket}/meters/"
    assert asked.columns == ["id", "kwh", "note", "$path"]
    assert asked.types == ["varchar"] * 4
    assert asked.rows == [
        ("1", "0.5", 'a, "b"', f"{path}a.csv"),
        ("2", "", "", f"{path}a.csv"),
        ("3", "0.25", "x", f"{path}site one/b.csv.gz"),
        ("4", None, None, f"{path}site one/b.csv.gz"),
    ]
    sizes = warehouse.ask('SELECT DISTINCT "$file_size", "$file_modified_time" FROM meters ORDER BY 1')
    assert sizes.types == ["bigint", "timestamp with time zone"]
    assert int(sizes.rows[0][0] or 0) > 0


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("a,b", ["a", "b"]),
        ('"a,b",c', ["a,b", "c"]),
        ('"say ""it""",c', ['say "it"', "c"]),
        (r'"say \"it\"",c', ['say "it"', "c"]),
        (r"a\b,c", ["ab", "c"]),
        ('a,  "b",', ["a", "b", ""]),
        ("", [""]),
    ],
)
def test_a_csv_line_is_split_as_opencsv_does(line: str, values: list[str]) -> None:
    assert split(line) == values


def test_a_typed_column_of_opencsv_is_refused(warehouse: Warehouse) -> None:
    warehouse.put("typed/a.csv", "1\n")
    warehouse.table("typed", CSV, {"id": "int"})
    assert "declare each column of OpenCSVSerde as string" in warehouse.ask("SELECT * FROM typed").why


def test_json_is_one_object_a_line(warehouse: Warehouse) -> None:
    warehouse.put("runs/a.json", '{"Stamp":"S1","upload":{"key":"raw/x.csv","size":5},"other":1}\n{"stamp":"S2"}\n')
    warehouse.table("runs", JSON, {"stamp": "string", "upload": "struct<key:string,size:bigint>"})
    asked = warehouse.ask("SELECT stamp, upload.key, upload.size, upload FROM runs ORDER BY stamp")
    assert asked.rows == [("S1", "raw/x.csv", "5", "{key=raw/x.csv, size=5}"), ("S2", None, None, None)]
    assert asked.types == ["varchar", "varchar", "bigint", "row"]
    warehouse.put("runs/b.json", json.dumps({"stamp": "S3"}, indent=2))
    assert warehouse.ask("SELECT count(*) FROM runs").why.startswith(
        "HIVE_CURSOR_ERROR: Row is not a valid JSON Object"
    )


def parquet(tmp_path: Path, query: str) -> bytes:
    path = tmp_path / "file.parquet"
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def test_parquet_columns_are_found_by_name_and_must_fit(warehouse: Warehouse, tmp_path: Path) -> None:
    query = "SELECT 2.5::DOUBLE AS kwh, 3::SMALLINT AS hour, TIMESTAMP '2026-01-02 03:04:05.678901' AS at, 'x' AS more"
    warehouse.put("hourly/a.parquet", parquet(tmp_path, query))
    columns = {"at": "timestamp", "hour": "smallint", "kwh": "double", "later": "date", "is_new": "boolean"}
    warehouse.table("hourly", PARQUET, columns)
    asked = warehouse.ask("SELECT * FROM hourly")
    assert asked.columns == list(columns)
    assert asked.types == ["timestamp", "smallint", "double", "date", "boolean"]
    assert asked.rows == [("2026-01-02 03:04:05.678", "3", "2.5", None, None)]
    warehouse.put("hourly/b.parquet", parquet(tmp_path, "SELECT 2::BIGINT AS kwh"))
    assert "kwh's type BIGINT" in warehouse.ask("SELECT sum(kwh) FROM hourly").why
    warehouse.put("hourly/b.parquet", b"text")
    assert warehouse.ask("SELECT sum(kwh) FROM hourly").why.startswith("HIVE_BAD_DATA: Not valid Parquet file")


@pytest.mark.parametrize(
    ("query", "types", "row"),
    [
        ("SELECT 7/2, -7/2, 7/2e0, 1 AS One", "integer integer double integer", ("3", "-3", "3.5", "1")),
        ("SELECT 1e7, 1e-4, 0e0, 12345.678e0, 0.1", "double double double double decimal", None),
        ("SELECT true, date '2026-01-02', timestamp '2026-01-02 03:04:05'", "boolean date timestamp", None),
        (
            "SELECT date_diff('hour', timestamp '2026-01-01 00:30:00', timestamp '2026-01-01 02:00:00')",
            "bigint",
            ("1",),
        ),
        ("SELECT date_trunc('month', date '2026-02-03')", "date", ("2026-02-01",)),
        ("SELECT date_add('day', 1, date '2026-02-28')", "date", ("2026-03-01",)),
        ("SELECT CAST(2.5e0 AS bigint), TRY_CAST('1.5' AS bigint)", "bigint bigint", ("3", None)),
        ("SELECT date_parse('03.02.2026', '%d.%m.%Y')", "timestamp", ("2026-02-03 00:00:00.000",)),
        ("SELECT approx_percentile(x, 0.5) FROM (VALUES 1e0, 2e0, 3e0) AS t(x)", "double", None),
        (
            "SELECT split_part('a_b', '_', 3), regexp_extract('ab', 'c'), concat('a', CAST(NULL AS varchar))",
            "varchar varchar varchar",
            None,
        ),
        ("SELECT extract(hour FROM timestamp '2026-01-01 05:00:00')", "bigint", ("5",)),
        ("SELECT regexp_replace('a-b-c', '-', '+')", "varchar", ("a+b+c",)),
    ],
)
def test_the_sql_is_trinos(warehouse: Warehouse, query: str, types: str, row: tuple[str | None, ...] | None) -> None:
    asked = warehouse.ask(query)
    assert (asked.why, asked.types) == (
        "",
        types.split(),
    )
    if row:
        assert asked.rows == [row]


def test_numbers_and_nulls_are_written_as_athena_writes_them(warehouse: Warehouse) -> None:
    asked = warehouse.ask("SELECT 1e7, 1e-4, 0e0, 12345.678e0, 0.1, NULL, 'a \"b\"' AS Text")
    assert asked.rows == [("1.0E7", "1.0E-4", "0.0", "12345.678", "0.1", None, 'a "b"')]
    assert asked.columns == ["_col0", "_col1", "_col2", "_col3", "_col4", "_col5", "text"]
    uri = asked.execution["ResultConfiguration"]["OutputLocation"]
    assert uri == f"s3://{warehouse.bucket}/results/{asked.execution['QueryExecutionId']}.csv"
    s3, key = warehouse.aws.client("s3"), uri.split("/", 3)[3]
    written = s3.get_object(Bucket=warehouse.bucket, Key=key)["Body"].read().decode()
    assert written == (
        '"_col0","_col1","_col2","_col3","_col4","_col5","text"\n"1.0E7","1.0E-4","0.0","12345.678","0.1",,"a ""b"""\n'
    )
    s3.head_object(Bucket=warehouse.bucket, Key=f"{key}.metadata")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT id FROM meters WHERE id > 1", "TYPE_MISMATCH"),
        ("SELECT sum(id) FROM meters", "TYPE_MISMATCH"),
        ("SELECT date_trunc('day', id) FROM meters", "TYPE_MISMATCH"),
        ("SELECT date '2026-01-01' > '2025-01-01'", "TYPE_MISMATCH"),
        ("SELECT id AS meter FROM meters WHERE meter = '1'", "COLUMN_NOT_FOUND"),
        ("SELECT id AS meter FROM meters GROUP BY meter", "COLUMN_NOT_FOUND"),
        ("SELECT nothing FROM meters", "COLUMN_NOT_FOUND"),
        ("SELECT * FROM nowhere", "TABLE_NOT_FOUND"),
        ("SELECT * FROM no_database.meters", "SCHEMA_NOT_FOUND"),
        ("SELECT nonsense(id) FROM meters", "FUNCTION_NOT_FOUND"),
        ("SELECT CAST('1.5' AS bigint)", "INVALID_CAST_ARGUMENT"),
        ("SELECT CAST('2026-01-01T00:00:00' AS timestamp)", "INVALID_CAST_ARGUMENT"),
        ("SELECT CAST(id AS bigint) FROM meters", "INVALID_CAST_ARGUMENT"),
        ("SELECT 1/0", "DIVISION_BY_ZERO"),
        ("SELECT 1/2.0", "EMULATOR_NOT_IMPLEMENTED"),
        ("SELECT greatest(1, 2)", "EMULATOR_NOT_IMPLEMENTED"),
        ("CREATE TABLE t AS SELECT 1 AS a", "EMULATOR_NOT_IMPLEMENTED"),
    ],
)
def test_what_fails_on_athena_fails_here(warehouse: Warehouse, query: str, why: str) -> None:
    warehouse.put("meters/a.csv", "abc\n")
    warehouse.table("meters", CSV, {"id": "string"})
    asked = warehouse.ask(query)
    assert (asked.state, asked.why.split(":")[0]) == ("FAILED", why)


def test_what_is_no_sql_of_trinos_is_not_taken(warehouse: Warehouse) -> None:
    for query in ("SELEC 1", "SELECT 1 FROM", "SELECT * EXCLUDE (a) FROM t", "FROM t", "SELECT 1 LIMIT 1 OFFSET 0"):
        with pytest.raises(ClientError, match="SYNTAX_ERROR"):
            warehouse.ask(query)


def test_a_view_is_resolved_and_must_still_give_what_it_declares(warehouse: Warehouse) -> None:
    warehouse.put("raw/a.csv", "a,1.5\nb,x\n")
    warehouse.table("raw", CSV, {"id": "string", "kwh": "string"})
    warehouse.view("typed", "SELECT id, TRY_CAST(kwh AS double) AS kwh FROM raw", {"id": "varchar", "kwh": "double"})
    warehouse.view("total", "SELECT sum(kwh) AS kwh FROM typed", {"kwh": "double"})
    assert warehouse.ask("SELECT * FROM typed ORDER BY id").rows == [("a", "1.5"), ("b", None)]
    asked = warehouse.ask("SELECT * FROM total")
    assert (asked.types, asked.rows) == (["double"], [("1.5",)])
    stale: dict[str, dict[str, str]] = {
        "SELECT id, kwh FROM raw": {"id": "varchar", "kwh": "double"},
        "SELECT id AS meter FROM raw": {"id": "varchar"},
        "SELECT id FROM raw": {"id": "varchar", "kwh": "varchar"},
    }
    for number, (query, columns) in enumerate(stale.items()):
        warehouse.view(f"stale{number}", query, columns)
        assert "is stale or in invalid state" in warehouse.ask(f"SELECT * FROM stale{number}").why


def test_a_workgroup_enforces_its_results_and_its_limit(warehouse: Warehouse) -> None:
    warehouse.put("big/a.csv", "x" * 2000)
    warehouse.table("big", CSV, {"text": "string"})
    settings = {
        "EnforceWorkGroupConfiguration": True,
        "ResultConfiguration": {"OutputLocation": f"s3://{warehouse.bucket}/athena-results/"},
        "BytesScannedCutoffPerQuery": 10_000_000,
    }
    group = warehouse.database
    warehouse.aws.client("athena").create_work_group(Name=group, Configuration=settings)
    asked = warehouse.ask("SELECT count(*) FROM big", group=group)
    assert asked.execution["Statistics"]["DataScannedInBytes"] == 2000
    assert asked.execution["ResultConfiguration"]["OutputLocation"].startswith(
        f"s3://{warehouse.bucket}/athena-results/"
    )
    warehouse.put("big/b.csv", "x" * 10_000_000)
    asked = warehouse.ask("SELECT count(*) FROM big", group=group)
    assert (asked.state, asked.why) == ("CANCELLED", "Query cancelled! : Bytes scanned limit was exceeded")


def test_a_caller_needs_glue_and_the_files(warehouse: Warehouse) -> None:
    aws, bucket, database = warehouse.aws, f"arn:aws:s3:::{warehouse.bucket}", warehouse.database
    warehouse.put("meters/a.csv", "1\n")
    warehouse.table("meters", CSV, {"id": "string"})
    iam, name = aws.client("iam"), f"analyst-{database}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    client = aws.client("athena", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    glue = f"arn:aws:glue:{aws.region}:{ACCOUNT}"
    rights: list[tuple[list[str], list[str], Callable[[str], bool]]] = [
        (["athena:*"], ["*"], lambda why: "glue:GetTable" in why),
        (
            ["glue:GetTable"],
            [f"{glue}:catalog", f"{glue}:database/{database}", f"{glue}:table/{database}/*"],
            lambda why: "s3:ListBucket" in why,
        ),
        (["s3:ListBucket", "s3:GetBucketLocation"], [bucket], lambda why: "s3:GetObject" in why),
        (["s3:GetObject"], [f"{bucket}/meters/*"], lambda why: "writing output" in why),
        (["s3:PutObject"], [f"{bucket}/results/*"], lambda why: not why),
    ]
    statements = []
    for actions, resources, expected in rights:
        statements.append({"Effect": "Allow", "Action": actions, "Resource": resources})
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=document)
        asked = warehouse.ask("SELECT id FROM meters", client)
        assert expected(asked.why), asked.why
    assert asked.rows == [("1",)]
