"""Two thousand uploads over two hundred sites through the bucket's trigger: none is lost, and memory is bounded."""

import json
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from commands import HEADER, hourly_rows
from real_deployment import Deployment, eventually

from energy_analytics.runs import waiting_uploads
from energy_analytics.schema import RUNS

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.long]

UPLOADS = int(os.environ.get("SOAK_UPLOADS", "2000"))
SITES = max(1, UPLOADS // 10)
IN_HAND = 40
"""Uploads that have been made and not yet run: so many that the function is never idle."""
STUCK_SECONDS = 300.0
MOST_MB = 700
MOST_GROWTH_MB = 150
"""From the first tenth of the calls to the last: a process of the function serves many uploads, one after another."""
_MEMORY = re.compile(r'"maxMemoryUsedMB": ?(\d+)')


def memory_mb(owner: Deployment) -> list[int]:
    """Return what each call that has ended had in memory at most, in order."""
    asked = owner.aws.client("logs").get_paginator("filter_log_events")
    pages = asked.paginate(logGroupName=owner.outputs["LogGroupName"])
    found = [
        (event["timestamp"], int(used[1]))
        for page in pages
        for event in page["events"]
        if '"platform.report"' in event["message"] and (used := _MEMORY.search(event["message"]))
    ]
    return [mb for _, mb in sorted(found)]


def test_none_of_two_thousand_uploads_is_lost(owner: Deployment) -> None:
    owner.empty()
    called_before, began, made = owner.reports(), time.monotonic(), 0
    done, moved = 0, began
    with ThreadPoolExecutor(8) as together:
        while done < UPLOADS:
            keys = {
                f"raw/home {number % SITES:03}/{number // SITES}.csv": HEADER
                + hourly_rows(f"2026-01-{1 + number // SITES:02}", hours=24, kwh=1 + number % 7)
                for number in range(made, min(UPLOADS, done + IN_HAND))
            }
            list(together.map(owner.put, keys, keys.values()))
            made += len(keys)
            before, done = done, len(owner.lake.list(RUNS))  # Counting its calls reads all of the log.
            moved = time.monotonic() if done > before else moved
            assert time.monotonic() - moved < STUCK_SECONDS, f"{done} of {UPLOADS}"
            time.sleep(0.5)
    eventually(lambda: waiting_uploads(owner.lake) == [], seconds=STUCK_SECONDS)  # A call may have been a second try.
    took = time.monotonic() - began
    memory = memory_mb(owner)[called_before:]
    early, most = max(memory[: max(1, len(memory) // 10)]), max(memory)
    figures = {"uploads": made, "seconds": round(took), "early_mb": early, "most_mb": most}
    print(json.dumps(figures))  # noqa: T201
    assert owner.failures() == []
    statuses = owner.statuses()
    assert len(statuses) == made == UPLOADS
    assert set(statuses.values()) == {"succeeded"}
    asked = owner.done("query", "SELECT sum(kwh) AS kwh FROM readings", "--format", "csv")
    assert float(asked.split()[1]) == pytest.approx(sum(24 * (1 + number % 7) for number in range(made)), rel=1e-9)
    assert most <= MOST_MB, figures
    assert most - early <= MOST_GROWTH_MB, figures
