"""The key of a model's server: from the environment, or on AWS from where the deployment keeps it. Never told."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from pydantic import SecretStr

from energy_analytics.insights.models import ModelError
from energy_analytics.settings import Settings

KEY_NAME: Final = "OPENAI_API_KEY"
"""The environment variable, and the key's name in a secret that is JSON."""


def api_key(settings: Settings) -> SecretStr | None:
    """Return OpenAI's key: the environment's, or that of `aws.secret_arn` for a lake on AWS; None when there is none.

    A secret is fetched once per process. Raises ModelError when it cannot be.
    """
    if key := os.environ.get(KEY_NAME, "").strip():
        return SecretStr(key)
    if settings.aws.secret_arn and settings.lake.startswith("s3://"):
        return _fetched(settings.aws.secret_arn)
    return None


@cache
def _fetched(arn: str) -> SecretStr:
    """Fetch a secret from Secrets Manager, or a parameter from SSM: the key itself, or JSON that names it."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        with _unlogged():
            if ":ssm:" in arn:
                name = arn.partition(":parameter")[2]
                text = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
            else:
                text = boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    except (BotoCoreError, ClientError, KeyError):
        # Not chained: what is told of it must not depend on what an error of the SDK carries.
        raise ModelError("could not be asked: its key, aws.secret_arn, could not be read") from None
    return SecretStr(_key_in(text))


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep the SDK from logging what it receives, which it does where someone has set the level DEBUG."""
    logger = logging.getLogger("botocore")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


def _key_in(text: str) -> str:
    key: object = text
    if text.lstrip().startswith("{"):
        try:
            key = json.loads(text).get(KEY_NAME)
        except ValueError:
            key = None
    if not isinstance(key, str) or not key.strip():
        raise ModelError(f"could not be asked: aws.secret_arn holds neither a key nor JSON with {KEY_NAME}")
    return key.strip()
