"""The manifests of runs: reading what the lake holds of them."""

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from . import index as index_of
from . import schema
from .index import SiteIndex
from .lake import GoneError, Lake, LakeError, StoredObject, fetch_folder
from .manifest import has_head, is_brief, is_whole
from .uploads import Upload, identify, in_site, is_upload, place_of, readings_key, result_key, site_of, upload_time

_MARK_CHARACTERS: Final = 16
_LEFT_OUT: Final = frozenset({"results", "settings", "intake"})
"""What a brief record lacks: most of its size."""
_ATTEMPTS: Final = 20
_ESCAPED_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
"""Of a pair that is one character; alone it is no text, and cannot be told."""

_RECORD: Final = "run.json"
_RESULTS: Final = {
    "processed": (schema.PROCESSED, "aggregated.csv"),
    "forecast": (schema.FORECAST, "forecast.csv"),
    "anomalies": (schema.ANOMALIES, "anomalies.csv"),
    "report_text": (schema.REPORTS, "final_report.txt"),
    "report_html": (schema.REPORTS, "final_report.html"),
}

BEGUN: Final = "begun"
"""Status of a run that may have written something by now."""
WITHDRAWN: Final = "withdrawn"
"""Status of a run that is being taken back."""

Manifest = dict[str, Any]
"""The full account of a run, as `runs/run_<stamp>.json` holds it."""


def put_manifest(lake: Lake, upload: Upload, manifest: Manifest) -> None:
    """Write the commit mark of a run: its results are there when this is. It is one line: a row of a table.

    The seconds that models took are left out, so that the same upload always writes the same bytes.
    """
    scores = manifest.get("results", {}).get("forecast", {}).get("scores", [])
    if scores:
        untimed = [{name: value for name, value in score.items() if name != "seconds"} for score in scores]
        forecast = manifest["results"]["forecast"] | {"scores": untimed}
        manifest = manifest | {"results": manifest["results"] | {"forecast": forecast}}
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    lake.write(_manifest_key(upload), text.encode() + b"\n")


def begin(lake: Lake, upload: Upload) -> None:
    """Put on record that something is about to be written under this upload's stamp, and counts for nothing yet.

    Where the process ends in between, and the upload is replaced or removed then, somebody knows what it has left.
    """
    manifest = {"stamp": upload.stamp, "status": BEGUN, "error": None, "site": upload.site}
    put_manifest(lake, upload, manifest | {"upload": describe_upload(upload), "outputs": {}})


def describe_upload(upload: Upload) -> dict[str, str | int]:
    """Return what a record keeps of its upload."""
    told: dict[str, str | int] = {
        "key": upload.key,
        "uploaded_at": upload.uploaded_at.isoformat(),
        "size_bytes": upload.size_bytes,
        "sha256": upload.sha256,
    }
    return told | ({"content_tag": upload.content_tag} if upload.content_tag else {})


def withdraw(lake: Lake, manifest: Manifest) -> None:
    """Take a run back, with all its results.

    First it stops counting, then its results go, and the record last: where a process ends in between, the next
    run of the site finds the record and goes on.
    """
    upload = upload_of(manifest)
    withdraw_results(lake, manifest, upload.result_key(schema.REJECTED, "rejected.csv"))
    lake.delete(_manifest_key(upload))


def withdraw_results(lake: Lake, manifest: Manifest, *further: str) -> None:
    """Take the results of a run back, and further keys with them; its record stays, and says so first."""
    upload = upload_of(manifest)
    put_manifest(lake, upload, manifest | {"status": WITHDRAWN})
    lake.delete(*result_keys(upload).values(), *further)


def results_of(lake: Lake, key: str) -> list[StoredObject]:
    """Return all that runs of a raw key's versions have left, what is there of it."""
    keys = [readings_key(key)]
    for manifest in records(lake, site_of(key)):
        if manifest["upload"]["key"] == key:
            upload = upload_of(manifest)
            keys += [*result_keys(upload).values(), upload.result_key(schema.REJECTED, "rejected.csv")]
            keys.append(_manifest_key(upload))
    found = []
    for one in keys:
        with suppress(GoneError):
            found.append(lake.describe(one))
    return found


def result_keys(upload: Upload) -> dict[str, str]:
    """Return where the results of a run lie, by what they are."""
    site, stamp = upload.site, upload.stamp
    return {what: result_key(prefix, site, name, stamp) for what, (prefix, name) in _RESULTS.items()}


def _manifest_key(upload: Upload) -> str:
    return upload.result_key(schema.RUNS, _RECORD)


def records(lake: Lake, site: str | None = None) -> list[Manifest]:
    """Return all manifests, or one site's, the newest upload first, with those of runs begun or being withdrawn.

    What lies among them and is no record of ours counts for nothing, so that a lake that others write to cannot
    name files for us to read, overwrite or remove.
    """
    folder = schema.RUNS if site is None else in_site(schema.RUNS, site, "")
    found = fetch_folder(lake, folder, below=site is None, wanted=lambda stored: stored.key.endswith(".json"))
    try:
        read = [_record_in(path, stored.key) for stored, path in found.items()]
    except FileNotFoundError:  # withdrawn since it was listed
        return records(lake, site)
    manifests = [manifest for manifest in read if manifest is not None]
    return sorted(manifests, key=lambda one: (one["upload"]["uploaded_at"], one["upload"]["key"]), reverse=True)


def briefs(lake: Lake, site: str, index: SiteIndex) -> list[Manifest]:
    """Return what all records of a site tell but their results, the newest upload first; see `full` and `mark_of`.

    Records that the index knows are not read.
    """
    for _ in range(_ATTEMPTS):
        listed = [stored for stored in lake.list(in_site(schema.RUNS, site, ""), below=False) if _is_json(stored)]
        index.limit_to(index_of.RECORDS, listed)
        told = {stored: index.find(index_of.RECORDS, stored) for stored in listed}
        unknown = [stored for stored, brief in told.items() if brief is None]
        try:
            for stored, path in zip(unknown, lake.fetch_all(unknown), strict=True):
                told[stored] = _brief(_record_in(path, stored.key))
                index.add(index_of.RECORDS, stored, told[stored])
        except (GoneError, FileNotFoundError):  # replaced or withdrawn since it was listed
            continue
        found = [
            brief for stored, brief in told.items() if index.once((stored,), partial(_is_brief, brief, stored.key))
        ]
        return sorted(found, key=lambda one: (one["upload"]["uploaded_at"], one["upload"]["key"]), reverse=True)
    raise LakeError(f"The records of {lake.uri} change all the time; try again when less is going on there.")


def _is_json(stored: StoredObject) -> bool:
    return stored.key.endswith(".json")


def _brief(manifest: Manifest | None) -> Manifest:
    """Return what an index keeps of a record; nothing of what is no record of ours."""
    if manifest is None:
        return {}
    told = {name: value for name, value in manifest.items() if name not in _LEFT_OUT}
    if manifest["status"] != "succeeded":
        return told
    return told | {"mark": mark_of(manifest), "episodes": [one["id"] for one in manifest["results"]["episodes"]]}


def full(lake: Lake, brief: Manifest) -> Manifest:
    """Return the whole record of what `briefs` gave. Raises GoneError when it has changed since."""
    upload = upload_of(brief)
    key = _manifest_key(upload)
    manifest = _as_record(lake.read(key), key)
    if manifest is None or _brief(manifest) != brief:
        raise GoneError(f"The record of {upload.key} in the lake {lake.uri} was replaced meanwhile.")
    return manifest


def ended_in(path: Path, key: str) -> Manifest | None:
    """Return the manifest in a local file of the object `key`; None unless it is the record of a run that has ended."""
    manifest = _record_in(path, key)
    return manifest if manifest is not None and has_ended(manifest) else None


def _record_in(path: Path, key: str) -> Manifest | None:
    return _as_record(path.read_bytes(), key)


def _as_record(content: bytes, key: str) -> Manifest | None:
    """Return the record that an object holds, as far as it counts; None for what is no record of ours.

    One of which somebody has spoilt what was found is that of a run that has only begun: the upload is run again,
    and it is still known what is to be removed with it.
    """
    try:
        manifest = json.loads(content)
        if _ESCAPED_HALF.search(content):
            json.dumps(manifest, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    if not _is_record(manifest, key):
        return None
    if has_ended(manifest) and not is_whole(manifest):
        return {name: manifest[name] for name in ("stamp", "site", "upload")} | {"status": BEGUN, "outputs": {}}
    found: Manifest = manifest
    return found


def _is_record(manifest: Any, key: str) -> bool:
    """Tell whether a record lies where its upload says, and names no results but the upload's own."""
    if not has_head(manifest):
        return False
    try:
        upload = upload_of(manifest)
        site, stamp, outputs = upload.site, upload.stamp, manifest.get("outputs", {})
        if not is_upload(upload.key) or key != result_key(schema.RUNS, site, _RECORD, stamp):
            return False
        own = result_keys(upload) | {"rejected": result_key(schema.REJECTED, site, "rejected.csv", stamp)}
        return (
            (manifest["stamp"], manifest["site"]) == (stamp, site)
            and outputs.items() <= own.items()
            and (manifest["status"] != "succeeded" or (own.keys() - {"rejected"} <= outputs.keys()))
        )
    except ValueError:
        return False


def _is_brief(brief: Any, key: str) -> bool:
    return _is_record(brief, key) and is_brief(brief)


def record_of(lake: Lake, upload: Upload) -> StoredObject | None:
    """Return the manifest of an upload as a listing shows it; None when there is none."""
    try:
        return lake.describe(_manifest_key(upload))
    except GoneError:
        return None


def ended_run(lake: Lake, upload: Upload) -> Manifest | None:
    """Return the manifest of an upload's run, if it has succeeded or failed."""
    key = _manifest_key(upload)
    try:
        manifest = _as_record(lake.read(key), key)
    except GoneError:
        return None
    return manifest if manifest is not None and has_ended(manifest) else None


def runs(lake: Lake, site: str | None = None) -> list[Manifest]:
    """Return the manifests of all runs, or of one site's, the newest upload first."""
    return [manifest for manifest in records(lake, site) if has_ended(manifest)]


def has_ended(manifest: Manifest) -> bool:
    """Tell whether a record is that of a run that succeeded or failed."""
    return manifest["status"] not in {BEGUN, WITHDRAWN}


def succeeded_runs(lake: Lake, site: str | None = None) -> list[Manifest]:
    """Return the manifests of the runs that have results, the newest upload first."""
    return [manifest for manifest in runs(lake, site) if manifest["status"] == "succeeded"]


def upload_of(manifest: Manifest) -> Upload:
    """Return the upload that a manifest is about."""
    upload = manifest["upload"]
    sha256 = str(upload["sha256"])
    return Upload(
        key=upload["key"],
        uploaded_at=datetime.fromisoformat(upload["uploaded_at"]),
        size_bytes=upload["size_bytes"],
        digest=lambda: sha256,
        content_tag=upload.get("content_tag", ""),
    )


def mark_of(manifest: Manifest | None) -> str | None:
    """Return what tells one state of a run from another for the run that comes after it: its stamp and episodes."""
    if manifest is None:
        return None
    if "mark" in manifest:
        return str(manifest["mark"])
    episodes = json.dumps(manifest["results"]["episodes"], sort_keys=True)
    return f"{manifest['stamp']} {hashlib.sha256(episodes.encode()).hexdigest()[:_MARK_CHARACTERS]}"


@dataclass(slots=True)
class SeenRuns:
    """What the records of runs tell of their uploads; a version of a record is read once."""

    _told: dict[StoredObject, Upload | None] = field(default_factory=dict)
    """None for what is no record of a run that has ended."""

    def ended(self, lake: Lake, site: str | None = None) -> list[Upload]:
        """Return the uploads whose runs have succeeded or failed."""
        present: set[StoredObject] = set()

        def is_new(stored: StoredObject) -> bool:
            if stored.key.endswith(".json"):
                present.add(stored)
            return stored in present and stored not in self._told

        folder = schema.RUNS if site is None else in_site(schema.RUNS, site, "")
        for stored, path in fetch_folder(lake, folder, below=site is None, wanted=is_new).items():
            with suppress(FileNotFoundError):  # withdrawn since it was listed
                manifest = ended_in(path, stored.key)
                self._told[stored] = None if manifest is None else upload_of(manifest)
        self._told = {stored: told for stored, told in self._told.items() if stored in present}
        return [upload for upload in self._told.values() if upload is not None]


def waiting_uploads(lake: Lake, site: str | None = None, *, seen: SeenRuns | None = None) -> list[StoredObject]:
    """Return the uploads without a run, the earliest first. Who asks again and again keeps what was `seen`."""
    ended = (seen or SeenRuns()).ended(lake, site)
    done = {(upload.key, upload.uploaded_at, upload.size_bytes, upload.content_tag) for upload in ended}
    seconds = {upload.uploaded_at for upload in ended}
    twins = {(upload.site, upload.uploaded_at, upload.sha256) for upload in ended}

    def has_run(stored: StoredObject) -> bool:
        if (stored.key, upload_time(stored), stored.size_bytes, stored.content_tag) in done:
            return True
        # Copies of one file, uploaded in one second, share a stamp and with it the record of their run.
        if upload_time(stored) not in seconds or not has_readings(lake, stored.key):
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
    try:
        lake.describe(readings_key(key))
    except GoneError:
        return False
    return True


def newest_report(lake: Lake, site: str) -> dict[str, str]:
    """Return the keys of the results of a site's newest successful run. Raises LakeError when there is none."""
    newest = next(iter(succeeded_runs(lake, site)), None)
    if newest is not None:
        return dict(newest["outputs"])
    raise LakeError(f"The lake {lake.uri} has no report of {site or 'the root site'}. {what_there_is(lake)}")


def what_there_is(lake: Lake) -> str:
    """Say which sites have runs, to somebody who asked for one that has none, or how to make the first."""
    sites = {manifest["site"] for manifest in succeeded_runs(lake)}
    if not sites:
        return "No run has succeeded there yet. Run a file first: energy run FILE."
    named = ", ".join(
        ["the root site (no --site)"] * ("" in sites) + [f"--site {site}" for site in sorted(sites - {""})]
    )
    return f"Sites that have: {named}."
