"""Buckets: how much they hold, and emptying them of every version."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

from .deployment import DeploymentError


@dataclass(frozen=True, slots=True)
class Holding:
    """What a bucket holds: present objects, all versions with delete markers, and their bytes."""

    objects: int
    versions: int
    size_bytes: int


def bucket_is_there(bucket: str) -> bool:
    """Tell whether there is such a bucket of ours."""
    import boto3
    from botocore.exceptions import ClientError

    try:
        boto3.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def holding(bucket: str) -> Holding:
    """Count what a bucket holds."""
    objects = versions = size_bytes = 0
    for page in _version_pages(bucket):
        found = page.get("Versions", [])
        objects += sum(one["IsLatest"] for one in found)
        versions += len(found) + len(page.get("DeleteMarkers", []))
        size_bytes += sum(one["Size"] for one in found)
    return Holding(objects, versions, size_bytes)


def empty(bucket: str) -> int:
    """Remove every version, delete marker and unfinished upload, until there are none; return how many."""
    import boto3

    client, removed = boto3.client("s3"), 0
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    while True:
        before = removed
        for page in _version_pages(bucket):
            batch: list[ObjectIdentifierTypeDef] = [
                {"Key": one["Key"], "VersionId": one["VersionId"]}
                for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            ]
            if not batch:
                continue
            failed = client.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True}).get("Errors", [])
            if failed:
                raise DeploymentError(
                    f"{len(failed):,} objects of {bucket} cannot be removed: {failed[0].get('Key')}: "
                    f"{failed[0].get('Message', failed[0].get('Code'))}"
                )
            removed += len(batch)
        if removed == before:
            return removed


def remove_bucket(bucket: str) -> None:
    """Empty a bucket and remove it; it is no fault when there is none."""
    import boto3

    if bucket_is_there(bucket):
        empty(bucket)
        boto3.client("s3").delete_bucket(Bucket=bucket)


def stop_notifications(bucket: str) -> None:
    """Let nothing be triggered by what lands in the bucket."""
    import boto3

    boto3.client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})


def _version_pages(bucket: str) -> Any:
    import boto3

    return boto3.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
