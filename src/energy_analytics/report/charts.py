"""The charts: inline SVG that stretches to any width while its text keeps its size.

Shapes sit in an inner SVG that is stretched; texts sit outside it at percentages of the width.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from markupsafe import Markup

from energy_analytics import words
from energy_analytics.report import axes, content, costs
from energy_analytics.results import Analysis, ForecastDay
from energy_analytics.schema import INTERVAL_LEVEL

RECENT_DAYS: Final = 28
SERIES_SHOWN: Final = 6
_HEIGHT: Final = 190
_TOP: Final = 18
_BOTTOM: Final = 26

Bar = tuple[float, float, float, float]
"""Left and width in slots, bottom and top in parts of the scale."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its caption and, where several colours are used, what each stands for."""

    svg: Markup
    caption: str
    legend: tuple[tuple[str, str], ...] = ()
    """Class of the colour, and what it stands for."""


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts of a report; None where there is nothing to draw."""

    recent: Chart | None
    history: Chart | None
    profile: Chart | None
    weekdays: Chart | None


def draw(analysis: Analysis) -> Charts:
    """Draw what the analysis allows."""
    return Charts(_recent(analysis), _history(analysis), _profile(analysis), _weekdays(analysis))


def _recent(analysis: Analysis) -> Chart | None:
    """Draw the last four weeks day by day, and the days ahead with their interval."""
    if not analysis.days:
        return None
    last = analysis.days[-1].day
    known = [day for day in analysis.days if (last - day.day).days < RECENT_DAYS]
    ahead = analysis.forecast.days
    span = (last - known[0].day).days + 1
    scale = axes.scale(max([day.kwh for day in known] + [day.yhat_upper for day in ahead]))
    top = scale.top_kwh
    at = {day.day: (day.day - known[0].day).days for day in known}
    groups = [
        ("measured", [(at[day.day] + 0.1, 0.8, 0.0, day.kwh / top) for day in known if day.complete]),
        ("incomplete", [(at[day.day] + 0.1, 0.8, 0.0, day.kwh / top) for day in known if not day.complete]),
        ("expected", [(span + n + 0.1, 0.8, 0.0, day.yhat / top) for n, day in enumerate(ahead)]),
        (
            "range",
            [_whisker(span + n, day, top) for n, day in enumerate(ahead)],
        ),
    ]
    slots = span + len(ahead)
    ticks = [(n + 0.5, words.short_day(day)) for day, n in at.items() if n % 7 == 0]
    if ahead:
        ticks = [tick for tick in ticks if tick[0] < span - 3] + [(span + 0.5, words.short_day(ahead[0].day))]
    caption = f"Energy per day, {words.day_span(known[0].day, last)}"
    caption += f", and the {words.count(len(ahead), 'day')} ahead" if ahead else ""
    meanings = {
        "measured": "measured",
        "incomplete": "incomplete day",
        "expected": "forecast",
        "range": f"{words.percent(100 * INTERVAL_LEVEL)} prediction interval",
    }
    legend = tuple((kind, meanings[kind]) for kind, bars in groups if bars)
    highest = max(known, key=lambda day: day.kwh)
    about = f"The highest measured day is {words.day(highest.day)} with {words.energy(highest.kwh)}."
    told = [(at[day.day], costs.day_in_words(day, analysis.money)) for day in known]
    told += [(span + n, costs.day_ahead_in_words(day, analysis.money)) for n, day in enumerate(ahead)]
    return Chart(_plot(groups, slots, scale, ticks, title=caption, about=about, told=told), caption, legend)


def _history(analysis: Analysis) -> Chart | None:
    """Draw the whole history; nothing when the last four weeks are all there is."""
    if not analysis.days or (analysis.days[-1].day - analysis.days[0].day).days < RECENT_DAYS + 7:
        return None
    all_buckets = axes.buckets(analysis.days)
    known = [kwh for kwh in all_buckets.kwh_per_day if kwh is not None]
    if not known:
        return None
    scale = axes.scale(max(known))
    bars = [
        (float(n), 1.0, 0.0, kwh / scale.top_kwh) for n, kwh in enumerate(all_buckets.kwh_per_day) if kwh is not None
    ]
    ticks = [(float(n), label) for n, label in axes.date_ticks(all_buckets.starts)]
    caption = "Energy per day over the whole period, complete days only"
    if all_buckets.noun != "day":
        caption += f"; averaged by {all_buckets.noun}, because there are too many days to draw each"
    about = f"Between {words.energy(min(known))} and {words.energy(max(known))} a day."
    groups = [("measured", bars)]
    return Chart(_plot(groups, len(all_buckets.starts), scale, ticks, title=caption, about=about), caption)


def _profile(analysis: Analysis) -> Chart | None:
    """Draw the mean day hour by hour, the largest appliances stacked and the others as one."""
    profiled = [one for one in analysis.appliances if one.hourly_profile_kwh and one.total_kwh > 0]
    if not profiled:
        return None
    shown = profiled[:SERIES_SHOWN] if len(profiled) > SERIES_SHOWN + 1 else profiled
    others = profiled[len(shown) :]
    series = [(words.name(one.appliance), [kwh or 0.0 for kwh in one.hourly_profile_kwh]) for one in shown]
    if others:
        rest = [sum(one.hourly_profile_kwh[hour] or 0.0 for one in others) for hour in range(24)]
        series.append((content.others_name(len(others)), rest))
    totals = [sum(values[hour] for _, values in series) for hour in range(24)]
    scale = axes.scale(max(totals))
    floor = [0.0] * 24
    groups: list[tuple[str, list[Bar]]] = []
    for number, (_, values) in enumerate(series):
        roof = [low + kwh / scale.top_kwh for low, kwh in zip(floor, values, strict=True)]
        groups.append((f"s{number}", [(h + 0.08, 0.84, floor[h], roof[h]) for h in range(24) if values[h] > 0]))
        floor = roof
    ticks = [(float(hour), words.clock(hour)) for hour in range(0, 24, 6)]
    caption = "Energy by hour of the day, mean of all days"
    busiest = max(range(24), key=lambda hour: totals[hour])
    about = f"The highest hour starts at {words.clock(busiest)} with {words.energy(totals[busiest])}."
    legend = tuple((f"s{number}", name) for number, (name, _) in enumerate(series))
    return Chart(_plot(groups, 24, scale, ticks, title=caption, about=about), caption, legend)


def _weekdays(analysis: Analysis) -> Chart | None:
    """Draw the mean complete day of each weekday; nothing until every weekday has one."""
    by_weekday = [
        [day.kwh for day in analysis.days if day.complete and day.day.weekday() == weekday] for weekday in range(7)
    ]
    if not all(by_weekday):
        return None
    means = [fmean(values) for values in by_weekday]
    scale = axes.scale(max(means))
    bars = [(n + 0.15, 0.7, 0.0, kwh / scale.top_kwh) for n, kwh in enumerate(means)]
    ticks = [(n + 0.5, name[:3]) for n, name in enumerate(words.WEEKDAYS)]
    caption = "Energy per day by day of the week, mean of complete days"
    about = "; ".join(f"{name} {words.energy(kwh)}" for name, kwh in zip(words.WEEKDAYS, means, strict=True))
    return Chart(_plot([("measured", bars)], 7, scale, ticks, title=caption, about=about), caption)


def _plot(
    groups: Sequence[tuple[str, Sequence[Bar]]],
    slots: int,
    scale: axes.Scale,
    ticks: Iterable[tuple[float, str]],
    *,
    title: str,
    about: str,
    told: Sequence[tuple[int, str]] = (),
) -> Markup:
    """Draw bars over a grid, with labels left of the grid lines and below the ground line.

    `told` is what a slot says where it is pointed at.
    """
    paths = Markup("").join(
        Markup('<path class="{}" d="{}"/>').format(kind, "".join(_bar(bar) for bar in bars))
        for kind, bars in groups
        if bars
    )
    paths += Markup("").join(
        Markup('<rect class="tip" x="{}" width="100" height="1000"><title>{}</title></rect>').format(100 * slot, text)
        for slot, text in told
    )
    lines = Markup("").join(
        Markup('<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(_y(height))
        for height, _ in scale.ticks
    )
    labels = Markup("").join(
        Markup('<text class="label" x="-8" y="{}" text-anchor="end">{}</text>').format(_y(height) + 4, label)
        for height, label in scale.ticks
    )
    below = Markup("").join(_tick(place / slots, label) for place, label in ticks)
    return Markup(
        '<svg class="plot" role="img" width="100%" height="{total}"><title>{title}</title>'
        "<desc>{about}</desc>{lines}"
        '<svg x="0" y="{top}" width="100%" height="{height}" viewBox="0 0 {width} 1000" '
        'preserveAspectRatio="none">{paths}</svg>{labels}{below}</svg>'
    ).format(
        total=_TOP + _HEIGHT + _BOTTOM,
        title=title,
        about=about,
        lines=lines,
        top=_TOP,
        height=_HEIGHT,
        width=100 * slots,
        paths=paths,
        labels=labels,
        below=below,
    )


def _whisker(slot: int, day: ForecastDay, top_kwh: float) -> Bar:
    return slot + 0.36, 0.28, day.yhat_lower / top_kwh, day.yhat_upper / top_kwh


def _tick(place: float, label: str) -> Markup:
    anchor = "end" if place > 0.94 else "middle"
    return Markup('<text class="label" x="{}%" y="{}" text-anchor="{}">{}</text>').format(
        f"{100 * place:.2f}", _TOP + _HEIGHT + 18, anchor, label
    )


def _y(height: float) -> int:
    return round(_TOP + _HEIGHT * (1 - height))


def _bar(bar: Bar) -> str:
    left, width, bottom, top = bar
    high, low = round(1000 * (1 - top)), round(1000 * (1 - bottom))
    return f"M{round(100 * left)} {low}V{high}h{round(100 * width)}V{low}z"
