"""What the record of a run must hold to be read: each part that others read, of the shape in which a run writes it.

A lake may be written to by others, and by hand. What is checked here need not be looked at again where it is read.
"""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

_YEARS: Final = range(1000, 3000)
"""Those that the API can be asked about; readings are of fewer."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Closed(_Part):
    """A part of which all names count."""

    model_config = ConfigDict(strict=True, extra="forbid")


def _as_day(text: str) -> str:
    if date.fromisoformat(text).year not in _YEARS:
        raise ValueError("a year that nothing was read in")
    return text


def _as_month(text: str) -> str:
    _as_day(f"{text}-01")
    return text


def _as_wall_time(text: str) -> str:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None or moment.year not in _YEARS:
        raise ValueError("no wall time of a reading")
    return text


def _as_instant(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a time without an offset")
    return text


def _as_zone(name: str | None) -> str | None:
    try:
        if name is not None:
            ZoneInfo(name)
    except (KeyError, OSError) as error:
        raise ValueError("no timezone") from error
    return name


Day = Annotated[str, AfterValidator(_as_day)]
Month = Annotated[str, AfterValidator(_as_month)]
WallTime = Annotated[str, AfterValidator(_as_wall_time)]
Instant = Annotated[str, AfterValidator(_as_instant)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Zone = Annotated[str | None, AfterValidator(_as_zone)]


class _Upload(_Part):
    key: str
    uploaded_at: Instant
    size_bytes: Count
    sha256: str
    content_tag: str = ""


class _Head(_Part):
    stamp: str
    status: Literal["succeeded", "failed", "begun", "withdrawn"]
    site: str
    upload: _Upload
    outputs: dict[str, str] = {}


class _Failed(_Part):
    error: str
    version: str


class _Succeeded(_Part):
    error: None
    version: str
    history: Any
    after: str | None
    dismissed: list[str]


class _Intake(_Part):
    rows_read: Count
    rows_accepted: Count
    rejected_by_reason: dict[str, Count]


class _Settings(_Part):
    timezone: Zone


class _Appliance(_Part):
    appliance: str
    total_kwh: float
    peak_hour: Annotated[int, Field(ge=0, le=23)]
    step_minutes: Annotated[float, Field(ge=0, le=1e6)] | None
    anomalies: Count


class _Episode(_Closed):
    id: str
    start: WallTime
    end: WallTime
    appliance: str
    kind: str
    actual_kwh: float
    expected_kwh: float
    excess_kwh: float
    severity: float
    reason: str
    status: Literal["open", "closed", "withdrawn"]


class _Amount(_Closed):
    value: float
    low: float
    high: float


class _Saving(_Closed):
    kwh: _Amount
    money: _Amount | None
    carbon_kg: _Amount | None


class _Finding(_Closed):
    id: str
    kind: str
    appliance: str | None
    figures: dict[str, float]
    labels: dict[str, str]
    assumption: str
    about: str
    period: Annotated[list[Day], Field(min_length=2, max_length=2)] | None
    confidence: str
    evidence: str
    saving: _Saving | None


class _Score(_Part):
    model: str
    mase: float | None
    wape: float | None
    coverage: float | None
    origins: Count
    days: Count


class _Forecast(_Part):
    model: str
    trained_on_days: Count
    measured_coverage: float | None
    assumption: str | None
    scores: list[_Score]
    kwh: float
    days: list[Day]


class _Tariff(_Part):
    name: str
    terms: str
    is_default: bool
    mean_price_per_kwh: float


class _Cost(_Part):
    appliance: str
    cost: float | None


class _Bill(_Part):
    fed_in_kwh: float


class _DayCost(_Part):
    day: Day
    cost: float
    lower: float
    upper: float


class _Expected(_Closed):
    month: Month
    total: float
    lower: float
    upper: float
    days_read: Count
    assumption: str


class _Carbon(_Part):
    name: str
    terms: str
    is_default: bool
    kg: float


class _Shifting(_Part):
    saving_per_year: float | None


class _Money(_Part):
    currency: str
    tariff: _Tariff
    unpriced: str | None
    by_appliance: list[_Cost]
    bill: _Bill | None
    forecast: list[_DayCost]
    expected: _Expected | None
    carbon: _Carbon
    shifting: _Shifting | None


class _Results(_Part):
    first: WallTime
    last: WallTime
    total_kwh: float
    appliances: list[_Appliance]
    complete_days: Count
    doubts: list[str]
    anomalies: Count
    episodes: list[_Episode]
    findings: list[_Finding]
    forecast: _Forecast
    money: _Money


class _Content(_Part):
    intake: _Intake
    outputs: dict[str, str]
    settings: _Settings
    results: _Results

    @model_validator(mode="after")
    def _where_refused_rows_are(self) -> Self:
        if self.intake.rows_read != self.intake.rows_accepted and "rejected" not in self.outputs:
            raise ValueError("rows were refused, and nothing tells where they are")
        return self


_ENDED: Final[dict[str, type[_Part]]] = {"failed": _Failed, "succeeded": _Succeeded}
_OF_SUCCESS: Final = frozenset({"intake", "results"})


def has_head(record: Any) -> bool:
    """Tell whether something says which run of which upload it is the record of."""
    return _is(_Head, record)


def is_brief(record: Any) -> bool:
    """Tell whether something is a record, or what is kept of one without its results."""
    return has_head(record) and _is(_ENDED.get(record["status"], _Part), record)


def is_whole(record: Any) -> bool:
    """Tell whether a record has all that others of its status have."""
    if not is_brief(record):
        return False
    return _is(_Content, record) if record["status"] == "succeeded" else _OF_SUCCESS.isdisjoint(record)


def _is(part: type[_Part], told: Any) -> bool:
    try:
        part.model_validate(told)
    except ValidationError:
        return False
    return True
