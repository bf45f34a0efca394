"""The types of Glue's tables: as Glue writes them, as Athena names them, as DuckDB stores them."""

import math
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final


class QueryError(Exception):
    """A statement that fails on Athena, or that this emulator does not know; the message begins with its name."""


_SIMPLE: Final = {  # Glue's name: Athena's, DuckDB's
    "string": ("varchar", "VARCHAR"),
    "varchar": ("varchar", "VARCHAR"),
    "boolean": ("boolean", "BOOLEAN"),
    "tinyint": ("tinyint", "TINYINT"),
    "smallint": ("smallint", "SMALLINT"),
    "int": ("integer", "INTEGER"),
    "integer": ("integer", "INTEGER"),
    "bigint": ("bigint", "BIGINT"),
    "float": ("real", "FLOAT"),
    "double": ("double", "DOUBLE"),
    "date": ("date", "DATE"),
    "timestamp": ("timestamp(3)", "TIMESTAMP"),
}
_OF_DUCKDB: Final = {  # what a result's type is called
    "HUGEINT": "bigint",
    "FLOAT": "float",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "NULL": "unknown",
}


def athena_type(glue_type: str) -> str:
    """Return Athena's name of a column type, as in a view's definition."""
    return _convert(glue_type, 0)


def duckdb_type(glue_type: str) -> str:
    """Return DuckDB's name of a column type."""
    return _convert(glue_type, 1)


def fields(glue_type: str) -> dict[str, str] | None:
    """Return the members of a struct and their types; None for another type."""
    match = re.fullmatch(r"struct<(.*)>", glue_type.strip(), re.IGNORECASE | re.DOTALL)
    if not match:
        return None
    pairs = (part.split(":", 1) for part in _split(match[1]))
    return {name.strip().lower(): kind.strip() for name, kind in pairs}


def of_result(duckdb_name: str) -> str:
    """Return what Athena calls the type of a column in a result's metadata."""
    name = duckdb_name.strip('"').upper()
    base = name.split("(")[0].strip()
    if base in ("STRUCT", "MAP") or name.endswith("[]"):
        return {"STRUCT": "row", "MAP": "map"}.get(base, "array")
    return _OF_DUCKDB.get(base, base.lower())


def comparable(type_name: str) -> str:
    """Return a type's name without what does not matter between a view and its definition."""
    name = re.sub(r"\s+", " ", type_name.strip().lower())
    name = re.sub(r"^varchar\(\d+\)$", "varchar", name)
    return {"timestamp(3)": "timestamp", "int": "integer", "string": "varchar", "float": "real"}.get(name, name)


def text(value: Any, *, type_name: str = "") -> str | None:
    """Return a value as Athena writes it into a result."""
    if value is None:
        return None
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write(value) + (" UTC" if "zone" in type_name else "")
    return str(value)


def _struct(value: dict[str, Any]) -> str:
    parts = (f"{name}={text(part) or 'null'}" for name, part in value.items())
    return "{" + ", ".join(parts) + "}"


def _java_double(value: float) -> str:
    """Write a double as Java does, which is what Athena's results show."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = format(Decimal(repr(value)), "f")
        return plain if "." in plain else f"{plain}.0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text_of = "".join(map(str, digits))
    return f"{'-' if sign else ''}{text_of[0]}.{text_of[1:] or '0'}E{exponent + len(digits) - 1}"


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {  # a boolean before the integer that it is to Python
    bool: lambda value: "true" if value else "false",
    float: _java_double,
    datetime: lambda value: f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}",
    date: date.isoformat,
    Decimal: lambda value: format(value, "f"),
    dict: _struct,
    list: lambda value: f"[{', '.join(text(part) or 'null' for part in value)}]",
}


def _convert(glue_type: str, column: int) -> str:
    kind = glue_type.strip().lower()
    members = fields(glue_type)
    if members is not None:
        inner = ", ".join(f'"{name}" {_convert(part, column)}' for name, part in members.items())
        return f"{('row', 'STRUCT')[column]}({inner})"
    if match := re.fullmatch(r"array<(.*)>", kind):
        inner = _convert(match[1], column)
        return (f"array({inner})", f"{inner}[]")[column]
    if re.fullmatch(r"decimal\(\d+, ?\d+\)", kind):
        return kind if column == 0 else kind.upper()
    base = re.sub(r"\(\d+\)$", "", kind)
    if base not in _SIMPLE:
        raise QueryError(f"EMULATOR_NOT_IMPLEMENTED: the column type {glue_type}")
    return _SIMPLE[base][column]


def _split(text_of: str) -> Iterator[str]:
    """Split at the commas that are not within brackets."""
    depth, begin = 0, 0
    for position, character in enumerate(text_of):
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            yield text_of[begin:position]
            begin = position + 1
    yield text_of[begin:]
