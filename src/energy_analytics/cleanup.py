"""Taking everything of ours out of a lake, and nothing else."""

from .lake import LocalLake, StoredObject
from .schema import PREFIXES, RAW


def contents(lake: LocalLake, *, keep_raw: bool) -> list[StoredObject]:
    """Return the objects under the prefixes of a lake; other files in its folder are not ours."""
    return [stored for prefix in PREFIXES if not (keep_raw and prefix == RAW) for stored in lake.list(prefix)]


def remove(lake: LocalLake, found: list[StoredObject]) -> None:
    """Remove these objects and the folders that are empty without them, the records of runs last.

    A removal that is interrupted can be taken up again: results without a run count for nothing.
    """
    for stored in found:
        lake.delete(stored.key)
    lake.prune()
