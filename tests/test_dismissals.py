"""`energy findings` and `energy dismiss`: what is told, and what stays away."""

import json
import random
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from commands import drop, energy, run_key, state, told
from known_homes import START, fridge, oven, rows, steady, television

from energy_analytics.cleanup import contents
from energy_analytics.dismissals import dismiss, dismiss_episode, dismissed, is_unwanted, restore
from energy_analytics.lake import Lake, LocalLake
from energy_analytics.results import Finding

ABOVE = "typical refrigerator"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose lake has a run of two sites; tests only look at it."""
    folder = tmp_path_factory.mktemp("shown")
    home = rows({"TV": television, "Old fridge": fridge(692), "Oven": oven}, days=42)
    for key in ("raw/home.csv", "raw/plant/home.csv"):
        run_key(folder / "lake", drop(folder / "lake", key, home))
    return folder


@pytest.fixture
def own(shown: Path, tmp_path: Path) -> Path:
    """A folder with a copy of that lake, to be changed."""
    shutil.copytree(shown / "lake", tmp_path / "lake")
    return tmp_path


def listed(folder: Path, *options: str) -> list[dict[str, Any]]:
    done = energy("findings", "--json", *options, folder=folder)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def above(folder: Path, *options: str) -> list[dict[str, Any]]:
    return [row for row in listed(folder, *options) if row["kind"] == "above_class"]


def report(folder: Path) -> str:
    """Run the upload of the root site again, and return its report."""
    run_key(folder / "lake", "raw/home.csv")
    return energy("report", folder=folder).stdout


def test_findings_are_listed_with_id_saving_and_words(shown: Path) -> None:
    done = energy("findings", "--site", "plant", folder=shown)
    assert done.returncode == 0, done.stderr
    (row,) = above(shown, "--site", "plant")
    assert row["id"] in done.stdout
    assert ABOVE in " ".join(done.stdout.split())
    assert row["saving"]["kwh"]["low"] < row["saving"]["kwh"]["value"] < row["saving"]["kwh"]["high"]
    answer = energy("query", row["evidence"], "--format", "json", folder=shown)
    assert json.loads(answer.stdout)[0]["kwh_per_year"] == pytest.approx(row["figures"]["kwh_per_year"])


@pytest.mark.slow
def test_what_is_dismissed_stays_away_until_it_is_brought_back(own: Path) -> None:
    before = state(own / "lake", without=("raw", "curated"))
    (row,) = above(own, "--site", "")
    done = energy("dismiss", row["id"], "--site", "", folder=own)
    assert done.returncode == 0, done.stderr
    assert not above(own, "--site", "")
    assert above(own, "--site", "", "--all")[0]["dismissed"]
    assert above(own, "--site", "plant"), "the other site has not dismissed it"
    assert state(own / "lake", without=("raw", "curated")) == before, "no report that is there changes"

    with_it = report(own)
    assert ABOVE not in with_it
    (run,) = (own / "lake" / "runs").glob("*.json")
    assert any(one["kind"] == "above_class" for one in json.loads(run.read_text())["results"]["findings"])

    assert energy("dismiss", row["id"], "--undo", "--site", "", folder=own).returncode == 0
    assert ABOVE in " ".join(report(own).split())
    assert state(own / "lake", without=("raw", "curated")) == before, "the same upload writes the same bytes"


def test_an_id_of_two_sites_asks_which(own: Path) -> None:
    (row,) = above(own, "--site", "plant")
    assert "plant" in told(energy("dismiss", row["id"], folder=own))
    assert "energy findings --all" in told(energy("dismiss", "00000000", folder=own))
    assert "energy findings --all" in told(energy("dismiss", "../x", folder=own))


def test_cleaning_takes_dismissals_only_with_the_uploads(own: Path) -> None:
    (row,) = above(own, "--site", "plant")
    energy("dismiss", row["id"], "--site", "plant", folder=own)
    key = f"curated/dismissed/plant/{row['id']}.json"
    lake = LocalLake(own / "lake")
    assert key in [stored.key for stored in contents(lake, keep_raw=False)]
    assert key not in [stored.key for stored in contents(lake, keep_raw=True)]
    assert energy("query", "SELECT count(*) FROM episodes", folder=own).returncode == 0


def test_a_lake_of_either_kind_keeps_dismissals_apart_by_site(lake: Lake) -> None:
    finding = Finding("standby", "TV", {})
    for site in ("", "plant", "plant/north"):
        assert dismissed(lake, site) == frozenset()
    dismiss(lake, "plant", finding)
    dismiss(lake, "plant", finding)
    assert dismissed(lake, "plant") == {finding.id}
    assert dismissed(lake, "") == dismissed(lake, "plant/north") == frozenset()
    restore(lake, "plant", finding.id)
    restore(lake, "plant", finding.id)
    assert dismissed(lake, "plant") == frozenset()


def test_a_lake_of_either_kind_keeps_dismissed_episodes(lake: Lake) -> None:
    row = {"id": "0123456789ab", "start": START, "end": START, "appliance": "TV", "kind": "dead", "excess_kwh": -1.0}
    dismiss_episode(lake, "plant", row)
    assert dismissed(lake, "plant") == {"0123456789ab"}
    stored = json.loads(lake.read("curated/dismissed/plant/0123456789ab.json"))
    assert stored == {name: str(row[name]) for name in ("id", "start", "end", "appliance", "kind")}
    assert is_unwanted(dismissed(lake, "plant"), {"id": "00000000", "about": "0123456789ab"})
    assert not is_unwanted(dismissed(lake, "plant"), {"id": "00000000", "about": ""})
    restore(lake, "plant", "00000000", "0123456789ab")
    assert dismissed(lake, "plant") == frozenset()


@pytest.fixture
def heated(tmp_path: Path) -> Path:
    """A folder whose lake has a run of a heater that takes ten times its use for three days in winter."""

    def heater(moment: datetime, rng: random.Random) -> float:
        days = (moment - START).days
        return steady(2.0 if 30 <= days < 33 else 0.2)(moment, rng)

    run_key(tmp_path / "lake", drop(tmp_path / "lake", "raw/home.csv", rows({"Heater": heater}, days=42)))
    return tmp_path


@pytest.mark.slow
def test_a_dismissed_episode_is_data_that_is_not_told(heated: Path) -> None:
    def told_of_heater() -> list[dict[str, Any]]:
        return [row for row in listed(heated) if row["kind"] == "episode"]

    before = state(heated / "lake", without=("raw",))
    (finding,) = told_of_heater()
    done = energy("dismiss", finding["about"], folder=heated)
    assert done.returncode == 0, done.stderr
    assert not told_of_heater()
    assert energy("findings", folder=heated).returncode == 0

    run_key(heated / "lake", "raw/home.csv")
    (path,) = (heated / "lake" / "runs").glob("*.json")
    manifest = json.loads(path.read_text())
    assert manifest["dismissed"] == [finding["about"]]
    assert finding["about"] in [one["id"] for one in manifest["results"]["episodes"]]
    assert finding["id"] in [one["id"] for one in manifest["results"]["findings"]]
    rows_there = energy("query", "SELECT id FROM episodes", "--format", "json", folder=heated).stdout
    assert finding["about"] in rows_there
    shown = " ".join(energy("report", folder=heated).stdout.split())
    assert "have dismissed 1" in shown
    assert "more than usual" not in shown

    done = energy("dismiss", finding["id"], "--undo", folder=heated)
    assert done.returncode == 0, done.stderr
    assert told_of_heater() == [finding]
    run_key(heated / "lake", "raw/home.csv")
    assert state(heated / "lake", without=("raw",)) == before, "the same upload writes the same bytes"
