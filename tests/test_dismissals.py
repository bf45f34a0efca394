"""`energy findings` and `energy dismiss`: what is told, and what stays away."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import drop, energy, run_key, state, told
from known_homes import fridge, oven, rows, television

from energy_analytics.cleanup import contents
from energy_analytics.dismissals import dismiss, dismissed, restore
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
