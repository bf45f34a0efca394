"""The dashboard without a mouse."""

import re
from pathlib import Path

import pytest
from commands import HEADER, hourly_rows
from playwright.sync_api import FileChooser, Locator, Page, expect
from web.browser import SITE, Visit, settle
from web.serving import Server

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.slow]

MOST_STEPS = 80


def walk_to(page: Page, wanted: Locator, *, key: str = "Tab") -> None:
    """Press a key until the focus is there, as a person does who looks where it goes."""
    for _ in range(MOST_STEPS):
        if wanted.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{MOST_STEPS} times {key} do not lead to {wanted}")


def test_from_the_address_to_the_content_and_through_the_pages(sample: Server, visit: Visit) -> None:
    page = visit(sample, "/?period=all")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")

    walk_to(page, page.locator(".nav").get_by_role("link", name="Appliances"), key="Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Appliances")
    expect(page.locator("main")).to_be_focused()
    settle(page)

    by_name = page.get_by_role("button", name="Appliance", exact=True)
    walk_to(page, by_name)
    page.keyboard.press("Enter")
    expect(page.locator("th", has=by_name)).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("main tbody tr").first).to_contain_text("Kitchen")
    page.keyboard.press("Space")
    expect(page.locator("th", has=by_name)).to_have_attribute("aria-sort", "descending")
    expect(page.locator("main tbody tr").first).to_contain_text("Water heater & AC")
    expect(by_name).to_be_focused()


def test_a_period_is_chosen_by_its_name_and_by_its_days(sample: Server, visit: Visit) -> None:
    page = visit(sample, "/appliances")
    year = page.locator("#period-picker .presets").get_by_role("button", name="Year")
    walk_to(page, year)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("period=year"))
    expect(year).to_be_focused()
    expect(year).to_have_attribute("aria-pressed", "true")
    settle(page)

    opener = page.get_by_role("button", name=re.compile("^Period: "))
    walk_to(page, opener)
    page.keyboard.press("Enter")
    first = page.get_by_label("First day")
    walk_to(page, first)
    page.keyboard.type("03032008")  # day and month, whichever the browser asks for first
    last = page.get_by_label("Last day")
    walk_to(page, last)
    page.keyboard.type("04042008")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("from=2008-03-03&to=2008-04-05"))
    settle(page)
    told = sample.told("/overview", site=SITE, **{"from": "2008-03-03", "to": "2008-04-05"})
    largest = told["appliances"][0]
    expect(page.locator("main tbody tr").first).to_contain_text(largest["appliance"])
    expect(page.locator("main tbody tr").first).to_contain_text(f"{largest['kwh']:,.0f}")


def test_an_episode_is_opened_dismissed_and_brought_back(own_sample: Server, visit: Visit) -> None:
    page = visit(own_sample, "/anomalies?period=all")
    page.clock.install()
    before = len(own_sample.told("/episodes", site=SITE)["episodes"])
    card = page.locator(".episode").first
    name = card.locator(".episode-toggle").inner_text()
    walk_to(page, card.locator(".episode-toggle"))
    page.keyboard.press("Enter")
    expect(card.locator(".episode-detail .js-plotly-plot")).to_be_visible()
    dismiss = card.get_by_role("button", name=re.compile("^Dismiss"))
    walk_to(page, dismiss)
    page.keyboard.press("Enter")
    undo = page.locator("#toasts").get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    assert page.evaluate("document.activeElement !== document.body"), "the focus is lost with the card"
    expect(page.locator(".list-summary")).to_contain_text("1 dismissed")
    assert len(own_sample.told("/episodes", site=SITE)["episodes"]) == before - 1

    page.clock.fast_forward("10:00")  # minutes, for who needs them to get there
    walk_to(page, undo)
    page.keyboard.press("Enter")
    expect(undo).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body"), "the focus is lost with the notice"
    expect(page.locator(".list-summary")).not_to_contain_text("dismissed")
    expect(page.locator(".episode").first.locator(".episode-toggle")).to_have_text(name)
    page.reload()
    settle(page)
    assert len(own_sample.told("/episodes", site=SITE)["episodes"]) == before


def test_the_way_back_is_left_with_its_page(own_sample: Server, visit: Visit) -> None:
    page = visit(own_sample, "/anomalies?period=all")
    dismissals = page.locator(".episode").get_by_role("button", name=re.compile("^Dismiss"))
    undo = page.locator("#toasts").get_by_role("button", name="Undo")
    dismissals.first.click()
    expect(undo).to_have_count(1)
    dismissals.first.click()
    expect(page.locator(".list-summary")).to_contain_text("2 dismissed")
    expect(undo).to_have_count(1)
    page.locator(".nav").get_by_role("link", name="Appliances").click()
    expect(page.locator("h1")).to_have_text("Appliances")
    expect(undo).to_have_count(0)


def test_a_file_is_brought(own_sample: Server, visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text(HEADER + hourly_rows("2010-11-27", hours=24, appliance="Kitchen"), encoding="utf-8")
    page = visit(own_sample, "/data")
    choose = page.get_by_role("button", name="Choose files")
    with page.expect_file_chooser() as chosen:
        walk_to(page, choose)  # its questions are answered after the browser knows that the chooser is awaited
        page.keyboard.press("Enter")
    chooser: FileChooser = chosen.value
    chooser.set_files(file)
    expect(page.locator(".job")).to_contain_text("24 of 24 rows were accepted")
    close = page.get_by_role("button", name="Close: more.csv")
    walk_to(page, close)
    page.keyboard.press("Enter")
    expect(page.locator(".job")).to_have_count(0)
    expect(choose).to_be_focused()
