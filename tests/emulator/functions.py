"""Lambda's side of an invocation: sandboxes that start cold and stay warm, their limits, their log."""

import contextvars
import json
import sys
import threading
import time
from typing import Any, Final

from . import logs
from .environment import Config, Environment, Outcome, log_group, worded
from .permissions import role_allows
from .sandbox import SandboxError

INIT_SECONDS: Final = 10.0  # a start that takes longer is done again, on the invocation's time
IDLE_SANDBOXES: Final = 4  # of one function that are kept warm
RUNTIME: Final = f"python{sys.version_info[0]}.{sys.version_info[1]}"
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
        print(f"EMULATOR: {error}", flush=True)  # noqa: T201
        return {"body": worded("EMULATOR_NO_SANDBOX", str(error)), "error": True, "log": str(error)}
    as_json = (config.get("LoggingConfig") or {}).get("LogFormat") == "JSON"
    lines = logs.platform_lines(report, written, start_ms=start_ms, as_json=as_json, runtime=RUNTIME)
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
    environment = warm or Environment(config, function["code_zip"])
    init_ms, failed = None, None
    if not warm:
        failed = environment.init(environment.started + INIT_SECONDS)
        if failed is None:
            init_ms = (time.monotonic() - environment.started) * 1000
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
    if config.get("Runtime") != RUNTIME:
        raise SandboxError(
            f"the function {config['FunctionName']} wants the runtime {config.get('Runtime')}, the interpreter at hand "
            f"is {RUNTIME}: deploy it here with that runtime, or run the tests with the other interpreter"
        )


def _shape(config: Config) -> str:
    return json.dumps({name: config.get(name) for name in _SHAPING}, sort_keys=True)


def _store(config: Config, stream: str, lines: list[logs.Line]) -> None:
    """Write to the function's log as far as its role may."""
    group, role = log_group(config), config["Role"]
    region, account = config["FunctionArn"].split(":")[3:5]
    arn = f"arn:aws:logs:{region}:{account}:log-group:{group}"
    if all(
        role_allows(role, f"logs:{verb}", f"{arn}:log-stream:{stream}") for verb in ("CreateLogStream", "PutLogEvents")
    ):
        may_create_group = role_allows(role, "logs:CreateLogGroup", arn)
        logs.store(lines, group=group, stream=stream, may_create_group=may_create_group)
