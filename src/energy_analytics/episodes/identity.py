"""The same episode in the next upload: it keeps its id, grows, closes, or is withdrawn."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

Row = dict[str, Any]

OPEN: Final = "open"
CLOSED: Final = "closed"
WITHDRAWN: Final = "withdrawn"

SETTLED_AFTER: Final = timedelta(days=1)
"""An episode that ends this long before the last reading has ended."""

MORE_USE: Final = frozenset({"spike", "unusually high", "stuck on", "on at unusual hours"})
LESS_USE: Final = frozenset({"unusually low", "dead"})


def episode_id(appliance: str, kind: str, start: datetime) -> str:
    """Return 12 hexadecimal digits that name an episode by where it begins."""
    text = f"{appliance}\n{kind}\n{start.isoformat()}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def carry_rows(previous: Sequence[Row], current: Sequence[Row], *, readings_end: datetime) -> list[Row]:
    """Return the episodes of `current` with the ids that they had before, and the earlier ones that are gone.

    Rows have the fields of an episode, `readings_end` is the end of the last interval. An episode is the same
    as an earlier one of that appliance when they share half of the shorter one and are not opposites (more
    use, less use); when several have grown into one, it keeps the id of the first. The rows returned have a
    further field `status`: `open` (it reaches the last day of readings), `closed`, or `withdrawn` (reported
    before, no longer unusual beside what has arrived since; the row stays as it was, so that nothing that was
    said disappears without a word).
    """
    known: dict[str, list[Row]] = {}
    for old in previous:
        known.setdefault(str(old["appliance"]), []).append(old)
    rows: list[Row] = []
    taken: set[str] = set()
    for found in sorted(current, key=lambda row: (row["start"], row["end"])):
        row = dict(found)
        same = [old for old in known.get(str(row["appliance"]), []) if _same(old, row)]
        ids = [str(old["id"]) for old in sorted(same, key=lambda old: old["start"]) if old["id"] not in taken]
        if ids:
            row["id"] = ids[0]
        elif row["id"] in taken:
            row["id"] = episode_id(str(row["appliance"]), f"{row['kind']} again", row["start"])
        taken.update(ids, [row["id"]])
        row["status"] = OPEN if row["end"] > readings_end - SETTLED_AFTER else CLOSED
        rows.append(row)
    for olds in known.values():
        rows.extend({**old, "status": WITHDRAWN} for old in olds if old["id"] not in taken)
    return sorted(rows, key=lambda row: (row["start"], row["appliance"], row["id"]))


def _theme(row: Row) -> int:
    return 1 if row["kind"] in MORE_USE else -1 if row["kind"] in LESS_USE else 0


def _same(one: Row, other: Row) -> bool:
    shared = min(one["end"], other["end"]) - max(one["start"], other["start"])
    shorter = min(one["end"] - one["start"], other["end"] - other["start"])
    return _theme(one) * _theme(other) >= 0 and bool(shared > timedelta(0)) and bool(2 * shared >= shorter)
