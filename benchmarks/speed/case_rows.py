"""One large file: the whole run against bare DuckDB, polars and pandas, and against the CSV parser alone."""

import sys
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.speed.bench import THREADS, Bench, Shape, checked
from benchmarks.speed.figures import Claim, Findings, at_most, programs_table
from benchmarks.speed.machine import available_mb
from benchmarks.speed.measurement import Program, Usage, measure, say, settle, take_turns
from benchmarks.speed.totals import Totals, check_readings, check_same, totals_of_lake, totals_of_rival

MAX_DUCKDB_RATIO: Final = 2.0
MAX_PANDAS_RATIO: Final = 1 / 3
DUCKDB_FORMS: Final = ("scan", "hours", "table")

WHOLE: Final = "energy run, everything"
READER: Final = "energy, read and aggregate"
DUCKDB: Final = "DuckDB, read and aggregate"
DUCKDB_ANOMALIES: Final = "DuckDB, the same and anomalies"
PARSER: Final = "DuckDB's CSV parser alone"
POLARS: Final = "polars, read and aggregate"
PANDAS: Final = "pandas, read and aggregate"
PANDAS_TUNED: Final = "pandas tuned, read and aggregate"

_PANDAS_BYTES_A_ROW: Final = 160
"""Measured with 10 million rows: more than that must be free for pandas to be tried."""


def rows_case(bench: Bench, *, shape: Shape, rows: int, against_pandas: bool = True) -> Findings:
    """Measure a generated file, each program in turn; all must come to the same totals.

    Of a small file most of the time is the programs' start, so that pandas is then told and no target.
    """
    file = bench.rows_file(shape, rows)
    with bench.scratch() as folder:
        form = quickest_form(bench, file, folder)
        wanted = totals_of_rival(folder / form)
        check_readings(wanted, rows=rows)
        running = programs(bench, file, folder, form, wanted)
        taken = take_turns(running, runs=bench.size.runs, before=partial(settle, file))
    what = f"{rows:,} rows, {shape.name}"
    claims = [
        at_most(f"{what}: everything, against DuckDB's aggregation", taken[WHOLE], taken[DUCKDB], most=MAX_DUCKDB_RATIO)
    ]
    if PANDAS in taken and against_pandas:
        memory = taken[WHOLE].peak_mb / taken[PANDAS].peak_mb
        claims.append(
            at_most(f"{what}: read and aggregate, against pandas", taken[READER], taken[PANDAS], most=MAX_PANDAS_RATIO)
        )
        claims.append(
            Claim(
                f"{what}: peak memory of everything, against pandas",
                f"{memory:.2f} x",
                f"at most {MAX_PANDAS_RATIO:.2f} x",
                memory <= MAX_PANDAS_RATIO,
            )
        )
    floor = {name: taken[PARSER].cpu_seconds / taken[name].cpu_seconds for name in (WHOLE, READER, DUCKDB)}
    share = ", ".join(f"{100 * value:.0f} % of {name}" for name, value in floor.items())
    title = (
        f"{what} ({file.stat().st_size / 1e6:,.0f} MB). DuckDB's form: {form}. The parser's processor time is {share}."
    )
    table = programs_table(title, taken, yardstick=DUCKDB)
    return Findings(tuple(claims), (table,), {"programs": taken, "form": form, "parser_share": floor})


def quickest_form(bench: Bench, file: Path, folder: Path) -> str:
    """Return the form of DuckDB's aggregation that takes least processor time, the file being in the disk's cache."""
    bench.duckdb("parser", folder / "parser", file)
    taken = {form: bench.duckdb(form, folder / form, file) for form in DUCKDB_FORMS}
    for form in DUCKDB_FORMS[1:]:
        check_same(totals_of_rival(folder / form), totals_of_rival(folder / DUCKDB_FORMS[0]))
    return min(taken, key=lambda form: taken[form].cpu_seconds)


def programs(bench: Bench, file: Path, folder: Path, form: str, wanted: Totals) -> dict[str, Program]:
    """Return what takes turns, ours first. What cannot run here is left out, and that is said."""

    def whole() -> Usage:
        with bench.scratch() as scratch:
            usage = bench.run(file, scratch / "lake")
            check_same(totals_of_lake(scratch / "lake"), wanted)
        return usage

    def read_and_aggregate() -> Usage:
        with bench.scratch() as scratch:
            command = [sys.executable, str(bench.reader), str(file), str(scratch / "lake")]
            usage = measure(command, ENERGY_THREADS=str(THREADS))
            check_same(totals_of_lake(scratch / "lake"), wanted)
        return usage

    def rival(name: str, program: Program) -> Program:
        return checked(program, folder / name, wanted)

    found: dict[str, Program] = {
        WHOLE: whole,
        READER: read_and_aggregate,
        DUCKDB: rival("duckdb", partial(bench.duckdb, form, folder / "duckdb", file)),
        DUCKDB_ANOMALIES: rival("anomalies", partial(bench.duckdb, "anomalies", folder / "anomalies", file)),
        PARSER: partial(bench.duckdb, "parser", folder / "parser", file),
    }
    if bench.has_polars:
        found[POLARS] = rival("polars", partial(bench.polars, folder / "polars", file))
    else:
        say(f"no polars in {bench.polars_python}: left out")
    needed_mb = sum(row["count"] for row in wanted.values()) * _PANDAS_BYTES_A_ROW / 1e6
    if available_mb() > needed_mb:
        found[PANDAS] = rival("pandas", partial(bench.pandas, folder / "pandas", file))
        tuned = partial(bench.pandas, folder / "tuned", file, options=["--tuned"])
        found[PANDAS_TUNED] = rival("tuned", tuned)
    else:
        say(f"pandas needs about {needed_mb:,.0f} MB, of which {available_mb():,.0f} are free: left out")
    return found
