"""Settings: defaults here, overridden by `energy.toml`, then by the environment (`ENERGY_...`)."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from .schema import MOST_G_PER_KWH

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Positive = Annotated[float, Field(gt=0)]

_REPLACED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "tariff_file": ("price_per_kwh", "currency"),
    "price_per_kwh": ("tariff_file",),
    "carbon_file": ("g_per_kwh",),
    "g_per_kwh": ("carbon_file",),
}
"""A site's own choice, and what it puts aside of those above it because the two exclude each other."""


MAX_UPLOAD_MB: Final = 20_000.0
"""About 600 million readings as text: a hundred meters by the minute for ten years."""


_KINDS: Final[Mapping[str, str]] = {
    "string_type": "give text, in quotes",
    "path_type": "give the path of a file, in quotes",
    "tuple_type": 'give a list, in brackets, such as ["one", "two"]',
    "dict_type": "give a table with settings of its own",
    "model_type": "give a table with settings of its own",
}
"""In words, what a setting of another type must be."""
_PATTERNS: Final[Mapping[str, str]] = {
    "aws.stack": "give a letter and at most 39 letters, digits and hyphens after it",
    "aws.dashboard_email": "give an address such as you@example.org",
    "insights.openai_base_url": "give an address such as http://127.0.0.1:11434/v1, without user, query or fragment",
}
"""In words, how a setting must be written."""


class SettingsError(ValueError):
    """A setting is missing or wrong; the message names it, its place and what is allowed."""


class SiteSettings(BaseModel):
    """Settings that one site may have of its own: `[sites.plant-a]` in `energy.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: str | None = None
    date_order: Literal["DMY", "MDY"] | None = None
    decimal: Literal[".", ","] | None = None
    holidays_country: str | None = None
    """ISO 3166 code of the country whose public holidays the forecast knows."""
    holidays_region: str | None = None
    """Code of the state, province or region with holidays of its own."""
    temperature_file: Path | None = None
    """CSV with the columns timestamp,temperature_c: the past and the seven days ahead."""
    price_per_kwh: Positive | None = None
    """One price at every hour, all taxes included; excludes `tariff_file`."""
    currency: str | None = None
    tariff_file: Path | None = None
    """TOML file of a tariff: prices by the hour, tiers, fixed and demand charges, taxes, with their dates."""
    compare_tariffs: tuple[Path, ...] | None = None
    """Files of other tariffs, under which the report puts the site's own history."""
    export_appliances: tuple[str, ...] | None = None
    """Registers that count what the site feeds in; they are no part of its use."""
    g_per_kwh: Annotated[float, Field(ge=0, le=MOST_G_PER_KWH, allow_inf_nan=False)] | None = None
    """Grams of CO2 per kWh; excludes `carbon_file`."""
    carbon_file: Path | None = None
    """CSV with the columns timestamp,g_per_kwh: the grid's emissions hour by hour."""
    site_limit_kw: Positive | None = None
    """Power that the whole site must not exceed where moved appliances run together."""
    deferrable: dict[str, dict[str, Any]] | None = None
    """Limits of appliances that can wait, by name, over the typical ones: like, hours, run_hours, ..."""

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (KeyError, ValueError, OSError) as error:
                raise ValueError(f"{name!r} is not an IANA timezone such as 'Europe/Paris'") from error
        return name


class AwsSettings(BaseModel):
    """The deployment on AWS: `[aws]` in `energy.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stack: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,39}$")] = "energy-analytics"
    """Name of the CloudFormation stack. Another name than this makes other names of function, role and database."""
    region: str | None = None
    """None takes the region of the AWS configuration."""
    profile: str | None = None
    """A profile of the AWS configuration; None takes its default."""
    runtime: Literal["python3.11", "python3.12", "python3.13"] = "python3.13"
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    memory_mb: Annotated[int, Field(ge=512, le=10240)] = 3008
    timeout_seconds: Annotated[int, Field(ge=30, le=900)] = 900
    ephemeral_storage_mb: Annotated[int, Field(ge=512, le=10240)] = 2048
    """The function's disk, for the upload, the site's readings and what the engine spills."""
    reserved_concurrency: Annotated[int, Field(ge=1)] | None = None
    """Most functions at a time. None reserves nothing: a new account's limit of 10 allows no reservation."""
    scanned_limit_mb: Annotated[int, Field(ge=10)] = 10240
    """An Athena query that would read more is stopped."""
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] = 30
    alert_email: str | None = None
    """Gets an e-mail when a run fails or an alarm rings."""
    notify_new_episodes: bool = False
    """Tell the same address of unusual use that was not there in the run before."""
    dashboard: bool | None = None
    """Deploy the web dashboard. None leaves a deployment with or without it, as it is."""
    dashboard_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] | None = None
    """The dashboard's first user, who gets a temporary password by e-mail."""
    secret_arn: str | None = None
    """Secrets Manager secret that the function may read."""
    bedrock_model_arn: str | None = None
    """Bedrock model that the function may ask."""


class InsightsSettings(BaseModel):
    """Who writes the advice: `[insights]` in `energy.toml`. The key of OpenAI is no setting: see `insights.keys`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: Literal["rules", "auto", "openai", "bedrock"] = "rules"
    """Nothing leaves the machine under `rules`. `auto` is OpenAI if there is a key, else Bedrock if it has a model."""
    openai_model: str | None = None
    openai_base_url: Annotated[str, Field(pattern=r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$")] | None = None
    """A server that speaks OpenAI's protocol, such as one on this machine; None is OpenAI's own."""
    bedrock_model: str | None = None
    """Id or ARN of a model or an inference profile."""
    bedrock_region: str | None = None
    """None takes the region of the AWS configuration."""
    timeout_seconds: Positive = 20.0
    """For one answer."""
    budget_seconds: Positive = 45.0
    budget_tokens: Annotated[int, Field(ge=1)] = 30_000
    budget_cost: Positive | None = None
    """In `price_currency`. What would go beyond a run's budget is not asked, and the rules write."""
    answer_tokens: Annotated[int, Field(ge=100)] = 6_000
    """Most tokens of one answer, with what a model thinks before it."""
    price_per_million_input_tokens: Annotated[float, Field(ge=0)] | None = None
    price_per_million_output_tokens: Annotated[float, Field(ge=0)] | None = None
    price_currency: str = "USD"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for provider, model in (("openai", self.openai_model), ("bedrock", self.bedrock_model)):
            if self.provider == provider and not model:
                raise ValueError(f"provider is {provider!r} and {provider}_model names no model; there is no default")
        prices = (self.price_per_million_input_tokens, self.price_per_million_output_tokens)
        if (prices[0] is None) != (prices[1] is None):
            raise ValueError("set both prices per million tokens, of input and of output, or neither")
        if self.budget_cost is not None and prices[0] is None:
            raise ValueError("budget_cost needs price_per_million_input_tokens and price_per_million_output_tokens")
        return self


class Settings(SiteSettings, BaseSettings):
    """All settings of a run. Units are in the names or the comments; None means not set."""

    model_config = SettingsConfigDict(
        env_prefix="ENERGY_", env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    lake: str = "./lake"
    """Folder or URI of the lake."""
    model: str = "auto"
    """A name in `forecasting.MODELS`."""
    sigma: Positive = 2.0
    """Standard deviations above the mean at which a reading is an anomaly."""
    alarms_per_appliance_month: Positive = 0.5
    """About how many episodes an appliance with nothing wrong may be reported with in a month."""
    max_reading_kwh: Positive = 1e9
    """A reading above this is refused: no site uses 1 TWh in an interval."""
    max_upload_mb: Positive = MAX_UPLOAD_MB
    """A file that is larger when it is unpacked is refused: a small one may unpack to fill the disk."""
    memory_limit_mb: Annotated[int, Field(ge=64)] = 256
    """What the engine may keep in memory before it spills to disk."""
    query_seconds: Positive = 300.0
    """A question in SQL that takes longer is stopped."""
    query_rows: Annotated[int, Field(ge=1)] = 1_000_000
    """Most rows of an answer to a question in SQL."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """Threads of the engine; None takes one per core."""
    sites: dict[str, SiteSettings] = Field(default_factory=dict)
    aws: AwsSettings = Field(default_factory=AwsSettings)
    insights: InsightsSettings = Field(default_factory=InsightsSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options over environment over file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def for_site(self, site: str) -> Self:
        """Return these settings with the site's own put over them."""
        own = self.sites.get(site)
        if own is None:
            return self
        chosen = own.model_dump(exclude_none=True)
        replaced = {
            name: None
            for choice, others in _REPLACED_BY.items()
            if choice in chosen
            for name in others
            if name not in chosen
        }
        return self.model_copy(update=replaced | chosen)


def load_settings(config: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings: `overrides` that are not None, over the environment, over the file, over the defaults.

    Without `config`, `energy.toml` in the working directory is read if it is there.
    """
    path = config or Path("energy.toml")
    if config is not None and not config.is_file():
        raise SettingsError(f"There is no settings file {config}.")

    class Configured(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        return Configured(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(_explain(error, path)) from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from error


def _explain(error: ValidationError, path: Path) -> str:
    faults = []
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"])
        given = _given(name, fault["input"], fault["type"])
        faults.append(f"{name}{given}: {_in_words(name, fault)}")
    return f"Wrong setting (in {path}, ENERGY_... or an option): " + "; ".join(faults)


def _in_words(name: str, fault: "ErrorDetails") -> str:
    """Return what is wrong for somebody who writes TOML, and knows no Python."""
    kind = fault["type"]
    if kind == "extra_forbidden":
        return _no_such(name)
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(name, fault["msg"])
    return _KINDS.get(kind, fault["msg"].removeprefix("Value error, ").replace("Input should be", "must be"))


def _no_such(name: str) -> str:
    table, _, own = name.rpartition(".")
    models: dict[str, type[BaseModel]] = {"": Settings, "aws": AwsSettings, "insights": InsightsSettings}
    model = models.get(table, SiteSettings)
    if table and own in Settings.model_fields:
        return f"it is no setting of [{table}]; put it above the first table of the file"
    near = get_close_matches(own, model.model_fields, n=1)
    meant = f"; is {near[0]} meant?" if near else "; config/energy.example.toml lists all"
    return f"there is no such setting{f' in [{table}]' if table else ''}{meant}"


def _given(name: str, value: object, fault: str) -> str:
    """Show what was set, but for what may hold a secret: a name that we do not know, a whole table, an address."""
    if fault == "extra_forbidden" or isinstance(value, dict) or "://" in str(value) or name.endswith("_url"):
        return ""
    return f" = {value!r}"
