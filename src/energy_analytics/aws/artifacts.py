"""The bucket with what is deployed: the function's zip, its layer's, and the template."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from .deployment import DeploymentError, Names
from .stack import TAGS

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import BucketLocationConstraintType

_WITHOUT_LOCATION: Final = "us-east-1"
"""The one region whose buckets are made without saying where."""


def key_of(path: Path) -> str:
    """Return where a file of that content lies, such as `energy-pipeline-layer-<sha256>.zip`."""
    with path.open("rb") as file:
        return f"{path.stem}-{hashlib.file_digest(file, 'sha256').hexdigest()}{path.suffix}"


def bucket_exists(names: Names) -> bool:
    """Tell whether the bucket is there. Raises DeploymentError when the name is another account's."""
    import boto3
    from botocore.exceptions import ClientError

    try:
        boto3.client("s3").head_bucket(Bucket=names.artifact_bucket, ExpectedBucketOwner=names.account)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 403:
            raise DeploymentError(
                f"The bucket {names.artifact_bucket} is not yours, or you may not see it (s3:ListBucket): ask an "
                "administrator for infrastructure/deployer-policy.json, or deploy under another --stack."
            ) from error
        raise
    return True


def make_bucket(names: Names) -> bool:
    """Make the bucket, private, encrypted and for TLS alone; tell whether it was not there before."""
    import boto3

    is_new = not bucket_exists(names)
    bucket, client = names.artifact_bucket, boto3.client("s3")
    if is_new and names.region == _WITHOUT_LOCATION:
        client.create_bucket(Bucket=bucket)
    elif is_new:
        place = cast("BucketLocationConstraintType", names.region)
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": place})
    client.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    client.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    tags = TAGS | {"stack": names.stack}
    client.put_bucket_tagging(
        Bucket=bucket, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}
    )
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_tls_only(bucket)))
    return is_new


def upload(names: Names, files: Iterable[Path]) -> list[str]:
    """Put the files that are not there yet; return the keys of those that were put."""
    import boto3

    client, there, put = boto3.client("s3"), set(keys(names)), []
    for path in files:
        key = key_of(path)
        if key not in there:
            client.upload_file(str(path), names.artifact_bucket, key, ExtraArgs={"ExpectedBucketOwner": names.account})
            put.append(key)
    return put


def keys(names: Names) -> list[str]:
    """Return the keys of all that the bucket holds."""
    import boto3

    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=names.artifact_bucket)
    return [one["Key"] for page in pages for one in page.get("Contents", [])]


def remove(names: Names, unwanted: Iterable[str]) -> None:
    """Remove what lies under these keys."""
    import boto3

    for key in unwanted:
        boto3.client("s3").delete_object(Bucket=names.artifact_bucket, Key=key)


def template_url(names: Names, key: str) -> str:
    """Return the address at which CloudFormation reads a template of this bucket."""
    domain = "amazonaws.com.cn" if names.region.startswith("cn-") else "amazonaws.com"
    return f"https://s3.{names.region}.{domain}/{names.artifact_bucket}/{key}"


def _tls_only(bucket: str) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
