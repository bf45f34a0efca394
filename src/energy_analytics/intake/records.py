"""Lines of a text file as records: where each begins, its fields, and its text as it arrived."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

import duckdb

from ..engine import file_literal, literal
from .dialect import Dialect
from .fields import not_blank
from .limits import MOST_COLUMNS
from .text import PlainText

_NEVER: Final = "\x1c\x1d\x1e"
"""A delimiter that no text contains, so that a line arrives whole."""
_FIELD: Final = "\x1f"
_LINE_FEED: Final = "\x1e"
_COLUMN: Final = "\x1d"
MARKS: Final = _COLUMN + _LINE_FEED + _FIELD
"""Become spaces wherever a text has them."""
_TO_REWRITE: Final = [char.encode() for char in ('"', _FIELD, _LINE_FEED, _COLUMN)]
_CONTROL: Final = str.maketrans(dict.fromkeys(_FIELD + _LINE_FEED + _COLUMN, " "))

LONGEST_RECORD_BYTES: Final = 100_000
"""No reading is as long as this, ten times a name of 10,000 characters; the engine's own limit is 2 MB."""
_STRETCH_BYTES: Final = 1 << 20
_LOOK_BYTES: Final = 4096
_SHORT_CHARACTERS: Final = LONGEST_RECORD_BYTES // 4
"""No longer than a record may be, whatever the characters."""
_SHOWN_CHARACTERS: Final = 1000
"""As much of a longer record is kept as its raw text."""
_KEPT_CHARACTERS: Final = 10_000
"""As much of any other: of a thousand lines ten times as long, the engine could not keep the text at all."""

_LONG_LINES_BYTES: Final = 8192
"""Lines that are longer on average, over a stretch, are rewritten: the engine writes and reads thousands at once."""
_LONGEST_VALUE: Final = 1000
"""No timestamp and no number is longer; of the columns that are not read, only whether they are empty counts."""
_AROUND: Final = " \t\r\n\xa0"

UNCLOSED: Final = "\x00unclosed"
"""Stands as the only field of a record whose quotes do not end where a field ends."""
_TOO_MANY: Final = ["…"]
"""Stands for too many fields to look at: the engine holds 2,048 rows at a time, with 16 bytes a field."""
_MOST_FIELDS: Final = 1000
"""Of a row, or as many as the header has, if that is more."""
TOO_LONG: Final = "\x00too long"
"""Stands as the only field of a record longer than LONGEST_RECORD_BYTES."""


def records(engine: duckdb.DuckDBPyConnection, text: PlainText, dialect: Dialect, folder: Path) -> str:
    """Return SQL for (line BIGINT, fields VARCHAR[], raw VARCHAR) of the lines after the header that are not blank.

    Quoting and long lines are understood by rewriting the file, which costs time, so that is done only where one
    occurs.
    """
    lines = folder / "lines.parquet"
    read = _lines(text.path, "columns = {'raw': 'VARCHAR'}", _NEVER)
    if _has_quotes_marks_or_long_lines(text.path) or has_endless_line(text.path):
        return _rewritten_records(text, dialect, folder)
    try:
        engine.execute(f"COPY (SELECT raw FROM {read}) TO {literal(str(lines))} (FORMAT parquet)")
    except (duckdb.InvalidInputException, duckdb.NotImplementedException):  # The latter for millions of blank lines.
        return _rewritten_records(text, dialect, folder)
    too_long = f"strlen(raw) > {LONGEST_RECORD_BYTES}"
    delimiter = literal(dialect.delimiter)
    too_many = f"strlen(raw) - strlen(replace(raw, {delimiter}, '')) >= {_most_fields(dialect)}"
    return f"""(
        SELECT file_row_number + 1 AS line,
            CASE WHEN {too_long} THEN ['{TOO_LONG}'] WHEN {too_many} THEN {_TOO_MANY}
                ELSE string_split(raw, {delimiter}) END AS fields,
            CASE WHEN {too_long} THEN left(raw, {_SHOWN_CHARACTERS}) || '…'
                WHEN length(raw) > {_KEPT_CHARACTERS} THEN left(raw, {_KEPT_CHARACTERS}) || '…' ELSE raw END AS raw
        FROM read_parquet({file_literal(lines)}, file_row_number = true)
        WHERE file_row_number >= {dialect.header_line} AND {not_blank("raw", dialect.delimiter)})"""


def has_endless_line(path: Path) -> bool:
    """Tell whether there may be a line so long that the engine would pass over it without a word.

    It does from 32 MB on, and says that a line is too long from 2 MB on. Of each stretch of half of that, little is
    read to find a line end: the next one is never far.
    """
    with path.open("rb", buffering=0) as file:
        size = file.seek(0, 2)
        for start in range(0, size - _STRETCH_BYTES + 1, _STRETCH_BYTES):
            file.seek(start)
            if b"\n" not in file.read(_LOOK_BYTES) and b"\n" not in file.read(_STRETCH_BYTES - _LOOK_BYTES):
                return True
    return False


def _has_quotes_marks_or_long_lines(path: Path) -> bool:
    """Tell whether there is a quote, a control character that the rewriting needs for itself, or a heap of text."""
    with path.open("rb") as file:
        return any(
            len(chunk) > _LONG_LINES_BYTES * (chunk.count(b"\n") + 1) or any(char in chunk for char in _TO_REWRITE)
            for chunk in iter(lambda: file.read(_STRETCH_BYTES), b"")
        )


def _rewritten_records(text: PlainText, dialect: Dialect, folder: Path) -> str:
    rewritten = folder / "records.txt"
    with (
        text.path.open(encoding="utf-8", newline="\n") as source,
        rewritten.open("w", encoding="utf-8", newline="\n") as target,
    ):
        target.writelines(_rewritten(_lines_cut(source), dialect))
    columns = "columns = {'line': 'BIGINT', 'packed': 'VARCHAR', 'raw': 'VARCHAR'}"
    return f"""(
        SELECT line, list_transform(string_split(packed, '{_FIELD}'), lambda field: {_restored("field")}) AS fields,
            {_restored("raw")} AS raw
        FROM {_lines(rewritten, columns, _COLUMN)} WHERE {not_blank("raw", dialect.delimiter)})"""


def _lines_cut(file: TextIO) -> Iterator[str]:
    """Yield lines, of one that is longer than a record may be only its beginning, so that none fills the memory."""
    while line := file.readline(LONGEST_RECORD_BYTES + 1):
        end = line
        while len(end) > LONGEST_RECORD_BYTES and not end.endswith("\n"):
            end = file.readline(LONGEST_RECORD_BYTES + 1)
        yield line if line.endswith("\n") or not end.endswith("\n") else line + "\n"


def _lines(path: Path, columns: str, delimiter: str) -> str:
    return (
        f"read_csv({file_literal(path)}, auto_detect = false, header = false, {columns}, "
        f"delim = '{delimiter}', quote = '', escape = '', new_line = '\\n', compression = 'none')"
    )


def _restored(column: str) -> str:
    return f"replace({column}, '{_LINE_FEED}', chr(10))"


def _rewritten(source: Iterable[str], dialect: Dialect) -> Iterator[str]:
    for line, found, whole in _parsed(source, dialect):
        raw, fields = whole, found
        if len(whole) > _KEPT_CHARACTERS:
            raw = whole[:_KEPT_CHARACTERS] + "…"
            fields = _cut(whole.split(dialect.delimiter) if found is None else found, dialect)
        if fields is None:
            yield f"{line}{_COLUMN}{whole.replace(dialect.delimiter, _FIELD)}{_COLUMN}{raw}\n"
            continue
        packed = _on_one_line(_FIELD.join(map(_without_control, fields)))
        yield f"{line}{_COLUMN}{packed}{_COLUMN}{_on_one_line(_without_control(raw))}\n"


def _cut(fields: list[str], dialect: Dialect) -> list[str]:
    """Return the fields of a long record without the text that nothing is read from: the engine holds many rows."""
    whole = dialect.appliance_index
    return [field if place == whole else _value(field) for place, field in enumerate(fields)]


def _value(field: str) -> str:
    if len(field) <= _LONGEST_VALUE:
        return field
    value = field.strip(_AROUND)
    return value if len(value) <= _LONGEST_VALUE else "…"


def _without_control(text: str) -> str:
    return text if text.isprintable() else text.translate(_CONTROL)


def _on_one_line(text: str) -> str:
    return text.replace("\n", _LINE_FEED)


def _parsed(source: Iterable[str], dialect: Dialect) -> Iterator[tuple[int, list[str] | None, str]]:
    """Yield (line, fields, raw text) of every record that is not blank; of one without quotes and marks no fields."""
    quoting, most = _Quoting(dialect.delimiter), _most_fields(dialect)
    after_header = islice(enumerate(source, start=1), dialect.header_line, None)
    for number, raw, whole in _joined(after_header, quoting):
        if whole and len(raw) <= _SHORT_CHARACTERS and '"' not in raw and raw.isprintable():
            if raw:
                yield number, None if raw.count(dialect.delimiter) < most else _TOO_MANY, raw
        elif len(raw) > _SHORT_CHARACTERS and len(raw.encode()) > LONGEST_RECORD_BYTES:
            yield number, [TOO_LONG], raw[:_SHOWN_CHARACTERS] + "…"
        elif raw and not raw.isspace():
            fields = quoting.split(raw) if whole else [UNCLOSED]
            yield number, fields if len(fields) <= most else _TOO_MANY, raw


def _most_fields(dialect: Dialect) -> int:
    return max(_MOST_FIELDS, len(dialect.columns))


class _State(Enum):
    WHOLE = "whole"
    OPEN = "open"
    BROKEN = "broken"


class _Quoting:
    """The rules of quoted fields: a quote opens at the start of a field and must close at its end."""

    def __init__(self, delimiter: str) -> None:
        edge = re.escape(delimiter)
        self.delimiter = delimiter
        self._opening = re.compile(r' *"')
        self._inside = re.compile(r'[^"]*(?:""[^"]*)*')
        self._closing = re.compile(rf'" *(?:({edge})|\n?\Z)')

    def state(self, line: str, *, opened: bool) -> _State:
        """Tell how a record stands at the end of `line`, if a quote was open at its start or not."""
        position = 0
        while True:
            start = None if opened else self._opening.match(line, position)
            if opened or start:
                inside = self._inside.match(line, start.end() if start else position)
                position = inside.end() if inside else position
                if position == len(line):
                    return _State.OPEN
                closing = self._closing.match(line, position)
                if closing is None:
                    return _State.BROKEN
                if closing[1] is None:
                    return _State.WHOLE
                opened, position = False, closing.end()
            else:
                following = line.find(self.delimiter, position)
                if following < 0:
                    return _State.WHOLE
                position = following + 1

    def split(self, record: str) -> list[str]:
        """Return the fields of a whole record; of one that has too many, not all."""
        if '"' not in record:
            return record.split(self.delimiter)
        fields, position = [], 0
        while True:
            if start := self._opening.match(record, position):
                inside = self._inside.match(record, start.end())
                closing = self._closing.match(record, inside.end()) if inside else None
                if inside is None or closing is None:
                    raise AssertionError(f"not a whole record: {record!r}")
                fields.append(inside[0].replace('""', '"'))
                more, position = closing[1] is not None, closing.end()
            else:
                following = record.find(self.delimiter, position)
                more = following >= 0
                fields.append(record[position:following] if more else record[position:])
                position = following + 1
            if not more or len(fields) > MOST_COLUMNS:
                return fields


def _joined(lines: Iterator[tuple[int, str]], quoting: _Quoting) -> Iterator[tuple[int, str, bool]]:
    """Yield (line, text, whether whole) of records, with the lines that a quote holds together.

    A quote never closed holds only its own line. What is found out of the lines that follow is kept, so that each
    is looked at once for all the quotes opened before it, however many there are.
    """
    ahead = _Ahead(lines, quoting)
    while (following := ahead.take()) is not None:
        number, line = following
        if '"' not in line:
            yield number, line.removesuffix("\n"), True
            continue
        state = quoting.state(line, opened=False)
        if state is _State.OPEN and len(line) <= LONGEST_RECORD_BYTES:
            taken = ahead.closing(within=LONGEST_RECORD_BYTES - len(line))
            if taken is not None:
                line, state = line + taken, _State.WHOLE
        yield number, line.removesuffix("\n"), state is _State.WHOLE


class _Ahead:
    """Lines that have been read already, and how each stands at its end if a quote is open at its start."""

    def __init__(self, lines: Iterator[tuple[int, str]], quoting: _Quoting) -> None:
        self._lines = lines
        self._quoting = quoting
        self._open: deque[tuple[int, str]] = deque()
        """Those that leave the quote open."""
        self._open_length = 0
        self._last: tuple[int, str] | None = None
        """The one after them, which does not."""
        self._last_state = _State.OPEN

    def take(self) -> tuple[int, str] | None:
        """Return the next line; None when there is none."""
        if self._open:
            number, line = self._open.popleft()
            self._open_length -= len(line)
            return number, line
        if self._last is not None:
            following, self._last = self._last, None
            return following
        return next(self._lines, None)

    def closing(self, *, within: int) -> str | None:
        """Take the lines up to the one that closes an open quote, and return them; none where no line does.

        The one that closes it begins at most `within` characters from here.
        """
        while self._last is None and self._open_length <= within:
            following = next(self._lines, None)
            if following is None:
                return None
            state = self._quoting.state(following[1], opened=True)
            if state is _State.OPEN:
                self._open.append(following)
                self._open_length += len(following[1])
            else:
                self._last, self._last_state = following, state
        if self._last is None or self._open_length > within or self._last_state is not _State.WHOLE:
            return None
        taken = "".join([*(line for _, line in self._open), self._last[1]])
        self._open.clear()
        self._open_length, self._last = 0, None
        return taken
