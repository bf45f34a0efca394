"""Energy is conserved: what was accepted is what every output adds up to, in every lake that a test leaves behind.

The readings are added up here from their files alone, the later upload of an interval winning. A site is compared with
them when its newest run rests on the readings that are there; tests also leave lakes with work to do.
"""

import csv
import html
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from energy_analytics.lake import Lake, LocalLake
from energy_analytics.lake.s3 import S3Lake
from energy_analytics.runs import Manifest, succeeded_runs
from energy_analytics.schema import READINGS, RUNS
from energy_analytics.uploads import in_site, readings_key, upload_time, uploads_of_site
from energy_analytics.words import energy

RELATIVE = 1e-9
_DAY = {"hourly": "CAST(hour AS DATE)", "daily": "day", "decomposition": "ds"}
"""The last is the history that the forecast was made from: its complete days."""


def check_energy(lake: Lake) -> int:
    """Refuse a lake in which kWh were lost or made; return how many sums were compared with a run's total."""
    compared = 0
    sites: dict[str, Manifest] = {}
    for manifest in succeeded_runs(lake):
        sites.setdefault(manifest["site"], manifest)
        there = {stored.key for stored in lake.list("/".join(manifest["outputs"]["processed"].split("/")[:-1]))}
        sums = {"appliances": [one["total_kwh"] for one in manifest["results"]["appliances"]]}
        if manifest["outputs"]["processed"] in there:
            text = lake.read(manifest["outputs"]["processed"]).decode()
            rows = list(csv.DictReader(io.StringIO(text)))
            sums["processed"] = [float(row["total_kwh"]) for row in rows]
            sums["means times counts"] = [float(row["avg_kwh"]) * int(row["count"]) for row in rows]
            of_each = {one["appliance"]: one["total_kwh"] for one in manifest["results"]["appliances"]}
            _agree_on_each(manifest, "processed", {row["appliance"]: float(row["total_kwh"]) for row in rows}, of_each)
        for name, kwh in sums.items():
            compared += _agree(manifest, name, sum(kwh))
        if (months := _billed_months(manifest)) is not None:
            compared += _agree(manifest, "months of the bill", sum(months))
        compared += _in_the_reports(lake, manifest)
        _refused_are_told(lake, manifest)
    for manifest in sites.values():
        compared += _site_agrees(lake, manifest)
    return compared


def _agree(manifest: Manifest, name: str, kwh: float) -> int:
    total = manifest["results"]["total_kwh"]
    place = f"{manifest['upload']['key']} ({manifest['stamp']})"
    assert abs(kwh - total) <= RELATIVE * max(abs(total), 1e-3), f"{place}: {name} {kwh!r}, the run {total!r} kWh"
    return 1


def _agree_on_each(manifest: Manifest, name: str, found: dict[str, float], wanted: dict[str, float]) -> None:
    """Compare appliance by appliance, so that what one has too much of cannot make up for what another lacks."""
    place = f"{manifest['upload']['key']} ({manifest['stamp']})"
    assert found.keys() == wanted.keys(), f"{place}: {name} {sorted(found)}, the run {sorted(wanted)}"
    for appliance, kwh in wanted.items():
        near = RELATIVE * max(abs(kwh), 1e-3)
        assert abs(found[appliance] - kwh) <= near, f"{place}: {name} {appliance} {found[appliance]!r}, the run {kwh!r}"


def _billed_months(manifest: Manifest) -> list[float] | None:
    """Return the kWh of the bill's months, where the bill is of all days."""
    money, results = manifest["results"]["money"], manifest["results"]
    bill = money and money["bill"]
    if not bill or not bill["months"] or bill["start"] > results["first"][:10] or bill["end"] <= results["last"][:10]:
        return None
    return [month["kwh"] for month in bill["months"]]


def _in_the_reports(lake: Lake, manifest: Manifest) -> int:
    there = {stored.key for stored in lake.list(manifest["outputs"]["report_text"].rpartition("/")[0], below=False)}
    wanted = " ".join(energy(manifest["results"]["total_kwh"]).split())
    compared = 0
    for name in ("report_text", "report_html"):
        if (key := manifest["outputs"][name]) in there:
            text = lake.read(key).decode()
            shown = " ".join(html.unescape(re.sub("<[^>]*>", " ", text) if name == "report_html" else text).split())
            assert wanted in shown, f"{key} does not tell {wanted}"
            compared += 1
    return compared


def _refused_are_told(lake: Lake, manifest: Manifest) -> None:
    """What was read and is not accepted lies among the refused rows, row by row."""
    if (key := manifest["outputs"].get("rejected")) is None:
        assert not manifest["intake"]["rejected_by_reason"], manifest["upload"]["key"]
        return
    rows = list(csv.DictReader(io.StringIO(lake.read(key).decode(), newline="")))
    told = manifest["intake"]["rejected_by_reason"]
    # A row tells more than its reason: the line that it is a duplicate of.
    reasons = Counter(max((one for one in told if row["reason"].startswith(one)), key=len, default="") for row in rows)
    assert reasons == told, key


def _site_agrees(lake: Lake, manifest: Manifest) -> int:
    """Compare the newest run of a site, and its curated tables, with the readings that are there."""
    site = manifest["site"]
    given = {stored.key for stored in lake.list(in_site(READINGS.prefix, site, ""), below=False)}
    found = []
    with duckdb.connect() as engine:
        for stored in uploads_of_site(lake, site):
            if readings_key(stored.key) not in given:
                continue
            path = str(lake.fetch(readings_key(stored.key)))
            marks = engine.execute("SELECT key, value FROM parquet_kv_metadata(?)", [path]).fetchall()
            version = json.loads({bytes(key).decode(): bytes(value).decode() for key, value in marks}["upload"])
            at = version["uploaded_at"]
            if (at, version["size_bytes"]) != (upload_time(stored).isoformat(), stored.size_bytes):
                return 0  # Of an earlier version, and the present one has still to be run, or cannot be.
            found.append((at, stored.key, path))
        found.sort()
        upload = manifest["upload"]
        if not found or found[-1][:2] != (upload["uploaded_at"], upload["key"]):
            return 0
        if manifest["history"]["uploads"] != len(found):
            return 0
        return _tables_agree(engine, lake, manifest, [path for _, _, path in found])


def _tables_agree(engine: duckdb.DuckDBPyConnection, lake: Lake, manifest: Manifest, paths: list[str]) -> int:
    exports = manifest["settings"].get("export_appliances") or []
    parts = []
    for place, path in enumerate(paths):
        columns = [row[0] for row in engine.execute("DESCRIBE FROM read_parquet(?)", [path]).fetchall()]
        offset = "utc_offset_minutes" if "utc_offset_minutes" in columns else "NULL"
        file = path.replace("'", "''")
        parts.append(
            f"SELECT appliance, timestamp, {offset} AS shift, kwh, {place} AS place FROM read_parquet('{file}')"
        )
    rows = engine.execute(
        f"""SELECT appliance, fsum(kwh) FROM (
            SELECT kwh, appliance, row_number() OVER (
                PARTITION BY appliance, timestamp, coalesce(shift, 0) ORDER BY place DESC) AS n
            FROM ({" UNION ALL ".join(parts)})) WHERE n = 1 AND appliance NOT IN (SELECT unnest(?::VARCHAR[]))
        GROUP BY appliance""",
        [exports],
    ).fetchall()
    of_each = {one["appliance"]: one["total_kwh"] for one in manifest["results"]["appliances"]}
    _agree_on_each(manifest, "accepted readings", dict(rows), of_each)
    compared = _agree(manifest, "accepted readings", sum(kwh for _, kwh in rows))
    there = {stored.key for stored in lake.list("curated")}
    by_day: dict[str, dict[Any, float]] = {}
    for table, day in _DAY.items():
        key = in_site(f"curated/{table}", manifest["site"], f"{table}.parquet")
        if key not in there:
            continue
        rows = engine.execute(
            f"SELECT {day}, fsum(kwh) FROM read_parquet(?) WHERE kwh IS NOT NULL GROUP BY 1",
            [str(lake.fetch(key))],
        ).fetchall()
        by_day[table] = dict(rows)
        if table != "decomposition":
            by_appliance = engine.execute(
                "SELECT appliance, fsum(kwh) FROM read_parquet(?) GROUP BY 1", [str(lake.fetch(key))]
            ).fetchall()
            _agree_on_each(manifest, table, dict(by_appliance), of_each)
            compared += _agree(manifest, table, sum(by_day[table].values()))
    for name, days in by_day.items():
        for date, kwh in days.items():
            whole = by_day.get("daily", {}).get(date, kwh)
            assert abs(kwh - whole) <= RELATIVE * max(1.0, abs(whole)), f"{name} of {date}: {kwh!r}, daily {whole!r}"
    return compared


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "tampered(why): leaves a lake in which kWh do not add up, on purpose")


def lakes_below(folder: Path) -> Iterator[LocalLake]:
    """Find the lakes in folders that a test has made."""
    for runs in sorted(folder.rglob(RUNS)):
        if runs.is_dir() and any(runs.rglob("run_*.json")):
            yield LocalLake(runs.parent)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Check every lake that a test has made in its folder or bucket, as a part of the test."""
    yield
    if item.get_closest_marker("tampered") is not None:
        return
    given = getattr(item, "funcargs", {})
    if "tmp_path" in given:
        for lake in lakes_below(given["tmp_path"]):
            check_energy(lake)
    for name in ("lake", "s3_lake"):
        if isinstance(given.get(name), S3Lake):
            check_energy(given[name])
