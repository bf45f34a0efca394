"""The history of a site: taking its uploads in, and all their readings together."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from .engine import literal
from .hours import Hours
from .intake import Taken, UnusableUploadError, read_upload
from .lake import GoneError, Lake
from .merging import Merged, merge_files
from .readings import Readings, readings_folder, readings_of_site
from .runs import begin, record_of
from .schema import REJECTED, REJECTED_ROWS
from .settings import Settings
from .uploads import Upload, identify, readings_key, site_of
from .words import csv_cell_sql

_READINGS_FILE: Final = "readings.parquet"
_FORMAT: Final = 2
"""Raised when intake reads the same bytes differently, so that readings are taken in anew."""


@dataclass(frozen=True, slots=True)
class SiteHistory:
    """All readings of a site up to an upload."""

    merged: Merged
    rows_accepted: int
    rejected_by_reason: Mapping[str, int]
    replaced_by_later_upload: int
    has_offsets: bool
    """Whether any reading was given with an offset from UTC."""
    lacks_offsets: bool
    """Whether an upload was given without any."""
    encodings: frozenset[str]
    hours: Hours | None = None
    """Of the readings, where intake has added them up already."""

    @property
    def uploads(self) -> tuple[Readings, ...]:
        """The uploads, the earliest first."""
        return self.merged.uploads

    @property
    def readings(self) -> str:
        """SQL for the relation of all readings."""
        return self.merged.relation


def take_in(
    engine: duckdb.DuckDBPyConnection, lake: Lake, upload: Upload, path: Path, settings: Settings
) -> Hours | None:
    """Turn an upload, whose content is in `path`, into its file of readings and its file of rejected rows.

    Returns its hours, in the engine until the next upload is taken in, where intake has added them up.
    Raises UnusableUploadError when no row is usable; readings of an earlier upload under this key then stay.
    """
    with lake.work_folder() as folder:
        try:
            taken = _read(engine, upload, path, settings, folder)
        except UnusableUploadError as error:
            _put_rejected(engine, lake, upload, folder)
            there = lake.list(readings_folder(upload.site), below=False)
            if any(stored.key == readings_key(upload.key) for stored in there):
                raise UnusableUploadError(f"{error} The readings of the upload before it still count.") from error
            raise
        _put_rejected(engine, lake, upload, folder)
        lake.put(readings_key(upload.key), folder / _READINGS_FILE)
    return taken.hours


def _take_in_anew(engine: duckdb.DuckDBPyConnection, lake: Lake, own: Readings, settings: Settings) -> None:
    """Read an upload again with other settings; where they do not fit it, what was read before stays.

    So it does where the version that gave the readings is not there any more.
    """
    with lake.work_folder() as folder, suppress(UnusableUploadError, GoneError):
        stored = lake.describe(own.key)
        if not own.are_of(stored):
            return
        upload = identify(lake, stored)
        _read(engine, upload, lake.fetch_all([stored])[0], settings, folder)
        if not _put_rejected(engine, lake, upload, folder):
            lake.delete(upload.result_key(REJECTED, "rejected.csv"))
        lake.put(readings_key(own.key), folder / _READINGS_FILE)


def _read(engine: duckdb.DuckDBPyConnection, upload: Upload, path: Path, settings: Settings, folder: Path) -> Taken:
    return read_upload(
        engine,
        path,
        folder / _READINGS_FILE,
        name=upload.name,
        marks={"fingerprint": fingerprint(settings), "upload": json.dumps(_version(upload))},
        timezone=settings.timezone,
        date_order=settings.date_order,
        decimal=settings.decimal,
        max_reading_kwh=settings.max_reading_kwh,
        max_upload_mb=settings.max_upload_mb,
    )


def _put_rejected(engine: duckdb.DuckDBPyConnection, lake: Lake, upload: Upload, folder: Path) -> bool:
    """Write the rows that intake left in the table `rejected`, and tell whether there are any."""
    if not engine.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'rejected'").fetchone() or not (
        engine.execute("SELECT 1 FROM rejected LIMIT 1").fetchone()
    ):
        return False
    if record_of(lake, upload) is None:
        begin(lake, upload)
    rejected = folder / "rejected.csv"
    columns = ", ".join(
        f"{csv_cell_sql(column.name)} AS {column.name}" if column.type == "VARCHAR" else column.name
        for column in REJECTED_ROWS.columns
    )
    engine.execute(f"COPY (SELECT {columns} FROM rejected) TO {literal(str(rejected))} (FORMAT csv, HEADER)")
    lake.put(upload.result_key(REJECTED, "rejected.csv"), rejected)
    return True


def _version(of: Readings | Upload) -> dict[str, str | int]:
    """Return what tells a version of a raw key from others."""
    told: dict[str, str | int] = {"uploaded_at": of.uploaded_at.isoformat(), "size_bytes": of.size_bytes}
    return told | ({"content_tag": of.content_tag} if of.content_tag else {})


def merge(
    engine: duckdb.DuckDBPyConnection, lake: Lake, uploads: Sequence[Readings], settings: Settings
) -> SiteHistory:
    """Merge readings of one site, taking in anew any that were read with other settings."""
    keys = {one.key for one in uploads}
    site = site_of(uploads[0].key)
    outdated = read_with_other_settings(uploads, settings)
    for one in outdated:
        _take_in_anew(engine, lake, one, settings)
    changed = bool(outdated)
    while True:
        if changed:
            uploads = [one for one in readings_of_site(engine, lake, site) if one.key in keys]
        try:
            merged = merge_files(engine, lake, uploads)
            break
        except GoneError:  # One was replaced meanwhile; where its upload has gone too, it is missing now.
            changed = True
    accepted = sum(one.verdict.rows_accepted for one in uploads)
    kept = engine.execute(f"SELECT count(*) FROM {merged.relation}").fetchall()[0][0]
    rejected: Counter[str] = Counter()
    for one in uploads:
        rejected.update(one.verdict.rejected_by_reason)
    return SiteHistory(
        merged=merged,
        rows_accepted=accepted,
        rejected_by_reason=dict(sorted(rejected.items(), key=lambda item: (-item[1], item[0]))),
        replaced_by_later_upload=accepted - kept,
        has_offsets=any(one.verdict.has_offsets for one in uploads),
        lacks_offsets=not all(one.verdict.has_offsets for one in uploads),
        encodings=frozenset(one.verdict.encoding for one in uploads),
    )


def read_with_other_settings(uploads: Iterable[Readings], settings: Settings) -> list[Readings]:
    """Return those that intake would read otherwise under these settings."""
    return [one for one in uploads if one.fingerprint != fingerprint(settings)]


def fingerprint(settings: Settings) -> str:
    """Return what tells the settings that readings are taken in with."""
    names = ("timezone", "date_order", "decimal", "max_reading_kwh")
    return json.dumps({"format": _FORMAT} | {name: getattr(settings, name) for name in names}, sort_keys=True)
