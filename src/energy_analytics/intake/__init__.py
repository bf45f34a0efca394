"""From an upload to accepted readings and rejected rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb

from ..engine import literal, parquet
from .dialect import Dialect, column_positions, sniff
from .limits import MOST_APPLIANCES
from .strict import read_strict
from .text import PlainText, estimated_rows, refuse_foreign, settle, too_large, unpack, unpacking
from .tolerant import (
    AMBIGUOUS_DATE,
    AMBIGUOUS_NUMBER,
    NAIVE_AMONG_OFFSETS,
    NEGATIVE,
    UNREADABLE_NUMBER,
    UNREADABLE_TIMESTAMP,
    WRONG_FIELDS,
    DateOrder,
    Decimal,
    read_tolerant,
)
from .verdict import Taken, UnusableUploadError, Verdict

__all__ = [
    "REMEDIES",
    "Taken",
    "UnusableUploadError",
    "Verdict",
    "column_positions",
    "estimated_rows",
    "read_upload",
    "refuse_foreign",
    "too_large",
    "understood",
    "unpacking",
]

REMEDIES: Final = {
    AMBIGUOUS_DATE: 'Set date_order = "DMY" (day first) or "MDY" in energy.toml, or ENERGY_DATE_ORDER.',
    AMBIGUOUS_NUMBER: 'Set decimal = "," or "." in energy.toml, or ENERGY_DECIMAL.',
    NAIVE_AMONG_OFFSETS: 'Set timezone = "Europe/Paris" (or yours) in energy.toml, or ENERGY_TIMEZONE.',
    NEGATIVE: (
        "If negative kWh are energy fed in, write them as positive ones of an appliance of its own, and name that in "
        "export_appliances in energy.toml."
    ),
}
"""What to set so that rows refused for that reason are read."""

_HOW_WRITTEN: Final = {
    UNREADABLE_TIMESTAMP: (
        "A timestamp is a date, with all four digits of the year, and a time, such as 2026-02-20 00:00:00; seconds "
        "since 1970 are not read."
    ),
    UNREADABLE_NUMBER: "kwh is a number alone, without unit, space or apostrophe, such as 0.156 or 0,156.",
    WRONG_FIELDS: (
        "Each row has as many fields as the header; between commas, a number with a decimal comma stands in quotes."
    ),
}
"""What fields look like that are read; told where not a single row can be."""


def read_upload(
    engine: duckdb.DuckDBPyConnection,
    source: Path,
    target: Path,
    *,
    name: str,
    marks: Mapping[str, str],
    timezone: str | None,
    date_order: DateOrder | None,
    decimal: Decimal | None,
    max_reading_kwh: float,
    max_upload_mb: float,
) -> Taken:
    """Write the readings of the upload `source` to the Parquet file `target` (the table `readings`).

    The column `utc_offset_minutes` is left out where no reading has an offset: it would cost as much to write
    as a timestamp.
    `name` is what messages call the file; the folder of `target` is used for temporary files, and
    `marks` are kept in the file's metadata beside the verdict. Rows that cannot be used are left in the engine's table
    `rejected`, which does not exist when there are none. Raises UnusableUploadError when no row is usable.
    """
    engine.execute("DROP TABLE IF EXISTS rejected")
    text, dialect = understood(source, name, target.parent, max_upload_mb=max_upload_mb)

    if decimal is None and dialect.doubtful_numbers is not None:
        pointed, whole = dialect.doubtful_numbers
        raise UnusableUploadError(
            f"{name} has numbers such as {pointed} beside {whole}: {AMBIGUOUS_NUMBER}. {REMEDIES[AMBIGUOUS_NUMBER]}"
        )

    def copy_options(verdict: Verdict) -> str:
        noted = {**marks, "verdict": verdict.to_json()}
        metadata = ", ".join(f"{name}: {literal(text)}" for name, text in noted.items())
        return f"FORMAT parquet, KV_METADATA {{{metadata}}}"

    if decimal != ",":
        taken = read_strict(
            engine,
            text,
            dialect,
            target,
            copy_options=copy_options,
            timezone=timezone,
            max_reading_kwh=max_reading_kwh,
        )
        if taken is not None:
            return taken
    text = settle(text, name, target.parent)
    verdict = read_tolerant(
        engine,
        text,
        sniff(text.head(), name),
        target,
        copy_options=copy_options,
        timezone=timezone,
        date_order=date_order,
        decimal=decimal,
        max_reading_kwh=max_reading_kwh,
    )
    if verdict.rows_accepted == 0:
        raise UnusableUploadError(_nothing_usable(engine, verdict, name, dialect))
    if verdict.rows_accepted > MOST_APPLIANCES:
        _refuse_too_many_appliances(engine, target, name)
    return Taken(verdict)


def _refuse_too_many_appliances(engine: duckdb.DuckDBPyConnection, readings: Path, name: str) -> None:
    query = f"SELECT count(DISTINCT appliance) FROM {parquet([readings])}"
    appliances = engine.execute(query).fetchall()[0][0]
    if appliances > MOST_APPLIANCES:
        raise UnusableUploadError(
            f"{name} names {appliances:,} appliances, and at most {MOST_APPLIANCES:,} are read. Is the column "
            "appliance one of names? Meters of many places are uploaded as sites, a file each: "
            "energy run FILE --site NAME."
        )


def understood(source: Path, name: str, folder: Path, *, max_upload_mb: float) -> tuple[PlainText, Dialect]:
    """Return an upload as plain text, unpacked into `folder` if need be, and how its rows are written.

    Raises UnusableUploadError, also for one that is larger than `max_upload_mb` when it is unpacked.
    """
    text = unpack(source, name, folder, max_bytes=round(max_upload_mb * 1_000_000))
    return text, sniff(text.head(), name)


def _nothing_usable(engine: duckdb.DuckDBPyConnection, verdict: Verdict, name: str, dialect: Dialect) -> str:
    if verdict.rows_read == 0:
        return f"{name} has a header in line {dialect.header_line} but no rows below it."
    reasons = ", ".join(f"{reason} ({count:,})" for reason, count in verdict.rejected_by_reason.items())
    line, raw = engine.execute("SELECT line_number, raw_text FROM rejected ORDER BY 1 LIMIT 1").fetchall()[0]
    shown = " ".join(str(raw).split())
    shown = shown if len(shown) <= 80 else shown[:79] + "…"
    remedy = next(
        (text for reason, text in (REMEDIES | _HOW_WRITTEN).items() if reason in verdict.rejected_by_reason),
        "Expected are rows such as 2026-02-20 00:00:00,Refrigerator,0.156.",
    )
    rows = (
        f"The only row of {name} cannot be used"
        if verdict.rows_read == 1
        else f"None of the {verdict.rows_read:,} rows of {name} can be used"
    )
    return f"{rows}: {reasons}; first line {line}: {shown}. {remedy}"
