"""A period of a site, and what was read of it."""

from typing import Any

from fastapi import APIRouter

from ...runs import Manifest
from .. import models, periods
from ..attention import attention
from ..desk import Answer, AtDesk, AtSite, Since, Until
from ..gaps import gaps_of
from ..times import range_of

router = APIRouter(tags=["overview"])


@router.get("/overview", response_model=models.Overview)
def overview(desk: AtDesk, site: AtSite, since: Since = None, until: Until = None) -> Answer:
    """Tell a period of local days: totals, peak, shares, comparisons, hours of the week, what needs attention."""
    found = periods.overview(site, desk.grids, range_of(since, until, site.zone))
    return {**found, "attention": attention(site, desk.grids, desk.raw), **_terms(site.newest)}


@router.get("/coverage", response_model=models.Coverage)
def coverage(desk: AtDesk, site: AtSite, since: Since = None, until: Until = None) -> Answer:
    """Tell how much of each day was read, and where readings are missing between others."""
    days = desk.grids.days(site)
    start, end = range_of(since, until, site.zone).days(days.days[0], days.days[-1])
    return {"days": periods.covered(days, start, end), "gaps": gaps_of(site, desk.grids, desk.raw, start, end)}


def _terms(manifest: Manifest) -> dict[str, Any]:
    money = manifest["results"].get("money")
    if money is None:
        return {"money": None, "carbon": None}
    tariff, carbon = money["tariff"], money["carbon"]
    return {
        "money": {
            "currency": money["currency"],
            "tariff": tariff["name"],
            "terms": tariff["terms"],
            "is_default": tariff["is_default"],
            "unpriced": money["unpriced"],
        },
        "carbon": {name: carbon[name] for name in ("name", "terms", "is_default")},
    }
