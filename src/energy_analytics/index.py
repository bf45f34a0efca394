"""An index of a site: what its records and files of readings tell, so that a run need not open them all again.

A site that is uploaded to every day has thousands of both after some years. The index lies beside the records, and
may go at any time: each entry holds for one version of one object, and what it lacks is read from the object.
"""

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final, TypeVar

from .lake import Lake, StoredObject
from .schema import RUNS
from .uploads import in_site

Made = TypeVar("Made")

RECORDS: Final = "records"
READINGS: Final = "readings"

_NAME: Final = "index.json"
_FORMAT: Final = 2
_FEWEST: Final = 8
"""Objects from which an index is kept: fewer are read as quickly."""
_MOST_BYTES: Final = 100_000_000
"""Of an index, at some 2 KB an upload: a larger one is not ours, and would fill the memory."""


class SiteIndex:
    """What objects of a site tell, by kind, key and version."""

    def __init__(self, lake: Lake, site: str) -> None:
        self._lake = lake
        self._folder = in_site(RUNS, site, "")
        self._entries: dict[str, dict[str, Any]] = {RECORDS: {}, READINGS: {}}
        self._recalled = False
        self._changed = False
        self._made: dict[tuple[StoredObject, ...], Any] = {}

    def find(self, kind: str, stored: StoredObject) -> Any:
        """Return what an object tells; None where this version is not in the index."""
        entry = self._entries[kind].get(stored.key)
        return entry[1] if isinstance(entry, list) and len(entry) == 2 and entry[0] == stored.version else None

    def add(self, kind: str, stored: StoredObject, told: Any) -> None:
        """Note what an object tells, as JSON."""
        self._entries[kind][stored.key] = [stored.version, told]
        self._changed = True

    def once(self, of: tuple[StoredObject, ...], make: Callable[[], Made]) -> Made:
        """Return what is made of versions of objects; a site that is looked at again makes it no second time."""
        if of not in self._made:
            self._made[of] = make()
        made: Made = self._made[of]
        return made

    def limit_to(self, kind: str, present: Collection[StoredObject]) -> None:
        """Drop what is not there any more; recall the index first, where there is enough for one."""
        if not self._recalled and len(present) >= _FEWEST:
            self._recalled = True
            self._entries = self._recall()
        entries, keys = self._entries[kind], {stored.key for stored in present}
        for key in entries.keys() - keys:
            del entries[key]
            self._changed = True

    def keep(self) -> None:
        """Write it for the next run, where it is worth that."""
        if not self._changed or len(self._entries[READINGS]) < _FEWEST:
            return
        with self._lake.work_folder() as folder:
            path = folder / _NAME
            path.write_text(json.dumps({"format": _FORMAT, **self._entries}, separators=(",", ":")), encoding="utf-8")
            self._lake.remember(self._folder, _NAME, path)
        self._changed = False

    def _recall(self) -> dict[str, dict[str, Any]]:
        path = self._lake.recall(self._folder, _NAME)
        found = None if path is None else _json_of(path)
        if not isinstance(found, dict) or found.get("format") != _FORMAT:
            return {RECORDS: {}, READINGS: {}}
        return {kind: found[kind] if isinstance(found.get(kind), dict) else {} for kind in (RECORDS, READINGS)}


def _json_of(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes()) if path.stat().st_size <= _MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
