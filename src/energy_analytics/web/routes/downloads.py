"""Everything as CSV or Parquet: the lake's tables of a site, and the rows that a run refused."""

from contextlib import ExitStack
from pathlib import Path as FilePath
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.background import BackgroundTask

from ... import schema
from ...engine import file_literal, parquet
from ...lake import StoredObject
from ...outputs import curated_keys
from ...words import text_of_csv_cell_sql
from ..desk import AtDesk, AtSite, Desk
from ..formats import MEDIA_TYPES, copy
from ..presigned import download_address
from ..problems import ProblemError
from ..readings import name_appliances, within
from ..sites import Site
from .runs import Stamp

router = APIRouter(tags=["downloads"])

Table = Literal[
    "readings", "hourly", "daily", "episodes", "appliance_forecast", "decomposition",
    "processed", "forecast", "anomalies",
]  # fmt: skip
Form = Literal["csv", "parquet"]
_OF_RUNS: Final = {
    "processed": schema.PROCESSED_ENERGY_DATA,
    "forecast": schema.FORECAST_DATA,
    "anomalies": schema.ANOMALIES_DATA,
}
_LOCATION: Final = {"Location": {"schema": {"type": "string"}}}
_CONTENT: Final = {
    "text/csv": {"schema": {"type": "string"}},
    MEDIA_TYPES["parquet"]: {"schema": {"type": "string", "format": "binary"}},
}


@router.get(
    "/tables/{table}",
    response_class=FileResponse,
    responses={
        200: {"description": "The file.", "content": _CONTENT},
        307: {"description": "Where the bucket gives the file itself.", "headers": _LOCATION},
    },
)
def table(
    desk: AtDesk, site: AtSite, table: Annotated[Table, Path()], format_: Annotated[Form, Query(alias="format")] = "csv"
) -> Response:
    """Download a table of the newest results, as it is in the lake: times are the site's wall time."""
    _ = site.newest
    name = f"{site.name.replace('/', '-') or 'site'}-{table}.{format_}"
    if desk.uploads == "presigned" and (stored := _as_it_lies(site, table, format_)) is not None:
        return RedirectResponse(download_address(desk.lake, stored, name=name))
    with ExitStack() as stack:
        path = _file(desk, site, table, format_, stack)
        kept = stack.pop_all()
    return FileResponse(path, media_type=MEDIA_TYPES[format_], filename=name, background=BackgroundTask(kept.close))


@router.get(
    "/rejected/{stamp}",
    response_class=FileResponse,
    responses={200: {"description": "The rows.", "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def rejected(site: AtSite, stamp: Stamp) -> Response:
    """Download the rows that a run refused, with their line numbers and the reasons."""
    site.run(stamp)
    stored = site.rejected(stamp)
    if stored is None:
        raise ProblemError(404, f"The run {stamp!r} refused no row.")
    path = site.lake.fetch_all([stored])[0]
    return FileResponse(path, media_type=MEDIA_TYPES["csv"], filename=f"rejected_{stamp}.csv")


def _as_it_lies(site: Site, table: str, format_: Form) -> StoredObject | None:
    """Return the object of the lake that is the table in that format; None where it has to be made."""
    if format_ == "parquet" and table in curated_keys(site.name):
        return site.table(table)
    if format_ == "csv" and table in _OF_RUNS:
        return site.lake.describe(site.newest["outputs"][table])
    only = list(site.readings)
    return only[0] if (table, format_, len(only)) == ("readings", "parquet", 1) else None


def _file(desk: Desk, site: Site, table: str, format_: Form, stack: ExitStack) -> FilePath:
    """Return a file with the table in that format, which may go when the stack is closed."""
    if table in _OF_RUNS:
        source = site.result(site.newest["outputs"][table])
        if format_ == "csv":
            return source
        columns = ", ".join(f"'{one.name}': '{one.type}'" for one in _OF_RUNS[table].columns)
        texts = [one.name for one in _OF_RUNS[table].columns if one.type == "VARCHAR"]
        replaced = ", ".join(f"{text_of_csv_cell_sql(name)} AS {name}" for name in texts)
        select = f"SELECT * REPLACE ({replaced})" if texts else "SELECT *"
        select += (
            f" FROM read_csv({file_literal(source)}, auto_detect = false, header = true, "
            f"columns = {{{columns}}}, delim = ',', quote = '\"', escape = '\"')"
        )
    elif table in curated_keys(site.name):
        source = site.lake.fetch_all([site.table(table)])[0]
        if format_ == "parquet":
            return source
        select = f"SELECT * FROM {parquet([source])}"
    else:
        select = ""
    target = stack.enter_context(desk.engine.folder()) / table
    with desk.engine.use() as engine:
        if not select:
            files = desk.raw.files(site)
            name_appliances(engine, [one["appliance"] for one in site.newest["results"]["appliances"]])
            span = files.span if files.files else (0, 0)
            select = f"SELECT * FROM {within(files, *span)}"
            if len(files.files) > 1:  # One file is in order.
                select += " ORDER BY timestamp, appliance, utc_offset_minutes DESC"
        copy(engine, select, target, format_)
    return target
