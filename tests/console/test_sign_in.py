"""The example of a sign-in: the code is read on the simulated phone and typed in the page."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import Tab, new_tab
from tests.e2e.conftest import Throughline, eventually, in_use

SECONDS_TO_COOL_DOWN = 40


@pytest.fixture
def sign_in(browser: Browser, throughline: Throughline) -> Iterator[Tab]:
    """The sign-in page, beside the console."""
    url = throughline.environment["THROUGHLINE_SIGN_IN_URL"]
    eventually(lambda: in_use(int(url.rpartition(":")[2])))
    yield from new_tab(browser, url)


def ask_for_a_code(tab: Tab, to: str) -> Page:
    page = tab.open("/")
    page.get_by_label("Phone number or email address").fill(to)
    page.get_by_role("button", name="Send me a code").click()
    return page


def code_on_the_phone(tab: Tab, to: str) -> str:
    """As its owner reads it in the newest WhatsApp message."""
    page = tab.open(f"/phones?to={to}")
    newest = page.locator(".whatsapp .bubbles li").last
    expect(newest).to_contain_text("is your verification code")
    expect(newest.get_by_role("button", name="Copy code")).to_be_visible()
    return newest.locator(".text b").inner_text()


def enter(page: Page, code: str) -> None:
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_role("button", name="Sign in").click()


def test_the_code_on_the_phone_signs_in(tab: Tab, sign_in: Tab) -> None:
    page = ask_for_a_code(sign_in, "+14255550103")
    expect(page.get_by_role("status")).to_have_text("A code was sent to +14255550103.")
    assert page.evaluate("document.activeElement.id") == "code"
    assert page.get_by_label("Code", exact=True).get_attribute("autocomplete") == "one-time-code"

    code = code_on_the_phone(tab, "+14255550103")
    assert tab.accessibility() == []
    tab.take_picture("phone-with-a-code")
    enter(page, code)
    expect(page.get_by_role("status")).to_have_text("You are signed in.")
    expect(page.get_by_role("button")).to_have_count(0)
    assert sign_in.accessibility() == []


def test_a_wrong_code_says_how_many_tries_are_left_and_the_last_one_ends_it(
    sign_in: Tab,
) -> None:
    page = ask_for_a_code(sign_in, "+14255550104")
    for left in ("4 tries", "3 tries", "2 tries", "1 try"):
        enter(page, "00000")
        expect(page.get_by_role("status")).to_have_text(f"That is not the code. {left} left.")
    assert sign_in.accessibility() == []
    enter(page, "00000")
    expect(page.get_by_role("status")).to_contain_text("one wrong code too many")
    expect(page.get_by_role("button", name="Send me a code")).to_be_visible()


def test_the_same_code_is_sent_again_on_the_next_channel(tab: Tab, sign_in: Tab) -> None:
    page = ask_for_a_code(sign_in, "+14255550105")
    again = page.get_by_role("button", name="Send the code again")
    expect(again).to_be_disabled()
    expect(again).to_have_text(re.compile(r"in \d+ s$"))
    code = code_on_the_phone(tab, "+14255550105")

    expect(again).to_be_enabled(timeout=SECONDS_TO_COOL_DOWN * 1000)
    again.click()
    expect(page.get_by_role("status")).to_have_text("The code was sent again.")
    sms = tab.open("/phones?to=+14255550105").locator(".sms .bubbles li").last
    expect(sms).to_contain_text(code)
    expect(sms).to_contain_text(re.compile(rf"@example\.com #{code}"))
    enter(page, code)
    expect(page.get_by_role("status")).to_have_text("You are signed in.")


def test_what_is_no_number_is_explained(sign_in: Tab) -> None:
    page = ask_for_a_code(sign_in, "12")
    expect(page.get_by_role("status")).to_contain_text("Enter a phone number with its country code")


def test_a_dark_phone_shows_it_without_scrolling_sideways(
    browser: Browser, throughline: Throughline
) -> None:
    url = throughline.environment["THROUGHLINE_SIGN_IN_URL"]
    eventually(lambda: in_use(int(url.rpartition(":")[2])))
    screen = {"width": 360, "height": 740}
    for tab in new_tab(browser, url, color_scheme="dark", viewport=screen):
        page = ask_for_a_code(tab, "person@example.com")
        expect(page.get_by_role("status")).to_have_text("A code was sent to person@example.com.")
        assert tab.accessibility() == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_without_javascript_it_says_why_nothing_happens(
    browser: Browser, throughline: Throughline
) -> None:
    url = throughline.environment["THROUGHLINE_SIGN_IN_URL"]
    eventually(lambda: in_use(int(url.rpartition(":")[2])))
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(url)
        assert "This page needs JavaScript" in page.inner_text("main")
