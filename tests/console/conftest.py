"""A browser, and a running stack whose console it opens."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.e2e.conftest import ROOT, Throughline, running_stack

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = Path(os.environ.get("PICTURES", ROOT / ".local" / "pictures"))
SECONDS_TO_SHOW = 20
# No sandbox inside of a container's root; nothing that asks for the vendor's own servers.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

expect.set_options(timeout=SECONDS_TO_SHOW * 1000)


@pytest.fixture(scope="package")
def throughline() -> Iterator[Throughline]:
    """A stack of the console's own, so that its lists hold what these tests have sent."""
    with running_stack() as throughline:
        yield throughline


# It ends with this folder's tests: as long as it is there, Playwright's event loop counts as
# running, and tests elsewhere could not run their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        missing = "no Chromium here: install it (on Debian and Ubuntu `apt-get install chromium`)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Tab:
    """One page of the console in the browser, and what went wrong in it."""

    page: Page
    url: str

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.url}{path}")
        return self.page

    def take_picture(self, name: str) -> None:
        """For the README; `make pictures` puts it there."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png")

    def accessibility(self) -> list[str]:
        """What axe finds that is serious or worse; empty if nothing."""
        self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate("axe.run()")
        return [
            f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']]}"
            for one in found["violations"]
            if one["impact"] in {"serious", "critical"}
        ]


@pytest.fixture
def tab(browser: Browser, throughline: Throughline) -> Iterator[Tab]:
    """A fresh tab; at the end nothing may have failed in it, and nothing been asked elsewhere."""
    yield from new_tab(browser, throughline.environment["THROUGHLINE_CONSOLE_URL"])


@pytest.fixture
def dark_phone_tab(browser: Browser, throughline: Throughline) -> Iterator[Tab]:
    """The same on a phone that is set to dark."""
    screen = {"width": 360, "height": 740}
    url = throughline.environment["THROUGHLINE_CONSOLE_URL"]
    yield from new_tab(browser, url, color_scheme="dark", viewport=screen)


def new_tab(browser: Browser, url: str, **looks: Any) -> Iterator[Tab]:
    wrong: list[str] = []
    with browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **looks}) as context:
        page = context.new_page()
        listen(page, urlsplit(url).netloc, wrong)
        yield Tab(page, url)
    assert wrong == []


def listen(page: Page, here: str, wrong: list[str]) -> None:
    """Notes each error of a script or of the policy, and each request to another host."""

    def heard(said: ConsoleMessage) -> None:
        # A page that answers 404 is shown as such; Chromium says it once more in its own words.
        if said.type == "error" and "Failed to load resource" not in said.text:
            wrong.append(said.text)

    def asked(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and parts.netloc != here:
            wrong.append(request.url)

    page.on("console", heard)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", asked)
