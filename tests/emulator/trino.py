"""Athena's SQL, checked as Athena checks it; `dialect` says it in DuckDB's words.

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

from .dialect import in_duckdb, kind_of
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
    Lead FirstValue LastValue PercentRank CumeDist CurrentDate Chr
"""
_KNOWN: Final = frozenset(f"{_STRUCTURE} {_ARITHMETIC} {_NUMBERS} {_TEXTS} {_TIMES} {_ANYTHING}".split())
_TAKES: Final = {  # the kind of a function's argument
    **dict.fromkeys(_NUMBERS.split(), "number"),
    **dict.fromkeys(_TEXTS.split(), "text"),
    **dict.fromkeys(_TIMES.split(), "time"),
}
_CLAUSES: Final = {  # what these have in Trino; DuckDB and the validator know more
    sql.Select: {
        *("with_", "expressions", "from_", "joins", "where", "group", "having"),
        *("windows", "order", "offset", "limit", "distinct"),
    },
    sql.Join: {"this", "on", "using", "side", "kind"},
    sql.Star: set(),
    sql.Distinct: {"expressions"},
}
_NOT_TRINO: Final = re.compile(r"^\s*from\b|\(\s*from\b|\blimit\s+\w+\s+offset\b", re.IGNORECASE)
_COMPARISONS: Final = (sql.EQ, sql.NEQ, sql.GT, sql.GTE, sql.LT, sql.LTE, sql.Like)


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
        said = in_duckdb(node)
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
    if wanted and (found := kind_of(argument)) not in (None, wanted):
        raise QueryError(f"TYPE_MISMATCH: Unexpected parameters ({found}) for {node.sql('athena')}")


def _same_kind(node: sql.Expression, parts: Iterable[sql.Expression]) -> None:
    kinds = {kind for part in parts if (kind := kind_of(part))}
    if len(kinds) > 1:
        raise QueryError(f"TYPE_MISMATCH: Cannot apply operator: {' and '.join(sorted(kinds))} in {node.sql('athena')}")
