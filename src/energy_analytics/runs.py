"""The manifests of runs: reading what the lake holds of them."""

import hashlib
import json
from datetime import datetime
from typing import Any, Final

from . import schema
from .lake import Lake, LakeError, StoredObject
from .uploads import Upload, identify, in_site, is_upload, place_of, readings_key, site_of, upload_time, uploads_of_site

_MARK_CHARACTERS: Final = 16

Manifest = dict[str, Any]
"""The full account of a run, as `runs/run_<stamp>.json` holds it."""


def put_manifest(lake: Lake, upload: Upload, manifest: Manifest) -> None:
    """Write the commit mark of a run: its results are there when this is.

    The seconds that models took are left out, so that the same upload always writes the same bytes.
    """
    scores = manifest.get("results", {}).get("forecast", {}).get("scores", [])
    if scores:
        untimed = [{name: value for name, value in score.items() if name != "seconds"} for score in scores]
        forecast = manifest["results"]["forecast"] | {"scores": untimed}
        manifest = manifest | {"results": manifest["results"] | {"forecast": forecast}}
    text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True)
    lake.write(upload.result_key(schema.RUNS, "run.json"), text.encode() + b"\n")


def runs(lake: Lake, site: str | None = None) -> list[Manifest]:
    """Return the manifests of all runs, or of one site's, the newest upload first."""
    stored = lake.list(schema.RUNS if site is None else in_site(schema.RUNS, site, ""))
    manifests = [
        json.loads(lake.read(one.key))
        for one in stored
        if one.key.endswith(".json") and (site is None or site_of(one.key) == site)
    ]
    return sorted(
        manifests, key=lambda manifest: (manifest["upload"]["uploaded_at"], manifest["upload"]["key"]), reverse=True
    )


def succeeded_runs(lake: Lake, site: str | None = None) -> list[Manifest]:
    """Return the manifests of the runs that have results, the newest upload first."""
    return [manifest for manifest in runs(lake, site) if manifest["status"] == "succeeded"]


def upload_of(manifest: Manifest) -> Upload:
    """Return the upload that a manifest is about."""
    upload = manifest["upload"]
    return Upload(
        key=upload["key"],
        uploaded_at=datetime.fromisoformat(upload["uploaded_at"]),
        size_bytes=upload["size_bytes"],
        digest=lambda: str(upload["sha256"]),
    )


def mark_of(manifest: Manifest | None) -> str | None:
    """Return what tells one state of a run from another for the run that comes after it: its stamp and episodes."""
    if manifest is None:
        return None
    episodes = json.dumps(manifest["results"]["episodes"], sort_keys=True)
    return f"{manifest['stamp']} {hashlib.sha256(episodes.encode()).hexdigest()[:_MARK_CHARACTERS]}"


def first_to_renew(lake: Lake, upload: Upload) -> Upload | None:
    """Return the first later upload of the site whose run rests on less than there is now.

    A run rests on the readings up to its upload, and on the run before it, whose episodes it carries on.
    """
    present = {(stored.key, upload_time(stored)) for stored in uploads_of_site(lake, upload.site)}
    counts = (upload.key, upload.uploaded_at) in present
    before: Manifest | None = None
    for manifest in reversed(succeeded_runs(lake, upload.site)):
        other = upload_of(manifest)
        if other.place > upload.place:
            knows = not counts or any(one["key"] == upload.key for one in manifest["history"])
            if (other.key, other.uploaded_at) in present and not (knows and manifest["after"] == mark_of(before)):
                return other
        before = manifest
    return None


def is_newest(lake: Lake, upload: Upload) -> bool:
    """Tell whether no later upload of the site has given readings."""
    later = [stored for stored in uploads_of_site(lake, upload.site) if place_of(stored) > upload.place]
    if not later:
        return True
    given = {stored.key for stored in lake.list(in_site(schema.READINGS.prefix, upload.site, ""))}
    return not any(readings_key(stored.key) in given for stored in later)


def newest_run(lake: Lake, site: str) -> Upload | None:
    """Return the newest upload of a site whose run has succeeded."""
    return next(map(upload_of, succeeded_runs(lake, site)), None)


def run_before(lake: Lake, upload: Upload) -> Manifest | None:
    """Return the manifest of the newest successful run of the site before this upload's."""
    earlier = (one for one in succeeded_runs(lake, upload.site) if upload_of(one).place < upload.place)
    return next(earlier, None)


def waiting_uploads(lake: Lake, site: str | None = None) -> list[StoredObject]:
    """Return the uploads without a run, the earliest first."""
    done = {upload.key: upload for upload in map(upload_of, reversed(runs(lake, site)))}
    twins = {(upload.site, upload.uploaded_at, upload.sha256) for upload in done.values()}

    def has_run(stored: StoredObject) -> bool:
        own = done.get(stored.key)
        if own is not None and (own.uploaded_at, own.size_bytes) == (upload_time(stored), stored.size_bytes):
            return True
        # Copies of one file, uploaded in one second, share a stamp and with it the record of their run.
        same_second = any(at == upload_time(stored) for _, at, _ in twins)
        if not same_second or not has_readings(lake, stored.key):
            return False
        upload = identify(lake, stored)
        return (upload.site, upload.uploaded_at, upload.sha256) in twins

    waiting = [
        stored
        for stored in lake.list(schema.RAW)
        if is_upload(stored.key) and (site is None or site_of(stored.key) == site) and not has_run(stored)
    ]
    return sorted(waiting, key=place_of)


def has_readings(lake: Lake, key: str) -> bool:
    """Tell whether an upload of that raw key has given readings."""
    given = readings_key(key)
    return any(stored.key == given for stored in lake.list(given.rpartition("/")[0]))


def newest_report(lake: Lake, site: str) -> dict[str, str]:
    """Return the keys of the results of a site's newest successful run. Raises LakeError when there is none."""
    newest = next(iter(succeeded_runs(lake, site)), None)
    if newest is not None:
        return dict(newest["outputs"])
    sites = sorted({manifest["site"] or "the root site" for manifest in runs(lake)})
    there = f" It has runs of {', '.join(sites)}." if sites else " Run a file first: energy run FILE."
    raise LakeError(f"The lake {lake.uri} has no report of {site or 'the root site'}.{there}")
