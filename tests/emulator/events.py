"""Asynchronous invocation as Lambda does it: the queue, the age of an event, retries, where a failure goes."""

import contextvars
import json
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from .clients import own_client
from .functions import request_id_of_event
from .permissions import bucket_may_invoke, role_allows, sending_action

RETRY_SECONDS: Final = float(os.environ.get("EMULATOR_RETRY_SECONDS", "0.2"))  # a minute on the service
AGE_SCALE: Final = float(os.environ.get("EMULATOR_AGE_SCALE", "1"))  # seconds here for one of an event's maximum age
THROTTLED_SECONDS: Final = (0.05, 1.0)  # the first and the longest pause while there is no concurrency left
MAXIMUM_AGE_SECONDS: Final = 21600


@dataclass
class Delivery:
    """An event on its way to a function, and what has come of it so far."""

    name: str
    event: Any
    request_id: str
    attempts: int = 0
    result: dict[str, Any] | None = None


def invoke_later(function: dict[str, Any], event: Any) -> None:
    """Queue an event; the arguments are those of ministack's own way to do so."""
    config = function.get("config") or function
    delivery = Delivery(config["FunctionName"], event, str(uuid4()))
    threading.Thread(target=contextvars.copy_context().run, args=(_deliver, delivery, config), daemon=True).start()


def from_bucket(arn: str, event: dict[str, Any], region: str) -> None:
    """Queue an S3 event if the function lets the bucket invoke it, else nothing happens, as on the service."""
    from ministack.core.responses import get_account_id
    from ministack.services import lambda_svc

    function, config, name = lambda_svc._get_func_record_for_ref(arn)
    bucket = event["Records"][0]["s3"]["bucket"]["name"]
    if not function or not bucket_may_invoke(function, bucket, get_account_id()):
        print(f"EMULATOR: {name} does not let bucket {bucket} invoke it", flush=True)  # noqa: T201
        return
    invoke_later(lambda_svc._execution_record_for_config(function, config), event)


def refuse_notification(configurations: list[dict[str, Any]], bucket: str, account: str) -> str | None:
    """Return why S3 would refuse to notify these functions: it makes sure that it may invoke them."""
    from ministack.services import lambda_svc

    for configuration in configurations:
        if configuration["type"] == "lambda":
            function, _, _ = lambda_svc._get_func_record_for_ref(configuration["arn"])
            if not function or not bucket_may_invoke(function, bucket, account):
                return "Unable to validate the following destination configurations"
    return None


def _deliver(delivery: Delivery, config: dict[str, Any]) -> None:
    from ministack.services import lambda_svc

    _, _, _, region, account, *_ = config["FunctionArn"].split(":")
    lambda_svc._request_account_id.set(account)
    lambda_svc._request_region.set(region)
    request_id_of_event.set(delivery.request_id)
    arrived, pause = time.monotonic(), THROTTLED_SECONDS[0]
    while function := lambda_svc._functions.get(delivery.name):
        asynchronous = _asynchronous_settings(function)
        age = asynchronous.get("MaximumEventAgeInSeconds")
        if time.monotonic() - arrived > (MAXIMUM_AGE_SECONDS if age is None else age) * AGE_SCALE:
            _settle(delivery, function, "EventAgeExceeded")
            return
        before = time.monotonic()
        result = lambda_svc._execute_function(function, delivery.event)
        if result.get("throttle"):
            time.sleep(pause)
            pause = min(pause * 1.5, THROTTLED_SECONDS[1])
            continue
        delivery.attempts += 1
        delivery.result = result
        duration_ms = (time.monotonic() - before) * 1000
        lambda_svc._emit_lambda_metrics(delivery.name, duration_ms, bool(result.get("error")), False)
        if not result.get("error"):
            _settle(delivery, function, "Success")
            return
        retries = asynchronous.get("MaximumRetryAttempts")
        if delivery.attempts > (2 if retries is None else retries):
            _settle(delivery, function, "RetriesExhausted")
            return
        time.sleep(RETRY_SECONDS * delivery.attempts)


def _asynchronous_settings(function: dict[str, Any]) -> dict[str, Any]:
    by_qualifier = function.get("event_invoke_configs") or {}
    return function.get("event_invoke_config") or by_qualifier.get("$LATEST") or {}


def _settle(delivery: Delivery, function: dict[str, Any], condition: str) -> None:
    """Send the record of the invocation where the function wants it, and a failed event to its dead-letter queue."""
    config = function["config"]
    succeeded = condition == "Success"
    destinations = _asynchronous_settings(function).get("DestinationConfig") or {}
    target = (destinations.get("OnSuccess" if succeeded else "OnFailure") or {}).get("Destination")
    if target:
        _send(target, json.dumps(_record(delivery, config, condition)), config["Role"])
    letters = (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if letters and not succeeded:
        body = (delivery.result or {}).get("body")
        message = body.get("errorMessage", "") if isinstance(body, dict) else ""
        attributes = {"RequestID": delivery.request_id, "ErrorCode": "200", "ErrorMessage": message[:1024]}
        _send(letters, json.dumps(delivery.event), config["Role"], attributes)


def _record(delivery: Delivery, config: dict[str, Any], condition: str) -> dict[str, Any]:
    """Return the body that a destination gets, as the Lambda developer guide shows it."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = {
        "version": "1.0",
        "timestamp": now,
        "requestContext": {
            "requestId": delivery.request_id,
            "functionArn": f"{config['FunctionArn']}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": delivery.attempts,
        },
        "requestPayload": delivery.event,
    }
    if delivery.result is None:
        return record
    context: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
    if delivery.result.get("error"):
        context["functionError"] = delivery.result.get("function_error", "Unhandled")
    return record | {"responseContext": context, "responsePayload": delivery.result.get("body")}


def _send(arn: str, body: str, role: str, attributes: dict[str, str] | None = None) -> None:
    """Put a message into a queue or topic with the function's rights; without them it is lost, as on the service."""
    from ministack.services import lambda_svc

    _, _, service, _, account, *rest = arn.split(":")
    action = sending_action(arn)
    if not role_allows(role, action, arn):
        print(f"EMULATOR: {role} may not {action} on {arn}: the record is lost", flush=True)  # noqa: T201
        return
    if service == "lambda":
        function, _, _ = lambda_svc._get_func_record_for_ref(arn)
        if function:
            invoke_later(function, json.loads(body))
        return
    typed = {
        name: {"DataType": "Number" if name == "ErrorCode" else "String", "StringValue": value or " "}
        for name, value in (attributes or {}).items()
    }
    client = own_client(service)
    if service == "sqs":
        url = client.get_queue_url(QueueName=rest[-1], QueueOwnerAWSAccountId=account)["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=typed)
    else:
        client.publish(TopicArn=arn, Message=body, MessageAttributes=typed)
