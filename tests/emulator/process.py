"""Start the emulator as a process of its own, and stop it with all it started."""

import contextlib
import http.client
import importlib.metadata
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

MINISTACK: Final = "1.5.33"  # the corrections reach into this version's internals
ACCOUNT: Final = "123456789012"  # as an access key it is this account's root, which no policy binds
REGION: Final = "eu-central-1"  # not the SDK's usual example, so that a region written into code shows
LOOPBACK: Final = "127.0.0.1"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 1
NOWHERE: Final = {  # no profile, no instance role and no proxy may lead a test to a real account
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:9",  # the discard port: nothing answers there
    "NO_PROXY": LOOPBACK,
}


class EmulatorError(Exception):
    """The emulator cannot be used; the message says why."""


@dataclass(frozen=True)
class Emulator:
    """A running emulator: where it is, and how a client reaches it."""

    endpoint: str
    ca_bundle: Path
    log: Path
    region: str = REGION

    def environment(self, access_key: str = ACCOUNT, secret_key: str = "test") -> dict[str, str]:  # noqa: S107
        """Return what a process must have in its environment to use this emulator and nothing else."""
        refuse_remote(self.endpoint)
        return NOWHERE | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str, **credentials: str) -> Any:
        """Return a boto3 client of the service, as the account's root unless given other credentials.

        Credentials are boto3's `aws_access_key_id`, `aws_secret_access_key` and `aws_session_token`.
        """
        refuse_remote(self.endpoint)
        root = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "test"}
        return _client(self.endpoint, self.ca_bundle, service, **(credentials or root))

    def reset(self) -> None:
        """Forget everything: a new, empty account."""
        _request(self.endpoint, "POST", "/_ministack/reset", self.ca_bundle)


@cache
def _client(endpoint: str, ca_bundle: Path, service: str, **credentials: str) -> Any:
    import boto3

    session = boto3.session.Session(region_name=REGION, **credentials)
    return session.client(service, endpoint_url=endpoint, verify=str(ca_bundle))


@contextlib.contextmanager
def start(
    folder: Path, *, port: int = 0, retry_seconds: float = 0.2, age_scale: float = 1.0, concurrency: int = 10
) -> Iterator[Emulator]:
    """Run the emulator with its files in `folder`, and stop it with everything it started.

    `port` 0 takes a free one. `retry_seconds` is the pause before the first retry of an asynchronous invocation (a
    minute on the service), `age_scale` the seconds here for one of an event's maximum age. `concurrency` is the
    account's: a new account has 10, and can then reserve none of it.
    """
    _check_version()
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    certificate = _certificate(folder)
    port = port or _free_port()
    log = folder / "emulator.log"
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MINISTACK_"))}
    environment = own | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": LOOPBACK,
        "MINISTACK_HOST": "localhost",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_SSL_CERT": str(certificate),
        "MINISTACK_SSL_KEY": str(certificate.with_suffix(".key")),
        "AUTH": "true",
        "USE_SSL": "1",
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(scratch),
        "HOME": str(scratch),
        "EMULATOR_RETRY_SECONDS": str(retry_seconds),
        "EMULATOR_AGE_SCALE": str(age_scale),
        "LAMBDA_ACCOUNT_CONCURRENCY": str(concurrency),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, [own.get("PYTHONPATH")])]),
        "PYTHONWARNINGS": "ignore",
        "PYTHONUNBUFFERED": "1",
    }
    emulator = Emulator(f"https://{LOOPBACK}:{port}", certificate, log)
    with log.open("wb") as out:
        # Its standard input is a pipe that nobody writes to: it closes when we end, however we end.
        process = subprocess.Popen(
            [sys.executable, "-m", "emulator.server"],
            env=environment,
            cwd=scratch,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await_health(process, emulator)
        yield emulator
    finally:
        _stop(process)
        shutil.rmtree(scratch, ignore_errors=True)


def refuse_remote(endpoint: str) -> None:
    """Raise unless the endpoint is on this machine: no test may reach a real account."""
    host = urlsplit(endpoint).hostname or ""
    if host not in {LOOPBACK, "localhost", "::1"}:
        raise EmulatorError(f"tests run against this machine only, not against {endpoint}")


def _check_version() -> None:
    try:
        found = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        raise EmulatorError(f"the emulator needs ministack {MINISTACK}: install requirements-dev.txt") from None
    if found != MINISTACK:
        raise EmulatorError(
            f"the emulator needs ministack {MINISTACK}, this is {found}: it corrects that version's internals, so "
            "check each correction (tests/emulator, tests/test_emulator.py) before the number in process.py is raised"
        )


def _certificate(folder: Path) -> Path:
    """Make a self-signed certificate for the loopback address, its key beside it."""
    certificate = folder / "emulator.pem"
    if not certificate.exists():
        names = f"subjectAltName=IP:{LOOPBACK},DNS:localhost"
        command = ["openssl", "req", "-x509", "-nodes", "-days", "30", "-newkey", "ec"]
        command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=emulator", "-addext", names]
        command += ["-keyout", str(certificate.with_suffix(".key")), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)
    return certificate


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _await_health(process: subprocess.Popen[bytes], emulator: Emulator) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError, http.client.HTTPException):
            if _request(emulator.endpoint, "GET", "/_ministack/health", emulator.ca_bundle) == 200:
                return
        time.sleep(0.05)
    raise EmulatorError(_why_not(process, emulator))


def _why_not(process: subprocess.Popen[bytes], emulator: Emulator) -> str:
    """Say how it failed to start, what its log tells, and what to look at next."""
    ended = process.poll()
    how = f"did not answer within {START_SECONDS:g} s" if ended is None else f"ended at once, with exit code {ended}"
    said = emulator.log.read_text(errors="replace").strip()[-4000:]
    look = (
        "The machine may be too busy (`uptime` tells), or something else answers there: try again, or another --port."
        if ended is None
        else "Its last lines tell the reason; if its port is taken, give another --port."
    )
    return f"the emulator {how}, at {emulator.endpoint}. {look}\n" + (
        f"Its log:\n{said}" if said else "Its log is empty."
    )


def _request(endpoint: str, method: str, path: str, ca_bundle: Path) -> int:
    address = urlsplit(endpoint)
    context = ssl.create_default_context(cafile=str(ca_bundle))
    connection = http.client.HTTPSConnection(LOOPBACK, address.port or 443, timeout=30, context=context)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process kindly, then its whole group: also functions that still run."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin:
        process.stdin.close()
