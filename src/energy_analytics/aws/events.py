"""The events that the bucket sends: which uploads they ask to be run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from ..uploads import is_upload

_TEST: Final = "s3:TestEvent"
"""What a bucket sends when its notification is set up."""
_CREATED: Final = "ObjectCreated:"
_SHOWN: Final = 200


class EventError(ValueError):
    """An event that is not a notification of our bucket; the message shows what came."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What an event asks for."""

    keys: tuple[str, ...]
    """The raw keys to be run, each once, in the event's order."""
    passed_over: tuple[str, ...]
    """In words: what else was in the event."""


def keys_of(event: object, *, bucket: str) -> Arrivals:
    """Return the uploads that a notification of `bucket` tells of. Raises EventError for anything else."""
    if not isinstance(event, Mapping):
        raise _no_notification(event)
    if event.get("Event") == _TEST:
        return Arrivals((), ("a test event of S3",))
    records = event.get("Records")
    if not isinstance(records, list):
        raise _no_notification(event)
    keys: dict[str, None] = {}
    passed_over = []
    for record in records:
        name, key = _object_of(record, event)
        if name != bucket:
            raise EventError(f"The event is of the bucket {name}, and this function works on {bucket} alone.")
        if not str(record.get("eventName", _CREATED)).removeprefix("s3:").startswith(_CREATED):
            passed_over.append(f"{key}: {record['eventName']} brings no upload")
        elif not is_upload(key):
            passed_over.append(f"{key} is not an upload: that is a .csv or .csv.gz under raw/")
        else:
            keys[key] = None
    return Arrivals(tuple(keys), tuple(passed_over))


def _object_of(record: Any, event: object) -> tuple[str, str]:
    """Return bucket and key; a notification has its keys encoded as in a form, a space as `+`."""
    try:
        return str(record["s3"]["bucket"]["name"]), unquote_plus(record["s3"]["object"]["key"], errors="strict")
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise _no_notification(event) from error


def _no_notification(event: object) -> EventError:
    shown = repr(event)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
    return EventError(f"Expected is a notification of S3 with Records of objects created; this came: {shown}")
