"""A function's log: what it prints, and the service's lines about each invocation, in CloudWatch Logs."""

import fcntl
import json
import os
import select
import struct
import termios
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

_HEADER: Final = struct.Struct(">IIQ")  # of a frame: type, length, microseconds (awslambdaric's FramedTelemetryLogSink)


@dataclass(frozen=True)
class Line:
    """One event of a log stream."""

    at_ms: int
    text: str


class Output:
    """What a sandbox writes: plain lines on its standard output, framed ones where the runtime logs."""

    def __init__(self) -> None:
        self._read_plain, self.plain = os.pipe()
        self._read_framed, self.framed = os.pipe()
        self._lock = threading.Lock()
        self._lines: list[Line] = []
        self._partial = {self._read_plain: b"", self._read_framed: b""}
        threading.Thread(target=self._read, daemon=True).start()

    def close_writers(self) -> None:
        """Leave the writing ends to the sandbox alone."""
        os.close(self.plain)
        os.close(self.framed)

    def take(self) -> list[Line]:
        """Return all that has been written since the last time."""
        while True:
            with self._lock:
                if not any(_unread(pipe) for pipe in self._partial):
                    if self._read_plain in self._partial and (rest := self._partial[self._read_plain]):
                        self._add(int(time.time() * 1000), rest)
                        self._partial[self._read_plain] = b""
                    taken, self._lines = self._lines, []
                    return taken
            time.sleep(0.001)

    def _read(self) -> None:
        pipes = list(self._partial)
        while pipes:
            ready, _, _ = select.select(pipes, [], [])
            with self._lock:
                for pipe in ready:
                    data = os.read(pipe, 65536)
                    if not data:
                        pipes.remove(pipe)
                        del self._partial[pipe]
                        os.close(pipe)
                        continue
                    split = self._split_lines if pipe == self._read_plain else self._split_frames
                    self._partial[pipe] = split(self._partial[pipe] + data)

    def _split_lines(self, data: bytes) -> bytes:
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._add(int(time.time() * 1000), line)
        return rest

    def _split_frames(self, data: bytes) -> bytes:
        while len(data) >= _HEADER.size:
            _, length, microseconds = _HEADER.unpack_from(data)
            end = _HEADER.size + length
            if len(data) < end:
                break
            self._add(microseconds // 1000, data[_HEADER.size : end])
            data = data[end:]
        return data

    def _add(self, at_ms: int, text: bytes) -> None:
        self._lines.append(Line(at_ms, text.decode("utf-8", "replace").removesuffix("\n")))


def _unread(pipe: int) -> int:
    waiting: int = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"))[0]
    return waiting


@dataclass(frozen=True)
class Report:
    """What the service writes down about an invocation."""

    request_id: str
    version: str
    duration_ms: float
    memory_mb: int
    peak_mb: int
    cold: bool = False
    init_ms: float | None = None
    status: str = "success"
    error_type: str = ""
    detail: str = ""

    @property
    def billed_ms(self) -> int:
        """Whole milliseconds; the start of the sandbox counts too, since August 2025."""
        return -int(-(self.duration_ms + (self.init_ms or 0)) // 1)


def platform_lines(report: Report, written: list[Line], *, start_ms: int, as_json: bool, runtime: str) -> list[Line]:
    """Put the service's own lines around the function's."""
    end_ms = max([start_ms, *(line.at_ms for line in written), int(time.time() * 1000)])
    init, start, end = (_json_lines if as_json else _text_lines)(report, start_ms, end_ms, runtime.replace("n", "n:"))
    of_init = [line for line in written if line.at_ms < start_ms] if report.cold else []
    first_ms = min(start_ms, *(line.at_ms for line in of_init)) if of_init else start_ms
    before = [Line(first_ms, init), *of_init] if report.cold else []
    during = [line if line.at_ms >= start_ms else Line(start_ms, line.text) for line in written[len(of_init) :]]
    return [*before, Line(start_ms, start), *during, *(Line(end_ms, text) for text in end)]


def _text_lines(report: Report, start_ms: int, end_ms: int, runtime: str) -> tuple[str, str, list[str]]:
    fields = [
        f"REPORT RequestId: {report.request_id}",
        f"Duration: {report.duration_ms:.2f} ms",
        f"Billed Duration: {report.billed_ms} ms",
        f"Memory Size: {report.memory_mb} MB",
        f"Max Memory Used: {report.peak_mb} MB",
    ]
    if report.init_ms is not None:
        fields.append(f"Init Duration: {report.init_ms:.2f} ms")
    if report.detail:  # the sandbox ended; an exception of the function's own leaves no trace here
        fields.append(f"Status: {report.status}")
    if report.detail and report.status == "error":
        fields.append(f"Error Type: {report.error_type}")
    after = [f"END RequestId: {report.request_id}", "\t".join(fields)]
    if report.status == "timeout":
        after = [f"{_iso(end_ms)} {report.request_id} {report.detail}", *after]
    elif report.detail:
        after = [f"RequestId: {report.request_id} Error: {report.detail}\n{report.error_type}", *after]
    start = f"START RequestId: {report.request_id} Version: {report.version}"
    return f"INIT_START Runtime Version: {runtime}.v0", start, after


def _json_lines(report: Report, start_ms: int, end_ms: int, runtime: str) -> tuple[str, str, list[str]]:
    metrics: dict[str, Any] = {
        "durationMs": round(report.duration_ms, 3),
        "billedDurationMs": report.billed_ms,
        "memorySizeMB": report.memory_mb,
        "maxMemoryUsedMB": report.peak_mb,
    }
    if report.init_ms is not None:
        metrics["initDurationMs"] = round(report.init_ms, 3)
    record: dict[str, Any] = {"requestId": report.request_id, "metrics": metrics, "status": report.status}
    if report.error_type and report.status == "error":
        record["errorType"] = report.error_type
    init = {"initializationType": "on-demand", "phase": "init", "runtimeVersion": f"{runtime}.v0"}
    start = {"requestId": report.request_id, "version": report.version}
    return (
        _event(start_ms, "platform.initStart", init),
        _event(start_ms, "platform.start", start),
        [_event(end_ms, "platform.report", record)],
    )


def _event(at_ms: int, kind: str, record: dict[str, Any]) -> str:
    return json.dumps({"time": _iso(at_ms), "type": kind, "record": record}, separators=(",", ":"))


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def store(lines: list[Line], *, group: str, stream: str, may_create_group: bool) -> None:
    """Append to the log stream as the service does; without the group and the right to make it, nothing is kept."""
    from ministack.services import cloudwatch_logs as service

    now = int(time.time() * 1000)
    if group not in service._log_groups:
        if not may_create_group:
            return
        service._log_groups[group] = {
            "arn": service._make_group_arn(group),
            "creationTime": now,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    streams = service._log_groups[group]["streams"]
    kept = streams.setdefault(
        stream,
        {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        },
    )
    events = [{"timestamp": line.at_ms, "message": line.text, "ingestionTime": now} for line in lines]
    service._append_log_events(kept, events)
    service._fanout_to_subscription_filters(
        group, stream, [{"timestamp": event["timestamp"], "message": event["message"]} for event in events]
    )
    for line in lines:
        _count_embedded_metrics(line.text)


def _count_embedded_metrics(text: str) -> None:
    """Turn a line in CloudWatch's embedded metric format into data points."""
    if '"_aws"' not in text:
        return
    try:
        record = json.loads(text)
        directives = record["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    from ministack.services import cloudwatch

    for directive in directives:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(record[name]) for name in names}
            for metric in directive["Metrics"]:
                values = record[metric["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    unit = metric.get("Unit", "None")
                    cloudwatch.record_metric(directive["Namespace"], metric["Name"], value, unit, dimensions)
