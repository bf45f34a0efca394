"""The template: what linters find in it, and what no emulator checks."""

import json
import os
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args

import pytest
from commands import ROOT
from template_reading import (
    BUCKET,
    DATABASE,
    PATH,
    PSEUDO,
    athena_view,
    glue_tables,
    holds,
    references,
    resolved,
    resources,
    statements,
    template,
)

from energy_analytics import schema
from energy_analytics.settings import AwsSettings

HIVE = {
    "VARCHAR": "string",
    "DOUBLE": "double",
    "BIGINT": "bigint",
    "INTEGER": "int",
    "SMALLINT": "smallint",
    "TIMESTAMP": "timestamp",
    "DATE": "date",
    "BOOLEAN": "boolean",
    "STRUCT(key VARCHAR, uploaded_at VARCHAR, size_bytes BIGINT, sha256 VARCHAR)": (
        "struct<key:string,uploaded_at:string,size_bytes:bigint,sha256:string>"
    ),
}
TRINO = HIVE | {"VARCHAR": "varchar", "INTEGER": "integer", "TIMESTAMP": "timestamp(3)"}

RESERVED_KEYS = {
    *("_HANDLER", "_X_AMZN_TRACE_ID", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "AWS_REGION", "AWS_DEFAULT_REGION"),
    *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_EXECUTION_ENV"),
    *("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION"),
    *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
    "AWS_LAMBDA_RUNTIME_API",
}
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""

EVERYTHING = {
    "NotifyNewEpisodes": "true",
    "AlertEmail": "you@example.org",
    "SecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:energy",
    "BedrockModelArn": "arn:aws:bedrock:eu-central-1::foundation-model/model",
    "NameSuffix": "-another",
}


WITH_DASHBOARD = {"DashboardFunctionKey": "function.zip", "DashboardLayerKey": "layer.zip"}


def pipeline(kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of the resources of a type that are not the web dashboard's."""
    return {name: found for name, found in resources(kind).items() if not is_of_the_dashboard(name)}


def dashboard(kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of the resources of a type that are there with the web dashboard alone."""
    return {name: found for name, found in resources(kind).items() if is_of_the_dashboard(name)}


def is_of_the_dashboard(name: str) -> bool:
    return template()["Resources"][name].get("Condition") == "HasDashboard"


def one(kind: str) -> dict[str, Any]:
    """Return the properties of the only resource of a type, not counting the web dashboard's."""
    (found,) = pipeline(kind).values()
    return found


def its(kind: str) -> dict[str, Any]:
    """Return the properties of the web dashboard's only resource of a type."""
    (found,) = dashboard(kind).values()
    return found


# ---- Linters


@pytest.mark.slow
def test_cfn_lint_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(
        [linter, "--regions", "eu-central-1", "us-east-1", "--", PATH], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cfn-lint" not in template().get("Metadata", {})  # no rule is ignored


@pytest.mark.slow
def test_checkov_finds_nothing() -> None:
    linter = Path(os.environ.get("ENERGY_CHECKOV", ROOT / ".venv-lint" / "bin" / "checkov"))
    assert linter.is_file(), "The security linter is not installed: make install-lint (or set ENERGY_CHECKOV)"
    done = subprocess.run(  # by its name alone: it takes a path that happens to have 40 characters for a secret key
        [linter, "--framework", "cloudformation", "--file", PATH.name, "--skip-download", "--output", "json"],
        cwd=PATH.parent,
        env=os.environ | {"CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false", "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["summary"]["failed"] == found["summary"]["parsing_errors"] == 0
    assert found["summary"]["passed"] > 40
    skipped = {(check["resource"].split(".")[-1], check["check_id"]) for check in found["results"]["skipped_checks"]}
    assert skipped == {(name, skip["id"]) for name, skip in exceptions()}


def exceptions() -> list[tuple[str, dict[str, str]]]:
    """Return what the security linter is told to pass over, by resource."""
    return [
        (name, skip)
        for name, resource in template()["Resources"].items()
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]


def test_every_exception_has_a_reason() -> None:
    assert exceptions()
    for name, skip in exceptions():
        assert len(skip["comment"].split()) >= 10, (name, skip)


def test_is_plain_text_of_a_size_that_cloudformation_takes() -> None:
    body = PATH.read_bytes()
    assert body.isascii()  # CloudFormation turns anything else into question marks
    assert len(body) < 1_000_000


def test_every_reference_leads_somewhere() -> None:
    whole = template()
    known = {*whole["Resources"], *whole["Parameters"], *PSEUDO}
    assert set(references([whole["Resources"], whole["Outputs"]])) <= known
    used = set(references([whole["Resources"], whole["Outputs"], whole["Conditions"]]))
    assert set(whole["Parameters"]) <= used
    for resource in whole["Resources"].values():
        assert resource.get("Condition") in {None, *whole["Conditions"]}


def test_no_circle() -> None:
    whole = template()["Resources"]
    needs = {
        name: {other for other in references(resource) if other in whole} | {resource.get("DependsOn")} - {None}
        for name, resource in whole.items()
    }
    while needs:
        free = {name for name, others in needs.items() if not others & needs.keys()}
        assert free, f"a circle among {sorted(needs)}"
        needs = {name: others for name, others in needs.items() if name not in free}


# ---- Names, parameters, outputs


def test_names_of_the_default_stack() -> None:
    named = {
        "S3::Bucket": ("BucketName", BUCKET),
        "Lambda::Function": ("FunctionName", "energy-pipeline"),
        "IAM::Role": ("RoleName", "energy-lambda-role"),
        "IAM::ManagedPolicy": ("ManagedPolicyName", "energy-athena-access"),
        "Athena::WorkGroup": ("Name", "energy-analytics"),
        "SQS::Queue": ("QueueName", "energy-pipeline-failures"),
        "SNS::Topic": ("TopicName", "energy-alerts"),
        "Logs::LogGroup": ("LogGroupName", "/aws/lambda/energy-pipeline"),
        "CloudWatch::Dashboard": ("DashboardName", "energy-analytics"),
        "Lambda::LayerVersion": ("LayerName", "energy-pipeline-layer"),
    }
    for kind, (key, name) in named.items():
        assert resolved(one(kind)[key]) == name
        if kind != "S3::Bucket":
            assert resolved(one(kind)[key], NameSuffix="-mine") == f"{name}-mine"
    assert resolved(one("Glue::Database")["DatabaseInput"]["Name"]) == "energy_db"
    policies = {resolved(policy["PolicyName"]) for policy in role_policies()}
    assert {"S3Access", "CloudWatchLogs", "FailureQueue", "Alerts", "BedrockAccess", "SecretAccess"} == policies


def test_outputs() -> None:
    assert set(template()["Outputs"]) >= {
        *("BucketName", "LakeUri", "FunctionName", "RoleArn", "DatabaseName", "WorkgroupName"),
        *("FailureQueueUrl", "AlertTopicArn", "LogGroupName", "DashboardName"),
    }
    assert resolved(template()["Outputs"]["LakeUri"]["Value"]) == f"s3://{BUCKET}"


def test_parameters_take_what_the_settings_allow() -> None:
    declared, fields = template()["Parameters"], AwsSettings.model_fields
    for parameter, name in {
        "Runtime": "runtime",
        "Architecture": "architecture",
        "MemoryMb": "memory_mb",
        "TimeoutSeconds": "timeout_seconds",
        "EphemeralStorageMb": "ephemeral_storage_mb",
        "ScannedLimitMb": "scanned_limit_mb",
        "LogRetentionDays": "log_retention_days",
    }.items():
        assert declared[parameter]["Default"] == fields[name].default
        bounds = {type(limit).__name__: limit for limit in fields[name].metadata}
        assert declared[parameter].get("MinValue") == getattr(bounds.get("Ge"), "ge", None)
        assert declared[parameter].get("MaxValue") == getattr(bounds.get("Le"), "le", None)
        if "AllowedValues" in declared[parameter]:
            assert tuple(declared[parameter]["AllowedValues"]) == get_args(fields[name].annotation)
    for secret in ("AlertEmail", "SecretArn", "BedrockModelArn", "DashboardFunctionKey", "DashboardLayerKey"):
        assert declared[secret]["Default"] == ""


# ---- The lake


def test_bucket_is_private_encrypted_and_keeps_versions() -> None:
    bucket = one("S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_uploads_are_never_lost_nor_put_where_athena_cannot_read() -> None:
    rules = one("S3::Bucket")["LifecycleConfiguration"]["Rules"]
    on_raw = [rule for rule in rules if rule.get("Prefix", "") in ("", "raw/")]
    classes = [
        (move["StorageClass"], move["TransitionInDays"]) for rule in rules for move in rule.get("Transitions", [])
    ]
    assert classes == [("GLACIER_IR", 90)]
    assert not any("ExpirationInDays" in rule or "ExpirationDate" in rule for rule in on_raw)
    expiring = {rule["Prefix"] for rule in rules if "ExpirationInDays" in rule}
    assert expiring == {"athena-results/"}
    assert min(r["NoncurrentVersionExpiration"]["NoncurrentDays"] for r in on_raw if "Transitions" not in r) == 90
    assert any("AbortIncompleteMultipartUpload" in rule for rule in on_raw)
    assert all(rule["Status"] == "Enabled" for rule in rules)


def test_a_stack_deleted_by_mistake_leaves_the_data() -> None:
    # S3 refuses to delete a bucket that holds anything. Nothing is to be left behind by a deletion that was meant.
    policies = {name: resource.get("DeletionPolicy", "Delete") for name, resource in template()["Resources"].items()}
    assert set(policies.values()) == {"Delete"}
    assert template()["Resources"]["Bucket"]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("kind", ["S3::BucketPolicy", "SQS::QueuePolicy", "SNS::TopicPolicy"])
def test_only_over_tls(kind: str) -> None:
    denied = [one for one in statements(one(kind)["PolicyDocument"]) if one["Effect"] == "Deny"]
    (statement,) = denied
    assert statement["Principal"] == "*"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    if kind == "S3::BucketPolicy":
        assert resolved(statement["Resource"]) == ["Bucket.Arn", "Bucket.Arn/*"]


# ---- The function


def test_uploads_trigger_the_function_once() -> None:
    configured = one("S3::Bucket")["NotificationConfiguration"]["LambdaConfigurations"]
    filters = [{rule["Name"]: rule["Value"] for rule in entry["Filter"]["S3Key"]["Rules"]} for entry in configured]
    assert {rules["prefix"] for rules in filters} == {"raw/"}
    suffixes = [rules["suffix"] for rules in filters]
    assert {suffix.lower() for suffix in suffixes} == set(schema.RAW_SUFFIXES)
    assert not [(a, b) for a in suffixes for b in suffixes if a != b and a.endswith(b)]
    assert {entry["Event"] for entry in configured} == {"s3:ObjectCreated:*"}
    assert template()["Resources"]["Bucket"]["DependsOn"] == "InvokePermission"


def test_only_this_bucket_of_this_account_may_call() -> None:
    permission = one("Lambda::Permission")
    assert resolved(permission["SourceAccount"]) == PSEUDO["AWS::AccountId"]
    assert resolved(permission["SourceArn"]) == f"arn:aws:s3:::{BUCKET}"
    assert permission["Principal"] == "s3.amazonaws.com"


@pytest.mark.parametrize("given", [{}, EVERYTHING])
def test_environment_fits_and_sets_nothing_reserved(given: dict[str, str]) -> None:
    variables = dict(one("Lambda::Function")["Environment"]["Variables"])
    assert not RESERVED_KEYS & set(variables)
    topic = variables.pop("ALERT_TOPIC_ARN")
    assert topic["Fn::If"][0] == "NotifiesOfEpisodes"
    values = resolved(variables, **given)
    assert values["BUCKET_NAME"] == BUCKET
    length = sum(len(f"{name}{value}") for name, value in values.items())
    assert length + len("ALERT_TOPIC_ARN") + 256 < 4096  # an ARN of a topic has at most 256 characters


def test_limits_of_lambda() -> None:
    function = one("Lambda::Function")
    assert template()["Parameters"]["TimeoutSeconds"]["MaxValue"] <= 900
    assert len(function["Layers"]) <= 5
    assert function["Handler"] == "lambda_function.lambda_handler"
    assert function["ReservedConcurrentExecutions"]["Fn::If"][0] == "ReservesConcurrency"
    assert function["LoggingConfig"]["LogFormat"] == "JSON"


def test_failures_are_tried_again_and_then_kept() -> None:
    handling = one("Lambda::EventInvokeConfig")
    assert handling["MaximumRetryAttempts"] == 2
    assert 60 <= handling["MaximumEventAgeInSeconds"] <= 21600
    assert resolved(handling["DestinationConfig"]) == {"OnFailure": {"Destination": "FailureQueue.Arn"}}
    queue = one("SQS::Queue")
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["SqsManagedSseEnabled"] is True


# ---- Rights


def role_policies() -> list[dict[str, Any]]:
    """Return the policies of the function's role."""
    return [*one("IAM::Role")["Policies"], *pipeline("IAM::Policy").values()]


def test_the_role_may_do_little() -> None:
    for policy in role_policies():
        for statement in statements(policy["PolicyDocument"]):
            assert statement["Effect"] == "Allow"
            assert not [action for action in statement["Action"] if "*" in action]
            assert "*" not in statement["Resource"]
    assert {resolved(policy.get("Roles", ["Role"]))[0] for policy in role_policies()} == {"Role"}
    trusted = statements(one("IAM::Role")["AssumeRolePolicyDocument"])
    assert [(trust["Principal"], trust["Action"]) for trust in trusted] == [
        ({"Service": "lambda.amazonaws.com"}, ["sts:AssumeRole"])
    ]


def test_the_role_writes_results_and_never_uploads() -> None:
    (access,) = [policy for policy in role_policies() if policy["PolicyName"] == "S3Access"]
    may: dict[str, set[str]] = {}
    for statement in statements(access["PolicyDocument"]):
        for action in statement["Action"]:
            may.setdefault(action, set()).update(resolved(statement["Resource"]))
    results = {f"Bucket.Arn/{prefix}/*" for prefix in schema.PREFIXES if prefix not in ("raw", "athena-results")}
    assert may["s3:PutObject"] == may["s3:DeleteObject"] == results
    assert may["s3:GetObject"] == results | {"Bucket.Arn/raw/*"}
    assert may["s3:ListBucket"] == {"Bucket.Arn"}
    assert set(may) == {"s3:PutObject", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:AbortMultipartUpload"}


def test_secret_and_model_only_when_given() -> None:
    conditions = {
        resource["Properties"]["PolicyName"]: resource.get("Condition")
        for resource in template()["Resources"].values()
        if resource["Type"] == "AWS::IAM::Policy"
    }
    assert conditions == {
        "S3Access": None,
        "Alerts": "NotifiesOfEpisodes",
        "BedrockAccess": "HasBedrock",
        "SecretAccess": "HasSecret",
    }


def test_who_asks_athena_may_read_tables_and_keep_answers() -> None:
    allowed = statements(one("IAM::ManagedPolicy")["PolicyDocument"])
    for statement in allowed:
        assert "*" not in resolved(statement["Resource"])
        assert not [action for action in statement["Action"] if "*" in action]
        if statement["Sid"] == "KnowTheTables":
            glue = "arn:aws:glue:eu-central-1:123456789012"
            assert resolved(statement["Resource"]) == [
                f"{glue}:catalog",
                f"{glue}:database/{DATABASE}",
                f"{glue}:table/{DATABASE}/*",
            ]
        if "s3:PutObject" in statement["Action"]:
            assert resolved(statement["Resource"]) == ["Bucket.Arn/athena-results/*"]
    readable = {
        path
        for statement in allowed
        if "s3:GetObject" in statement["Action"]
        for path in resolved(statement["Resource"])
    }
    for table in glue_tables().values():
        if table["TableType"] == "EXTERNAL_TABLE":
            place = table["StorageDescriptor"]["Location"].replace(f"s3://{BUCKET}", "Bucket.Arn")
            assert any(fnmatchcase(f"{place}x", path) for path in readable), place


# ---- SQL


def test_tables_and_views_are_those_of_the_schema() -> None:
    external = {name for name, table in glue_tables().items() if table["TableType"] == "EXTERNAL_TABLE"}
    assert external == set(schema.TABLES) - {schema.REJECTED_ROWS.name}
    assert set(glue_tables()) - external == set(schema.VIEWS)


@pytest.mark.parametrize("table", [one for one in schema.TABLES.values() if one is not schema.REJECTED_ROWS])
def test_a_table_has_the_columns_of_the_schema(table: schema.Table) -> None:
    made = glue_tables()[table.name]
    storage = made["StorageDescriptor"]
    kind = {"csv": lambda _: "string"}.get(table.format, HIVE.__getitem__)
    assert [(column["Name"], column["Type"]) for column in storage["Columns"]] == [
        (column.name, kind(column.type)) for column in table.columns
    ]
    assert storage["Location"] == f"s3://{BUCKET}/{table.prefix}/"
    serde = storage["SerdeInfo"]["SerializationLibrary"]
    assert serde.endswith({"csv": "OpenCSVSerde", "json": "JsonSerDe", "parquet": "ParquetHiveSerDe"}[table.format])
    if table.format == "csv":
        assert made["Parameters"]["skip.header.line.count"] == "1"
        read_by = storage["SerdeInfo"]["Parameters"]
        assert (read_by["separatorChar"], read_by["quoteChar"]) == (",", '"')
        assert read_by["escapeChar"] not in ("\\", '"')  # a quote would be taken for a backslash


@pytest.mark.parametrize("view", schema.VIEWS.values())
def test_a_view_has_the_columns_of_the_schema(view: schema.View) -> None:
    told, made = athena_view(view.name), glue_tables()[view.name]
    assert (told["catalog"], told["schema"]) == ("awsdatacatalog", DATABASE)
    assert told["columns"] == [{"name": column.name, "type": TRINO[column.type]} for column in view.columns]
    assert [(column["Name"], column["Type"]) for column in made["StorageDescriptor"]["Columns"]] == [
        (column.name, HIVE[column.type]) for column in view.columns
    ]
    assert made["Parameters"]["presto_view"] == "true"
    for column in view.columns:
        # As the outermost SELECT casts it, so that Athena finds the type that it expects.
        assert re.search(rf'AS {re.escape(TRINO[column.type])}\) AS "?{column.name}"?(,| FROM )', told["originalSql"])


def test_no_two_tables_share_a_place() -> None:
    places = [t["StorageDescriptor"]["Location"] for t in glue_tables().values() if t["TableType"] == "EXTERNAL_TABLE"]
    assert not [(a, b) for a in places for b in places if a is not b and a.startswith(b)]


def test_the_workgroup_bounds_every_query() -> None:
    configured = resolved(one("Athena::WorkGroup")["WorkGroupConfiguration"])
    assert configured["EnforceWorkGroupConfiguration"] is True
    assert int(configured["BytesScannedCutoffPerQuery"]) == 10240 * 10**6
    smallest = {"ScannedLimitMb": template()["Parameters"]["ScannedLimitMb"]["MinValue"]}
    assert int(
        resolved(one("Athena::WorkGroup"), **smallest)["WorkGroupConfiguration"]["BytesScannedCutoffPerQuery"]
    ) >= (
        10_000_000  # the least that Athena takes
    )
    assert configured["ResultConfiguration"]["OutputLocation"] == f"s3://{BUCKET}/athena-results/"
    assert one("Athena::WorkGroup")["RecursiveDeleteOption"] is True


# ---- Watching


def test_alarms_ring_at_the_topic() -> None:
    alarms = resources("CloudWatch::Alarm").values()
    assert {alarm["MetricName"] for alarm in pipeline("CloudWatch::Alarm").values()} == {
        *("Errors", "Throttles", "Duration", "AsyncEventsDropped", "DestinationDeliveryFailures"),
        "ApproximateNumberOfMessagesVisible",
    }
    watched = {
        (alarm["MetricName"], resolved(alarm["Dimensions"])[0]["Value"])
        for alarm in dashboard("CloudWatch::Alarm").values()
    }
    assert watched == {("Errors", "DashboardFunction"), ("5xx", "DashboardApi")}
    for alarm in alarms:
        assert resolved(alarm["AlarmActions"]) == ["AlertTopic"]
        assert alarm["TreatMissingData"] == "notBreaching"
    (duration,) = [alarm for alarm in alarms if alarm["MetricName"] == "Duration"]
    assert int(resolved(duration["Threshold"])) == 0.8 * 900 * 1000
    publishers = [one for one in statements(one("SNS::TopicPolicy")["PolicyDocument"]) if one["Effect"] == "Allow"]
    assert [publisher["Principal"] for publisher in publishers] == [{"Service": "cloudwatch.amazonaws.com"}]
    assert "aws:SourceAccount" in publishers[0]["Condition"]["StringEquals"]


def test_the_dashboard_is_json_about_these_resources() -> None:
    body = json.loads(resolved(one("CloudWatch::Dashboard")["DashboardBody"]))
    with_web = json.loads(resolved(one("CloudWatch::Dashboard")["DashboardBody"], **WITH_DASHBOARD))
    added = [widget for widget in with_web["widgets"] if widget not in body["widgets"]]
    assert len(with_web["widgets"]) == len(body["widgets"]) + len(added) == len(body["widgets"]) + 2
    assert all("DashboardApi" in json.dumps(widget) for widget in added)
    shown = json.dumps(body)
    for metric in ("Invocations", "Errors", "Throttles", "Duration", "Rows", "RowsRejected", "Anomalies"):
        assert f'"{metric}"' in shown
    assert {widget["properties"]["region"] for widget in body["widgets"]} == {"eu-central-1"}


# ---- The web dashboard


def test_without_it_nothing_of_it_is_made() -> None:
    names = {name for name in template()["Resources"] if name.startswith(("Dashboard", "Users"))} - {"Dashboard"}
    assert all(map(is_of_the_dashboard, names))
    assert len(names) == 18
    outputs = template()["Outputs"]
    assert {name for name, told in outputs.items() if told.get("Condition") == "HasDashboard"} == {
        *("DashboardUrl", "DashboardLogGroupName", "UserPoolId")
    }
    assert not holds("HasDashboard")
    assert holds("HasDashboard", **WITH_DASHBOARD)
    cors = one("S3::Bucket")["CorsConfiguration"]
    assert resolved(cors) is None
    [rule] = resolved(cors, **WITH_DASHBOARD)["CorsRules"]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == (["DashboardApi.ApiEndpoint"], ["POST", "GET"])


def test_names_of_the_dashboard() -> None:
    for kind, key, name in (
        ("Lambda::Function", "FunctionName", "energy-dashboard"),
        ("Lambda::LayerVersion", "LayerName", "energy-dashboard-layer"),
        ("IAM::Role", "RoleName", "energy-dashboard-role"),
        ("ApiGatewayV2::Api", "Name", "energy-dashboard"),
        ("Cognito::UserPool", "UserPoolName", "energy-dashboard"),
    ):
        assert resolved(its(kind)[key]) == name
        assert resolved(its(kind)[key], NameSuffix="-mine") == f"{name}-mine"
    assert resolved(its("Cognito::UserPoolDomain")["Domain"]) == BUCKET
    assert not re.search("aws|amazon|cognito", BUCKET)  # of which Cognito takes none
    assert {resolved(group["LogGroupName"]) for group in dashboard("Logs::LogGroup").values()} == {
        "/aws/lambda/energy-dashboard",
        "/aws/vendedlogs/energy-dashboard",
    }
    assert all(
        group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in dashboard("Logs::LogGroup").values()
    )


def test_the_dashboards_function_fits_behind_the_api() -> None:
    function, variables = its("Lambda::Function"), its("Lambda::Function")["Environment"]["Variables"]
    assert function["Timeout"] < 30  # which the API waits for at most
    assert its("ApiGatewayV2::Integration")["TimeoutInMillis"] == 30_000
    assert its("ApiGatewayV2::Integration")["PayloadFormatVersion"] == "2.0"
    assert function["Handler"] == "dashboard_function.lambda_handler"
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert not RESERVED_KEYS & set(variables)
    assert set(variables) == {"BUCKET_NAME", "CLIENT_ID", "LOGIN_URL", "ENERGY_MEMORY_LIMIT_MB"}
    assert all(isinstance(value, (str, dict)) for value in variables.values())
    login = "https://UsersDomain.auth.eu-central-1.amazoncognito.com"
    assert resolved(variables["LOGIN_URL"]) == login


def test_the_dashboards_role_reads_and_puts_uploads_and_dismissals_alone() -> None:
    may: dict[str, set[str]] = {}
    for policy in its("IAM::Role")["Policies"]:
        for statement in statements(policy["PolicyDocument"]):
            assert statement["Effect"] == "Allow"
            for action in statement["Action"]:
                assert "*" not in action
                may.setdefault(action, set()).update(resolved(statement["Resource"]))
    readable = {f"Bucket.Arn/{prefix}/*" for prefix in schema.PREFIXES if prefix != "athena-results"}
    assert may == {
        "logs:CreateLogStream": {"DashboardLogGroup.Arn"},
        "logs:PutLogEvents": {"DashboardLogGroup.Arn"},
        "s3:ListBucket": {"Bucket.Arn"},
        "s3:GetObject": readable,
        "s3:PutObject": {"Bucket.Arn/raw/*", "Bucket.Arn/curated/dismissed/*"},
        "s3:DeleteObject": {"Bucket.Arn/curated/dismissed/*"},
    }
    trusted = statements(its("IAM::Role")["AssumeRolePolicyDocument"])
    assert [trust["Principal"] for trust in trusted] == [{"Service": "lambda.amazonaws.com"}]


def test_only_the_api_may_call_and_only_who_has_signed_in_reaches_data() -> None:
    permission = its("Lambda::Permission")
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert resolved(permission["SourceArn"]) == "arn:aws:execute-api:eu-central-1:123456789012:DashboardApi/*/*"
    routes = {route["RouteKey"]: route for route in dashboard("ApiGatewayV2::Route").values()}
    assert {key: route["AuthorizationType"] for key, route in routes.items()} == {
        "ANY /api/{proxy+}": "JWT",
        "GET /{proxy+}": "NONE",
        "GET /": "NONE",
    }
    guarded = routes["ANY /api/{proxy+}"]
    assert guarded["AuthorizationScopes"] == ["openid"]
    assert resolved(guarded["AuthorizerId"]) == "DashboardAuthorizer"
    authorizer = its("ApiGatewayV2::Authorizer")
    assert authorizer["AuthorizerType"] == "JWT"
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    assert resolved(authorizer["JwtConfiguration"]) == {
        "Issuer": "https://cognito-idp.eu-central-1.amazonaws.com/Users",
        "Audience": ["UsersClient"],
    }
    assert "CorsConfiguration" not in its("ApiGatewayV2::Api")


def test_the_api_is_throttled_and_logs_no_token() -> None:
    stage = its("ApiGatewayV2::Stage")
    assert stage["StageName"] == "$default"
    assert stage["AutoDeploy"] is True
    assert (
        0
        < stage["DefaultRouteSettings"]["ThrottlingRateLimit"]
        <= stage["DefaultRouteSettings"]["ThrottlingBurstLimit"]
        <= 100
    )
    log = stage["AccessLogSettings"]
    assert resolved(log["DestinationArn"]).endswith(":123456789012:log-group:DashboardAccessLog")
    written = json.loads(log["Format"])
    assert "\n" not in log["Format"]
    assert "$context.requestId" in written.values()  # without which the service takes no format
    assert not re.search("header|token|authorization", log["Format"], re.IGNORECASE)


def test_users_are_invited_and_choose_good_passwords() -> None:
    pool = its("Cognito::UserPool")
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    invitation = pool["AdminCreateUserConfig"]["InviteMessageTemplate"]["EmailMessage"]["Fn::Sub"]
    assert "{username}" in invitation
    assert "{####}" in invitation
    policy = pool["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] >= 12
    assert all(policy[f"Require{what}"] for what in ("Lowercase", "Uppercase", "Numbers", "Symbols"))
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])
    assert pool["DeletionProtection"] == "INACTIVE"
    assert pool["UsernameAttributes"] == pool["AutoVerifiedAttributes"] == ["email"]


def test_the_login_gives_codes_to_this_address_and_short_tokens() -> None:
    client = its("Cognito::UserPoolClient")
    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["AllowedOAuthScopes"] == ["openid", "email"]
    assert resolved(client["CallbackURLs"]) == ["DashboardApi.ApiEndpoint/signed-in"]
    assert resolved(client["LogoutURLs"]) == ["DashboardApi.ApiEndpoint/"]
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert client["TokenValidityUnits"] == {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"}
    assert client["AccessTokenValidity"] <= 15
    assert client["RefreshTokenValidity"] == 1
    assert client["PreventUserExistenceErrors"] == "ENABLED"


# ---- The deployer


NEEDED = {
    "ApiGatewayV2::Api": "apigateway: POST GET PATCH DELETE PUT",
    "ApiGatewayV2::Authorizer": "apigateway: POST GET PATCH DELETE",
    "ApiGatewayV2::Integration": "apigateway: POST GET PATCH DELETE",
    "ApiGatewayV2::Route": "apigateway: POST GET PATCH DELETE",
    "ApiGatewayV2::Stage": "apigateway: POST GET PATCH DELETE",
    "Cognito::UserPool": (
        "cognito-idp: CreateUserPool DescribeUserPool UpdateUserPool DeleteUserPool SetUserPoolMfaConfig "
        "GetUserPoolMfaConfig TagResource UntagResource ListTagsForResource ListUserPools AdminCreateUser"
    ),
    "Cognito::UserPoolClient": (
        "cognito-idp: CreateUserPoolClient DescribeUserPoolClient UpdateUserPoolClient DeleteUserPoolClient"
    ),
    "Cognito::UserPoolDomain": (
        "cognito-idp: CreateUserPoolDomain DescribeUserPoolDomain UpdateUserPoolDomain DeleteUserPoolDomain"
    ),
    "Athena::WorkGroup": "athena: CreateWorkGroup DeleteWorkGroup GetWorkGroup UpdateWorkGroup TagResource",
    "CloudWatch::Alarm": "cloudwatch: PutMetricAlarm DeleteAlarms DescribeAlarms TagResource",
    "CloudWatch::Dashboard": "cloudwatch: PutDashboard DeleteDashboards GetDashboard",
    "Glue::Database": "glue: CreateDatabase DeleteDatabase GetDatabase UpdateDatabase",
    "Glue::Table": "glue: CreateTable DeleteTable GetTable UpdateTable",
    "IAM::ManagedPolicy": (
        "iam: CreatePolicy DeletePolicy GetPolicy GetPolicyVersion CreatePolicyVersion DeletePolicyVersion "
        "ListPolicyVersions ListEntitiesForPolicy DetachRolePolicy DetachUserPolicy DetachGroupPolicy"
    ),
    "IAM::Policy": "iam: PutRolePolicy DeleteRolePolicy GetRolePolicy",
    "IAM::Role": (
        "iam: CreateRole DeleteRole GetRole PutRolePolicy DeleteRolePolicy ListRolePolicies ListAttachedRolePolicies "
        "UpdateAssumeRolePolicy TagRole PassRole"
    ),
    "Lambda::EventInvokeConfig": (
        "lambda: PutFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig DeleteFunctionEventInvokeConfig "
        "GetFunctionEventInvokeConfig"
    ),
    "Lambda::Function": (
        "lambda: CreateFunction DeleteFunction GetFunction GetFunctionConfiguration UpdateFunctionCode "
        "UpdateFunctionConfiguration PutFunctionConcurrency DeleteFunctionConcurrency TagResource "
        "GetRuntimeManagementConfig GetFunctionCodeSigningConfig GetFunctionRecursionConfig"
    ),
    "Lambda::LayerVersion": "lambda: PublishLayerVersion DeleteLayerVersion GetLayerVersion",
    "Lambda::Permission": "lambda: AddPermission RemovePermission GetPolicy",
    "Logs::LogGroup": (
        "logs: CreateLogGroup DeleteLogGroup DescribeLogGroups PutRetentionPolicy TagResource ListTagsForResource"
    ),
    "S3::Bucket": (
        "s3: CreateBucket DeleteBucket ListBucket PutBucketVersioning PutEncryptionConfiguration PutBucketTagging "
        "PutLifecycleConfiguration PutBucketNotification PutBucketPublicAccessBlock PutBucketOwnershipControls "
        "GetBucketVersioning GetEncryptionConfiguration GetLifecycleConfiguration GetBucketNotification "
        "ListBucketVersions DeleteObjectVersion ListBucketMultipartUploads AbortMultipartUpload"
    ),
    "S3::BucketPolicy": "s3: PutBucketPolicy DeleteBucketPolicy GetBucketPolicy",
    "SNS::Subscription": "sns: Subscribe Unsubscribe GetSubscriptionAttributes",
    "SNS::Topic": "sns: CreateTopic DeleteTopic GetTopicAttributes TagResource ListSubscriptionsByTopic",
    "SNS::TopicPolicy": "sns: SetTopicAttributes",
    "SQS::Queue": (
        "sqs: CreateQueue DeleteQueue GetQueueAttributes SetQueueAttributes TagQueue ListQueueTags GetQueueUrl"
    ),
    "SQS::QueuePolicy": "sqs: SetQueueAttributes",
}
"""What CloudFormation does with a type in the deployer's name: the handlers' permissions in its resource schemas."""


BASE, DASHBOARD = "deployer-policy.json", "deployer-policy-dashboard.json"
ACCESS_LOG = {
    *("logs:CreateLogDelivery", "logs:PutResourcePolicy", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
    *("logs:CreateLogGroup", "logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries"),
    *("logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents"),
}
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html"""


def deployer_statements(*files: str) -> list[dict[str, Any]]:
    """Return what the deployer may do."""
    texts = ((ROOT / "infrastructure" / file).read_text(encoding="utf-8") for file in files or (BASE,))
    return [statement for text in texts for statement in statements(json.loads(text))]


def test_the_deployer_may_make_and_remove_every_resource() -> None:
    base = [action for statement in deployer_statements() for action in statement["Action"]]
    both = [action for statement in deployer_statements(BASE, DASHBOARD) for action in statement["Action"]]
    for name, resource in template()["Resources"].items():
        allowed = both if is_of_the_dashboard(name) else base
        service, _, actions = NEEDED[resource["Type"].removeprefix("AWS::")].partition(": ")
        for action in actions.split():
            assert any(fnmatchcase(f"{service}:{action}", pattern) for pattern in allowed), f"{service}:{action}"
    for action in {"s3:PutBucketCORS", "s3:GetBucketCORS", *ACCESS_LOG}:
        assert any(fnmatchcase(action, pattern) for pattern in both), action


def test_the_deployer_reaches_both_functions_by_name() -> None:
    for what, named in {
        "lambda:CreateFunction": "arn:aws:lambda:r:1:function:energy-{}-x",
        "lambda:PublishLayerVersion": "arn:aws:lambda:r:1:layer:energy-{}-layer-x",
        "cloudwatch:PutMetricAlarm": "arn:aws:cloudwatch:r:1:alarm:energy-{}-errors-x",
    }.items():
        places = [place for one in deployer_statements() if what in one["Action"] for place in one["Resource"]]
        for name in ("pipeline", "dashboard"):
            assert any(fnmatchcase(named.format(name), place) for place in places), (what, name)


def test_the_deployer_policy_is_small_and_bound_to_our_names() -> None:
    for file in (BASE, DASHBOARD):
        text = (ROOT / "infrastructure" / file).read_text(encoding="utf-8")
        assert len("".join(text.split())) <= 6144
        for statement in deployer_statements(file):
            assert not [action for action in statement["Action"] if action.endswith(":*")]
            if "*" in statement["Resource"]:
                assert "Condition" in statement or statement["Sid"] == "KnownOnlyForAll"
        (unbound,) = [statement for statement in deployer_statements(file) if statement["Sid"] == "KnownOnlyForAll"]
        assert all(re.search(r":(Describe|Get|List)", action) for action in unbound["Action"])
    (passing,) = [statement for statement in deployer_statements() if "iam:PassRole" in statement["Action"]]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
