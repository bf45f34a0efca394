"""Many sites, a file each, through one command: sites a second and memory, against loops of the rivals."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.speed.bench import HOME, THREADS, Bench
from benchmarks.speed.figures import Claim, Findings, Table, megabytes, seconds, times
from benchmarks.speed.measurement import Program, RunFailedError, Usage, measure_until, take_turns
from benchmarks.speed.totals import Totals, check_same, totals_of_lake, totals_of_rival

DAYS: Final = 30
OURS: Final = "energy watch, everything"
OURS_TOGETHER: Final = f"energy watch --jobs {THREADS}, everything"
DUCKDB: Final = "DuckDB in a loop, aggregation and anomalies"
PANDAS: Final = "pandas in a loop, aggregation and anomalies"
PROPHET: Final = "pandas and Prophet in a loop"
PROPHET_SITES: Final = 20
"""So many are enough to tell the rate, which is low."""
LARGER_MB: Final = 64
"""By how much the peak may be above that of a tenth of the sites."""


def sites_case(bench: Bench, *, sites: int, jobs: bool = True, against_tenth: bool = False) -> Findings:
    """Measure sites of a home each, a month of hours of four appliances."""
    files = sites_files(bench, sites)
    few = files[: min(PROPHET_SITES, sites)]
    with bench.scratch() as folder:
        programs: dict[str, Program] = {
            DUCKDB: partial(bench.duckdb, "anomalies", folder / "duckdb", *files),
            PANDAS: partial(bench.pandas, folder / "pandas", *files, options=["--anomalies"]),
            PROPHET: partial(bench.pandas, folder / "prophet", *few, options=["--forecast"]),
            OURS: partial(watch, bench, files, folder / "duckdb"),
        }
        if jobs:
            programs[OURS_TOGETHER] = partial(watch, bench, files, folder / "duckdb", jobs=THREADS)
        taken = {name: take_turns({name: program}, runs=1)[name] for name, program in programs.items()}
        for name, of in (("pandas", files), ("prophet", few)):
            for number in range(len(of)):
                wanted = of_site(folder / "duckdb", number, len(files))
                check_same(of_site(folder / name, number, len(of)), wanted)
        claims = [Claim(f"{sites:,} sites through energy watch", f"{sites:,} ran", "all run", True)]
        if against_tenth:
            tenth = watch(bench, files[: sites // 10], None)
            more_mb = taken[OURS].peak_mb - tenth.peak_mb
            what = f"{sites:,} sites: peak memory above that of {sites // 10:,}"
            claims.append(Claim(what, megabytes(more_mb), f"at most {LARGER_MB} MB", more_mb <= LARGER_MB))
            slower = taken[OURS].cpu_seconds / tenth.cpu_seconds / 10
            what = f"{sites:,} sites: processor time a site, against {sites // 10:,}"
            claims.append(Claim(what, times(slower), "at most 1.20 x", slower <= 1.2))
    counts = {name: len(few) if name == PROPHET else sites for name in taken}
    rows = tuple(row(name, counts[name], usage) for name, usage in taken.items())
    header = ("program", "sites", "sites a second", "processor, a site", "peak memory")
    return Findings(tuple(claims), (Table(f"{sites:,} sites of {HOME.name}, {DAYS} days", header, rows),), taken)


def row(name: str, sites: int, usage: Usage) -> tuple[str, ...]:
    rate, each = sites / usage.wall_seconds, usage.cpu_seconds / sites
    return name, f"{sites:,}", f"{rate:.1f}", seconds(each), megabytes(usage.peak_mb)


def sites_files(bench: Bench, sites: int) -> list[Path]:
    options = ["--sites", str(sites), "--days", str(DAYS), *HOME.options]
    return sorted(bench.made(f"sites-{sites}", options).glob("*/readings.csv"))


def watch(bench: Bench, files: Iterable[Path], rival: Path | None, *, jobs: int = 1) -> Usage:
    """Measure `energy watch` from its start until it has told of the run of each file; check the totals then."""
    files = tuple(files)
    with bench.scratch() as folder:
        lake = folder / "lake"
        for file in files:
            raw = lake / "raw" / file.parent.name / file.name
            raw.parent.mkdir(parents=True)
            raw.hardlink_to(file)
        command = [str(bench.energy), "watch", "--lake", str(lake), "--jobs", str(jobs)]
        # The first line says what is watched.
        more = {"ENERGY_THREADS": str(THREADS), "PYTHONUNBUFFERED": "1"}
        usage = measure_until(command, lines=1 + len(files), **more)
        for number, file in enumerate(files):
            found = totals_of_lake(lake, site=file.parent.name)
            if rival is not None:
                check_same(found, of_site(rival, number, len(files)))
            elif not found:
                raise RunFailedError(f"{file.parent.name} has no totals")
    return usage


def of_site(out: Path, number: int, sites: int) -> Totals:
    return totals_of_rival(out if sites == 1 else out / str(number))
