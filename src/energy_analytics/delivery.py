"""Putting a person's file into the lake as an upload."""

import re
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb

from .engine import file_literal, literal
from .intake import UnusableUploadError, column_positions
from .lake import Lake
from .schema import RAW, RAW_ENERGY_DATA
from .uploads import Upload, identify, raw_key, upload_time, uploads_of_site

_PARQUET_MAGIC: Final = b"PAR1"
_GZIP_MAGIC: Final = b"\x1f\x8b"


def deliver(lake: Lake, path: Path, *, site: str, now: datetime) -> Upload:
    """Put the file under `raw/` as an upload; a file that is there already stays the upload it was.

    In a folder the upload's time is the file's own, so that the same file makes the same stamp in any lake, but
    never before an upload that was there first: what comes later corrects what came earlier. A bucket sets the time
    itself, and is waited for where the upload before came in the same second.
    Raises UnusableUploadError when there is no file, or a Parquet file without the columns.
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
            _write_csv(path, copy)
            name = _csv_name(path.stem, packed=True)
        else:
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
        lake.put(key, copy, modified=modified)
    return identify(lake, lake.describe(key))


def _csv_name(name: str, *, packed: bool) -> str:
    """Return the name with the suffix that its content asks for: data.tsv becomes data.csv, or data.csv.gz if packed.

    The name decides how the tables over `raw/` are read, so that a wrong one would show as garbage there.
    """
    stem = re.sub(r"\.gz$", "", name, flags=re.IGNORECASE)
    stem = re.sub(r"\.(csv|txt|tsv|dat|tab)$", "", stem, flags=re.IGNORECASE).lstrip("._")
    return (stem or "upload") + (".csv.gz" if packed else ".csv")


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _write_csv(source: Path, target: Path) -> None:
    """Turn a Parquet file into gzipped CSV with the contract's columns."""
    relation = f"read_parquet({file_literal(source)}, hive_partitioning = false)"
    with duckdb.connect() as engine:
        try:
            engine.execute("SET TimeZone = 'UTC'")
            columns: Sequence[str] = [row[0] for row in engine.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()]
            positions = column_positions(tuple(columns), f"{source.name} (Parquet)")
            selected = ", ".join(
                f'CAST("{columns[positions[name]].replace(chr(34), chr(34) * 2)}" AS VARCHAR) AS {name}'
                for name in RAW_ENERGY_DATA.column_names
            )
            engine.execute(
                f"COPY (SELECT {selected} FROM {relation}) TO {literal(str(target))} "
                "(FORMAT csv, HEADER, COMPRESSION gzip)"
            )
        except duckdb.Error as error:
            raise UnusableUploadError(
                f"{source.name} begins as a Parquet file but cannot be read: {str(error).splitlines()[0]}"
            ) from error
