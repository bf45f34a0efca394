"""The command line as a person meets it: help, messages, scripts, and the terminal."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import HEADER, ROOT, drop, energy, environment, hourly_rows, run_key, state, told

COMMANDS = (
    "run",
    "upload",
    "watch",
    "results",
    "query",
    "report",
    "findings",
    "dismiss",
    "generate",
    "backtest",
    "deploy",
    "package",
    "logs",
    "redrive",
    "clean",
)
HEAVY = ("boto3", "botocore", "duckdb", "numpy", "pandas", "pydantic", "yaml")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose lake has one run; tests only look at it."""
    folder = tmp_path_factory.mktemp("shown")
    run_key(folder / "lake", drop(folder / "lake", "raw/a.csv", hourly_rows("2026-01-01", hours=48)))
    return folder


@pytest.fixture
def own(shown: Path, tmp_path: Path) -> Path:
    """A folder with a copy of that lake, to be changed."""
    shutil.copytree(shown / "lake", tmp_path / "lake")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str, tmp_path: Path) -> None:
    done = energy(command, "--help", folder=tmp_path)
    assert done.returncode == 0
    assert f"Example: energy {command}" in done.stdout
    assert "bool" not in done.stdout, "a flag takes no value"


def test_help_lists_the_commands_and_loads_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys; sys.argv = ['energy', '--help']\nfrom energy_analytics.cli import main\n"
    code += "try: main()\nexcept SystemExit: pass\n"
    code += f"print('loaded', [name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, encoding="utf-8", check=True
    )
    assert all(command in done.stdout for command in COMMANDS)
    assert done.stdout.endswith("loaded []\n")


def test_the_list_of_commands_is_not_cut_off(tmp_path: Path) -> None:
    for arguments in ([], ["tariffs"]):
        listed = energy(*arguments, "--help", folder=tmp_path).stdout.partition("Commands:")[2]
        assert listed and "..." not in listed


def test_a_wrong_use_is_told_like_any_other_error(tmp_path: Path) -> None:
    done = energy("run", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith("\nError: Missing argument 'FILE'.\n")


def test_version(tmp_path: Path) -> None:
    from energy_analytics import __version__

    assert energy("--version", folder=tmp_path).stdout == f"energy {__version__}\n"


def script(name: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    variables = environment(ENERGY_LAKE=str(folder / "lake"))
    variables["PYTHONPATH"] = ""
    return subprocess.run(
        [sys.executable, str(ROOT / name), *arguments],
        cwd=folder,
        env=variables,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_the_commands_of_the_spec(tmp_path: Path) -> None:
    made = script("data/generate_data.py", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("data/output/energy_data.csv: 2,880 readings of 30 days up to ")
    ran = script("scripts/upload_data.py", "data/output/energy_data.csv", folder=tmp_path)
    assert "2,880 of 2,880 rows used" in ran.stdout, ran.stderr
    assert "succeeded" in script("scripts/check_results.py", folder=tmp_path).stdout
    assert "30 rows" in script("scripts/query_athena.py", "daily_trend", folder=tmp_path).stdout
    refused = script("scripts/cleanup.py", folder=tmp_path)
    assert refused.returncode == 1
    assert script("scripts/cleanup.py", "--yes", folder=tmp_path).returncode == 0
    assert not (tmp_path / "lake").exists()


def test_results_and_waiting(own: Path) -> None:
    done = energy("results", folder=own)
    assert "a.csv" in done.stdout
    assert "succeeded" in done.stdout
    assert energy("results", "--wait", folder=own).returncode == 0
    drop(own / "lake", "raw/new.csv", hourly_rows("2026-01-03", hours=24), minute=5)
    waited = energy("results", "--wait", "--timeout", "0.3", folder=own)
    assert "Waiting   raw/new.csv" in waited.stdout
    assert told(waited) == "After 0.3 s 1 upload still had no run; energy watch runs what waits."


def test_waiting_for_a_run_that_fails(own: Path) -> None:
    (own / "bad.csv").write_text("when,what\n1,2\n")
    assert "bad.csv" in told(energy("run", "bad.csv", folder=own))
    waited = energy("results", "--wait", folder=own)
    assert waited.returncode == 1
    assert "The newest run failed: bad.csv" in waited.stdout


def test_results_of_an_empty_lake(tmp_path: Path) -> None:
    done = energy("results", folder=tmp_path)
    assert done.stdout == "The lake ./lake holds no run yet. Start with: energy run FILE\n"
    assert list(tmp_path.iterdir()) == []


def test_report(shown: Path) -> None:
    [report] = (shown / "lake" / "reports").glob("*.txt")
    done = energy("report", folder=shown)
    assert done.stdout == report.read_text("utf-8")
    ascii_only = energy("report", folder=shown, variables={"PYTHONIOENCODING": "ascii"})
    assert ascii_only.returncode == 0, ascii_only.stderr
    missing = told(energy("report", "--site", "plant", folder=shown))
    assert missing.endswith("has no report of plant. Sites that have: the root site (no --site).")


def test_report_opens_the_page(shown: Path) -> None:
    [page] = (shown / "lake" / "reports").glob("*.html")
    done = energy("report", "--open", folder=shown, variables={"BROWSER": "echo"})
    assert (done.returncode, done.stdout) == (0, f"{page.as_uri()}\n")


def test_clean_dry_run_and_refusal_remove_nothing(own: Path) -> None:
    before = state(own / "lake", without=())
    dry = energy("clean", "--dry-run", folder=own)
    assert dry.returncode == 0
    assert "./lake/raw/" in dry.stdout
    assert told(energy("clean", folder=own)) == "Nothing was removed: say --yes to remove without being asked."
    assert state(own / "lake", without=()) == before


def test_clean_leaves_what_is_not_ours(own: Path) -> None:
    lake = own / "lake"
    for name in ("notes.txt", "reports/thesis.txt", "raw/photo.jpg", "photos/a.csv"):
        (lake / name).parent.mkdir(exist_ok=True)
        (lake / name).write_text("mine")
    (lake / "empty").mkdir()
    (lake / ".work" / "left").mkdir(parents=True)
    assert energy("clean", "--yes", "--keep-raw", folder=own).returncode == 0
    assert sorted(state(lake, without=())) == [
        "notes.txt",
        "photos/a.csv",
        "raw/a.csv",
        "raw/photo.jpg",
        "reports/thesis.txt",
    ]
    done = energy("clean", "--yes", folder=own)
    assert done.stdout.endswith("Removed 1 file from ./lake.\n")
    assert sorted(state(lake, without=())) == ["notes.txt", "photos/a.csv", "raw/photo.jpg", "reports/thesis.txt"]
    assert sorted(path.name for path in lake.iterdir()) == ["empty", "notes.txt", "photos", "raw", "reports"]
    assert "is empty" in energy("clean", folder=own).stdout


def test_json_is_the_manifest_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=24))
    (tmp_path / "bad.csv").write_text("when,what\n1,2\n")
    done = energy("run", "a.csv", "--json", folder=tmp_path)
    assert done.stderr == ""
    manifest = json.loads(done.stdout)
    [path] = (tmp_path / "lake" / "runs").iterdir()
    assert manifest == json.loads(path.read_text("utf-8"))
    both = energy("run", "bad.csv", "a.csv", "--json", folder=tmp_path)
    assert both.returncode == 1
    assert [one["status"] for one in json.loads(both.stdout)] == ["failed", "succeeded"]


def test_progress_is_for_terminals(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + hourly_rows("1990-01-01", hours=100_000))
    assert energy("run", "a.csv", "--lake", "another", folder=tmp_path).stderr == ""
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "energy_analytics", "run", "a.csv"],
        cwd=tmp_path,
        env=environment(TERM="xterm-256color"),
        stdout=subprocess.PIPE,
        stderr=end,
    )
    os.close(end)
    seen = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    os.close(terminal)
    out, _ = process.communicate()
    assert process.returncode == 0
    assert b"100,000 of 100,000 rows used" in out
    for stage in (b"Reading", b"Adding up", b"Forecasting"):
        assert stage in seen
    assert b"Traceback" not in seen


def test_a_lake_whose_name_looks_like_markup(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=24))
    done = energy("run", "a.csv", "--lake", "[red]:smile:", folder=tmp_path)
    assert "Report    [red]:smile:/reports/final_report_" in done.stdout
    assert "24.0" in energy("query", "daily_trend", "--lake", "[red]:smile:", folder=tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "toml", "message"),
    [
        (
            ["run", "a.csv", "--model", "oracle"],
            "",
            "There is no model 'oracle'; the models are prophet, moving_average, seasonal_naive, ensemble, auto.",
        ),
        (["run", "a.csv"], "sigma = -1", "sigma = -1"),
        (["run", "a.csv"], "sigmas = 2", "sigmas"),
        (["run", "a.csv"], 'timezone = "Mars/Base"', "'Mars/Base' is not an IANA timezone such as 'Europe/Paris'"),
        (["run", "a.csv"], 'currency = "USD"', "USD"),
        (["run", "a.csv"], 'holidays_country = "Atlantis"', "Atlantis"),
        (["run", "a.csv"], 'temperature_file = "absent.csv"', "absent.csv"),
        (["run", "a.csv"], '[sites.plant-a]\ncurrency = "USD"', "USD"),
        (["run", "a.csv"], "sigma = ", "energy.toml cannot be read"),
        (["run", "a.csv", "--config", "other.toml"], "", "There is no settings file other.toml."),
        (["results", "--lake", "ftp://bucket"], "", "ftp:// is not supported; give a folder"),
        (["results", "--lake", "s3://bucket/folder"], "", "A lake is a whole bucket: give s3://bucket"),
        (["watch", "--lake", "s3://bucket"], "", "s3://bucket needs no watch"),
        (["clean", "--lake", "s3://bucket"], "", "s3://bucket is a bucket: say --stack"),
        (["deploy"], "[aws]\nmemory_mb = 1", "aws.memory_mb = 1"),
        (["package", "--runtime", "python2.7"], "", "python2.7"),
        (["results", "--lake", "s3://bucket"], "", "no AWS credentials for s3://bucket: set AWS_PROFILE"),
        (["results", "--lake", "a.csv"], "", "a.csv is a file; a lake is a folder"),
        (["run", "a.csv", "--lake", "/proc/lake"], "", "The lake /proc/lake cannot be written"),
        (["watch", "--lake", "/proc/lake"], "", "No such file or directory (/proc/lake)"),
        (["run", "a.csv", "--site", "../up"], "", "'../up' cannot be a site"),
        (["results", "--site", "../up"], "", "no place in a lake"),
        (["run", "missing.csv"], "", "missing.csv does not exist."),
        (["run", "."], "", "is a folder, not a file."),
    ],
)
def test_mistakes_end_in_a_sentence(tmp_path: Path, arguments: list[str], toml: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=24))
    (tmp_path / "energy.toml").write_text(toml)
    assert message in told(energy(*arguments, folder=tmp_path))
    assert not (tmp_path / "lake" / "raw").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_folder_that_is_read_only(own: Path) -> None:
    for folder in [own / "lake", *(path for path in (own / "lake").rglob("*") if path.is_dir())]:
        folder.chmod(0o555)
    (own / "b.csv").write_text(HEADER + hourly_rows("2026-01-05", hours=24))
    assert "Permission denied" in told(energy("run", "b.csv", folder=own))
    assert energy("query", "daily_trend", folder=own).returncode == 0
    for folder in [own / "lake", *(path for path in (own / "lake").rglob("*") if path.is_dir())]:
        folder.chmod(0o755)


def test_one_row_is_told_in_the_singular(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=1) + "2026-01-01 01:00:00,Oven,-1\n")
    shown = energy("run", "a.csv", folder=tmp_path).stdout
    assert "a.csv: 1 of 2 rows used\n1 row refused (" in shown
    assert "Period    2026-01-01 00:00 to 2026-01-01 00:00, " in shown


def test_generate(tmp_path: Path) -> None:
    done = energy("generate", "--days", "2", "--seed", "7", "--end", "2026-01-31", "--out", "made.csv", folder=tmp_path)
    assert "2 days up to 2026-01-31" in done.stdout, done.stderr
    first = (tmp_path / "made.csv").read_bytes()
    energy("generate", "--days", "2", "--seed", "7", "--end", "2026-01-31", "--out", "made.csv", folder=tmp_path)
    assert (tmp_path / "made.csv").read_bytes() == first
    early = energy("generate", "--days", "9000", "--end", "0009-01-01", folder=tmp_path)
    assert told(early, code=2) == "9,000 days up to 0009-01-01 would begin before the year 1."


def test_ctrl_c_in_the_last_words_of_an_object_is_no_traceback() -> None:
    """Python passes over what is raised there, and would print it."""
    program = """
import os, signal, time
from energy_analytics import cli

class Object:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)

def work(prog_name):
    Object()
    time.sleep(30)

cli.app = work
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_day_that_there_is_not_is_told_with_one_that_there_is(tmp_path: Path) -> None:
    for options in (("bill", "--from", "2026-02-30"), ("generate", "--end", "yesterday")):
        said = energy(*options, folder=tmp_path)
        assert said.returncode == 2
        assert said.stderr.endswith(f"Invalid value for '{options[1]}': '{options[2]}' is no day such as 2026-01-31.\n")
