"""What the tests of the deployment share: a package that is built in no time, and a look at the whole account."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import energy
from emulator import Emulator

CODE = """
import json, logging, urllib.parse
VERSION = {version!r}

def lambda_handler(event, context):
    for record in event["Records"]:
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        print(json.dumps({{"level": "INFO", "message": "Reading", "key": key, "stamp": "20260301_120000_abcdef01"}}))
        if "bad" in key:
            raise ValueError(key + " has no column kwh")
        print("a line as it is")
"""

DASHBOARD_CODE = """
import json, os

def lambda_handler(event, context):
    shown = {name: os.environ[name] for name in ("BUCKET_NAME", "CLIENT_ID", "LOGIN_URL")}
    return {"statusCode": 200, "body": json.dumps({"environment": shown, "event": event})}
"""


def small_package(folder: Path, *, version: str = "1") -> Path:
    """Write the zips: a function that only logs, and fails for keys with `bad` in them; a dashboard that echoes."""
    folder.mkdir(exist_ok=True)
    for name, file, text in (
        ("energy-pipeline-function", "lambda_function.py", CODE.format(version=version)),
        ("energy-pipeline-layer", "python/nothing.py", ""),
        ("energy-dashboard-function", "dashboard_function.py", DASHBOARD_CODE),
        ("energy-dashboard-layer", "python/nothing_either.py", ""),
    ):
        entry = zipfile.ZipInfo(file)
        entry.external_attr = 0o100644 << 16
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.writestr(entry, text)
    return folder


@dataclass(frozen=True)
class Person:
    """Someone with a folder, a small package and the emulator's account."""

    folder: Path
    aws: Emulator
    stack: str

    def energy(self, *arguments: str, stdin: str = "", **variables: str) -> Any:
        """Run a command as this person."""
        return energy(*arguments, folder=self.folder, variables=self.aws.environment() | variables, stdin=stdin)

    def deploy(self, *arguments: str, version: str = "1", **variables: str) -> Any:
        """Deploy the small package."""
        package = small_package(self.folder / "package", version=version)
        return self.energy("deploy", "--package", str(package), "--stack", self.stack, *arguments, **variables)

    @property
    def deployment(self) -> Mapping[str, str]:
        """What deployment.json says."""
        told: dict[str, str] = json.loads((self.folder / "deployment.json").read_text("utf-8"))
        return told

    @property
    def outputs(self) -> Mapping[str, str]:
        """What the stack says of itself."""
        [stack] = self.aws.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    @property
    def bucket(self) -> str:
        """The lake's bucket."""
        return self.deployment["lake"].removeprefix("s3://")


def account(aws: Emulator) -> dict[str, list[str]]:
    """List all that an account holds, asked of the services and not of our own inventory."""
    client = aws.client
    return {
        "stacks": [one["StackName"] for one in client("cloudformation").describe_stacks()["Stacks"]],
        "buckets": [one["Name"] for one in client("s3").list_buckets()["Buckets"]],
        "functions": [one["FunctionName"] for one in client("lambda").list_functions()["Functions"]],
        "layers": [one["LayerName"] for one in client("lambda").list_layers()["Layers"]],
        "roles": [one["RoleName"] for one in client("iam").list_roles()["Roles"]],
        "policies": [one["PolicyName"] for one in client("iam").list_policies(Scope="Local")["Policies"]],
        "databases": [one["Name"] for one in client("glue").get_databases()["DatabaseList"]],
        "workgroups": [one["Name"] for one in client("athena").list_work_groups()["WorkGroups"]],
        "logs": [one["logGroupName"] for one in client("logs").describe_log_groups()["logGroups"]],
        "topics": [one["TopicArn"] for one in client("sns").list_topics()["Topics"]],
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "alarms": [one["AlarmName"] for one in client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "apis": [one["Name"] for one in client("apigatewayv2").get_apis()["Items"]],
        "user pools": [one["Name"] for one in client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]],
        "dashboards": [one["DashboardName"] for one in client("cloudwatch").list_dashboards()["DashboardEntries"]],
    }
