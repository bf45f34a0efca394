"""Episodes of a site as the API tells them, and the hours around one beside what is usual."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from ..episodes.evidence import evidence_of
from ..episodes.grid import Meter, grid_of
from ..runs import Manifest
from .grids import Grids
from .problems import ProblemError
from .sites import Site
from .times import EPOCH, MICROSECOND, Range

_CONTEXT: Final = timedelta(days=3)
"""Shown before and after an episode."""
_COMPARED: Final = timedelta(days=56)
"""Weeks of hours on either side that what is usual is worked out from."""
_RESOLUTIONS: Final = {60: "hour", 1440: "day"}


def episodes(site: Site) -> list[dict[str, Any]]:
    """Return the episodes of the newest run, with their costs at the site's mean price."""
    manifest, zone, dismissed = site.newest, site.zone, site.dismissed
    price = mean_price(manifest)
    return [
        {
            **row,
            "start": zone.told(datetime.fromisoformat(row["start"])),
            "end": zone.told(datetime.fromisoformat(row["end"])),
            "cost": None if price is None else row["excess_kwh"] * price,
            "dismissed": row["id"] in dismissed,
        }
        for row in manifest["results"]["episodes"]
    ]


def reaches_into(one: dict[str, Any], span: Range) -> bool:
    """Tell whether an episode, as it is told, has a part in a range."""
    start, end = ((datetime.fromisoformat(one[name]) - EPOCH) // MICROSECOND for name in ("start", "end"))
    return (span.end is None or start < span.end) and (span.start is None or end > span.start)


def stored_row(site: Site, identity: str) -> dict[str, Any]:
    """Return an episode as the record has it. Raises ProblemError when there is none of that id."""
    for row in site.newest["results"]["episodes"]:
        if row["id"] == identity:
            return dict(row)
    raise ProblemError(404, f"There is no episode {identity!r} of {site.title}.")


def around(site: Site, grids: Grids, row: dict[str, Any]) -> dict[str, Any]:
    """Return an appliance's hours around an episode beside what is usual: the same reckoning as the detection's."""
    start, end = (datetime.fromisoformat(row[name]) for name in ("start", "end"))
    hours, zone = grids.hours(site), site.zone
    span = Range(zone.instant(start - _COMPARED), zone.instant(end + _COMPARED), zone)
    first, last = hours.places(span.start, span.end)
    kwh = hours.values([row["appliance"]], first, last)[0]
    known = np.isfinite(kwh)
    walls, energy = hours.walls[first:last][known], kwh[known]
    walls, place = np.unique(walls, return_inverse=True)
    once = np.bincount(place, weights=energy) / np.maximum(np.bincount(place), 1)
    step = next(
        (one["step_minutes"] for one in site.newest["results"]["appliances"] if one["appliance"] == row["appliance"]),
        None,
    )
    grid = grid_of(Meter(row["appliance"], walls, once, round(60 * max(60.0, step or 60.0)))) if len(walls) else None
    if grid is None:
        return {"timestamps": [], "actual_kwh": [], "expected_kwh": [], "resolution": "hour"}
    evidence = evidence_of(grid)
    at = grid.midnight + grid.step_seconds * np.arange(len(evidence.kwh))
    shown = (at >= _seconds(start - _CONTEXT)) & (at < _seconds(end + _CONTEXT))
    moments = [datetime.fromtimestamp(second, UTC).replace(tzinfo=None) for second in at[shown].tolist()]
    minutes = grid.step_seconds // 60
    return {
        "timestamps": [zone.told(moment) for moment in moments],
        "actual_kwh": _known(evidence.kwh[shown]),
        "expected_kwh": _known(evidence.usual_kwh[shown]),
        "resolution": _RESOLUTIONS.get(minutes, f"{minutes} minutes"),
    }


def mean_price(manifest: Manifest) -> float | None:
    """Return what a kWh costs on average; None where no amount is told."""
    money = manifest["results"].get("money")
    if money is None or money["unpriced"]:
        return None
    return float(money["tariff"]["mean_price_per_kwh"])


def currency(manifest: Manifest) -> str | None:
    """Return the currency of the site's amounts."""
    money = manifest["results"].get("money")
    return None if money is None else str(money["currency"])


def _known(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]


def _seconds(wall: datetime) -> int:
    return int(wall.replace(tzinfo=UTC).timestamp())
