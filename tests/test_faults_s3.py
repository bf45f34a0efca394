"""A lake in a bucket when something goes wrong at any request of a run: nothing is lost, and the next run mends it."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from commands import HEADER, hourly_rows
from emulator import Emulator
from faulty_s3 import ANSWERS, CUTS, KILLS, Proxy, proxy
from lakes import contents, run_one
from zygote import Ended, Zygote, at_step, zygote

from energy_analytics.lake.s3 import S3Lake
from energy_analytics.runs import runs
from energy_analytics.schema import RAW, RUNS

pytestmark = pytest.mark.slow

FILES = {
    "a": HEADER + hourly_rows("2026-01-01", hours=48) + "2026-01-01 00:30:00,Oven,much\n",
    "b": HEADER + hourly_rows("2026-01-02", hours=48, kwh=2),
    "a2": HEADER + hourly_rows("2026-01-01", hours=48, kwh=3),
}


@dataclass(frozen=True)
class Case:
    """What was there before, and the command that goes wrong."""

    before: tuple[str, ...]
    file: str
    command: tuple[str, ...] = ("run",)


FORGET = ("forget", "--yes")
CASES = {
    "first upload": Case((), "a"),
    "second upload": Case(("a",), "b"),
    "correction": Case(("a", "b"), "a2"),
    "forgotten between": Case(("a", "b"), "a", FORGET),
    "the only one forgotten": Case(("a",), "a", FORGET),
}
TOLD = {
    "500": "S3 failed (",
    "503": "S3 asks for fewer requests (",
    "403": "was denied: the AWS credentials in use lack the right to it",
} | dict.fromkeys(CUTS, "or the connection was cut: check the network")
"""What the message says of a fault that lasts."""


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with zygote(tmp_path_factory.mktemp("said")) as forking:
        yield forking


@dataclass
class Tried:
    """A bucket whose uploads are all there and of which the last is to be run, and what that makes of it."""

    lake: S3Lake
    way: Proxy
    file: Path
    begin: Callable[[], int]
    end: Callable[[], Ended]
    before: dict[str, bytes]
    after: dict[str, bytes]
    uploads: dict[str, bytes] = field(default_factory=dict)
    """What the command removes from `raw/`."""
    forgets: bool = False
    requests: int = 0

    def restore(self) -> None:
        """Bring the lake back to what it was."""
        there, before = contents(self.lake), self.before | self.uploads
        self.lake.delete(*(key for key in there if key not in before and not key.startswith(RAW)))
        for key, content in before.items():
            if there.get(key) != content:
                self.lake.write(key, content)

    def run(self, kind: str = "", at: int = 0, *, lasting: bool = False) -> Ended:
        self.way.set(kind, at, lasting=lasting)
        self.way.process = self.begin()
        return self.end()

    def no_half_file(self) -> None:
        """What is visible of the results is that of before or that of the end, and no run counts without them."""
        for key, content in contents(self.lake, without=(RAW, RUNS)).items():
            assert content in (self.before.get(key), self.after.get(key)), key

    def tried(self, kind: str, at: int, *, lasting: bool = False) -> Ended:
        """Run with a fault, look at what is visible, and run again without."""
        self.restore()
        ended = self.run(kind, at, lasting=lasting)
        for manifest in runs(self.lake):
            for key in manifest["outputs"].values():
                assert self.lake.describe(key).size_bytes > 0, (kind, at, key)
        if lasting and ended.code:
            assert ended.code == 1
            assert ended.said.startswith("Error: "), ended.said
            assert ended.said.count("\n") == 1, ended.said
            assert TOLD[kind] in ended.said, (at, kind, ended.said)
        self.no_half_file()
        again = self.run()
        if not self.forgets or "nothing that came of it" not in again.said:  # It was all done before the fault.
            assert (again.code, again.said) == (0, "")
        assert contents(self.lake, without=(RAW,)) == self.after, (kind, at)
        return ended


@pytest.fixture(params=[pytest.param(name, id=name.replace(" ", "-")) for name in CASES])
def of(
    request: pytest.FixtureRequest, aws: Emulator, s3_lake: S3Lake, forks: Zygote, tmp_path: Path
) -> Iterator[Tried]:
    case = CASES[request.param]
    before, last, forgets = case.before, case.file, case.command == FORGET
    file = tmp_path / f"{last[0]}.csv"
    for name in (*before, *(() if forgets else (last,))):
        s3_lake.write(f"raw/{name[0]}.csv", FILES[name].encode())
        if name in before:
            run_one(s3_lake, f"raw/{name[0]}.csv")
        time.sleep(1.1)  # The bucket tells whole seconds.
    file.write_text(FILES[last])
    with proxy(aws) as way:
        variables = aws.environment() | {"AWS_ENDPOINT_URL": way.endpoint}
        one = Tried(
            s3_lake,
            way,
            file,
            lambda: forks.begin(*case.command, file.name, "--lake", s3_lake.uri, folder=tmp_path, variables=variables),
            forks.end,
            contents(s3_lake, without=(RAW,)),
            {},
            {f"raw/{file.name}": FILES[last].encode()} if forgets else {},
            forgets,
        )
        ended = one.run()
        assert ended.code == 0, ended.said
        one.after, one.requests = contents(s3_lake, without=(RAW,)), way.count
        yield one


def every_request(of: Tried, kinds: Iterable[str]) -> Iterator[tuple[int, str]]:
    for at in range(1, of.requests + 1):
        for kind in at_step(at, kinds):
            yield at, kind


@pytest.mark.long
def test_killed_at_every_request(of: Tried) -> None:
    for at, kind in every_request(of, KILLS):
        of.tried(kind, at)


@pytest.mark.long
def test_a_single_fault_is_not_noticed(of: Tried) -> None:
    for at, kind in every_request(of, ["500", "503", *CUTS]):
        ended = of.tried(kind, at)
        assert (ended.code, ended.said) == (0, ""), (at, kind)


@pytest.mark.long
def test_a_lasting_fault_is_told_in_a_sentence(of: Tried) -> None:
    failed = set()
    for at, kind in every_request(of, [*ANSWERS, *CUTS]):
        if of.tried(kind, at, lasting=True).code:
            failed.add(kind)
    assert failed >= set(ANSWERS)


def test_a_request_of_each_kind_of_fault(of: Tried) -> None:
    """Quick: a few requests of each case; all of them above."""
    for number, kind in enumerate((*KILLS, *ANSWERS, *CUTS)):
        of.tried(kind, 2 + number * (of.requests - 3) // 8, lasting=kind not in KILLS and number % 2 == 0)
