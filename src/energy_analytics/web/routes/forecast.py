"""The days ahead: the site's, each appliance's, their costs, and how the models did."""

import calendar
import csv
from datetime import date
from typing import Any, Final

from fastapi import APIRouter

from ...engine import parquet
from ...runs import Manifest
from ...schema import INTERVAL_LEVEL
from .. import models
from ..desk import Answer, AtDesk, AtSite, Desk
from ..grids import Grids
from ..happenings import currency
from ..periods import Cut
from ..problems import ProblemError
from ..sites import Site

router = APIRouter(tags=["forecast"])

_RECENT_DAYS: Final = 56
_SCORES: Final = ("model", "mase", "wape", "coverage", "origins", "days")


@router.get("/forecast", response_model=models.Forecast)
def forecast(desk: AtDesk, site: AtSite) -> Answer:
    """Return the seven days ahead with their intervals, and what the month's bill will be."""
    manifest = site.newest
    about = manifest["results"]["forecast"]
    return {
        "model": about["model"],
        "trained_on_days": about["trained_on_days"],
        "measured_coverage": about["measured_coverage"],
        "interval_level": INTERVAL_LEVEL,
        "assumption": about.get("assumption"),
        "days": _days(site, manifest),
        "appliances": _appliances(desk, site),
        "scores": [{name: one[name] for name in _SCORES} for one in about["scores"]],
        "recent": _recent(desk.grids, site),
        "expected_bill": _expected(manifest),
        "currency": currency(manifest),
    }


def _days(site: Site, manifest: Manifest) -> list[dict[str, Any]]:
    money = manifest["results"].get("money") or {}
    costs = {one["day"]: one for one in money.get("forecast", ())}
    with site.result(manifest["outputs"]["forecast"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        {
            "day": row["ds"],
            **{name: float(row[name]) for name in ("yhat", "yhat_lower", "yhat_upper")},
            "cost": costs.get(row["ds"], {}).get("cost"),
            "cost_lower": costs.get(row["ds"], {}).get("lower"),
            "cost_upper": costs.get(row["ds"], {}).get("upper"),
        }
        for row in rows
    ]


def _appliances(desk: Desk, site: Site) -> list[dict[str, Any]]:
    try:
        path = site.lake.fetch_all([site.table("appliance_forecast")])[0]
    except ProblemError:
        return []
    with desk.engine.use() as engine:
        rows = engine.execute(
            f"SELECT appliance, model, ds, yhat, yhat_lower, yhat_upper FROM {parquet([path])} ORDER BY appliance, ds"
        ).fetchall()
    found: dict[str, dict[str, Any]] = {}
    for name, model, day, *values in rows:
        own = found.setdefault(name, {"appliance": name, "model": model, "days": []})
        own["days"].append({"day": day, **dict(zip(("yhat", "yhat_lower", "yhat_upper"), values, strict=True))})
    return list(found.values())


def _recent(grids: Grids, site: Site) -> list[dict[str, Any]]:
    days = grids.days(site)
    cut = Cut(days, max(0, len(days.days) - _RECENT_DAYS), len(days.days))
    return [
        {"day": day, "kwh": kwh, "complete": complete}
        for day, kwh, complete in zip(cut.own, cut.by_day().tolist(), cut.complete.tolist(), strict=True)
    ]


def _expected(manifest: Manifest) -> dict[str, Any] | None:
    expected = (manifest["results"].get("money") or {}).get("expected")
    if expected is None:
        return None
    month = date.fromisoformat(f"{expected['month']}-01")
    return {"days": calendar.monthrange(month.year, month.month)[1], **expected}
