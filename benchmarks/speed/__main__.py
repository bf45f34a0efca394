"""Measure `energy run` against pandas, polars and DuckDB in the same run: `python -m benchmarks.speed`.

Times and memory of one machine say little about another, so the targets are ratios: programs take turns on the same
files, each in a fresh process, and medians are compared. A run counts only if its totals are those of the
others. What was measured is kept by case, so that `--markdown` writes the page from several measurements; a target
that is missed makes this fail, but hides nothing.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.speed.bench import BY_HOUR, BY_MINUTE, FULL, HERE, HOME, LARGE_HOME, QUICK, Bench
from benchmarks.speed.case_incremental import incremental_case
from benchmarks.speed.case_memory import memory_case
from benchmarks.speed.case_rows import rows_case
from benchmarks.speed.case_sites import sites_case
from benchmarks.speed.case_stages import stages_case
from benchmarks.speed.case_start import help_case, sample_case
from benchmarks.speed.document import as_text, write_page
from benchmarks.speed.figures import Claim, Findings
from benchmarks.speed.machine import circumstances
from benchmarks.speed.measurement import ROOT, RunFailedError, say

Case = Callable[[Bench], Findings]

CASES: Final[dict[str, Case]] = {
    "rows": lambda bench: rows_case(bench, shape=BY_MINUTE, rows=bench.size.rows),
    "stages": lambda bench: stages_case(bench, shape=BY_MINUTE, rows=bench.size.rows),
    "incremental": partial(incremental_case, shapes=(HOME, LARGE_HOME), at_once=True),
    "rows-tenth": lambda bench: rows_case(bench, shape=BY_MINUTE, rows=bench.size.rows // 10, against_pandas=False),
    "memory": lambda bench: memory_case(bench, rows=bench.size.rows // 10, limits_mb=(128, 256)),
    "sites": lambda bench: sites_case(bench, sites=bench.size.sites),
    "rows-wide": lambda bench: rows_case(bench, shape=BY_HOUR, rows=bench.size.rows),
    "stages-wide": lambda bench: stages_case(bench, shape=BY_HOUR, rows=bench.size.rows),
    "sample": sample_case,
    "help": help_case,
}
"""Those that tell most first."""

HUGE_CASES: Final[dict[str, Case]] = {
    "incremental-uploads": partial(incremental_case, shapes=(HOME,), at_once=False),
    "rows-huge": lambda bench: rows_case(bench, shape=BY_MINUTE, rows=10 * bench.size.rows),
    "stages-huge": lambda bench: stages_case(bench, shape=BY_MINUTE, rows=10 * bench.size.rows),
    "memory-huge": lambda bench: memory_case(bench, rows=bench.size.rows, limits_mb=(128, 256, 512, 1024)),
    "sites-huge": lambda bench: sites_case(bench, sites=bench.size.huge_sites, jobs=False, against_tenth=True),
}
"""Those that take an hour or more, and up to 15 GB of disk."""


def run_case(case: Case, bench: Bench) -> Findings:
    """Return what the case found; a program that fails is a target missed, and the other cases still run."""
    try:
        return case(bench)
    except RunFailedError as error:
        return Findings((Claim("every program does its work", "failed", "all run", met=False, note=str(error)),))


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description="Measure speed and memory.")
    add = parser.add_argument
    every_case = [*CASES, *HUGE_CASES]
    add("--only", action="append", choices=every_case, metavar="CASE", help=f"repeatable: {', '.join(every_case)}")
    add("--list", action="store_true", help="only name the cases")
    add("--huge", action="store_true", help="measure the cases that take an hour or more, in place of the others")
    add("--quick", action="store_true", help="only prove that it measures: a few rows, one run")
    add("--runs", type=int, help="runs of each program on a generated file")
    add("--every", type=int, default=1, metavar="N", help="when a site of many uploads is made, run each Nth only")
    add("--keep-lakes", action="store_true", help="use sites with a history that other code has made; for a first look")
    add("--energy", type=Path, default=Path(sys.executable).with_name("energy"), help="the command to measure")
    add("--reader", type=Path, default=HERE / "read_and_aggregate.py", help="our reading and aggregating alone")
    polars = ROOT / ".venv-bench" / "bin" / "python"
    add("--polars-python", type=Path, default=polars, help="a Python with polars, which is left out without one")
    add("--folder", type=Path, default=ROOT / "build" / "bench", help="where generated files and results are kept")
    add("--json", type=Path, metavar="FILE", help="write what was measured there too")
    add("--markdown", type=Path, metavar="PAGE", help="put all that has been measured so far into the page")
    return parser.parse_args(arguments)


def command_of(options: argparse.Namespace) -> str:
    """Return what a reader would type for the same, without the places of files on this machine."""
    parts = ["python -m benchmarks.speed"]
    for name, value in vars(options).items():
        if value is True:
            parts.append(f"--{name.replace('_', '-')}")
        elif isinstance(value, list):
            parts += [f"--{name} {one}" for one in value]
        elif isinstance(value, int) and value > 1:
            parts.append(f"--{name} {value}")
    return " ".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return 0 if every target is met."""
    options = options_of(arguments)
    if options.list:
        print("\n".join([*CASES, *HUGE_CASES]))
        return 0
    if not options.energy.is_file():
        say(f"There is no command {options.energy}: install the package, or name another with --energy.")
        return 2
    size = QUICK if options.quick else FULL
    bench = Bench(
        energy=options.energy.absolute(),
        reader=options.reader.absolute(),
        polars_python=options.polars_python.absolute(),
        folder=options.folder.absolute(),
        size=size if options.runs is None else replace(size, runs=options.runs),
        every=options.every,
        keep_lakes=options.keep_lakes,
    )
    bench.folder.mkdir(parents=True, exist_ok=True)
    kept = bench.folder / ("results-quick.json" if options.quick else "results.json")
    measured: dict[str, Any] = {}
    for name in options.only or (HUGE_CASES if options.huge else CASES):
        say(f"measuring {name}")
        at = circumstances(command_of(options))
        measured[name] = asdict(run_case((CASES | HUGE_CASES)[name], bench)) | {"circumstances": asdict(at)}
        write(kept, (json.loads(kept.read_text("utf-8")) if kept.exists() else {}) | {name: measured[name]})
    print(as_text(measured))
    if options.json is not None:
        write(options.json, measured)
    if options.markdown is not None:
        everything = json.loads(kept.read_text("utf-8"))
        in_order = {name: everything[name] for name in (CASES | HUGE_CASES) if name in everything}
        write_page(options.markdown, in_order)
    return 0 if all(claim["met"] for result in measured.values() for claim in result["claims"]) else 1


def write(path: Path, results: dict[str, Any]) -> None:
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
