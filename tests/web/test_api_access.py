"""Who may ask, what is refused, how uploads end, and how the server does."""

import http.client
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import HEADER, energy, hourly_rows, told
from web.serving import Server, is_running

Starting = Callable[..., Server]
GOOD = (HEADER + hourly_rows("2026-01-01", hours=48)).encode()


def test_other_addresses_need_a_token(tmp_path: Path) -> None:
    said = told(energy("serve", "--host", "0.0.0.0", "--port", "0", folder=tmp_path), code=2)  # noqa: S104
    assert "ENERGY_API_TOKEN" in said


def test_a_token_is_asked_for_by_the_api_alone(own_server: Starting) -> None:
    server = own_server(ENERGY_API_TOKEN="a long secret")  # noqa: S106
    refused = server.ask("/api/v1/sites")
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert server.ask("/api/v1/sites", headers={"Authorization": "Bearer a long secre"}).status == 401
    assert server.get("/sites", Authorization="Bearer a long secret") == {"sites": []}
    assert server.ask("/config.json").json["auth"] == "token"
    assert server.ask("/").status == 200


def test_an_empty_lake_is_no_fault(own_server: Starting) -> None:
    server = own_server()
    assert server.get("/sites") == {"sites": []}
    assert server.get("/runs") == {"runs": [], "next_cursor": None}
    assert server.get("/uploads") == {"uploads": []}
    assert server.get("/state")["newest_run"] is None
    for path in ("overview", "readings", "episodes", "forecast", "findings", "bill", "tariffs", "report"):
        answer = server.ask(f"/api/v1/{path}")
        assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json"), path
        assert "no results of the root site yet" in answer.json["detail"]


def test_a_name_that_is_not_the_servers_is_refused(server: Server) -> None:
    assert server.ask("/api/v1/sites", headers={"Host": "rebound.example"}).status == 403
    assert server.ask("/", headers={"Host": "rebound.example:80"}).status == 403
    assert server.ask("/api/v1/sites", headers={"Host": f"localhost:{server.port}"}).status == 200


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_pages_of_other_sites_change_nothing(server: Server, headers: dict[str, str]) -> None:
    answer = server.ask("/api/v1/uploads?name=a.csv&site=evil", "POST", GOOD, headers)
    assert (answer.status, answer.headers["content-type"]) == (403, "application/problem+json")
    assert not (server.lake / "raw" / "evil").exists()
    assert "access-control-allow-origin" not in server.ask("/api/v1/sites", headers=headers).headers


def test_every_answer_has_the_headers_that_browsers_enforce(server: Server) -> None:
    for path in ("/", "/api/v1/sites", "/api/v1/nothing", "/static/nothing.js"):
        headers = server.ask(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/api/v1/uploads/raw/../../etc/passwd",
        "/api/v1/uploads/..%2f..%2fetc%2fpasswd",
        "/api/v1/uploads/runs/autumn/x.json",
        "/api/v1/report?site=../..",
        "/api/v1/report?site=autumn&stamp=../../../x",
        "/api/v1/runs/..%2f..%2fx?site=autumn",
        "/api/v1/rejected/..%2fx?site=autumn",
        "/api/v1/readings?site=autumn'%20OR%201=1--",
        "/api/v1/readings?site=autumn&appliance=Oven')%20OR%20(1=1",
        "/api/v1/episodes/..%2fx?site=autumn",
    ],
)
def test_nothing_outside_is_reached(server: Server, path: str) -> None:
    answer = server.ask(path)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/readings?site=autumn&from=2025-02-30", 422),
        ("GET", "/api/v1/readings?site=autumn&from=yesterday", 422),
        ("GET", "/api/v1/readings?site=autumn&limit=0", 422),
        ("GET", "/api/v1/tables/secrets?site=autumn", 422),
        ("POST", "/api/v1/uploads?name=a.exe", 422),
        ("POST", "/api/v1/uploads?name=..%2fa.csv", 422),
        ("POST", "/api/v1/uploads?name=a.csv&site=..%2f..%2ftmp", 422),
        ("POST", "/api/v1/uploads?name=a.csv&site=.hidden", 422),
        ("POST", "/api/v1/uploads?name=a.csv&site=new", 422),
        ("DELETE", "/api/v1/sites", 405),
    ],
)
def test_errors_are_problem_details(server: Server, method: str, path: str, status: int) -> None:
    answer = server.ask(path, method)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json
    assert {"type", "title", "status", "detail", "instance"} <= problem.keys()
    assert (problem["status"], problem["instance"]) == (status, path.partition("?")[0].replace("%2f", "/"))
    assert problem["detail"].endswith(".")


@pytest.mark.slow
def test_uploads_good_partly_bad_and_useless(own_server: Starting) -> None:
    server = own_server()
    good = server.upload("home", "good.csv", GOOD)
    assert (good["state"], good["rows_accepted"], good["rejected"]) == ("succeeded", 48, [])
    partly = server.upload("home", "partly.csv", GOOD + b"2026-01-09,Oven,many\n2026-01-09 01:00,Oven,2")
    assert (partly["state"], partly["rows_accepted"]) == ("succeeded", 49)
    [refused] = partly["rejected"]
    assert (refused["line_number"], refused["raw_text"]) == (50, "2026-01-09,Oven,many")
    rows = server.ask(f"/api/v1/rejected/{partly['stamp']}?site=home").body.decode().splitlines()
    assert rows[0] == "line_number,raw_text,reason"
    assert len(rows) == 2
    assert (good["notes"], partly["notes"]) == ([], [])
    useless = server.upload("home", "useless.csv", b"this is\nno file of readings\n")
    assert useless["state"] == "failed"
    assert "timestamp" in useless["error"]
    [site] = server.get("/sites")["sites"]
    assert (site["site"], site["total_kwh"]) == ("home", 50.0)
    assert [one["state"] for one in server.get("/uploads?site=home")["uploads"]] == ["failed", "succeeded", "succeeded"]
    assert any(one["kind"] == "failed_run" for one in server.get("/overview?site=home")["attention"])
    assert not list((server.lake / ".work").glob("*/*.csv"))
    doubtful = server.upload("home", "doubtful.csv", GOOD + b"02/03/2026 01:00,Oven,1")
    assert doubtful["notes"] == [
        'Set date_order = "DMY" (day first) or "MDY" in energy.toml, or ENERGY_DATE_ORDER. Then bring the file again.'
    ]
    offsets = "".join(f"2026-01-01T{hour:02}:00:00+01:00,Oven,1\n" for hour in range(24))
    [utc] = server.upload("abroad", "offsets.csv", (HEADER + offsets).encode())["notes"]
    [told] = (one for one in server.get("/overview?site=abroad")["attention"] if one["kind"] == "doubt")
    assert "days and hours are those of UTC" in utc and told["detail"] == utc


def test_an_upload_beyond_the_limit_is_refused_as_it_comes(tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    from energy_analytics.lake import open_lake
    from energy_analytics.settings import Settings
    from energy_analytics.web import Access, create_app

    lake = open_lake(str(tmp_path / "lake"))
    app = create_app(lake, Settings(), access=Access.open(["testserver"]), live="polling", max_upload_bytes=100)
    with TestClient(app) as client:
        at = "/api/v1/uploads?site=home&name=a.csv"
        assert client.post(at, content=b"x" * 101).status_code == 413
        assert client.post(at, content=iter([b"x" * 60, b"x" * 60])).status_code == 413
        assert client.get("/api/v1/uploads/target?site=home&name=a.csv&size_bytes=101").status_code == 422
    assert lake.list("raw") == []


@pytest.mark.slow
def test_a_run_is_told_without_asking(own_server: Starting) -> None:
    server = own_server()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/api/v1/events")
    events = connection.getresponse()
    assert events.getheader("content-type", "").startswith("text/event-stream")

    def following() -> dict[str, dict[str, str]]:
        while not (line := events.readline()).startswith(b"data: "):
            assert line
        found: dict[str, dict[str, str]] = json.loads(line.removeprefix(b"data: "))
        return found

    assert following() == {"sites": {}, "uploads": {}}
    server.upload("home", "good.csv", GOOD)
    states = []
    while not states or states[-1] != "succeeded":
        states.append(following()["uploads"].get("raw/home/good.csv"))
    began = time.monotonic()
    assert server.end() == 128 + signal.SIGTERM
    assert time.monotonic() - began < 10
    assert events.read().strip() == b""
    events.close()
    connection.close()


def test_what_runs_the_uploads_ends_with_the_server(own_server: Starting) -> None:
    server = own_server()
    server.until(lambda: len(server.workers()) == 1)
    [worker] = server.workers()
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    deadline = time.monotonic() + 20
    while is_running(worker):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_port_that_is_taken_is_told(server: Server, tmp_path: Path) -> None:
    said = told(energy("serve", "--port", str(server.port), folder=tmp_path))
    assert f"Port {server.port}" in said


def test_how_a_file_is_sent_is_told_anew_each_time(tmp_path: Path) -> None:
    """A form for the bucket is good for a quarter of an hour, and the lake may not change for days."""
    from fastapi.testclient import TestClient

    from energy_analytics.lake import open_lake
    from energy_analytics.settings import Settings
    from energy_analytics.web import Access, create_app

    app = create_app(open_lake(str(tmp_path / "lake")), Settings(), access=Access.open(["testserver"]), live="polling")
    with TestClient(app) as client:
        target = "/api/v1/uploads/target?site=home&name=a.csv&size_bytes=1"
        assert "etag" in client.get("/api/v1/uploads").headers
        assert "etag" not in client.get(target).headers
