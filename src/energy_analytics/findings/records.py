"""Findings as the record of a run keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from energy_analytics.results import Finding

_DERIVED: Final = frozenset({"id", "saving"})
"""Told in the record for those who read it, and worked out anew by those who read it back."""


def as_rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain data, with their ids and savings."""
    return [
        {
            "id": one.id,
            **asdict(one),
            "period": one.period and [day.isoformat() for day in one.period],
            "saving": one.saving and asdict(one.saving),
        }
        for one in findings
    ]


def from_row(row: Mapping[str, Any]) -> Finding:
    """Read one of what `as_rows` gave."""
    own = {name: value for name, value in row.items() if name not in _DERIVED}
    first_last = own["period"] and tuple(map(date.fromisoformat, own["period"]))
    return Finding(**(own | {"period": first_last}))
