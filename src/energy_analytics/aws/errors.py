"""What the SDK raises, as one sentence that says what to do."""

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

DEPLOYER_POLICY: Final = "infrastructure/deployer-policy.json"

_CREDENTIALS: Final = (
    "run `aws configure`, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN)."
)
_EXPIRED: Final = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN: Final = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_DENIED: Final = {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
_NOT_AUTHORIZED: Final = re.compile(
    r"(?P<who>arn:\S+|User: \S+) is not authorized to perform: (?P<action>[\w:*-]+)(?: on resource: (?P<where>\S+))?"
)


def in_a_sentence(error: Exception) -> str | None:
    """Return what to tell a person of an error of the SDK; None when it is none, or our own fault."""
    from botocore import exceptions

    match error:
        case exceptions.ClientError():
            return _refusal(error)
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return f"There are no AWS credentials: {_CREDENTIALS}"
        case (
            exceptions.TokenRetrievalError()
            | exceptions.UnauthorizedSSOTokenError()
            | exceptions.SSOTokenLoadError()
            | exceptions.CredentialRetrievalError()
        ):
            return f"The AWS credentials could not be got ({_line(error)}): run `aws sso login`, or {_CREDENTIALS}"
        case exceptions.NoRegionError():
            return (
                "No AWS region is set: say --region (such as eu-central-1), or set AWS_REGION, or run `aws configure`."
            )
        case exceptions.InvalidRegionError():
            return f"That is no AWS region ({_line(error)}): say one such as --region eu-central-1."
        case exceptions.ProfileNotFound():
            return f"{_line(error)}: say --profile with one that `aws configure list-profiles` shows."
        case exceptions.HTTPClientError() | exceptions.ConnectionError():
            return f"AWS cannot be reached: {_line(error)} Look at the region's name, the network and AWS_ENDPOINT_URL."
        case exceptions.WaiterError() | exceptions.BotoCoreError() if not isinstance(
            error, exceptions.ParamValidationError
        ):
            return f"The AWS library gave up: {_line(error)}"
    return None


def _refusal(error: "ClientError") -> str:
    code = error.response.get("Error", {}).get("Code", "")
    message = _line(Exception(error.response.get("Error", {}).get("Message", "")))
    if code in _EXPIRED:
        return f"The AWS credentials have expired: run `aws sso login` or get new ones, or {_CREDENTIALS}"
    if code in _UNKNOWN:
        return f"AWS does not accept the credentials ({code}): {_CREDENTIALS}"
    if code in _DENIED:
        found = _NOT_AUTHORIZED.search(message)
        if found:
            where = f" on {found['where']}" if found["where"] else ""
            what = f"{found['who'].removeprefix('User: ')} may not {found['action']}{where}"
        else:
            what = f"You may not {error.operation_name}" + (f" ({message})" if message else "")
        return f"{what}. Ask an administrator for the permissions in {DEPLOYER_POLICY}."
    return f"AWS refused {error.operation_name}: {message or code}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
