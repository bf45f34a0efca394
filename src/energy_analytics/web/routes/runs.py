"""Runs, what they refused, and their reports."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse, Response

from .. import models
from ..access import REPORT_POLICY
from ..desk import Answer, AtSite
from ..problems import ProblemError
from ..uploads import in_short

router = APIRouter(tags=["runs"])

Stamp = Annotated[str, Path(max_length=64, description="As the list has it: 20260301_120000_1a2b3c4d.")]


@router.get("/runs", response_model=models.Runs)
def runs(
    site: AtSite,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: Annotated[
        str | None, Query(pattern="^[0-9]{8}_[0-9]{6}$", description="next_cursor of the page before.")
    ] = None,
) -> Answer:
    """List the runs, the newest upload first. Runs of one second stay together, whatever the limit."""
    found: list[dict[str, Any]] = []
    last = None
    for second, manifests in site.runs(before=cursor):
        if len(found) >= limit:
            return {"runs": found, "next_cursor": last}
        found += [in_short(one) for one in manifests]
        last = second
    return {"runs": found, "next_cursor": None}


@router.get("/runs/{stamp}", response_model=models.Record)
def run(site: AtSite, stamp: Stamp) -> Answer:
    """Return the full record of a run."""
    return site.run(stamp)


@router.get(
    "/report",
    response_class=HTMLResponse,
    responses={
        200: {
            "description": "The report.",
            "content": {"text/html": {"schema": {"type": "string"}}, "text/plain": {"schema": {"type": "string"}}},
        }
    },
)
def report(
    site: AtSite,
    stamp: Annotated[str | None, Query(max_length=64, description="The newest run with results if absent.")] = None,
    format_: Annotated[Literal["html", "text"], Query(alias="format")] = "html",
) -> Response:
    """Return the report of a run."""
    manifest = site.newest if stamp is None else site.run(stamp)
    if manifest["status"] != "succeeded":
        raise ProblemError(404, f"The run {stamp!r} failed, so there is no report of it.")
    content = site.result(manifest["outputs"][f"report_{format_}"]).read_bytes()
    if format_ == "text":
        return Response(content, media_type="text/plain; charset=utf-8")
    headers = {"Content-Security-Policy": REPORT_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(content, headers=headers)
