"""What the lake holds of each site, as a listing shows it, and what the records of its runs tell."""

import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from .. import __version__
from ..dismissals import is_dismissal
from ..lake import GoneError, Lake, LocalLake, StoredObject
from ..outputs import curated_keys
from ..runs import Manifest, ended_in
from ..schema import CURATED, RAW, READINGS, REJECTED, RUNS
from ..settings import Settings
from ..uploads import in_site, is_upload, readings_key, site_of
from .caching import Bounded
from .problems import ProblemError
from .times import Zone

_FRESH_SECONDS: Final = 0.25
_FRESH_REMOTE_SECONDS: Final = 2.0
"""For how long a listing counts; each one of a bucket costs time and money."""
_RECORDS_BYTES: Final = 64 << 20
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Listing:
    """The objects of a site that matter here."""

    runs: tuple[StoredObject, ...] = ()
    raw: tuple[StoredObject, ...] = ()
    curated: tuple[StoredObject, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """The record of a run, read; none where it is not one of a run that has ended."""

    manifest: Manifest | None
    nbytes: int


class Sites:
    """The sites of a lake. A listing is made anew when it is older than a moment."""

    def __init__(self, lake: Lake, settings: Settings) -> None:
        self.lake = lake
        self.settings = settings
        self.running: frozenset[str] = frozenset()
        """Raw keys that are being run, where this process knows."""
        self._fresh_seconds = _FRESH_SECONDS if isinstance(lake, LocalLake) else _FRESH_REMOTE_SECONDS
        self._listed: dict[str, Listing] = {}
        self._listed_at = -float("inf")
        self._lock = threading.Lock()
        self._records: Bounded[Record] = Bounded(_RECORDS_BYTES, lambda record: record.nbytes)
        self._program = hashlib.sha256(f"{__version__} {settings.model_dump_json()}".encode()).hexdigest()

    def listed(self) -> Mapping[str, Listing]:
        """Return the listing of each site that has an upload or a run, by the site's name."""
        with self._lock:
            if time.monotonic() - self._listed_at > self._fresh_seconds:
                self._listed = _list(self.lake)
                self._listed_at = time.monotonic()
            return self._listed

    def forget(self) -> None:
        """Have the lake listed anew when it is next asked about."""
        with self._lock:
            self._listed_at = -float("inf")

    def site(self, name: str) -> "Site":
        """Return a site. Raises ProblemError when the lake has none of that name; there is always a root site."""
        listed = self.listed()
        if name and name not in listed:
            raise ProblemError(404, f"There is no site {name!r} in the lake.")
        return Site(name, listed.get(name, Listing()), self)

    def all(self) -> "list[Site]":
        """Return all sites, in order of their names."""
        return [Site(name, listing, self) for name, listing in sorted(self.listed().items())]

    def version(self, name: str | None) -> str:
        """Return what changes when anything about a site changes, or about any site."""
        listed = self.listed()
        chosen = listed.values() if name is None else [listed.get(name, Listing())]
        objects = [one for listing in chosen for one in (*listing.runs, *listing.raw, *listing.curated)]
        return _digest([self._program, *self._money_files(), *sorted(self.running), *_versions(objects)])

    def record(self, stored: StoredObject) -> Manifest | None:
        """Return the record of a run that has ended; None for anything else, and when it is gone."""
        try:
            found = self._records.get((stored.key, stored.version), lambda: self._read(stored))
        except GoneError:
            return None
        return found.manifest

    def _read(self, stored: StoredObject) -> Record:
        try:
            path = self.lake.fetch_all([stored])[0]
            return Record(ended_in(path, stored.key), 4 * stored.size_bytes)
        except FileNotFoundError as error:
            raise GoneError(f"{stored.key} was removed meanwhile.") from error

    def _money_files(self) -> list[str]:
        """Tell the versions of the files that the settings name, which a person may edit at any time."""
        told = []
        for name in ("", *self.settings.sites):
            own = self.settings.for_site(name)
            for file in (own.tariff_file, own.carbon_file, *(own.compare_tariffs or ())):
                if file is not None and file.is_file():
                    status = file.stat()
                    told.append(f"{file} {status.st_mtime_ns} {status.st_size}")
        return told


@dataclass(slots=True)
class Site:
    """A site as it was when the lake was last listed."""

    name: str
    listing: Listing
    _sites: Sites
    _newest: list[Manifest] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The name for a sentence."""
        return self.name or "the root site"

    @property
    def lake(self) -> Lake:
        """The lake that it is in."""
        return self._sites.lake

    @property
    def settings(self) -> Settings:
        """The settings, with the site's own put over them."""
        return self._sites.settings.for_site(self.name)

    @property
    def version(self) -> str:
        """What changes when its results do: runs, tables, dismissals."""
        return _digest(_versions([*self.listing.runs, *self.listing.curated]))

    @property
    def newest(self) -> Manifest:
        """The record of the newest run with results. Raises ProblemError when there is none."""
        if not self._newest:
            for _, manifests in self.runs():
                self._newest = [one for one in manifests if one["status"] == "succeeded"][:1]
                if self._newest:
                    break
            else:
                raise ProblemError(404, f"There are no results of {self.title} yet. Upload a file of readings first.")
        return self._newest[0]

    @property
    def has_results(self) -> bool:
        """Whether a run of it succeeded."""
        try:
            return bool(self.newest)
        except ProblemError:
            return False

    @property
    def zone(self) -> Zone:
        """The clock that its readings were read with."""
        return Zone(self.newest["settings"]["timezone"])

    def runs(self, *, before: str | None = None) -> "Iterable[tuple[str, list[Manifest]]]":
        """Yield the runs second by second of their uploads, the newest first, those of one second together.

        `before` leaves out those of that second and later ones.
        """
        by_second: dict[str, list[StoredObject]] = defaultdict(list)
        for stored in self.listing.runs:
            by_second[second_of(stored.key)].append(stored)
        for second in sorted(by_second, reverse=True):
            if before is None or second < before:
                found = [one for one in map(self._sites.record, by_second[second]) if one is not None]
                yield second, sorted(found, key=lambda one: str(one["upload"]["key"]), reverse=True)

    def run(self, stamp: str) -> Manifest:
        """Return the record of a run. Raises ProblemError when there is none of that stamp."""
        for stored in self.listing.runs:
            if stored.key == in_site(RUNS, self.name, f"run_{stamp}.json"):
                found = self._sites.record(stored)
                if found is not None:
                    return found
        raise ProblemError(404, f"There is no run {stamp!r} of {self.title}.")

    def runs_of_second(self, second: str) -> list[Manifest]:
        """Return the runs of the uploads of that second (YYYYMMDD_HHMMSS)."""
        own = [one for one in self.listing.runs if second_of(one.key) == second]
        return [one for one in map(self._sites.record, own) if one is not None]

    def table(self, name: str) -> StoredObject:
        """Return the object of a curated table. Raises ProblemError when there is none."""
        _ = self.newest  # Which tells better why.
        return self._object(curated_keys(self.name)[name], name)

    def _object(self, key: str, what: str) -> StoredObject:
        for stored in self.listing.curated:
            if stored.key == key:
                return stored
        raise ProblemError(404, f"There is no table {what} of {self.title} yet.")

    @property
    def readings(self) -> dict[StoredObject, StoredObject]:
        """The files of readings whose uploads are there, with those uploads."""
        files = {one.key: one for one in self.listing.curated if one.key.startswith(f"{READINGS.prefix}/")}
        return {files[given]: raw for raw in self.listing.raw if (given := readings_key(raw.key)) in files}

    @property
    def dismissed(self) -> frozenset[str]:
        """Ids of the findings and episodes that are not to be told."""
        return frozenset(PurePosixPath(one.key).stem for one in self.listing.curated if is_dismissal(one.key))

    def rejected(self, stamp: str) -> StoredObject | None:
        """Return the file of the rows that a run refused; None when it refused none."""
        try:
            return self.lake.describe(in_site(REJECTED, self.name, f"rejected_{stamp}.csv"))
        except GoneError:
            return None

    def result(self, key: str) -> Path:
        """Return a local file with a result of a run. Raises ProblemError when it is gone."""
        for _ in range(_ATTEMPTS):
            try:
                return self.lake.fetch_all([self.lake.describe(key)])[0]
            except GoneError:
                continue
        raise ProblemError(404, f"There is no {key} in the lake any more.")


def second_of(key: str) -> str:
    """Return the second of the upload that a run's record is about, from its key."""
    return PurePosixPath(key).stem.removeprefix("run_").rpartition("_")[0]


def _list(lake: Lake) -> dict[str, Listing]:
    found: dict[str, tuple[list[StoredObject], ...]] = defaultdict(lambda: ([], [], []))
    kinds: tuple[tuple[str, Callable[[str], bool], Callable[[str], str]], ...] = (
        (RUNS, lambda key: key.endswith(".json"), site_of),
        (RAW, is_upload, site_of),
        (CURATED, lambda key: key.endswith((".parquet", ".json")), _site_of_table),
    )
    for place, (prefix, is_wanted, site_named) in enumerate(kinds):
        for stored in lake.list(prefix):
            if is_wanted(stored.key):
                found[site_named(stored.key)][place].append(stored)
    known = {name: Listing(*map(tuple, own)) for name, own in found.items()}
    return {name: one for name, one in known.items() if one.runs or one.raw}


def _site_of_table(key: str) -> str:
    return "/".join(PurePosixPath(key).parts[2:-1])


def _versions(objects: Iterable[StoredObject]) -> list[str]:
    return sorted(f"{one.key} {one.version}" for one in objects)


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
