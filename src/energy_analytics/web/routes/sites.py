"""Sites: which there are, and what is new."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from .. import models
from ..desk import Answer, AtDesk, AtSite
from ..happenings import currency
from ..sites import Site
from ..uploads import waiting

router = APIRouter(tags=["sites"])


@router.get("/sites", response_model=models.Sites)
def sites(desk: AtDesk) -> Answer:
    """List the sites with their appliances."""
    return {"sites": [_told(site) for site in desk.sites.all()]}


@router.get("/state", response_model=models.State)
def state(desk: AtDesk, site: AtSite) -> Answer:
    """Tell whether there is something new: cheap, for polling with ETags."""
    newest = site.newest["stamp"] if site.has_results else None
    return {"version": site.version, "newest_run": newest, "waiting": waiting(desk.sites, site)}


def _nothing_of(site: Site) -> dict[str, Any]:
    nothing = dict.fromkeys(("timezone", "currency", "first", "last", "total_kwh", "newest_run"))
    return _named(site) | nothing | {"appliances": []}


def _named(site: Site) -> dict[str, Any]:
    return {"site": site.name, "name": site.name or "root site", "version": site.version}


def _told(site: Site) -> dict[str, Any]:
    if not site.has_results:
        return _nothing_of(site)
    manifest, zone = site.newest, site.zone
    results = manifest["results"]
    return _named(site) | {
        "timezone": zone.name,
        "currency": currency(manifest),
        "first": zone.told(datetime.fromisoformat(results["first"])),
        "last": zone.told(datetime.fromisoformat(results["last"])),
        "total_kwh": results["total_kwh"],
        "appliances": [
            {name: one[name] for name in ("appliance", "total_kwh", "step_minutes", "peak_hour")}
            for one in results["appliances"]
        ],
        "newest_run": {"stamp": manifest["stamp"], "uploaded_at": manifest["upload"]["uploaded_at"]},
    }
