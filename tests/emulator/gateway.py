"""API Gateway's HTTP APIs: which tokens its JWT authorizer lets through, and whether it may call the function.

Of a token ministack checks the issuer, the client, `exp`, `nbf`, `iat` and the route's scopes. Here is added, as on the
service: the signature (`tokens`), with the keys of the pool itself (stock, they are asked by plain HTTP of a port that
speaks TLS); a token without `exp` or of another algorithm than RS256 is none; the function's policy must let this API's
route call it; and what a function raises is no answer.

Nothing here delivers access logs, throttles, or cuts an answer off after 30 seconds.
"""

import json
from typing import Any, Final

from .permissions import service_may_invoke
from .tokens import key_of_pool

_ALGORITHM: Final = "RS256"
_JSON: Final = {"Content-Type": "application/json"}


def refuses(token: str | None) -> bool:
    """Say whether the service would not even look at the signature of a token."""
    from ministack.services import apigateway

    try:
        header, claims = (json.loads(apigateway._b64url_decode(part)) for part in (token or "").split(".")[:2])
    except ValueError:
        return True
    return header.get("alg") != _ALGORITHM or "exp" not in claims


def keys_of(url: str) -> dict[str, Any]:
    """Return the public keys of the pool whose address that is; none for a pool that is not there."""
    from ministack.services import cognito

    pool_id = url.removesuffix("/.well-known/jwks.json").rpartition("/")[2]
    if cognito._get_pool_unscoped(pool_id) is None:
        return {"keys": []}
    return {"keys": [key_of_pool(pool_id, use).jwk for use in ("access", "id")]}


def may_call(integration: dict[str, Any], api_id: str, stage: str, route_key: str) -> bool:
    """Say whether the function's policy lets this route of the API call it."""
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import apigateway, lambda_svc

    reference = apigateway._extract_lambda_ref_from_integration_uri(integration.get("integrationUri", ""))
    function, _, _ = lambda_svc._get_func_record_for_ref(reference)
    method, _, path = route_key.partition(" ")
    source = f"arn:aws:execute-api:{get_region()}:{get_account_id()}:{api_id}/{stage}/{method}{path}"
    account = get_account_id()
    return bool(function) and service_may_invoke(function, "apigateway.amazonaws.com", source, account)


def internal_error() -> tuple[int, dict[str, str], bytes]:
    """Return what the caller is told of a function that failed or may not be called."""
    return 500, dict(_JSON), b'{"message":"Internal Server Error"}'


def admits_invited_alone(pool: dict[str, Any]) -> bool:
    """Say whether a pool's users are all made by an administrator: stock, anybody may sign up all the same."""
    only = (pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly", False)
    return str(only).lower() == "true"
