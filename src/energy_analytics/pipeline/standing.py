"""How a site stands at a moment: its uploads, their readings and its runs, and which run is due."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

import duckdb

from .. import index as index_of
from ..index import SiteIndex
from ..lake import GoneError, Lake, LakeError, StoredObject
from ..readings import Readings, marks_of, readings_in
from ..runs import Manifest, briefs, has_ended, mark_of, upload_of
from ..schema import READINGS
from ..uploads import (
    Place,
    Upload,
    identify,
    in_site,
    is_readings,
    place_of,
    readings_key,
    upload_time,
    uploads_of_site,
)

_AT_ONCE: Final = timedelta(minutes=15)
"""Uploads that came within this time are run in their order by whoever has the turn; older ones by their own event.

So an upload that no process survives is met by others for so long, and no longer.
"""
_SMALL_BYTES: Final = 8 << 20
"""A larger upload is left to its own process, which may refuse it."""

_ATTEMPTS: Final = 20
"""A site that changes while it is looked at so many times in a row never rests."""

Identified = Callable[[StoredObject], Upload | None]
"""Says which upload a raw object is; None when it is not there any more."""


@dataclass(frozen=True)
class Standing:
    """What a site has in the lake."""

    raw: Mapping[str, StoredObject]
    """The uploads that are present, by key."""
    readings: tuple[Readings, ...]
    """Of the uploads that are present, the earliest upload first."""
    records: tuple[Manifest, ...]
    """Of all runs, in brief (`runs.briefs`), the earliest upload first."""
    strays: tuple[str, ...]
    """Keys of files of readings whose uploads are gone."""

    def has(self, upload: Upload) -> bool:
        """Tell whether this version is what is under its key."""
        stored = self.raw.get(upload.key)
        return stored is not None and (stored.version, upload_time(stored)) == (upload.version, upload.uploaded_at)

    def readings_until(self, place: Place) -> tuple[Readings, ...]:
        """Return what the run of an upload in that place rests on."""
        return tuple(one for one in self.readings if one.place <= place)

    @cached_property
    def runs(self) -> list[Manifest]:
        """The runs with results of the versions whose readings count, the earliest upload first."""
        of_key = {one.key: one for one in self.readings}
        return [
            manifest
            for manifest in self.records
            if manifest["status"] == "succeeded"
            and (upload := upload_of(manifest)).key in of_key
            and of_key[upload.key].are_of(upload)
        ]

    def run_before(self, upload: Upload) -> Manifest | None:
        """Return the newest run before this upload's."""
        for manifest in reversed(self.runs):
            other = upload_of(manifest)
            if other.place < upload.place and other.key != upload.key:
                return manifest
        return None

    def is_newest(self, upload: Upload) -> bool:
        """Tell whether it is the latest upload that has given readings."""
        return bool(self.readings) and self.readings[-1].are_of(upload)

    def others_of(self, upload: Upload) -> list[Manifest]:
        """Return the records of other versions of the same raw key."""
        return [one for one in self.records if one["upload"]["key"] == upload.key and one["stamp"] != upload.stamp]

    def left_over(self) -> list[Manifest]:
        """Return the records of runs of replaced versions that a process began to make or to withdraw."""
        return [one for one in self.records if not has_ended(one) and self._is_replaced(upload_of(one))]

    def gone(self) -> list[Manifest]:
        """Return the records of runs whose uploads are not there any more."""
        return [one for one in self.records if one["upload"]["key"] not in self.raw]

    def _is_replaced(self, upload: Upload) -> bool:
        stored = self.raw.get(upload.key)
        return stored is not None and (upload.uploaded_at, upload.size_bytes, upload.content_tag) != (
            upload_time(stored),
            stored.size_bytes,
            stored.content_tag,
        )

    def first_due(self, identified: Identified, *, until: Upload | None = None) -> Upload | None:
        """Return the first upload whose run rests on other than there is now.

        A run rests on the readings up to its upload, and on the run before it, whose episodes it carries on.
        With `until`, also uploads that came at once with that one, and before it, count that have no run yet.
        """
        before: Manifest | None = None
        for one, mark in zip(self.readings, marks_of(self.readings), strict=True):
            for manifest in self._runs_of.get(one.key, ()):
                if (manifest["history"], manifest["after"]) != (mark, mark_of(before)):
                    return upload_of(manifest)
                for twin in self.twins_of(manifest):
                    other = identified(self.raw[twin.key]) if twin.key > one.key else None
                    if other is not None and other.sha256 == manifest["upload"]["sha256"]:
                        return other
                before = manifest
            if (without_use := self._without_use.get(one.key)) is not None:
                if without_use["history"] != mark:
                    return upload_of(without_use)
                continue
            if one.key in self._runs_of or until is None or not self.is_at_once(self.raw[one.key], until):
                continue
            upload = identified(self.raw[one.key]) if one.are_of(self.raw[one.key]) else None
            if upload is not None and not self._has_copy_with_run(upload):
                return upload
        return None

    def not_taken_in(self, upload: Upload) -> list[StoredObject]:
        """Return the small uploads that came at once with this one, and before it, and that nobody has looked at."""
        known = {one.key for one in self.readings}
        failed = {upload_of(one).place for one in self.records if one["status"] == "failed"}
        return [
            stored
            for stored in self.raw.values()
            if stored.key not in known
            and stored.size_bytes <= _SMALL_BYTES
            and self.is_at_once(stored, upload)
            and place_of(stored) not in failed
        ]

    def is_at_once(self, stored: StoredObject, upload: Upload) -> bool:
        """Tell whether it came before the upload, and so shortly that its own process may still have to begin."""
        return place_of(stored) < upload.place and upload.uploaded_at - upload_time(stored) <= _AT_ONCE

    def _has_copy_with_run(self, upload: Upload) -> bool:
        """Tell whether a run on record stands for this upload too."""
        return any(run["stamp"] == upload.stamp and run["upload"]["key"] > upload.key for run in self.runs)

    def has_no_use(self, upload: Upload) -> bool:
        """Tell whether the upload's run found nothing but feed-in, and there is nothing else up to it now."""
        failed = self._without_use.get(upload.key)
        until = self.readings_until(upload.place)
        return failed is not None and bool(until) and failed["history"] == marks_of(until)[-1]

    @cached_property
    def _without_use(self) -> Mapping[str, Manifest]:
        """The records of runs that had readings and found no use in them, by raw key."""
        of_key = {one.key: one for one in self.readings}
        return {
            manifest["upload"]["key"]: manifest
            for manifest in self.records
            if manifest["status"] == "failed"
            and "history" in manifest
            and (upload := upload_of(manifest)).key in of_key
            and of_key[upload.key].are_of(upload)
        }

    @cached_property
    def _runs_of(self) -> Mapping[str, list[Manifest]]:
        found: dict[str, list[Manifest]] = {}
        for manifest in self.runs:
            found.setdefault(manifest["upload"]["key"], []).append(manifest)
        return found

    def twins_of(self, manifest: Manifest) -> list[Readings]:
        """Return other uploads of the same second and size that have no run of their own.

        If they are copies, they share a stamp and with it the record of their run, which is the last one's.
        """
        upload = upload_of(manifest)
        return [
            one
            for one in self._at_once.get((upload.uploaded_at, upload.size_bytes), ())
            if one.key != upload.key and one.key not in self._runs_of and one.are_of(self.raw[one.key])
        ]

    @cached_property
    def _at_once(self) -> Mapping[tuple[datetime, int], list[Readings]]:
        found: dict[tuple[datetime, int], list[Readings]] = {}
        for one in self.readings:
            found.setdefault((one.uploaded_at, one.size_bytes), []).append(one)
        return found

    def newest(self, lake: Lake) -> Upload | None:
        """Return the latest upload that has given readings, if it is still known which it was."""
        if not self.readings:
            return None
        latest = self.readings[-1]
        known = (upload for upload in map(upload_of, self.runs) if latest.are_of(upload))
        present = self.raw[latest.key]
        return next(known, identify(lake, present) if latest.are_of(present) else None)


def survey(engine: duckdb.DuckDBPyConnection, lake: Lake, site: str, index: SiteIndex) -> Standing:
    """Look at what a site has in the lake.

    The uploads are looked at last: what readings or runs there are, their uploads came before them.
    """
    for _ in range(_ATTEMPTS):
        manifests = briefs(lake, site, index)
        files = [stored for stored in lake.list(in_site(READINGS.prefix, site, ""), below=False) if is_readings(stored)]
        index.limit_to(index_of.READINGS, files)
        raw = uploads_of_site(lake, site)
        expected = {readings_key(stored.key) for stored in raw}
        try:
            readings = readings_in(engine, lake.fetch_all, files, raw, index)
        except GoneError:
            continue  # One was replaced since it was listed.
        return Standing(
            raw={stored.key: stored for stored in raw},
            readings=readings,
            records=tuple(reversed(manifests)),
            strays=tuple(stored.key for stored in files if stored.key not in expected),
        )
    raise LakeError(f"The site {site or 'at the root'} in {lake.uri} changes all the time; try again later.")
