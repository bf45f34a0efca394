"""Running an upload, and again what rests on it, until the site's results are those of what lies under `raw/`.

Nothing is locked. Whoever writes looks again afterwards: of two processes that cross, at least the later one sees
what the other has written, and runs again what does not rest on it. That they take turns only saves work.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import duckdb

from .. import outputs, schema
from ..account import describe_run
from ..engine import connect
from ..forecasting import warm_up
from ..history import SiteHistory, fingerprint, merge, take_in
from ..hours import Hours
from ..index import SiteIndex
from ..intake import UnusableUploadError, estimated_rows
from ..lake import GoneError, Lake, LakeError, StoredObject
from ..merging import collect
from ..readings import marks_of
from ..runs import (
    Manifest,
    ended_run,
    full,
    mark_of,
    put_manifest,
    upload_of,
    withdraw,
    withdraw_results,
)
from ..settings import Settings
from ..uploads import Upload, digest_meanwhile, find, identify, readings_key, site_of
from .analysis import STAGES, NoUseError, Progress, silent
from .producing import produce, told_by_a_run
from .standing import Standing, survey
from .telling import dismissed_of
from .turns import Turn, turn_at

_VERSIONS: Final = 20
"""An upload that is replaced so often while it is run never rests."""


class FailedRunError(Exception):
    """A run ended without results. `manifest` tells why, as does the message."""

    def __init__(self, message: str, manifest: Manifest) -> None:
        super().__init__(message)
        self.manifest = manifest


class _ReplacedError(Exception):
    """The upload was replaced or removed while it was run."""


def run(
    lake: Lake, upload: Upload, settings: Settings, *, progress: Progress = silent, others: bool = True
) -> Manifest:
    """Run the upload, and again every run of its site that rests on other readings than there are now.

    Each run sees the uploads up to its own, so their order of arrival does not matter in the end. Where the upload
    was replaced meanwhile, what replaced it is run in its place, and no result of the one before stays.
    Raises FailedRunError, after the failure is on record, when the upload has no usable row, and GoneError, after
    nothing of it is left, when it was removed.

    Of several processes on one site, the one whose turn it is runs what came before its own upload too; with
    `others` false it leaves uploads that nobody has read to who brings them, one by one.
    """
    with _site_at(lake, upload.site, settings, progress=progress, others=others) as site:
        present: Upload | None = upload
        for _ in range(_VERSIONS):
            if present is None:
                raise GoneError(f"{upload.key} was removed from the lake {lake.uri}, and what came of it with it.")
            try:
                return site.run(present)
            except (_ReplacedError, GoneError):
                present = find(lake, upload.key)
                if present is None:
                    site.clear()
                    present = find(lake, upload.key)
    raise LakeError(f"{upload.key} in the lake {lake.uri} is replaced all the time; run it when that has ended.")


def forget(lake: Lake, key: str, settings: Settings, *, progress: Progress = silent) -> None:
    """Remove an upload, and leave its site as if it had never been there.

    Where the process ends in between, the same again, or the next run of the site, goes on.
    """
    with _site_at(lake, site_of(key), settings, progress=progress) as site:
        lake.delete(key)
        site.clear()


@contextmanager
def _site_at(
    lake: Lake, name: str, settings: Settings, *, progress: Progress, others: bool = True
) -> "Iterator[_Site]":
    settings = settings.for_site(name)
    warm_up(settings.model)
    with lake.work_folder() as spill:
        engine = connect(memory_limit_mb=settings.memory_limit_mb, threads=settings.threads, spill_folder=spill)
        with engine:
            site = _Site(name, engine, lake, settings, progress, others)
            yield site
            site.keep_index()


@dataclass(slots=True)
class _Site:
    """A site that is being worked on."""

    name: str
    engine: duckdb.DuckDBPyConnection
    lake: Lake
    settings: Settings
    progress: Progress
    others: bool
    """Whether to take in and run what came before and waits for processes of its own."""
    _curated_by: Upload | None = None
    """Of what was run here, the last that wrote the site's curated tables."""
    _due: list[Upload] = field(default_factory=list)
    """To be run, whatever is on record; the last first."""
    _first: bool = True
    """Whether nothing has been taken in here yet."""
    _left: set[StoredObject] = field(default_factory=set)
    """Uploads of other processes that were taken in here, or could not be."""
    _hours: tuple[Upload, Hours] | None = None
    """Of the upload that was taken in last, where intake has added them up."""
    _index: SiteIndex | None = None
    _identities: dict[StoredObject, Upload] = field(default_factory=dict)

    def keep_index(self) -> None:
        """Write down what was seen of the site, for the next run of it."""
        if self._index is not None:
            self._index.keep()

    def run(self, upload: Upload) -> Manifest:
        """Run a version of an upload. Raises _ReplacedError or GoneError when it is not the present one any more."""
        path = self.lake.fetch_all([upload.stored])[0]
        if not upload.digest_begun:
            upload = replace(upload, digest=digest_meanwhile(path), digest_begun=True)
        try:
            if (
                self._first
                and self._is_there(readings_key(upload.key))
                and (known := self._settled(upload)) is not None
            ):
                return known
            self._first = False
            self.progress(STAGES[0], self.engine, estimated_rows(path))
            self._take_in(upload, path)
            with turn_at(self.lake, self.name) as turn:
                manifest = self._settle(upload, path, turn)
        except UnusableUploadError as error:
            raise self._failed(upload, error) from error
        except (_ReplacedError, GoneError):
            self._take_back(upload)
            raise
        except (FileNotFoundError, duckdb.IOException) as error:
            if self._survey().has(upload):
                raise
            self._take_back(upload)  # The file of a local lake went while it was read.
            raise _ReplacedError from error
        if manifest["status"] == "failed":
            raise FailedRunError(manifest["error"], manifest)
        return manifest

    def clear(self) -> None:
        """Take back all that came of uploads that are gone, and run again what rested on them."""
        with turn_at(self.lake, self.name) as turn:
            while True:
                if not turn.is_ours():
                    turn.wait()
                    continue
                standing = self._survey()
                if (due := self._next(standing)) is not None:
                    self._run_once(due, standing)
                elif not self._clear_away(standing):
                    return

    def _clear_away(self, standing: Standing) -> bool:
        """Take back what came of uploads that are gone, and tell whether there was anything.

        Nothing else of the site is due. What tells of those uploads goes last: where the process ends in between, the
        next run of the site, or whoever removes them again, takes it up.
        """
        gone = standing.gone()
        if not gone and not standing.strays:
            return False
        for manifest in gone:
            for twin in standing.twins_of(manifest):
                upload = self._identified(standing.raw[twin.key])
                if upload is not None and upload.stamp == manifest["stamp"]:
                    self._run_once(upload, standing)  # In the place of the copy that is gone.
                    return True
        newest = standing.newest(self.lake)
        if newest is None or standing.has_no_use(newest):
            self.lake.delete(*outputs.curated_keys(self.name).values())
        elif any(one["status"] != "failed" for one in gone) and newest != self._curated_by:
            self._run_once(newest, standing)
            return True
        for manifest in gone:
            withdraw(self.lake, manifest)
        self.lake.delete(*standing.strays)
        return True

    def _settle(self, upload: Upload, path: Path, turn: Turn) -> Manifest:
        """Run the upload, and whatever of the site is due then, until nothing is; or let another do so."""
        own: Manifest | None = None
        other: Upload | None = None
        while True:
            ours = turn.is_ours()
            if not ours and own is None and ended_run(self.lake, upload) is None:
                turn.wait()
                continue
            standing = self._survey()
            if not standing.has(upload):
                raise _ReplacedError
            if not any(one.are_of(upload) for one in standing.readings):
                # A process that was late to see that its version is replaced has written over them.
                self._take_in(upload, path)
                continue
            if other is not None and not any(one.are_of(other) for one in standing.readings):
                self._take_back(other)  # It was replaced or removed while it was run here.
                other = None
                continue
            recorded = own or self._recorded(upload, standing)
            if ours and recorded is None and self.others and self._take_in_others(standing.not_taken_in(upload)):
                continue
            due = self._next(standing, None if recorded else upload)
            if due is None and recorded is not None and not standing.gone() and not standing.strays:
                return recorded
            if not ours:
                turn.wait()
            elif due is None and recorded is not None:
                self._clear_away(standing)
            elif due in (None, upload):
                own = self._run_once(upload, standing, withdrawing=standing.others_of(upload))
            elif due is not None:
                self._run_once(due, standing)
                other = due

    def _settled(self, upload: Upload) -> Manifest | None:
        """Return the run on record of an upload that has come before, if nothing of the site is due."""
        standing = self._survey()
        recorded = self._recorded(upload, standing)
        at_rest = self._next(standing) is None and not standing.gone() and not standing.strays
        return recorded if at_rest else None

    def _recorded(self, upload: Upload, standing: Standing) -> Manifest | None:
        """Return the run of an upload as it is on record, if it would be the same again; if in doubt, it would not."""
        if self.settings.insights.provider != "rules":
            return None  # What a model did not answer is asked again; what it did is taken from the record.
        found = [one for one in standing.runs if upload_of(one) == upload]
        if len(found) != 1 or standing.others_of(upload) or standing.left_over():
            return None
        wanted = describe_run(upload, self.settings, status="succeeded")
        read_with = fingerprint(self.settings)
        recorded = full(self.lake, found[0])
        if any(recorded.get(name) != value for name, value in wanted.items()) or any(
            one.fingerprint != read_with for one in standing.readings_until(upload.place)
        ):
            return None
        left_out = dismissed_of(recorded["results"], self.lake, self.name)
        if "words" in recorded or left_out != recorded["dismissed"]:
            return None
        keys = set(recorded["outputs"].values())
        if standing.is_newest(upload):
            keys.update(outputs.curated_keys(self.name).values())
        return recorded if all(self._is_there(key) for key in keys) else None

    def _is_there(self, key: str) -> bool:
        try:
            self.lake.describe(key)
        except GoneError:
            return False
        return True

    def _take_in(self, upload: Upload, path: Path) -> None:
        self._hours = None
        hours = take_in(self.engine, self.lake, upload, path, self.settings)
        self._hours = None if hours is None else (upload, hours)

    def _take_in_others(self, uploads: Sequence[StoredObject]) -> bool:
        """Take in uploads whose own processes have not, and tell whether there were any."""
        some = [stored for stored in uploads if stored not in self._left]
        if some:
            self.progress(STAGES[0], self.engine, None)
        for stored in some:
            self._left.add(stored)
            present = self._identified(stored)
            while present is not None:
                taken = present
                try:
                    path = self.lake.fetch_all([taken.stored])[0]
                    self._take_in(taken, path)
                except (LakeError, UnusableUploadError, FileNotFoundError, duckdb.Error):
                    break  # Its own process will see to it, or say what is wrong.
                present = find(self.lake, taken.key)
                if present is None:
                    self.lake.delete(readings_key(taken.key))
                elif present.stored == taken.stored:
                    break
                self._take_back(taken)
        return bool(some)

    def _identified(self, stored: StoredObject) -> Upload | None:
        """Say which upload a raw object is, and read its content for that once."""
        if stored not in self._identities:
            upload = identify(self.lake, stored)
            try:
                upload.digest()
            except (GoneError, FileNotFoundError):
                return None
            self._identities[stored] = upload
        return self._identities[stored]

    def _next(self, standing: Standing, upload: Upload | None = None) -> Upload | None:
        """Return what is to be run next, where `upload` is to be run in any case."""
        self._due = [due for due in self._due if any(one.are_of(due) for one in standing.readings)]
        if self._due:
            return self._due[-1]
        due = standing.first_due(self._identified, until=upload)
        if upload is not None and (due is None or due.place > upload.place):
            return upload
        if due is None and self._curated_by is not None and not standing.is_newest(self._curated_by):
            return standing.newest(self.lake)
        return due

    def _failed(self, upload: Upload, error: UnusableUploadError) -> Exception:
        """Put on record that no row was usable; what an earlier version gave goes on counting."""
        manifest = describe_run(upload, self.settings, status="failed", error=str(error))
        standing = self._survey()
        for other in standing.others_of(upload):
            if other["status"] != "succeeded":
                self._withdraw(other, standing)
        put_manifest(self.lake, upload, manifest)
        present = find(self.lake, upload.key)
        if present is None or present.stored != upload.stored:
            self._take_back(upload)
            return _ReplacedError()
        return FailedRunError(str(error), manifest)

    def _take_back(self, upload: Upload) -> None:
        """Withdraw what a run of a version that was replaced may have written; see `clear` for one that was removed."""
        try:
            stamp = upload.stamp
        except FileNotFoundError:
            return  # It went before anything could be told of it, so nothing bears its stamp.
        standing = self._survey()
        if upload.key not in standing.raw:
            return
        for manifest in standing.records:
            if manifest["stamp"] == stamp:
                self._withdraw(manifest, standing)

    def _withdraw(self, manifest: Manifest, standing: Standing) -> None:
        """Withdraw a run; its copies, which shared its results, are to be run again."""
        withdraw(self.lake, manifest)
        self._due.extend(identify(self.lake, standing.raw[twin.key]) for twin in standing.twins_of(manifest))

    def _survey(self) -> Standing:
        if self._index is None:
            self._index = SiteIndex(self.lake, self.name)
        return survey(self.engine, self.lake, self.name, self._index)

    def _run_once(self, upload: Upload, standing: Standing, *, withdrawing: Sequence[Manifest] = ()) -> Manifest:
        """Run an upload whose readings are there, and withdraw those runs that it takes the place of.

        Where nothing but feed-in has been read up to it, its record tells that it failed, and why.
        """
        self._due = [due for due in self._due if due != upload]
        history = merge(self.engine, self.lake, standing.readings_until(upload.place), self.settings)
        if self._hours is not None and [one.are_of(self._hours[0]) for one in history.uploads] == [True]:
            history = replace(history, hours=self._hours[1])
        brief = standing.run_before(upload)
        before = None if brief is None else full(self.lake, brief)
        try:
            produced = produce(
                self.engine,
                self.lake,
                upload,
                history,
                self.settings,
                standing=standing,
                before=before,
                progress=self.progress,
            )
        except NoUseError as error:
            return self._record_no_use(upload, history, standing, error, withdrawing=withdrawing)
        if standing.is_newest(upload):
            self._curated_by = upload
            collect(self.engine, self.lake, history.merged)
        verdict = next(one.verdict for one in history.uploads if one.are_of(upload))
        keys = dict(produced.keys)
        rejected_key = upload.result_key(schema.REJECTED, "rejected.csv")
        if verdict.rejected_by_reason:
            keys["rejected"] = rejected_key
        elif any(one["stamp"] == upload.stamp and _refused_rows(one) for one in standing.records):
            self.lake.delete(rejected_key)  # It was read with other settings then.
        self._withdraw_replaced(upload, standing, withdrawing)
        told = told_by_a_run(produced, verdict, after=mark_of(before), history=history.uploads, outputs=keys)
        manifest = describe_run(upload, self.settings, status="succeeded") | told
        put_manifest(self.lake, upload, manifest)
        return manifest

    def _withdraw_replaced(self, upload: Upload, standing: Standing, withdrawing: Sequence[Manifest]) -> None:
        for other in (*withdrawing, *(one for one in standing.left_over() if one["stamp"] != upload.stamp)):
            self._withdraw(other, standing)

    def _record_no_use(
        self,
        upload: Upload,
        history: SiteHistory,
        standing: Standing,
        error: NoUseError,
        *,
        withdrawing: Sequence[Manifest],
    ) -> Manifest:
        """Put on record that there is no use up to this upload; its readings count in the runs of later ones.

        The record tells what the run rested on, so that it is made again when an earlier upload has some.
        """
        for own in standing.records:
            if own["stamp"] == upload.stamp and own["status"] == "succeeded":
                withdraw_results(self.lake, own)
        self._withdraw_replaced(upload, standing, withdrawing)
        if standing.is_newest(upload):
            self.lake.delete(*outputs.curated_keys(self.name).values())
            self._curated_by = None
        manifest = describe_run(upload, self.settings, status="failed", error=str(error))
        manifest["history"] = marks_of(history.uploads)[-1]
        put_manifest(self.lake, upload, manifest)
        return manifest


def _refused_rows(manifest: Manifest) -> bool:
    """Tell whether a run may have left a file of refused rows; one that failed does not say."""
    return manifest["status"] != "succeeded" or "rejected" in manifest["outputs"]
