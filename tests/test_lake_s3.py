"""What is particular to a lake in a bucket: requests, the cache, errors, delivery, and parity with a folder."""

import csv
import io
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from commands import HEADER, SAMPLE, environment, hourly_rows, told
from commands import energy as command
from emulator import Emulator
from lakes import (
    QUICK,
    arrive,
    as_if_each_had_come_once,
    contents,
    counted,
    indexed_from_the_first,
    run_one,
    without_content_tags,
)

from energy_analytics.cleanup import contents as removable
from energy_analytics.cleanup import remove
from energy_analytics.delivery import deliver
from energy_analytics.lake import LakeError, LocalLake, open_lake
from energy_analytics.lake.cache import Cache, Name
from energy_analytics.lake.s3 import S3Lake
from energy_analytics.query import named_queries, query
from energy_analytics.runs import runs, waiting_uploads
from energy_analytics.uploads import file_digest, identify, upload_time

pytestmark = pytest.mark.slow

ROWS = hourly_rows("2026-01-01", hours=72)
BIG_BYTES = 40 << 20
"""Travels in three parts."""


def test_folder_markers_and_keys_that_no_folder_could_hold_are_no_objects(aws: Emulator, s3_lake: S3Lake) -> None:
    for key in ("raw/", "raw/site/", "raw//a.csv", "raw/.hidden.csv", "raw/.work/a.csv", "raw/a\\b.csv", "raw/a.csv"):
        aws.client("s3").put_object(Bucket=s3_lake.bucket, Key=key, Body=b"")
    assert [stored.key for stored in s3_lake.list("raw")] == ["raw/a.csv"]


def test_a_listing_of_more_than_a_page(s3_lake: S3Lake) -> None:
    with s3_lake.work_folder() as folder:
        files = {f"rejected/{number:04}.csv": folder / str(number) for number in range(1_005)}
        for path in files.values():
            path.touch()
        s3_lake.put_all(files)
    assert [stored.key for stored in s3_lake.list("rejected")] == list(files)
    s3_lake.delete(*files)
    assert s3_lake.list("rejected") == []


def test_an_object_in_parts(s3_lake: S3Lake, tmp_path: Path) -> None:
    content = os.urandom(1 << 20) * (BIG_BYTES >> 20) + b"end"
    (tmp_path / "same").write_bytes(content)
    (tmp_path / "else").write_bytes(content[:-1] + b"?")
    with s3_lake.work_folder() as folder:
        (folder / "big").write_bytes(content)
        s3_lake.put("raw/big.csv", folder / "big")
    stored = s3_lake.describe("raw/big.csv")
    with counted(s3_lake) as asked:
        assert s3_lake.holds(stored, tmp_path / "same")
        assert not s3_lake.holds(stored, tmp_path / "else")
    assert asked == {"HeadObject": 2}
    with counted(s3_lake) as asked:
        assert s3_lake.fetch_all([stored])[0].read_bytes() == content
    assert asked == {"GetObject": 3}


def test_what_others_say_of_the_content_is_not_believed(aws: Emulator, s3_lake: S3Lake, tmp_path: Path) -> None:
    """A foreign object in parts, whose version tells nothing, is compared by its content."""
    (tmp_path / "a").write_bytes(b"a" * (9 << 20))
    (tmp_path / "b").write_bytes(b"b" * (9 << 20))
    aws.client("s3").upload_file(
        str(tmp_path / "a"), s3_lake.bucket, "raw/a.csv", ExtraArgs={"Metadata": {"sha256": "of something else"}}
    )
    stored = s3_lake.describe("raw/a.csv")
    assert "-" in stored.version
    assert s3_lake.holds(stored, tmp_path / "a")
    assert not s3_lake.holds(stored, tmp_path / "b")


def test_the_same_version_is_fetched_once(aws: Emulator, s3_lake: S3Lake) -> None:
    for name in ("a", "b"):
        aws.client("s3").put_object(Bucket=s3_lake.bucket, Key=f"raw/{name}.csv", Body=name.encode())
    with counted(s3_lake) as asked:
        for _ in range(3):
            s3_lake.fetch_all(s3_lake.list("raw"))
    assert asked == {"ListObjectsV2": 3, "GetObject": 2}


def test_the_cache_keeps_within_its_limit(tmp_path: Path) -> None:
    cache = Cache(limit_bytes=100)

    def add(key: str, version: str, size: int) -> Name:
        (tmp_path / "file").write_bytes(b"x" * size)
        name = Name("s3://lake", key, version)
        cache.add(name, tmp_path / "file")
        return name

    old, new, other = add("a", "1", 40), add("a", "2", 40), add("b", "1", 40)
    cache.trim()
    assert [cache.find(name) is not None for name in (old, new, other)] == [False, True, True]
    cache.find(new)
    third = add("c", "1", 40)
    cache.trim()
    assert [cache.find(name) is not None for name in (new, other, third)] == [True, False, True]
    with cache.work() as folder:
        large = add("d", "1", 400)
        cache.trim()
        assert cache.find(large) and cache.find(new)
        assert folder.is_dir()
    assert not folder.exists()
    assert cache.size_bytes <= 100
    assert sum(path.stat().st_size for path in cache.folder.iterdir()) == cache.size_bytes
    assert cache.find(large) is None


def test_a_run_leaves_no_more_on_disk_than_the_cache_may_keep(bucket: str) -> None:
    cache = Cache(limit_bytes=10_000)
    lake = S3Lake(bucket, cache=cache)
    for number in range(4):
        run_one(lake, arrive(lake, f"raw/{number}.csv", hourly_rows(f"2026-01-0{1 + number}", hours=24)))
    assert 0 < cache.size_bytes <= 10_000
    assert not [path for path in cache.folder.iterdir() if path.is_dir()]


def test_requests_of_a_run(s3_lake: S3Lake) -> None:
    """Not one for each upload in the history, except for what has not been fetched before."""
    for number in range(4):
        key = arrive(s3_lake, f"raw/{number}.csv", hourly_rows(f"2026-01-0{1 + number}", hours=24))
        with counted(s3_lake) as asked:
            run_one(s3_lake, key)
        told_before = {"GetObject": 1} if number else {}
        assert asked == {"HeadObject": 2, "ListObjectsV2": 7, "PutObject": 14, "DeleteObject": 1} | told_before
    afresh = S3Lake(s3_lake.bucket, cache=Cache())
    with counted(afresh) as asked:
        run_one(afresh, key)
    assert asked == {"HeadObject": 2 + 5 + 5, "ListObjectsV2": 4, "GetObject": 1 + 4 + 4 + 1}


def test_requests_of_a_run_in_a_process_that_knows_nothing_yet(s3_lake: S3Lake) -> None:
    """Of a site with an index they do not grow with its history, whatever is fetched for the first time."""
    found = []
    with indexed_from_the_first():
        for number in range(6):
            key = arrive(s3_lake, f"raw/{number}.csv", hourly_rows(f"2026-01-0{1 + number}", hours=24))
            afresh = S3Lake(s3_lake.bucket, cache=Cache())
            with counted(afresh) as asked:
                run_one(afresh, key)
            found.append(asked)
    assert found[3] == found[4] == found[5]
    assert found[5]["GetObject"] <= 6


@pytest.mark.parametrize(
    ("variables", "uri", "sentence"),
    [
        ({}, "s3://absent-bucket", "There is no bucket s3://absent-bucket: check the name; energy deploy"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, None, "no AWS credentials for s3://"),
        ({"AWS_PROFILE": "absent"}, None, "The config profile (absent) could not be found: set AWS_PROFILE to one"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, None, "S3 cannot be reached for s3://"),
        ({"AWS_CA_BUNDLE": "/dev/null"}, None, "S3 cannot be reached for s3://"),
    ],
)
def test_what_a_user_can_run_into(
    bucket: str, tmp_path: Path, variables: dict[str, str], uri: str | None, sentence: str
) -> None:
    every = (["results"], ["run", str(SAMPLE)], ["query", "daily_trend"], ["clean", "--dry-run"])
    for arguments in every if uri else every[:1]:
        done = command(*arguments, "--lake", uri or f"s3://{bucket}", folder=tmp_path, variables=variables)
        assert sentence in told(done)


def test_a_user_without_rights(aws: Emulator, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may read but not list is told that access was denied also of an object that is not there."""
    iam = aws.client("iam")
    iam.create_user(UserName="reader")
    policy = f"""{{"Version": "2012-10-17", "Statement": {{
        "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{bucket}/*"}}}}"""
    iam.put_user_policy(UserName="reader", PolicyName="reads", PolicyDocument=policy)
    keys = iam.create_access_key(UserName="reader")["AccessKey"]
    lake = open_lake(f"s3://{bucket}")
    lake.write("raw/a.csv", b"x")
    for name, value in aws.environment(keys["AccessKeyId"], keys["SecretAccessKey"]).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    lake = open_lake(f"s3://{bucket}")
    assert lake.read("raw/a.csv") == b"x"
    with pytest.raises(LakeError, match=r"Access to s3://.* was denied: the AWS credentials in use lack the right"):
        lake.list("raw")
    with pytest.raises(LakeError, match=r"Access to raw/b\.csv in s3://.* was denied"):
        lake.write("raw/b.csv", b"")


def test_the_sdk_is_loaded_for_a_bucket_alone(tmp_path: Path) -> None:
    """Neither the help nor a run in a folder loads it."""
    (tmp_path / "a.csv").write_text(HEADER + ROWS)
    for arguments in ("['--help']", "['run', 'a.csv']"):
        program = (
            f"import sys; sys.argv[1:] = {arguments}\n"
            "from energy_analytics.cli import app\n"
            "try: app()\n"
            "except SystemExit: pass\n"
            "assert not {'boto3', 'botocore'} & set(sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment(), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_a_file_is_delivered_once(s3_lake: S3Lake, tmp_path: Path) -> None:
    file = tmp_path / "May 1+2.csv"
    file.write_text(HEADER + ROWS)
    now = datetime.now(UTC)
    first = deliver(s3_lake, file, site="plant", now=now)
    assert (first.key, first.sha256) == ("raw/plant/May 1+2.csv", file_digest(file))
    with counted(s3_lake) as asked:
        assert deliver(s3_lake, file, site="plant", now=now) == first
    assert asked == {"ListObjectsV2": 1}
    file.write_text(HEADER + ROWS.replace("1.0", "2.0"))
    second = deliver(s3_lake, file, site="plant", now=now)
    assert second.uploaded_at > first.uploaded_at
    assert s3_lake.read(second.key) == file.read_bytes()


def test_what_is_delivered_later_is_the_later_upload(s3_lake: S3Lake, tmp_path: Path) -> None:
    """Also within one second, and though its name comes first."""
    begun = time.monotonic()
    uploads = []
    for name, kwh in (("c", 1), ("b", 2), ("a", 3)):
        (tmp_path / f"{name}.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=24, kwh=kwh))
        uploads.append(deliver(s3_lake, tmp_path / f"{name}.csv", site="", now=datetime.now(UTC)))
    assert time.monotonic() - begun < 5
    assert [upload.uploaded_at for upload in uploads] == sorted({upload.uploaded_at for upload in uploads})
    for upload in reversed(uploads):
        run_one(s3_lake, upload.key)
    assert runs(s3_lake)[0]["results"]["total_kwh"] == 72


def rounded(row: tuple[object, ...]) -> tuple[object, ...]:
    """Return a row without the last digits of sums, which threads add up in any order."""
    return tuple(round(value, 6) if isinstance(value, float) else value for value in row)


def test_a_folder_and_a_bucket_hold_the_same(s3_lake: S3Lake, tmp_path: Path) -> None:
    """The same uploads at the same times: every file to the byte, forecasts to 1e-6.

    Only the bucket's own tag of an upload's content differs, in records and in what files of readings tell of
    themselves.
    """
    arrive(s3_lake, "raw/demo/a b.csv", ROWS)
    deliver(s3_lake, SAMPLE, site="demo", now=datetime.now(UTC))
    folder = LocalLake(tmp_path / "lake")
    for stored in s3_lake.list("raw"):
        with folder.work_folder() as work:
            (work / "copy").write_bytes(s3_lake.read(stored.key))
            folder.put(stored.key, work / "copy", modified=upload_time(stored))
        run_one(folder, stored.key)
        run_one(s3_lake, stored.key)
    ours, theirs = contents(folder), contents(s3_lake)
    assert ours.keys() == theirs.keys()
    for key, content in ours.items():
        if key.startswith("curated/readings/"):
            mine, other = (
                duckdb.sql(f"FROM read_parquet('{lake.fetch(key)}')").fetchall() for lake in (folder, s3_lake)
            )
            assert mine == other, key
            continue
        if not key.startswith("forecast/"):
            assert content == without_content_tags(theirs[key]), key
            continue
        pairs = zip(*(csv.DictReader(io.StringIO(one.decode())) for one in (content, theirs[key])), strict=True)
        for mine, other in pairs:
            for name in ("yhat", "yhat_lower", "yhat_upper"):
                assert float(mine[name]) == pytest.approx(float(other[name]), abs=1e-6)
    for name in (*named_queries(), "SELECT * FROM runs", "SELECT * FROM raw_readings ORDER BY ALL LIMIT 5"):
        mine, other = (query(lake, name, QUICK) for lake in (folder, s3_lake))
        assert mine.columns == other.columns
        assert [*map(rounded, mine.rows)] == [*map(rounded, other.rows)], name


def test_a_question_fetches_what_it_names(s3_lake: S3Lake) -> None:
    for number in range(3):
        run_one(s3_lake, arrive(s3_lake, f"raw/{number}.csv", hourly_rows(f"2026-01-0{1 + number}", hours=24)))
    afresh = S3Lake(s3_lake.bucket, cache=Cache())
    with counted(afresh) as asked:
        assert query(afresh, "SELECT sum(kwh) FROM daily", QUICK).rows == [(72,)]
    assert asked == {"ListObjectsV2": 1, "GetObject": 1}
    assert query(afresh, "SELECT sum(total_kwh), count(DISTINCT run) FROM processed", QUICK).rows == [(24 + 48 + 72, 3)]
    assert query(afresh, "SELECT sum(total_kwh) FROM latest_processed", QUICK).rows == [(72,)]
    assert query(afresh, "SELECT sum(kwh) FROM readings", QUICK).rows == [(72,)]
    assert query(afresh, "SELECT count(*) FROM runs WHERE status = 'succeeded'", QUICK).rows == [(3,)]


def test_several_processes_at_once(aws: Emulator, s3_lake: S3Lake, tmp_path: Path) -> None:
    """Two versions of one upload and two other uploads; all end, and the lake is as if each had come once."""
    processes = []
    for number, (name, kwh) in enumerate((("a", 1), ("b", 2), ("a", 3), ("c", 4))):
        file = tmp_path / str(number) / f"{name}.csv"
        file.parent.mkdir()
        file.write_text(HEADER + hourly_rows(f"2026-01-0{1 + number}", hours=48, kwh=kwh))
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "energy_analytics", "run", str(file), "--lake", s3_lake.uri],
                cwd=tmp_path,
                env=environment(ENERGY_THREADS="1"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        )
    for process in processes:
        said = process.communicate()[1]
        assert process.returncode == 0, said
    assert waiting_uploads(s3_lake) == []
    assert contents(s3_lake) == as_if_each_had_come_once(s3_lake)


def test_cleaning_a_bucket(aws: Emulator, s3_lake: S3Lake) -> None:
    run_one(s3_lake, arrive(s3_lake, "raw/a.csv", ROWS))
    aws.client("s3").put_object(Bucket=s3_lake.bucket, Key="reports/of my own.txt", Body=b"")
    remove(s3_lake, removable(s3_lake, keep_raw=True))
    assert list(contents(s3_lake)) == ["raw/a.csv", "reports/of my own.txt"]
    remove(s3_lake, removable(s3_lake, keep_raw=False))
    assert list(contents(s3_lake)) == ["reports/of my own.txt"]


def test_the_digest_of_a_replaced_upload_is_never_that_of_another(s3_lake: S3Lake) -> None:
    arrive(s3_lake, "raw/a.csv", ROWS)
    afresh = S3Lake(s3_lake.bucket, cache=Cache())
    upload = identify(afresh, afresh.describe("raw/a.csv"))
    arrive(s3_lake, "raw/a.csv", ROWS * 2)
    with pytest.raises(LakeError):
        _ = upload.sha256
