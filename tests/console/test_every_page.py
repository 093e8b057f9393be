"""What holds for every page: who may ask, what may run, who can use it."""

import httpx
import pytest

from local.http_client import http_client
from tests.console.conftest import Tab
from tests.e2e.conftest import Throughline

PAGES = ["/messages", "/codes", "/compose", "/phones", "/overview"]


def ask(throughline: Throughline, method: str, path: str, **headers: str) -> httpx.Response:
    url = f"{throughline.environment['THROUGHLINE_CONSOLE_URL']}{path}"
    return http_client().request(method, url, headers=headers)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_inline_and_nothing_from_elsewhere_may_run(
    throughline: Throughline, path: str
) -> None:
    policy = ask(throughline, "GET", path).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


def test_another_name_for_this_machine_is_refused(throughline: Throughline) -> None:
    assert ask(throughline, "GET", "/messages", Host="rebound.example.com").status_code == 403


def test_a_page_of_another_origin_may_send_nothing(throughline: Throughline) -> None:
    assert ask(throughline, "POST", "/compose", Origin="https://example.com").status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious(tab: Tab, path: str) -> None:
    tab.open(path)
    assert tab.accessibility() == []


@pytest.mark.parametrize("path", PAGES)
def test_a_dark_phone_shows_it_without_scrolling_sideways(dark_phone_tab: Tab, path: str) -> None:
    page = dark_phone_tab.open(path)
    assert dark_phone_tab.accessibility() == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light dark"


def test_the_keyboard_skips_to_the_content(tab: Tab) -> None:
    page = tab.open("/messages")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_a_page_that_is_not_there_says_so(tab: Tab) -> None:
    page = tab.open("/nowhere")
    assert "Not Found" in page.inner_text("main")
