"""What must be true of every reading of every upload, whatever its bytes."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest.mock import patch

import duckdb

from energy_analytics.delivery import deliver
from energy_analytics.engine import connect
from energy_analytics.intake import UnusableUploadError, read_upload, strict, understood
from energy_analytics.intake.dialect import sniff
from energy_analytics.intake.text import settle
from energy_analytics.intake.tolerant import read_tolerant
from energy_analytics.lake import LakeError, LocalLake
from energy_analytics.merging import readings_of
from energy_analytics.uploads import is_upload, readings_key

MAX_KWH: Final = 1e9
_LONGEST_SENTENCE: Final = 2000
_PLAIN: Final = re.compile(r"\d{1,9}\.\d{1,9}")


@dataclass(frozen=True, slots=True)
class How:
    """The settings that an upload is read with."""

    timezone: str | None = None
    date_order: Any = None
    decimal: Any = None

    def __str__(self) -> str:
        return f"{self.timezone} {self.date_order} {self.decimal}"


@contextmanager
def opened() -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Give an engine with little memory, and a folder."""
    with (
        TemporaryDirectory() as folder,
        connect(memory_limit_mb=384, threads=1, spill_folder=Path(folder) / "spill") as engine,
    ):
        yield engine, Path(folder)


def examine(engine: duckdb.DuckDBPyConnection, folder: Path, content: bytes, how: How) -> str:
    """Read an upload, and raise AssertionError where the reading breaks a promise. Returns how it ended, in a word."""
    with TemporaryDirectory(dir=folder) as own:
        work, source = Path(own) / "work", Path(own) / "in.csv"
        work.mkdir()
        source.write_bytes(content)
        target = work / "readings.parquet"
        try:
            taken = read_upload(
                engine,
                source,
                target,
                name="in.csv",
                marks={},
                timezone=how.timezone,
                date_order=how.date_order,
                decimal=how.decimal,
                max_reading_kwh=MAX_KWH,
                max_upload_mb=100,
            )
        except UnusableUploadError as error:
            assert 10 < len(str(error)) < _LONGEST_SENTENCE, f"a sentence of {len(str(error))} characters"
            assert source.read_bytes() == content
            return "refused"
        assert source.read_bytes() == content, "the upload was changed"
        verdict = taken.verdict
        rows = _rows(engine, target)
        rejected = _rejected(engine)
        assert verdict.rows_accepted == len(rows) > 0
        assert sum(verdict.rejected_by_reason.values()) == len(rejected)
        assert all(count > 0 for count in verdict.rejected_by_reason.values())
        for when, name, kwh, offset in rows:
            assert 1970 <= when.year <= 2101, when
            assert name and name.strip(" \t\r\n\u00a0") == name and "\0" not in name, repr(name)
            assert math.isfinite(kwh) and 0 <= kwh <= MAX_KWH and math.copysign(1, kwh) == 1, kwh
            assert offset is None or -24 * 60 < offset < 24 * 60, offset
        assert len({(when, name, offset) for when, name, _, offset in rows}) == len(rows), "an interval twice"
        again = Path(own) / "again"
        again.mkdir()
        _lines_accounted_for(source, again, how, rows, rejected)
        _both_readings_agree(engine, source, Path(own), how, rows)
        return "mixed" if rejected else "clean"


def _rows(engine: duckdb.DuckDBPyConnection, target: Path) -> list[tuple[Any, ...]]:
    return engine.execute(
        f"SELECT timestamp, appliance, kwh, utc_offset_minutes FROM {readings_of(engine, [target])} ORDER BY ALL"
    ).fetchall()


def _rejected(engine: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str]]:
    if not engine.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'rejected'").fetchone():
        return []
    return engine.execute("SELECT line_number, raw_text, reason FROM rejected").fetchall()


def _lines_accounted_for(
    source: Path, folder: Path, how: How, rows: list[tuple[Any, ...]], rejected: list[tuple[int, str, str]]
) -> None:
    """Each line is taken or refused, once, with its number; what is taken adds up to what the lines say."""
    text, dialect = understood(source, "in.csv", folder, max_upload_mb=100)
    text = settle(text, "in.csv", folder)
    lines = _split(text.path)
    something = re.compile(r'[^ \t\n\f\r\u00a0"' + re.escape(dialect.delimiter) + "]")
    given = {
        number for number, line in enumerate(lines, start=1) if number > dialect.header_line and something.search(line)
    }
    refused = [line for line, _, _ in rejected]
    assert refused == sorted(set(refused)), "lines refused out of order or twice"
    assert all(raw is not None and reason for _, raw, reason in rejected)
    quoted = any('"' in line for line in lines)
    if quoted:
        assert set(refused) <= set(range(dialect.header_line + 1, len(lines) + 1))
        assert len(rows) + len(refused) <= len(lines)
        return
    assert set(refused) <= given, sorted(set(refused) - given)
    assert len(given) == len(rows) + len(refused), (len(given), len(rows), len(refused))
    taken = [lines[number - 1].split(dialect.delimiter)[dialect.kwh_index] for number in sorted(given - set(refused))]
    # Under a decimal comma, 1.234 may be 1234.
    if how.decimal != "," and all(_PLAIN.fullmatch(one) for one in taken):
        expected = math.fsum(map(float, taken))
        assert abs(math.fsum(row[2] for row in rows) - expected) <= 1e-9 * max(1.0, expected), "energy lost"


def _split(path: Path) -> list[str]:
    return path.read_bytes().decode("utf-8").split("\n")


def _both_readings_agree(
    engine: duckdb.DuckDBPyConnection, source: Path, own: Path, how: How, rows: list[tuple[Any, ...]]
) -> None:
    """Where the fast reading takes a file, the careful one takes the same of it.

    The fast reading handles names as it does in a large file; `rows` are what it gave as in a small one.
    """
    fast, slow = own / "fast", own / "slow"
    fast.mkdir()
    slow.mkdir()
    text, dialect = understood(source, "in.csv", fast, max_upload_mb=100)
    shared = {"copy_options": lambda verdict: "FORMAT parquet", "timezone": how.timezone, "max_reading_kwh": MAX_KWH}
    with patch.object(strict, "_LARGE_BYTES", 0):
        if strict.read_strict(engine, text, dialect, fast / "r.parquet", **shared) is None:
            return
    text, dialect = understood(source, "in.csv", slow, max_upload_mb=100)
    text = settle(text, "in.csv", slow)
    engine.execute("DROP TABLE IF EXISTS rejected")
    verdict = read_tolerant(
        engine,
        text,
        sniff(text.head(), "in.csv"),
        slow / "r.parquet",
        date_order=how.date_order,
        decimal=None if how.decimal == "," else how.decimal,
        **shared,
    )
    quick = _rows(engine, fast / "r.parquet")
    careful = _rows(engine, slow / "r.parquet")
    assert not verdict.rejected_by_reason, verdict.rejected_by_reason
    assert quick == careful, [pair for pair in zip(quick, careful, strict=False) if pair[0] != pair[1]][:3]
    if how.decimal != ",":
        assert quick == rows


def examine_delivery(folder: Path, content: bytes, *, name: str, site: str) -> str:
    """Deliver a file, and raise AssertionError where that breaks a promise."""
    with TemporaryDirectory(dir=folder) as own:
        root, source = Path(own) / "lake", Path(own) / "in" / name
        source.parent.mkdir()
        source.write_bytes(content)
        lake = LocalLake(root)
        before = _files(Path(own))
        try:
            upload = deliver(lake, source, site=site, now=datetime(2026, 3, 1, tzinfo=UTC))
        except (UnusableUploadError, LakeError) as error:
            assert 10 < len(str(error)) < _LONGEST_SENTENCE
            assert _files(Path(own)) == before, "a file was left"
            return "refused"
        assert is_upload(upload.key) and ".." not in upload.key.split("/"), upload.key
        assert readings_key(upload.key).startswith("curated/readings/")
        assert upload.site == site
        assert source.read_bytes() == content
        assert _files(Path(own)) - before == {f"lake/{upload.key}"}
        if not content.startswith(b"PAR1"):
            assert lake.read(upload.key) == content
        assert deliver(lake, source, site=site, now=datetime(2026, 3, 2, tzinfo=UTC)) == upload, "delivered twice"
        return "delivered"


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def parquet_of(engine: duckdb.DuckDBPyConnection, folder: Path, columns: tuple[str, str, str]) -> bytes:
    """Write a Parquet file with such columns and return its bytes."""
    target = folder / "made.parquet"
    engine.execute(f"COPY (SELECT {', '.join(columns)} FROM range(3) AS r(n)) TO '{target}' (FORMAT parquet)")
    return target.read_bytes()
