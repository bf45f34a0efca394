"""What the API answers, as models: the documentation is made from them."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(populate_by_name=True, extra="forbid")


class Fault(Model):
    """What is wrong with one part of a request."""

    where: str
    what: str


class Problem(Model):
    """Why a request was not answered (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="A sentence for a person.")
    instance: str
    errors: list[Fault] = []


class ApplianceOfSite(Model):
    """An appliance over the whole history."""

    appliance: str
    total_kwh: float
    step_minutes: float | None
    peak_hour: int = Field(ge=0, le=23)


class NewestRun(Model):
    """The newest run with results."""

    stamp: str
    uploaded_at: str


class SiteSummary(Model):
    """A site. What only results can tell is null before the first."""

    site: str = Field(description="Empty for the root site.")
    name: str
    timezone: str | None
    currency: str | None
    first: str | None
    last: str | None = Field(description="Start of the last interval.")
    total_kwh: float | None
    appliances: list[ApplianceOfSite]
    newest_run: NewestRun | None
    version: str


class Sites(Model):
    """All sites of the lake."""

    sites: list[SiteSummary]


class Period(Model):
    """Local days, `to` exclusive."""

    from_: date = Field(alias="from")
    to: date
    days: int = Field(description="Days with readings.")
    complete_days: int


class Totals(Model):
    """Energy with its cost and its carbon; null where not known."""

    kwh: float
    cost: float | None
    carbon_kg: float | None


class Peak(Model):
    """The hour with the most energy."""

    start: str
    kwh: float


class ApplianceShare(Totals):
    """An appliance's part of a period."""

    appliance: str
    share_percent: float | None


class Compared(Totals):
    """An earlier period, and the change since."""

    from_: date = Field(alias="from")
    to: date
    change_percent: float | None = Field(description="From the mean of as many complete days of either period.")
    compared_days: int


class Heatmap(Model):
    """Mean energy of the site in an hour of the week."""

    kwh: list[list[float | None]] = Field(description="Monday to Sunday, 24 hours each.")


class Attention(Model):
    """Something that a person should look at."""

    kind: Literal["episode", "finding", "gap", "stale", "doubt", "failed_run"]
    title: str
    detail: str
    page: Literal["anomalies", "savings", "data"]
    id: str | None
    cost: float | None


class MoneyTerms(Model):
    """The tariff behind every amount."""

    currency: str
    tariff: str
    terms: str
    is_default: bool
    unpriced: str | None


class CarbonTerms(Model):
    """The factor behind every amount of carbon."""

    name: str
    terms: str
    is_default: bool


class Overview(Model):
    """A period of a site."""

    site: str
    period: Period
    total: Totals
    peak: Peak | None
    appliances: list[ApplianceShare]
    before: Compared | None
    year_ago: Compared | None
    heatmap: Heatmap
    attention: list[Attention]
    money: MoneyTerms | None
    carbon: CarbonTerms | None


class Series(Model):
    """Energy of an appliance at the timestamps of the page; null where there is no reading."""

    appliance: str
    kwh: list[float | None]


class Readings(Model):
    """A page of readings in columns."""

    site: str
    timezone: str | None
    resolution: Literal["raw", "hour", "day", "week", "month"]
    unit: Literal["kWh"]
    timestamps: list[str] = Field(description="Starts of the intervals, with offsets, in order of time.")
    series: list[Series]
    next_cursor: str | None


class ByAppliance(Model):
    """Statistics of an appliance's readings."""

    appliance: str
    total_kwh: float
    avg_kwh: float
    std_kwh: float | None
    count: int
    peak_hour: int
    share_percent: float | None
    cost: float | None
    carbon_kg: float | None


class ByHour(Model):
    """Mean energy in an hour of the day."""

    hour: int
    mean_kwh: float | None


class ByWeekday(Model):
    """Mean energy of the complete days of a weekday, 1 being Monday."""

    weekday: int
    mean_kwh_per_day: float | None


class ByMonth(Totals):
    """A calendar month, as far as it was read."""

    month: str


class Aggregates(Model):
    """Energy added up in one way."""

    by: Literal["appliance", "hour", "weekday", "month"]
    rows: list[ByAppliance] | list[ByHour] | list[ByWeekday] | list[ByMonth]


class Episode(Model):
    """A stretch of time in which an appliance did not behave as it usually does."""

    id: str
    start: str
    end: str
    appliance: str
    kind: str
    actual_kwh: float
    expected_kwh: float
    excess_kwh: float
    severity: float
    reason: str
    status: Literal["open", "closed", "withdrawn"]
    cost: float | None
    dismissed: bool


class Episodes(Model):
    """Episodes of a site."""

    episodes: list[Episode]
    currency: str | None


class EpisodeSeries(Model):
    """What an appliance used, beside what is usual at those hours of the week."""

    timestamps: list[str]
    actual_kwh: list[float | None]
    expected_kwh: list[float | None]
    resolution: str


class EpisodeInFull(Episode):
    """An episode with the days around it."""

    series: EpisodeSeries


class ForecastDay(Model):
    """A day ahead of the site."""

    day: date
    yhat: float
    yhat_lower: float
    yhat_upper: float
    cost: float | None
    cost_lower: float | None
    cost_upper: float | None


class ApplianceDay(Model):
    """A day ahead of an appliance."""

    day: date
    yhat: float
    yhat_lower: float
    yhat_upper: float


class ApplianceAhead(Model):
    """The days ahead of an appliance."""

    appliance: str
    model: str
    days: list[ApplianceDay]


class Score(Model):
    """How a model did on the site's own past."""

    model: str
    mase: float | None
    wape: float | None
    coverage: float | None
    origins: int
    days: int


class RecentDay(Model):
    """A day that was read."""

    day: date
    kwh: float
    complete: bool


class ExpectedBill(Model):
    """The bill to expect at the end of the month."""

    month: str
    days: int
    days_read: int
    total: float
    lower: float
    upper: float
    assumption: str


class Forecast(Model):
    """The days ahead."""

    model: str
    trained_on_days: int
    measured_coverage: float | None
    interval_level: float
    assumption: str | None
    days: list[ForecastDay]
    appliances: list[ApplianceAhead]
    scores: list[Score]
    recent: list[RecentDay]
    expected_bill: ExpectedBill | None
    currency: str | None


class Amount(Model):
    """An estimate between its bounds."""

    value: float
    low: float
    high: float


class Saving(Model):
    """What acting on a finding saves in a year."""

    kwh: Amount
    money: Amount | None
    carbon_kg: Amount | None


class Finding(Model):
    """Something worth telling."""

    id: str
    kind: str
    appliance: str | None
    text: str
    assumption: str
    confidence: str
    evidence: str = Field(description="A SELECT over the lake's tables that gives the leading figure again.")
    period: tuple[date, date] | None
    saving: Saving | None
    figures: dict[str, float]
    labels: dict[str, str]
    dismissed: bool


class Paragraph(Model):
    """A statement of the auditor's."""

    text: str
    assumption: str
    written_by: str
    findings: list[str]


class Audit(Model):
    """What the virtual auditor has to say."""

    paragraphs: list[Paragraph]
    written_by: str


class Findings(Model):
    """What is worth telling of a site, what is worth most money first."""

    findings: list[Finding]
    audit: Audit | None
    currency: str | None


class BillLine(Model):
    """A line of a bill. Decimals are strings, so that not a cent is lost."""

    first: date
    end: date
    charge: str
    what: str
    quantity: str
    unit: str
    unit_price: str
    share: str
    amount: str


class BillMonth(Model):
    """A calendar month of a bill."""

    month: str
    kwh: str
    total: str
    lines: list[BillLine]


class Bill(Model):
    """A bill of local days, `end` exclusive."""

    tariff: str
    currency: str
    source: str
    start: date
    end: date
    kwh: str
    exported_kwh: str
    total: str
    days_without_readings: int
    days_with_gaps: int
    assumptions: list[str]
    months: list[BillMonth]


class TariffTotal(Model):
    """The bill of the newest year under one tariff."""

    name: str
    source: str
    is_current: bool
    total: float
    saving: float
    saving_percent: float | None


class Tariffs(Model):
    """The same days under several tariffs, the cheapest first."""

    current: str
    currency: str
    start: date | None
    end: date | None
    tariffs: list[TariffTotal]


class WhatIf(Model):
    """An appliance moved to other hours of each day."""

    appliance: str
    from_hour: int
    to_hour: int
    currency: str
    start: date
    end: date
    days: int
    cost_as_read: float
    cost_moved: float
    saving: float
    saving_per_year: float | None
    kwh_by_hour_as_read: list[float]
    kwh_by_hour_moved: list[float]
    proved: bool
    note: str | None


class DayCoverage(Model):
    """How much of a day was read."""

    day: date
    coverage: float | None
    complete: bool


class Gap(Model):
    """Intervals of an appliance that are missing between two readings."""

    appliance: str
    start: str
    end: str
    missing_intervals: int


class Coverage(Model):
    """What was read, and what is missing."""

    days: list[DayCoverage]
    gaps: list[Gap]


class Run(Model):
    """A run, in short."""

    stamp: str
    status: Literal["succeeded", "failed"]
    site: str
    key: str
    uploaded_at: str
    size_bytes: int
    rows_read: int | None
    rows_accepted: int | None
    rejected_by_reason: dict[str, int]
    error: str | None
    version: str


class Runs(Model):
    """Runs of a site, the newest first."""

    runs: list[Run]
    next_cursor: str | None


class Rejected(Model):
    """A row that was refused."""

    line_number: int | None
    raw_text: str
    reason: str


class Upload(Model):
    """An upload and what became of it."""

    key: str
    site: str
    uploaded_at: str
    size_bytes: int
    state: Literal["waiting", "running", "succeeded", "failed"]
    stamp: str | None
    error: str | None
    rows_read: int | None
    rows_accepted: int | None
    rejected_by_reason: dict[str, int]
    rejected: list[Rejected] = Field(description="The first rows that were refused.")
    notes: list[str] = Field(description="What to do about refused rows, and what is doubtful about the others.")


class Uploads(Model):
    """The newest uploads of a site."""

    uploads: list[Upload]


class Target(Model):
    """How a browser sends a file."""

    method: Literal["POST"]
    url: str
    fields: dict[str, str] | None = Field(description="Of the form, before the file; null where the body is the file.")
    key: str


class State(Model):
    """What to look at to see whether there is something new."""

    version: str
    newest_run: str | None
    waiting: int


Record = dict[str, Any]
"""The full record of a run, as the lake holds it."""
