"""Two thousand uploads over two hundred sites through a real `energy watch`: none lost, and memory bounded."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import HEADER, environment, hourly_rows

from energy_analytics.lake import LocalLake
from energy_analytics.runs import succeeded_runs, waiting_uploads

UPLOADS = int(os.environ.get("SOAK_UPLOADS", "2000"))
SITES = max(1, UPLOADS // 10)
STUCK_SECONDS = 300.0
"""No upload is done for so long. How long all take depends on the machine: each is about 0.3 s of processor."""
MOST_MB = 700
MOST_GROWTH_MB = 120
"""From the first tenth to the end: a leak of 70 kB an upload would show."""
AT = 1_770_000_000


def resident_mb(process: int) -> float:
    told = Path(f"/proc/{process}/status").read_text("utf-8")
    found = re.search(r"VmRSS:\s+(\d+)", told)
    assert found
    return int(found[1]) / 1024


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_none_of_two_thousand_uploads_is_lost(tmp_path: Path) -> None:
    raw = tmp_path / "lake" / "raw"
    for number in range(UPLOADS):
        path = raw / f"site-{number % SITES:03}" / f"{number // SITES}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADER + hourly_rows(f"2026-01-{1 + number // SITES:02}", hours=24, kwh=1 + number % 7))
        os.utime(path, (AT + number,) * 2)
    said = tmp_path / "said"
    with said.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "energy_analytics", "watch"],
            cwd=tmp_path,
            env=environment(ENERGY_THREADS="1"),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        memory: list[tuple[int, float]] = []
        began = moved = time.monotonic()
        before = 0
        try:
            while (done := said.read_text("utf-8").count("rows, ")) < UPLOADS:
                assert process.poll() is None, said.read_text("utf-8")[-2000:]
                before, moved = done, time.monotonic() if done > before else moved
                assert time.monotonic() - moved < STUCK_SECONDS, f"{done} of {UPLOADS}"
                memory.append((done, resident_mb(process.pid)))
                time.sleep(0.5)
            took = time.monotonic() - began
            time.sleep(3)  # It looks whether there is more, and finds nothing.
            memory.append((done, resident_mb(process.pid)))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
    assert said.read_text("utf-8").count("rows, ") == UPLOADS
    assert "Error" not in said.read_text("utf-8")
    lake = LocalLake(tmp_path / "lake")
    assert waiting_uploads(lake) == []
    found = succeeded_runs(lake)
    assert len(found) == UPLOADS
    newest = {manifest["site"]: manifest for manifest in reversed(found)}
    totals = sum(manifest["results"]["total_kwh"] for manifest in newest.values())
    assert totals == pytest.approx(sum(24 * (1 + number % 7) for number in range(UPLOADS)), rel=1e-9)
    early = max(mb for done, mb in memory if done <= max(UPLOADS // 10, memory[0][0]))
    most = max(mb for _, mb in memory)
    figures = {"uploads": UPLOADS, "seconds": round(took), "early_mb": round(early), "most_mb": round(most)}
    print(json.dumps(figures))  # noqa: T201
    assert most <= MOST_MB, figures
    assert most - early <= MOST_GROWTH_MB, figures
