"""Fifty uploads at once, in an account where four functions run at a time: none is lost."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from commands import HEADER, hourly_rows
from real_deployment import Deployment, contents, eventually

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.slow]

MOST_SECONDS = 150
OF_ONE_SITE = {f"raw/busy/{number:02}.csv": (f"2026-01-{number + 1:02}", 1 + number) for number in range(25)}
OF_MANY_SITES = {f"raw/home {number:02}/a+b.csv": ("2026-01-01", 1 + number) for number in range(25)}
HOURS = 24


def test_none_of_fifty_uploads_at_once_is_lost(owner: Deployment, tmp_path: Path) -> None:
    owner.empty()
    uploads = OF_ONE_SITE | OF_MANY_SITES
    called_before = owner.reports()
    began = time.monotonic()
    with ThreadPoolExecutor(25) as together:
        texts = {key: HEADER + hourly_rows(day, hours=HOURS, kwh=kwh) for key, (day, kwh) in uploads.items()}
        list(together.map(owner.put, texts, texts.values()))
    eventually(lambda: owner.reports() - called_before >= len(uploads), seconds=MOST_SECONDS)
    took = time.monotonic() - began
    assert owner.statuses() == dict.fromkeys(uploads, "succeeded")
    assert owner.failures() == []
    assert owner.reports() - called_before == len(uploads)
    assert took < MOST_SECONDS
    asked = owner.done("query", "SELECT site, sum(kwh) AS kwh FROM readings GROUP BY site", "--format", "csv")
    totals = dict(line.rsplit(",", 1) for line in asked.splitlines()[1:])
    assert float(totals["busy"]) == HOURS * sum(kwh for _, kwh in OF_ONE_SITE.values())
    assert [float(totals[f"home {number:02}"]) for number in range(25)] == [HOURS * (1 + n) for n in range(25)]
    assert contents(owner.lake) == contents(owner.twin(tmp_path / "twin"))
