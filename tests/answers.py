"""The kWh of each appliance by every way in which a lake can be asked for them, to be held against the truth.

`conserved` compares a lake with its own readings; here it is compared with what the test has put into it.
"""

import csv
import io
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
from commands import energy
from web.serving import Server

from energy_analytics.lake import LocalLake
from energy_analytics.runs import succeeded_runs

ByAppliance = dict[str, float]
_RESOLUTIONS = ("raw", "hour", "day", "week", "month")


def summed(rows: Iterable[tuple[str, float]]) -> ByAppliance:
    """Add up exactly."""
    found: dict[str, list[float]] = defaultdict(list)
    for appliance, kwh in rows:
        found[appliance].append(kwh)
    return {appliance: math.fsum(kwh) for appliance, kwh in found.items()}


def used(folder: Path, site: str) -> Iterator[tuple[str, ByAppliance]]:
    """Return what each file and each SQL table of a site tells of what was used, without what was fed in."""
    lake = LocalLake(folder / "lake")
    newest = succeeded_runs(lake, site)[0]
    yield "manifest", {one["appliance"]: one["total_kwh"] for one in newest["results"]["appliances"]}
    rows = [*csv.DictReader(io.StringIO(lake.read(newest["outputs"]["processed"]).decode()))]
    yield "processed", {row["appliance"]: float(row["total_kwh"]) for row in rows}
    yield "means times counts", {row["appliance"]: float(row["avg_kwh"]) * int(row["count"]) for row in rows}
    for table in ("hourly", "daily"):
        sql = f"SELECT appliance, kwh FROM {table} WHERE site = '{site}' AND kwh IS NOT NULL"
        yield table, summed((row["appliance"], row["kwh"]) for row in asked(folder, sql))
    for view in ("latest_processed", "processed"):
        sql = f"SELECT appliance, total_kwh FROM {view} WHERE site = '{site}' AND run = '{newest['stamp']}'"
        yield view, {row["appliance"]: row["total_kwh"] for row in asked(folder, sql)}


def asked(folder: Path, sql: str) -> list[dict[str, Any]]:
    """Ask `energy query`."""
    done = energy("query", sql, "--format", "json", folder=folder)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def read(folder: Path, site: str) -> Iterator[tuple[str, ByAppliance]]:
    """Return what the readings of a site add up to, what was fed in among them."""
    sql = f"SELECT appliance, kwh FROM readings WHERE site = '{site}'"
    yield "readings", summed((row["appliance"], row["kwh"]) for row in asked(folder, sql))


def served(server: Server, site: str, days: str) -> Iterator[tuple[str, ByAppliance]]:
    """Return what the API tells of a site's use in days that hold all of it."""
    [of_site] = [one for one in server.get("/sites")["sites"] if one["site"] == site]
    yield "/sites", {one["appliance"]: one["total_kwh"] for one in of_site["appliances"]}
    overview = server.get(f"/overview?site={site}&{days}")
    yield "/overview", {one["appliance"]: one["kwh"] for one in overview["appliances"]}
    assert math.isclose(overview["total"]["kwh"], math.fsum(one["kwh"] for one in overview["appliances"]), rel_tol=1e-9)
    assert math.isclose(of_site["total_kwh"], overview["total"]["kwh"], rel_tol=1e-9)
    by = f"/aggregates?site={site}&{days}&by="
    yield "/aggregates", {one["appliance"]: one["total_kwh"] for one in server.get(f"{by}appliance")["rows"]}
    months = math.fsum(one["kwh"] for one in server.get(f"{by}month")["rows"])
    assert math.isclose(months, overview["total"]["kwh"], rel_tol=1e-9)
    for resolution in _RESOLUTIONS:
        path = f"/readings?site={site}&{days}&resolution={resolution}"
        yield f"{resolution} readings", summed(_pages(server, path))
        text = server.ask(f"/api/v1{path}", headers={"Accept": "text/csv"})
        assert text.status == 200, text.body
        rows = csv.DictReader(io.StringIO(text.body.decode()))
        yield f"{resolution} as CSV", summed((row["appliance"], float(row["kwh"])) for row in rows if row["kwh"])


def _pages(server: Server, path: str) -> Iterator[tuple[str, float]]:
    cursor = ""
    while cursor is not None:
        page = server.get(path + (f"&cursor={cursor}" if cursor else ""))
        for series in page["series"]:
            yield from ((series["appliance"], kwh) for kwh in series["kwh"] if kwh is not None)
        cursor = page["next_cursor"]


def as_parquet(server: Server, site: str, days: str, folder: Path) -> ByAppliance:
    """Return what the API's Parquet of the readings adds up to."""
    path = f"/api/v1/readings?site={site}&{days}&resolution=raw"
    answer = server.ask(path, headers={"Accept": "application/vnd.apache.parquet"})
    assert answer.status == 200, answer.body
    file = folder / "answer.parquet"
    file.write_bytes(answer.body)
    return summed(duckdb.sql(f"SELECT appliance, kwh FROM read_parquet('{file}') WHERE kwh IS NOT NULL").fetchall())


def differing(found: Iterable[tuple[str, ByAppliance]], truth: Mapping[str, float]) -> list[str]:
    """Return what differs from the truth by more than a billionth."""
    return [
        f"{name}: {told}, not {dict(truth)}"
        for name, told in found
        if told.keys() != truth.keys()
        or any(not math.isclose(told[one], kwh, rel_tol=1e-9, abs_tol=1e-12) for one, kwh in truth.items())
    ]
