"""Glue's tables and views, loaded into DuckDB for one query, with the caller's rights."""

import base64
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb

from . import hive, serde, trino
from .clients import own_client
from .hive import QueryError
from .permissions import caller_allows

_INPUT_FORMATS: Final = {
    serde.CSV: "org.apache.hadoop.mapred.TextInputFormat",
    serde.JSON: "org.apache.hadoop.mapred.TextInputFormat",
    serde.HIVE_JSON: "org.apache.hadoop.mapred.TextInputFormat",
    serde.PARQUET: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
}


class ScanLimitError(Exception):
    """The files of a query are larger than its workgroup lets it read."""


@dataclass
class Catalog:
    """What one query reads: loaded as it is named, each table once."""

    connection: duckdb.DuckDBPyConnection
    folder: Path
    caller: str
    limit_bytes: int | None = None
    scanned_bytes: int = 0
    schema: trino.Schema = field(default_factory=dict)

    def run(self, tree: Any, database: str) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
        """Load what the query names and run it; return the columns with Athena's types, and the rows."""
        self.connection.execute("SET TimeZone = 'UTC'")
        statement = self._prepare(tree, database)
        try:
            result = self.connection.execute(statement)
            columns = [(part[0].lower(), hive.of_result(str(part[1]))) for part in result.description or []]
            if any(
                "zone" in kind for _, kind in columns
            ):  # without their zone, which Python's would need a library for
                plain = (f"#{n}{'::TIMESTAMP' if 'zone' in kind else ''}" for n, (_, kind) in enumerate(columns, 1))
                result = self.connection.execute(f"SELECT {', '.join(plain)} FROM ({statement})")
            return columns, result.fetchall()
        except duckdb.Error as error:
            raise QueryError(_worded(str(error))) from error

    def _prepare(self, tree: Any, database: str) -> str:
        """Load the tables; return the query in DuckDB's SQL."""
        for name in trino.tables(tree, database):
            self._load(*name)
        return trino.translate(tree, self.schema, database)

    def _load(self, database: str, name: str) -> None:
        if name in self.schema.setdefault(database, {}):
            return
        glue = self._describe(database, name)
        self.connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{database}"')
        target = f'"{database}"."{name}"'
        kind = glue.get("TableType")
        if kind == "VIRTUAL_VIEW":
            self._load_view(database, glue, target)
        elif kind == "EXTERNAL_TABLE":
            table = serde.from_glue(glue)
            if (glue["StorageDescriptor"].get("InputFormat") or "") != _INPUT_FORMATS.get(table.serde, ""):
                raise QueryError(f"HIVE_UNSUPPORTED_FORMAT: Unable to create input format of {name}")
            serde.load(self.connection, target, table, self._fetch(table))
            self.schema[database][name] = {column: _sql_type(type_) for column, type_ in table.columns.items()}
        else:
            raise QueryError(f"FAILED: NullPointerException Name is null: {name} has no TableType that Athena knows")

    def _describe(self, database: str, name: str) -> dict[str, Any]:
        """Return Glue's description of a table, which the caller must be allowed to see."""
        from ministack.core.responses import get_account_id, get_region
        from ministack.services import glue

        arn = f"arn:aws:glue:{get_region()}:{get_account_id()}"
        for resource in (f"{arn}:catalog", f"{arn}:database/{database}", f"{arn}:table/{database}/{name}"):
            self._require("glue:GetTable", resource)
        if database not in glue._databases:
            raise QueryError(f"SCHEMA_NOT_FOUND: Schema '{database}' does not exist")
        described: dict[str, Any] | None = glue._tables.get(f"{database}/{name}")
        if described is None:
            raise QueryError(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist")
        return described

    def _fetch(self, table: serde.Table) -> list[serde.DataFile]:
        """Fetch the objects below the table's location, with the caller's rights."""
        from ministack.services import s3

        bucket, _, prefix = table.location.removeprefix("s3://").partition("/")
        prefix = prefix.rstrip("/") + "/" if prefix else ""
        self._require("s3:ListBucket", f"arn:aws:s3:::{bucket}")
        files = []
        try:
            pages = own_client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            listed = [entry for page in pages for entry in page.get("Contents", [])]
        except own_client("s3").exceptions.NoSuchBucket as error:
            raise QueryError(f"HIVE_METASTORE_ERROR: the bucket of {table.location} does not exist") from error
        for entry in listed:
            if serde.hidden(entry["Key"], prefix) or entry["Key"].endswith("/") or not entry["Size"]:
                continue
            if entry.get("StorageClass") in ("GLACIER", "DEEP_ARCHIVE"):
                continue  # not restored: Athena passes over it
            self._require("s3:GetObject", f"arn:aws:s3:::{bucket}/{entry['Key']}")
            self.scanned_bytes += entry["Size"]
            if self.limit_bytes is not None and self.scanned_bytes > self.limit_bytes:
                raise ScanLimitError
            path = self.folder / f"{len(list(self.folder.iterdir()))}.data"
            path.write_bytes(s3._get_object_data(bucket, entry["Key"]))
            uri = f"s3://{bucket}/{entry['Key']}"
            files.append(serde.DataFile(uri, path, entry["Size"], entry["LastModified"]))
        return files

    def _load_view(self, database: str, glue: dict[str, Any], target: str) -> None:
        """Make a view of a view, if its query still gives what it declares."""
        name = glue["Name"]
        match = re.fullmatch(r"/\* Presto View: (\S+) \*/", (glue.get("ViewOriginalText") or "").strip())
        if not match or (glue.get("Parameters") or {}).get("presto_view") != "true":
            raise QueryError(f"INVALID_VIEW: {database}.{name} is not a view of Athena's")
        definition = json.loads(base64.b64decode(match[1]))
        tree = trino.parse(definition["originalSql"])
        statement = self._prepare(tree, (definition.get("schema") or database).lower())
        try:
            self.connection.execute(f"CREATE VIEW {target} AS {statement}")
        except duckdb.Error as error:
            raise QueryError(_worded(str(error))) from error
        described = self.connection.execute(f"DESCRIBE {target}").fetchall()
        given = [(row[0].lower(), hive.comparable(hive.of_result(row[1]))) for row in described]
        declared = [(column["name"].lower(), hive.comparable(column["type"])) for column in definition["columns"]]
        _check_fresh(f"awsdatacatalog.{database}.{name}", _without_size(given), _without_size(declared))
        shown = [
            (column["Name"].lower(), hive.comparable(hive.athena_type(column["Type"])))
            for column in (glue.get("StorageDescriptor") or {}).get("Columns", [])
        ]
        if _without_size(shown) != _without_size(declared):
            raise QueryError(
                f"EMULATOR_VIEW: Glue's columns of {name} {shown} are not those of its definition {declared}"
            )
        types = {column["name"].lower(): _declared_type(column["type"]) for column in definition["columns"]}
        self.schema[database][name] = types

    def _require(self, action: str, resource: str) -> None:
        if not caller_allows(self.caller, action, resource):
            service = (
                "Insufficient permissions to execute the query." if action.startswith("glue") else "PERMISSION_DENIED:"
            )
            raise QueryError(
                f"{service} User: {self.caller} is not authorized to perform: {action} on resource: {resource}"
            )


def _check_fresh(view: str, given: list[tuple[str, str]], declared: list[tuple[str, str]]) -> None:
    stale = f"VIEW_IS_STALE: View '{view}' is stale or in invalid state"
    if len(given) != len(declared):
        raise QueryError(f"{stale}: it declares {len(declared)} columns and its query gives {len(given)}")
    for position, ((name, kind), (declared_name, declared_kind)) in enumerate(zip(given, declared, strict=True)):
        if name != declared_name or kind != declared_kind:
            raise QueryError(
                f"{stale}: column [{name}] of type {kind} projected from query view at position {position} cannot be "
                f"coerced to column [{declared_name}] of type {declared_kind} stored in view definition"
            )


def _without_size(columns: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the columns with a decimal's or row's name alone, which is what a result's metadata tells."""
    return [(name, kind.split("(")[0].strip()) for name, kind in columns]


def _sql_type(glue_type: str) -> str:
    return _declared_type(hive.athena_type(glue_type))


def _declared_type(name: str) -> str:
    return re.sub(r"^timestamp\(\d\)", "timestamp", name.lower()).upper()


def _worded(message: str) -> str:
    """Return DuckDB's message under the name that Athena has for it."""
    first = message.splitlines()[0]
    if found := re.search(r"[A-Z]+_[A-Z_]+: .*", first):
        return found[0]
    if "Division by zero" in first:
        return "DIVISION_BY_ZERO: / by zero"
    return f"GENERIC_USER_ERROR: {first}"
