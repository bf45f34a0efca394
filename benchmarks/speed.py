"""Measure `energy run` against a plain script in the same run, and fail when a target is missed.

Times and memory of one machine say little about another, so the targets are ratios: both programs take turns
on the same files, each in a fresh process, and the medians are compared. A run of ours counts only if the
lake then holds the totals that the script found.
"""

import argparse
import csv
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
SAMPLE: Final = ROOT / "data" / "sample" / "household_power_hourly.csv.gz"
PLAIN_SCRIPT: Final = ROOT / "benchmarks" / "plain_script.py"
READ_AND_AGGREGATE: Final = ROOT / "benchmarks" / "read_and_aggregate.py"
INPUTS: Final = ROOT / "benchmarks" / "inputs.py"

MAX_SAMPLE_RATIO: Final = 1.5
MAX_HELP_SECONDS: Final = 0.3
MAX_ROWS_RATIO: Final = 1 / 3
MAX_HUGE_MB: Final = 2048
BYTES_PER_MB: Final = 1024 * 1024
RELATIVE_TOLERANCE: Final = 1e-9
"""Between sums of the same readings taken in another order."""

HELP_RUNS: Final = 5
HUGE_FACTOR: Final = 10


class RunFailedError(RuntimeError):
    """A measured program failed, or left something else than it should have."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process took: wall seconds and peak resident memory."""

    seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. `ratio` is ours to the script's, None where there is no script."""

    what: str
    unit: str
    ours: float | None
    script: float | None
    ratio: float | None
    target: str
    met: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """A generated file: how many appliances, and how often each is read."""

    name: str
    appliances: int
    step_minutes: int


@dataclass(frozen=True, slots=True)
class Bench:
    """What the cases need to know."""

    energy: tuple[str, ...]
    reader: Path
    """Our reading and aggregating alone, a Python script."""
    folder: Path
    """Where generated files are kept and lakes come and go."""
    sample_runs: int
    rows: int
    rows_runs: int


SHAPES: Final = {
    "rows-50": Shape("50 appliances by the minute", 50, 1),
    "rows-2000": Shape("2,000 appliances by the hour", 2000, 60),
}


def measure(command: Sequence[str]) -> Usage:
    """Run the command to its end in `ROOT`; raise if it fails.

    The kernel counts this process's own memory as the child's until the child's program is loaded, so nothing
    heavy is imported here.
    """
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            output.seek(0)
            last_words = output.read().decode("utf-8", "replace").strip()[-500:]
            raise RunFailedError(f"exit {child.returncode} of {' '.join(command)}: {last_words}")
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return Usage(seconds, usage.ru_maxrss * unit_bytes / BYTES_PER_MB)


def take_turns(ours: Callable[[], Usage], script: Callable[[], Usage], *, runs: int) -> tuple[Usage, Usage]:
    """Return the medians of both; who goes first changes from turn to turn."""
    taken: dict[Callable[[], Usage], list[Usage]] = {ours: [], script: []}
    for turn in range(runs):
        for program in (ours, script) if turn % 2 else (script, ours):
            taken[program].append(program())
    return median(taken[ours]), median(taken[script])


def median(usages: Sequence[Usage]) -> Usage:
    return Usage(
        statistics.median(usage.seconds for usage in usages),
        statistics.median(usage.peak_mb for usage in usages),
    )


def compare(
    bench: Bench, file: Path, ours: Callable[[Path], Sequence[str]], *, script_options: Sequence[str], runs: int
) -> tuple[Usage, Usage]:
    """Return what our command (for a lake in a folder) and the script take, after seeing that their totals agree."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        out = Path(folder) / "script"
        lakes = iter(range(runs))

        def run_script() -> Usage:
            return measure([sys.executable, str(PLAIN_SCRIPT), str(file), str(out), *script_options])

        def run_ours() -> Usage:
            lake = Path(folder) / f"lake-{next(lakes)}"
            usage = measure(ours(lake))
            check_totals(lake, script_totals=out / "aggregated.csv")
            shutil.rmtree(lake)
            return usage

        return take_turns(run_ours, run_script, runs=runs)


def whole_run(bench: Bench, file: Path, *, model: str) -> Callable[[Path], Sequence[str]]:
    return lambda lake: [*bench.energy, "run", str(file), "--lake", str(lake), "--model", model]


def check_totals(lake: Path, *, rows_expected: int | None = None, script_totals: Path | None = None) -> None:
    """Raise unless the lake holds one finished run whose totals are those expected."""
    aggregated = list((lake / "processed").glob("aggregated*.csv"))
    if len(aggregated) != 1:
        raise RunFailedError(f"{len(aggregated)} aggregated files in the lake")
    found = read_totals(aggregated[0])
    rows_found = sum(count for _, count in found.values())
    if rows_expected is not None and rows_found != rows_expected:
        raise RunFailedError(f"{rows_found:,} readings aggregated of {rows_expected:,}")
    if script_totals is None:
        return
    wanted = read_totals(script_totals)
    if found.keys() != wanted.keys():
        raise RunFailedError(f"{len(found)} appliances aggregated, the script has {len(wanted)}")
    for name, (total_kwh, count) in wanted.items():
        same_total = math.isclose(found[name][0], total_kwh, rel_tol=RELATIVE_TOLERANCE)
        if not same_total or found[name][1] != count:
            raise RunFailedError(f"{name}: total and count {found[name]}, the script has {total_kwh, count}")


def read_totals(path: Path) -> dict[str, tuple[float, int]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["appliance"]: (float(row["total_kwh"]), int(row["count"])) for row in csv.DictReader(file)}


def generated(bench: Bench, shape: Shape, *, rows: int) -> Path:
    """Return the file of that shape, written on first use and kept."""
    path = bench.folder / f"{shape.appliances}x{shape.step_minutes}min-{rows}.csv"
    if not path.exists():
        say(f"writing {rows:,} rows, {shape.name}")
        options = {"--rows": rows, "--appliances": shape.appliances, "--step-minutes": shape.step_minutes}
        measure(
            [
                sys.executable,
                str(INPUTS),
                str(path),
                *(str(part) for pair in options.items() for part in pair),
            ]
        )
    return path


def against(what: str, *, unit: str, ours: float, script: float, most: float) -> Row:
    ratio = ours / script
    return Row(what, unit, ours, script, ratio, f"at most {most:.2f} x", ratio <= most)


def sample_case(bench: Bench) -> list[Row]:
    """Measure the sample, forecast by Prophet on both sides, all outputs."""
    ours, script = compare(
        bench, SAMPLE, whole_run(bench, SAMPLE, model="prophet"), script_options=(), runs=bench.sample_runs
    )
    what = f"sample, Prophet, median of {bench.sample_runs}"
    return [against(what, unit="s", ours=ours.seconds, script=script.seconds, most=MAX_SAMPLE_RATIO)]


def help_case(bench: Bench) -> list[Row]:
    """Measure how long `--help` takes."""
    seconds = median([measure([*bench.energy, "--help"]) for _ in range(HELP_RUNS)]).seconds
    what = f"energy --help, median of {HELP_RUNS}"
    return [Row(what, "s", seconds, None, None, f"under {MAX_HELP_SECONDS} s", seconds < MAX_HELP_SECONDS)]


def rows_case(bench: Bench, shape: Shape) -> list[Row]:
    """Measure our reading and aggregating, and our whole run, against the script's read and aggregate."""
    file = generated(bench, shape, rows=bench.rows)
    what = f"{bench.rows:,} rows, {shape.name}"

    def against_script(ours: Callable[[Path], Sequence[str]], *options: str) -> tuple[Usage, Usage]:
        return compare(bench, file, ours, script_options=("--no-forecast", *options), runs=bench.rows_runs)

    def like_for_like(lake: Path) -> Sequence[str]:
        return [sys.executable, str(bench.reader), str(file), str(lake)]

    ours, script = against_script(like_for_like)
    whole, again = against_script(whole_run(bench, file, model="moving_average"))
    ours_again, tuned = against_script(like_for_like, "--tuned")
    return [
        against(f"{what}: read and aggregate", unit="s", ours=ours.seconds, script=script.seconds, most=MAX_ROWS_RATIO),
        against(f"{what}: peak memory", unit="MB", ours=whole.peak_mb, script=again.peak_mb, most=MAX_ROWS_RATIO),
        told(f"{what}: whole run", ours=whole.seconds, script=again.seconds),
        told(f"{what}: read and aggregate, script tuned", ours=ours_again.seconds, script=tuned.seconds),
    ]


def told(what: str, *, ours: float, script: float) -> Row:
    return Row(what, "s", ours, script, ours / script, "told, no target", met=True)


def huge_case(bench: Bench) -> list[Row]:
    """Measure whether ten times as many rows finish, and in how much memory."""
    rows = HUGE_FACTOR * bench.rows
    shape = SHAPES["rows-50"]
    file = generated(bench, shape, rows=rows)
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        lake = Path(folder) / "lake"
        ours = measure([*bench.energy, "run", str(file), "--lake", str(lake), "--model", "moving_average"])
        check_totals(lake, rows_expected=rows)
    what = f"{rows:,} rows, {shape.name}"
    within = ours.peak_mb < MAX_HUGE_MB
    return [
        Row(what, "s", ours.seconds, None, None, "finishes", met=True),
        Row(what, "MB", ours.peak_mb, None, None, f"under {MAX_HUGE_MB} MB", met=within),
    ]


CASES: Final[dict[str, Callable[[Bench], list[Row]]]] = {
    "sample": sample_case,
    "help": help_case,
    "rows-50": lambda bench: rows_case(bench, SHAPES["rows-50"]),
    "rows-2000": lambda bench: rows_case(bench, SHAPES["rows-2000"]),
    "huge": huge_case,
}


def run_case(name: str, bench: Bench) -> list[Row]:
    """Return the case's rows; a program that fails is a target missed, and the other cases still run."""
    say(f"measuring {name}")
    try:
        return CASES[name](bench)
    except RunFailedError as error:
        return [Row(name, "", None, None, None, "finishes", met=False, note=str(error))]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text in columns, reasons of failures below."""
    cells = [("what", "ours", "script", "ratio", "target", "verdict")]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        verdict = "met" if row.met else "MISSED"
        ours, script = (amount(value, row.unit) for value in (row.ours, row.script))
        cells.append((row.what, ours, script, ratio, row.target, verdict))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for what, ours, script, ratio, target, verdict in cells:
        right = (text.rjust(width) for text, width in zip((ours, script, ratio), widths[1:4], strict=True))
        lines.append("  ".join((what.ljust(widths[0]), *right, target.ljust(widths[4]), verdict)).rstrip())
    lines += [f"{row.what}: {row.note}" for row in rows if row.note]
    return "\n".join(lines)


def amount(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.2f} {unit}" if unit == "s" else f"{value:,.0f} {unit}"


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure speed and memory against a plain pandas script.")
    parser.add_argument(
        "--energy",
        type=Path,
        default=Path(sys.executable).with_name("energy"),
        help="the command to measure; by default the one beside this Python",
    )
    parser.add_argument("--reader", type=Path, default=READ_AND_AGGREGATE, help="our reading and aggregating alone")
    parser.add_argument("--only", action="append", choices=list(CASES), help="measure only this; repeatable")
    parser.add_argument("--huge", action="store_true", help="also ten times as many rows, ours only")
    parser.add_argument("--rows", type=int, default=10_000_000, help="size of the generated files")
    parser.add_argument("--runs", type=int, default=5, help="runs of the sample")
    parser.add_argument("--rows-runs", type=int, default=3, help="runs of each generated file")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench", help="where generated files are kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 0 if every target is met."""
    options = options_of(arguments)
    if not options.energy.is_file():
        say(f"There is no command {options.energy}: install the package, or name another with --energy.")
        return 2
    bench = Bench(
        energy=(str(options.energy.absolute()),),
        reader=options.reader.absolute(),
        folder=options.folder.absolute(),
        sample_runs=options.runs,
        rows=options.rows,
        rows_runs=options.rows_runs,
    )
    bench.folder.mkdir(parents=True, exist_ok=True)
    names = options.only or [name for name in CASES if name != "huge" or options.huge]
    rows = [row for name in names for row in run_case(name, bench)]
    print(table(rows))
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
