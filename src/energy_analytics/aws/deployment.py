"""A deployment on an AWS account: which stack it is, what its parts are called, and where that is written down."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ..settings import AwsSettings

DEFAULT_STACK: Final = "energy-analytics"
DEPLOYMENT_FILE: Final = Path("deployment.json")
"""In the working directory: what `energy deploy` has made, so that the other commands find it."""

_NAME_CHARACTERS: Final = 8
_ENGINE_SHARE: Final = 1 / 3
"""Of the function's memory: the rest is for the models and the libraries."""
_LEAST_ENGINE_MB: Final = 64
_SLOW_SHARE: Final = 0.8
"""A run that takes more of its time than this rings the alarm."""


class DeploymentError(Exception):
    """The deployment cannot be made, found or removed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What `deployment.json` holds."""

    stack: str
    region: str
    profile: str | None
    account: str
    lake: str

    @classmethod
    def read(cls, path: Path = DEPLOYMENT_FILE) -> "Deployment | None":
        """Return the deployment that the file tells of, or None when there is no file."""
        if not path.is_file():
            return None
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise DeploymentError(
                f"{path} is not what `energy deploy` writes ({error}); remove it and run `energy deploy` again."
            ) from error

    @property
    def names(self) -> "Names":
        """What the deployment's parts are called."""
        return Names(self.stack, self.account, self.region)

    def write(self, path: Path = DEPLOYMENT_FILE) -> None:
        """Write the file."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Names:
    """What the parts of a stack are called, where that does not depend on the stack's id."""

    stack: str
    account: str
    region: str

    @property
    def suffix(self) -> str:
        """Ends the names of every stack but the default one."""
        return "" if self.stack == DEFAULT_STACK else f"-{self.stack}"

    @property
    def function(self) -> str:
        """The function that runs uploads."""
        return f"energy-pipeline{self.suffix}"

    @property
    def role(self) -> str:
        """What the function may do."""
        return f"energy-lambda-role{self.suffix}"

    @property
    def layer(self) -> str:
        """The libraries of the function."""
        return f"energy-pipeline-layer{self.suffix}"

    @property
    def dashboard_function(self) -> str:
        """The function that answers the dashboard's pages and its API."""
        return f"energy-dashboard{self.suffix}"

    @property
    def dashboard_role(self) -> str:
        """What that function may do."""
        return f"energy-dashboard-role{self.suffix}"

    @property
    def dashboard_layer(self) -> str:
        """The libraries of that function."""
        return f"energy-dashboard-layer{self.suffix}"

    @property
    def dashboard_logs(self) -> tuple[str, str]:
        """That function's log, and the one of the API before it."""
        return f"/aws/lambda/{self.dashboard_function}", f"/aws/vendedlogs/{self.dashboard_function}"

    @property
    def dashboard_api(self) -> str:
        """The HTTP API."""
        return f"energy-dashboard{self.suffix}"

    @property
    def user_pool(self) -> str:
        """Who may sign in."""
        return f"energy-dashboard{self.suffix}"

    @property
    def athena_policy(self) -> str:
        """The policy for who may ask the lake."""
        return f"energy-athena-access{self.suffix}"

    @property
    def database(self) -> str:
        """The Athena database."""
        return "energy_db" + self.suffix.replace("-", "_").lower()

    @property
    def workgroup(self) -> str:
        """The Athena workgroup."""
        return f"energy-analytics{self.suffix}"

    @property
    def failure_queue(self) -> str:
        """The queue with what the function could not run."""
        return f"energy-pipeline-failures{self.suffix}"

    @property
    def topic(self) -> str:
        """The topic of alerts."""
        return f"energy-alerts{self.suffix}"

    @property
    def log_group(self) -> str:
        """The function's log."""
        return f"/aws/lambda/{self.function}"

    @property
    def dashboard(self) -> str:
        """The CloudWatch dashboard."""
        return f"energy-analytics{self.suffix}"

    @property
    def artifact_bucket(self) -> str:
        """The bucket with what is deployed: bucket names are one list for all the world, so it is a digest."""
        identity = f"{self.account} {self.region} {self.stack}".encode()
        return f"energy-artifacts-{hashlib.sha256(identity).hexdigest()[:_NAME_CHARACTERS]}"


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a stack says of itself."""

    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        if name not in self.values:
            raise DeploymentError(f"The stack has no output {name}; run `energy deploy` to bring it up to date.")
        return self.values[name]


def use_session(*, profile: str | None, region: str | None) -> None:
    """Let every client from now on use this profile and region; None leaves that to the AWS configuration."""
    import boto3

    boto3.setup_default_session(profile_name=profile, region_name=region)


def whose_account() -> str:
    """Return the account's number. Raises what the SDK raises without credentials or a region."""
    import boto3

    return boto3.client("sts").get_caller_identity()["Account"]


def names_of(stack: str) -> Names:
    """Return the names of a stack in the account and region in use."""
    import boto3
    from botocore.exceptions import NoRegionError

    region = boto3.client("cloudformation").meta.region_name
    if not region:
        raise NoRegionError
    return Names(stack, whose_account(), region)


def outputs_of(stack: str) -> Outputs:
    """Return the outputs of a stack. Raises DeploymentError when there is none."""
    from .stack import find_stack

    found = find_stack(stack)
    if found is None:
        raise DeploymentError(f"There is no stack {stack} in this account and region; make it with: energy deploy")
    return Outputs({one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])})


def stack_parameters(
    settings: "AwsSettings",
    names: Names,
    *,
    function_key: str,
    layer_key: str,
    dashboard_keys: tuple[str, str] | None = None,
) -> dict[str, str]:
    """Return the parameters of the template. `dashboard_keys` are those of its function and layer, None for none."""
    dashboard_function_key, dashboard_layer_key = dashboard_keys or ("", "")
    values: dict[str, Any] = {
        "ArtifactBucket": names.artifact_bucket,
        "FunctionKey": function_key,
        "LayerKey": layer_key,
        "DashboardFunctionKey": dashboard_function_key,
        "DashboardLayerKey": dashboard_layer_key,
        "Runtime": settings.runtime,
        "Architecture": settings.architecture,
        "MemoryMb": settings.memory_mb,
        "EngineMemoryMb": max(_LEAST_ENGINE_MB, int(_ENGINE_SHARE * settings.memory_mb)),
        "TimeoutSeconds": settings.timeout_seconds,
        "SlowSeconds": int(_SLOW_SHARE * settings.timeout_seconds),
        "EphemeralStorageMb": settings.ephemeral_storage_mb,
        "ReservedConcurrency": settings.reserved_concurrency or -1,
        "ScannedLimitMb": settings.scanned_limit_mb,
        "LogRetentionDays": settings.log_retention_days,
        "AlertEmail": settings.alert_email or "",
        "NotifyNewEpisodes": str(settings.notify_new_episodes).lower(),
        "SecretArn": settings.secret_arn or "",
        "BedrockModelArn": settings.bedrock_model_arn or "",
        "NameSuffix": names.suffix,
        "DatabaseName": names.database,
    }
    return {name: str(value) for name, value in values.items()}
