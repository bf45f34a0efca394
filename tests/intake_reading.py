"""Reading small uploads the way a run does."""

from dataclasses import dataclass
from pathlib import Path

from energy_analytics.engine import connect
from energy_analytics.intake import Verdict, read_upload
from energy_analytics.merging import readings_of

HEADER = "timestamp,appliance,kwh\n"


@dataclass(frozen=True)
class Read:
    verdict: Verdict
    accepted: list[tuple[str, str, float]]
    """(local time, appliance, kWh) sorted."""
    offsets: list[int | None]
    rejected: list[tuple[int, str, str]]
    """(line, raw text, reason)."""

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(line, reason) for line, _, reason in self.rejected]


def read(
    folder: Path,
    content: str | bytes,
    *,
    name: str = "upload.csv",
    timezone: str | None = None,
    date_order: str | None = None,
    decimal: str | None = None,
    max_upload_mb: float = 1000,
) -> Read:
    """Read an upload and check that no row was lost or invented on the way."""
    (folder / "in").mkdir(parents=True, exist_ok=True)
    (folder / "work").mkdir(exist_ok=True)
    source, target = folder / "in" / name, folder / "work" / "readings.parquet"
    source.write_bytes(content.encode() if isinstance(content, str) else content)
    with connect(memory_limit_mb=384, threads=2, spill_folder=folder / "spill") as engine:
        verdict = read_upload(
            engine,
            source,
            target,
            name=name,
            marks={"fingerprint": "test"},
            timezone=timezone,
            date_order=date_order,  # type: ignore[arg-type]
            decimal=decimal,  # type: ignore[arg-type]
            max_reading_kwh=1e9,
            max_upload_mb=max_upload_mb,
        ).verdict
        rows = engine.execute(
            f"SELECT timestamp, appliance, kwh, utc_offset_minutes FROM {readings_of(engine, [target])} ORDER BY ALL"
        ).fetchall()
        rejected = []
        if engine.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'rejected'").fetchone():
            rejected = engine.execute("SELECT line_number, raw_text, reason FROM rejected ORDER BY 1").fetchall()
    assert verdict.rows_accepted == len(rows)
    assert sum(verdict.rejected_by_reason.values()) == len(rejected)
    return Read(verdict, [(str(time), name, kwh) for time, name, kwh, _ in rows], [row[3] for row in rows], rejected)
