"""Where a setting comes from, and what a wrong one is told."""

from pathlib import Path

import pytest

from energy_analytics.settings import AwsSettings, InsightsSettings, SettingsError, load_settings

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ENERGY_LAKE", raising=False)
    return tmp_path


def test_options_over_environment_over_file_over_defaults(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().lake == "./lake"
    (elsewhere / "energy.toml").write_text('lake = "from-file"\nsigma = 3.0\n')
    assert load_settings().lake == "from-file"
    monkeypatch.setenv("ENERGY_LAKE", "from-environment")
    assert load_settings().lake == "from-environment"
    assert load_settings(lake="from-option").lake == "from-option"
    assert load_settings(lake=None).sigma == 3.0


def test_a_site_has_settings_of_its_own(elsewhere: Path) -> None:
    (elsewhere / "energy.toml").write_text(
        'timezone = "Europe/Paris"\n[sites.plant-a]\ntimezone = "Australia/Melbourne"\n'
    )
    settings = load_settings()
    assert settings.for_site("plant-a").timezone == "Australia/Melbourne"
    assert settings.for_site("plant-b").timezone == "Europe/Paris"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('timezone = "Mars/Olympus"', "Europe/Paris"),
        ("sigma = -1", "sigma = -1"),
        ('date_order = "YMD"', "date_order = 'YMD'"),
        ("unheard_of = 1", "unheard_of: there is no such setting; config/energy.example.toml lists all"),
        ('timezon = "Europe/Paris"', "timezon: there is no such setting; is timezone meant?"),
        ("[aws]\nmemory = 3008", "aws.memory: there is no such setting in [aws]; is memory_mb meant?"),
        (
            "[sites.home]\nsigma = 2",
            "sigma: it is no setting of [sites.home]; put it above the first table of",
        ),
        ("[sites]\nhome = 3", "sites.home = 3: give a table with settings of its own"),
        ('export_appliances = "Roof"', '= \'Roof\': give a list, in brackets, such as ["one", "two"]'),
        ("temperature_file = 3", "give the path of a file, in quotes"),
        ('[aws]\nstack = "1x"', "give a letter and at most 39 letters, digits and hyphens after it"),
        ("threads = 0", "threads = 0: must be greater than or equal to 1"),
        ("lake = [", "energy.toml cannot be read"),
    ],
)
def test_a_wrong_setting_is_named(elsewhere: Path, text: str, told: str) -> None:
    (elsewhere / "energy.toml").write_text(text)
    with pytest.raises(SettingsError, match=r".") as raised:
        load_settings()
    assert told in str(raised.value)
    assert not any(jargon in str(raised.value) for jargon in ("Input", "class", "tuple", "dictionary", "pattern"))
    assert "\n" not in str(raised.value)


def test_a_settings_file_that_is_asked_for_must_be_there() -> None:
    with pytest.raises(SettingsError, match="no settings file"):
        load_settings(Path("absent.toml"))


def test_the_example_file_is_valid_and_lists_every_setting() -> None:
    example = ROOT / "config" / "energy.example.toml"
    settings = load_settings(example)
    assert settings.for_site("plant-a").currency == "AUD"
    tables = AwsSettings.model_fields.keys() | InsightsSettings.model_fields.keys()
    names = (type(settings).model_fields.keys() | tables) - {"sites", "aws", "insights"}
    text = example.read_text()
    missing = [name for name in names if f"{name} =" not in text and f"[{name}." not in text]
    assert missing == []
