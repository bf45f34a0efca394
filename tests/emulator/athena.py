"""Athena's executions: where results go, the states a query passes, and what its result looks like."""

import contextvars
import io
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import duckdb

from . import hive, trino
from .catalog import Catalog, ScanLimitError
from .clients import own_client
from .hive import QueryError
from .permissions import caller_allows

PAGE_ROWS: Final = 1000
_PRECISION: Final = {
    "varchar": 2147483647,
    "bigint": 19,
    "integer": 10,
    "smallint": 5,
    "tinyint": 3,
    "double": 17,
    "float": 7,
    "timestamp": 3,
    "timestamp with time zone": 3,
}


def start(data: dict[str, Any]) -> Any:
    """Take a query (StartQueryExecution) and run it in the background."""
    from ministack.core import iam_evaluator
    from ministack.core.responses import error_response_json, json_response
    from ministack.services import athena as service

    group_name = data.get("WorkGroup", "primary")
    group = service._workgroups.get(group_name)
    location, why = _output_location(data, group, group_name)
    if why:
        return error_response_json("InvalidRequestException", why, 400)
    if data.get("ExecutionParameters"):
        return error_response_json("InvalidRequestException", "EMULATOR_NOT_IMPLEMENTED: parameters", 400)
    try:
        tree = trino.parse(data["QueryString"])
    except QueryError as error:
        if str(error).startswith("SYNTAX_ERROR"):
            extra = {"AthenaErrorCode": "MALFORMED_QUERY"}
            return error_response_json("InvalidRequestException", str(error), 400, extra=extra)
        tree = error
    query_id = str(uuid4())
    context = {"Catalog": "AwsDataCatalog", "Database": "default"} | (data.get("QueryExecutionContext") or {})
    service._executions[query_id] = execution = {
        "QueryExecutionId": query_id,
        "Query": data["QueryString"],
        "StatementType": "DML",
        "ResultConfiguration": {"OutputLocation": f"{location}{query_id}.csv"},
        "QueryExecutionContext": context,
        "Status": {"State": "QUEUED", "SubmissionDateTime": int(time.time())},
        "Statistics": {"EngineExecutionTimeInMillis": 0, "DataScannedInBytes": 0, "TotalExecutionTimeInMillis": 0},
        "WorkGroup": group_name,
        "EngineVersion": dict.fromkeys(("SelectedEngineVersion", "EffectiveEngineVersion"), "Athena engine version 3"),
    }
    limit = (group.get("Configuration") or {}).get("BytesScannedCutoffPerQuery")  # a text, when a template set it
    arguments = (execution, tree, iam_evaluator.caller_arn(), int(limit) if limit else None)
    threading.Thread(target=contextvars.copy_context().run, args=(_execute, *arguments), daemon=True).start()
    return json_response({"QueryExecutionId": query_id})


def results(data: dict[str, Any], stock: Any) -> Any:
    """Give a page of a result (GetQueryResults), refused as the service refuses it."""
    from ministack.core.responses import error_response_json
    from ministack.services import athena as service

    execution = service._executions.get(data.get("QueryExecutionId"))
    state = execution["Status"]["State"] if execution else ""
    why = ""
    if data.get("MaxResults", 0) > PAGE_ROWS:
        why = f"MaxResults is more than maximum allowed length {PAGE_ROWS}."
    elif state in ("FAILED", "CANCELLED"):
        why = f"Query did not finish successfully. Final query state: {state}"
    elif execution and state != "SUCCEEDED":
        why = f"Query has not yet finished. Current state: {state}"
    return error_response_json("InvalidRequestException", why, 400) if why else stock(data)


def precision_scale(type_name: str) -> tuple[int, int]:
    """Return the precision and scale that a result's metadata tells of a type."""
    return _PRECISION.get(type_name, 0), 0


def _output_location(data: dict[str, Any], group: dict[str, Any] | None, name: str) -> tuple[str, str]:
    """Return where the results go, or why the query is not taken."""
    from ministack.services import s3

    if group is None:
        return "", f"WorkGroup {name} is not found."
    if group.get("State") == "DISABLED":
        return "", f"WorkGroup {name} is disabled."
    settings = group.get("Configuration") or {}
    of_group = (settings.get("ResultConfiguration") or {}).get("OutputLocation")
    of_client = (data.get("ResultConfiguration") or {}).get("OutputLocation")
    enforced = str(settings.get("EnforceWorkGroupConfiguration", True)).lower() == "true"
    location = (of_group or of_client) if enforced else (of_client or of_group)
    if not location:
        return "", (
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    bucket = location.removeprefix("s3://").split("/")[0]
    if bucket not in s3._buckets:
        return "", f"Unable to verify/create output bucket {bucket}"
    return location.rstrip("/") + "/", ""


def _execute(execution: dict[str, Any], tree: Any, caller: str, limit: int | None) -> None:
    status, begun = execution["Status"], time.monotonic()
    status["State"] = "RUNNING"
    folder = Path(tempfile.mkdtemp(prefix="query-"))
    catalog = Catalog(duckdb.connect(), folder, caller, limit)
    try:
        if isinstance(tree, QueryError):
            raise tree
        columns, rows = catalog.run(tree, execution["QueryExecutionContext"]["Database"].lower())
        values = [
            [hive.text(value, type_name=kind) for value, (_, kind) in zip(row, columns, strict=True)] for row in rows
        ]
        _write(execution, caller, [name for name, _ in columns], values)
        execution["_results"] = {"columns": [name for name, _ in columns], "rows": values}
        execution["_column_types"] = [kind for _, kind in columns]
        state, why = "SUCCEEDED", ""
    except ScanLimitError:
        state, why = "CANCELLED", "Query cancelled! : Bytes scanned limit was exceeded"
    except QueryError as error:
        state, why = "FAILED", str(error)
    except Exception as error:  # noqa: BLE001 - a fault of the emulator's own must end the query, and loudly
        state, why = "FAILED", f"EMULATOR_FAULT: {type(error).__name__}: {error}"
    finally:
        catalog.connection.close()
        shutil.rmtree(folder, ignore_errors=True)
    took_ms = int((time.monotonic() - begun) * 1000)
    execution["Statistics"] = {
        "EngineExecutionTimeInMillis": took_ms,
        "TotalExecutionTimeInMillis": took_ms,
        "DataScannedInBytes": catalog.scanned_bytes,
    }
    if why:
        status["StateChangeReason"] = why
    if state == "FAILED":
        status["AthenaError"] = {"ErrorCategory": 2, "ErrorType": 1003, "Retryable": False, "ErrorMessage": why}
    status |= {"State": state, "CompletionDateTime": int(time.time())}


def _write(execution: dict[str, Any], caller: str, names: list[str], rows: list[list[str | None]]) -> None:
    """Write the result's file as Athena does: every value quoted, a null left out."""
    uri = execution["ResultConfiguration"]["OutputLocation"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    needed = {"s3:PutObject": f"arn:aws:s3:::{bucket}/{key}", "s3:GetBucketLocation": f"arn:aws:s3:::{bucket}"}
    for action, resource in needed.items():
        if not caller_allows(caller, action, resource):
            raise QueryError(f"PERMISSION_DENIED: Access denied when writing output to url: {uri} ({action})")
    out = io.StringIO()
    for row in [names, *rows]:
        out.write(",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in row) + "\n")
    own_client("s3").put_object(Bucket=bucket, Key=key, Body=out.getvalue().encode())
    own_client("s3").put_object(Bucket=bucket, Key=f"{key}.metadata", Body=b"of the emulator")
