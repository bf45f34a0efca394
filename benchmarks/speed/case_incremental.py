"""The next daily upload to a site with years of history, against one with a month."""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.speed.bench import Bench, Shape
from benchmarks.speed.figures import Findings, at_most, programs_table
from benchmarks.speed.measurement import ROOT, RunFailedError, Usage, measure, say, take_turns

MAX_RATIO: Final = 2.0
SITE: Final = "home"
NEXT_DAYS: Final = 5
"""Uploads that follow on the history, one by one; their median counts."""


def incremental_case(bench: Bench, *, shapes: Sequence[Shape], at_once: bool) -> Findings:
    """Measure daily uploads after a history of one file, or of an upload a day."""
    found = [_of_shape(bench, shape, at_once=at_once) for shape in shapes]
    return Findings(
        tuple(claim for one in found for claim in one.claims),
        tuple(table for one in found for table in one.tables),
        {name: value for one in found for name, value in one.figures.items()},
    )


def _of_shape(bench: Bench, shape: Shape, *, at_once: bool) -> Findings:
    size = bench.size
    following = _days(bench, shape, first=size.history_days, days=NEXT_DAYS, at_once=False)
    days_of = {"long": size.history_days, "short": size.month_days}
    histories = {
        name: _old_site(bench, shape, _days(bench, shape, first=size.history_days - days, days=days, at_once=at_once))
        for name, days in days_of.items()
    }
    how = "one file" if at_once else "an upload a day"
    labels = {name: f"after {days:,} days, {how}" for name, days in days_of.items()}
    with bench.scratch() as folder:
        uploads = {}
        for name, lake in histories.items():
            # A lake never changes a file in place, so that links are as good as copies.
            shutil.copytree(lake, folder / name, copy_function=_link)
            uploads[labels[name]] = partial(_upload_next, bench, folder / name, iter(sorted(following.glob("*.csv"))))
        taken = take_turns(uploads, runs=NEXT_DAYS if size.runs > 1 else 1)
        for name in histories:
            _check(folder / name)
    if bench.every > 1:
        how += f", of which each {bench.every}th was run when the site was made"
    what = f"a day more of {shape.name}, {size.history_days:,} days of history as {how}"
    long, short = taken[labels["long"]], taken[labels["short"]]
    title = f"The next daily upload, {shape.name}"
    return Findings(
        (at_most(f"{what}, against {size.month_days} days", long, short, most=MAX_RATIO, both=True),),
        (programs_table(title, taken, yardstick=labels["short"]),),
        {f"{shape.short}, {name}": usage for name, usage in taken.items()},
    )


def _upload_next(bench: Bench, lake: Path, files: Iterator[Path]) -> Usage:
    return bench.run(next(files), lake, "--site", SITE)


def _days(bench: Bench, shape: Shape, *, first: int, days: int, at_once: bool) -> Path:
    name = f"{shape.short}-days-{first}-{days}{'-at-once' if at_once else ''}"
    options = ["--first-day", str(first), "--days", str(days), *(["--at-once"] if at_once else [])]
    return bench.made(name, [*options, *shape.options])


def _old_site(bench: Bench, shape: Shape, files: Path) -> Path:
    """Return a lake in which the files have been run, made on first use and kept as long as the code is the same.

    What a run leaves for the next one is the code's own affair, so that another version must make its own.
    """
    lake = bench.folder / f"lake-{files.name}-{bench.every}"
    mark = lake.with_suffix(".json")
    known = json.loads(mark.read_text("utf-8")) if mark.exists() else {}
    if known.get("code") != code_digest() and not (known and bench.keep_lakes):
        shutil.rmtree(lake, ignore_errors=True)
        known = {"code": code_digest(), "whole": False}
        mark.write_text(json.dumps(known), encoding="utf-8")
    if not known["whole"]:
        say(f"making {lake.name}: {len(list(files.glob('*.csv'))):,} uploads of {shape.name}")
        program = [sys.executable, "-m", "benchmarks.speed.old_site", str(lake), str(files)]
        taken = measure([*program, "--every", str(bench.every)])
        mark.write_text(json.dumps(known | {"whole": True, "taken": asdict(taken)}), encoding="utf-8")
    return lake


def code_digest() -> str:
    """Return what tells one version of the package from another."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "src").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _check(lake: Path) -> None:
    """Raise unless every upload has been run, and none twice."""
    uploads, runs = (len(list((lake / prefix / SITE).glob("[!.]*"))) for prefix in ("raw", "runs"))
    if uploads != runs:
        raise RunFailedError(f"{uploads} uploads have {runs} runs")
