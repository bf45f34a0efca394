"""Episodes: stretches of time in which an appliance did not behave as it usually does."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from ... import dismissals
from .. import happenings, models
from ..desk import Answer, AtDesk, AtSite, Since, Until
from ..series import appliances_of
from ..times import range_of
from .readings import Appliances

router = APIRouter(tags=["episodes"])

Sorting = Literal["cost", "start", "severity"]
Identity = Annotated[str, Path(max_length=64, description="As the list has it.")]


@router.get("/episodes", response_model=models.Episodes)
def episodes(
    site: AtSite,
    appliance: Appliances = [],  # noqa: B006 - it is a declaration
    since: Since = None,
    until: Until = None,
    include_dismissed: bool = False,
    sort: Annotated[
        Sorting, Query(description="Cost and severity: the highest first; start: the newest first.")
    ] = "cost",
) -> Answer:
    """List the episodes that reach into a range."""
    chosen = appliances_of(site, appliance)
    span = range_of(since, until, site.zone)
    found = [
        one
        for one in happenings.episodes(site)
        if (include_dismissed or not one["dismissed"])
        and one["appliance"] in chosen
        and happenings.reaches_into(one, span)
    ]
    return {"episodes": sorted(found, key=_place(sort)), "currency": happenings.currency(site.newest)}


@router.get("/episodes/{identity}", response_model=models.EpisodeInFull)
def episode(desk: AtDesk, site: AtSite, identity: Identity) -> Answer:
    """Return an episode with the hours around it beside what is usual."""
    row = happenings.stored_row(site, identity)
    [told] = [one for one in happenings.episodes(site) if one["id"] == identity][:1]
    return {**told, "series": happenings.around(site, desk.grids, row)}


@router.put("/episodes/{identity}/dismissal", status_code=204, response_class=Response)
def dismiss(desk: AtDesk, site: AtSite, identity: Identity) -> None:
    """Keep an episode out of the lists and of later reports."""
    row = happenings.stored_row(site, identity)
    dismissals.dismiss_episode(desk.lake, site.name, row)
    desk.sites.forget()


@router.delete("/episodes/{identity}/dismissal", status_code=204, response_class=Response)
def restore(desk: AtDesk, site: AtSite, identity: Identity) -> None:
    """Let an episode be told again."""
    happenings.stored_row(site, identity)
    dismissals.restore(desk.lake, site.name, identity)
    desk.sites.forget()


def _place(sort: Sorting) -> Callable[[dict[str, Any]], tuple[float, str]]:
    if sort == "start":
        return lambda one: (-datetime.fromisoformat(one["start"]).timestamp(), one["id"])
    if sort == "severity":
        return lambda one: (-one["severity"], one["id"])
    return lambda one: (-(one["excess_kwh"] if one["cost"] is None else one["cost"]), one["id"])
