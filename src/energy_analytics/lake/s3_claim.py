"""A claim of a folder of a lake that is a bucket: an object that is written on condition.

S3 writes it only where there is none, or where it is still the one that was seen. When its holder last showed life
is the object's time, and is compared with the time of S3's answer: clocks of other machines do not matter.
"""

import email.utils
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .s3_errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CLAIM: Final = ".claim"
"""Name of the object; Athena and `list` pass over hidden names."""
_NOT_MET: Final = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey", "404", "NotFound"}

Asking = Callable[[str], AbstractContextManager[None]]
"""Turns an error of the SDK about a key into one of the lake."""


@dataclass(slots=True)
class S3Claim:
    """An object with a content of its own, by which it is known."""

    client: "S3Client"
    bucket: str
    key: str
    asking: Asking
    version: str

    def renew(self) -> bool:
        """Show life; tell whether the claim still holds."""
        version = _put(self, IfMatch=self.version)
        self.version = version or self.version
        return version is not None

    def release(self) -> None:
        """Give it up, unless it is another's by now."""
        from botocore.exceptions import ClientError

        with self.asking(self.key):
            try:
                self.client.delete_object(Bucket=self.bucket, Key=self.key, IfMatch=self.version)
            except ClientError as error:
                if code_of(error) not in _NOT_MET:
                    raise


def claim_object(client: "S3Client", bucket: str, key: str, *, seconds: float, asking: Asking) -> S3Claim | None:
    """Write the object, unless there is one that has been written within so many seconds."""
    from botocore.exceptions import ClientError

    claim = S3Claim(client, bucket, key, asking, "")
    version = _put(claim, IfNoneMatch="*")
    if version is None:
        with asking(key):
            try:
                head = client.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if code_of(error) in _NOT_MET:
                    return None  # Released since; the next attempt gets it.
                raise
        now = email.utils.parsedate_to_datetime(head["ResponseMetadata"]["HTTPHeaders"]["date"])
        if (now - head["LastModified"]).total_seconds() <= seconds:
            return None
        version = _put(claim, IfMatch=head["ETag"])
    if version is None:
        return None
    claim.version = version
    return claim


def _put(claim: S3Claim, **condition: Any) -> str | None:
    """Write the object with new content, and return its version; None where the condition is not met."""
    from botocore.exceptions import ClientError

    with claim.asking(claim.key):
        try:
            return claim.client.put_object(
                Bucket=claim.bucket, Key=claim.key, Body=uuid.uuid4().bytes, **condition
            )["ETag"]
        except ClientError as error:
            if code_of(error) in _NOT_MET:
                return None
            raise
