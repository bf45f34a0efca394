"""Secrets planted in environment and settings never come out: not in results, records, messages or tracebacks."""

import traceback
from pathlib import Path

import pytest
from commands import HEADER, energy, hourly_rows

from energy_analytics.cli import app
from energy_analytics.settings import SettingsError, load_settings

CANARY = "canary-5d41402a"
PLANTED = {
    "OPENAI_API_KEY": f"sk-{CANARY}-openai",
    "AWS_ACCESS_KEY_ID": "AKIACANARYCANARYCANA",
    "AWS_SECRET_ACCESS_KEY": f"{CANARY}-aws",
    "AWS_SESSION_TOKEN": f"{CANARY}-session",
    "GITHUB_TOKEN": f"{CANARY}-token",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
}
NOBODY = "http://127.0.0.1:9"


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((folder / "lake").rglob("*")) if path.is_file())


@pytest.mark.slow
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {
            "ENERGY_INSIGHTS__PROVIDER": "openai",
            "ENERGY_INSIGHTS__OPENAI_MODEL": "m",
            "ENERGY_INSIGHTS__OPENAI_BASE_URL": NOBODY,
        },
        {
            "ENERGY_INSIGHTS__PROVIDER": "openai",
            "ENERGY_INSIGHTS__OPENAI_MODEL": "m",
            "OPENAI_BASE_URL": f"http://me:{CANARY}@127.0.0.1:9/v1?key={CANARY}",
            "HTTP_PROXY": f"http://me:{CANARY}@127.0.0.1:9",
            "HTTPS_PROXY": f"http://me:{CANARY}@127.0.0.1:9",
        },
        {"ENERGY_API_TOKEN": CANARY, "ENERGY_INSIGHTS__PROVIDER": "auto"},
        {"ENERGY_INSIGHTS__PROVIDER": "bedrock", "ENERGY_INSIGHTS__BEDROCK_MODEL": "m", "AWS_ENDPOINT_URL": NOBODY},
    ],
)
def test_a_run_tells_no_secret(tmp_path: Path, variables: dict[str, str]) -> None:
    (tmp_path / "a.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=24 * 20) + "oops\n")
    done = energy("run", "a.csv", "--json", folder=tmp_path, variables=PLANTED | variables)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert "AKIACANARY" not in done.stdout + done.stderr
    assert CANARY.encode() not in everything(tmp_path)
    assert b"AKIACANARY" not in everything(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["run", "missing.csv"], {}),
        (["run", "a.csv"], {"ENERGY_MODEL": "nonsense"}),
        (["results", "--lake", "s3://no-such-bucket"], {"AWS_ENDPOINT_URL": NOBODY}),
        (["results", "--lake", "s3://no-such-bucket"], {"AWS_ENDPOINT_URL": f"http://me:{CANARY}@127.0.0.1:9"}),
        (["results", "--lake", f"s3://AKIA:{CANARY}@bucket"], {}),
        (["results", "--lake", f"s3://AKIA:{CANARY}@bucket/prefix"], {}),
        (["results", "--lake", f"https://me:{CANARY}@127.0.0.1/lake"], {}),
        (["results"], {"ENERGY_LAKE": f"s3://AKIA:{CANARY}@bucket"}),
        (["run", "a.csv"], {"ENERGY_TARIFF_FILE": f"https://me:{CANARY}@127.0.0.1/tariff.toml"}),
        (["run", "a.csv"], {"ENERGY_CARBON_FILE": f"https://me:{CANARY}@127.0.0.1/carbon.csv"}),
        (["run", "a.csv"], {"ENERGY_TEMPERATURE_FILE": f"https://me:{CANARY}@127.0.0.1/temperature.csv"}),
        (["run", f"https://me:{CANARY}@127.0.0.1/a.csv"], {}),
        (["run", f"s3://AKIA:{CANARY}@bucket/a.csv"], {}),
        (["deploy", "--yes"], {"AWS_ENDPOINT_URL": f"http://me:{CANARY}@127.0.0.1:9"}),
        (["deploy", "--yes"], {"AWS_ENDPOINT_URL": NOBODY}),
        (["deploy", "--dry-run"], {"AWS_ENDPOINT_URL": NOBODY}),
        (["logs"], {"AWS_ENDPOINT_URL": NOBODY}),
        (["query", "SELECT getenv('OPENAI_API_KEY')"], {}),
        (["query", "SELECT * FROM duckdb_settings()"], {}),
        (["results"], {"ENERGY_INSIGHTS__OPENAI_API_KEY": f"sk-{CANARY}"}),
        (["results"], {"ENERGY_INSIGHTS": f'{{"provider": "openai", "openai_api_key": "sk-{CANARY}"}}'}),
        (["results"], {"ENERGY_INSIGHTS__OPENAI_BASE_URL": f"https://me:{CANARY}@127.0.0.1/v1"}),
        (["results"], {"ENERGY_INSIGHTS__OPENAI_BASE_URL": f"https://127.0.0.1/v1?key={CANARY}"}),
    ],
)
def test_a_failure_tells_no_secret(tmp_path: Path, arguments: list[str], variables: dict[str, str]) -> None:
    (tmp_path / "a.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=24))
    done = energy(*arguments, folder=tmp_path, variables=PLANTED | variables)
    assert CANARY not in done.stdout + done.stderr
    assert done.stdout + done.stderr


@pytest.mark.parametrize(
    "line",
    [
        f'openai_api_key = "{CANARY}"',
        f'[insights]\nprovider = "openai"\napi_key = "{CANARY}"',
        f'[aws]\nsecret_access_key = "{CANARY}"',
        f'[insights]\nopenai_base_url = "https://me:{CANARY}@127.0.0.1"',
        f'[insights]\nopenai_base_url = "me:{CANARY}@127.0.0.1/v1"',
        f'[insights]\nopenai_base_url = "{CANARY}"',
        f'[sites.a]\ntoken = "{CANARY}"',
    ],
)
def test_a_secret_in_the_wrong_place_of_the_settings_is_not_repeated(tmp_path: Path, line: str) -> None:
    (tmp_path / "energy.toml").write_text(line + "\n")
    with pytest.raises(SettingsError, match="Wrong setting") as error:
        load_settings(tmp_path / "energy.toml")
    assert CANARY not in str(error.value)


def test_a_setting_that_is_no_secret_is_shown(tmp_path: Path) -> None:
    (tmp_path / "energy.toml").write_text("sigma = -3\n")
    with pytest.raises(SettingsError, match="sigma = -3"):
        load_settings(tmp_path / "energy.toml")


def test_a_traceback_of_our_own_fault_shows_no_values(tmp_path: Path) -> None:
    """Typer's pretty tracebacks show local variables, among them settings and answers."""
    assert app.pretty_exceptions_enable is False
    (tmp_path / "energy.toml").write_text(f'openai_api_key = "{CANARY}"\n')
    try:
        load_settings(tmp_path / "energy.toml")
    except SettingsError as error:
        told = "".join(traceback.format_exception(error))
        assert CANARY not in told
