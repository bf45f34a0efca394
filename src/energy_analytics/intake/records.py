"""Lines of a text file as records: where each begins, its fields, and its text as it arrived."""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb

from ..engine import file_literal, literal
from .dialect import Dialect
from .text import PlainText
from .verdict import UnusableUploadError

_NEVER: Final = "\x1c\x1d\x1e"
"""A delimiter that no text contains, so that a line arrives whole."""
_FIELD: Final = "\x1f"
_LINE_FEED: Final = "\x1e"
_COLUMN: Final = "\x1d"
_CONTROL: Final = str.maketrans(dict.fromkeys(_FIELD + _LINE_FEED + _COLUMN, " "))

_LONGEST_RECORD_LINES: Final = 1000
_LONGEST_RECORD_CHARACTERS: Final = 100_000

UNCLOSED: Final = "\x00unclosed"
"""Stands as the only field of a record whose quote is never closed."""


def records(engine: duckdb.DuckDBPyConnection, text: PlainText, dialect: Dialect, name: str, folder: Path) -> str:
    """Return SQL for the relation (line BIGINT, fields VARCHAR[], raw VARCHAR) of all lines after the header.

    Quoting is understood by rewriting the file, which costs time, so that is done only where a quote occurs.
    """
    lines = _lines(text.path, "columns = {'raw': 'VARCHAR'}", _NEVER)
    try:
        quoted = engine.execute(f"SELECT count(*) FROM {lines} WHERE contains(raw, '\"')").fetchall() != [(0,)]
    except duckdb.InvalidInputException as error:
        raise UnusableUploadError(
            f"{name} cannot be read as lines of text, probably because a line is longer than 2 MB."
        ) from error
    if not quoted:
        return f"""(
            SELECT line, string_split(raw, {literal(dialect.delimiter)}) AS fields, raw
            FROM (SELECT row_number() OVER () AS line, raw FROM {lines})
            WHERE line > {dialect.header_line} AND raw IS NOT NULL)"""
    rewritten = folder / "records.txt"
    with (
        text.path.open(encoding="utf-8", newline="\n") as source,
        rewritten.open("w", encoding="utf-8", newline="\n") as target,
    ):
        target.writelines(_rewritten(source, dialect))
    columns = "columns = {'line': 'BIGINT', 'packed': 'VARCHAR', 'raw': 'VARCHAR'}"
    return f"""(
        SELECT line, list_transform(string_split(packed, '{_FIELD}'), lambda field: {_restored("field")}) AS fields,
            {_restored("raw")} AS raw
        FROM {_lines(rewritten, columns, _COLUMN)})"""


def _lines(path: Path, columns: str, delimiter: str) -> str:
    return (
        f"read_csv({file_literal(path)}, auto_detect = false, header = false, {columns}, "
        f"delim = '{delimiter}', quote = '', escape = '', new_line = '\\n')"
    )


def _restored(column: str) -> str:
    return f"replace({column}, '{_LINE_FEED}', chr(10))"


def _rewritten(source: Iterable[str], dialect: Dialect) -> Iterator[str]:
    for line, fields, raw in _parsed(source, dialect):
        packed = _FIELD.join(field.translate(_CONTROL).replace("\n", _LINE_FEED) for field in fields)
        yield f"{line}{_COLUMN}{packed}{_COLUMN}{raw.translate(_CONTROL).replace(chr(10), _LINE_FEED)}\n"


def _parsed(source: Iterable[str], dialect: Dialect) -> Iterator[tuple[int, list[str], str]]:
    """Yield (line, fields, raw text) of every record that is not blank."""
    delimiter = dialect.delimiter
    after_header = islice(enumerate(source, start=1), dialect.header_line, None)
    for number, raw in _joined(after_header, delimiter):
        if not raw.strip():
            continue
        if '"' not in raw:
            yield number, raw.split(delimiter), raw
            continue
        if _is_open(raw, delimiter):
            yield number, [UNCLOSED], raw
            continue
        try:
            yield number, next(csv.reader(raw.splitlines(keepends=True), delimiter=delimiter)), raw
        except csv.Error:
            yield number, [UNCLOSED], raw


def _joined(lines: Iterator[tuple[int, str]], delimiter: str) -> Iterator[tuple[int, str]]:
    """Yield records with the lines that a quote holds together; a quote never closed holds only its own line."""
    waiting: list[tuple[int, str]] = []
    while True:
        if waiting:
            number, line = waiting.pop(0)
        elif (following := next(lines, None)) is not None:
            number, line = following
        else:
            return
        record, taken = line, 0
        while _is_open(record, delimiter):
            if taken == len(waiting):
                if (following := next(lines, None)) is None:
                    break
                waiting.append(following)
            record += waiting[taken][1]
            taken += 1
            if taken >= _LONGEST_RECORD_LINES or len(record) > _LONGEST_RECORD_CHARACTERS:
                break
        if taken and _is_open(record, delimiter):
            record, taken = line, 0
        del waiting[:taken]
        yield number, record.rstrip("\n")


def _is_open(record: str, delimiter: str) -> bool:
    """Tell whether a quoted field of the record is not closed."""
    if '"' not in record:
        return False
    edge = re.escape(delimiter)
    closed = re.sub(rf'(^|{edge})\s*"(?:[^"]|"")*"(?=\s*(?:{edge}|$))', r"\1", record.rstrip("\n"))
    return re.search(rf'(?:^|{edge})\s*"', closed) is not None
