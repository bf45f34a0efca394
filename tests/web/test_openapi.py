"""The API does what its description says: requests made from it, and every answer held against it."""

import subprocess
import sys
from pathlib import Path

from commands import environment

from .conftest import Server

LIVE = "/api/v1/events"
"""The only path left out: its answer goes on until the client leaves, so a request for it never ends."""
SEED = "6"
PATIENCE_SECONDS = 200


def schemathesis(server: Server, folder: Path, *options: str, config: str = "") -> str:
    """Run all its checks against the server, and return what it found."""
    (folder / "schemathesis.toml").write_text(config, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"),
            *("run", f"http://127.0.0.1:{server.port}/api/v1/openapi.json", "--checks", "all", "--exclude-path", LIVE),
            *("--seed", SEED, "--generation-deterministic", "--generation-database", "none", "--no-color"),
            *("--request-timeout", "30", "--workers", "1", "--warnings", "off", *options),
        ],
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout
