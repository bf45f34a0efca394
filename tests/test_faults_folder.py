"""A lake in a folder when something goes wrong at any step of a command: nothing is lost, and the next one mends it."""

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import HEADER, hourly_rows, state
from zygote import ALL, KILL, ONCE, Ended, Zygote, at_step, zygote

from energy_analytics.lake import LocalLake
from energy_analytics.runs import runs

pytestmark = pytest.mark.slow

AT = 1_770_000_000
MANY_STEPS = 80
BAD_ROW = "2026-01-01 00:30:00,Oven,much\n"
FILES = {
    "a": hourly_rows("2026-01-01", hours=48) + BAD_ROW,
    "b": hourly_rows("2026-01-02", hours=48, kwh=2),
    "a2": hourly_rows("2026-01-01", hours=48, kwh=3),
    "unusable": "when it was,hm\n",
}
ERRORS = {"ENOSPC": "No space left on device", "EACCES": "Permission denied", "EROFS": "Read-only file system"}


@dataclass(frozen=True)
class Case:
    """What was there before, and the command that goes wrong."""

    before: tuple[str, ...]
    """Files that were run, by name."""
    file: str
    """The file that the command is about."""
    command: tuple[str, ...] = ("run",)
    landed: tuple[tuple[str, str], ...] = ()
    """Keys and files that lie under `raw/` by then, of which nobody has heard."""


FORGET = ("forget", "--yes")
WATCH = ("watch",)
CASES = {
    "first upload": Case((), "a"),
    "second upload": Case(("a",), "b"),
    "correction": Case(("a", "b"), "a2"),
    "correction that cannot be used": Case(("a", "b"), "unusable"),
    "forgotten between": Case(("a", "b"), "a", FORGET),
    "newest forgotten": Case(("a", "b"), "b", FORGET),
    "the only one forgotten": Case(("a",), "a", FORGET),
    "watched": Case(("a", "b"), "", WATCH, (("a.csv", "a2"), ("n/a.csv", "a"), ("n/b.csv", "unusable"))),
}


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with zygote(tmp_path_factory.mktemp("said")) as forking:
        yield forking


@dataclass(frozen=True)
class Tried:
    """A folder with a lake, as it was before the command, and what the command makes of it when undisturbed."""

    folder: Path
    arguments: tuple[str, ...]
    forks: Zygote
    before: dict[str, str]
    after: dict[str, str]
    undisturbed: Ended

    def copy(self, to: Path) -> Path:
        shutil.rmtree(to, ignore_errors=True)
        return Path(shutil.copytree(self.folder, to))

    @property
    def steps(self) -> Iterable[int]:
        """The steps to be tried: each, or of a long command every third, at which another fault may then be due."""
        every = self.undisturbed.steps <= MANY_STEPS or bool(os.environ.get(ALL))
        return range(1, self.undisturbed.steps + 1, 1 if every else 3)

    def run(self, folder: Path, *, fault: str = "") -> Ended:
        return self.forks.run(*self.arguments, folder=folder, root=folder / "lake", fault=fault)

    def no_half_file(self, lake: Path) -> None:
        """Each file is whole: as it was before, or one that the undisturbed command puts there at some time."""
        whole = self.undisturbed.put | set(self.before.items())
        assert {one for one in state(lake, without=()).items() if one not in whole} == set()
        found = LocalLake(lake)
        for manifest in runs(found):
            if manifest["status"] == "succeeded":
                assert all((lake / key).is_file() for key in manifest["outputs"].values())

    def mended(self, folder: Path) -> None:
        """The same command again ends in the lake of the undisturbed one, and leaves no work."""
        again = self.run(folder)
        assert state(folder / "lake", without=()) == self.after
        if self.arguments == WATCH:
            return  # It says what it does itself; what is left of the other's work, the next run removes.
        if self.arguments[0] == "forget" and "nothing that came of it" in again.said:
            return  # It was all done; what is left of its work, the next run removes.
        assert (again.code, again.said) == (self.undisturbed.code, self.undisturbed.said)
        assert list((folder / "lake" / ".work").iterdir()) == []


def tried(case: Case, folder: Path, forks: Zygote) -> Tried:
    folder.mkdir()
    (folder / "lake").mkdir()
    for number, name in enumerate((*case.before, *([case.file] if case.command == ("run",) else []))):
        path = folder / f"{name[0]}.csv"
        path.write_text(HEADER + FILES[name])
        os.utime(path, (AT + 60 * number,) * 2)
        if number < len(case.before):
            assert forks.run("run", path.name, folder=folder).code == 0
    if case.file == "unusable":
        path = path.rename(folder / "a.csv")
    if case.command == FORGET:
        path = folder / f"{case.file}.csv"
    for number, (key, name) in enumerate(case.landed):
        landed = folder / "lake" / "raw" / key
        landed.parent.mkdir(exist_ok=True)
        landed.write_text(HEADER + FILES[name])
        os.utime(landed, (AT + 300 + 60 * number,) * 2)
    shutil.copytree(folder, folder.with_name("undisturbed"))
    before = state(folder / "lake", without=())
    arguments = case.command if case.command == WATCH else (*case.command, path.name)
    whole = forks.run(*arguments, folder=folder.with_name("undisturbed"), root=folder.with_name("undisturbed") / "lake")
    after = state(folder.with_name("undisturbed") / "lake", without=())
    return Tried(folder, arguments, forks, before, after, whole)


@pytest.fixture(params=[pytest.param(name, id=name.replace(" ", "-")) for name in CASES])
def of(request: pytest.FixtureRequest, forks: Zygote, tmp_path: Path) -> Tried:
    return tried(CASES[request.param], tmp_path / "before", forks)


def test_killed_at_every_step(of: Tried, tmp_path: Path) -> None:
    assert of.undisturbed.steps > 10
    for n in of.steps:
        folder = of.copy(tmp_path / "work")
        assert of.run(folder, fault=f"{KILL} {n}").code == -9, n
        of.no_half_file(folder / "lake")
        of.mended(folder)


@pytest.mark.long
@pytest.mark.parametrize("once", ["", ONCE], ids=["from then on", "once"])
def test_refused_at_every_step(of: Tried, tmp_path: Path, once: str) -> None:
    """Whatever is refused, the command says so in a sentence, unless it was nothing that mattered."""
    failed = 0
    for n, kind in ((step, kind) for number, step in enumerate(of.steps) for kind in at_step(number, ERRORS)):
        folder = of.copy(tmp_path / "work")
        ended = of.run(folder, fault=f"{kind} {n} {once}")
        if of.arguments == WATCH and ended.code == 0:
            failed += ERRORS[kind] in " ".join(ended.said.split())
            assert not once or state(folder / "lake", without=()) == of.after, ended.said  # It has tried again.
        elif ended.code != of.undisturbed.code or ended.said != of.undisturbed.said:
            failed += 1
            assert ended.code == 1, ended.said
            assert ended.said.startswith("Error: "), ended.said
            assert ERRORS[kind] in ended.said.replace("\n", " ")
            assert ended.said.count("\n") == 1
        of.no_half_file(folder / "lake")
        of.mended(folder)
    assert failed > 5


@pytest.mark.parametrize("then", ["corrected", "forgotten"])
def test_killed_at_every_step_and_not_run_again(forks: Zygote, tmp_path: Path, then: str) -> None:
    """What the process left under the stamp of an upload that is not there any more is known to who comes next."""
    of = tried(CASES["second upload"], tmp_path / "before", forks)

    def correct(folder: Path) -> None:
        path = folder / "b.csv"
        path.write_text(HEADER + hourly_rows("2026-01-02", hours=48, kwh=5))
        os.utime(path, (AT + 600,) * 2)
        assert forks.run("run", path.name, folder=folder).code == 0

    expected = of.copy(tmp_path / "expected")
    if then == "corrected":
        correct(expected)
    for n in range(1, of.undisturbed.steps + 1):
        folder = of.copy(tmp_path / "work")
        of.run(folder, fault=f"{KILL} {n}")
        if then == "corrected":
            correct(folder)
        else:
            forks.run("forget", "b.csv", "--yes", folder=folder)
        assert state(folder / "lake", without=()) == state(expected / "lake", without=()), n


def test_a_few_steps_of_each_case(of: Tried, tmp_path: Path) -> None:
    """Quick: all of them above."""
    faults = (KILL, "ENOSPC", KILL, "EROFS", KILL)
    for number, fault in enumerate(faults[:2] if of.arguments == WATCH else faults):
        n = 1 + number * (of.undisturbed.steps - 1) // 4
        folder = of.copy(tmp_path / "work")
        ended = of.run(folder, fault=f"{fault} {n}")
        assert ended.code == -9 if fault == KILL else "Traceback" not in ended.said
        of.no_half_file(folder / "lake")
        of.mended(folder)
