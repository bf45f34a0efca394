"""Permissions in words: who may do what, on which resource, under which condition."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .template import Evaluated, Resource

_COMPARISONS: Final = {
    "StringEquals": "is",
    "StringNotEquals": "is not",
    "StringEqualsIgnoreCase": "is",
    "StringLike": "is like",
    "StringNotLike": "is not like",
    "ArnEquals": "is",
    "ArnNotEquals": "is not",
    "ArnLike": "is like",
    "ArnNotLike": "is not like",
    "Bool": "is",
    "Null": "is absent:",
    "NumericEquals": "is",
    "NumericNotEquals": "is not",
    "NumericLessThan": "is below",
    "NumericLessThanEquals": "is at most",
    "NumericGreaterThan": "is above",
    "NumericGreaterThanEquals": "is at least",
    "DateLessThan": "is before",
    "DateGreaterThan": "is after",
    "IpAddress": "is in",
    "NotIpAddress": "is not in",
}
_WORDS: Final = {
    "athena:GetQueryExecution": "see queries",
    "athena:GetQueryResults": "read answers",
    "athena:GetWorkGroup": "see the workgroup",
    "athena:ListQueryExecutions": "list queries",
    "athena:StartQueryExecution": "start queries",
    "athena:StopQueryExecution": "stop queries",
    "bedrock:InvokeModel": "ask the model",
    "glue:GetDatabase": "see the database",
    "glue:GetDatabases": "list databases",
    "glue:GetPartitions": "list partitions",
    "glue:GetTable": "see a table",
    "glue:GetTables": "list tables",
    "lambda:InvokeFunction": "call the function",
    "logs:CreateLogStream": "begin a log stream",
    "logs:PutLogEvents": "write to the log",
    "s3:AbortMultipartUpload": "give up an upload in parts",
    "s3:DeleteObject": "delete objects",
    "s3:GetBucketLocation": "see the bucket's region",
    "s3:GetObject": "read objects",
    "s3:ListBucket": "list objects",
    "s3:ListMultipartUploadParts": "list the parts of an upload",
    "s3:PutObject": "write objects",
    "secretsmanager:GetSecretValue": "read the secret",
    "sns:Publish": "publish",
    "sqs:SendMessage": "send messages",
    "ssm:GetParameter": "read the parameter",
    "sts:AssumeRole": "take on its rights",
}
"""What the template's actions mean; an action that is not here stands for itself."""
_QUANTIFIERS: Final = {"ForAllValues": "every ", "ForAnyValue": "any "}
_RESOURCE_POLICIES: Final = {
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SQS::QueuePolicy": "Queues",
    "AWS::SNS::TopicPolicy": "Topics",
}


def permissions(template: Evaluated) -> list[str]:
    """Return every permission that the template gives or denies, a sentence each, in the template's order."""
    return [sentence for resource in template.resources() for sentence in _of_resource(resource)]


def sentence(statement: Mapping[str, Any], *, who: str | None = None, on: str | None = None) -> str:
    """Return a policy's statement in words. `who` and `on` stand in for a principal or a resource it leaves out."""
    subject = who or _principals(statement)
    may = "may"
    if statement["Effect"] == "Deny":
        subject, may = ("Nobody", "may") if subject == "Everyone" else (subject, "may not")
    what = (
        f"do anything but {_listed(statement['NotAction'])}"
        if "NotAction" in statement
        else _actions(statement["Action"])
    )
    if "NotResource" in statement:
        where = f"anything but {_listed(_short(statement['NotResource']))}"
    elif "Resource" in statement:
        where = _listed(["every resource" if one == "*" else one for one in _short(statement["Resource"])])
    else:
        where = on or ""
    condition = _condition(statement.get("Condition", {}))
    return " ".join(part for part in (subject, may, what, where and f"on {where}") if part) + (
        f", if {condition}" if condition else ""
    )


def _of_resource(resource: Resource) -> Iterator[str]:
    properties = resource.properties
    if resource.type == "AWS::IAM::Role":
        role = str(properties.get("RoleName", resource.logical_id))
        for statement in _statements(properties["AssumeRolePolicyDocument"]):
            yield sentence(statement, on=f"the role {role}")
        for policy in properties.get("Policies", []):
            for statement in _statements(policy["PolicyDocument"]):
                yield sentence(statement, who=role)
        for arn in properties.get("ManagedPolicyArns", []):
            yield f"{role} may do what AWS's policy {str(arn).rsplit('/', 1)[-1]} says"
    elif resource.type in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"}:
        has_it = [*properties.get("Roles", []), *properties.get("Users", []), *properties.get("Groups", [])]
        if not has_it:
            has_it = [f"Who has the policy {properties.get('ManagedPolicyName', resource.logical_id)}"]
        for statement in _statements(properties["PolicyDocument"]):
            yield sentence(statement, who=_listed(has_it))
    elif resource.type in _RESOURCE_POLICIES:
        of = properties.get(_RESOURCE_POLICIES[resource.type], resource.logical_id)
        for statement in _statements(properties["PolicyDocument"]):
            yield sentence(statement, on=_listed(_short(of)))
    elif resource.type == "AWS::Lambda::Permission":
        yield _invocation(properties)
    elif resource.type == "AWS::ApiGatewayV2::Route":
        yield _route(properties)


def _invocation(properties: Mapping[str, Any]) -> str:
    conditions = [
        f"{what} {_listed(_short(properties[name]))}"
        for name, what in (("SourceArn", "from"), ("SourceAccount", "of the account"))
        if name in properties
    ]
    function = _listed(_short(properties["FunctionName"]))
    return f"{properties['Principal']} may {_actions(properties['Action'])} on {function}" + (
        f", if it comes {' '.join(conditions)}" if conditions else ""
    )


def _route(properties: Mapping[str, Any]) -> str:
    """Return in words who may ask the API for what: a route says so, and no policy."""
    method, _, path = str(properties["RouteKey"]).partition(" ")
    what = f"{'ask' if method == 'ANY' else method} {path} of the API {properties['ApiId']}"
    if properties.get("AuthorizationType", "NONE") == "NONE":
        return f"Everyone may {what}"
    scopes = _listed(properties["AuthorizationScopes"])
    return f"Who has signed in ({properties['AuthorizationType']}, {scopes}) may {what}"


def _statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    statements = document["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _principals(statement: Mapping[str, Any]) -> str:
    if "NotPrincipal" in statement:
        return f"Everyone but {_principal(statement['NotPrincipal'])}"
    return _principal(statement.get("Principal", "?"))


def _principal(principal: Any) -> str:
    if principal == "*":
        return "Everyone"
    if isinstance(principal, str):
        return principal
    named = [one for value in principal.values() for one in (value if isinstance(value, list) else [value])]
    return _listed(["everyone" if one == "*" else one for one in named]) if named != ["*"] else "Everyone"


def _actions(actions: str | list[str]) -> str:
    listed = [actions] if isinstance(actions, str) else actions
    return (
        "do anything"
        if listed == ["*"]
        else _listed(["do anything of " + one[:-2] if one.endswith(":*") else _action(one) for one in listed])
    )


def _action(name: str) -> str:
    return f"{_WORDS[name]} ({name})" if name in _WORDS else name


def _condition(condition: Mapping[str, Mapping[str, Any]]) -> str:
    parts = []
    for operator, tests in condition.items():
        quantifier, _, plain = operator.rpartition(":")
        optional = plain.endswith("IfExists")
        compared = _COMPARISONS.get(plain.removesuffix("IfExists"), plain.removesuffix("IfExists"))
        every, absent = _QUANTIFIERS.get(quantifier, ""), " or absent" if optional else ""
        parts += [f"{every}{key} {compared} {_listed(value, 'or')}{absent}" for key, value in tests.items()]
    return " and ".join(parts)


def _short(resources: Any) -> list[str]:
    """Return resources without what every ARN begins with: `s3:bucket/raw/*` says it."""
    listed = resources if isinstance(resources, list) else [resources]
    return [_without_account(str(one)) for one in listed]


def _without_account(arn: str) -> str:
    parts = arn.split(":", 5)
    return f"{parts[2]}:{parts[5]}" if len(parts) == 6 and parts[0] == "arn" else arn


def _listed(items: Any, word: str = "and") -> str:
    listed = [str(one) for one in (items if isinstance(items, list) else [items])]
    if len(listed) < 2:
        return "".join(listed)
    return f"{', '.join(listed[:-1])} {word} {listed[-1]}"
