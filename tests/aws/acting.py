"""Acting with somebody's credentials, to see what they may do and what not."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError
from emulator import Emulator

Clients = Callable[[str], Any]
"""Gives a service's client with somebody's credentials."""

_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"}


def may(call: Callable[[], Any]) -> bool:
    """Make a call; tell whether it was let through. Raises what else is wrong with it."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] in _DENIED:
            return False
        raise
    return True


@contextmanager
def as_role(aws: Emulator, role: str) -> Iterator[Clients]:
    """Give clients with the credentials of a role, which trusts this account's root meanwhile."""
    iam = aws.client("iam")
    described = iam.get_role(RoleName=role)["Role"]
    trusted = described["AssumeRolePolicyDocument"]
    root = {"Effect": "Allow", "Principal": {"AWS": described["Arn"].split(":")[4]}, "Action": "sts:AssumeRole"}
    widened = trusted | {"Statement": [*trusted["Statement"], root]}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(widened))
    try:
        given = aws.client("sts").assume_role(RoleArn=described["Arn"], RoleSessionName="tried")["Credentials"]
        yield lambda service: aws.client(
            service,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trusted))


@contextmanager
def as_user(aws: Emulator, name: str, policy_arn: str) -> Iterator[Clients]:
    """Give clients with the credentials of a new user who has one policy."""
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=policy_arn)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    try:
        yield lambda service: aws.client(
            service, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
    finally:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.detach_user_policy(UserName=name, PolicyArn=policy_arn)
        iam.delete_user(UserName=name)
