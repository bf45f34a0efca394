"""Who may look, and names that try to be more than names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import drop, hourly_rows, run_key
from playwright.sync_api import Browser, expect
from web.browser import DESK, PAGES, PHONE, Visit, lives, overflows, settle
from web.serving import Server, serving

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.slow]

TOKEN = "for this test alone"  # noqa: S105 - it opens nothing
HOSTILE = ("<img src=x onerror=alert(1)>", '"><script>alert(2)</script>', "=1+1", "{{7*7}}%3Cb%3E")
HOSTILE_SITE = "=1+1 <img src=x onerror=alert(3)>"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A site and appliances whose names are markup, a formula, a placeholder."""
    lake = tmp_path_factory.mktemp("hostile") / "lake"
    rows = "".join(
        hourly_rows("2026-01-01", hours=24 * 30, kwh=1 + place, appliance='"' + name.replace('"', '""') + '"')
        for place, name in enumerate(HOSTILE)
    )
    run_key(lake, drop(lake, f"raw/{HOSTILE_SITE}/rows.csv", rows))
    with serving(lake) as served:
        yield served


@pytest.mark.parametrize("name", [name for name in PAGES if name != "appliance"])
def test_hostile_names_are_text(name: str, hostile: Server, visit: Visit) -> None:
    page = visit(hostile, f"{PAGES[name]}?period=all")
    expect(page.locator("header.bar")).to_contain_text(HOSTILE_SITE)
    if name in {"overview", "appliances"}:
        for appliance in HOSTILE:
            expect(page.locator("main").get_by_text(appliance, exact=True).first).to_be_visible()
    assert page.locator("main img, main script").count() == 0


def test_a_hostile_appliance_has_its_page(hostile: Server, visit: Visit) -> None:
    page = visit(hostile, "/appliances?period=all")
    for name in HOSTILE:
        page.locator("main tbody").get_by_role("link", name=name, exact=True).click()
        expect(page.locator("h1")).to_have_text(name)
        settle(page)
        assert page.locator("main img, main script").count() == 0
        page.go_back()
        settle(page)


@pytest.fixture
def guarded(sample_lake: Path) -> Iterator[Server]:
    with serving(sample_lake, ENERGY_API_TOKEN=TOKEN) as served:
        yield served


def test_the_token_is_asked_for_and_lets_in(guarded: Server, visit: Visit) -> None:
    page = visit(guarded, "/data", waits=False, forgiven=("401",))
    field = page.get_by_label("Access token")
    expect(field).to_be_focused()
    field.fill("a guess")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("does not know this token")
    field.fill(TOKEN)
    page.keyboard.press("Enter")
    settle(page)
    lives(page)
    assert TOKEN not in page.url
    with page.expect_download() as saved:
        page.get_by_role("button", name="Totals as CSV").click()
    assert "Laundry" in Path(saved.value.path()).read_text(encoding="utf-8")
    page.reload()
    settle(page)
    expect(page.get_by_label("Access token")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Access token")).to_be_visible()


LONG_NAME = "X" * 200


@pytest.fixture(scope="module")
def long_named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A site with an appliance whose name is one word of 200 letters."""
    lake = tmp_path_factory.mktemp("long") / "lake"
    rows = "".join(hourly_rows("2026-01-01", hours=24 * 30, appliance=name) for name in ("Oven", LONG_NAME))
    run_key(lake, drop(lake, "raw/rows.csv", rows))
    with serving(lake) as served:
        yield served


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_a_long_name_hides_no_figures(viewport: dict[str, int], long_named: Server, visit: Visit) -> None:
    page = visit(long_named, "/", viewport=viewport)
    assert not overflows(page)
    for path in ("/appliances", "/forecast"):
        page = visit(long_named, path, viewport=viewport)
        first_figure = page.locator("main tr", has_text=LONG_NAME).locator("td").first
        box = first_figure.bounding_box()
        assert box is not None and box["x"] + box["width"] < viewport["width"], path


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A site with two days of one appliance."""
    lake = tmp_path_factory.mktemp("two") / "lake"
    run_key(lake, drop(lake, "raw/rows.csv", hourly_rows("2026-03-02", hours=48, appliance="Fridge", kwh=0.06)))
    with serving(lake) as served:
        yield served


def test_two_days_are_told_in_sentences_that_hold(two_days: Server, visit: Visit) -> None:
    main = visit(two_days, "/appliances/Fridge").locator("main")
    expect(main).to_contain_text("2.88 kWh in days from 2 Mar 2026 to 3 Mar 2026.")
    main = visit(two_days, "/forecast").locator("main")
    expect(main).to_contain_text("after 2 days that were read.")
    expect(main).not_to_contain_text("Pale bars")
    expect(main).to_contain_text("The history is too short to try the models")
    main = visit(two_days, "/savings").locator("main")
    expect(main).to_contain_text("Worth knowing: 1 finding that saves nothing by itself")


def test_a_model_of_the_settings_is_not_laid_to_a_short_history(long_named: Server, visit: Visit) -> None:
    main = visit(long_named, "/forecast").locator("main")
    expect(main).to_contain_text("The settings name this model")
    expect(main).not_to_contain_text("too short")


def test_a_report_of_two_days_fits_a_phone(two_days: Server, chromium: Browser) -> None:
    [report] = two_days.lake.glob("reports/*.html")
    page = chromium.new_page(viewport=PHONE)
    page.goto(report.as_uri())
    assert not overflows(page)
    page.close()
