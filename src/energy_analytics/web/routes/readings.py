"""Readings, a page at a time, and what they add up to."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from .. import models, statistics
from ..desk import Answer, AtDesk, AtSite, Since, Until
from ..formats import MEDIA_TYPES, Format, chosen, readings_file, readings_json
from ..series import Resolution, appliances_of, page_of
from ..times import range_of

router = APIRouter(tags=["readings"])

Appliances = Annotated[
    list[Annotated[str, Query(max_length=200)]], Query(alias="appliance", max_length=100, description="All if absent.")
]
_TABLES = {MEDIA_TYPES[name].partition(";")[0]: {"schema": {"type": "string"}} for name in ("csv", "parquet")}
_TABLES[MEDIA_TYPES["parquet"]] = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/readings",
    response_model=models.Readings,
    responses={
        200: {
            "content": _TABLES,
            "description": "A page of readings.",
            "headers": {"Link": {"description": "The next page, if there is one.", "schema": {"type": "string"}}},
        }
    },
)
def readings(
    request: Request,
    desk: AtDesk,
    site: AtSite,
    appliance: Appliances = [],  # noqa: B006 - it is a declaration
    since: Since = None,
    until: Until = None,
    resolution: Resolution = "hour",
    limit: Annotated[int, Query(ge=1, le=100_000, description="Timestamps of a page, and a million values.")] = 10_000,
    cursor: Annotated[
        str | None, Query(pattern="^-?[0-9]{1,16}$", description="Where the page begins: next_cursor of the last.")
    ] = None,
    format_: Annotated[Format | None, Query(alias="format", description="Goes before the header Accept.")] = None,
) -> Response:
    """Return energy per interval, in the order of time.

    An interval belongs to a range when its start does. JSON has a column per appliance; CSV and Parquet have a row
    per reading.
    """
    form = chosen(format_, request.headers.get("accept", ""))
    page = page_of(
        site, desk.grids, desk.raw, range_of(since, until, site.zone),
        appliances=appliances_of(site, appliance), resolution=resolution, limit=limit, cursor=cursor,
    )  # fmt: skip
    if form == "json":
        head = {"site": site.name, "timezone": site.zone.name, "resolution": resolution, "unit": "kWh"}
        body = readings_json(page, head)
    else:
        body = readings_file(page, desk.engine, form)
    headers = {}
    if page.next_cursor is not None:
        following = request.url.include_query_params(cursor=page.next_cursor)
        headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    if form != "json":
        headers["Content-Disposition"] = f'attachment; filename="readings.{form}"'
    return Response(body, headers=headers, media_type=MEDIA_TYPES[form])


@router.get("/aggregates", response_model=models.Aggregates)
def aggregates(
    desk: AtDesk,
    site: AtSite,
    by: statistics.By = "appliance",
    appliance: Appliances = [],  # noqa: B006 - it is a declaration
    since: Since = None,
    until: Until = None,
) -> Answer:
    """Add energy up by appliance, by hour of the day, by weekday or by month."""
    span = range_of(since, until, site.zone)
    rows = statistics.BY[by](site, desk.grids, desk.raw, span, appliances_of(site, appliance))
    return {"by": by, "rows": rows}
