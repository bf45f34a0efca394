"""How rows are written: JSON in columns, CSV, Parquet."""

from pathlib import Path
from typing import Any, Final, Literal

import duckdb
import numpy as np
import orjson

from ..engine import literal
from ..words import csv_cell_sql
from .problems import ProblemError
from .reading import Engine
from .series import Page

Format = Literal["json", "csv", "parquet"]

MEDIA_TYPES: Final[dict[Format, str]] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
_BARE: Final = {media.partition(";")[0]: name for name, media in MEDIA_TYPES.items()}


def chosen(format_: Format | None, accept: str) -> Format:
    """Return the format that a request asks for, by its parameter or else by what it accepts."""
    if format_ is not None:
        return format_
    weighed: list[tuple[float, int, Format]] = []
    for place, part in enumerate(accept.split(",") if accept else ["*/*"]):
        media, _, parameters = part.strip().partition(";")
        name = _BARE.get(media.strip().lower())
        if name is None and media.strip() in {"*/*", "application/*"}:
            name = "json"
        elif name is None and media.strip() == "text/*":
            name = "csv"
        if name is not None and (weight := _weight(parameters)) > 0:
            weighed.append((-weight, place, name))
    if not weighed:
        raise ProblemError(406, f"Readings come as {', '.join(_BARE)}, and the request accepts none of these.")
    return min(weighed)[2]


def readings_json(page: Page, head: dict[str, Any]) -> bytes:
    """Write a page of readings in columns."""
    return orjson.dumps(
        {
            **head,
            "timestamps": list(page.told),
            "series": [
                {"appliance": name, "kwh": np.ascontiguousarray(row)}
                for name, row in zip(page.appliances, page.kwh, strict=True)
            ],
            "next_cursor": page.next_cursor,
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )


def readings_file(page: Page, engine: Engine, format_: Format) -> bytes:
    """Write a page of readings in rows of timestamp, appliance and kWh; in Parquet the timestamp is an instant."""
    place, row = np.nonzero(np.isfinite(page.kwh.T))
    told, names = np.array(page.told, dtype=object), np.array(page.appliances, dtype=object)
    rows = {
        "told": told[place] if len(place) else np.empty(0, dtype="U1"),
        "instant": page.instants[place],
        "appliance": names[row] if len(place) else np.empty(0, dtype="U1"),
        "kwh": page.kwh[row, place],
    }
    timestamp = "told" if format_ == "csv" else "make_timestamptz(instant)"
    with engine.use() as own, engine.folder() as folder:
        own.register("page", rows)
        copy(own, f"SELECT {timestamp} AS timestamp, appliance, kwh FROM page", folder / "readings", format_)
        return (folder / "readings").read_bytes()


def copy(engine: duckdb.DuckDBPyConnection, select: str, path: Path, format_: Format) -> None:
    """Write what a SELECT of ours gives into a file."""
    if format_ == "csv":
        columns = engine.execute(f"DESCRIBE {select}").fetchall()
        quoted = [(f'"{name}"', kind) for name, kind, *_ in columns]
        cells = [f"{csv_cell_sql(name)} AS {name}" if kind == "VARCHAR" else name for name, kind in quoted]
        select = f"SELECT {', '.join(cells)} FROM ({select})"
    options = "FORMAT csv, HEADER" if format_ == "csv" else "FORMAT parquet"
    engine.execute(f"COPY ({select}) TO {literal(str(path))} ({options})")


def _weight(parameters: str) -> float:
    for one in parameters.split(";"):
        name, _, value = one.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
