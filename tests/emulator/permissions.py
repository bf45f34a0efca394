"""What a function's role, and a function's own policy, allow: the questions that ministack does not ask itself."""

from typing import Any


def role_allows(role_arn: str, action: str, resource_arn: str) -> bool:
    """Say whether the role's policies allow the action on the resource."""
    from ministack.core import iam_evaluator as iam

    policies = iam._gather_role_policies(role_arn.rsplit("/", 1)[-1], role_arn.split(":")[4])
    return _allowed(role_arn, policies, action, resource_arn)


def caller_allows(caller_arn: str, action: str, resource_arn: str) -> bool:
    """Say whether the policies of a request's caller (root, a user, a role's session) allow the action."""
    from ministack.core import iam_evaluator as iam

    account, principal = caller_arn.split(":")[4:6]
    kind, _, name = principal.partition("/")
    if kind == "root":
        return True
    if kind == "assumed-role":
        return _allowed(caller_arn, iam._gather_role_policies(name.split("/")[0], account), action, resource_arn)
    return _allowed(caller_arn, iam._gather_user_policies(name.split("/")[-1], account), action, resource_arn)


def _allowed(principal_arn: str, policies: list[Any], action: str, resource_arn: str) -> bool:
    from ministack.core import iam_evaluator as iam
    from ministack.core.responses import get_region

    context = iam.EvalContext(
        principal_arn=principal_arn,
        principal_type="User" if ":user/" in principal_arn else "AssumedRole",
        principal_account=principal_arn.split(":")[4],
        action=action,
        resource_arn=resource_arn,
        region=get_region(),
        secure_transport=True,
    )
    return iam.evaluate(context, policies).decision == "Allow"


def sending_action(arn: str) -> str:
    """Return the action that a role needs to send to a queue, topic or function."""
    service = arn.split(":")[2]
    actions = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}
    if service not in actions:
        raise NotImplementedError(f"EMULATOR_NOT_IMPLEMENTED: the destination {arn}")
    return actions[service]


def bucket_may_invoke(function: dict[str, Any], bucket: str, account: str) -> bool:
    """Say whether the function's policy lets S3 invoke it for this account's bucket.

    A permission without the source account is good for a bucket of that name in anyone's account, as on the service.
    """
    return service_may_invoke(function, "s3.amazonaws.com", f"arn:aws:s3:::{bucket}", account)


def service_may_invoke(function: dict[str, Any], service: str, source_arn: str, account: str) -> bool:
    """Say whether the function's policy lets a service invoke it in the name of this source."""
    for statement in (function.get("policy") or {}).get("Statement", []):
        principal = statement.get("Principal")
        allowed = principal.get("Service") if isinstance(principal, dict) else principal
        if statement.get("Effect") != "Allow" or allowed not in (service, "*"):
            continue
        if statement.get("Action") not in ("lambda:InvokeFunction", "lambda:*", "*"):
            continue
        if _conditions_hold(statement.get("Condition") or {}, source_arn, account):
            return True
    return False


def _conditions_hold(conditions: dict[str, dict[str, Any]], source_arn: str, account: str) -> bool:
    from ministack.core.iam_evaluator import fnmatch_iam_cs

    facts = {"aws:sourcearn": source_arn, "aws:sourceaccount": account}
    for expected in conditions.values():
        for key, patterns in expected.items():
            fact = facts.get(key.lower(), "")
            wanted = patterns if isinstance(patterns, list) else [patterns]
            if not any(fnmatch_iam_cs(fact, pattern) for pattern in wanted):
                return False
    return True
