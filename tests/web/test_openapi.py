"""The API does what its description says: requests made from it, and every answer held against it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import environment
from web.serving import Server, unusual_rows

LIVE = "/api/v1/events"
"""The only path left out: its answer goes on until the client leaves, so no request for it would ever end."""
SITE = "unusual"
SEED = "6"
PATIENCE_SECONDS = 300


@pytest.fixture
def filled(own_server: Callable[..., Server]) -> Server:
    """A server over a lake of its own, for what is sent to it: a site with an episode, an upload with a refused row."""
    server = own_server()
    told = server.upload(SITE, "pump.csv", f"timestamp,appliance,kwh\n{unusual_rows()}never,Pump,1\n".encode())
    assert told["state"] == "succeeded", told
    return server


def schemathesis(server: Server, folder: Path, *options: str, config: str) -> None:
    """Hold the server against its own description with all checks; fail with what they find."""
    (folder / "schemathesis.toml").write_text(config, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"),
            *("run", f"http://127.0.0.1:{server.port}/api/v1/openapi.json", "--checks", "all", "--exclude-path", LIVE),
            *("--seed", SEED, "--generation-deterministic", "--no-color"),
            *("--request-timeout", "60", "--workers", "1", "--warnings", "off", *options),
        ],
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


# That a text is a tariff, or bytes are no picture, no schema can tell: what is none, or one, is refused all the same.
CONTENTS = """
[[operations]]
include-name = "POST /api/v1/tariffs"
checks.positive_data_acceptance.expected-statuses = ["2xx", "404", "409", "422"]

[[operations]]
include-name = "POST /api/v1/uploads"
checks.positive_data_acceptance.expected-statuses = ["2xx", "404", "409", "422"]
"""


@pytest.mark.slow
def test_whatever_is_asked_the_answer_is_as_described(filled: Server, tmp_path: Path) -> None:
    schemathesis(filled, tmp_path, "--phases", "examples,fuzzing,stateful", "--max-examples", "5", config=CONTENTS)


@pytest.mark.slow
def test_what_is_there_is_told_as_described(filled: Server, tmp_path: Path) -> None:
    """The same for a site, an episode, a finding, a run and an upload that are there."""
    (episode, *_) = filled.get(f"/episodes?site={SITE}")["episodes"]
    (finding, *_) = filled.get(f"/findings?site={SITE}")["findings"]
    (run,) = filled.get(f"/runs?site={SITE}")["runs"]
    named = {
        "GET /api/v1/episodes/{identity}": {"path.identity": episode["id"]},
        "PUT /api/v1/episodes/{identity}/dismissal": {"path.identity": episode["id"]},
        "DELETE /api/v1/episodes/{identity}/dismissal": {"path.identity": episode["id"]},
        "PUT /api/v1/findings/{identity}/dismissal": {"path.identity": finding["id"]},
        "DELETE /api/v1/findings/{identity}/dismissal": {"path.identity": finding["id"]},
        "GET /api/v1/runs/{stamp}": {"path.stamp": run["stamp"]},
        "GET /api/v1/rejected/{stamp}": {"path.stamp": run["stamp"]},
        "GET /api/v1/uploads/{key}": {"path.key": run["key"]},
        "GET /api/v1/what-if": {"query.appliance": "Pump"},
    }
    config = f'[parameters]\n"query.site" = "{SITE}"\n' + CONTENTS
    for name, parameters in named.items():
        values = ", ".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in parameters.items())
        config += f'\n[[operations]]\ninclude-name = "{name}"\nparameters = {{ {values} }}\n'
    schemathesis(filled, tmp_path, "--phases", "coverage,fuzzing", "--max-examples", "5", config=config)


def test_the_description_is_whole_and_gives_no_example_that_may_be_untrue(server: Server) -> None:
    described: dict[str, Any] = server.get("/openapi.json")
    assert described["openapi"].startswith("3.")
    assert LIVE in described["paths"]
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
            for status, answer in operation["responses"].items():
                for form in answer.get("content", {}).values():
                    assert "example" not in form and "examples" not in form, (method, path, status)
            problems = [one for one in operation["responses"] if one >= "400"]
            assert problems, (method, path)
