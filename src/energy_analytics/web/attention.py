"""What a person should look at: the few things of a site that stand out, worded for a list."""

from datetime import datetime, timedelta
from typing import Any, Final

from .. import words
from ..dismissals import is_unwanted
from ..insights.rules import retell
from . import happenings
from .gaps import gaps_of
from .grids import Grids
from .readings import RawReadings
from .sites import Site

_OF_EACH: Final = 3
_RECENT: Final = timedelta(days=30)
"""Before the last reading: what ended earlier is no news."""
_STALE: Final = timedelta(days=7)
_TEXT_LIMIT: Final = 300


def attention(site: Site, grids: Grids, raw: RawReadings) -> list[dict[str, Any]]:
    """Return it, what is broken first."""
    return [
        *_failed(site),
        *_doubts(site),
        *_stale(site),
        *_episodes(site),
        *_findings(site),
        *_gaps(site, grids, raw),
    ]


def _failed(site: Site) -> list[dict[str, Any]]:
    """Return the uploads since the newest results that could not be used and are still there."""
    there = {stored.key for stored in site.listing.raw}
    found: list[dict[str, Any]] = []
    for _, manifests in site.runs():
        for one in manifests:
            if one["status"] == "succeeded":
                return found
            if one["upload"]["key"] in there and len(found) < _OF_EACH:
                name = words.name(one["upload"]["key"].rpartition("/")[2])
                found.append(_row("failed_run", f"{name} could not be used", one["error"] or "", "data", one["stamp"]))
    return found


def _doubts(site: Site) -> list[dict[str, Any]]:
    doubts = site.newest["results"]["doubts"]
    return [_row("doubt", "Are the readings right?", doubt, "data", None) for doubt in doubts[:_OF_EACH]]


def _stale(site: Site) -> list[dict[str, Any]]:
    manifest = site.newest
    last = datetime.fromisoformat(manifest["results"]["last"])
    uploaded = datetime.fromisoformat(manifest["upload"]["uploaded_at"]).replace(tzinfo=None)
    if uploaded - last < _STALE:
        return []
    detail = f"The newest reading is of {words.moment(last)}, the newest upload of {words.moment(uploaded)} UTC."
    return [_row("stale", "The readings are old", detail, "data", None)]


def _episodes(site: Site) -> list[dict[str, Any]]:
    """Return those that go on or ended lately, what cost most first."""
    last = site.zone.instant(datetime.fromisoformat(site.newest["results"]["last"]))
    since = site.zone.at(last - round(_RECENT.total_seconds() * 1e6))
    news = [
        one
        for one in happenings.episodes(site)
        if not one["dismissed"]
        and one["status"] != "withdrawn"
        and (one["status"] == "open" or datetime.fromisoformat(one["end"]) >= datetime.fromisoformat(since))
    ]
    ranked = sorted(news, key=lambda one: (one["status"] != "open", -abs(one["cost"] or one["excess_kwh"]), one["id"]))
    return [
        _row(
            "episode", f"{words.name(one['appliance'])}: {one['kind']}" + " (going on)" * (one["status"] == "open"),
            one["reason"], "anomalies", one["id"], one["cost"],
        )
        for one in ranked[:_OF_EACH]
    ]  # fmt: skip


def _findings(site: Site) -> list[dict[str, Any]]:
    """Return those that save most; they are in that order already."""
    dismissed = site.dismissed
    found = [
        (row, text)
        for row, _, text in retell(site.newest["results"]["findings"])
        if row["saving"] is not None and not is_unwanted(dismissed, row)
    ]
    return [
        _row(
            "finding", f"{words.name(row['appliance']) if row['appliance'] else 'The site'} could use less",
            text, "savings", row["id"], (row["saving"]["money"] or {}).get("value"),
        )
        for row, text in found[:_OF_EACH]
    ]  # fmt: skip


def _gaps(site: Site, grids: Grids, raw: RawReadings) -> list[dict[str, Any]]:
    days = grids.days(site).days
    found = gaps_of(site, grids, raw, days[-1] - _RECENT, days[-1] + timedelta(days=1))
    longest = sorted(found, key=lambda gap: (-gap["missing_intervals"], gap["start"], gap["appliance"]))
    return [
        _row("gap", f"{words.name(gap['appliance'])} has a gap", _gap_in_words(gap), "data", None)
        for gap in longest[:_OF_EACH]
    ]


def _gap_in_words(gap: dict[str, Any]) -> str:
    first, after = (words.moment(datetime.fromisoformat(gap[name])) for name in ("start", "end"))
    return f"{words.count(gap['missing_intervals'], 'reading')} missing from {first} to {after}."


def _row(
    kind: str, title: str, detail: str, page: str, identity: str | None, cost: float | None = None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "title": title,
        "detail": detail if len(detail) <= _TEXT_LIMIT else f"{detail[: _TEXT_LIMIT - 1]}…",
        "page": page,
        "id": identity,
        "cost": cost,
    }
