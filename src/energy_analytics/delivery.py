"""Putting a person's file into the lake as an upload."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb

from .apart import BrokenOffError, OutOfMemoryError, OutOfTimeError, apart
from .engine import connect, file_literal, literal
from .intake import UnusableUploadError, column_positions, refuse_foreign, too_large
from .lake import Lake
from .schema import RAW, RAW_ENERGY_DATA
from .settings import MAX_UPLOAD_MB
from .uploads import Upload, digest_meanwhile, identify, raw_key, upload_time, uploads_of_site

_PARQUET_MAGIC: Final = b"PAR1"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_LOOKED_AT: Final = 512
_FEWEST_BYTES_OF_A_ROW: Final = len("2026-01-01,A,1\n")
_MEMORY_MB: Final = 512
"""For the conversion of Parquet, of which a whole row group is in memory at a time."""
_SECONDS: Final = 120.0
_BYTES_A_SECOND: Final = 50_000
"""Far slower than any that was measured: what takes longer than both has no end."""


def deliver(lake: Lake, path: Path, *, site: str, now: datetime, max_upload_mb: float = MAX_UPLOAD_MB) -> Upload:
    """Put the file under `raw/` as an upload; a file that is there already stays the upload it was.

    In a folder the upload's time is the file's own, so that the same file makes the same stamp in any lake, but
    never before an upload that was there first: what comes later corrects what came earlier. A bucket sets the time
    itself, and is waited for where the upload before came in the same second.
    Raises UnusableUploadError when there is no file, one of another kind (a workbook, a picture), a Parquet file
    without the columns, or one that is more than `max_upload_mb` as text; text that is larger is left to the run, which
    puts it on record.
    """
    if not path.is_file():
        what = (
            "is a folder, not a file"
            if path.is_dir()
            else "is a device or a pipe, not a file"
            if path.exists()
            else "does not exist"
        )
        raise UnusableUploadError(f"{path} {what}.")
    own_key = lake.key_of(path)
    if own_key is not None and own_key.startswith(f"{RAW}/"):
        return identify(lake, lake.describe(own_key))
    with lake.work_folder() as folder:
        copy = folder / "upload"
        if _begins_with(path, _PARQUET_MAGIC):
            _write_csv_apart(path, copy, max_bytes=round(max_upload_mb * 1_000_000))
            name = _csv_name(path.stem, packed=True)
        else:
            refuse_foreign(_beginning(path, _LOOKED_AT), path.name)
            shutil.copyfile(path, copy)
            name = _csv_name(path.name, packed=_begins_with(path, _GZIP_MAGIC))
        key = raw_key(site, name)
        there = uploads_of_site(lake, site)
        for stored in there:
            if stored.key == key and lake.holds(stored, copy):
                return identify(lake, stored)
        modified = min(datetime.fromtimestamp(path.stat().st_mtime, UTC), now).replace(microsecond=0)
        if there:
            modified = max(modified, upload_time(there[-1]) + timedelta(seconds=1))
        digest = digest_meanwhile(copy)
        put = lake.put(key, copy, modified=modified)
    if put is None:
        return identify(lake, lake.describe(key))
    return replace(identify(lake, put), digest=digest, digest_begun=True)


def _csv_name(name: str, *, packed: bool) -> str:
    """Return the name with the suffix that its content asks for: data.tsv becomes data.csv, or data.csv.gz if packed.

    The name decides how the tables over `raw/` are read, so that a wrong one would show as garbage there.
    """
    stem = re.sub(r"\.gz$", "", name, flags=re.IGNORECASE)
    stem = re.sub(r"\.(csv|txt|tsv|dat|tab)$", "", stem, flags=re.IGNORECASE).lstrip("._")
    return (stem or "upload") + (".csv.gz" if packed else ".csv")


def _begins_with(path: Path, magic: bytes) -> bool:
    return _beginning(path, len(magic)) == magic


def _beginning(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _write_csv_apart(source: Path, target: Path, *, max_bytes: int) -> None:
    """Do it in a process of its own: what a file makes the engine do, ends there."""
    seconds = _SECONDS + source.stat().st_size / _BYTES_A_SECOND
    try:
        apart(_write_csv, source, target, max_bytes, memory_mb=2 * _MEMORY_MB, seconds=seconds)
    except OutOfMemoryError as error:
        raise _too_much_memory(source) from error
    except OutOfTimeError as error:
        raise UnusableUploadError(
            f"{source.name} took more than {seconds:,.0f} s to read and was given up: write it as CSV."
        ) from error
    except BrokenOffError as error:
        raise UnusableUploadError(
            f"{source.name} begins as a Parquet file but reading it failed: it is damaged, or needs more memory than "
            f"{2 * _MEMORY_MB:,} MB. Write it anew, or as CSV."
        ) from error


def _too_much_memory(source: Path) -> UnusableUploadError:
    return UnusableUploadError(
        f"{source.name} cannot be read with {_MEMORY_MB} MB of memory: write it in smaller row groups, or as CSV."
    )


def _write_csv(source: Path, target: Path, max_bytes: int) -> None:
    """Turn a Parquet file into gzipped CSV with the contract's columns."""
    relation = f"read_parquet({file_literal(source)}, hive_partitioning = false)"
    with connect(memory_limit_mb=_MEMORY_MB, threads=None, spill_folder=target.parent / "spill") as engine:
        try:
            engine.execute("SET TimeZone = 'UTC'")
            columns: Sequence[str] = [row[0] for row in engine.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()]
            positions = column_positions(tuple(columns), f"{source.name} (Parquet)")
            selected = ", ".join(
                f'CAST("{columns[positions[name]].replace(chr(34), chr(34) * 2)}" AS VARCHAR) AS {name}'
                for name in RAW_ENERGY_DATA.column_names
            )
            rows = f"(SELECT {selected} FROM {relation})"
            if _is_larger(engine, source, rows, max_bytes):
                raise too_large(source.name, max_bytes)
            engine.execute(
                f"COPY (SELECT * FROM {rows}) TO {literal(str(target))} (FORMAT csv, HEADER, COMPRESSION gzip)"
            )
        except duckdb.OutOfMemoryException as error:
            raise _too_much_memory(source) from error
        except duckdb.Error as error:
            raise UnusableUploadError(
                f"{source.name} begins as a Parquet file but cannot be read: "
                f"{str(error).splitlines()[0].replace(str(source), source.name)}"
            ) from error


def _is_larger(engine: duckdb.DuckDBPyConnection, source: Path, rows: str, max_bytes: int) -> bool:
    """Tell whether a Parquet file is larger as text. A few bytes of it may stand for billions of rows, or long ones."""
    stated = engine.execute(f"SELECT num_rows FROM parquet_file_metadata({file_literal(source)})").fetchall()[0][0]
    if stated * _FEWEST_BYTES_OF_A_ROW > max_bytes:
        return True
    of_row = " + ".join(f"coalesce(strlen({name}), 0) + 1" for name in RAW_ENERGY_DATA.column_names)
    size = engine.execute(f"SELECT coalesce(sum({of_row}), 0) FROM {rows}").fetchall()[0][0]
    return bool(size > max_bytes)
