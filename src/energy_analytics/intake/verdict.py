"""What intake says of an upload: how many rows it took, which it refused, and why."""

from collections.abc import Mapping
from dataclasses import dataclass


class UnusableUploadError(Exception):
    """An upload has no usable row. The message is a sentence: what arrived, where, what is expected."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The account of one upload. `rows_read` = `rows_accepted` + the sum of `rejected_by_reason`."""

    rows_read: int
    rows_accepted: int
    rejected_by_reason: Mapping[str, int]
    encoding: str
    delimiter: str
    has_offsets: bool
    """Whether timestamps came with an offset from UTC."""
