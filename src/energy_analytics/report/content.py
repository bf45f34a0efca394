"""What the report says, in the order it says it; text and page only lay it out differently."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from energy_analytics import words
from energy_analytics.report import authorship, costs, happenings, outlook
from energy_analytics.report.quality import Row, gap_rows, quality_rows
from energy_analytics.results import (
    SCORES_IN_WORDS,
    Advice,
    Analysis,
    AnomalySummary,
    ApplianceTotal,
    Paragraph,
)

SHARES_SHOWN: Final = 10
ANOMALIES_SHOWN: Final = 10
_BUSY: Final = 1.01
"""Times the mean hour of the day: from there on an hour is busy."""


@dataclass(frozen=True, slots=True)
class Share:
    """One line of the shares: an appliance, or all that are too small to be listed."""

    name: str
    kwh: float
    percent: float
    peak_hour: str
    cost: str
    """Empty where no amount is told."""
    co2: str


@dataclass(frozen=True, slots=True)
class Content:
    """The finished sentences and rows of a report."""

    title: str
    period: str
    source: str
    clock: str
    summary: tuple[Row, ...]
    shares: tuple[Share, ...]
    spending: costs.Spending | None
    quality: tuple[Row, ...]
    gaps: tuple[tuple[str, str, str, str], ...]
    notes: tuple[str, ...]
    insights: tuple[Paragraph, ...]
    auditor: tuple[Paragraph, ...]
    written_by: tuple[str, ...]
    episodes: str
    episode_rows: tuple[tuple[str, str, str, str, str], ...]
    anomalies: str
    anomaly_counts: tuple[Row, ...]
    top_anomalies: tuple[tuple[str, str, str, str, str], ...]
    forecast: tuple[str, ...]
    forecast_assumption: str
    scoreboard: tuple[tuple[str, str, str, str], ...]
    scores_in_words: str
    prediction_columns: tuple[str, ...]
    predictions: tuple[tuple[str, ...], ...]
    seasons: tuple[str, ...]


def build(analysis: Analysis, advice: Advice, *, source_name: str, dismissed: Collection[str]) -> Content:
    """Put the report into words."""
    first, last = words.day(analysis.first), words.day(analysis.last)
    predictions = _predictions(analysis)
    return Content(
        title=words.name(analysis.site) if analysis.site else "",
        period=first if first == last else f"{first} to {last}",
        source=words.name(source_name, limit=80),
        clock=_clock(analysis.timezone),
        summary=_summary(analysis),
        shares=shares(analysis),
        spending=costs.spending(analysis.money),
        quality=quality_rows(analysis.quality),
        gaps=gap_rows(analysis.quality.longest_gaps),
        notes=tuple(words.name(note, limit=400) for note in (*analysis.quality.doubts, *analysis.quality.notes)),
        insights=authorship.signed(advice.insights, advice),
        auditor=authorship.signed(advice.auditor, advice),
        written_by=authorship.account(advice),
        episodes=happenings.episodes_in_words(analysis.episodes, dismissed=dismissed),
        episode_rows=happenings.episode_rows(analysis.episodes, dismissed=dismissed),
        anomalies=_anomalies(analysis.anomalies),
        anomaly_counts=_anomaly_counts(analysis.anomalies),
        top_anomalies=_top_anomalies(analysis.anomalies),
        forecast=outlook.sentences(analysis.forecast) + costs.ahead_sentences(analysis.money),
        forecast_assumption=analysis.forecast.assumption if analysis.forecast.days else "",
        scoreboard=outlook.scoreboard(analysis.forecast),
        scores_in_words=SCORES_IN_WORDS,
        prediction_columns=predictions[0],
        predictions=predictions[1],
        seasons=outlook.seasons(analysis.decomposition),
    )  # fmt: skip


def shares(analysis: Analysis) -> tuple[Share, ...]:
    """List the largest appliances with their share, and all others as one."""

    def percent(kwh: float) -> float:
        return 100 * kwh / analysis.total_kwh if analysis.total_kwh > 0 else 0.0

    def line(name: str, some: Sequence[ApplianceTotal], peak_hour: str) -> Share:
        kwh, names = sum(one.total_kwh for one in some), [one.appliance for one in some]
        money = analysis.money
        return Share(name, kwh, percent(kwh), peak_hour, costs.cost_of(money, names), costs.carbon_of(money, names))

    shown = analysis.appliances[:SHARES_SHOWN]
    others = analysis.appliances[SHARES_SHOWN:]
    if len(others) == 1:
        shown, others = analysis.appliances, ()
    lines = [line(words.name(one.appliance), [one], _peak_hour(one)) for one in shown]
    if others:
        lines.append(line(others_name(len(others)), others, ""))
    return tuple(lines)


def others_name(count: int) -> str:
    """Name the line that stands for all that are too small for one of their own."""
    return f"All {words.number(count, decimals=0)} others"


def _predictions(analysis: Analysis) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the names of the columns, and the days ahead with what each costs where amounts are told."""
    columns, rows = ("Day", "Expected", "Low", "High"), outlook.predictions(analysis.forecast)
    money, amounts = analysis.money, costs.ahead_costs(analysis.money, analysis.forecast.days)
    if money is None or not amounts:
        return columns, rows
    priced = tuple((*row, amount) for row, amount in zip(rows, amounts, strict=True))
    return (*columns, f"Cost, {money.price.currency}"), priced


def _peak_hour(one: ApplianceTotal) -> str:
    return _hour(one.peak_hour) if one.total_kwh > 0 and one.hourly_profile_kwh else ""


def _hour(hour: int) -> str:
    return f"{words.clock(hour)} to {words.clock(hour + 1)}"


def _clock(timezone: str | None) -> str:
    if timezone is None:
        return "Times are those of the readings, taken as a clock without daylight saving time."
    return f"Times are local, {words.name(timezone)}."


def _summary(analysis: Analysis) -> tuple[Row, ...]:
    complete = [day.kwh for day in analysis.days if day.complete]
    rows = [Row("Total", words.energy(analysis.total_kwh))]
    if complete:
        days = words.count(len(complete), "complete day")
        rows.append(Row("Per day", f"{words.energy(fmean(complete))} (mean of {days})"))
    else:
        rows.append(Row("Per day", "not told: no day is complete"))
    rows.append(Row("Appliances or meters", words.number(len(analysis.appliances), decimals=0)))
    window = _busiest_hours(analysis)
    if window:
        rows.append(Row("Busiest hours", window))
    if analysis.peak_hour is not None and analysis.peak_hour.kwh > 0:
        start = analysis.peak_hour.start
        when = f"{words.day(start)}, {_hour(start.hour)}"
        rows.append(Row("Peak hour", f"{words.energy(analysis.peak_hour.kwh)} on {when}"))
    if analysis.baseload_kw is not None:
        rows.append(Row("Baseload", f"{words.power(analysis.baseload_kw)} (95 of 100 hours take more)"))
    return tuple(rows)


def _busiest_hours(analysis: Analysis) -> str:
    """Name the hours of the day with the highest mean use, at most three, all of them above the mean of the day."""
    profiles = [one.hourly_profile_kwh for one in analysis.appliances if one.hourly_profile_kwh]
    by_hour = [sum(profile[hour] or 0.0 for profile in profiles) for hour in range(24)] if profiles else []
    used = sorted((-kwh, hour) for hour, kwh in enumerate(by_hour) if 24 * kwh > _BUSY * sum(by_hour))
    return ", ".join(f"{_hour(hour)} ({words.energy(-kwh)})" for kwh, hour in used[:3])


def _anomalies(summary: AnomalySummary) -> str:
    line = f"more than {summary.sigma:g} standard deviations above the appliance's mean"
    if not summary.count:
        return f"No reading is {line}."
    verb = "reading is" if summary.count == 1 else "readings are"
    return f"{words.number(summary.count, decimals=0)} {verb} {line}."


def _anomaly_counts(summary: AnomalySummary) -> tuple[Row, ...]:
    ranked = sorted(summary.by_appliance.items(), key=lambda item: (-item[1], item[0]))
    flagged = [(appliance, amount) for appliance, amount in ranked if amount]
    rows = [Row(words.name(appliance), words.number(amount, decimals=0)) for appliance, amount in flagged]
    if len(rows) <= SHARES_SHOWN + 1:
        return tuple(rows)
    rest = sum(amount for _, amount in flagged[SHARES_SHOWN:])
    others = Row(others_name(len(rows) - SHARES_SHOWN), words.number(rest, decimals=0))
    return (*rows[:SHARES_SHOWN], others)


def _top_anomalies(summary: AnomalySummary) -> tuple[tuple[str, str, str, str, str], ...]:
    return tuple(
        (
            words.moment(one.timestamp),
            words.name(one.appliance),
            words.energy(one.kwh),
            words.energy(one.threshold),
            words.number(one.z_score, decimals=1),
        )
        for one in summary.top[:ANOMALIES_SHOWN]
    )
