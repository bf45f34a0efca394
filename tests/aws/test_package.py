"""The function's zip and its layer's: what is in them, that they are the same every time, and that they run alone."""

import json
import os
import stat
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import boto3
import botocore
import pytest
import s3transfer
import urllib3

from energy_analytics.aws.package import LIMIT_BYTES, Package, PackageError, build, check_size
from energy_analytics.aws.package_libraries import install, requirements_for, target_of
from energy_analytics.aws.sources import MissingSourceError, source_file
from energy_analytics.delivery import deliver
from energy_analytics.lake import LocalLake
from energy_analytics.pipeline import run
from energy_analytics.settings import SettingsError, load_settings
from energy_analytics.tariff import TariffError

pytestmark = pytest.mark.xdist_group("package")

RUNTIME = f"python{sys.version_info[0]}.{sys.version_info[1]}"
ARCHITECTURE = {"aarch64": "arm64", "arm64": "arm64"}.get(os.uname().machine, "x86_64")
SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "household_power_hourly.csv.gz"
RESULTS = ("processed", "anomalies", "forecast")


def built(out: Path, *, settings_file: Path | None = None) -> Package:
    return build(out, runtime=RUNTIME, architecture=ARCHITECTURE, settings_file=settings_file, say=lambda line: None)


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return built(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def unzipped(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders as Lambda lays them out, read-only: `task`, `opt`, and `runtime` with the SDK that it brings."""
    root = tmp_path_factory.mktemp("lambda")
    for archive, folder in ((package.function, "task"), (package.layer, "opt")):
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                path = Path(opened.extract(entry, root / folder))
                path.chmod((entry.external_attr >> 16) & 0o555)
    (root / "runtime").mkdir()
    for module in (boto3, botocore, s3transfer, urllib3):
        source = Path(str(module.__file__)).parent
        (root / "runtime" / source.name).symlink_to(source)
    return root


def run_alone(unzipped: Path, code: str, *arguments: object) -> str:
    """Run code on a bare interpreter that finds the function, the layer and the SDK, and nothing else."""
    paths = [str(unzipped / "task"), str(unzipped / "opt" / "python"), str(unzipped / "runtime")]
    start = f"import sys; sys.path[:0] = {paths!r}\n" + textwrap.dedent(code)
    ended = subprocess.run(
        [sys.executable, "-s", "-S", "-W", "error", "-c", start, *map(str, arguments)],
        env={"PATH": "/usr/bin:/bin", "BUCKET_NAME": "b", "POWERTOOLS_SERVICE_NAME": "s", "AWS_REGION": "eu-central-1"},
        cwd=unzipped,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_the_layer_holds_what_is_imported_and_nothing_else(package: Package) -> None:
    layer = names(package.layer)
    assert all(name.startswith("python/") for name in layer)
    tops = {name.split("/")[1] for name in layer}
    assert {"duckdb", "numpy", "pandas", "prophet", "cmdstanpy", "holidays", "jinja2", "tzdata"} <= tops
    assert not tops & {"matplotlib", "plotly", "colorama", "boto3", "botocore", "pip", "bin", "adbc_driver_duckdb"}
    assert not [name for name in layer if "/tests/" in name or name.endswith((".pyi", ".pxd", ".h", "/RECORD"))]
    assert not [name for name in layer if "cmdstan-" in name and ".dist-info" not in name and "/stan_model/" in name]


def test_every_module_of_both_archives_is_compiled(package: Package) -> None:
    tag = sys.implementation.cache_tag
    for archive in (package.function, package.layer):
        files = names(archive)
        sources = {name for name in files if name.endswith(".py")}
        made = {
            name.replace("__pycache__/", "").removesuffix(f".{tag}.pyc") + ".py" for name in files if ".pyc" in name
        }
        assert made == sources


def test_the_function_holds_the_handler_the_package_and_its_data(package: Package) -> None:
    files = names(package.function)
    assert {name.split("/")[0] for name in files} == {"lambda_function.py", "__pycache__", "energy_analytics"}
    inside = {name.removeprefix("energy_analytics/") for name in files}
    assert {"catalogue/tariffs.toml", "forecasting/correction.npz", "report/templates/report.html.j2"} <= inside
    assert any(name.startswith("sql/") for name in inside)


def test_settings_go_along_as_they_are(tmp_path: Path) -> None:
    settings = tmp_path / "own.toml"
    settings.write_text('timezone = "Europe/Paris"\n[sites.north]\ndecimal = ","\n')
    with zipfile.ZipFile(built(tmp_path / "out", settings_file=settings).function) as opened:
        assert opened.read("energy.toml") == settings.read_bytes()


def test_programs_may_be_run_and_nothing_tells_of_the_builder(package: Package) -> None:
    for archive in (package.function, package.layer):
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            for entry in entries:
                is_program = opened.open(entry).read(4) == b"\x7fELF"
                assert stat.S_IMODE(entry.external_attr >> 16) == (0o755 if is_program else 0o644)
                assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    with zipfile.ZipFile(package.function) as opened:
        compiled = [opened.read(name) for name in opened.namelist() if name.endswith(".pyc")]
    assert all(str(Path(__file__).parents[2]).encode() not in content for content in compiled)


def test_the_same_sources_make_the_same_bytes_under_another_umask_and_at_another_time(
    package: Package, tmp_path: Path
) -> None:
    with umask(0o077):
        time.sleep(2.1)  # a zip's clock ticks every two seconds
        again = built(tmp_path)
    assert (again.function_sha256, again.layer_sha256) == (package.function_sha256, package.layer_sha256)


@pytest.mark.slow
def test_a_layer_built_anew_is_the_same_and_a_damaged_one_is_not_used(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = next((home / "energy-analytics-system").glob(f"layer-*-{package.layer_sha256}.zip"))
    damaged = tmp_path / "cache" / kept.relative_to(home)
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(kept.read_bytes()[:-1000])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with umask(0o027):
        assert built(tmp_path / "anew").layer_sha256 == package.layer_sha256


def test_a_package_above_the_limit_is_refused_with_what_is_big() -> None:
    function = {"lambda_function.py": 10_000_000}
    layer = {"python/_duckdb.so": 68_000_000, "python/polars/a.so": 100_000_000, "python/polars/b.so": 84_144_000}
    assert check_size({"function": function, "layer": layer}) == LIMIT_BYTES
    with pytest.raises(PackageError) as refused:
        check_size({"function": function | {"one.py": 1}, "layer": layer})
    first, *table = str(refused.value).splitlines()
    assert first == "Function and layer are 262,144,001 bytes unzipped and Lambda takes 262,144,000. The biggest parts:"
    assert [line.split() for line in table[:2]] == [
        ["polars", "(layer)", "184.1", "MB"],
        ["_duckdb.so", "(layer)", "68.0", "MB"],
    ]


def test_markers_are_read_for_the_target() -> None:
    text = source_file("lambda/requirements.txt").read_text()
    older, newer = (requirements_for(target_of(name, "arm64"), text) for name in ("python3.11", "python3.13"))
    assert "colorama" not in older
    assert ";" not in older
    assert [line.split()[0] for line in older.splitlines() if line.startswith("numpy")] != [
        line.split()[0] for line in newer.splitlines() if line.startswith("numpy")
    ]
    windows = "a==1 ; sys_platform == 'win32' \\\n    --hash=sha256:0\nb==2 ; platform_machine == 'aarch64' \\\n"
    assert requirements_for(target_of("python3.13", "arm64"), windows + "    --hash=sha256:1\n") == (
        "b==2 \\\n    --hash=sha256:1\n"
    )


def test_what_cannot_be_built_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"Nothing can be built for python3\.9 on x86_64"):
        build(tmp_path, runtime="python3.9", architecture="x86_64", settings_file=None, say=print)
    with pytest.raises(PackageError, match=r"pins six without hashes"):
        requirements_for(target_of(RUNTIME, ARCHITECTURE), "six==1.17.0\n")
    wrong = "six==1.17.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"
    with pytest.raises(PackageError, match=r"could not be installed: .*(?i:hash).*\.$") as refused:
        install(target_of(RUNTIME, ARCHITECTURE), wrong, tmp_path)
    assert "\n" not in str(refused.value)
    with pytest.raises(MissingSourceError, match=r"lambda/other\.py is missing"):
        source_file("lambda/other.py")


def test_settings_that_the_function_cannot_work_with_are_refused(tmp_path: Path) -> None:
    settings = tmp_path / "energy.toml"
    settings.write_text('[sites.north]\ntemperature_file = "north.csv"\n')
    with pytest.raises(PackageError, match="names a temperature_file, which the function on AWS cannot read"):
        built(tmp_path / "out", settings_file=settings)
    settings.write_text('timezone = "Mars/Olympus"\n')
    with pytest.raises(SettingsError, match="'Mars/Olympus' is not an IANA timezone"):
        built(tmp_path / "out", settings_file=settings)


def test_tariffs_that_the_settings_name_go_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tariff = 'name = "Flat"\ncurrency = "EUR"\nsource = "made up"\n[[version]]\nprice_per_kwh = 0.2\n'
    Path("tariffs").mkdir()
    for name in ("own", "other"):
        Path(f"tariffs/{name}.toml").write_text(tariff)
    Path("grid.csv").write_text("timestamp,g_per_kwh\n2026-01-01 00:00,100\n")
    settings = Path("energy.toml")
    settings.write_text(
        'carbon_file = "grid.csv"\n[sites.a]\ntariff_file = "./tariffs/own.toml"\n'
        'compare_tariffs = ["tariffs/other.toml"]'
    )
    with zipfile.ZipFile(built(tmp_path / "out", settings_file=settings).function) as function:
        assert {"tariffs/own.toml", "tariffs/other.toml", "grid.csv", "energy.toml"} <= set(function.namelist())
    settings.write_text(f'tariff_file = "{tmp_path}/tariffs/own.toml"\n')
    with pytest.raises(PackageError, match="would not be there on AWS"):
        built(tmp_path / "out", settings_file=settings)
    settings.write_text('tariff_file = "absent.toml"\n')
    with pytest.raises(TariffError, match=r"absent\.toml cannot be read"):
        built(tmp_path / "out", settings_file=settings)


@pytest.mark.slow
def test_the_built_function_makes_the_results_of_this_machine_with_nothing_else_on_its_path(
    unzipped: Path, tmp_path: Path
) -> None:
    code = """
    import json, lambda_function
    from datetime import UTC, datetime
    from pathlib import Path
    from energy_analytics.delivery import deliver
    from energy_analytics.lake import LocalLake
    from energy_analytics.pipeline import run
    from energy_analytics.settings import load_settings
    made = {}
    for model in ("auto", "prophet"):
        lake = LocalLake(Path(sys.argv[1]) / model)
        settings = load_settings(model=model, timezone="Europe/Paris", holidays_country="FR")
        upload = deliver(lake, Path(sys.argv[2]), site="", now=datetime.now(UTC))
        made[model] = run(lake, upload, settings)["outputs"]
    outside = [m.__file__ for m in sys.modules.values() if "site-packages" in (getattr(m, "__file__", None) or "")]
    print(json.dumps([made, [one for one in outside if "/runtime/" not in one]]))
    """
    made, outside = json.loads(run_alone(unzipped, code, tmp_path / "alone", SAMPLE).splitlines()[-1])
    assert outside == []
    for model, keys in made.items():
        lake = LocalLake(tmp_path / "here" / model)
        settings = load_settings(model=model, timezone="Europe/Paris", holidays_country="FR")
        own = run(lake, deliver(lake, SAMPLE, site="", now=datetime.now(UTC)), settings)
        assert own["outputs"] == keys
        alone = tmp_path / "alone" / model
        for name in RESULTS:
            assert (alone / keys[name]).read_bytes() == lake.read(keys[name]), name
        assert (alone / keys["report_html"]).stat().st_size > 10_000


def test_holidays_do_not_need_what_was_pruned_of_them(unzipped: Path) -> None:
    code = """
    import holidays, json
    wanted = {"DE": "BY", "FR": None, "JP": None, "US": "CA", "IN": None, "BR": "SP", "IL": None, "TH": None}
    print(json.dumps({country: sorted(map(str, holidays.country_holidays(country, subdiv=region, years=2026)))
                      for country, region in wanted.items()}))
    """
    import holidays

    for country, days in json.loads(run_alone(unzipped, code)).items():
        region = {"DE": "BY", "US": "CA", "BR": "SP"}.get(country)
        assert days == sorted(map(str, holidays.country_holidays(country, subdiv=region, years=2026)))
