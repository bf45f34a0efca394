"""Lakes of both kinds, what arrives in them, and what they hold."""

import collections
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import HEADER

from energy_analytics.lake import Lake, open_lake
from energy_analytics.lake.s3 import S3Lake
from energy_analytics.pipeline import Progress, run, silent
from energy_analytics.runs import waiting_uploads
from energy_analytics.schema import PREFIXES, RAW
from energy_analytics.settings import Settings
from energy_analytics.uploads import find, upload_time

QUICK = Settings(model="moving_average")


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake in a folder, and one in a bucket; what runs in it takes seconds in a bucket."""
    return empty_lake(request, tmp_path)


def empty_lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """Return an empty lake of the kind that a fixture has as its parameter."""
    if request.param == "folder":
        return open_lake(str(tmp_path / "lake"))
    return open_lake(f"s3://{request.getfixturevalue('bucket')}")


@pytest.fixture
def s3_lake(bucket: str) -> S3Lake:
    """An empty lake in a bucket."""
    return S3Lake(bucket)


def arrive(lake: Lake, key: str, rows: str, *, header: str = HEADER) -> str:
    """Upload a file at least a second after all that is there."""
    newest = max(map(upload_time, lake.list(RAW)), default=None)
    with lake.work_folder() as folder:
        (folder / "upload").write_text(header + rows, encoding="utf-8")
        lake.put(key, folder / "upload", modified=newest and newest + timedelta(seconds=1))
    return key


def run_one(lake: Lake, key: str, *, progress: Progress = silent, settings: Settings = QUICK) -> dict[str, Any]:
    """Run what is under a raw key."""
    upload = find(lake, key)
    assert upload is not None
    return run(lake, upload, settings, progress=progress)


def contents(lake: Lake, *, without: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Return every object by its key."""
    return {
        stored.key: lake.read(stored.key)
        for prefix in PREFIXES
        if prefix not in without
        for stored in lake.list(prefix)
    }


def without_content_tags(content: bytes) -> bytes:
    """Return a record without what only a bucket tells of an upload's content."""
    return re.sub(rb'"content_tag":"[^"]*",', b"", content)


def forget_results(lake: Lake) -> None:
    """Leave nothing but the uploads."""
    lake.delete(*(stored.key for prefix in PREFIXES if prefix != RAW for stored in lake.list(prefix)))


def as_if_each_had_come_once(lake: Lake, *, settings: Settings = QUICK) -> dict[str, bytes]:
    """Run anew what lies under `raw/`, the earliest upload first, and return what the lake then holds."""
    forget_results(lake)
    for stored in waiting_uploads(lake):
        run_one(lake, stored.key, settings=settings)
    return contents(lake)


@contextmanager
def indexed_from_the_first() -> Iterator[None]:
    """Keep an index and collect readings of sites with few uploads, as of those with many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("energy_analytics.index._FEWEST", 1)
        patch.setattr("energy_analytics.merging._LOOSE_FILES", 1)
        yield


@contextmanager
def counted(lake: S3Lake) -> Iterator[collections.Counter[str]]:
    """Count what is asked of S3 meanwhile, by operation."""
    found: collections.Counter[str] = collections.Counter()
    events = lake._client.meta.events

    def count(model: Any, **_: Any) -> None:
        found[model.name] += 1

    events.register("before-call.s3", count)
    try:
        yield found
    finally:
        events.unregister("before-call.s3", count)
