"""What the SDK raises, as one sentence that says what to do."""

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

DEPLOYER_POLICY: Final = "infrastructure/deployer-policy.json"

_GET: Final = (
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

    if isinstance(error, exceptions.ClientError):
        return _refusal(error)
    for kinds, sentence in (
        ((exceptions.NoCredentialsError, exceptions.PartialCredentialsError), f"There are no AWS credentials: {_GET}"),
        (
            (exceptions.SSOError, exceptions.TokenRetrievalError, exceptions.CredentialRetrievalError),
            f"The AWS credentials could not be got: {_line(error)} Run `aws sso login`, or {_GET}",
        ),
        (
            (exceptions.NoRegionError,),
            "No AWS region is set: say --region (such as eu-central-1), set AWS_REGION, or run `aws configure`.",
        ),
        ((exceptions.InvalidRegionError,), f"That is no AWS region: {_line(error)} One is eu-central-1."),
        (
            (exceptions.ProfileNotFound,),
            f"{_line(error)}: set AWS_PROFILE to one that `aws configure list-profiles` shows.",
        ),
        (
            (exceptions.HTTPClientError, exceptions.ConnectionError),
            f"AWS cannot be reached: {_line(error)} Look at the region's name, the network and AWS_ENDPOINT_URL.",
        ),
    ):
        if isinstance(error, kinds):
            return sentence
    return None


def _refusal(error: "ClientError") -> str:
    code = error.response.get("Error", {}).get("Code", "")
    message = _line(Exception(error.response.get("Error", {}).get("Message", "")))
    if code in _EXPIRED:
        return f"The AWS credentials have expired: run `aws sso login` or get new ones, or {_GET}"
    if code in _UNKNOWN:
        return f"AWS does not accept the credentials ({code}): {_GET}"
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
