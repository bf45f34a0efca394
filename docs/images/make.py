"""Make the pictures of the dashboard: `python docs/images/make.py`, with chromium on the machine.

Each is of a real browser on a real server over a lake that the sample was just run into.
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from playwright.sync_api import Browser, expect, sync_playwright  # noqa: E402
from web.browser import ARGUMENTS, PAGES, PHONE, Theme, find_chromium, lives, sample_in, settle  # noqa: E402
from web.serving import Server, serving  # noqa: E402

FOLDER: Final = ROOT / "docs" / "images"
WIDTH: Final = 1280
MOST_PIXELS: Final = 1100
"""High, of a page that goes on: what is below is for those who open it."""
MOST_BYTES: Final = 250_000
LOOKS: Final[dict[str, tuple[str, Theme, int]]] = {
    **{name: (path, "light", WIDTH) for name, path in PAGES.items()},
    "overview-dark": ("/", "dark", WIDTH),
    "overview-phone": ("/", "light", PHONE["width"]),
}
PERIODS: Final = {"appliances": "?period=year", "appliance": "?period=year"}


def main() -> None:
    """Write every picture."""
    program = find_chromium()
    if program is None:
        sys.exit("There is no chromium: install it, or name it in ENERGY_CHROMIUM.")
    expect.set_options(timeout=60_000)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(sample_in(Path(folder), model="ensemble")) as served,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS]) as browser,
    ):
        for name, (path, theme, width) in LOOKS.items():
            take(browser, served, FOLDER / f"{name}.png", path=path + PERIODS.get(name, ""), theme=theme, width=width)


def take(browser: Browser, served: Server, file: Path, *, path: str, theme: Theme, width: int) -> None:
    """Take the picture of one page, as high as it is, or as is allowed."""
    context = browser.new_context(
        color_scheme=theme, viewport={"width": width, "height": 900}, locale="en-GB", reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(served.url + path)
    settle(page)
    lives(page)
    high = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": min(high, MOST_PIXELS)})
    settle(page)
    page.evaluate("document.fonts.ready")
    page.screenshot(path=file, animations="disabled", caret="hide")
    context.close()
    size = file.stat().st_size
    sys.stdout.write(f"{file.relative_to(ROOT)}  {size:,} bytes\n")
    if size > MOST_BYTES:
        sys.exit(f"{file.name} is larger than {MOST_BYTES:,} bytes.")


if __name__ == "__main__":
    main()
