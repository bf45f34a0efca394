"""What Lambda refuses of a function's settings, and S3's and CloudFormation's refusals that ministack leaves out."""

import json
from collections.abc import Iterator
from typing import Any, Final

from .permissions import role_allows, sending_action
from .unpacked import unzipped_bytes

UNZIPPED_LIMIT_BYTES: Final = 262_144_000
ENVIRONMENT_LIMIT_BYTES: Final = 4096
LAYERS: Final = 5
MINIMUM_UNRESERVED: Final = 10
RANGES: Final = {"timeout": (1, 900), "memorySize": (128, 10240), "ephemeralStorage.size": (512, 10240)}
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
RESERVED_KEYS: Final = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)
_PSEUDO: Final = "AWS::"


def of_settings(settings: dict[str, Any]) -> str | None:
    """Return why Lambda refuses these settings (those of CreateFunction, or the properties of a template)."""
    variables = (settings.get("Environment") or {}).get("Variables") or {}
    if reserved := sorted(RESERVED_KEYS & set(variables)):
        return (
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    if len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode()) > ENVIRONMENT_LIMIT_BYTES:
        return (
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided exceeded the 4KB limit."
        )
    if len(settings.get("Layers") or []) > LAYERS:
        return f"You cannot have more than {LAYERS} layers."
    given = {
        "timeout": settings.get("Timeout"),
        "memorySize": settings.get("MemorySize"),
        "ephemeralStorage.size": (settings.get("EphemeralStorage") or {}).get("Size"),
    }
    for name, (least, most) in RANGES.items():
        value = given[name]
        if value is not None and not least <= int(value) <= most:
            word, bound = ("less", most) if int(value) > most else ("greater", least)
            return (
                f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
                f"Member must have value {word} than or equal to {bound}"
            )
    return None


def of_code(source: dict[str, Any], layers: list[Any]) -> str | None:
    """Return why Lambda refuses code from S3: not there, or too big with its layers."""
    from ministack.services import lambda_svc

    if not source.get("S3Bucket"):
        return None
    version = source.get("S3ObjectVersion")
    data = lambda_svc._fetch_code_from_s3(source["S3Bucket"], source["S3Key"], version_id=version)
    if data is None:
        return (
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not "
            "exist."
        )
    attached = [lambda_svc._resolve_layer_zip(layer) for layer in layers]
    if sum(unzipped_bytes(part) for part in [data, *attached] if part) > UNZIPPED_LIMIT_BYTES:
        return f"Unzipped size must be smaller than {UNZIPPED_LIMIT_BYTES} bytes"
    return None


def of_reservation(wanted: int | None) -> str | None:
    """Return why Lambda does not reserve this much of the account's concurrency."""
    from ministack.services import lambda_svc

    if wanted and lambda_svc._ACCOUNT_CONCURRENCY_CAP - wanted < MINIMUM_UNRESERVED:
        return (
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{MINIMUM_UNRESERVED}]."
        )
    return None


def of_destinations(role: str, configuration: dict[str, Any]) -> str | None:
    """Return why Lambda does not take these destinations: the function's role may not send there."""
    for destination in (configuration.get("DestinationConfig") or {}).values():
        arn = destination.get("Destination")
        action = sending_action(arn) if arn else None
        if action and not role_allows(role, action, arn):
            verb = action.split(":")[1]
            return f"The function's execution role does not have permissions to call {verb} on {arn}"
    return None


def of_dead_letters(role: str, settings: dict[str, Any]) -> str | None:
    """Return why Lambda does not take this dead-letter queue or topic."""
    arn = (settings.get("DeadLetterConfig") or {}).get("TargetArn")
    if arn and not role_allows(role, sending_action(arn), arn):
        service, verb = sending_action(arn).split(":")
        return f"The provided execution role does not have permissions to call {verb} on {service.upper()}"
    return None


def of_bucket_deletion(name: str) -> str | None:
    """Return why S3 does not delete the bucket: old versions and delete markers count too."""
    from ministack.services import s3

    bucket = s3._buckets.get(name)
    if bucket and (bucket["objects"] or s3._bucket_has_versions(name)):
        return (
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket. (Service: S3, "
            "Status Code: 409)"
        )
    return None


def unresolved(template: dict[str, Any]) -> str | None:
    """Return CloudFormation's message about names in a template that nothing in it has."""
    known = {*(template.get("Resources") or {}), *(template.get("Parameters") or {})}
    for section in ("Resources", "Outputs"):
        parts = template.get(section) or {}
        missing = sorted({name for name in _referred(parts) if name not in known and not name.startswith(_PSEUDO)})
        if missing:
            names = ", ".join(missing)
            return (
                f"Template format error: Unresolved resource dependencies [{names}] in the {section} block of the "
                "template"
            )
    return None


def _referred(parts: dict[str, Any]) -> Iterator[str]:
    from ministack.services.cloudformation.engine import _intrinsic_references

    yield from (name for name, _ in _intrinsic_references(parts))
    for part in parts.values():
        needed = part.get("DependsOn", []) if isinstance(part, dict) else []
        yield from [needed] if isinstance(needed, str) else needed
