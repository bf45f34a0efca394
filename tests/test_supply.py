"""What the project is made of: each dependency pinned with its hashes, under a licence that allows its use."""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = (".", "lambda", "infrastructure", "benchmarks", "benchmarks/speed")
PINNED = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in FOLDERS
    for path in (ROOT / folder).glob("r*.txt")
    if path.name.startswith("requirements") or path.name == "rivals.txt"
)
ALLOWS = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Mozilla Public License 2|MPL-2\.0|Zlib|0BSD|CC0|HPND|Unlicense"
)
FORBIDS = re.compile(r"(?<!L)GPL|Affero|Commercial|Proprietary", re.IGNORECASE)


def pins(name: str) -> list[str]:
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_every_list_of_requirements_is_looked_at() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("requirements*.txt")
        if not any(part.startswith(".") or part in ("build", "dist") for part in path.relative_to(ROOT).parts)
    }
    assert found == set(PINNED) - {"benchmarks/speed/rivals.txt"}
    assert len(PINNED) == 8


@pytest.mark.parametrize("name", PINNED)
def test_each_dependency_has_one_version_and_its_hashes(name: str) -> None:
    assert pins(name)
    for line in pins(name):
        assert re.match(r"^[a-z0-9][a-z0-9.\-]*(\[[a-z0-9,\-]+\])?==[0-9][\w.+!]*( |$)", line), line[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}( |$)", line), line[:80]
        assert "://" not in line


def test_make_audits_all_of_them() -> None:
    audited = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ").partition("AUDITED := ")[2].partition("\n")[0]
    assert sorted(audited.split()) == PINNED


def test_licences_of_what_is_installed_allow_its_use() -> None:
    seen = 0
    for line in pins("requirements.txt"):
        name = line.partition("==")[0].partition("[")[0]
        try:
            told = metadata(name)
        except PackageNotFoundError:  # For another system.
            continue
        licences = [one for one in told.get_all("Classifier", []) if one.startswith("License ::")]
        said = told.get("License-Expression") or " ".join(licences) or told.get("License", "")
        assert ALLOWS.search(said) and not FORBIDS.search(said), f"{name}: {said[:200]}"
        seen += 1
    assert seen > 30
