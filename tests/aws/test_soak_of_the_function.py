"""As many uploads over two hundred sites as fit in the time, through the bucket's trigger: none is lost."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from commands import HEADER, hourly_rows
from real_deployment import Deployment, eventually

from energy_analytics.runs import waiting_uploads

pytestmark = [pytest.mark.xdist_group("aws"), pytest.mark.long]

SITES = 200
UPLOADING_SECONDS = 45.0
MOST_SECONDS = 240
IN_HAND = 40
"""Uploads that have been made and not yet run: so many that the function is never idle."""


def test_none_of_many_uploads_is_lost(owner: Deployment) -> None:
    owner.empty()
    called_before, began, made = owner.reports(), time.monotonic(), 0
    with ThreadPoolExecutor(8) as together:
        while time.monotonic() - began < UPLOADING_SECONDS:
            room = IN_HAND - (made - (owner.reports() - called_before))
            keys = {
                f"raw/home {number % SITES:03}/{number // SITES}.csv": HEADER
                + hourly_rows(f"2026-01-{1 + number // SITES:02}", hours=24, kwh=1 + number % 7)
                for number in range(made, made + max(0, room))
            }
            list(together.map(owner.put, keys, keys.values()))
            made += len(keys)
            time.sleep(0.2)
    eventually(lambda: owner.reports() - called_before >= made, seconds=MOST_SECONDS)
    took = time.monotonic() - began
    print(json.dumps({"uploads": made, "seconds": round(took)}))  # noqa: T201
    assert made >= IN_HAND
    assert owner.failures() == []
    statuses = owner.statuses()
    assert len(statuses) == made
    assert set(statuses.values()) == {"succeeded"}
    assert waiting_uploads(owner.lake) == []
    asked = owner.done("query", "SELECT sum(kwh) AS kwh FROM readings", "--format", "csv")
    assert float(asked.split()[1]) == pytest.approx(sum(24 * (1 + number % 7) for number in range(made)), rel=1e-9)
