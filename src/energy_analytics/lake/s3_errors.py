"""What S3, or the way to it, can answer in place of an answer, in words that say what to do."""

from typing import Any, Final

_EXPIRED: Final = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_UNKNOWN_KEY: Final = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "AuthFailure"}
_DENIED: Final = {"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "403", "Forbidden"}
_ELSEWHERE: Final = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"}
_GONE: Final = {"NoSuchKey", "NoSuchVersion", "404", "NotFound", "PreconditionFailed", "412"}
_CLOCK: Final = {"RequestTimeTooSkewed"}
_THROTTLED: Final = {"SlowDown", "503", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests"}
_OWN_FAULT: Final = {"InternalError", "500", "OperationAborted", "RequestTimeout"}
_AGAIN: Final = "nothing half done is in the lake, and the same command goes on from there"
_SIGN_IN: Final = "sign in again (aws sso login, or new keys) and try once more"


def code_of(error: BaseException) -> str:
    """Return AWS's name for what went wrong, or the name of the SDK's exception."""
    answer: dict[str, Any] | None = getattr(_cause(error), "response", None)
    return str(answer["Error"].get("Code", "")) if answer and "Error" in answer else type(error).__name__


def is_gone(error: BaseException) -> bool:
    """Tell whether S3 said that there is no such object, or not in this version."""
    return code_of(error) in _GONE


def translated(error: BaseException, *, uri: str, key: str | None) -> str:
    """Return a sentence that says what went wrong and what to do."""
    from botocore import exceptions as sdk

    code, place = code_of(error), uri if key is None else f"{key} in {uri}"
    if code == "NoSuchBucket" or (key is None and code in _GONE):
        return f"There is no bucket {uri}: check the name; energy deploy makes a lake on AWS."
    if code in _DENIED:
        unknown = "" if key is None else ", or there is no such object"
        return f"Access to {place} was denied: the AWS credentials in use lack the right to it{unknown}."
    if code in _EXPIRED or isinstance(error, (sdk.SSOError, sdk.TokenRetrievalError)):
        return f"The AWS credentials for {uri} have expired: {_SIGN_IN}."
    if code in _UNKNOWN_KEY:
        return f"AWS does not know the access key in use ({code}): check AWS_PROFILE and the AWS configuration."
    if code == "400":
        return f"S3 refused to look at {place}, as it does when credentials have expired: {_SIGN_IN}."
    if code in _CLOCK:
        return f"The clock of this machine is too far from that of S3 to use {uri}: set it right."
    if code in _THROTTLED:
        return f"S3 asks for fewer requests ({code}), and {place} had to wait too long: try again later; {_AGAIN}."
    if code in _OWN_FAULT:
        return f"S3 failed ({code}) at {place}, several times in a row: try again later; {_AGAIN}."
    if code in _ELSEWHERE:
        return f"{uri} is in another region: set AWS_REGION to the bucket's."
    if isinstance(error, (sdk.NoCredentialsError, sdk.PartialCredentialsError, sdk.CredentialRetrievalError)):
        return f"There are no AWS credentials for {uri}: set AWS_PROFILE, or run aws configure."
    if isinstance(error, sdk.ProfileNotFound):
        return f"{str(error).rstrip('.')}: set AWS_PROFILE to one that aws configure list-profiles shows."
    if isinstance(error, sdk.NoRegionError):
        return f"No AWS region is set for {uri}: set AWS_REGION, such as eu-central-1."
    if isinstance(error, (sdk.ConnectionError, sdk.HTTPClientError, sdk.IncompleteReadError)):
        return (
            f"S3 cannot be reached for {uri}, or the connection was cut: check the network, AWS_REGION and "
            f"AWS_ENDPOINT_URL; {_AGAIN} ({_line(error)})."
        )
    return f"{place} could not be used: {_line(error)}."


def _cause(error: BaseException) -> BaseException:
    """Return what the SDK's transfer of large files hides in an exception of its own."""
    return error if hasattr(error, "response") or error.__context__ is None else error.__context__


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
