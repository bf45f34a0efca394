"""What a case tells: a table of what programs took, and claims with a verdict each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.speed.measurement import Usage


@dataclass(frozen=True, slots=True)
class Claim:
    """A target and what was measured against it."""

    what: str
    measured: str
    target: str
    met: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a header; all columns but the first are numbers."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a case has measured. `figures` are the unrounded numbers of the tables."""

    claims: tuple[Claim, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)


def programs_table(title: str, usages: Mapping[str, Usage], *, yardstick: str) -> Table:
    """Tell what each program took, and how many times as much time as the yardstick."""
    of = usages[yardstick]
    rows = tuple(
        (
            name,
            seconds(usage.wall_seconds),
            seconds(usage.cpu_seconds),
            megabytes(usage.peak_mb),
            times(usage.wall_seconds / of.wall_seconds),
            times(usage.cpu_seconds / of.cpu_seconds),
        )
        for name, usage in usages.items()
    )
    return Table(title, ("program", "wall", "processor", "peak memory", "wall, ratio", "processor, ratio"), rows)


def at_most(what: str, ours: Usage, rival: Usage, *, most: float, both: bool = False) -> Claim:
    """Claim that ours takes at most so many times the rival's wall time; the processor time is told beside it.

    With `both` the processor time must be within the target too: of what is to cost no more, not to be quick.
    """
    wall, cpu = ours.wall_seconds / rival.wall_seconds, ours.cpu_seconds / rival.cpu_seconds
    target = f"at most {most:.2f} x" + (", both" if both else "")
    return Claim(what, f"{times(wall)} (processor {times(cpu)})", target, max(wall, cpu if both else 0.0) <= most)


def seconds(value: float) -> str:
    return f"{value:.2f} s"


def megabytes(value: float) -> str:
    return f"{value:,.0f} MB"


def times(value: float) -> str:
    return f"{value:.2f} x"
