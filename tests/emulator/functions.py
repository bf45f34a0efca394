"""Lambda's side of an invocation: sandboxes that start cold and stay warm, their limits, their log."""

import contextvars
import json
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from . import logs
from .permissions import role_allows
from .runtime_api import Invocation, RuntimeApi
from .sandbox import CA_PATH, Files, Sandbox, SandboxError
from .unpacked import runtime_packages, unpack

INIT_SECONDS: Final = 10.0  # a start that takes longer is done again, on the invocation's time
IDLE_SANDBOXES: Final = 4  # of one function that are kept warm
_RUNTIME: Final = f"python{sys.version_info[0]}.{sys.version_info[1]}"
_SHAPING: Final = (  # what a running sandbox cannot change: another value needs another one
    "CodeSha256",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "Timeout",
)
request_id_of_event: contextvars.ContextVar[str] = contextvars.ContextVar("request_id_of_event")

Config = dict[str, Any]


@dataclass
class Outcome:
    """What came of one invocation, as the caller and the log see it."""

    body: Any
    failed: bool = False
    status: str = "success"  # or "error", "timeout", as the service's report has it
    error_type: str = ""
    detail: str = ""


class Environment:
    """One execution environment: a sandbox and the service's side of it."""

    def __init__(self, config: Config, code_zip: bytes) -> None:
        """Start the sandbox; `init` waits until it is ready."""
        self.config = config
        now = datetime.now(UTC)
        self.stream = f"{now:%Y/%m/%d}/[{config.get('Version', '$LATEST')}]{uuid4().hex}"
        self._api = RuntimeApi()
        self._output = logs.Output()
        try:
            self._sandbox = Sandbox(
                _files(config, code_zip),
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
        while not self._api.waiting.wait(0.005):
            if self._sandbox.ended():
                self.kill()
                error = self._api.init_error or _error("Runtime.ExitError", self._sandbox.exit_reason())
                return Outcome(error, failed=True, status="error", error_type=error.get("errorType", ""))
            if time.monotonic() > until:
                self.kill()
                return self._timed_out("")
        return None

    def invoke(self, event: Any, request_id: str, until: float) -> Outcome:
        """Let the function handle the event; past `until` its sandbox is ended."""
        payload = json.dumps(event, ensure_ascii=False).encode()
        deadline_ms = int((time.time() + until - time.monotonic()) * 1000)
        trace = f"Root=1-{int(time.time()):08x}-{uuid4().hex[:24]};Parent={uuid4().hex[:16]};Sampled=0"
        self._api.send(Invocation(request_id, payload, deadline_ms, self.config["FunctionArn"], trace))
        while self._api.answers.empty():
            if self._sandbox.ended():
                self.kill()
                reason = self._sandbox.exit_reason()
                error = _error("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}")
                return Outcome(error, failed=True, status="error", error_type="Runtime.ExitError", detail=reason)
            if time.monotonic() > until:
                self.kill()
                return self._timed_out(f"RequestId: {request_id} Error: ")
            time.sleep(0.002)
        answer = self._api.answers.get()
        self._api.waiting.wait(0.5)  # until then it may still write
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
        error = _error("Sandbox.Timedout", before + detail)
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
            "AWS_LAMBDA_LOG_GROUP_NAME": _log_group(config),
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


class Pool:
    """The environments of all functions: warm ones are used again, those of an older configuration are ended."""

    def __init__(self) -> None:
        self._idle: dict[str, list[Environment]] = {}
        self._lock = threading.Lock()

    def take(self, config: Config) -> Environment | None:
        """Return a warm environment of exactly this configuration, if there is one."""
        with self._lock:
            idle = self._idle.pop(config["FunctionName"], [])
            fitting = [kept for kept in idle if _shape(kept.config) == _shape(config) and kept.alive()]
            self._idle[config["FunctionName"]] = fitting[1:]
        for kept in idle:
            if kept not in fitting:
                kept.kill()
        return fitting[0] if fitting else None

    def give_back(self, environment: Environment) -> None:
        """Keep it warm, if it lives and there are not too many."""
        with self._lock:
            idle = self._idle.setdefault(environment.config["FunctionName"], [])
            if environment.alive() and len(idle) < IDLE_SANDBOXES:
                idle.append(environment)
                return
        environment.kill()

    def end(self, name: str | None = None) -> None:
        """End the idle environments of one function, or of all."""
        with self._lock:
            names = [name] if name else list(self._idle)
            ended = [each for key in names for each in self._idle.pop(key, [])]
        for environment in ended:
            environment.kill()


POOL: Final = Pool()


def run(function: dict[str, Any], config: Config, event: Any, request_id: str, started: float) -> dict[str, Any]:
    """Invoke a function and write its log; arguments and result are those of ministack's own executors."""
    request_id = request_id_of_event.get(request_id)
    try:
        _check_runtime(config)
        environment, outcome, report, written, start_ms = _invoke(function, config, event, request_id)
    except (
        SandboxError
    ) as error:  # not a fault of the function: nothing that a test could take for the service's answer
        return {"body": _error("EMULATOR_NO_SANDBOX", str(error)), "error": True, "log": str(error)}
    as_json = (config.get("LoggingConfig") or {}).get("LogFormat") == "JSON"
    lines = logs.platform_lines(report, written, start_ms=start_ms, as_json=as_json, runtime=_RUNTIME)
    _store(config, environment.stream, lines)
    POOL.give_back(environment)
    log = "\n".join(line.text for line in lines)
    answer: dict[str, Any] = {"body": outcome.body, "log": log}
    return answer | {"error": True, "function_error": "Unhandled"} if outcome.failed else answer


def _invoke(
    function: dict[str, Any], config: Config, event: Any, request_id: str
) -> tuple[Environment, Outcome, logs.Report, list[logs.Line], int]:
    """Find or start an environment and let it handle the event."""
    warm = POOL.take(config)
    asked = time.monotonic()
    environment = warm or Environment(config, function["code_zip"])
    init_ms, failed = None, None
    if not warm:
        failed = environment.init(asked + INIT_SECONDS)
        if failed is None:
            init_ms = (time.monotonic() - asked) * 1000
        elif failed.status == "timeout":
            environment, failed = Environment(config, function["code_zip"]), None
    begun, start_ms = time.monotonic(), int(time.time() * 1000)
    until = begun + int(config.get("Timeout", 3))
    outcome = failed or environment.init(until) or environment.invoke(event, request_id, until)
    report = logs.Report(
        request_id=request_id,
        version=config.get("Version", "$LATEST"),
        duration_ms=(time.monotonic() - begun) * 1000,
        memory_mb=int(config.get("MemorySize", 128)),
        peak_mb=environment.peak_mb(),
        cold=not warm,
        init_ms=init_ms,
        status=outcome.status,
        error_type=outcome.error_type,
        detail=outcome.detail,
    )
    return environment, outcome, report, environment.take_lines(), start_ms


def _check_runtime(config: Config) -> None:
    if config.get("Runtime") != _RUNTIME:
        raise SandboxError(
            f"the function {config['FunctionName']} wants the runtime {config.get('Runtime')}, the interpreter at hand "
            f"is {_RUNTIME}: deploy it here with that runtime, or run the tests with the other interpreter"
        )


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


def _shape(config: Config) -> str:
    return json.dumps({name: config.get(name) for name in _SHAPING}, sort_keys=True)


def _log_group(config: Config) -> str:
    return (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"


def _store(config: Config, stream: str, lines: list[logs.Line]) -> None:
    """Write to the function's log as far as its role may."""
    group, role = _log_group(config), config["Role"]
    region, account = config["FunctionArn"].split(":")[3:5]
    arn = f"arn:aws:logs:{region}:{account}:log-group:{group}"
    if all(
        role_allows(role, f"logs:{verb}", f"{arn}:log-stream:{stream}") for verb in ("CreateLogStream", "PutLogEvents")
    ):
        may_create_group = role_allows(role, "logs:CreateLogGroup", arn)
        logs.store(lines, group=group, stream=stream, may_create_group=may_create_group)


def _error(kind: str, message: str) -> dict[str, str]:
    return {"errorType": kind, "errorMessage": message}
