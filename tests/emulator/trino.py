"""Athena's SQL, checked as Athena checks it and said in DuckDB's.

Only what is listed here is let through: another function or construct fails as EMULATOR_NOT_IMPLEMENTED rather than
mean something else in DuckDB.
"""

import re
from collections.abc import Iterable
from typing import Final

import sqlglot
import sqlglot.errors
from sqlglot import expressions as sql
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from trino_sql_validator import validate

from .hive import QueryError

Schema = dict[str, dict[str, dict[str, str]]]  # database, table, column: type
HIDDEN: Final = {"$path": "VARCHAR", "$file_size": "BIGINT", "$file_modified_time": "TIMESTAMPTZ"}

_UNNAMED: Final = "_col_without_a_name"

_STRUCTURE: Final = """
    Alias And Between Boolean CTE Case Column Distinct Dot EQ Except Exists Filter From GT GTE Group Having Identifier
    If In Interval Intersect Is Join LT LTE Like Limit Literal NEQ Neg Not Null Offset Or Order Ordered Paren Schema
    Select Star Subquery Table TableAlias Tuple Union Values Var Where Window WindowSpec With DataType DataTypeParam
    ColumnDef
"""
_ARITHMETIC: Final = "Add Sub Mul Div Mod"
_NUMBERS: Final = (
    "Abs Ceil Floor Round Sqrt Pow Ln Exp Sign Sum Avg Stddev StddevSamp StddevPop Variance VariancePop Corr"
)
_TEXTS: Final = """
    Lower Upper Trim Length Substring Replace StrPosition SplitPart RegexpLike RegexpExtract RegexpReplace StartsWith
"""
_TIMES: Final = """
    Extract TimestampTrunc DateTrunc Year Month Day Hour Minute Second Week Quarter DayOfMonth DayOfWeek DayOfWeekIso
    DayOfYear TimeToStr
"""
_ANYTHING: Final = """
    Count CountIf Min Max ArgMax ArgMin AnyValue ApproxDistinct ApproxQuantile Coalesce Nullif Cast TryCast Try DPipe
    Concat SafeConcat DateAdd DateSub DateDiff Date StrToTime TimeToUnix UnixToTime RowNumber Rank DenseRank Ntile Lag
    Lead FirstValue LastValue PercentRank CumeDist CurrentDate
"""
_KNOWN: Final = frozenset(f"{_STRUCTURE} {_ARITHMETIC} {_NUMBERS} {_TEXTS} {_TIMES} {_ANYTHING}".split())
_TAKES: Final = {  # the kind of a function's argument
    **dict.fromkeys(_NUMBERS.split(), "number"),
    **dict.fromkeys(_TEXTS.split(), "text"),
    **dict.fromkeys(_TIMES.split(), "time"),
}
_CLAUSES: Final = {  # what these have in Trino; DuckDB and the validator know more
    sql.Select: set(["with_", "expressions", "from_", "joins", "where", "group", "having", "windows", "order", "offset", "limit", "distinct"]),
    sql.Join: {"this", "on", "using", "side", "kind"},
    sql.Star: set(),
    sql.Distinct: {"expressions"},
}
_NOT_TRINO: Final = re.compile(r"^\s*from\b|\(\s*from\b|\blimit\s+\w+\s+offset\b", re.IGNORECASE)
_COMPARISONS: Final = (sql.EQ, sql.NEQ, sql.GT, sql.GTE, sql.LT, sql.LTE, sql.Like)
_TYPE: Final = sql.DataType.Type
_INTEGERS: Final = frozenset({_TYPE.TINYINT, _TYPE.SMALLINT, _TYPE.INT, _TYPE.BIGINT})
_CAST_FROM_TEXT: Final = {  # the texts that Trino casts; DuckDB takes more, and rounds '1.5' to an integer
    _TYPE.DOUBLE: r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]?(Infinity|NaN)\s*",
    _TYPE.DATE: r"\s*\d{4,}-\d{1,2}-\d{1,2}\s*",
    _TYPE.TIMESTAMP: r"\d{4,}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d+)?)?)?",
    **dict.fromkeys(_INTEGERS, r"[+-]?\d+"),
}


def parse(statement: str) -> sql.Expression:
    """Return a query's tree if its grammar is Trino's and it calls no unknown function."""
    checked = validate(statement)
    if not checked.valid:
        raise QueryError(f"SYNTAX_ERROR: {checked.error}")
    unknown = [warning for warning in checked.warnings if type(warning).__name__ == "FunctionWarning"]
    if unknown:
        first = unknown[0]
        raise QueryError(
            f"FUNCTION_NOT_FOUND: line {first.line}:{first.column}: Function '{first.name}' not registered"
        )
    if checked.unknown_types:
        raise QueryError(f"TYPE_NOT_FOUND: Unknown type: {checked.unknown_types[0]}")
    if checked.statement_count != 1:
        raise QueryError("SYNTAX_ERROR: Only one sql statement is allowed")
    if found := _NOT_TRINO.search(statement):
        raise QueryError(f"SYNTAX_ERROR: mismatched input '{found[0]}'")
    try:
        tree = sqlglot.parse_one(statement, read="athena")
    except sqlglot.errors.ParseError as error:
        raise QueryError(f"SYNTAX_ERROR: {error}") from error
    if not isinstance(tree, sql.Query):
        raise QueryError(f"EMULATOR_NOT_IMPLEMENTED: {type(tree).__name__}")
    _check_known(tree)
    for select in tree.find_all(sql.Select):
        for column in select.expressions:
            if not isinstance(column, (sql.Alias, sql.Column, sql.Dot, sql.Star)):
                column.replace(sql.alias_(column.copy(), _UNNAMED))
    return tree


def tables(tree: sql.Expression, database: str) -> list[tuple[str, str]]:
    """Return the database and name of each table that is read, common table expressions left out."""
    named = {expression.alias_or_name.lower() for expression in tree.find_all(sql.CTE)}
    found = []
    for table in tree.find_all(sql.Table):
        if not table.db and table.name.lower() in named:
            continue
        found.append(((table.db or database).lower(), table.name.lower()))
    return list(dict.fromkeys(found))


def translate(tree: sql.Expression, schema: Schema, database: str) -> str:
    """Return the query in DuckDB's SQL, after the checks that Trino's analyser makes."""
    for table in tree.find_all(sql.Table):
        table.set("catalog", None)
    visible = _qualified(tree, schema, database, whole=False)
    with_hidden = {name: {table: HIDDEN | columns for table, columns in of.items()} for name, of in schema.items()}
    checked = annotate_types(
        _qualified(visible, with_hidden, database, whole=True), schema=with_hidden, dialect="athena"
    )
    _check_known(checked)
    for node in checked.walk():
        _check_types(node)
    for select in checked.find_all(sql.Select):
        for position, column in enumerate(select.expressions):
            if column.alias == _UNNAMED:
                column.set("alias", sql.to_identifier(f"_col{position}", quoted=True))
    for node in reversed(list(checked.walk())):  # the parts of an expression before itself
        said = _in_duckdb(node)
        if said is not node:
            said.type = node.type
            node.replace(said)
    return checked.sql("duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)


def _qualified(tree: sql.Expression, schema: Schema, database: str, *, whole: bool) -> sql.Expression:
    """Resolve the names; at first without the hidden columns, so that a star does not show them."""
    try:
        return qualify(
            tree,
            schema=schema,
            db=database,
            dialect="athena",
            expand_alias_refs=False,
            validate_qualify_columns=whole,
            expand_stars=not whole,
        )
    except sqlglot.errors.OptimizeError as error:
        raise QueryError(f"COLUMN_NOT_FOUND: {error}") from error


def _check_known(tree: sql.Expression) -> None:
    for node in tree.walk():
        clauses = {name for name, value in node.args.items() if value} - _CLAUSES.get(type(node), set(node.args))
        if clauses or (isinstance(node, sql.Count) and not node.this):
            raise QueryError(f"SYNTAX_ERROR: {', '.join(clauses) or 'count()'} in {node.sql('athena')}")
        if type(node).__name__ not in _KNOWN:
            raise QueryError(f"EMULATOR_NOT_IMPLEMENTED: {type(node).__name__} ({node.sql('athena')})")


def _check_types(node: sql.Expression) -> None:
    """Refuse what Trino's types do not allow and DuckDB would cast."""
    if isinstance(node, (*_COMPARISONS, sql.Add, sql.Sub, sql.Mul, sql.Div, sql.Mod)):
        _same_kind(node, [node.this, node.expression])
    elif isinstance(node, sql.Between):
        _same_kind(node, [node.this, node.args["low"], node.args["high"]])
    elif isinstance(node, (sql.In, sql.Coalesce)):
        _same_kind(node, [node.this, *node.expressions])
    elif isinstance(node, sql.Case):
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        _same_kind(node, [*branches, *filter(None, [node.args.get("default")])])
    elif isinstance(node, sql.SetOperation):
        for pair in zip(node.left.selects, node.right.selects, strict=False):
            _same_kind(node, pair)
    elif isinstance(node, sql.DPipe):
        _same_kind(node, [node.this, node.expression, sql.Literal.string("").copy()])
    wanted = _TAKES.get(type(node).__name__)
    argument = node.expression if isinstance(node, sql.Extract) else node.this
    if wanted and (found := _kind(argument)) not in (None, wanted):
        raise QueryError(f"TYPE_MISMATCH: Unexpected parameters ({found}) for {node.sql('athena')}")


def _same_kind(node: sql.Expression, parts: Iterable[sql.Expression]) -> None:
    kinds = {kind for part in parts if (kind := _kind(part))}
    if len(kinds) > 1:
        raise QueryError(f"TYPE_MISMATCH: Cannot apply operator: {' and '.join(sorted(kinds))} in {node.sql('athena')}")


def _kind(node: sql.Expression) -> str | None:
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


def _in_duckdb(node: sql.Expression) -> sql.Expression:
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
    target, kind = node.args["to"].this, _kind(node.this)
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
