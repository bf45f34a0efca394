"""Uploads made by chance, and those kept from long runs of `python -m fuzz`: every promise of the reading holds."""

import gzip
from pathlib import Path

import pytest
from fuzz.inputs import names_of_files, uploads
from fuzz.invariants import How, examine, examine_delivery, opened
from hypothesis import given, settings

CORPUS = sorted(path for path in (Path(__file__).parent / "fuzz" / "corpus").iterdir() if path.suffix != ".md")
WAYS = [How(), How(timezone="Europe/Paris"), How(date_order="DMY", decimal=","), How(date_order="MDY", decimal=".")]
MADE = {
    "an endless line that the engine passes over": b"2026-01-01 00:00:00,A,1\n"
    + b"x" * 34_000_000
    + b"\n2026-01-01 01:00:00,A,1\n",
    "spaces without end behind a reading": b"2026-01-01 00:00:00,A,1"
    + b" " * 34_000_000
    + b"\n2026-01-01 01:00:00,A,1\n",
}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_kept_cases(path: Path) -> None:
    with opened() as (engine, folder):
        for how in WAYS:
            examine(engine, folder, path.read_bytes(), how)
        for name in ("a.csv", "\x1c\x1d\x1e", "_.", "b.tsv"):
            examine_delivery(folder, path.read_bytes(), name=name, site="plant")


@pytest.mark.parametrize("name", MADE)
def test_cases_that_are_too_large_to_keep(name: str) -> None:
    with opened() as (engine, folder):
        content = b"timestamp,appliance,kwh\n" + MADE[name]
        assert examine(engine, folder, content, How()) == "mixed"
        assert examine(engine, folder, gzip.compress(content, compresslevel=1), How()) == "mixed"


@pytest.mark.slow
@settings(max_examples=60)
@given(content=uploads())
def test_a_few_by_chance(content: bytes) -> None:
    with opened() as (engine, folder):
        for how in WAYS[:2]:
            examine(engine, folder, content, how)


@settings(max_examples=25)
@given(content=uploads(), name=names_of_files())
def test_a_few_deliveries_by_chance(content: bytes, name: str) -> None:
    with opened() as (_, folder):
        examine_delivery(folder, content, name=name, site="")
