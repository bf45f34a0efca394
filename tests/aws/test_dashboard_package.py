"""The dashboard's zips: small, the same every time, and enough to answer with nothing else on the path."""

import json
import sys
import zipfile
from pathlib import Path

import pytest
from emulator.unpacked import runtime_packages
from test_package import ARCHITECTURE, RUNTIME, names, run_alone

from energy_analytics.aws.package import DASHBOARD, Package, build

pytestmark = pytest.mark.xdist_group("package")

LARGEST_MB = 170
"""The engine is 68 of them, numpy 53."""


def built(out: Path) -> Package:
    return build(
        out, runtime=RUNTIME, architecture=ARCHITECTURE, settings_file=None, say=lambda line: None, part=DASHBOARD
    )


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return built(tmp_path_factory.mktemp("dashboard"))


@pytest.fixture(scope="session")
def dashboard_folders(dashboard: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lambda-dashboard")
    for archive, folder in ((dashboard.function, "task"), (dashboard.layer, "opt")):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(root / folder)
    runtime_packages(root / "runtime")
    return root


def test_the_layer_has_no_forecasting_and_of_plotly_one_script(dashboard: Package) -> None:
    layer = names(dashboard.layer)
    tops = {name.split("/")[1] for name in layer}
    assert {"duckdb", "fastapi", "mangum", "starlette", "orjson", "pydantic"} <= tops
    assert not tops & {"pandas", "prophet", "openai", "typer", "uvicorn", "narwhals", "boto3", "bin", "etc", "share"}
    plotly = {name.partition("/")[2] for name in layer if "plotly" in name}
    assert {name for name in plotly if not name.startswith("plotly-")} == {"plotly/package_data/plotly.min.js"}
    assert any("/licenses/LICENSE" in name for name in plotly)
    assert {name for name in names(dashboard.function) if "/" not in name} == {"dashboard_function.py"}
    assert dashboard.unzipped_bytes < LARGEST_MB * 1_000_000


def test_the_same_sources_make_the_same_bytes(dashboard: Package, tmp_path: Path) -> None:
    again = built(tmp_path)
    assert (again.function_sha256, again.layer_sha256) == (dashboard.function_sha256, dashboard.layer_sha256)


CODE = """
import json, os
os.environ |= {"BUCKET_NAME": "energy-analytics-1a2b3c4d", "CLIENT_ID": "c", "LOGIN_URL": "https://login"}
os.environ |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "eu-central-1"}
import dashboard_function
loaded = set(sys.modules)
def ask(path, **authorizer):
    http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "t"}
    context = {"http": http, "stage": "$default", "requestId": "r"} | authorizer
    headers = {"host": "api.example.org", "accept-encoding": "gzip"}
    event = {"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": headers, "requestContext": context}
    return dashboard_function.lambda_handler(event | {"isBase64Encoded": False}, None)
def jwt(**claims):
    return {"authorizer": {"jwt": {"claims": claims, "scopes": ["openid"]}}}
good = {"sub": "s", "client_id": "c", "token_use": "access"}
answers = {
    "shell": ask("/"), "config": ask("/config.json"), "script": ask("/static/plotly.min.js"),
    "library": ask(f"/static/{sys.argv[1]}"), "openapi": ask("/api/v1/openapi.json", **jwt(**good)),
    "bare": ask("/api/v1/openapi.json"), "encoded": ask("/%61pi/v1/openapi.json"), "slashes": ask("//api/v1/sites"),
    "other client": ask("/api/v1/openapi.json", **jwt(**good | {"client_id": "d"})),
    "id token": ask("/api/v1/openapi.json", **jwt(**good | {"token_use": "id"})),
    "no claims": ask("/api/v1/openapi.json", authorizer={"jwt": {}}),
    "another authorizer": ask("/api/v1/openapi.json", authorizer={"lambda": {"claims": good}}),
}
shown = {
    name: [one["statusCode"], one["headers"], len(one["body"]), one["body"][:300]] for name, one in answers.items()
}
print(json.dumps([shown, sorted(loaded), sorted(sys.modules)]))
"""


def test_it_answers_with_nothing_else_on_its_path(dashboard_folders: Path) -> None:
    from energy_analytics.web.shell import plotly_name

    last = run_alone(dashboard_folders, CODE, plotly_name()).splitlines()[-1]
    answers, loaded, at_the_end = json.loads(last)
    status = {name: answer[0] for name, answer in answers.items()}
    assert [status[name] for name in ("shell", "config", "library", "openapi")] == [200] * 4
    refused = ("bare", "encoded", "slashes", "other client", "id token", "no claims", "another authorizer")
    assert {name: status[name] for name in refused} == dict.fromkeys(refused, 401)
    problem = json.loads(answers["bare"][3])
    assert (problem["status"], problem["instance"]) == (401, "/api/v1/openapi.json")
    config = json.loads(answers["config"][3])
    assert (config["auth"], config["uploads"], config["live"]) == ("cognito", "presigned", "polling")
    assert config["cognito"]["client_id"] == "c"
    assert config["cognito"]["domain"] == "https://login"
    assert answers["library"][1]["content-encoding"] == "gzip"
    assert 1_000_000 < answers["library"][2] < 3_000_000  # of the six that Lambda sends
    for modules in (loaded, at_the_end):
        assert not {"pandas", "prophet", "openai", "typer", "rich", "plotly"} & {one.split(".")[0] for one in modules}
    assert sys.version_info >= (3, 11)


def test_an_answer_that_lambda_would_not_send_is_told_so() -> None:
    from energy_analytics.aws.gateway import ANSWER_LIMIT_BYTES, within_limit

    small = {"statusCode": 200, "body": "x" * 1000, "isBase64Encoded": False}
    assert within_limit(small, path="/p") is small
    fits = {"statusCode": 200, "body": "A" * ANSWER_LIMIT_BYTES, "isBase64Encoded": True}
    assert within_limit(fits, path="/p") is fits
    quoted = {"statusCode": 200, "body": '"' * (ANSWER_LIMIT_BYTES // 2), "isBase64Encoded": False}
    for large in (fits | {"body": "A" * (ANSWER_LIMIT_BYTES + 4)}, quoted):
        answer = within_limit(large, path="/api/v1/readings")
        told = json.loads(answer["body"])
        assert (answer["statusCode"], told["title"]) == (413, "Answer too large")
        assert told["instance"] == "/api/v1/readings"
