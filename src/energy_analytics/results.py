"""What an analysis found, as plain data: the shapes that stages hand to each other.

Tables with a row per reading stay in the engine (`hourly`, `anomalies`); these hold what fits on a page.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class ApplianceTotal:
    """One appliance over the whole history. `std_kwh` is None for one reading, `step_minutes` if unknown."""

    appliance: str
    total_kwh: float
    avg_kwh: float
    std_kwh: float | None
    count: int
    peak_hour: int
    step_minutes: float | None
    first: datetime
    last: datetime
    """Local start of the first and of the last interval."""
    hourly_profile_kwh: tuple[float | None, ...]
    """24 values: mean energy used in that local hour of a day, kWh; None where the hour has no reading.
    Empty for a step longer than an hour, where it would mean nothing."""


@dataclass(frozen=True, slots=True)
class DayTotal:
    """The site's energy on one local day that has at least one reading."""

    day: date
    kwh: float
    coverage: float
    """Share of the expected time covered by readings, all appliances together, 0 to 1."""
    complete: bool
    by_appliance_kwh: Mapping[str, float]
    """Of the 50 largest appliances, those read on the day."""


@dataclass(frozen=True, slots=True)
class PeakHour:
    """The local hour in which the site used the most energy."""

    start: datetime
    kwh: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive intervals of one appliance that are missing between two readings."""

    appliance: str
    start: datetime
    end: datetime
    """Local start of the first missing interval and of the next reading."""
    missing_intervals: int


@dataclass(frozen=True, slots=True)
class Quality:
    """What arrived and what could not be used, over the site's whole history."""

    rows_read: int
    rows_accepted: int
    rejected_by_reason: Mapping[str, int]
    replaced_by_later_upload: int
    gap_count: int
    missing_intervals: int
    longest_gaps: tuple[Gap, ...]
    incomplete_days: tuple[date, ...]
    notes: tuple[str, ...] = ()
    """Whole sentences for the reader, such as on an encoding that was detected."""
    doubts: tuple[str, ...] = ()
    """The same, of what may make the figures wrong."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One reading above its appliance's threshold (the spec's mean + 2 sigma)."""

    timestamp: datetime
    appliance: str
    kwh: float
    threshold: float
    z_score: float


@dataclass(frozen=True, slots=True)
class AnomalySummary:
    """How many readings were flagged, where, and the most extreme of them."""

    count: int
    sigma: float
    by_appliance: Mapping[str, int]
    top: tuple[Anomaly, ...]


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of time in which an appliance did not behave as it usually does."""

    id: str
    start: datetime
    end: datetime
    """Local start of its first interval and end of its last."""
    appliance: str
    kind: str
    actual_kwh: float
    expected_kwh: float
    excess_kwh: float
    severity: float
    """1 just worth an alarm, at most 10."""
    reason: str


@dataclass(frozen=True, slots=True)
class EpisodeFound(Episode):
    """An episode as a run reports it, beside what the run before it reported."""

    status: str
    """`open` (it reaches the last day read), `closed`, or `withdrawn` (reported before, no longer unusual)."""


@dataclass(frozen=True, slots=True)
class ForecastDay:
    """One day ahead: energy of the site and its prediction interval, kWh."""

    day: date
    yhat: float
    yhat_lower: float
    yhat_upper: float


@dataclass(frozen=True, slots=True)
class ModelScore:
    """How a model did on the site's own past, over the same days as the others."""

    model: str
    mase: float
    """Mean absolute error over that of repeating the last week, of the year before each forecast; lower is better."""
    wape: float
    """Sum of absolute errors over sum of energy."""
    coverage: float
    """Share of the days inside the prediction interval."""
    origins: int
    days: int
    """Forecasts made, and days that they could be compared on."""
    seconds: float
    """Time to score it: the only figure of a run that may differ from one run to the next."""


SCORES_IN_WORDS: Final = (
    "MASE: mean error against that of repeating the last week, over the year before the forecast; lower is better. "
    "WAPE: errors as a share of the energy."
)


@dataclass(frozen=True, slots=True)
class Forecast:
    """The next seven local days; no days when the history has no complete day."""

    model: str
    """The model that made it, a name in `forecasting.MODELS`, or `none`."""
    days: tuple[ForecastDay, ...]
    trained_on_days: int
    assumption: str
    """What the figures rest on, in a sentence for the reader."""
    measured_coverage: float | None = None
    """Share of past days that fell inside intervals made the same way; None when it was not measured."""
    scores: tuple[ModelScore, ...] = ()
    """The scoreboard on the site's own past; empty when only one model was asked for."""


@dataclass(frozen=True, slots=True)
class ApplianceForecast:
    """The same days for one appliance; of a day, all appliances sum to the site."""

    appliance: str
    model: str
    days: tuple[ForecastDay, ...]


@dataclass(frozen=True, slots=True)
class Decomposition:
    """The site's days from `first_day` on taken apart, kWh; the four parts of a day sum to it.

    NaN in `kwh` and `residual_kwh` where the day is not complete.
    """

    first_day: date
    kwh: tuple[float, ...]
    trend_kwh: tuple[float, ...]
    weekly_kwh: tuple[float, ...]
    yearly_kwh: tuple[float, ...]
    residual_kwh: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class IdleLevel:
    """What an appliance takes while it does nothing, over its last whole hours: see `idle`."""

    appliance: str
    level_kw: float
    """Power that three of four hours reach."""
    hours: int
    """Hours looked at."""
    idle_share: float
    """Share of them at this level, give or take 10 %."""
    active_share: float
    """Share of them at three times the level or more."""
    first: date
    last: date
    """First and last day looked at."""


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """The tariff behind every amount."""

    name: str
    currency: str
    source: str
    terms: str
    """The price of a kWh on the last day read with the tariff's name, as it stands beside an amount."""
    is_default: bool
    """Whether it stands in because the site has no price of its own."""
    mean_price_per_kwh: float
    """What a kWh cost on average over the last year, with the taxes on energy: for estimates that know no hours."""
    mean_price_name: str


@dataclass(frozen=True, slots=True)
class MonthCost:
    """The bill of one calendar month, or of the part of it that was read."""

    month: date
    kwh: float
    total: Decimal


@dataclass(frozen=True, slots=True)
class BillTotal:
    """The bill of the whole history, month by month. Days from `start` to `end`, exclusive."""

    start: date
    end: date
    months: tuple[MonthCost, ...]
    total: Decimal
    fed_in_kwh: float
    days_without_readings: int
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CarbonTotal:
    """What the energy of the whole history emitted, kg of CO2."""

    name: str
    source: str
    terms: str
    is_default: bool
    kg: float
    by_appliance_kg: Mapping[str, float]
    by_day_kg: Mapping[date, float]
    without_hour_percent: float
    """Part of the energy for whose hour the factor is the file's mean."""
    mean_g_per_kwh: float


@dataclass(frozen=True, slots=True)
class ForecastCost:
    """What the energy of one day ahead costs, and its interval."""

    day: date
    cost: Decimal
    lower: Decimal
    upper: Decimal


@dataclass(frozen=True, slots=True)
class ExpectedTotal:
    """The bill of the month in which the forecast begins, with its interval."""

    month: date
    days: int
    days_read: int
    total: Decimal
    lower: Decimal
    upper: Decimal
    assumption: str


@dataclass(frozen=True, slots=True)
class TariffTotal:
    """The bill of the last year, as far as it was read, under one tariff. `saving` is negative where it costs more."""

    name: str
    source: str
    is_current: bool
    total: Decimal
    saving: Decimal
    saving_percent: float | None
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same days under each tariff, the cheapest first. Days from `start` to `end`, exclusive."""

    start: date
    end: date
    tariffs: tuple[TariffTotal, ...]


@dataclass(frozen=True, slots=True)
class MovedAppliance:
    """One appliance at the cheapest hours of each day: its cost, with taxes on energy, as it ran and would have run."""

    appliance: str
    kwh_per_day: float
    days_moved: int
    cost_as_read: Decimal
    cost_moved: Decimal
    kwh_by_hour_as_read: tuple[float, ...]
    kwh_by_hour_moved: tuple[float, ...]
    """24 values each: mean energy in that local hour of a day."""

    @property
    def saving(self) -> Decimal:
        """What the other hours save; negative where it makes room for something dearer."""
        return self.cost_as_read - self.cost_moved


@dataclass(frozen=True, slots=True)
class ShiftingTotal:
    """What moving the appliances that can wait would have saved. Days from `start` to `end`, exclusive."""

    start: date
    end: date
    days: int
    """Days with readings."""
    saving: Decimal
    saving_per_year: float | None
    demand_saving: Decimal
    moved: tuple[MovedAppliance, ...]
    skipped: tuple[str, ...]
    """Appliances whose readings are too long to tell hours."""
    proved: bool
    """Whether nothing saves more."""


@dataclass(frozen=True, slots=True)
class Money:
    """What the energy cost and emitted. Amounts are of energy, with the taxes on it, where not called a bill."""

    price: PriceTerms
    unpriced: str
    """Why no amount is told, a sentence; empty where amounts are told. All amounts below are then absent."""
    cost: Decimal
    """Sum of the appliances."""
    by_appliance: Mapping[str, Decimal]
    """Negative for a register that feeds in, and earns."""
    by_day: Mapping[date, Decimal]
    bill: BillTotal | None
    carbon: CarbonTotal
    ahead: tuple[ForecastCost, ...] = ()
    expected: ExpectedTotal | None = None
    comparison: Comparison | None = None
    shifting: ShiftingTotal | None = None
    """None where no appliance can wait, or no hour is cheaper than another."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that a report tells about one site."""

    site: str
    """Empty for the root site."""
    timezone: str | None
    """IANA name, or None for a clock without daylight saving."""
    first: datetime
    last: datetime
    """Local start of the first and of the last interval."""
    total_kwh: float
    appliances: tuple[ApplianceTotal, ...]
    """Largest total first."""
    days: tuple[DayTotal, ...]
    """In order; a day without any reading is absent."""
    peak_hour: PeakHour | None
    """None when no appliance has a step of an hour or less."""
    baseload_kw: float | None
    """5th percentile of the site's hourly energy; None with fewer than 168 such hours."""
    quality: Quality
    anomalies: AnomalySummary
    forecast: Forecast
    episodes: tuple[EpisodeFound, ...] = ()
    """In order of start."""
    appliance_forecasts: tuple[ApplianceForecast, ...] = ()
    decomposition: Decomposition | None = None
    """None without a complete day."""
    idle_levels: tuple[IdleLevel, ...] = ()
    """Of the largest appliances those that are never off and do not cycle, largest level first."""
    temperature_c: Mapping[date, float] | None = None
    """Mean outdoor temperature by day; None where the user gave none."""
    money: Money | None = None
    """What a run always has; None where only energy was looked at."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An estimate between its bounds."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Saving:
    """What acting on a finding saves in a year. Money is in the finding's `currency`, None without a price."""

    kwh: Amount
    money: Amount | None
    carbon_kg: Amount | None
    """CO2 equivalent."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth telling, as data. Words are made from it elsewhere and add no number of their own."""

    kind: str
    appliance: str | None
    figures: Mapping[str, float]
    """Values by name; the unit ends the name: `total_kwh`, `share_percent`, `saving_kwh_per_year`. An estimate
    `x_per_year` may have bounds `x_per_year_low` and `x_per_year_high`. Amounts of money have no unit in the name:
    they are in the label `currency`."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Names and dates that the words need: `weekday`, `since`, `upgrade`."""
    assumption: str = ""
    """What an estimate among the figures rests on; empty when every figure is a plain sum."""
    about: str = ""
    """What tells it from others of the kind and appliance, without any figure: an episode's id. Mostly empty."""
    period: tuple[date, date] | None = None
    """First and last local day that the figures rest on."""
    confidence: str = "high"
    """`high` for what was measured, `medium` for measurements scaled up or taken apart, `low` where an outside
    figure for homes in general decides."""
    evidence: str = ""
    """One SELECT over the lake's tables that gives the leading figure again, for `energy query` and for Athena."""

    @property
    def id(self) -> str:
        """Eight hex digits that stay the same over the runs of a site as long as the matter does."""
        matter = "\x1f".join((self.kind, self.appliance or "", self.about))
        return hashlib.sha256(matter.encode()).hexdigest()[:8]

    @property
    def saving(self) -> Saving | None:
        """What acting on it saves in a year; None for what is only worth knowing."""
        kwh = self._amount("saving_kwh_per_year")
        if kwh is None:
            return None
        return Saving(kwh, self._amount("saving_per_year"), self._amount("saving_carbon_kg_per_year"))

    def _amount(self, name: str) -> Amount | None:
        if name not in self.figures:
            return None
        value = self.figures[name]
        return Amount(value, self.figures.get(f"{name}_low", value), self.figures.get(f"{name}_high", value))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A statement for the reader and the assumption it rests on (empty when it is no estimate)."""

    text: str
    assumption: str = ""
    findings: tuple[str, ...] = ()
    """Ids of the findings that it tells; empty for a remark that needs none."""
    written_by: str = "rules"
    """`rules`, or the name of a language model."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a language model was asked, and what came of it."""

    provider: str
    model: str
    host: str
    """Where the model was reached; empty when it was not even known where."""
    question: str
    """Hash of all that was to be sent: the same question need not be paid for twice."""
    findings: int
    fields: tuple[str, ...]
    """How many findings were to be sent, and what of each."""
    calls: int
    """Requests sent; 0 means that nothing left the machine."""
    input_tokens: int
    output_tokens: int
    estimated: bool
    """Whether the tokens are an estimate of ours, because a server did not tell them."""
    seconds: float
    cost: float | None
    """In `currency`; None when no prices are set."""
    currency: str
    outcome: str
    """Empty when it answered; else why not, as a sentence of ours."""
    drafts: Mapping[str, str] = field(default_factory=dict)
    """Texts that were accepted, by section, with references in place of figures."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """What was wrong with the others, by section."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What the insights assistant and the virtual auditor have to say, and who wrote it."""

    insights: tuple[Paragraph, ...]
    auditor: tuple[Paragraph, ...]
    written_by: str
    """`rules`, or the name of the language model that wrote at least one paragraph."""
    asked: Asked | None = None
    """None when no language model was to be asked."""
