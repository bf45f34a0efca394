"""What a browser asks of the bucket itself, signed by the server's own role: to take a file, and to give one."""

from functools import cache
from typing import Any, Final
from urllib.parse import quote, urlsplit

from ..lake import Lake, StoredObject
from ..lake.s3 import S3Lake

_VALID_SECONDS: Final = 900


def upload_form(lake: Lake, key: str, *, size_bytes: int) -> dict[str, Any]:
    """Return the address and the fields of a form that takes one file of at most that size, under that key alone."""
    assert isinstance(lake, S3Lake)  # noqa: S101 - the application is made so
    form = _client().generate_presigned_post(
        lake.bucket,
        key,
        Conditions=[["content-length-range", 1, size_bytes]],
        ExpiresIn=_VALID_SECONDS,
    )
    return {"url": form["url"], "fields": dict(form["fields"])}


def download_address(lake: Lake, stored: StoredObject, *, name: str) -> str:
    """Return an address at which an object of the lake can be fetched for a while, as a file of that name."""
    assert isinstance(lake, S3Lake)  # noqa: S101 - the application is made so
    given = {
        "Bucket": lake.bucket,
        "Key": stored.key,
        "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(name)}",
    }
    return str(_client().generate_presigned_url("get_object", Params=given, ExpiresIn=_VALID_SECONDS))


def bucket_origin(lake: Lake) -> str:
    """Return the origin that such forms are sent to, for the pages' security policy."""
    parts = urlsplit(upload_form(lake, "raw/any.csv", size_bytes=1)["url"])
    return f"{parts.scheme}://{parts.netloc}"


@cache
def _client() -> Any:
    import boto3
    from botocore.config import Config

    # The bucket's regional address: the global one redirects, which a browser's rules for other origins refuse.
    return boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
