"""Every command that a document shows is run: here, in a folder of its own, or by a test that is named here."""

import ast
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from commands import ROOT, SAMPLE, environment

PAGES = ("README.md", "DEPLOYMENT_GUIDE.md", "ARCHITECTURE.md", "SECURITY.md", "docs/*.md", "docs/decisions/*.md")
STARTS = re.compile(r"(?:\.venv/bin/)?(?:energy|make|python|pip|curl|aws|source)\s|PYTHONPATH=")
NOT_COMMANDS = re.compile(r"\s{2,}.*|\s─.*|\s+#\s.*")
"""What a diagram or a comment has behind a command."""

HERE = {
    "python data/generate_data.py": "generate",
    "energy generate": "generate",
    "energy run FILE...": "run january.csv",
    "energy run FILE": "run january.csv",
    "energy run": "run january.csv",
    "energy run --json": "run january.csv --json",
    "energy run january.csv february.csv": "run january.csv february.csv",
    "energy upload FILE...": "upload january.csv",
    "energy upload": "upload january.csv",
    "python scripts/upload_data.py data/output/energy_data.csv": "upload data/output/energy_data.csv",
    "energy results": "results",
    "python scripts/check_results.py": "results",
    "energy report": "report",
    "energy report --open": "report --open",
    "energy report --site demo": "report --site demo",
    "energy query [SQL or NAME]": "query daily_trend",
    "energy query": "query daily_trend",
    "energy query daily_trend --format csv": "query daily_trend --format csv",
    "energy query --format csv": "query daily_trend --format csv",
    "energy query --list": "query --list",
    "python scripts/query_athena.py": "query daily_trend",
    "energy findings": "findings --site demo",
    "energy dismiss ID": "dismiss {finding}",
    "energy bill": "bill",
    "energy tariffs compare [FILE...]": "tariffs compare {tariff}",
    "energy tariffs compare": "tariffs compare {tariff}",
    "energy tariffs check FILE...": "tariffs check {tariff}",
    "energy backtest": "backtest --site demo",
    "energy backtest [FILE]": "backtest january.csv",
    "energy forget KEY": "forget raw/february.csv --yes",
    "energy forget": "forget january.csv --dry-run",
    "energy --help": "--help",
    "energy clean --dry-run": "clean --dry-run",
    "energy clean --keep-raw": "clean --keep-raw --yes",
    "energy clean": "clean --yes",
    "python scripts/cleanup.py": "clean --yes",
}
"""What is run here, in this order, in a lake with the sample as the site `demo`. A person is asked; here is `--yes`."""

ELSEWHERE = {
    "make demo": "test_readme.py::test_readme_shows_the_real_output_of_make_demo energy run",
    "energy watch": "test_watch.py::test_each_upload_once_whether_before_or_during_the_watch watch",
    "energy watch --jobs N": "test_crew.py::test_a_watch_of_many_sites_leaves_what_one_by_one_leaves watch",
    "energy run LINK": "test_hostile_lake.py symlink_to",
    "python tests/test_pipeline.py": (
        "aws/test_end_to_end.py::test_the_pipeline_script_passes_on_the_lake_that_was_deployed"
    ),
    "python infrastructure/deploy.py": (
        "aws/test_deploy.py::test_the_script_of_the_specification_is_the_same_command infrastructure/deploy.py"
    ),
    ".venv/bin/python -m tests.emulator --port 4566": (
        "test_emulator.py::test_by_hand_it_prints_what_to_export -m --port"
    ),
    "energy run year.csv --lake s3://BUCKET": "test_lake_s3.py::test_what_a_user_can_run_into run --lake s3://",
    "energy package": "aws/real_deployment.py package --out",
    "energy deploy": "aws/test_deploy.py::test_from_nothing_to_nothing",
    "energy deploy --dry-run": "aws/test_deploy.py::test_dry_run_leaves_no_trace --dry-run",
    "energy deploy --with-dashboard": "aws/test_dashboard_deploy.py::test_from_nothing_to_nothing --with-dashboard",
    "energy deploy --dry-run --with-dashboard": "aws/test_dashboard_deploy.py::test_from_nothing_to_nothing --dry-run",
    "energy deploy --without-dashboard": (
        "aws/test_dashboard_deploy.py::test_a_dashboard_stays_until_it_is_sent_away --without-dashboard"
    ),
    "energy upload january.csv --wait": "aws/test_end_to_end.py upload --wait",
    "energy upload data/output/energy_data.csv --wait": (
        "aws/test_end_to_end.py upload data/output/energy_data.csv --wait"
    ),
    "energy upload january.csv --site plant-a": "aws/test_operation.py upload --site",
    "energy query daily_trend": "aws/test_end_to_end.py::test_athena_answers_as_the_local_lake query",
    "energy logs": "aws/test_operation.py::test_upload_triggers_the_function_and_the_log_tells logs",
    "energy logs --follow": "aws/test_operation.py::test_the_log_is_followed_until_ctrl_c logs --follow",
    "energy logs --errors": "aws/test_operation.py::test_what_failed_is_shown_and_sent_again logs --errors",
    "energy logs --errors --since 7d": "aws/test_operation.py::test_what_failed_is_shown_and_sent_again --since 7d",
    "energy logs --dashboard": "aws/test_dashboard.py::test_what_fails_is_told_as_a_problem_and_logged --dashboard",
    "energy redrive": "aws/test_operation.py::test_what_failed_is_shown_and_sent_again redrive --yes",
    "energy redrive --dry-run": "aws/test_operation.py::test_what_failed_is_shown_and_sent_again redrive --dry-run",
    "PYTHONPATH=src:tests python -m fuzz --seconds 1800": "fuzz/__main__.py --seconds",
    "python benchmarks/aws_dashboard.py": "../benchmarks/aws_dashboard.py",
    "python benchmarks/web.py": "../benchmarks/web.py",
    "PYTHONPATH=src python -m benchmarks.quality_forecast --data DIR --left-out --rivals": (
        "../benchmarks/quality_forecast.py --data --left-out --rivals"
    ),
    "python -m benchmarks.quality_known_inputs --data DIR": "../benchmarks/quality_known_inputs.py --data",
    "python -m benchmarks.speed_forecast": "../benchmarks/speed_forecast.py",
}
"""What takes an account, a server or many minutes: the file, or the test in it, and what it must hold."""

SERVED = ("energy serve", "energy serve --open")
SET_UP = {
    "source .venv/bin/activate": "venv .venv ||",
    "pip install -r requirements.txt": "install -qq --disable-pip-version-check -r requirements.txt",
    "pip install --no-deps .": "--no-deps --editable .",
}
"""What `make install` does too, and how it says so."""
NOT_IN_THE_SDK = ("aws configure", "aws s3 cp", "aws logs tail")
"""Made by the AWS command line itself: nothing here knows them."""


def documented() -> Iterator[tuple[str, str]]:
    """Yield (page, command) of all fenced blocks and inline code."""
    for page in (path for pattern in PAGES for path in sorted(ROOT.glob(pattern))):
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^```(?:bash)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
        for line in [*(line for block in blocks for line in block.splitlines()), *inline]:
            command = line.strip().removeprefix("$ ")
            if STARTS.match(command):
                yield page.relative_to(ROOT).as_posix(), NOT_COMMANDS.sub("", command)


MEASURED = "python -m benchmarks.speed "
"""Written into the page of figures by what it measures; run with few rows by `test_speed.py`."""
COMMANDS = sorted({command for _, command in documented()})


def in_sql(command: str) -> bool:
    return command.startswith('energy query "')


def is_known(command: str) -> bool:
    """Tell whether a test below runs the command, or looks after it."""
    return (
        any(command in known for known in (HERE, ELSEWHERE, SERVED, SET_UP))
        or in_sql(command)
        or command.startswith(("curl ", "aws ", "make ", MEASURED))
    )


def test_no_document_shows_a_command_that_no_test_runs() -> None:
    unknown = {f"{page}: {command}" for page, command in documented() if not is_known(command)}
    assert not unknown, "run them in HERE, or name in ELSEWHERE the test that does"
    assert len(COMMANDS) > 60


def test_what_was_measured_can_be_measured_again() -> None:
    commands = [command for command in COMMANDS if command.startswith(MEASURED)]
    assert commands
    for command in commands:
        asked = [sys.executable, *shlex.split(command)[1:], "--list"]
        assert subprocess.run(asked, cwd=ROOT, capture_output=True, check=False).returncode == 0, command


def test_nothing_is_named_that_no_document_shows() -> None:
    assert {*ELSEWHERE, *SERVED, *SET_UP} <= set(COMMANDS)
    assert set(HERE) - set(COMMANDS) <= {"energy --help", "energy run FILE"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two months of readings and the sample in its lake, as a reader of README has it."""
    folder = tmp_path_factory.mktemp("reader")
    for name, first in (("january", "2026-01-31"), ("february", "2026-02-28")):
        done = run(folder, "generate", "--days", "28", "--end", first, "--out", f"{name}.csv")
        assert done.returncode == 0, done.stderr
    assert run(folder, "run", str(SAMPLE), "--site", "demo").returncode == 0
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "energy_analytics", *arguments],
        cwd=folder,
        env=environment(BROWSER="true %s"),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_the_commands_for_a_folder_run_as_they_are_shown(place: Path) -> None:
    """One after another, as a reader would; what a person is asked is answered with --yes."""
    asked = [shlex.split(command)[1:] for command in COMMANDS if in_sql(command)]
    already = set()
    finding = ""
    for arguments in HERE.values():
        if arguments in already:
            continue
        already.add(arguments)
        if "{finding}" in arguments:
            listed = run(place, "findings", "--site", "demo", "--json").stdout
            finding = re.findall(r'"id": "(\w+)"', listed)[0]
        filled = arguments.format(finding=finding, tariff=ROOT / "config" / "tariffs" / "france-base.toml")
        done = run(place, *shlex.split(filled))
        assert done.returncode == 0, f"energy {filled}: {done.stderr}"
        if arguments == "query --list":
            for words in asked:
                done = run(place, *words)
                assert done.returncode == 0, f"energy {words}: {done.stderr}"
    assert not (place / "lake").exists()


@pytest.mark.parametrize("command", ELSEWHERE)
def test_the_test_that_is_named_has_the_command(command: str) -> None:
    where, *needles = ELSEWHERE[command].split()
    path, _, name = where.partition("::")
    source = (ROOT / "tests" / path).read_text(encoding="utf-8")
    if name:
        functions = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
        assert name in functions, f"{path} has no {name}"
        used = [functions[name], *(functions[one.arg] for one in functions[name].args.args if one.arg in functions)]
        source = "\n".join(ast.get_source_segment(source, one) or "" for one in used)
    for needle in needles:
        assert needle in source, f"{where} has no {needle}"


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("make ")])
def test_make_knows_what_to_do(command: str) -> None:
    done = subprocess.run(
        ["make", "-n", *shlex.split(command)[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_is_set_up_by_hand_is_what_make_sets_up() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(VENV)", ".venv")
    for command, said in SET_UP.items():
        assert said in recipe, command


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("aws ")])
def test_what_is_shown_of_the_aws_command_line_is_in_the_sdk(command: str) -> None:
    if command.startswith(NOT_IN_THE_SDK):
        return
    _, service, operation, *options = shlex.split(command)
    model = botocore.session.get_session().get_service_model(service)
    name = "".join(part.capitalize() for part in operation.split("-"))
    members = {member.casefold() for member in model.operation_model(name).input_shape.members}
    for option in options:
        if option.startswith("--"):
            assert option.removeprefix("--").replace("-", "").casefold() in members, option


@pytest.mark.slow
def test_the_server_starts_and_answers_what_readme_asks(place: Path) -> None:
    (place / "lake").mkdir(exist_ok=True)
    assert run(place, "run", str(SAMPLE), "--site", "demo").returncode == 0
    server = subprocess.Popen(
        [sys.executable, "-m", "energy_analytics", "serve", "--open", "--port", "0"],
        cwd=place,
        env=environment(BROWSER="true %s"),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        assert server.stdout is not None
        address = re.findall(r"http://\S+", server.stdout.readline())[0].rstrip("/")
        curls = [shlex.split(command) for command in COMMANDS if command.startswith("curl ")]
        assert len(curls) == 3
        for _, *options, url in curls:
            made = urllib.request.Request(url.replace("http://127.0.0.1:8000", address))  # noqa: S310
            if options[:1] == ["-H"]:
                made.add_header(*map(str.strip, options[1].split(":", 1)))
            elif options[:1] == ["--data-binary"]:
                made.data = (place / options[1].removeprefix("@")).read_bytes()
                made.add_header("Content-Type", "application/x-www-form-urlencoded")  # as curl does
            with urllib.request.urlopen(made, timeout=60) as answer:  # noqa: S310
                assert answer.status in (200, 201, 202), url
                assert answer.read()
    finally:
        os.kill(server.pid, signal.SIGINT)
        server.communicate(timeout=60)
    assert server.returncode == 130
