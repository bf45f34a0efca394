"""The files below a table's location as Athena reads them: which of them, and what their rows are."""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from . import hive
from .hive import QueryError

CSV: Final = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
JSON: Final = "org.openx.data.jsonserde.JsonSerDe"
HIVE_JSON: Final = "org.apache.hive.hcatalog.data.JsonSerDe"
PARQUET: Final = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
COMPRESSED: Final = (".bz2", ".deflate", ".lz4", ".snappy", ".zst", ".zip", ".Z", ".lzo")
_PARQUET_TYPES: Final = {  # Athena's type of a column: the types in a file that it reads as such
    "boolean": {"BOOLEAN"},
    "tinyint": {"TINYINT"},
    "smallint": {"SMALLINT", "TINYINT"},
    "integer": {"INTEGER", "SMALLINT", "TINYINT"},
    "bigint": {"BIGINT", "INTEGER", "SMALLINT", "TINYINT"},
    "real": {"FLOAT"},
    "double": {"DOUBLE", "FLOAT"},
    "varchar": {"VARCHAR"},
    "date": {"DATE"},
    "timestamp(3)": {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"},
}


@dataclass(frozen=True)
class DataFile:
    """One object of a table, fetched."""

    uri: str
    path: Path
    size_bytes: int
    modified: datetime


@dataclass(frozen=True)
class Table:
    """A Glue table: where its files are, how they are written, its columns and Glue's types."""

    name: str
    location: str
    serde: str
    serde_options: dict[str, str]
    options: dict[str, str]
    columns: dict[str, str]


def from_glue(glue: dict[str, Any]) -> Table:
    """Return what matters of a table as Glue describes it."""
    storage = glue.get("StorageDescriptor") or {}
    if glue.get("PartitionKeys"):
        raise QueryError("EMULATOR_NOT_IMPLEMENTED: partitions")
    serde = storage.get("SerdeInfo") or {}
    return Table(
        name=glue["Name"],
        location=storage.get("Location", ""),
        serde=serde.get("SerializationLibrary", ""),
        serde_options=serde.get("Parameters") or {},
        options=glue.get("Parameters") or {},
        columns={column["Name"].lower(): column["Type"] for column in storage.get("Columns", [])},
    )


def hidden(key: str, prefix: str) -> bool:
    """Say whether Athena passes over the object: a part of its name begins with an underscore or a dot."""
    return any(part.startswith(("_", ".")) for part in key.removeprefix(prefix).split("/"))


def load(connection: duckdb.DuckDBPyConnection, target: str, table: Table, files: list[DataFile]) -> None:
    """Make the DuckDB table `target` of the rows in the files, with Athena's hidden columns."""
    kinds = {name: hive.duckdb_type(kind) for name, kind in table.columns.items()}
    extra = ['"$path" VARCHAR', '"$file_size" BIGINT', '"$file_modified_time" TIMESTAMPTZ']
    columns = ", ".join([*(f'"{name}" {kind}' for name, kind in kinds.items()), *extra])
    connection.execute(f"CREATE TABLE {target} ({columns})")
    readers = {CSV: _load_csv, JSON: _load_json, HIVE_JSON: _load_json, PARQUET: _load_parquet}
    if table.serde not in readers:
        raise QueryError(f"EMULATOR_NOT_IMPLEMENTED: the SerDe {table.serde}")
    if table.serde == CSV and any(hive.athena_type(kind) != "varchar" for kind in table.columns.values()):
        raise QueryError(f"HIVE_BAD_DATA: {table.name}: declare each column of OpenCSVSerde as string")
    for file in files:
        readers[table.serde](connection, target, table, file)


def _load_csv(connection: duckdb.DuckDBPyConnection, target: str, table: Table, file: DataFile) -> None:
    options = table.serde_options
    separator, quote = options.get("separatorChar", ","), options.get("quoteChar", '"')
    escape = options.get("escapeChar", "\\")
    skipped = int(table.options.get("skip.header.line.count", options.get("skip.header.line.count", 0)))
    lines = _lines(file)[skipped:]
    rows = (split(line, separator=separator, quote=quote, escape=escape) for line in lines)
    width = len(table.columns)
    filled = ({f"c{number}": value for number, value in enumerate(row[:width])} for row in rows)
    _insert(connection, target, table, file, filled)


def _load_json(connection: duckdb.DuckDBPyConnection, target: str, table: Table, file: DataFile) -> None:
    def records() -> Iterator[dict[str, Any]]:
        for number, line in enumerate(_lines(file), 1):
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                record = error
            if not isinstance(record, dict):
                raise QueryError(
                    f"HIVE_CURSOR_ERROR: Row is not a valid JSON Object - {file.uri} line {number}: one object a line"
                )
            folded = {name.lower(): value for name, value in record.items()}
            yield {
                f"c{position}": _json_value(folded.get(name), kind)
                for position, (name, kind) in enumerate(table.columns.items())
            }

    _insert(connection, target, table, file, records())


def _load_parquet(connection: duckdb.DuckDBPyConnection, target: str, table: Table, file: DataFile) -> None:
    source = f"read_parquet({_quoted(str(file.path))})"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    except duckdb.Error as error:
        raise QueryError(f"HIVE_BAD_DATA: Not valid Parquet file: {file.uri}: {error}") from error
    found = {row[0].lower(): (row[0], row[1]) for row in described}
    chosen = []
    for name, glue_type in table.columns.items():
        if name not in found:
            chosen.append("NULL")
            continue
        written, kind = found[name]
        wanted = hive.athena_type(glue_type)
        if kind not in _PARQUET_TYPES.get(wanted, {hive.duckdb_type(glue_type)}):
            raise QueryError(
                f"HIVE_BAD_DATA: Field {name}'s type {kind} in parquet file {file.uri} is incompatible with type "
                f"{wanted} defined in table schema"
            )
        column = f'"{written}"'
        chosen.append(f"date_trunc('milliseconds', {column}::TIMESTAMP)" if wanted == "timestamp(3)" else column)
    connection.execute(f"INSERT INTO {target} SELECT {', '.join(chosen)}, {_facts(file)} FROM {source}")


def _insert(
    connection: duckdb.DuckDBPyConnection,
    target: str,
    table: Table,
    file: DataFile,
    rows: Iterable[dict[str, Any]],
) -> None:
    """Add rows whose values are named by their position; a value that is left out is null."""
    staged = file.path.with_name(f"{file.path.name}.rows")
    with staged.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if not staged.stat().st_size:
        return
    kinds = ", ".join(
        f"c{number}: {_quoted(hive.duckdb_type(kind))}" for number, kind in enumerate(table.columns.values())
    )
    source = f"read_json({_quoted(str(staged))}, format='newline_delimited', columns={{{kinds}}})"
    columns = ", ".join(f"c{number}" for number in range(len(table.columns)))
    try:
        connection.execute(f"INSERT INTO {target} SELECT {columns}, {_facts(file)} FROM {source}")
    except duckdb.Error as error:
        raise QueryError(f"HIVE_BAD_DATA: {file.uri}: {error}") from error


def _facts(file: DataFile) -> str:
    return f"{_quoted(file.uri)}, {file.size_bytes}, TIMESTAMPTZ {_quoted(file.modified.isoformat())}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _lines(file: DataFile) -> list[str]:
    """Return a text file's lines; only the suffix tells whether it is compressed."""
    if file.uri.endswith(COMPRESSED):
        raise QueryError(f"EMULATOR_NOT_IMPLEMENTED: the compression of {file.uri}")
    data = file.path.read_bytes()
    if file.uri.endswith(".gz"):
        try:
            data = gzip.decompress(data)
        except (gzip.BadGzipFile, EOFError) as error:
            raise QueryError(f"HIVE_BAD_DATA: {file.uri}: {error}") from error
    lines = data.decode("utf-8", "replace").split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def split(line: str, *, separator: str = ",", quote: str = '"', escape: str = "\\") -> list[str]:
    """Split a line as opencsv does: within quotes, two quotes or an escaped one are one.

    An escape character before anything else is dropped, white space before a quote too. A quote left open fails.
    """
    if quote not in line and escape not in line:
        return line.split(separator)
    values: list[str] = []
    value: list[str] = []
    quoted, position = False, 0
    while position < len(line):
        character, following = line[position], line[position + 1 : position + 2]
        if quoted and ((character == escape and following in (quote, escape)) or character == quote == following):
            if following:
                value.append(following)
            position += 1
        elif character == escape:
            pass
        elif character == quote:
            if not quoted and value and "".join(value).isspace():
                value = []
            elif _inside(line, position, separator):
                value.append(quote)
            quoted = not quoted
        elif character == separator and not quoted:
            values.append("".join(value))
            value = []
        else:
            value.append(character)
        position += 1
    if quoted:
        raise QueryError(f"HIVE_BAD_DATA: Un-terminated quoted field at end of CSV line: {line[:200]}")
    return [*values, "".join(value)]


def _inside(line: str, position: int, separator: str) -> bool:
    """Say whether a quote stands in the middle of a value, where it is kept as it is."""
    before, after = line[position - 1], line[position + 1 : position + 2]
    return position > 2 and before != separator and bool(after) and after != separator


def _json_value(value: Any, glue_type: str) -> Any:
    """Return a JSON value as the SerDe gives it to a column of this type."""
    if value is None:
        return None
    members = hive.fields(glue_type)
    if members is not None:
        if not isinstance(value, dict):
            raise QueryError(f"HIVE_BAD_DATA: {value!r} is not an object")
        folded = {name.lower(): part for name, part in value.items()}
        return {name: _json_value(folded.get(name), kind) for name, kind in members.items()}
    wanted = hive.athena_type(glue_type)
    if isinstance(value, (dict, list)) and not wanted.startswith("array"):
        raise QueryError(f"HIVE_BAD_DATA: {value!r} is no {wanted}")  # the two SerDes differ: declare it as it is
    return json.dumps(value) if wanted == "varchar" and not isinstance(value, str) else value
