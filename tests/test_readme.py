"""What README shows is what happens."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = Path("data/sample/household_power_hourly.csv.gz")
STAMP = re.compile(r"\d{8}_\d{6}_(?=[0-9a-f]{8})")


def shown_output() -> str:
    found = re.search(r"<!-- output of: make demo -->\n```\n\$ make demo\n(.*?)```\n<!-- end -->", readme(), re.DOTALL)
    assert found, "README no longer shows the output of make demo"
    return found[1]


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_shows_the_real_output_of_make_demo(tmp_path: Path) -> None:
    """`make demo` is this command in the repository's folder; only the time of the upload may differ."""
    recipe = re.search(r"^demo:.*\n\t@\$\(BIN\)/(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe and recipe[1] == "energy run $(SAMPLE) --site demo"
    (tmp_path / SAMPLE).parent.mkdir(parents=True)
    shutil.copy(ROOT / SAMPLE, tmp_path / SAMPLE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ENERGY_")}
    run = subprocess.run(
        [sys.executable, "-m", "energy_analytics", "run", str(SAMPLE), "--site", "demo"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    printed = "\n".join(line.rstrip() for line in run.stdout.splitlines())
    assert STAMP.sub("<time>_", printed) == STAMP.sub("<time>_", shown_output().rstrip("\n"))


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md"):
        named = set(re.findall(r"`make ([a-z-]+)`", (ROOT / page).read_text(encoding="utf-8")))
        assert named <= targets, f"{page} names {named - targets}"


def test_every_path_in_the_architecture_exists() -> None:
    """The third column says where each file of the specification lives, unless it is not there yet."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = page.split("## Where the specification's files live")[1]
    rows = [line.split("|")[2] for line in table.splitlines() if line.startswith("| `")]
    assert len(rows) >= 15
    for cell in rows:
        if "not yet" not in cell:
            for path in re.findall(r"`([\w./-]+\.(?:py|toml|md|txt)|[\w./-]+/)`", cell):
                places = [ROOT / path, ROOT / "src/energy_analytics" / path]
                assert any(place.exists() for place in places), path


def test_the_python_in_readme_runs() -> None:
    """As a reader would run it, in the repository's folder; it prints seven days and the episodes of an appliance."""
    blocks = re.findall(r"```python\n(.*?)```", readme(), re.DOTALL)
    assert len(blocks) == 1
    sources = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-c", blocks[0]],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": sources},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "yhat_lower" in run.stdout
    assert "excess_kwh" in run.stdout


def test_the_commands_in_readme_run(tmp_path: Path) -> None:
    """Those for a person's own file, in order; `watch` never ends, so it is only asked for its help."""
    shutil.copy(ROOT / SAMPLE, tmp_path / "january.csv")
    shutil.copy(ROOT / SAMPLE, tmp_path / "february.csv")
    block = readme().split("## Your own file")[1].split("```bash")[1].split("```")[0]
    commands = [line.split("  #")[0].strip() for line in block.splitlines() if line.startswith("energy ")]
    assert len(commands) == 6
    sources = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    for command in commands:
        arguments = shlex.split(command)[1:]
        run = subprocess.run(
            [sys.executable, "-m", "energy_analytics", *(["watch", "--help"] if arguments == ["watch"] else arguments)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": sources, "BROWSER": "true %s", "ENERGY_MODEL": "moving_average"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, command + run.stderr
