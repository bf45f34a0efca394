"""One execution environment of a function: a sandbox, and Lambda's side of it."""

import copy
import json
import os
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from . import logs
from .runtime_api import Invocation, RuntimeApi
from .sandbox import CA_PATH, Files, Sandbox, SandboxError
from .unpacked import runtime_packages, unpack

Config = dict[str, Any]


@dataclass
class Outcome:
    """What came of one invocation, as the caller and the log see it."""

    body: Any
    failed: bool = False
    status: str = "success"  # or "error", "timeout", as the service's report has it
    error_type: str = ""
    detail: str = ""


_LOOK_SECONDS: Final = 0.02
"""How often to see whether a sandbox has ended while it is waited for."""


class Environment:
    """One execution environment: a sandbox and the service's side of it."""

    def __init__(self, config: Config, code_zip: bytes) -> None:
        """Start the sandbox; `init` waits until it is ready."""
        self.config = copy.deepcopy(config)  # an update changes the function's own in place
        now = datetime.now(UTC)
        self.stream = f"{now:%Y/%m/%d}/[{config.get('Version', '$LATEST')}]{uuid4().hex}"
        self._api = RuntimeApi()
        self._output = logs.Output()
        try:
            files = _files(config, code_zip)
            self.started = time.monotonic()  # the clock of the init; to unpack the zips is the emulator's own time
            self._sandbox = Sandbox(
                files,
                root=Path(tempfile.mkdtemp(prefix="root-")),
                environment=self._variables(),
                memory_mb=int(config.get("MemorySize", 128)),
                tmp_mb=int((config.get("EphemeralStorage") or {}).get("Size", 512)),
                stdout=self._output.plain,
                keep_open=(self._output.framed,),
            )
        except BaseException:
            self._api.close()
            raise
        finally:
            self._output.close_writers()

    def init(self, until: float) -> Outcome | None:
        """Wait until the runtime asks for an event; return what went wrong if it does not."""
        while not self._api.waiting.wait(_LOOK_SECONDS):
            if self._sandbox.ended():
                self.kill()
                if not self._sandbox.set_up():
                    said = "\n".join(line.text for line in self.take_lines())
                    raise SandboxError(f"the sandbox could not be made: {said}")
                error = self._api.init_error or worded("Runtime.ExitError", self._sandbox.exit_reason())
                return Outcome(error, failed=True, status="error", error_type=error.get("errorType", ""))
            if time.monotonic() > until:
                self.kill()
                return self._timed_out("")
        self._sandbox.rest()
        return None

    def invoke(self, event: Any, request_id: str, until: float) -> Outcome:
        """Let the function handle the event; past `until` its sandbox is ended."""
        payload = json.dumps(event, ensure_ascii=False).encode()
        deadline_ms = int((time.time() + until - time.monotonic()) * 1000)
        trace = f"Root=1-{int(time.time()):08x}-{uuid4().hex[:24]};Parent={uuid4().hex[:16]};Sampled=0"
        self._sandbox.work()
        self._api.send(Invocation(request_id, payload, deadline_ms, self.config["FunctionArn"], trace))
        while (answer := self._api.answer(_LOOK_SECONDS)) is None:
            if self._sandbox.ended():
                self.kill()
                reason = self._sandbox.exit_reason()
                error = worded("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}")
                return Outcome(error, failed=True, status="error", error_type="Runtime.ExitError", detail=reason)
            if time.monotonic() > until:
                self.kill()
                return self._timed_out(f"RequestId: {request_id} Error: ")
        self._api.waiting.wait(0.5)  # until then it may still write
        self._sandbox.rest()
        if answer.failed:
            return Outcome(answer.body, failed=True, status="error", error_type=answer.body.get("errorType", ""))
        return Outcome(answer.body)

    def take_lines(self) -> list[logs.Line]:
        """Return what it has written since the last time."""
        return self._output.take()

    def peak_mb(self) -> int:
        """Return the most memory it has held, children included."""
        return self._sandbox.measure()

    def alive(self) -> bool:
        """Say whether it can take another event."""
        return not self._sandbox.ended() and self._api.waiting.is_set()

    def kill(self) -> None:
        """End it."""
        self._sandbox.kill()
        self._api.close()

    def _timed_out(self, before: str) -> Outcome:
        detail = f"Task timed out after {int(self.config.get('Timeout', 3)):.2f} seconds"
        error = worded("Sandbox.Timedout", before + detail)
        return Outcome(error, failed=True, status="timeout", error_type="Sandbox.Timedout", detail=detail)

    def _variables(self) -> dict[str, str]:
        """Return the function's whole environment: the service's, the function's own, and the way to the emulator."""
        from ministack.core.lambda_runtime import execution_credentials
        from ministack.core.responses import get_region

        config, region = self.config, get_region()
        logging = config.get("LoggingConfig") or {}
        service = {
            "_HANDLER": config["Handler"],
            "_LAMBDA_TELEMETRY_LOG_FD": str(self._output.framed),
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
            "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
            "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat", "Text"),
            "AWS_LAMBDA_LOG_GROUP_NAME": log_group(config),
            "AWS_LAMBDA_LOG_STREAM_NAME": self.stream,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_REGION": region,
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LAMBDA_TASK_ROOT": "/var/task",
            "LANG": "en_US.UTF-8",
            "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/task:/var/task/lib:/opt/lib",
            "TZ": ":UTC",
        }
        if level := logging.get("ApplicationLogLevel"):
            service["AWS_LAMBDA_LOG_LEVEL"] = level
        emulated = {
            "AWS_CA_BUNDLE": CA_PATH,
            "AWS_ENDPOINT_URL": f"https://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        }
        own = (config.get("Environment") or {}).get("Variables") or {}
        return own | service | execution_credentials(config) | emulated


def log_group(config: Config) -> str:
    """Return the name of the function's log group."""
    return (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"


def worded(kind: str, message: str) -> dict[str, str]:
    """Return an error as the service words it."""
    return {"errorType": kind, "errorMessage": message}


def _files(config: Config, code_zip: bytes) -> Files:
    from ministack.core.tls import resolve_tls_material
    from ministack.services import lambda_svc

    folder = Path(tempfile.gettempdir())
    layers = [lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers") or []]
    return Files(
        code=unpack([code_zip], below=folder / "code"),
        opt=unpack([layer for layer in layers if layer], below=folder / "layers"),
        runtime=runtime_packages(folder / "runtime"),
        ca_bundle=Path(resolve_tls_material()[0]),
    )
