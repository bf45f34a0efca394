"""What intake says of an upload: how many rows it took, which it refused, and why."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ..hours import Hours


class UnusableUploadError(Exception):
    """An upload has no usable row. The message is a sentence: what arrived, where, what is expected."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The account of one upload."""

    rows_accepted: int
    rejected_by_reason: Mapping[str, int]
    encoding: str
    delimiter: str
    has_offsets: bool
    """Whether timestamps came with an offset from UTC."""

    @property
    def rows_read(self) -> int:
        """All rows below the header that are not blank: accepted or rejected, nothing else."""
        return self.rows_accepted + sum(self.rejected_by_reason.values())

    def to_json(self) -> str:
        """Write what is kept in the metadata of the readings; their number is theirs to tell."""
        return json.dumps(
            {
                "rejected_by_reason": dict(self.rejected_by_reason),
                "encoding": self.encoding,
                "delimiter": self.delimiter,
                "has_offsets": self.has_offsets,
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str, *, rows_accepted: int) -> Self:
        """Read what `to_json` wrote."""
        return cls(rows_accepted=rows_accepted, **json.loads(text))


@dataclass(frozen=True, slots=True)
class Taken:
    """What reading an upload gave."""

    verdict: Verdict
    hours: Hours | None = None
    """Of its readings, where they have been added up on the way; a table in the engine."""
