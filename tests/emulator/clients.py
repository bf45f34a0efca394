"""The emulator as a client of itself, with the rights of the account's root."""

import os
from functools import cache
from typing import Any


@cache
def own_client(service: str) -> Any:
    """Return a client of this emulator."""
    import boto3
    from ministack.core.tls import resolve_tls_material

    session = boto3.session.Session(
        aws_access_key_id=os.environ["MINISTACK_ACCOUNT_ID"],
        aws_secret_access_key="test",  # noqa: S106
        region_name=os.environ["MINISTACK_REGION"],
    )
    endpoint = f"https://127.0.0.1:{os.environ['GATEWAY_PORT']}"
    return session.client(service, endpoint_url=endpoint, verify=str(resolve_tls_material()[0]))
