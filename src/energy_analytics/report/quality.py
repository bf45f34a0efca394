"""How complete and clean the readings were, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from energy_analytics import words
from energy_analytics.results import Gap, Quality

GAPS_SHOWN: Final = 5
INCOMPLETE_SHOWN: Final = 10
"""Runs of incomplete days that are listed by date; the rest is counted."""
NAMES_LISTED: Final = 4
REASONS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a two-column table."""

    name: str
    value: str


def quality_rows(quality: Quality) -> tuple[Row, ...]:
    """Count rows, gaps and incomplete days."""
    rejected = sum(quality.rejected_by_reason.values())
    reasons = sorted(quality.rejected_by_reason.items(), key=lambda item: (-item[1], item[0]))
    rows = [
        Row("Rows read", words.number(quality.rows_read, decimals=0)),
        Row("Rows used", words.number(quality.rows_accepted, decimals=0)),
        Row("Rows rejected", words.number(rejected, decimals=0)),
    ]
    rows += [
        Row(f"of these, {words.name(reason, limit=80)}", words.number(amount, decimals=0))
        for reason, amount in reasons[:REASONS_SHOWN]
    ]
    if len(reasons) > REASONS_SHOWN:
        rest = sum(amount for _, amount in reasons[REASONS_SHOWN:])
        rows.append(Row("of these, other reasons", words.number(rest, decimals=0)))
    if quality.replaced_by_later_upload:
        replaced = words.number(quality.replaced_by_later_upload, decimals=0)
        rows.append(Row("Replaced by a later upload", replaced))
    gaps = "none"
    if quality.gap_count:
        missing = words.count(quality.missing_intervals, "missing reading")
        gaps = f"{words.number(quality.gap_count, decimals=0)}, with {missing}"
    rows.append(Row("Gaps", gaps))
    rows.append(Row("Incomplete days", _incomplete(quality)))
    return tuple(rows)


def gap_rows(gaps: Sequence[Gap]) -> tuple[tuple[str, str, str, str], ...]:
    """Tell each stretch once, with all appliances that miss it: who, when, how many, of each of them."""
    together: dict[tuple[datetime, datetime, int], list[str]] = {}
    for gap in gaps:
        together.setdefault((gap.start, gap.end, gap.missing_intervals), []).append(gap.appliance)
    rows = []
    for (start, end, missing), appliances in list(together.items())[:GAPS_SHOWN]:
        many = len(appliances) > NAMES_LISTED
        each = " each" if len(appliances) > 1 else ""
        who = words.count(len(appliances), "appliance") if many else words.listing([*map(words.name, appliances)])
        rows.append((who, f"{words.moment(start)} to {words.moment(end)}", words.number(missing, decimals=0), each))
    return tuple(rows)


def _incomplete(quality: Quality) -> str:
    if not quality.incomplete_days:
        return "none"
    runs = words.day_runs(quality.incomplete_days)
    listed = "; ".join(runs[:INCOMPLETE_SHOWN])
    if len(runs) > INCOMPLETE_SHOWN:
        listed += f"; and {words.number(len(runs) - INCOMPLETE_SHOWN, decimals=0)} more"
    return f"{words.number(len(quality.incomplete_days), decimals=0)}: {listed}"
