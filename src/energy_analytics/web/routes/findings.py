"""Findings: what is worth telling, and what the auditor makes of it."""

from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from ... import dismissals
from ...findings.records import from_row
from ...insights.rules import retell
from ...insights.writing import as_written
from .. import models
from ..desk import Answer, AtDesk, AtSite
from ..happenings import currency
from ..problems import ProblemError
from ..sites import Site
from .episodes import Identity

router = APIRouter(tags=["findings"])

_NAMES: Final = (
    "id", "kind", "appliance", "assumption", "confidence", "evidence", "period", "saving", "figures", "labels",
)  # fmt: skip


@router.get("/findings", response_model=models.Findings)
def findings(site: AtSite, include_dismissed: bool = False) -> Answer:
    """List the findings of the newest run, what is worth most money first."""
    dismissed = site.dismissed
    rows = retell(site.newest["results"]["findings"])
    return {
        "findings": [
            {**{name: row[name] for name in _NAMES}, "text": text, "dismissed": dismissals.is_unwanted(dismissed, row)}
            for row, _, text in rows
            if include_dismissed or not dismissals.is_unwanted(dismissed, row)
        ],
        "audit": _audit(site),
        "currency": currency(site.newest),
    }


@router.put("/findings/{identity}/dismissal", status_code=204, response_class=Response)
def dismiss(desk: AtDesk, site: AtSite, identity: Identity) -> None:
    """Keep a finding out of the lists and of later reports."""
    dismissals.dismiss(desk.lake, site.name, from_row(_row(site, identity)))
    desk.sites.forget()


@router.delete("/findings/{identity}/dismissal", status_code=204, response_class=Response)
def restore(desk: AtDesk, site: AtSite, identity: Identity) -> None:
    """Let a finding be told again."""
    _row(site, identity)
    dismissals.restore(desk.lake, site.name, identity)
    desk.sites.forget()


def _row(site: Site, identity: str) -> dict[str, Any]:
    for row in site.newest["results"]["findings"]:
        if row["id"] == identity:
            return dict(row)
    raise ProblemError(404, f"There is no finding {identity!r} of {site.title}.")


def _audit(site: Site) -> dict[str, Any] | None:
    """Return what the report has of the auditor: of the findings that were told then, in the words found then."""
    manifest = site.newest
    told = [
        finding
        for row, finding, _ in retell(manifest["results"]["findings"])
        if not dismissals.is_unwanted(manifest["dismissed"], row)
    ]
    advice = as_written(told, manifest.get("words"))
    if not advice.auditor:
        return None
    return {
        "paragraphs": [
            {
                "text": one.text,
                "assumption": one.assumption,
                "written_by": one.written_by,
                "findings": list(one.findings),
            }
            for one in advice.auditor
        ],
        "written_by": advice.written_by,
    }
