"""Measure the dashboard in a real browser and its API under load, and fail when a target is missed.

Everything is on loopback: `energy serve` is one process, the browser or the clients are others, on the same
machine. Overview is opened on the sample by a browser with a fresh profile. The readings are those of a made lake
of ten years and fifty appliances; requests come at fixed times whether or not those before have been answered, so
a slow answer does not hold the next ones back (open loop), and the time counts from when a request was due.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

ROOT: Final = Path(__file__).parents[1]
SAMPLE: Final = ROOT / "data" / "sample" / "household_power_hourly.csv.gz"

MAX_FIRST_PAINT_SECONDS: Final = 1.0
MAX_P95_SECONDS: Final = 0.1

LOAD_YEARS: Final = 10
LOAD_APPLIANCES: Final = 50
LOAD_FIRST: Final = date(2016, 1, 1)
SEED: Final = 6
OF_IT: Final = "the server's, of each request; it tells how busy a slow machine was with something else"
BYTES_PER_MB: Final = 1024 * 1024
WARMING_REQUESTS: Final = 5
LONGEST_ANSWER_SECONDS: Final = 30
STARTING_SECONDS: Final = 60
CHROMIUM_ARGUMENTS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
MARK_MOMENTS: Final = """
    const moments = window.moments = {};
    const look = () => {
        const total = document.querySelector("main .tile-value");
        if (total && total.textContent.trim() && !moments.numbers) moments.numbers = performance.now();
        const plots = document.querySelectorAll("main .plot");
        const drawn = document.querySelectorAll("main .plot .main-svg");
        if (plots.length && drawn.length && !moments.chart) moments.chart = performance.now();
        if (plots.length > 1 && [...plots].every((plot) => plot.querySelector(".main-svg"))) {
            moments.all = performance.now();
            return;
        }
        requestAnimationFrame(look);
    };
    look();
"""
"""When the page's numbers and charts are there, seen at each frame from the first on."""


class NotMeasuredError(RuntimeError):
    """Something that was to be measured failed."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    what: str
    value: str
    target: str
    met: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """What the cases need to know."""

    energy: Path
    folder: Path
    """Where the made lake is kept, and others come and go."""
    chromium: str
    paints: int
    requests_per_second: int
    seconds: int


@contextmanager
def served(bench: Bench, lake: Path) -> Iterator[tuple[str, int]]:
    """Serve a lake; give its address and the server's process id."""
    command = [str(bench.energy), "serve", "--port", "0", "--lake", str(lake)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=bench.folder, env=environment())
    try:
        assert server.stdout is not None  # noqa: S101 - asked for above
        line = server.stdout.readline()
        if "http://" not in line:
            raise NotMeasuredError(f"The server did not start: {line!r}")
        yield "http://" + line.partition("http://")[2].partition("/ ")[0], server.pid
    finally:
        server.terminate()
        server.wait(STARTING_SECONDS)
        if server.stdout is not None:
            server.stdout.close()


def environment() -> dict[str, str]:
    """Return this environment without settings of the project."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ENERGY_")}


def run(bench: Bench, file: Path, lake: Path, *options: str) -> None:
    """Run a file into a lake."""
    command = [str(bench.energy), "run", str(file), "--lake", str(lake), *options]
    done = subprocess.run(
        command, cwd=bench.folder, env=environment(), capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode != 0:
        raise NotMeasuredError(f"exit {done.returncode} of {' '.join(command)}: {done.stderr[-500:]}")


def paint_case(bench: Bench) -> list[Row]:
    """Open Overview on the sample in a browser with a fresh profile."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        lake = Path(folder) / "lake"
        run(bench, SAMPLE, lake, "--site", "demo")
        with served(bench, lake) as (address, _):
            taken = [first_paint(bench, address, Path(folder) / f"profile-{turn}") for turn in range(bench.paints)]
    middle = {name: statistics.median(one[name] for one in taken) for name in taken[0]}
    paint = middle["first-contentful-paint"]
    what = f"Overview of the sample, median of {bench.paints}"
    return [
        Row(
            f"{what}: first contentful paint",
            in_seconds(paint),
            f"under {MAX_FIRST_PAINT_SECONDS} s",
            paint < MAX_FIRST_PAINT_SECONDS,
            f"from {min(one['first-contentful-paint'] for one in taken):.2f} s"
            f" to {max(one['first-contentful-paint'] for one in taken):.2f} s",
        ),
        Row(f"{what}: its numbers are shown", in_seconds(middle["numbers"]), "told, no target", met=True),
        Row(f"{what}: first chart is drawn", in_seconds(middle["chart"]), "told, no target", met=True),
        Row(f"{what}: all charts are drawn", in_seconds(middle["all"]), "told, no target", met=True),
        Row(f"{what}: largest contentful paint", in_seconds(middle["largest"]), "told, no target", met=True),
    ]


def first_paint(bench: Bench, address: str, profile: Path) -> dict[str, float]:
    """Return the moments, in seconds since the navigation began, of one visit of a new browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=bench.chromium, args=[*CHROMIUM_ARGUMENTS], viewport={"width": 1280, "height": 900}
        )
        try:
            page = context.pages[0]
            page.add_init_script(MARK_MOMENTS)
            page.goto(address)
            page.locator("main .plot .main-svg").nth(1).wait_for(state="attached", timeout=30_000)
            moments: dict[str, Any] = page.evaluate(
                """() => new Promise((resolve) => {
                    const told = () => {
                        if (!window.moments.all) return requestAnimationFrame(told);
                        new PerformanceObserver((list) => resolve({
                            ...window.moments,
                            "first-contentful-paint":
                                performance.getEntriesByName("first-contentful-paint")[0].startTime,
                            largest: list.getEntries().at(-1).startTime,
                        })).observe({type: "largest-contentful-paint", buffered: true});
                    };
                    told();
                })"""
            )
        finally:
            context.close()
    return {name: milliseconds / 1000 for name, milliseconds in moments.items()}


def load_case(bench: Bench) -> list[Row]:
    """Ask for a year of hours of fifty appliances, many times a second."""
    lake = made_lake(bench)
    with served(bench, lake) as (address, process_id):
        before_seconds = processor_seconds(process_id)
        settings = [address, str(bench.requests_per_second), str(bench.seconds)]
        clients = subprocess.run(
            [sys.executable, str(Path(__file__)), "--clients", *settings],
            capture_output=True, encoding="utf-8", check=False, timeout=bench.seconds + 2 * LONGEST_ANSWER_SECONDS,
        )  # fmt: skip
        if clients.returncode != 0:
            raise NotMeasuredError(clients.stderr[-500:])
        own_seconds = processor_seconds(process_id) - before_seconds
        peak_mb = peak_memory_mb(process_id)
    told = json.loads(clients.stdout)
    what = f"readings, a year of hours, {LOAD_APPLIANCES} appliances, {bench.requests_per_second} a second"
    seconds = told["seconds"]
    p95 = percentile(seconds, 95)
    faults = told["faults"]
    return [
        Row(
            f"{what}: p95", in_seconds(p95), f"under {MAX_P95_SECONDS} s", p95 < MAX_P95_SECONDS,
            f"{len(seconds):,} requests in {bench.seconds} s, different ranges of {LOAD_YEARS} years",
        ),
        Row(f"{what}: p50", in_seconds(percentile(seconds, 50)), "told, no target", met=True),
        Row(f"{what}: slowest", in_seconds(max(seconds)), "told, no target", met=True),
        Row(f"{what}: failed", f"{len(faults)}", "none", not faults, "; ".join(sorted(set(faults))[:3])),
        Row(f"{what}: an answer's size", f"{told['bytes'] / BYTES_PER_MB:.1f} MB", "told, no target", met=True),
        Row(f"{what}: processor time", in_seconds(own_seconds / told["asked"]), "told, no target", True, OF_IT),
        Row("server's peak memory", f"{peak_mb:,.0f} MB", "told, no target", met=True),
    ]  # fmt: skip


def made_lake(bench: Bench) -> Path:
    """Return the lake of ten years of hours of fifty appliances, made by a real run on first use and kept."""
    folder = bench.folder / f"web-{LOAD_APPLIANCES}x{LOAD_YEARS}y-{SEED}"
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        say(f"making a lake of {LOAD_YEARS} years of {LOAD_APPLIANCES} appliances")
        write_readings(folder / "readings.csv")
        run(bench, folder / "readings.csv", folder / "lake", "--model", "moving_average")
        (folder / "readings.csv").unlink()
        (folder / "made").touch()
    return folder / "lake"


def write_readings(path: Path) -> None:
    """Write hours with a day and a year in them, each appliance with a size of its own."""
    import duckdb

    hours = LOAD_YEARS * 8766
    with duckdb.connect() as engine:
        engine.execute(
            f"""COPY (
                SELECT TIMESTAMP '{LOAD_FIRST}' + to_hours(CAST(hour AS INTEGER)) AS timestamp,
                    format('Appliance {{:02d}}', place + 1) AS appliance,
                    round((1 + place % 7) * (0.3 + 0.2 * sin(hour * pi() / 12) * sin(hour * pi() / 12)
                        + 0.1 * cos(hour * pi() / 4383) + 0.1 * (hash(hour * 64 + place + {SEED}) % 1000) / 1000), 3)
                        AS kwh
                FROM range({hours}) AS hours(hour), range({LOAD_APPLIANCES}) AS places(place)
                ORDER BY hour, place
            ) TO '{path}' (HEADER)"""
        )


async def ask_steadily(address: str, *, per_second: int, seconds: int) -> dict[str, Any]:
    """Send requests at fixed times, each of a year from another day on, and return how long each took."""
    import httpx

    chance = random.Random(SEED)  # noqa: S311 - not for secrets
    days = (LOAD_YEARS - 1) * 365 - 10
    paths = [year_from(LOAD_FIRST + timedelta(days=chance.randrange(days))) for _ in range(per_second * seconds)]
    taken: list[float] = []
    faults: list[str] = []
    sizes: list[int] = []
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=address, timeout=LONGEST_ANSWER_SECONDS, limits=limits) as client:
        for number in range(WARMING_REQUESTS):
            await client.get(year_from(LOAD_FIRST + timedelta(days=number * 300)))
        begun = time.perf_counter() + 0.2

        async def ask(place: int, path: str) -> None:
            due = begun + place / per_second
            await asyncio.sleep(due - time.perf_counter())
            try:
                answer = await client.get(path)
            except httpx.HTTPError as error:
                faults.append(type(error).__name__)
                return
            taken.append(time.perf_counter() - due)
            sizes.append(len(answer.content))
            if answer.status_code != 200:
                faults.append(f"status {answer.status_code}")

        await asyncio.gather(*(ask(place, path) for place, path in enumerate(paths)))
        last = (await client.get(paths[-1])).json()
    if len(last["series"]) != LOAD_APPLIANCES or len(last["timestamps"]) != 365 * 24:
        faults.append(f"{len(last['series'])} appliances of {len(last['timestamps'])} hours were told")
    return {"seconds": taken, "faults": faults, "bytes": max(sizes), "asked": len(paths) + WARMING_REQUESTS + 1}


def year_from(day: date) -> str:
    query = {"from": day.isoformat(), "to": (day + timedelta(days=365)).isoformat(), "resolution": "hour"}
    return f"/api/v1/readings?{urlencode(query)}"


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent are not above."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def peak_memory_mb(process_id: int) -> float:
    """Return the most memory that a running process has had so far (Linux; elsewhere 0)."""
    status = Path(f"/proc/{process_id}/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def processor_seconds(process_id: int) -> float:
    """Return the processor time that a running process has had so far (Linux; elsewhere 0)."""
    path = Path(f"/proc/{process_id}/stat")
    if not path.exists():
        return 0.0
    user, system = path.read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


CASES: Final = {"paint": paint_case, "load": load_case}


def run_case(name: str, bench: Bench) -> list[Row]:
    """Return the case's rows; what fails is a target missed, and the other cases still run."""
    say(f"measuring {name}")
    try:
        return CASES[name](bench)
    except NotMeasuredError as error:
        return [Row(name, "", "finishes", met=False, note=str(error))]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text in columns, notes below."""
    cells = [("what", "measured", "target", "verdict")]
    cells += [(row.what, row.value, row.target, "met" if row.met else "MISSED") for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join((what.ljust(widths[0]), value.rjust(widths[1]), target.ljust(widths[2]), verdict))
        for what, value, target, verdict in cells
    ]
    lines += [f"{row.what}: {row.note}" for row in rows if row.note]
    return "\n".join(lines)


def in_seconds(value: float) -> str:
    return f"{value:.3f} s"


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the dashboard's first paint and the API under load.")
    parser.add_argument(
        "--energy",
        type=Path,
        default=Path(sys.executable).with_name("energy"),
        help="the command to measure; by default the one beside this Python",
    )
    parser.add_argument("--only", action="append", choices=list(CASES), help="measure only this; repeatable")
    parser.add_argument("--paints", type=int, default=5, help="visits of Overview")
    parser.add_argument("--per-second", type=int, default=20, help="requests a second")
    parser.add_argument("--seconds", type=int, default=20, help="for how long")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench", help="where the made lake is kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    parser.add_argument("--clients", nargs=3, metavar=("ADDRESS", "PER_SECOND", "SECONDS"), help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 0 if every target is met."""
    options = options_of(arguments)
    if options.clients:
        address, per_second, seconds = options.clients
        print(json.dumps(asyncio.run(ask_steadily(address, per_second=int(per_second), seconds=int(seconds)))))
        return 0
    if not options.energy.is_file():
        say(f"There is no command {options.energy}: install the package, or name another with --energy.")
        return 2
    names = options.only or list(CASES)
    chromium = os.environ.get("ENERGY_CHROMIUM") or shutil.which("chromium") or ""
    if not chromium and "paint" in names:
        say("There is no chromium: install it, name it in ENERGY_CHROMIUM, or measure --only load.")
        return 2
    bench = Bench(
        energy=options.energy.absolute(),
        folder=options.folder.absolute(),
        chromium=chromium,
        paints=options.paints,
        requests_per_second=options.per_second,
        seconds=options.seconds,
    )
    bench.folder.mkdir(parents=True, exist_ok=True)
    rows = [row for name in names for row in run_case(name, bench)]
    print(table(rows))
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
