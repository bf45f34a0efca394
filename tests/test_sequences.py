"""Uploads in any order, again, corrected, forgotten and two at a time: the end depends on what is there at the end."""

import shutil
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from commands import drop, hourly_rows, run_key, state
from conserved import check_energy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lakes import QUICK, indexed_from_the_first
from zygote import Zygote, zygote

from energy_analytics.lake import LocalLake
from energy_analytics.pipeline import FailedRunError, forget
from energy_analytics.runs import waiting_uploads

CONTENTS = {
    "plain": hourly_rows("2026-01-01", hours=48),
    "overlapping": hourly_rows("2026-01-02", hours=48, kwh=2),
    "with a refused row": hourly_rows("2026-01-01", hours=24, kwh=3) + "2026-01-01 00:30:00,Oven,much\n",
    "another appliance": hourly_rows("2026-01-02", hours=24, kwh=0.1, appliance="Boiler"),
}
UNUSABLE = "2026-01-01 00:00:00,Oven,much\n"
KEYS = ("raw/a.csv", "raw/b.csv", "raw/bad.csv", "raw/north/a.csv")


@dataclass(frozen=True)
class Step:
    """Something that happens to an upload."""

    what: str
    """`come`, which replaces what is under the key, `again`, `forget`, or `remove`, which is done by hand."""
    key: str
    content: str


Act = tuple[Step, ...]
"""One step, or two by two processes at a time."""

steps = st.builds(
    Step,
    st.sampled_from(["come", "come", "come", "again", "forget", "remove"]),
    st.sampled_from(KEYS),
    st.sampled_from([*CONTENTS]),
)
one_by_one = st.lists(st.tuples(steps), min_size=2, max_size=7)
pairs = st.lists(st.one_of(st.tuples(steps, steps), st.tuples(steps)), min_size=2, max_size=5)
minutes = st.permutations(range(60))
"""When uploads came, as they tell: in another order than they do come."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Zygote, Zygote]]:
    with zygote(tmp_path_factory.mktemp("one")) as one, zygote(tmp_path_factory.mktemp("two")) as two:
        yield one, two


def put(root: Path, step: Step, minute: int) -> None:
    if step.what == "remove":
        (root / step.key).unlink(missing_ok=True)
    if step.what == "come":
        drop(root, step.key, UNUSABLE if "bad" in step.key else CONTENTS[step.content], minute=minute)


def alone(root: Path, act: Act) -> None:
    """Do a step in this process."""
    [step] = act
    if step.what == "forget":
        forget(LocalLake(root), step.key, QUICK)
    elif (root / step.key).exists():
        with suppress(FailedRunError):
            run_key(root, step.key)


def together(root: Path, act: Act, forks: tuple[Zygote, Zygote]) -> None:
    """Do steps at a time in processes of their own."""
    begun = []
    for step, fork in zip(act, forks, strict=False):
        if step.what == "forget" or (root / step.key).exists():
            asked = ["forget", step.key, "--yes"] if step.what == "forget" else ["run", root / step.key]
            fork.begin(*asked, folder=root.parent)
            begun.append(fork)
    for fork in begun:
        ended = fork.end()
        assert ended.code == 0 or ended.said.startswith("Error: "), ended.said
        assert "Traceback" not in ended.said


def as_is(root: Path, afresh: Path) -> dict[str, str]:
    """Run what is there, the earliest first, in another lake, and return what that holds."""
    afresh.mkdir()
    if (root / "raw").exists():
        shutil.copytree(root / "raw", afresh / "raw")
    for stored in waiting_uploads(LocalLake(afresh)):
        with suppress(FailedRunError):
            run_key(afresh, stored.key)
    return state(afresh, without=())


def holds(acts: list[Act], order: list[int], forks: tuple[Zygote, Zygote] | None, *, indexed: bool = False) -> None:
    with TemporaryDirectory() as name:
        root, moments = Path(name, "lake"), iter(order)
        root.mkdir()
        with indexed_from_the_first() if indexed else nullcontext():
            for act in acts:
                for step in act:
                    put(root, step, next(moments))
                if forks is None:
                    alone(root, act)
                else:
                    together(root, act, forks)
            for stored in waiting_uploads(LocalLake(root)):  # whose event came before them
                with suppress(FailedRunError):
                    run_key(root, stored.key)
            for key in {step.key for act in acts for step in act if step.what == "remove"}:
                if not (root / key).exists():  # The next run of its site would see that; there may be none.
                    forget(LocalLake(root), key, QUICK)
        assert state(root, without=()) == as_is(root, Path(name, "afresh"))
        check_energy(LocalLake(root))


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(one_by_one, minutes)
def test_any_sequence(acts: list[Act], order: list[int]) -> None:
    holds(acts, order, None)


@pytest.mark.slow
@settings(max_examples=6, suppress_health_check=[*HealthCheck])
@given(pairs, minutes)
def test_two_at_a_time(both: tuple[Zygote, Zygote], acts: list[Act], order: list[int]) -> None:
    holds(acts, order, both)


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(one_by_one, minutes)
def test_any_sequence_of_a_site_with_an_index(acts: list[Act], order: list[int]) -> None:
    """What is remembered of many uploads is remembered of few here: the end is that of lakes without it."""
    holds(acts, order, None, indexed=True)


@pytest.mark.long
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(one_by_one, minutes)
def test_many_sequences_of_a_site_with_an_index(acts: list[Act], order: list[int]) -> None:
    holds(acts, order, None, indexed=True)


@pytest.mark.long
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(one_by_one, minutes)
def test_many_sequences(acts: list[Act], order: list[int]) -> None:
    holds(acts, order, None)


@pytest.mark.long
@settings(max_examples=60, suppress_health_check=[*HealthCheck])
@given(pairs, minutes)
def test_many_two_at_a_time(both: tuple[Zygote, Zygote], acts: list[Act], order: list[int]) -> None:
    holds(acts, order, both)
