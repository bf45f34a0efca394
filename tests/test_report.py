import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest
from homes import EVENING, FLAT_10, home, one_row, with_anomaly, with_forecast
from hypothesis import given
from hypothesis import strategies as st

from energy_analytics import words
from energy_analytics.findings import find
from energy_analytics.insights import PROVIDERS
from energy_analytics.report import axes, render_html, render_text
from energy_analytics.results import Analysis, Forecast, ForecastDay, Gap, ModelScore
from energy_analytics.tariff import default_price

HOSTILE = [
    "<script>alert(1)</script>",
    '" onload="alert(1)',
    "=cmd()|' /C calc'!A0",
    "two\nlines\tand a tab",
    "👩‍👩‍👧 kitchen 🔌",
    "right \u202e left",
    "{{ 7 * 7 }}",
    "x" * 10_000,
    "",
    "naïve café",
]
VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """Checks nesting, and keeps tags, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def text(analysis: Analysis, source_name: str = "home.csv") -> str:
    advice = PROVIDERS["rules"](find(analysis, price=default_price()))
    return render_text(analysis, advice, source_name=source_name)


def html(analysis: Analysis, source_name: str = "home.csv") -> str:
    advice = PROVIDERS["rules"](find(analysis, price=default_price()))
    return render_html(analysis, advice, source_name=source_name)


FULL = with_forecast(with_anomaly(home({"AC": EVENING, "Fridge": FLAT_10}, days=120, baseload_kw=0.2), "AC"), 19.5)
CASES = {
    "full": FULL,
    "one row": one_row(0.25),
    "one row of zero": one_row(),
    "one appliance": home({"Meter": FLAT_10}),
    "zero energy": home({"A": (0.0,) * 24, "B": (0.0,) * 24}, baseload_kw=0.0),
    "1970": with_forecast(home({"A": FLAT_10}, start=date(1970, 1, 1)), 10),
    "2100": with_forecast(home({"A": FLAT_10}, start=date(2099, 12, 25)), 10),
    "a state": with_forecast(home({"State": (4e6,) * 24}, days=40, baseload_kw=3e6), 9.6e7),
    "milliwatts": home({"Sensor": (2e-7,) * 24}, days=40),
    "twenty years": home({"A": FLAT_10}, days=7400),
    "hostile": home(dict.fromkeys(HOSTILE, EVENING), days=20),
}


@pytest.mark.parametrize("analysis", CASES.values(), ids=CASES.keys())
def test_any_home_gets_a_whole_report(analysis: Analysis) -> None:
    plain, page = text(analysis), Page(html(analysis))
    for heading in ("Executive Summary", "Insights", "Auditor", "Forecast Summary", "Daily Predictions"):
        assert heading in plain
        assert heading in page.text
    assert not re.search(r"\bnan\b|\binf\b|\bNone\b|yhat|z_score|_kwh|_percent", plain + page.text)
    assert all(len(line) <= 100 for line in plain.splitlines())


@pytest.mark.parametrize("analysis", CASES.values(), ids=CASES.keys())
def test_the_page_runs_and_fetches_nothing(analysis: Analysis) -> None:
    page = Page(source := html(analysis))
    assert not {"script", "iframe", "img", "link", "object", "form"} & {tag for tag, _ in page.tags}
    assert not re.search(r"https?://|url\(|@import|javascript:", source)
    for tag, attributes in page.tags:
        allowed = tag in ("meta", "html") or not any(name.startswith("on") for name in attributes)
        assert allowed
        assert not {"src", "href", "xlink:href", "style"} & attributes.keys()


def test_charts_and_tables_can_be_read_aloud() -> None:
    page = Page(html(FULL))
    tags = [tag for tag, _ in page.tags]
    charts = [attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("role") == "img"]
    assert len(charts) == 4
    assert tags.count("desc") == 4
    assert tags.count("caption") == tags.count("table")
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in page.tags if tag == "th")
    assert ("html", {"lang": "en"}) in page.tags


def test_equal_input_gives_equal_bytes() -> None:
    assert html(FULL) == html(replace(FULL))
    assert text(FULL) == text(replace(FULL))


def test_hostile_names_are_shown_and_do_nothing() -> None:
    analysis = replace(CASES["hostile"], site="<b>plant</b>")
    source, plain = html(analysis, "<i>.csv"), text(analysis, "<i>.csv")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in source
    assert "&lt;b&gt;plant" in source
    assert "two lines and a tab" in plain
    assert "xx…xx" in plain
    assert "x" * 41 not in source + plain
    assert "\u202e" not in source + plain
    assert "{{ 7 * 7 }}" in plain
    assert "(no name)" in plain
    assert "👩‍👩‍👧 kitchen 🔌" in plain


def test_figures_of_the_summary() -> None:
    plain = text(FULL)
    assert "Monday 1 January 2024 to Monday 29 April 2024" in plain
    assert "2,172 kWh" in plain  # 120 days of 10 + 8.1
    assert "18.1 kWh (mean of 120 complete days)" in plain
    assert re.search(r"Fridge +1,200 kWh +55 %", plain)
    assert re.search(r"AC +972 kWh +45 %", plain)
    assert "18:00 to 19:00 (2.42 kWh)" in plain


def test_only_hours_above_the_mean_are_busy() -> None:
    assert "Busiest hours" not in text(home({"A": FLAT_10}))
    burst = [1.0 if hour == 18 else 0.1 for hour in range(24)]
    [line] = [line for line in text(home({"A": burst})).splitlines() if "Busiest hours" in line]
    assert line.split("hours", 1)[1].strip() == "18:00 to 19:00 (1.00 kWh)"


def test_bad_rows_gaps_and_incomplete_days_are_told() -> None:
    quality = replace(
        FULL.quality,
        rows_read=10_007,
        rows_accepted=10_000,
        rejected_by_reason={"negative energy": 5, "no timestamp": 2},
        gap_count=2,
        missing_intervals=30,
        longest_gaps=tuple(Gap(name, FULL.first, FULL.first + timedelta(hours=15), 15) for name in ("AC", "Fridge")),
        incomplete_days=(date(2024, 1, 1), date(2024, 1, 2), *(date(2024, 2, n) for n in range(1, 29, 2))),
        notes=("The file was read as Latin-1.",),
    )
    analysis = replace(FULL, quality=quality)
    for report in (" ".join(text(analysis).split()), Page(html(analysis)).text):
        assert "Rows read 10,007" in report
        assert "Rows rejected 7 of these, negative energy 5 of these, no timestamp 2" in report
        assert "AC and Fridge" in report
        assert "Monday 1 January 2024, 00:00 to Monday 1 January 2024, 15:00" in report
        assert "16: 1 January 2024 to 2 January 2024; 1 February 2024;" in report
        assert "and 5 more" in report
        assert "The file was read as Latin-1." in report
    plain = " ".join(text(analysis).split())
    assert "(15 readings missing each)" in plain
    alone = replace(quality, longest_gaps=(Gap("AC", FULL.first, FULL.first + timedelta(hours=1), 1),))
    assert "(1 reading missing)" in " ".join(text(replace(analysis, quality=alone)).split())


def test_anomalies_are_explained() -> None:
    for report in (text(FULL), Page(html(FULL)).text):
        assert "3 readings are more than 2 standard deviations above the appliance's mean." in report
    plain = " ".join(text(FULL).split())
    assert "Monday 1 January 2024, 00:00: AC, 4.50 kWh, 6.0 standard deviations above its mean" in plain


def test_the_forecast_names_model_days_and_range() -> None:
    plain = " ".join(text(FULL).split())
    assert "an average of the most recent complete days. It was trained on 120 complete days." in plain
    assert "80 % prediction interval. How often days of this history" in plain
    assert "Assumption: The coming week is like the last ones." in plain
    assert "Tuesday 30 April 2024 19.5 kWh 17.5 kWh 21.5 kWh" in plain


@pytest.mark.parametrize(
    ("mase_of_used", "mase_of_other", "told"),
    [
        (0.8, 0.9, "its mean error was 20 % smaller than that of repeating the last week."),
        (1.1, 0.9, "it did no better than repeating the last week."),
        (1.1, 1.2, "no model did better than repeating the last week."),
    ],
)
def test_the_forecast_is_not_praised_above_its_scoreboard(mase_of_used: float, mase_of_other: float, told: str) -> None:
    scores = tuple(
        ModelScore(model, mase, wape=0.2, coverage=0.8, origins=12, days=84, seconds=0.0)
        for model, mase in (("ensemble", mase_of_used), ("prophet", mase_of_other), ("seasonal_naive", 1.0))
    )
    day = ForecastDay(date(2026, 3, 1), 10.0, 8.0, 12.0)
    analysis = replace(FULL, forecast=Forecast("ensemble", (day,), 200, "As before.", 0.8, scores))
    assert told in text(analysis).replace("\n", " ").replace("  ", " ")


def test_no_forecast_is_said_with_its_reason() -> None:
    without = replace(FULL, forecast=Forecast("none", (), 0, "No complete day was found."))
    for report in (text(without), Page(html(without)).text):
        assert "There is no forecast." in report
        assert "No complete day was found." in report


def test_daily_readings_make_no_claim_about_hours() -> None:
    daily = tuple(replace(one, hourly_profile_kwh=(), step_minutes=1440.0) for one in FULL.appliances)
    analysis = replace(FULL, appliances=daily, peak_hour=None, baseload_kw=None)
    for report in (text(analysis), Page(html(analysis)).text):
        assert "usiest hours" not in report
        assert "eak hour" not in report.replace("Peak hour", "", 1)


def test_two_thousand_appliances_stay_a_page() -> None:
    crowd = home({f"Meter {number}": FLAT_10 for number in range(2000)}, days=30)
    source = html(crowd)
    assert len(source) < 60_000
    assert "All 1,990 others" in source
    assert len(text(crowd)) < 12_000


def test_a_long_history_is_drawn_by_week_and_says_so() -> None:
    source = html(home({"A": FLAT_10}, days=1440))
    assert "averaged by week, because there are too many days to draw each" in source
    assert len(source) < 60_000


@pytest.mark.parametrize(
    ("kwh", "shown"),
    [
        (0, "0 kWh"),
        (2e-6, "2.00 mWh"),
        (0.0004, "0.40 Wh"),
        (0.05, "50.0 Wh"),
        (0.5, "0.50 kWh"),
        (5.555, "5.55 kWh"),
        (55.55, "55.5 kWh"),
        (1234.5, "1,234 kWh"),
        (99_999, "99,999 kWh"),
        (250_000, "250 MWh"),
        (1.234e8, "123 GWh"),
        (1.234e11, "123 TWh"),
        (-5, "−5.00 kWh"),
    ],
)
def test_energy_in_the_unit_that_suits_it(kwh: float, shown: str) -> None:
    assert words.energy(kwh) == shown


@given(st.floats(1e-5, 1e12))
def test_a_shown_energy_is_within_five_percent(kwh: float) -> None:
    amount, unit = words.energy(kwh).split()
    scale = {"mWh": 1e-6, "Wh": 1e-3, "kWh": 1, "MWh": 1e3, "GWh": 1e6, "TWh": 1e9}[unit]
    assert float(amount.replace(",", "")) * scale == pytest.approx(kwh, rel=0.05)


@given(st.floats(1e-6, 1e12))
def test_an_axis_holds_the_highest_value_without_waste(kwh: float) -> None:
    scale = axes.scale(kwh)
    assert kwh * 0.998 <= scale.top_kwh <= 3 * kwh
    assert 2 <= len(scale.ticks) <= 5
    assert len({label for _, label in scale.ticks}) == len(scale.ticks)


@given(st.text(max_size=200))
def test_a_name_is_one_short_line(raw: str) -> None:
    shown = words.name(raw)
    assert 0 < len(shown) <= words.NAME_LIMIT
    assert len(shown.splitlines()) == 1


def test_days_and_spans_in_words() -> None:
    assert words.day(date(2010, 11, 26)) == "Friday 26 November 2010"
    assert words.day_runs([date(2099, 12, 31), date(2100, 1, 1)]) == ["31 December 2099 to 1 January 2100"]
    assert words.listing(["a"]) == "a"
    assert words.listing(["a", "b", "c"]) == "a, b and c"
