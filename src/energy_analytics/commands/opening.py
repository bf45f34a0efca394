"""Which lake or deployment a command is about: option, environment, settings file, deployment.json, default."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..aws.deployment import Deployment, Names
    from ..lake import Lake
    from ..settings import AwsSettings, Settings


@dataclass(frozen=True, slots=True)
class Opened:
    """The settings, the lake, and the deployment if the lake is one's."""

    settings: "Settings"
    lake: "Lake"
    deployment: "Deployment | None"

    @property
    def is_remote(self) -> bool:
        """Tell whether the lake is a bucket."""
        return is_remote(self.settings)


def is_remote(settings: "Settings") -> bool:
    """Tell whether the lake is a bucket."""
    return settings.lake.startswith("s3://")


def configured(
    config: Path | None, *, lake: str | None = None, model: str | None = None
) -> "tuple[Settings, Deployment | None]":
    """Return the settings with the lake that counts, and what deployment.json says if that is its lake."""
    from ..settings import load_settings

    settings = load_settings(config, lake=lake, model=model)
    if "lake" in settings.model_fields_set and not is_remote(settings):
        return settings, None
    from ..aws.deployment import Deployment

    deployment = Deployment.read()
    if deployment is not None and "lake" not in settings.model_fields_set:
        settings = settings.model_copy(update={"lake": deployment.lake})
    if deployment is not None and deployment.lake.rstrip("/") != settings.lake.rstrip("/"):
        deployment = None
    return settings, deployment


def open_configured(config: Path | None, *, lake: str | None = None, model: str | None = None) -> Opened:
    """Open the lake that counts; on AWS as the profile and in the region of its deployment."""
    from ..lake import open_lake

    settings, deployment = configured(config, lake=lake, model=model)
    if is_remote(settings):
        from ..aws.deployment import use_session

        use_session(
            profile=deployment.profile if deployment else settings.aws.profile,
            region=deployment.region if deployment else settings.aws.region,
        )
    return Opened(settings, open_lake(settings.lake), deployment)


def target(
    config: Path | None, *, stack: str | None, region: str | None, profile: str | None
) -> "tuple[AwsSettings, Names, Deployment | None]":
    """Return the settings and names of the stack that counts, and its deployment.json; its session is in use from here.

    Raises DeploymentError when deployment.json tells of another account than the credentials are of.
    """
    from ..aws.deployment import Deployment, DeploymentError, names_of, use_session
    from ..settings import load_settings

    settings = load_settings(config).aws
    deployment = Deployment.read()
    own = settings.model_fields_set
    if deployment is not None:
        stack = stack or (None if "stack" in own else deployment.stack)
        region = region or (None if "region" in own else deployment.region)
        profile = profile or (None if "profile" in own else deployment.profile)
    given = {"stack": stack, "region": region, "profile": profile}
    chosen = load_settings(config, aws={name: value for name, value in given.items() if value is not None}).aws
    use_session(profile=chosen.profile, region=chosen.region)
    names = names_of(chosen.stack)
    if deployment is None or (deployment.stack, deployment.region) != (names.stack, names.region):
        return chosen, names, None
    if deployment.account != names.account:
        raise DeploymentError(
            f"deployment.json is about the account {deployment.account}, and the credentials are of {names.account}: "
            "choose with --profile, or work in another folder."
        )
    return chosen, names, deployment
