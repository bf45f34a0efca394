"""Each page in a real browser: it shows what the API tells, breaks no rule, and fits every screen."""

import re

import pytest
from playwright.sync_api import Page, expect
from web.browser import DESK, PAGES, PHONE, SITE, Theme, Visit, overflows, settle
from web.serving import Server

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.slow]

SAMPLE_TOTAL = "37.2 MWh"
TITLES = {name: "Laundry" if name == "appliance" else name.capitalize() for name in PAGES}


def rounded(value: float, digits: int = 0) -> str:
    """Write a number as the pages do."""
    return f"{value:,.{digits}f}"


def energy(kwh: float) -> str:
    """Write an amount that is large, but not a whole district's, as the pages do."""
    return f"{f'{kwh / 1000:.1f}'.removesuffix('.0')} MWh" if kwh >= 10_000 else f"{rounded(kwh)} kWh"


def shows_overview(page: Page, served: Server) -> None:
    told = served.told("/overview", site=SITE)
    assert f"{told['total']['kwh'] / 1000:.1f} MWh" == SAMPLE_TOTAL
    expect(page.locator("main .tile", has_text="Energy").first).to_contain_text(SAMPLE_TOTAL)
    expect(page.locator("main .tile", has_text="Cost").first).to_contain_text(rounded(told["total"]["cost"]))
    shares = page.locator(".share-list li")
    expect(shares).to_have_count(len(told["appliances"]))
    for place, one in enumerate(told["appliances"]):
        expect(shares.nth(place)).to_contain_text(one["appliance"])
        expect(shares.nth(place)).to_contain_text(energy(one["kwh"]))
    expect(page.get_by_role("heading", name="What needs attention")).to_be_visible()
    for one in told["attention"]:
        expect(page.get_by_text(one["title"], exact=True).first).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)


def shows_appliances(page: Page, served: Server) -> None:
    rows = served.told("/aggregates", site=SITE, by="appliance")["rows"]
    assert rounded(sum(row["total_kwh"] for row in rows)) == "37,165"
    body = page.locator("main tbody tr")
    expect(body).to_have_count(len(rows))
    for row in rows:
        line = body.filter(has_text=row["appliance"])
        expect(line).to_contain_text(rounded(row["total_kwh"]))
        expect(line).to_contain_text(rounded(row["cost"]))


def shows_appliance(page: Page, served: Server) -> None:
    (row,) = served.told("/aggregates", site=SITE, by="appliance", appliance="Laundry")["rows"]
    expect(page.locator("main .tile", has_text="Energy").first).to_contain_text(f"{rounded(row['total_kwh'])} kWh")
    assert page.locator(".js-plotly-plot").count() >= 4


def shows_anomalies(page: Page, served: Server) -> None:
    told = [one for one in served.told("/episodes", site=SITE)["episodes"] if one["status"] != "withdrawn"]
    assert told
    expect(page.locator(".list-summary")).to_contain_text(f"{len(told)} episodes")
    costliest = max(told, key=lambda one: one["cost"])
    first = page.locator(".episode").first
    expect(first).to_contain_text(f"{costliest['appliance']}: {costliest['kind']}")
    expect(first).to_contain_text(f"{rounded(abs(costliest['cost']), 2)} more")


def shows_forecast(page: Page, served: Server) -> None:
    days = served.told("/forecast", site=SITE)["days"]
    assert len(days) == 7
    expect(page.locator("main .tile").first).to_contain_text(f"{rounded(sum(day['yhat'] for day in days))} kWh")
    for day in days:
        expect(page.locator("main")).to_contain_text(f"{rounded(day['cost'], 2)}")


def shows_savings(page: Page, served: Server) -> None:
    told = served.told("/findings", site=SITE)["findings"]
    worth = [one for one in told if one["saving"] and one["saving"]["money"]]
    assert worth
    for one in worth:
        expect(page.locator("main")).to_contain_text(rounded(one["saving"]["money"]["value"], 2))
        expect(page.get_by_text(one["text"], exact=True).first).to_be_visible()
    for title in ("The auditor", "Bill of the last months", "Other tariffs", "Other hours"):
        expect(page.get_by_role("heading", name=title)).to_be_visible()


def shows_data(page: Page, served: Server) -> None:
    (run,) = served.told("/runs", site=SITE)["runs"]
    line = page.locator("main tr", has_text=run["key"].rpartition("/")[2])
    expect(line).to_contain_text(rounded(run["rows_accepted"]))
    days = served.told("/coverage", site=SITE, **{"from": "2010-01-01", "to": "2011-01-01"})["days"]
    complete = sum(day["complete"] for day in days)
    expect(page.locator("main")).to_contain_text(f"{complete} of ")
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()


CONTENTS = {
    "overview": shows_overview,
    "appliances": shows_appliances,
    "appliance": shows_appliance,
    "anomalies": shows_anomalies,
    "forecast": shows_forecast,
    "savings": shows_savings,
    "data": shows_data,
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_the_sample(name: str, sample: Server, visit: Visit) -> None:
    page = visit(sample, f"{PAGES[name]}?period=all")
    expect(page.locator("h1")).to_have_text(TITLES[name])
    expect(page).to_have_title(f"{TITLES[name]} · Energy")
    expect(page.locator(".nav [aria-current=page]")).to_have_count(1)
    CONTENTS[name](page, sample)
    assert not overflows(page)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_an_empty_lake_says_how_to_begin(name: str, empty: Server, visit: Visit) -> None:
    page = visit(empty, PAGES[name])
    expect(page.locator("h1")).to_have_text(TITLES[name])
    if name == "data":
        expect(page.get_by_role("button", name="Choose files")).to_be_visible()
        return
    expect(page.get_by_role("heading", name="No readings yet")).to_be_visible()
    page.get_by_role("link", name="Bring a file").click()
    expect(page.locator("h1")).to_have_text("Data")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(name: str, theme: Theme, sample: Server, visit: Visit) -> None:
    """On the desk and on the phone; the checker's own script needs what the pages' policy forbids."""
    from axe_playwright_python.sync_playwright import Axe

    page = visit(sample, f"{PAGES[name]}?period=all", theme=theme, bypass_csp=True, reduced_motion="reduce")
    for viewport in (DESK, PHONE):
        page.set_viewport_size(viewport)
        settle(page)
        assert not overflows(page), viewport
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert not [
            (one["id"], node["html"][:200], node["any"][:1])
            for one in found
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"]
        ], viewport


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_in_an_empty_lake(name: str, empty: Server, visit: Visit) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = visit(empty, PAGES[name], bypass_csp=True, viewport=PHONE)
    assert not overflows(page)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert not [one["id"] for one in found if one["impact"] in {"serious", "critical"}]


def test_dark_is_what_the_system_says_unless_chosen_otherwise(sample: Server, visit: Visit) -> None:
    def ground(page: Page) -> int:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3]))

    page = visit(sample, theme="dark")
    assert ground(page) < 150
    page.emulate_media(color_scheme="light")
    assert ground(page) > 600
    page.get_by_role("button", name="Theme: auto").click()
    page.get_by_role("button", name="Theme: light").click()
    assert ground(page) < 150
    page.reload()
    settle(page)
    assert ground(page) < 150


def test_paper_has_the_numbers_without_the_navigation(sample: Server, visit: Visit) -> None:
    page = visit(sample, "/?period=all")
    page.emulate_media(media="print")
    expect(page.locator(".nav")).to_be_hidden()
    expect(page.locator("header.bar")).to_be_hidden()
    expect(page.locator("main .tile").first).to_contain_text(SAMPLE_TOTAL)


def test_nothing_moves_for_who_wants_no_motion(sample: Server, visit: Visit) -> None:
    page = visit(sample, reduced_motion="reduce")
    longest = page.evaluate(
        """() => Math.max(...[...document.querySelectorAll("*")].flatMap((node) => {
            const style = getComputedStyle(node);
            return [...style.transitionDuration.split(","), ...style.animationDuration.split(",")].map(parseFloat);
        }))"""
    )
    assert longest <= 0.01


def test_back_and_forward_go_through_pages_and_periods(sample: Server, visit: Visit) -> None:
    page = visit(sample, "/?period=all")
    page.get_by_role("link", name="Appliances", exact=True).click()
    expect(page.locator("h1")).to_have_text("Appliances")
    page.locator("main tbody").get_by_role("link", name="Kitchen").click()
    expect(page.locator("h1")).to_have_text("Kitchen")
    page.locator("#period-picker .presets").get_by_role("button", name="Year").click()
    expect(page).to_have_url(re.compile("period=year"))
    page.go_back()
    expect(page).to_have_url(re.compile("period=all"))
    expect(page.locator("h1")).to_have_text("Kitchen")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Appliances")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Overview")
    expect(page.locator("main .tile").first).to_contain_text(SAMPLE_TOTAL)
    page.go_forward()
    expect(page.locator("h1")).to_have_text("Appliances")
    settle(page)


def test_a_link_shows_the_same_to_who_gets_it(sample: Server, visit: Visit) -> None:
    page = visit(sample, f"/?site={SITE}&from=2008-03-01&to=2008-04-01")
    told = sample.told("/overview", site=SITE, **{"from": "2008-03-01", "to": "2008-04-01"})
    expect(page.locator("main .tile").first).to_contain_text(f"{rounded(told['total']['kwh'])} kWh")
    expect(page.locator("main")).to_contain_text("Mar 2008")
    episode = sample.told("/episodes", site=SITE)["episodes"][-1]
    page = visit(sample, f"/anomalies?id={episode['id']}")
    card = page.locator(f".episode[data-id='{episode['id']}']")
    expect(card.locator(".episode-toggle")).to_have_attribute("aria-expanded", "true")
    expect(card.locator(".js-plotly-plot")).to_be_visible()


def test_an_address_of_nothing_says_so(sample: Server, visit: Visit) -> None:
    missing = ("404",)  # the browser's own word on the answer's status
    page = visit(sample, "/nothing/here", forgiven=missing)
    expect(page.locator("h1")).to_have_text("No such page")
    page = visit(sample, "/appliances/Sauna")
    expect(page.locator("main")).to_contain_text("no appliance of that name")
    page = visit(sample, "/appliances/%E0%A4%A", forgiven=missing)
    expect(page.locator("h1")).to_be_visible()
