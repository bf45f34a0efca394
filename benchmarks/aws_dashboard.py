"""Measure the built dashboard behind the tests' emulated HTTP API: zips, cold and warm answers, memory, requests to S3.

The function runs as in `aws.py`: under Lambda's own runtime client in its sandbox, with this machine's processors. What
AWS takes to bring the layer to a machine, and the way from the browser, are not in the figures.
"""

import argparse
import collections
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "aws")]

from aws import SAMPLE, Bench, say  # type: ignore[import-not-found] # noqa: E402 - beside this file
from emulator import start  # type: ignore[import-not-found] # noqa: E402 - of the tests
from emulator.process import NOWHERE  # type: ignore[import-not-found] # noqa: E402 - of the tests
from visiting import PASSWORD, Visitor, add_user, sign_in  # type: ignore[import-not-found] # noqa: E402 - of the tests

RUNTIME: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
FUNCTION: Final = "energy-dashboard"
PAGE: Final = (
    "/",
    "/config.json",
    "/api/v1/sites",
    "/api/v1/overview?site=house",
    "/api/v1/readings?site=house&resolution=day",
    "/api/v1/forecast?site=house",
    "/api/v1/findings?site=house",
    "/api/v1/episodes?site=house",
    "/api/v1/state?site=house",
)
"""What is asked when somebody opens the dashboard."""


STALE_SECONDS: Final = 2.1
"""For two seconds the application takes the lake as it has seen it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: how long it took for the browser, and what the function's log reports of it."""

    path: str
    seconds: float
    billed_seconds: float
    init_seconds: float
    peak_mb: int
    bytes: int


@dataclass(frozen=True)
class Web:
    """The deployment, and somebody who has signed in."""

    bench: Bench
    visitor: Visitor
    token: str

    def ask(self, path: str) -> Asked:
        """Make a request; return it with what the log says of it."""
        before = len(self.reports())
        began = time.monotonic()
        answer = self.visitor.get(path, self.token, accept_encoding="gzip")
        took = time.monotonic() - began
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.body[:300]!r}")
        while len(reports := self.reports()) == before:
            time.sleep(0.01)
        metrics = reports[-1]["record"]["metrics"]
        billed, init = metrics["billedDurationMs"] / 1000, metrics.get("initDurationMs", 0.0) / 1000
        return Asked(path, took, billed, init, metrics["maxMemoryUsedMB"], len(answer.body))

    def ask_later(self, path: str) -> Asked:
        """Make a request when what the function has seen of the bucket is no longer fresh."""
        time.sleep(STALE_SECONDS)
        return self.ask(path)

    def reports(self) -> list[dict[str, Any]]:
        """Return what the service's side has reported of the function's calls."""
        lines = (json.loads(line) for line in self.log() if line.startswith("{"))
        return [line for line in lines if line.get("type") == "platform.report"]

    def log(self) -> list[str]:
        """Return what the function's log holds."""
        pages = self.bench.aws.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=self.bench.outputs["DashboardLogGroupName"])
        return [event["message"] for page in found for event in page["events"]]

    def restart(self) -> None:
        """Have the next call start cold."""
        function = self.bench.aws.client("lambda")
        variables = function.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
        changed = variables | {"COLD_START": str(time.monotonic_ns())}
        function.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": changed})


def deployed(aws: Any, folder: Path) -> Web:
    """Deploy with the dashboard, run the sample, sign in."""
    (folder / "energy.toml").write_text(f'[aws]\nruntime = "{RUNTIME}"\n', encoding="utf-8")
    bench = Bench(aws, folder, {})
    say("building and deploying")
    bench.energy("package", "--out", "package", "--with-dashboard")
    bench.energy("deploy", "--yes", "--package", "package", "--with-dashboard")
    [stack] = aws.client("cloudformation").describe_stacks(StackName="energy-analytics")["Stacks"]
    bench = Bench(aws, folder, {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]})
    bench.energy("upload", str(SAMPLE), "--site", "house", "--wait")
    visitor = Visitor(aws, bench.outputs["DashboardUrl"])
    client_id = visitor.get("/config.json").json()["cognito"]["client_id"]
    email = "bench@example.org"
    given = add_user(aws, bench.outputs["UserPoolId"], email)
    tokens = sign_in(aws, client_id, visitor.url, email=email, password=given, new=PASSWORD)
    return Web(bench, visitor, tokens["access_token"])


def s3_requests(web: Web) -> tuple[float, float]:
    """Return reads and lists of S3 for each request of a page, its files fetched before, as in a warm function."""
    import boto3
    from starlette.testclient import TestClient

    from energy_analytics.lake import open_lake
    from energy_analytics.settings import load_settings
    from energy_analytics.web import Access, create_app

    found: collections.Counter[str] = collections.Counter()

    def count(model: Any, **_: Any) -> None:
        found[model.name] += 1

    boto3.DEFAULT_SESSION = boto3.Session()
    boto3.DEFAULT_SESSION.events.register("before-call.s3", count)
    uri = f"s3://{web.bench.outputs['BucketName']}"
    access = Access.gateway(domain="https://login", client_id="c")
    app = create_app(open_lake(uri), load_settings(lake=uri), access=access, uploads="presigned", live="polling")
    client = TestClient(app)
    for _ in range(2):
        found.clear()
        for path in PAGE:
            app.state.desk.sites.forget()  # as when somebody looks now and then, and not twice within two seconds
            client.get(path)
    lists = sum(times for name, times in found.items() if name.startswith("List"))
    return (found.total() - lists) / len(PAGE), lists / len(PAGE)


def medians(asked: list[Asked], value: Callable[[Asked], float]) -> float:
    """Return the median of a figure."""
    return statistics.median(map(value, asked))


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; they fail nothing."""
    parser = argparse.ArgumentParser(description="Measure the built dashboard on the tests' emulator.")
    parser.add_argument("--cold-runs", type=int, default=3)
    parser.add_argument("--warm-runs", type=int, default=5)
    options = parser.parse_args(arguments)
    for name in [name for name in os.environ if name.startswith(("AWS_", "ENERGY_"))]:
        del os.environ[name]
    os.environ.update(NOWHERE)
    with tempfile.TemporaryDirectory() as name, start(Path(name) / "aws", concurrency=4) as aws:
        os.environ.update(aws.environment())
        web = deployed(aws, Path(name))
        say("measuring")
        cold: dict[str, list[Asked]] = {"/": [], "/api/v1/overview?site=house": []}
        for path, asked in cold.items():
            for _ in range(options.cold_runs):
                web.restart()
                asked.append(web.ask(path))
        for path in PAGE:
            web.ask(path)
        warm = {path: [web.ask_later(path) for _ in range(options.warm_runs)] for path in PAGE}
        gets, lists = s3_requests(web)
        zips = {path.name: path.stat().st_size for path in sorted((Path(name) / "package").glob("*dashboard*.zip"))}
        log_bytes = sum(len(line.encode()) + 26 for line in web.log()) / len(web.reports())
    for kind, cases in (("cold", cold), ("warm", warm)):
        for path, asked in cases.items():
            print(
                f"{kind} {path:46}{medians(asked, lambda one: one.seconds):7.2f} s"
                f"{medians(asked, lambda one: one.init_seconds):7.2f} s start"
                f"{medians(asked, lambda one: one.billed_seconds):7.3f} s billed"
                f"{max(one.peak_mb for one in asked):6} MB{medians(asked, lambda one: one.bytes):10,.0f} bytes"
            )
    print("\n".join(f"{file}: {size / 1e6:.1f} MB" for file, size in zips.items()))
    every = [one.billed_seconds for asked in warm.values() for one in asked]
    figures = {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "seconds_per_request": round(statistics.mean(every), 3),
        "gets_per_request": round(gets, 1),
        "lists_per_request": round(lists, 1),
        "log_kb_per_request": round(log_bytes / 1024, 1),
    }
    print("\n[measured_dashboard]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in figures.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
