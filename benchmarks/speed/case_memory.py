"""Memory is what the setting says, whatever the size of the file."""

from collections.abc import Sequence
from typing import Final

from benchmarks.speed.bench import BY_MINUTE, Bench
from benchmarks.speed.figures import Claim, Findings, Table, megabytes, seconds
from benchmarks.speed.measurement import Usage
from benchmarks.speed.totals import check_readings, totals_of_lake

OUTSIDE_MB: Final = 256
"""What a process may have beside the engine's limit: Python and libraries 120 MB, results, the engine's own code."""
LARGER_FILE_MB: Final = 64
"""By how much the peak may differ between a file and one ten times as large: more days, more anomalies."""


def memory_case(bench: Bench, *, rows: int, limits_mb: Sequence[int]) -> Findings:
    """Measure a file and one ten times as large, under each limit."""
    taken: dict[tuple[int, int], Usage] = {}
    for size in (rows, 10 * rows):
        file = bench.rows_file(BY_MINUTE, size)
        for limit_mb in limits_mb:
            with bench.scratch() as folder:
                limit = {"ENERGY_MEMORY_LIMIT_MB": str(limit_mb)}
                taken[size, limit_mb] = bench.run(file, folder / "lake", **limit)
                check_readings(totals_of_lake(folder / "lake"), rows=size)
    claims = []
    for limit_mb in limits_mb:
        small_mb, large_mb = taken[rows, limit_mb].peak_mb, taken[10 * rows, limit_mb].peak_mb
        what = f"memory_limit_mb = {limit_mb}, {10 * rows:,} rows: peak"
        within = large_mb <= limit_mb + OUTSIDE_MB
        claims.append(Claim(what, megabytes(large_mb), f"limit + {OUTSIDE_MB} MB", within))
        what = f"memory_limit_mb = {limit_mb}, {10 * rows:,} rows: more than with {rows:,}"
        grown = large_mb - small_mb
        claims.append(Claim(what, megabytes(grown), f"at most {LARGER_FILE_MB} MB", grown <= LARGER_FILE_MB))
    cells = tuple(
        (
            f"{limit_mb} MB",
            f"{size:,}",
            megabytes(usage.peak_mb),
            seconds(usage.wall_seconds),
            seconds(usage.cpu_seconds),
        )
        for (size, limit_mb), usage in taken.items()
    )
    title = f"Peak memory of a run by its limit, {BY_MINUTE.name}"
    table = Table(title, ("memory_limit_mb", "rows", "peak memory", "wall", "processor"), cells)
    return Findings(tuple(claims), (table,), {f"{size} rows, {mb} MB": usage for (size, mb), usage in taken.items()})
