import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from homes import EVENING, FLAT_10, MONDAY, home, one_row, with_anomaly, with_forecast
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_analytics.findings import CarbonFactor, Shift, find
from energy_analytics.insights import PROVIDERS
from energy_analytics.insights.rules import tell
from energy_analytics.results import Advice, Analysis, EpisodeFound, Finding, IdleLevel
from energy_analytics.tariff import FlatPrice, default_price

PRICE = FlatPrice("test price", 0.20, "EUR", None, "this test")
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
CARBON = CarbonFactor(214, "a test factor")
LOADED = with_forecast(
    with_anomaly(
        home(
            {"Water Heater": EVENING, "Washing Machine": EVENING, "AC": FLAT_10, "Gizmo": FLAT_10},
            days=120,
            baseload_kw=0.2,
        ),
        "AC",
    ),
    30.0,
)


def advise(analysis: Analysis, price: FlatPrice = PRICE) -> Advice:
    return PROVIDERS["rules"](find(analysis, price=price, carbon=CARBON))


def words_of(advice: Advice) -> str:
    return "\n".join(paragraph.text for paragraph in (*advice.insights, *advice.auditor))


def unfounded(text: str, findings: Sequence[Finding]) -> list[str]:
    """Return the numbers of a text that are no figure of a finding, at any power of a thousand."""
    labels = {label for finding in findings for label in (*finding.labels.values(), finding.appliance or "")}
    for label in sorted(labels, key=len, reverse=True):
        if label:
            text = re.sub(re.escape(label), "", text, flags=re.IGNORECASE)
    figures = [abs(value) for finding in findings for value in finding.figures.values()]
    missing = []
    for token in NUMBER.findall(text):
        decimals = len(token.partition(".")[2])
        close = 0.5 * 10**-decimals * 1.001
        value = float(token.replace(",", ""))
        if not any(abs(figure * 10.0**power - value) <= close for figure in figures for power in range(-9, 10, 3)):
            missing.append(token)
    return missing


@pytest.mark.parametrize("price", [PRICE, default_price()])
def test_every_number_told_is_a_figure_of_a_finding(price: FlatPrice) -> None:
    text = words_of(advise(LOADED, price))
    assert len(NUMBER.findall(text)) > 40
    assert unfounded(text, find(LOADED, price=price, carbon=CARBON)) == []


def remarkable() -> Analysis:
    """A home with a standby, an old fridge, an episode that goes on, and a cold month."""
    last = MONDAY + timedelta(days=69)
    cold = [MONDAY + timedelta(days=number) for number in range(70)]
    analysis = home(
        {"Fridge": (0.1,) * 24, "TV": EVENING, "Heating": FLAT_10},
        factor=lambda day, name: 0.1 * max(1, 28 - day.day) if name == "Heating" else 1.0,
    )
    start = datetime.combine(last, time(6))
    found = EpisodeFound(
        "e1", start, start + timedelta(hours=18), "TV", "stuck on", 25, 2, 23, 3.0, "It was on.", "open"
    )
    return replace(
        analysis,
        episodes=(found,),
        idle_levels=(IdleLevel("TV", 0.04, 672, 0.8, 0.1, last - timedelta(days=27), last),),
        temperature_c={day: float(day.day) - 10 for day in cold},
    )


def test_remarkable_homes_are_told_in_figures_of_findings() -> None:
    night = (1.0,) * 6 + (0.0,) * 18
    shift = Shift("Heating", (MONDAY, MONDAY), 60, 99.0, 6.0, night, "Night.")
    findings = find(remarkable(), price=PRICE, carbon=CARBON, shifts=[shift])
    assert {"standby", "episode", "above_class", "move"} <= {finding.kind for finding in findings}
    told = words_of(PROVIDERS["rules"](findings))
    assert unfounded(told, findings) == []
    for expected in (
        "TV is never off: it takes 40.0 W",
        "350 kWh (70.08 EUR) a year",
        "and it may still go on",
        "between 00:00 and 06:00 instead",
        "more than a typical refrigerator",
        "Emissions are reckoned with a test factor",
    ):
        assert expected in told
    for finding in findings:
        assert tell(finding)


@settings(max_examples=40, deadline=None)
@given(
    profiles=st.dictionaries(
        st.sampled_from(["Fridge", "AC", "Heater", "Water heater", "Dryer", "EV", "Gizmo", "Lights"]),
        st.lists(st.floats(0, 1e7), min_size=24, max_size=24),
        min_size=1,
        max_size=5,
    ),
    days=st.integers(1, 70),
    baseload_kw=st.none() | st.floats(0, 100),
)
def test_no_home_makes_the_rules_invent_a_number(
    profiles: dict[str, list[float]], days: int, baseload_kw: float | None
) -> None:
    analysis = home(profiles, days=days, baseload_kw=baseload_kw)
    assert unfounded(words_of(advise(analysis)), find(analysis, price=PRICE, carbon=CARBON)) == []


def test_what_saves_most_comes_first() -> None:
    audit = [paragraph.text for paragraph in advise(LOADED).auditor]
    assert audit[1].startswith("Water Heater takes")
    saved = [paragraph.text for paragraph in advise(LOADED).insights]
    thermostat = next(place for place, text in enumerate(saved) if "warmer" in text)
    pattern = next(place for place, text in enumerate(saved) if "busiest hours" in text)
    assert thermostat < pattern


def test_a_fault_comes_before_any_saving() -> None:
    analysis = home(
        {"Fridge": FLAT_10, "Washing machine": EVENING},
        baseload_kw=0.1,
        factor=lambda day, name: 0.0 if name == "Fridge" and day.month == 3 else 1.0,
    )
    assert advise(analysis).insights[1].text.startswith("Check Fridge: it has used nothing since Friday 1 March")


def test_the_payback_is_a_sum_that_can_be_checked() -> None:
    text = words_of(advise(home({"Water Heater": FLAT_10})))
    assert "3,650 kWh (730 EUR) a year" in text
    assert "about 50 % less, saving 1,825 kWh (365 EUR, 391 kg of CO₂) each year" in text
    assert "It costs 2,000 to 4,000 EUR, so it has paid for itself after 5.5 to 11.0 years" in text
    assert "2,000 and 4,000 divided by the 365.00 EUR saved each year" in text


def test_without_a_price_the_payback_says_what_may_be_paid() -> None:
    text = words_of(advise(home({"AC": FLAT_10})))
    assert "within 5 years if it costs less than 365.00 EUR, which is 5 times 73.00 EUR" in text


def test_every_estimate_stands_with_its_assumption() -> None:
    advice = advise(LOADED)
    for paragraph in (*advice.insights, *advice.auditor):
        if "EUR" in paragraph.text and "All amounts" not in paragraph.text:
            assert "test price" in paragraph.assumption


def test_different_homes_are_told_different_things() -> None:
    cool = words_of(advise(home({"AC": EVENING, "Fridge": FLAT_10})))
    wash = words_of(advise(home({"Dryer": FLAT_10, "Gizmo": FLAT_10}, days=80)))
    price = cool.splitlines()[-1]
    assert set(cool.splitlines()) & set(wash.splitlines()) == {price}


def test_an_unknown_appliance_is_promised_nothing() -> None:
    text = words_of(advise(home({"Gizmo": FLAT_10, "Blorp": EVENING})))
    assert "no saving is claimed" in text
    assert "pays back" not in text


def test_one_row_gives_advice_on_what_to_measure() -> None:
    advice = advise(one_row(0.5))
    assert "0.50 kWh" in advice.insights[0].text
    assert "too little to see a pattern" in advice.insights[-1].text
    assert "measured as one" in advice.auditor[0].text


def test_one_meter_alone_gets_no_share() -> None:
    text = words_of(advise(home({"Main": FLAT_10})))
    assert "100 %" not in text
    assert "measured as one" in text


def test_a_hostile_name_stays_on_one_short_line() -> None:
    name = "AC\n<script>alert(1)</script>" + "x" * 10_000
    for paragraph in (*(advice := advise(home({name: FLAT_10, "B": EVENING}))).insights, *advice.auditor):
        assert "\n" not in paragraph.text
        assert len(paragraph.text) < 700


def test_the_same_findings_give_the_same_words() -> None:
    assert advise(LOADED) == advise(replace(LOADED))
