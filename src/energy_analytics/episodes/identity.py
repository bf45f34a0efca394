"""The same episode in the next upload: it keeps its id, grows, closes, or is withdrawn."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

import pandas as pd

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


def carry_over(
    previous: pd.DataFrame, current: pd.DataFrame, *, readings_end: datetime
) -> pd.DataFrame:
    """Return `current` with the ids that its episodes had before, and the earlier ones that are gone.

    Both are results of `detect_episodes` or of this function; `readings_end` is the end of the last interval.
    An episode is the same as an earlier one of that appliance when they overlap and both are about more use,
    about less, or about another shape; of several, the one with the longest overlap. The result has a further
    column `status`: `open` (it reaches the last day of readings), `closed`, or `withdrawn` (reported before,
    explained by what has arrived since; the row is kept as it was, so that nothing that was said disappears).
    """
    known: dict[str, list[dict[str, object]]] = {}
    for row in previous.to_dict("records"):
        known.setdefault(str(row["appliance"]), []).append({str(k): v for k, v in row.items()})
    rows: list[dict[str, object]] = []
    taken: set[str] = set()
    for found in current.sort_values(["start", "end"]).to_dict("records"):
        row = {str(k): v for k, v in found.items()}
        earlier = [
            (_overlap(old, row), str(old["id"]))
            for old in known.get(str(row["appliance"]), [])
            if old["id"] not in taken and _theme(old) == _theme(row)
        ]
        overlap, old_id = max(earlier, default=(timedelta(0), ""))
        if overlap > timedelta(0):
            row["id"] = old_id
        taken.add(str(row["id"]))
        row["status"] = OPEN if row["end"] > readings_end - SETTLED_AFTER else CLOSED  # type: ignore[operator]
        rows.append(row)
    rows.extend(
        {**old, "status": WITHDRAWN} for olds in known.values() for old in olds if old["id"] not in taken
    )
    columns = [*current.columns.drop("status", errors="ignore"), "status"]
    result = pd.DataFrame(rows, columns=columns)
    return result.sort_values(["start", "appliance", "id"], ignore_index=True)


def _theme(row: dict[str, object]) -> int:
    return 1 if row["kind"] in MORE_USE else -1 if row["kind"] in LESS_USE else 0


def _overlap(one: dict[str, object], other: dict[str, object]) -> timedelta:
    end = min(pd.Timestamp(one["end"]), pd.Timestamp(other["end"]))  # type: ignore[arg-type]
    start = max(pd.Timestamp(one["start"]), pd.Timestamp(other["start"]))  # type: ignore[arg-type]
    return (end - start).to_pytimedelta()
