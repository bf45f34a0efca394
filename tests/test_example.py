"""The example reports in `docs/examples` are what a run gives."""

import runpy

from commands import ROOT


def test_the_committed_reports_are_those_of_a_run() -> None:
    folder = ROOT / "docs" / "examples"
    for name, content in runpy.run_path(str(folder / "write.py"))["reports"]().items():
        assert (folder / name).read_bytes() == content, f"docs/examples/{name} is of another version: make example"
