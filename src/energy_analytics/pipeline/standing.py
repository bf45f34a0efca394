"""How a site stands at a moment: its uploads, their readings and its runs, and which run is due."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import duckdb

from ..history import Readings, readings_in
from ..lake import Lake, StoredObject, fetch_folder
from ..runs import WITHDRAWN, Manifest, mark_of, records, upload_of
from ..schema import READINGS
from ..uploads import Place, Upload, identify, in_site, is_readings, upload_time, uploads_of_site


@dataclass(frozen=True)
class Standing:
    """What a site has in the lake."""

    raw: Mapping[str, StoredObject]
    """The uploads that are present, by key."""
    readings: tuple[Readings, ...]
    """Of the uploads that are present, the earliest upload first."""
    records: tuple[Manifest, ...]
    """Of all runs, the earliest upload first."""

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

    def others_of(self, upload: Upload, *, status: str | None = None) -> list[Manifest]:
        """Return the records of other versions of the same raw key."""
        return [
            one
            for one in self.records
            if one["upload"]["key"] == upload.key and one["stamp"] != upload.stamp and status in (None, one["status"])
        ]

    def left_over(self) -> list[Manifest]:
        """Return the records of runs that a process began to withdraw."""
        return [one for one in self.records if one["status"] == WITHDRAWN]

    def first_due(self, lake: Lake) -> Upload | None:
        """Return the first upload whose run rests on other than there is now.

        A run rests on the readings up to its upload, and on the run before it, whose episodes it carries on.
        """
        versions = [one.version for one in self.readings]
        places = [one.place for one in self.readings]
        before: Manifest | None = None
        for manifest in self.runs:
            upload = upload_of(manifest)
            rests_on = versions[: bisect_right(places, upload.place)]
            if (manifest["history"], manifest["after"]) != (rests_on, mark_of(before)):
                return upload
            for twin in self.twins_of(manifest):
                if twin.key > upload.key and identify(lake, self.raw[twin.key]).sha256 == upload.sha256:
                    return identify(lake, self.raw[twin.key])
            before = manifest
        return None

    def twins_of(self, manifest: Manifest) -> list[Readings]:
        """Return other uploads of the same second and size that have no run of their own.

        If they are copies, they share a stamp and with it the record of their run, which is the last one's.
        """
        upload = upload_of(manifest)
        return [
            one
            for one in self._at_once.get((upload.uploaded_at, upload.size_bytes), ())
            if one.key != upload.key and one.key not in self._keys_of_runs and one.are_of(self.raw[one.key])
        ]

    @cached_property
    def _keys_of_runs(self) -> frozenset[str]:
        return frozenset(manifest["upload"]["key"] for manifest in self.runs)

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


def survey(engine: duckdb.DuckDBPyConnection, lake: Lake, site: str) -> Standing:
    """Look at what a site has in the lake.

    The uploads are looked at last: what readings or runs there are, their uploads came before them.
    """
    manifests = records(lake, site)
    given = fetch_folder(lake, in_site(READINGS.prefix, site, ""), below=False, wanted=is_readings)
    raw = uploads_of_site(lake, site)
    return Standing(
        raw={stored.key: stored for stored in raw},
        readings=readings_in(engine, given, raw),
        records=tuple(reversed(manifests)),
    )
