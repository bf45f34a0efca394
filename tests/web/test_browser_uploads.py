"""Files brought to the dashboard, and what it says of them."""

from pathlib import Path

import pytest
from commands import HEADER, hourly_rows
from playwright.sync_api import Page, expect
from web.browser import Visit, lives, settle
from web.serving import Server

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.slow]

GOOD = HEADER + hourly_rows("2026-01-01", hours=48)
PARTLY_BAD = GOOD + "yesterday,Oven,1.0\n2026-01-03 00:00:00,Oven,-4\n2026-01-03 01:00:00,Oven,1.0\n"
USELESS = "name,colour\nOven,white\nFridge,grey\n"


def drop_file(page: Page, name: str, content: str) -> None:
    """Let a file fall on the place for it, as a file manager does."""
    transfer = page.evaluate_handle(
        """([name, content]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([content], name, {type: "text/csv"}));
            return transfer;
        }""",
        [name, content],
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event(".drop-zone", event, {"dataTransfer": transfer})


def test_a_good_a_partly_bad_and_a_useless_file(own_empty: Server, visit: Visit, tmp_path: Path) -> None:
    page = visit(own_empty, "/data")
    lives(page)

    drop_file(page, "good.csv", GOOD)
    good = page.locator(".job", has_text="good.csv")
    expect(good).to_contain_text("48 of 48 rows were accepted.")
    expect(good.locator(".badge")).to_have_text("accepted")

    (tmp_path / "partly.csv").write_text(PARTLY_BAD, encoding="utf-8")
    (tmp_path / "useless.csv").write_text(USELESS, encoding="utf-8")
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose files").click()
    chosen.value.set_files([tmp_path / "partly.csv", tmp_path / "useless.csv"])
    partly = page.locator(".job", has_text="partly.csv")
    expect(partly).to_contain_text("49 of 51 rows were accepted, 2 refused.")
    expect(partly.locator(".badge")).to_have_text("accepted in part")
    refused = partly.locator("tbody tr")
    expect(refused).to_have_count(2)
    for place, (line, text) in enumerate([("50", "yesterday,Oven,1.0"), ("51", "2026-01-03 00:00:00,Oven,-4")]):
        expect(refused.nth(place)).to_contain_text(line)
        expect(refused.nth(place)).to_contain_text(text)
    with page.expect_download() as saved:
        partly.get_by_role("button", name="Download all refused rows").click()
    rows = Path(saved.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(rows) == 3
    assert "yesterday,Oven,1.0" in rows[1]

    useless = page.locator(".job", has_text="useless.csv")
    expect(useless.locator(".badge")).to_have_text("not usable")
    told = own_empty.told("/uploads/raw/useless.csv")
    assert told["state"] == "failed"
    expect(useless.locator(".verdict")).to_contain_text(told["error"])

    runs = page.locator("section", has=page.get_by_role("heading", name="Runs", exact=True)).locator("tbody tr")
    expect(runs).to_have_count(3)
    partly.get_by_role("link", name="See the results").click()
    expect(page.locator("h1")).to_have_text("Overview")
    expect(page.locator("main .tile").first).to_contain_text("49")
    page.locator(".nav").get_by_role("link", name="Data").click()
    settle(page)
    expect(page.locator(".job")).to_have_count(3)


def test_a_name_that_cannot_be_taken_is_refused_in_words(own_empty: Server, visit: Visit) -> None:
    page = visit(own_empty, "/data", forgiven=("422",))
    drop_file(page, "photo.png", "no readings")
    card = page.locator(".job", has_text="photo.png")
    expect(card).to_contain_text("Not sent.")
    expect(card.get_by_role("alert")).to_contain_text(".csv")
    assert own_empty.told("/uploads")["uploads"] == []


def test_tables_and_the_report_are_taken_away(sample: Server, visit: Visit) -> None:
    page = visit(sample, "/data")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Totals as CSV").click()
    assert "Water heater & AC" in Path(saved.value.path()).read_text(encoding="utf-8")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Readings as Parquet", exact=True).click()
    assert Path(saved.value.path()).read_bytes()[:4] == b"PAR1"
    page.get_by_role("button", name="Open", exact=True).click()
    report = page.frame_locator("iframe")
    expect(report.locator("h1")).to_be_visible()
    expect(report.locator("body")).to_contain_text("37,165")
