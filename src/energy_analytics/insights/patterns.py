"""How energy is used, in words: totals, times of day and week, trend, the week ahead, what looks wrong."""

from collections.abc import Sequence

from energy_analytics import words
from energy_analytics.insights.phrases import compared, energy_and_money, named
from energy_analytics.results import Finding


def overview(findings: Sequence[Finding]) -> str:
    """Tell total, mean day and year."""
    finding = findings[0]
    figures, first, last = finding.figures, finding.labels["first"], finding.labels["last"]
    when = f"on {first}" if first == last else f"from {first} to {last}"
    text = f"Energy used {when}: {words.energy(figures['total_kwh'])}"
    if "kwh_per_day" in figures:
        text += f", or {words.energy(figures['kwh_per_day'])} on an average complete day"
    if "kwh_per_year" in figures:
        text += f". A year comes to {energy_and_money(finding, 'kwh_per_year', 'cost_per_year')}"
    return f"{text}."


def stopped(findings: Sequence[Finding]) -> str:
    """Tell an appliance that reports, but no energy."""
    finding = findings[0]
    before = words.energy(finding.figures["before_kwh_per_day"])
    return (
        f"Check {named(finding)}: it has used nothing since {finding.labels['since']}, after {before} a day "
        "before that. If nobody switched it off, it may be broken or a fuse may have tripped."
    )


def silent(findings: Sequence[Finding]) -> str:
    """Tell the appliances that no longer report."""
    names = words.listing([f"{named(one)} (last reading {one.labels['since']})" for one in findings])
    many = len(findings) > 1
    days = words.count(int(min(one.figures["silent_days"] for one in findings)), "day")
    return (
        f"Check the {'meters' if many else 'meter'} of {names}: {'they' if many else 'it'} fell silent "
        f"{f'at least {days}' if many else days} before the last of the others. What "
        f"{'they' if many else 'it'} used since is in none of these figures."
    )


def busiest_hours(findings: Sequence[Finding]) -> str:
    """Tell the peak of the day and who makes it."""
    finding = findings[0]
    figures, labels = finding.figures, finding.labels
    text = (
        f"The {figures['hours']:.0f} busiest hours of the day run from {labels['from']} to {labels['to']}. "
        f"They take {words.energy(figures['kwh_per_day'])}, {words.percent(figures['share_percent'])} of "
        f"the day; an even spread would give them {figures['even_share_percent']:g} %."
    )
    if finding.appliance is not None:
        text += f" {words.percent(figures['top_share_percent'])} of it goes to {named(finding)}."
    return text


def night(findings: Sequence[Finding]) -> str:
    """Tell the use while most people sleep."""
    finding = findings[0]
    figures, labels = finding.figures, finding.labels
    text = (
        f"The night, from {labels['from']} to {labels['to']}, takes "
        f"{words.energy(figures['kwh_per_night'])}: {words.power(figures['mean_kw'])} on average, and "
        f"{words.percent(figures['share_percent'])} of the day."
    )
    if figures["share_percent"] > figures["even_share_percent"]:
        text += " That is more than an even spread: much of the use happens while most people sleep."
    return text


def weekend(findings: Sequence[Finding]) -> str:
    """Tell Saturday and Sunday against the other days."""
    finding = findings[0]
    figures = finding.figures
    text = (
        f"A weekend day takes {words.energy(figures['weekend_day_kwh'])}, "
        f"{compared(figures['change_percent'])} a weekday ({words.energy(figures['weekday_kwh'])})."
    )
    if "busiest_kwh" not in figures:
        return text
    busiest_kwh = words.energy(figures["busiest_kwh"])
    return f"{text} {finding.labels['busiest']} is the heaviest day of the week with {busiest_kwh}."


def trend(findings: Sequence[Finding]) -> str:
    """Tell the last four weeks against those before and a year ago."""
    finding = findings[0]
    figures, labels = finding.figures, finding.labels
    days, comparisons = f"{figures['days']:.0f}", []
    if "change_percent" in figures:
        before = words.energy(figures["before_kwh_per_day"])
        comparisons.append(f"{compared(figures['change_percent'])} the {days} before ({before})")
        comparisons[-1] += _weather(finding, "")
    if "last_year_change_percent" in figures:
        change, last_year = (
            figures["last_year_change_percent"],
            words.energy(figures["last_year_kwh_per_day"]),
        )
        comparisons.append(f"{compared(change)} in the same weeks a year ago ({last_year})")
        comparisons[-1] += _weather(finding, "last_year_")
    text = (
        f"The last {days} complete days, {labels['since']} to {labels['until']}, took "
        f"{words.energy(figures['recent_kwh_per_day'])} a day: {words.listing(comparisons)}"
    )
    if finding.appliance is not None:
        change_kwh = figures["driver_change_kwh_per_day"]
        direction = "up" if change_kwh > 0 else "down"
        text += f". {named(finding)} changed most, {direction} by {words.energy(abs(change_kwh))} a day"
    return f"{text}."


def _weather(finding: Finding, prefix: str) -> str:
    """Tell what the weather did to a comparison; empty where it is not known."""
    if f"{prefix}weather_kwh_per_day" not in finding.figures:
        return ""
    due_kwh = finding.figures[f"{prefix}weather_kwh_per_day"]
    change = finding.figures[f"{prefix}weather_change_percent"]
    rest = f"{words.percent(abs(change))} {'more' if change > 0 else 'less'}"
    added = "added" if due_kwh > 0 else "took away"
    return f", where the weather {added} {words.energy(abs(due_kwh))} a day and everything else made it {rest}"


def episode(findings: Sequence[Finding]) -> str:
    """Tell stretches of unusual use and what they cost."""
    parts = []
    for one in findings:
        labels = one.labels
        still = ", and it may still go on" if labels["going_on"] else ""
        when = labels["since"] if labels["since"] == labels["until"] else f"{labels['since']} to {labels['until']}"
        parts.append(f"by {named(one)} {energy_and_money(one, 'excess_kwh', 'cost')}, {when}, {labels['what']}{still}")
    return f"At times far more than usual was used: {'; '.join(parts)}."


def forecast(findings: Sequence[Finding]) -> str:
    """Tell the week ahead against the recent mean."""
    finding = findings[0]
    figures = finding.figures
    return (
        f"The next {figures['days']:.0f} days should take about "
        f"{energy_and_money(finding, 'forecast_kwh', 'cost')}: "
        f"{words.energy(figures['forecast_kwh_per_day'])} a day, {compared(figures['change_percent'])} the "
        f"last {figures['recent_days']:.0f} complete days. {finding.labels['highest_day']} is expected to "
        f"be the highest, with {words.energy(figures['highest_kwh'])}."
    )


def anomalies(findings: Sequence[Finding]) -> str:
    """Tell which appliances were far above their mean most often."""
    counts = []
    for one in findings:
        share = one.figures.get("readings_percent")
        of_its_own = "" if share is None else f", {words.percent(share)} of its readings"
        counts.append(f"{named(one)} ({words.count(one.figures['flagged'], 'time')}{of_its_own})")
    text = f"Unusually high readings came most often from {words.listing(counts)}."
    for one in findings:
        if "highest_kwh" in one.figures:
            text += (
                f" The most extreme reading of {named(one)} was {words.energy(one.figures['highest_kwh'])} "
                f"on {one.labels['highest_at']}, where more than "
                f"{words.energy(one.figures['threshold_kwh'])} is unusual."
            )
            break
    return f"{text} An appliance that runs in bursts crosses this line in normal use, so look at the times."
