"""Measure the built function on the tests' emulator: sizes, cold and warm runs, memory, requests, cost of an upload.

The function runs under Lambda's own runtime client in a sandbox with its memory, disk and clean environment, and talks
TLS to S3; the network to S3 is this machine's own, and so are the processors, of which Lambda gives 3,008 MB about 1.7.
"""

import argparse
import collections
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from emulator import start  # type: ignore[import-not-found] # noqa: E402 - of the tests
from emulator.process import NOWHERE  # type: ignore[import-not-found] # noqa: E402

SAMPLE: Final = ROOT / "data" / "sample" / "household_power_hourly.csv.gz"
RUNTIME: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE: Final = {"aarch64": "arm64", "arm64": "arm64"}.get(os.uname().machine, "x86_64")
MAX_COLD_SECONDS: Final = 6.0
MAX_MB: Final = 600
UPLOADS_PER_MONTH: Final = 1000
BYTES_PER_LOG_EVENT: Final = 26
"""CloudWatch adds them to each event that it charges for."""
PUT_PRICED: Final = ("PutObject", "CopyObject", "ListObjects", "CreateMultipart", "UploadPart", "CompleteMultipart")
FREE: Final = ("DeleteObject", "AbortMultipart")
WAIT_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Call:
    """What the log reports of one call of the function, and how long an upload waited for its result."""

    result_seconds: float
    duration_seconds: float
    billed_seconds: float
    init_seconds: float
    peak_mb: int
    log_kb: float


@dataclass(frozen=True, slots=True)
class Case:
    """The medians of a file's cold and warm runs, and what one run asks of S3."""

    file: str
    rows: int
    mb: float
    mb_of_results: float
    cold: Call
    warm: Call
    puts: int
    gets: int


@dataclass(frozen=True)
class Bench:
    """A deployment on an emulator."""

    aws: Any
    folder: Path
    outputs: Mapping[str, str]

    def energy(self, *arguments: str) -> str:
        """Run a command in the bench's folder; return what it says."""
        environment = os.environ | self.aws.environment() | {"PYTHONPATH": str(ROOT / "src")}
        command = [sys.executable, "-m", "energy_analytics", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, check=True, stdout=subprocess.PIPE, encoding="utf-8"
        ).stdout

    def restart(self, number: int) -> None:
        """Have the next call start cold."""
        function, name = self.aws.client("lambda"), self.outputs["FunctionName"]
        variables = function.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        function.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables | {"COLD_START": str(number)}}
        )

    def upload(self, file: Path, site: str) -> Call:
        """Upload a file to a site of its own; return the call that it brought about."""
        bucket, before = self.outputs["BucketName"], len(self.events())
        s3, manifests = self.aws.client("s3"), {"Bucket": bucket, "Prefix": f"runs/{site}/run_"}
        began = time.monotonic()
        s3.put_object(Bucket=bucket, Key=f"raw/{site}/{file.name}", Body=file.read_bytes())
        while not s3.list_objects_v2(**manifests).get("Contents"):
            if time.monotonic() - began > WAIT_SECONDS:
                raise RuntimeError(f"{file} has no run; see {self.aws.log}")
            time.sleep(0.02)
        took = time.monotonic() - began
        while not (reports := [one for one in self.events()[before:] if '"platform.report"' in one]):
            time.sleep(0.02)
        metrics = json.loads(reports[0])["record"]["metrics"]
        size = sum(len(one.encode()) + BYTES_PER_LOG_EVENT for one in self.events()[before:])
        return Call(
            took,
            metrics["durationMs"] / 1000,
            metrics["billedDurationMs"] / 1000,
            metrics.get("initDurationMs", 0.0) / 1000,
            metrics["maxMemoryUsedMB"],
            size / 1024,
        )

    def events(self) -> list[str]:
        """Return what the function's log holds."""
        pages = self.aws.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=self.outputs["LogGroupName"])
        return [event["message"] for page in found for event in page["events"]]


def deployed(aws: Any, folder: Path) -> Bench:
    """Build the package for this interpreter and deploy it with the settings that are the default."""
    settings = f'[aws]\nruntime = "{RUNTIME}"\narchitecture = "{ARCHITECTURE}"\n'
    (folder / "energy.toml").write_text(settings, encoding="utf-8")
    bench = Bench(aws, folder, {})
    say("building and deploying")
    bench.energy("package", "--out", "package")
    bench.energy("deploy", "--yes", "--package", "package")
    [stack] = aws.client("cloudformation").describe_stacks(StackName="energy-analytics")["Stacks"]
    return Bench(aws, folder, {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]})


def measured(bench: Bench, name: str, file: Path, *, cold_runs: int, warm_runs: int) -> Case:
    """Upload a file again and again, each time to a site of its own."""
    say(f"measuring {name}")
    cold, warm = [], []
    for number in range(cold_runs):
        bench.restart(time.monotonic_ns())
        cold.append(bench.upload(file, f"{name}-cold-{number}"))
    for number in range(warm_runs):
        warm.append(bench.upload(file, f"{name}-warm-{number}"))
    puts, gets, rows = requests(bench, file, f"{name}-counted")
    text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    given = text.count(b"\n") - 1
    if rows != given:
        raise RuntimeError(f"{rows} of the {given} rows of {file} were used")
    results = result_bytes(bench, f"{name}-counted")
    return Case(name, rows, file.stat().st_size / 1e6, results / 1e6, medians(cold), medians(warm), puts, gets)


def medians(calls: list[Call]) -> Call:
    """Return the median of each figure; of memory the most."""
    columns = zip(*(asdict(call).values() for call in calls), strict=True)
    middle = dict(zip(asdict(calls[0]), map(statistics.median, columns), strict=True))
    return Call(**middle | {"peak_mb": max(call.peak_mb for call in calls)})


def requests(bench: Bench, file: Path, site: str) -> tuple[int, int, int]:
    """Run an upload in this process as the function does; count what is asked of S3, writes (and lists) and reads."""
    import boto3

    from energy_analytics.aws.function import function_lake, run_upload
    from energy_analytics.settings import load_settings

    found: collections.Counter[str] = collections.Counter()

    def count(model: Any, **_: Any) -> None:
        found[model.name] += 1

    lake = function_lake(bench.outputs["BucketName"])
    key = f"raw/{site}/{file.name}"
    bucket = {"Bucket": lake.bucket}
    s3 = bench.aws.client("s3")
    told = s3.get_bucket_notification_configuration(**bucket)
    del told["ResponseMetadata"]
    s3.put_bucket_notification_configuration(**bucket, NotificationConfiguration={})
    s3.put_object(**bucket, Key=key, Body=file.read_bytes())
    s3.put_bucket_notification_configuration(**bucket, NotificationConfiguration=told)
    boto3.DEFAULT_SESSION = boto3.Session()
    boto3.DEFAULT_SESSION.events.register("before-call.s3", count)
    settings = load_settings(config=bench.folder / "energy.toml", lake=lake.uri)
    ended = run_upload(lake, key, settings, seconds_left=lambda: 900.0, identified=lambda upload: None, compare=False)
    assert ended is not None  # noqa: S101 - it was put a moment ago
    writes = sum(times for name, times in found.items() if name.startswith(PUT_PRICED))
    free = sum(times for name, times in found.items() if name.startswith(FREE))
    rows: int = ended.manifest["intake"]["rows_accepted"]
    return writes, found.total() - writes - free, rows


def result_bytes(bench: Bench, site: str) -> int:
    """Return how much the results of an upload take."""
    s3, bucket = bench.aws.client("s3"), bench.outputs["BucketName"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    stored = (one for page in pages for one in page.get("Contents", []))
    return sum(one["Size"] for one in stored if site in one["Key"] and not one["Key"].startswith("raw/"))


def prices_of(case: Case, memory_mb: int) -> dict[str, Any]:
    """Return a case as the part `[measured]` of aws_prices.toml."""
    return {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "seconds_per_upload": round(case.cold.billed_seconds, 1),
        "memory_mb": memory_mb,
        "architecture": ARCHITECTURE,
        "mb_per_upload": round(case.mb, 2),
        "mb_of_results_per_upload": round(case.mb_of_results, 2),
        "puts_per_upload": case.puts,
        "gets_per_upload": case.gets,
        "log_kb_per_upload": round(case.cold.log_kb),
    }


def table(cases: list[Case]) -> str:
    """Return the figures in columns."""
    lines = [f"{'':34}{'result':>9}{'billed':>9}{'start':>9}{'run':>9}{'memory':>9}"]
    for case in cases:
        for kind, call in (("cold", case.cold), ("warm", case.warm)):
            what = f"{case.file}, {case.rows:,} rows, {kind}"
            lines.append(
                f"{what:34}{call.result_seconds:7.2f} s{call.billed_seconds:7.2f} s"
                f"{call.init_seconds:7.2f} s{call.duration_seconds:7.2f} s{call.peak_mb:6} MB"
            )
        lines.append(
            f"  {case.puts} writes and lists, {case.gets} reads; results {case.mb_of_results:.2f} MB, "
            f"log {case.cold.log_kb:.0f} KB"
        )
    return "\n".join(lines)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the built function on the tests' emulator.")
    parser.add_argument("--cold-runs", type=int, default=3)
    parser.add_argument("--warm-runs", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; they fail nothing."""
    options = options_of(arguments)
    for name in [name for name in os.environ if name.startswith(("AWS_", "ENERGY_"))]:
        del os.environ[name]
    os.environ.update(NOWHERE)
    with tempfile.TemporaryDirectory() as name, start(Path(name) / "aws", concurrency=4) as aws:
        os.environ.update(aws.environment())
        bench = deployed(aws, Path(name))
        from energy_analytics.aws.costs import estimate
        from energy_analytics.settings import AwsSettings

        bench.energy("generate", "--days", "30", "--end", "2026-03-31")
        bench.upload(SAMPLE, "unpacking")  # which the emulator does once
        runs = {"cold_runs": options.cold_runs, "warm_runs": options.warm_runs}
        generated = bench.folder / "data" / "output" / "energy_data.csv"
        cases = [measured(bench, "month", generated, **runs), measured(bench, "sample", SAMPLE, **runs)]
        settings = AwsSettings(architecture=ARCHITECTURE)
        prices = prices_of(cases[0], settings.memory_mb)
        cost = estimate(settings, uploads_per_month=UPLOADS_PER_MONTH, alarms=6, measured=prices)
        zips = {path.name: path.stat().st_size for path in sorted((bench.folder / "package").glob("*.zip"))}
    print(table(cases))
    print("\n".join(f"{file}: {size / 1e6:.1f} MB" for file, size in zips.items()))
    for line in cost.lines:
        print(f"{line.usd_per_month / UPLOADS_PER_MONTH:.7f} dollars an upload: {line.service}, {line.use}")
    print(f"{cost.usd_per_month / UPLOADS_PER_MONTH:.6f} dollars an upload in all, at {UPLOADS_PER_MONTH:,} a month")
    month = cases[0].cold
    within = month.result_seconds < MAX_COLD_SECONDS and month.peak_mb < MAX_MB
    print(
        f"Cold start to result of a month: {month.result_seconds:.1f} s and {month.peak_mb} MB, "
        f"{'within' if within else 'NOT within'} {MAX_COLD_SECONDS:g} s and {MAX_MB} MB"
    )
    print("\n[measured]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in prices.items()))
    if options.json is not None:
        figures = {"cases": [asdict(case) for case in cases], "zips": zips, "measured": prices}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
