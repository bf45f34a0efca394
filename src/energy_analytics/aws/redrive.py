"""The failure queue: what lies in it, and sending it to the function once more."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote_plus

_HIDDEN_SECONDS: Final = 900
"""How long a message that was shown stays ours: the person has to answer meanwhile."""
_BATCH: Final = 10


@dataclass(frozen=True, slots=True)
class Failure:
    """A message of the queue. `event` is None when it is not what the function's failures look like."""

    id: str
    receipt: str
    sent_at: datetime
    keys: tuple[str, ...]
    error: str
    event: Mapping[str, Any] | None


def take(queue_url: str) -> list[Failure]:
    """Return the messages that are in the queue now, hidden from others until sent, deleted or given back."""
    import boto3

    client = boto3.client("sqs")
    attributes = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"])
    expected = int(attributes["Attributes"]["ApproximateNumberOfMessages"])
    found: dict[str, Failure] = {}
    while len(found) < expected:
        received = client.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=min(_BATCH, expected - len(found)),
            VisibilityTimeout=_HIDDEN_SECONDS,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages", [])
        if not received:
            break
        for message in received:
            sent = int(message.get("Attributes", {}).get("SentTimestamp", "0")) / 1000
            found[message["MessageId"]] = _failure(
                message["MessageId"], message["ReceiptHandle"], datetime.fromtimestamp(sent, UTC), message["Body"]
            )
    return sorted(found.values(), key=lambda failure: failure.sent_at)


def give_back(queue_url: str, failures: list[Failure]) -> None:
    """Let others, and the next look, see these messages again."""
    import boto3

    for failure in failures:
        boto3.client("sqs").change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=failure.receipt, VisibilityTimeout=0
        )


def send_again(queue_url: str, function: str, failure: Failure) -> None:
    """Give the message's event to the function again, then delete the message: rather twice than never."""
    import boto3

    boto3.client("lambda").invoke(
        FunctionName=function, InvocationType="Event", Payload=json.dumps(failure.event).encode()
    )
    boto3.client("sqs").delete_message(QueueUrl=queue_url, ReceiptHandle=failure.receipt)


def _failure(message_id: str, receipt: str, sent_at: datetime, body: str) -> Failure:
    try:
        record = json.loads(body)
        event = record["requestPayload"]
        keys = tuple(_keys(event))
    except (ValueError, TypeError, KeyError, AttributeError):
        return Failure(message_id, receipt, sent_at, (), "this is no failed event of the function", None)
    answer = record.get("responsePayload") or {}
    condition = (record.get("requestContext") or {}).get("condition", "")
    error = answer.get("errorMessage") if isinstance(answer, dict) else str(answer)
    return Failure(message_id, receipt, sent_at, keys, error or condition or "no error is given", event)


def _keys(event: Mapping[str, Any]) -> Iterator[str]:
    for record in event["Records"]:
        yield unquote_plus(record["s3"]["object"]["key"])
