"""A page that stays open: what is new shows by itself, what is lost is told."""

import re
import signal
from pathlib import Path

import pytest
from commands import HEADER, energy, hourly_rows
from playwright.sync_api import Route, expect
from web.browser import SITE, Visit, lives, settle
from web.serving import Server

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.slow]

LOST = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
"""The browser's own words on requests that found no server."""


def test_a_run_of_another_process_shows_without_reload(own_sample: Server, visit: Visit, tmp_path: Path) -> None:
    page = visit(own_sample, "/?period=7d")
    lives(page)
    page.evaluate("window.isTheSamePage = true")
    page.locator("main").get_by_text("Show as table").first.click()
    scrolled = page.evaluate("scrollTo(0, 300), scrollY")
    before = page.locator("main .tile").first.inner_text()
    file = tmp_path / "december.csv"
    file.write_text(HEADER + hourly_rows("2010-11-27", hours=24 * 7, kwh=50.0, appliance="Sauna"), encoding="utf-8")
    done = energy("run", file, "--site", SITE, "--lake", own_sample.lake, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    expect(page.locator("main .tile").first).to_contain_text("8,400 kWh")
    assert "8,400" not in before
    expect(page.locator(".share-list")).to_contain_text("Sauna")
    expect(page.get_by_role("button", name=re.compile("^Period: 27 Nov"))).to_be_visible()
    assert page.evaluate("window.isTheSamePage")
    assert page.evaluate("scrollY") == scrolled
    expect(page.locator("main details[open]").first).to_be_visible()


def test_the_first_run_of_an_empty_lake_shows_without_reload(own_empty: Server, visit: Visit, tmp_path: Path) -> None:
    page = visit(own_empty)
    lives(page)
    expect(page.get_by_role("heading", name="No readings yet")).to_be_visible()
    file = tmp_path / "first.csv"
    file.write_text(HEADER + hourly_rows("2026-01-01", hours=24 * 8), encoding="utf-8")
    done = energy("run", file, "--lake", own_empty.lake, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    expect(page.locator("main .tile").first).to_contain_text("192 kWh")


def test_a_lost_server_is_told_and_found_again(own_sample: Server, visit: Visit) -> None:
    page = visit(own_sample, "/?period=all", forgiven=LOST)
    lives(page)
    own_sample.end(signal.SIGKILL)
    expect(page.locator("#connection")).to_have_attribute("data-state", re.compile("reconnecting|offline"))
    expect(page.locator("#connection")).to_have_text(re.compile("Reconnecting|Offline"))
    page.locator(".nav").get_by_role("link", name="Appliances").click()
    expect(page.locator("main").get_by_role("alert")).to_be_visible()

    own_sample.start(own_sample.port)
    lives(page)
    again = page.locator("main").get_by_role("button", name="Try again")
    if again.count():
        again.click()
    settle(page)
    expect(page.locator("main tbody tr")).to_have_count(4)


def test_a_busy_server_is_asked_again_and_then_told_of(sample: Server, visit: Visit) -> None:
    """As API Gateway answers where the account's functions are all at work: without a word of ours."""
    page = visit(sample, forgiven=("503",))
    refused: list[str] = []

    def busy(route: Route) -> None:
        if len(refused) < most:
            refused.append(route.request.url)
            route.fulfill(status=503, json={"message": "Service Unavailable"})
        else:
            route.continue_()

    most = 2
    page.route("**/api/v1/**", busy)
    page.locator("nav").get_by_role("link", name="Savings").click()
    expect(page.locator("main h1")).to_have_text("Savings")
    settle(page)
    assert len(refused) == most
    told = "The server has too much to do just now. Try again in a moment."
    expect(page.locator("main")).not_to_contain_text(told)
    most = 1_000
    page.locator("nav").get_by_role("link", name="Forecast").click()
    expect(page.locator("main")).to_contain_text(told)
