"""Options that several commands share."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

LakeOption = Annotated[
    str | None,
    typer.Option(
        "--lake", metavar="URI", help="Folder or s3:// URI of the lake.", show_default="the deployment's, or ./lake"
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file.", show_default="energy.toml")
]
SiteOption = Annotated[
    str,
    typer.Option(
        "--site", metavar="S", help="Site, a place kept apart: a folder under raw/.", show_default="raw/ itself"
    ),
]
EverySiteOption = Annotated[str | None, typer.Option("--site", metavar="S", help="Only this site.", show_default="all")]
StackOption = Annotated[
    str | None, typer.Option("--stack", metavar="NAME", help="CloudFormation stack.", show_default="energy-analytics")
]
RegionOption = Annotated[
    str | None, typer.Option("--region", metavar="R", help="AWS region.", show_default="the AWS configuration's")
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", metavar="P", help="AWS profile.", show_default="the AWS configuration's")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


class Form(StrEnum):
    """How the answer to a query is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def day(text: str) -> date:
    """Return the day that is written in an option."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day such as 2026-01-31.") from error
