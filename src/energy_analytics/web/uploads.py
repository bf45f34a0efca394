"""What became of uploads: which run is whose, and what it refused."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..intake import REMEDIES
from ..lake import GoneError, StoredObject
from ..runs import Manifest
from ..schema import RAW
from ..uploads import identify, site_of, upload_time
from ..words import text_of_csv_cell
from .problems import ProblemError
from .sites import Site, Sites

_FIRST: Final = 20
"""Refused rows that are told with an upload; the rest is a download."""


def run_of(site: Site, stored: StoredObject) -> Manifest | None:
    """Return the run of an upload; None while it has none."""
    at = upload_time(stored)
    same_second = site.runs_of_second(f"{at:%Y%m%d_%H%M%S}")
    for manifest in same_second:
        upload = manifest["upload"]
        if (upload["key"], upload["size_bytes"], upload.get("content_tag", "")) == (
            stored.key,
            stored.size_bytes,
            stored.content_tag,
        ):
            return manifest
    # Copies of one file, uploaded in one second, share a stamp and with it the record of their run.
    twins = [one for one in same_second if one["upload"]["size_bytes"] == stored.size_bytes]
    if twins:
        try:
            digest = identify(site.lake, stored).sha256
        except (GoneError, FileNotFoundError):
            return None
        return next((one for one in twins if one["upload"]["sha256"] == digest), None)
    return None


def state_of(sites: Sites, site: Site, stored: StoredObject) -> str:
    """Tell whether an upload waits, runs, or has been run, and how."""
    manifest = run_of(site, stored)
    if manifest is not None:
        return str(manifest["status"])
    return "running" if stored.key in sites.running else "waiting"


def newest_first(site: Site) -> list[StoredObject]:
    """Return the uploads of a site, the newest first."""
    return sorted(site.listing.raw, key=lambda stored: (upload_time(stored), stored.key), reverse=True)


def find(sites: Sites, key: str) -> tuple[Site, StoredObject]:
    """Return an upload and its site. Raises ProblemError when there is none of that key."""
    if key.startswith(f"{RAW}/"):
        for _ in range(2):
            listed = sites.listed().get(site_of(key))
            for stored in listed.raw if listed else ():
                if stored.key == key:
                    return sites.site(site_of(key)), stored
            sites.forget()  # It may have come since the lake was listed.
    raise ProblemError(404, f"There is no upload {key!r} in the lake.")


def told(sites: Sites, site: Site, stored: StoredObject, *, rows: bool = True) -> dict[str, Any]:
    """Return what is known of an upload; the first refused rows if asked for."""
    manifest = run_of(site, stored)
    intake = {} if manifest is None else manifest.get("intake", {})
    by_reason = dict(intake.get("rejected_by_reason", {}))
    rejected: list[dict[str, Any]] = []
    if manifest is not None and rows and (by_reason or manifest["status"] == "failed"):
        everything = list(rejected_rows(site, manifest["stamp"], limit=None if not by_reason else _FIRST))
        rejected = everything[:_FIRST]
        by_reason = by_reason or dict(Counter(row["reason"] for row in everything))
    return {
        "key": stored.key,
        "site": site.name,
        "uploaded_at": upload_time(stored).isoformat(),
        "size_bytes": stored.size_bytes,
        "state": state_of(sites, site, stored),
        "stamp": manifest and manifest["stamp"],
        "error": manifest and manifest["error"],
        "rows_read": intake.get("rows_read"),
        "rows_accepted": intake.get("rows_accepted"),
        "rejected_by_reason": by_reason,
        "rejected": rejected,
        "notes": [] if manifest is None else _notes(manifest, by_reason),
    }


def _notes(manifest: Manifest, by_reason: Mapping[str, int]) -> list[str]:
    """Return what to do about refused rows, and what is doubtful about those that were used."""
    remedies = [f"{REMEDIES[reason]} Then bring the file again." for reason in by_reason if reason in REMEDIES]
    return [*remedies, *(manifest["results"]["doubts"] if "results" in manifest else ())]


def rejected_rows(site: Site, stamp: str, *, limit: int | None) -> Iterator[dict[str, Any]]:
    """Yield the rows that a run refused, in order of their lines."""
    stored = site.rejected(stamp)
    if stored is None:
        return
    try:
        content = site.lake.fetch_all([stored])[0].open(encoding="utf-8", newline="")
    except (GoneError, FileNotFoundError):
        return
    with content:
        for number, row in enumerate(csv.DictReader(content)):
            if limit is not None and number >= limit:
                return
            line = row["line_number"]
            yield {
                "line_number": int(line) if line else None,
                "raw_text": text_of_csv_cell(row["raw_text"] or ""),
                "reason": row["reason"] or "",
            }


def waiting(sites: Sites, site: Site) -> int:
    """Count the uploads without a run."""
    return sum(run_of(site, stored) is None for stored in site.listing.raw)


def in_short(manifest: Manifest) -> dict[str, Any]:
    """Return a run as a list of runs tells it."""
    upload, intake = manifest["upload"], manifest.get("intake", {})
    return {
        "stamp": manifest["stamp"],
        "status": manifest["status"],
        "site": manifest["site"],
        "key": upload["key"],
        "uploaded_at": upload["uploaded_at"],
        "size_bytes": upload["size_bytes"],
        "rows_read": intake.get("rows_read"),
        "rows_accepted": intake.get("rows_accepted"),
        "rejected_by_reason": intake.get("rejected_by_reason", {}),
        "error": manifest["error"],
        "version": manifest["version"],
    }


def live_state(sites: Sites) -> dict[str, Any]:
    """Return the version of each site, and the state of its newest uploads and of those that wait."""
    versions, states = {}, {}
    for site in sites.all():
        versions[site.name] = site.version
        for number, stored in enumerate(newest_first(site)):
            state = state_of(sites, site, stored)
            if number < _FIRST or state in {"waiting", "running"}:
                states[stored.key] = state
    return {"sites": versions, "uploads": states}
