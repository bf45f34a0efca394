"""Where the time of a run goes, and its memory, stage by stage."""

import json
import statistics
import sys
from typing import Any

from benchmarks.speed.bench import HERE, THREADS, Bench, Shape
from benchmarks.speed.figures import Findings, Table, megabytes, seconds
from benchmarks.speed.measurement import RunFailedError, measure_output
from benchmarks.speed.totals import check_readings, totals_of_lake

COLUMNS = ("wall_seconds", "cpu_seconds", "peak_mb")


def stages_case(bench: Bench, *, shape: Shape, rows: int) -> Findings:
    """Measure the stages of a run of a generated file, medians of several runs."""
    file = bench.rows_file(shape, rows)
    runs: list[list[dict[str, Any]]] = []
    for _ in range(bench.size.runs):
        with bench.scratch() as folder:
            lake = folder / "lake"
            program = [sys.executable, str(HERE / "staged_run.py"), str(file), str(lake)]
            _, told = measure_output(program, ENERGY_THREADS=str(THREADS))
            runs.append(json.loads(told))
            check_readings(totals_of_lake(lake), rows=rows)
    names = [stage["name"] for stage in runs[0]]
    if any([stage["name"] for stage in run] != names for run in runs):
        raise RunFailedError("the runs of one file went through different stages")
    taken = {
        name: {column: statistics.median(run[place][column] for run in runs) for column in COLUMNS}
        for place, name in enumerate(names)
    }
    wall, cpu = (sum(stage[column] for stage in taken.values()) for column in COLUMNS[:2])
    rows_told = [
        (
            name,
            seconds(stage["wall_seconds"]),
            f"{100 * stage['wall_seconds'] / wall:.0f} %",
            seconds(stage["cpu_seconds"]),
            megabytes(stage["peak_mb"]),
        )
        for name, stage in taken.items()
    ]
    peak = max(stage["peak_mb"] for stage in taken.values())
    rows_told.append(("all", seconds(wall), "100 %", seconds(cpu), megabytes(peak)))
    title = f"Stages of a run of {rows:,} rows, {shape.name}"
    header = ("stage", "wall", "share", "processor", "peak memory")
    return Findings(tables=(Table(title, header, tuple(rows_told)),), figures={"stages": taken})
