"""A real browser against a real `energy serve`, and watch over what the pages must never do."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import pytest
from commands import SAMPLE, energy
from web.serving import Server, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

ARGUMENTS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
SITE: Final = "demo"
PAGES: Final = {
    "overview": "/", "appliances": "/appliances", "appliance": "/appliances/Laundry", "anomalies": "/anomalies",
    "forecast": "/forecast", "savings": "/savings", "data": "/data",
}  # fmt: skip
DESK: Final = {"width": 1280, "height": 900}
PHONE: Final = {"width": 390, "height": 844}

UPLOADED_SECONDS: Final = 1_767_225_600
_PATIENCE_MS: Final = 30_000
"""Of a busy machine; what is waited for comes within a second on an idle one."""
_TELL_VIOLATIONS: Final = """
    addEventListener("securitypolicyviolation",
        (event) => console.error(`CSP: ${event.effectiveDirective} of ${event.blockedURI}`));
"""


def sample_in(folder: Path, *, model: str = "moving_average") -> Path:
    """Run the sample into a lake under `folder`, as uploaded on 1 January 2026, and return the lake."""
    file = folder / SAMPLE.name
    shutil.copyfile(SAMPLE, file)
    os.utime(file, (UPLOADED_SECONDS, UPLOADED_SECONDS))
    done = energy("run", file, "--site", SITE, "--lake", folder / "lake", "--model", model, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder / "lake"


def find_chromium() -> str | None:
    """Return where the browser is."""
    return os.environ.get("ENERGY_CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """The browser, one for all tests of a module; each page has a profile of its own.

    It ends with the module, and its event loop with it: other tests of this process begin their own.
    """
    program = find_chromium()
    if program is None:
        reason = "There is no chromium on this machine (apt-get install chromium, or name it in ENERGY_CHROMIUM)."
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the sample. It is for reading; a test that writes copies it."""
    return sample_in(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def sample(sample_lake: Path) -> Iterator[Server]:
    """The server over the sample, for tests that write nothing."""
    with serving(sample_lake) as served:
        yield served


@pytest.fixture
def own_sample(sample_lake: Path, tmp_path: Path) -> Iterator[Server]:
    """A server over a copy of the sample's lake."""
    shutil.copytree(sample_lake, tmp_path / "lake")
    with serving(tmp_path / "lake") as served:
        yield served


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server over a lake without anything, for tests that write nothing."""
    lake = tmp_path_factory.mktemp("empty") / "lake"
    lake.mkdir()
    with serving(lake) as served:
        yield served


@pytest.fixture
def own_empty(tmp_path: Path) -> Iterator[Server]:
    """A server over a lake without anything, of the test's own."""
    (tmp_path / "lake").mkdir()
    with serving(tmp_path / "lake") as served:
        yield served


@dataclass
class Watch:
    """What a page did that it must not do."""

    page: "Page"
    origin: str
    forgiven: tuple[str, ...] = ()
    """Pieces of console messages that this test brings about."""
    wrong: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Listen."""
        self.page.add_init_script(_TELL_VIOLATIONS)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", self._asked)
        self.page.on("dialog", lambda dialog: (self.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def _said(self, message: "ConsoleMessage") -> None:
        if message.type in {"error", "warning"} and not any(piece in message.text for piece in self.forgiven):
            self.wrong.append(f"console: {message.text}")

    def _asked(self, request: "Request") -> None:
        url = urlsplit(request.url)
        if url.scheme in {"http", "https", "ws", "wss"} and f"{url.scheme}://{url.netloc}" != self.origin:
            self.wrong.append(f"asked another host: {request.url}")


Visit = Callable[..., "Page"]
Theme = Literal["light", "dark"]


@pytest.fixture
def visit(chromium: "Browser") -> Iterator[Visit]:
    """Open a page of a server in a fresh profile; what no page may do fails the test at its end."""
    watches: list[Watch] = []
    with ExitStack() as closing:

        def open_page(
            served: Server,
            path: str = "/",
            *,
            theme: Theme = "light",
            viewport: dict[str, int] = DESK,
            forgiven: tuple[str, ...] = (),
            waits: bool = True,
            **options: Any,
        ) -> "Page":
            context = chromium.new_context(
                color_scheme=theme, viewport=viewport, locale="en-GB", timezone_id="Pacific/Auckland", **options
            )
            closing.callback(context.close)
            context.set_default_timeout(_PATIENCE_MS)
            page = context.new_page()
            watch = Watch(page, served.url, forgiven)
            watch.begin()
            watches.append(watch)
            page.goto(served.url + path)
            if waits:
                settle(page)
            return page

        yield open_page
    assert not [wrong for watch in watches for wrong in watch.wrong]


def settle(page: "Page") -> None:
    """Wait until the page has shown all that it asked for: no part waits, every chart is drawn."""
    from playwright.sync_api import expect

    expect(page.locator("main h1")).to_be_visible()
    expect(page.locator("main [aria-busy=true], main .skeleton, main .plot:not(.js-plotly-plot)")).to_have_count(0)


def lives(page: "Page") -> None:
    """Wait until the page hears of changes."""
    from playwright.sync_api import expect

    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def overflows(page: "Page") -> bool:
    """Tell whether the page itself scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))
