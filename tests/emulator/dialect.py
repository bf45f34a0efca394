"""What means something else in DuckDB than in Trino, said so that it means the same."""

import re
from typing import Final

from sqlglot import expressions as sql

from .hive import QueryError

_TYPE: Final = sql.DataType.Type
_INTEGERS: Final = frozenset({_TYPE.TINYINT, _TYPE.SMALLINT, _TYPE.INT, _TYPE.BIGINT})
_CAST_FROM_TEXT: Final = {  # the texts that Trino casts; DuckDB takes more, and rounds '1.5' to an integer
    _TYPE.DOUBLE: r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]?(Infinity|NaN)\s*",
    _TYPE.DATE: r"\s*\d{4,}-\d{1,2}-\d{1,2}\s*",
    _TYPE.TIMESTAMP: r"\d{4,}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d+)?)?)?",
    **dict.fromkeys(_INTEGERS, r"[+-]?\d+"),
}


def kind_of(node: sql.Expression) -> str | None:
    """Return the family of an expression's type: within one, Trino casts by itself."""
    if isinstance(node, sql.Literal) and node.is_string:
        return "text"
    kind = node.type.this if node.type else None
    if kind in sql.DataType.TEXT_TYPES:
        return "text"
    if kind in sql.DataType.NUMERIC_TYPES:
        return "number"
    if kind == _TYPE.BOOLEAN:
        return "boolean"
    return "time" if kind in sql.DataType.TEMPORAL_TYPES and not isinstance(node, sql.Interval) else None


def in_duckdb(node: sql.Expression) -> sql.Expression:
    """Say in DuckDB's words what would mean something else there."""
    for kind, say in _SAID.items():
        if type(node) is kind:
            return say(node)
    return node


def _percentile(node: sql.ApproxQuantile) -> sql.Expression:
    if not _is_floating(node.this):
        raise QueryError("EMULATOR_NOT_IMPLEMENTED: approx_percentile of anything but doubles")
    return node


def _mean(node: sql.Avg) -> sql.Expression:
    if _is_decimal(node.this):
        raise QueryError("EMULATOR_NOT_IMPLEMENTED: the mean of decimals")
    return node


def _integer_sum(node: sql.Expression) -> sql.Expression:
    """A sum of integers is a bigint; DuckDB's is wider."""
    within = isinstance(node.parent, (sql.Window, sql.Filter))
    return sql.cast(node.copy(), "bigint") if _is_integer_sum(node) and not within else node


def _whole_units(node: sql.DateDiff) -> sql.Expression:
    """Trino counts whole units between two times, DuckDB's function of that name the boundaries."""
    unit = sql.Literal.string(node.text("unit").lower())
    return sql.Anonymous(this="date_sub", expressions=[unit, node.expression, node.this])


def _extracted(node: sql.RegexpExtract) -> sql.Expression:
    """No match is a null, not an empty text."""
    found = sql.Anonymous(this="regexp_matches", expressions=[node.this.copy(), node.expression.copy()])
    return sql.Case(ifs=[sql.If(this=found, true=node.copy())])


def _replaced(node: sql.RegexpReplace) -> sql.Expression:
    """Trino replaces every match, DuckDB the first unless told so."""
    new = node.args["replacement"]
    if re.search(r"[\\$]", new.name):
        raise QueryError("EMULATOR_NOT_IMPLEMENTED: a replacement with groups")
    return sql.Anonymous(this="regexp_replace", expressions=[node.this, node.expression, new, sql.Literal.string("g")])


def _part(node: sql.SplitPart) -> sql.Expression:
    """A part that there is not is a null, not an empty text."""
    parts = sql.Anonymous(this="string_split", expressions=[node.this.copy(), node.args["delimiter"].copy()])
    count = sql.Anonymous(this="len", expressions=[parts])
    enough = sql.GTE(this=count, expression=node.args["part_index"].copy())
    return sql.Case(ifs=[sql.If(this=enough, true=node.copy())])


def _of_date(node: sql.Expression) -> sql.Expression:
    """A date that is moved or truncated stays one; DuckDB's becomes a timestamp."""
    dated = node.this.type and node.this.type.this == _TYPE.DATE
    return sql.cast(node.copy(), "date") if dated else node


def _is_integer_sum(node: sql.Expression) -> bool:
    if isinstance(node, (sql.Window, sql.Filter)):
        return _is_integer_sum(node.this)
    return isinstance(node, sql.Sum) and bool(node.this.type) and node.this.type.this in _INTEGERS


def _division(node: sql.Div) -> sql.Expression:
    """Divide integers as integers; two decimals would need a scale that DuckDB does not keep."""
    sides = (node.this, node.expression)
    if any(_is_decimal(side) for side in sides) and not any(_is_floating(side) for side in sides):
        raise QueryError(f"EMULATOR_NOT_IMPLEMENTED: decimals divided ({node.sql('athena')}); cast one to double")
    if all(side.type and side.type.this in _INTEGERS for side in sides):
        return sql.IntDiv(this=node.this, expression=node.expression)
    if any(side.type is None or side.type.this == _TYPE.UNKNOWN for side in sides):
        raise QueryError(f"EMULATOR_NOT_IMPLEMENTED: a division of unknown types ({node.sql('athena')})")
    return sql.Div(this=node.this, expression=node.expression, typed=False, safe=False)


def _is_decimal(node: sql.Expression) -> bool:
    """Say whether Trino types it as a decimal: as it does a literal like 1.5."""
    if isinstance(node, (sql.Paren, sql.Neg)):
        return _is_decimal(node.this)
    if isinstance(node, sql.Literal):
        return not node.is_string and "." in node.name and "e" not in node.name.lower()
    if isinstance(node, (sql.Add, sql.Sub, sql.Mul)):
        sides = (node.this, node.expression)
        return any(_is_decimal(side) for side in sides) and not any(_is_floating(side) for side in sides)
    return bool(node.type and node.type.this == _TYPE.DECIMAL)


def _is_floating(node: sql.Expression) -> bool:
    return bool(node.type and node.type.this in (_TYPE.DOUBLE, _TYPE.FLOAT)) and not _is_decimal(node)


def _cast(node: sql.Cast) -> sql.Expression:
    target, kind = node.args["to"].this, kind_of(node.this)
    forgiving = isinstance(node, sql.TryCast)
    if kind == "text" and (pattern := _CAST_FROM_TEXT.get(target)):
        text, plain = node.this, sql.cast(node.this.copy(), node.args["to"])
        if isinstance(text, sql.Literal) and re.fullmatch(pattern, text.name):
            return node
        fits = sql.Anonymous(this="regexp_full_match", expressions=[text.copy(), sql.Literal.string(pattern)])
        inner = sql.TryCast(this=node.this.copy(), to=node.args["to"]) if forgiving else plain
        message = sql.Literal.string(f"INVALID_CAST_ARGUMENT: Cannot cast value to {node.args['to'].sql('athena')}: ")
        refused = sql.Anonymous(this="error", expressions=[sql.DPipe(this=message, expression=text.copy())])
        missing = sql.Is(this=text.copy(), expression=sql.Null())
        branches = [sql.If(this=missing, true=sql.cast(sql.Null(), node.args["to"])), sql.If(this=fits, true=inner)]
        return sql.Case(ifs=branches, default=sql.Null() if forgiving else refused)
    if kind == "number" and target in _INTEGERS and not forgiving and node.this.type.this not in _INTEGERS:
        rounded = sql.Round(this=node.this.copy())  # half up, where DuckDB rounds half to even
        return sql.Cast(this=rounded, to=node.args["to"])
    if kind == "number" and target in sql.DataType.TEXT_TYPES and node.this.type.this not in _INTEGERS:
        raise QueryError("EMULATOR_NOT_IMPLEMENTED: a double or decimal cast to text")
    if kind == "time" and target in sql.DataType.TEXT_TYPES and node.this.type.this != _TYPE.DATE:
        raise QueryError("EMULATOR_NOT_IMPLEMENTED: a timestamp cast to text; use date_format")
    return node


_SAID: Final = {
    sql.Div: _division,
    sql.Cast: _cast,
    sql.TryCast: _cast,
    sql.ApproxQuantile: _percentile,
    sql.Avg: _mean,
    sql.Sum: _integer_sum,
    sql.Window: _integer_sum,
    sql.Filter: _integer_sum,
    sql.DateDiff: _whole_units,
    sql.RegexpExtract: _extracted,
    sql.RegexpReplace: _replaced,
    sql.SplitPart: _part,
    **dict.fromkeys((sql.TimestampTrunc, sql.DateTrunc, sql.DateAdd, sql.DateSub, sql.Add, sql.Sub), _of_date),
}
