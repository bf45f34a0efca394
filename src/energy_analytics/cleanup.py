"""Taking everything of ours out of a lake, and nothing else."""

from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Final

from .dismissals import is_dismissal
from .lake import Lake, StoredObject
from .schema import ANOMALIES, ATHENA_RESULTS, CURATED, FORECAST, PREFIXES, PROCESSED, RAW, REJECTED, REPORTS, RUNS
from .uploads import is_upload

_OURS: Final = {
    PROCESSED: "aggregated_*.csv",
    FORECAST: "forecast_*.csv",
    ANOMALIES: "anomalies_*.csv",
    REPORTS: "final_report_*",
    ATHENA_RESULTS: "*",
    CURATED: "*.parquet",
    REJECTED: "rejected_*.csv",
    RUNS: "run_*.json",
}
"""A lake may lie in a folder where a person keeps a `reports/` of their own."""


def contents(lake: Lake, *, keep_raw: bool) -> list[StoredObject]:
    """Return uploads and results; other files in the lake's folder are not ours.

    With the uploads stays what the user dismissed, so that the same results can be made again.
    """
    return [
        stored
        for prefix in PREFIXES
        for stored in lake.list(prefix)
        if (not keep_raw if _is_given(stored.key) else fnmatch(PurePosixPath(stored.key).name, _OURS.get(prefix, "")))
    ]


def _is_given(key: str) -> bool:
    """Tell whether the user gave it, and no run made it."""
    return is_dismissal(key) or (key.startswith(f"{RAW}/") and is_upload(key))


def remove(lake: Lake, found: list[StoredObject]) -> None:
    """Remove these objects and the folders that are empty without them, the records of runs last.

    A removal that is interrupted can be taken up again: results without a run count for nothing.
    """
    records = [stored.key for stored in found if stored.key.startswith(f"{RUNS}/")]
    lake.delete(*(stored.key for stored in found if not stored.key.startswith(f"{RUNS}/")))
    lake.delete(*records)
    lake.prune(*PREFIXES)
