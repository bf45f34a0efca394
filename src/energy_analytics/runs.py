"""The manifests of runs: reading what the lake holds of them."""

import json
from datetime import datetime
from typing import Any

from . import schema
from .lake import LocalLake
from .uploads import Upload, in_site, readings_key, site_of, upload_time, uploads_of_site

Manifest = dict[str, Any]
"""The full account of a run, as `runs/run_<stamp>.json` holds it."""


def put_manifest(lake: LocalLake, upload: Upload, manifest: Manifest) -> None:
    """Write the commit mark of a run: its results are there when this is."""
    text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True)
    lake.write(upload.result_key(schema.RUNS, "run.json"), text.encode() + b"\n")


def runs(lake: LocalLake, site: str | None = None) -> list[Manifest]:
    """Return the manifests of all runs, or of one site's, the newest upload first."""
    stored = lake.list(schema.RUNS if site is None else in_site(schema.RUNS, site, ""))
    manifests = [
        json.loads(lake.read(one.key))
        for one in stored
        if one.key.endswith(".json") and (site is None or site_of(one.key) == site)
    ]
    return sorted(manifests, key=lambda manifest: (manifest["stamp"], manifest["site"]), reverse=True)


def upload_of(manifest: Manifest) -> Upload:
    """Return the upload that a manifest is about."""
    upload = manifest["upload"]
    return Upload(
        key=upload["key"],
        uploaded_at=datetime.fromisoformat(upload["uploaded_at"]),
        size_bytes=upload["size_bytes"],
        sha256=upload["sha256"],
    )


def later_uploads_without(lake: LocalLake, upload: Upload) -> list[Upload]:
    """Return the later uploads of the site whose runs did not know of this one, the earliest first."""
    present = {(stored.key, upload_time(stored)) for stored in uploads_of_site(lake, upload.site)}
    found = []
    for manifest in runs(lake, upload.site):
        other = upload_of(manifest)
        if (
            manifest["status"] == "succeeded"
            and (other.uploaded_at, other.key) > (upload.uploaded_at, upload.key)
            and all(one["key"] != upload.key for one in manifest["history"])
            and (other.key, other.uploaded_at) in present
        ):
            found.append(other)
    return sorted(found, key=lambda other: (other.uploaded_at, other.key))


def is_newest(lake: LocalLake, upload: Upload) -> bool:
    """Tell whether no later upload of the site has given readings."""
    later = [
        stored
        for stored in uploads_of_site(lake, upload.site)
        if (upload_time(stored), stored.key) > (upload.uploaded_at, upload.key)
    ]
    if not later:
        return True
    given = {stored.key for stored in lake.list(in_site(schema.READINGS.prefix, upload.site, ""))}
    return not any(readings_key(stored.key) in given for stored in later)
