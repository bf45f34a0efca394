"""The function's log, readable: what happened when, to which upload, and what the platform says of each call."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from .deployment import DeploymentError

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

_SINCE: Final = re.compile(r"(\d+)([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FOLLOW_SECONDS: Final = 2.0
_LATE: Final = timedelta(minutes=2)
"""Events can come into the log after later ones; following looks back so far."""
_ERRORS: Final = {"ERROR", "CRITICAL", "FATAL"}
_REPORT: Final = re.compile(r"^REPORT RequestId: (?P<request>\S+)\s+(?P<figures>.*)$", re.DOTALL)
_TOLD_ALREADY: Final = "FailedUploadsError"
"""Ends a call of the function after a line of its own for each upload that failed."""
_BAD_ENDING: Final = re.compile(r"Task timed out|Runtime\.ExitError|Runtime exited|\[ERROR\]|signal: killed")
_FRAME: Final = re.compile(r'File "(?:/var/task/|/opt/python/|/var/lang/lib/)?([^"]+)", line (\d+), in (\S+)')
_PLATFORM_NOISE: Final = (
    "START RequestId",
    "END RequestId",
    "INIT_START",
    "EXTENSION",
    "XRAY TraceId",
    "LAMBDA_WARNING",
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One event of the log, told."""

    at: datetime
    level: str
    message: str
    upload: str = ""
    stamp: str = ""
    traceback: str = ""

    @property
    def is_error(self) -> bool:
        """Tell whether it says that something failed."""
        return self.level in _ERRORS


def since(text: str, *, now: datetime) -> datetime:
    """Return the time that `1h`, `30m`, `2d` or a date and time (UTC unless it says otherwise) means."""
    found = _SINCE.fullmatch(text.strip())
    if found:
        return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise DeploymentError(f"{text!r} is not a time: say 30m, 1h, 2d or 2026-03-01T12:00, for example.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def log_lines(log_group: str, *, start: datetime, errors: bool = False) -> Iterator[LogLine]:
    """Give what the log holds since then, in order. Raises DeploymentError when there is no such log."""
    for event in _events(log_group, start):
        line = read_line(event)
        if line is not None and (line.is_error or not errors):
            yield line


def follow(
    log_group: str, *, start: datetime, errors: bool = False, pause: Callable[[float], None] = time.sleep
) -> Iterator[LogLine]:
    """Give what the log holds since then and what comes, each event once, for ever."""
    seen: dict[object, int] = {}
    newest = start
    while True:
        from_time = max(start, newest - _LATE)
        for event in _events(log_group, from_time):
            identity = event.get("eventId") or (event.get("logStreamName"), event["timestamp"], event["message"])
            if identity in seen:
                continue
            seen[identity] = event["timestamp"]
            newest = max(newest, _time(event))
            line = read_line(event)
            if line is not None and (line.is_error or not errors):
                yield line
        floor = int((newest - 2 * _LATE).timestamp() * 1000)
        seen = {one: at for one, at in seen.items() if at >= floor}
        pause(_FOLLOW_SECONDS)


def read_line(event: "Mapping[str, Any] | FilteredLogEventTypeDef") -> LogLine | None:
    """Return an event as a person reads it, or None for what tells nothing."""
    at, text = _time(event), event["message"].strip()
    try:
        record = json.loads(text)
    except ValueError:
        return _plain(at, text)
    if not isinstance(record, dict):
        return LogLine(at, "INFO", text)
    if str(record.get("type", "")).startswith("platform."):
        return _platform(at, record)
    if str(record.get("message", "")).startswith(_PLATFORM_NOISE):
        return None
    if "_aws" in record or record.get("errorType") == _TOLD_ALREADY:  # Lines beside them say the same in words.
        return None
    return _structured(at, record)


def _structured(at: datetime, record: Mapping[str, Any]) -> LogLine:
    message = record.get("message", record.get("errorMessage", ""))
    if not isinstance(message, str):
        message = json.dumps(message, ensure_ascii=False)
    for figures in ("counts", "seconds"):
        told = record.get(figures)
        if isinstance(told, dict) and told:
            unit = " s" if figures == "seconds" else ""
            message += "; " + ", ".join(f"{name} {value:,}{unit}" for name, value in told.items())
    trace = record.get("exception") or "\n".join(record.get("stackTrace") or [])
    level = str(record.get("level", "ERROR" if "errorType" in record else "INFO"))
    return LogLine(
        at,
        level.upper().replace("WARN", "WARNING") if level.upper() == "WARN" else level.upper(),
        message,
        upload=str(record.get("upload") or record.get("upload_key") or record.get("key") or ""),
        stamp=str(record.get("stamp") or record.get("run_stamp") or record.get("run") or ""),
        traceback=_folded(str(trace)),
    )


def _platform(at: datetime, record: Mapping[str, Any]) -> LogLine | None:
    told = record.get("record", {})
    kind = record["type"].removeprefix("platform.")
    if kind == "report":
        metrics, status = told.get("metrics", {}), told.get("status", "success")
        figures = {
            "Duration": metrics.get("durationMs"),
            "Memory Size": metrics.get("memorySizeMB"),
            "Max Memory Used": metrics.get("maxMemoryUsedMB"),
            "Init Duration": metrics.get("initDurationMs"),
        }
        return _report(at, figures, status)
    if told.get("status", "success") not in {"success", ""}:
        return LogLine(at, "ERROR", f"{kind} ended with {told['status']} ({told.get('errorType', 'no reason given')})")
    return None


def _plain(at: datetime, text: str) -> LogLine | None:
    found = _REPORT.match(text)
    if found:
        pairs = [part.split(": ", 1) for part in found["figures"].split("\t") if ": " in part]
        figures = {name.strip(): float(value.split()[0]) for name, value in pairs if value[:1].isdigit()}
        status = next((value.strip() for name, value in pairs if name.strip() == "Status"), "success")
        return _report(at, figures, status)
    if text.startswith(_PLATFORM_NOISE):
        return None
    first, _, rest = text.partition("\n")
    level = "ERROR" if _BAD_ENDING.search(text) else "WARNING" if first.startswith("[WARNING]") else "INFO"
    return LogLine(at, level, first, traceback=_folded(rest.strip()))


def _folded(trace: str) -> str:
    """Return a traceback with a line a frame, of what it all came from; any other text as it is.

    Python tells the first cause first, and the exceptions that were made of it after it.
    """
    cause = trace.split("\nThe above exception was", 1)[0].split("\nDuring handling of", 1)[0]
    frames = [f"at {found[1]}:{found[2]} in {found[3]}" for found in _FRAME.finditer(cause)]
    return "\n".join(frames) if frames else trace


def _report(at: datetime, figures: Mapping[str, Any], status: str) -> LogLine:
    parts = [f"took {float(figures.get('Duration') or 0) / 1000:.1f} s"]
    if figures.get("Init Duration"):
        parts.append(f"after {float(figures['Init Duration']) / 1000:.1f} s to start")
    used, size = figures.get("Max Memory Used"), figures.get("Memory Size")
    if used and size:
        parts.append(f"{float(used):,.0f} of {float(size):,.0f} MB")
    if status != "success":
        return LogLine(at, "ERROR", f"the call ended with {status}: {', '.join(parts)}")
    return LogLine(at, "PLATFORM", ", ".join(parts))


def _events(log_group: str, start: datetime) -> "Iterator[FilteredLogEventTypeDef]":
    import boto3
    from botocore.exceptions import ClientError

    paginator = boto3.client("logs").get_paginator("filter_log_events")
    try:
        for page in paginator.paginate(logGroupName=log_group, startTime=int(start.timestamp() * 1000)):
            yield from page["events"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise DeploymentError(f"There is no log {log_group}: nothing is deployed, or it has never run.") from error


def _time(event: "Mapping[str, Any] | FilteredLogEventTypeDef") -> datetime:
    return datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
