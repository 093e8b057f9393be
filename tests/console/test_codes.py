"""The page of codes and the section of a message's page about its code, in the browser."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.console.codes import ask, start
from tests.console.conftest import Tab
from tests.console.many import store_codes
from tests.e2e.conftest import Throughline

SMS = {"sms": "+14255550101"}


def row(page: Page, verification_id: str) -> str:
    return page.locator(f"#row-{verification_id}").inner_text()


def test_a_code_is_followed_without_a_reload_an_address_or_a_code(
    tab: Tab, throughline: Throughline
) -> None:
    page = tab.open("/codes?range=hour")
    verification_id = start(throughline, SMS, purpose="followed", code="402917")
    own = page.locator(f"#row-{verification_id}")
    expect(own).to_contain_text("pending")
    expect(own).to_contain_text("SMS 1")
    expect(own).to_contain_text("US")

    assert ask(throughline, f"messages/{verification_id}/confirm").status_code == 200
    expect(own).to_contain_text("approved")
    expect(page.get_by_role("table", name="By channel")).to_contain_text("SMS")
    assert tab.accessibility() == []
    assert "5550101" not in page.content()
    assert "402917" not in page.content()


def test_checks_are_counted_and_states_filtered(tab: Tab, throughline: Throughline) -> None:
    verification_id = start(throughline, SMS, purpose="checked", max_checks=2)
    page = tab.open("/codes")
    own = page.locator(f"#row-{verification_id}")
    expect(own).to_contain_text("0 used, 2 left")
    for left in (1, 0):
        answer = ask(throughline, f"verifications/{verification_id}/check", code="00000")
        assert answer.json()["checks_left"] == left

    page.get_by_label("State").select_option(label="max checks reached")
    page.get_by_role("button", name="Show").click()
    expect(own).to_contain_text("2 used, 0 left")
    page.get_by_label("State").select_option(label="cancelled")
    page.get_by_role("button", name="Show").click()
    expect(own).to_have_count(0)


def test_the_page_of_a_code_tells_its_checks_and_sends_and_never_the_code(
    tab: Tab, throughline: Throughline
) -> None:
    verification_id = start(throughline, SMS, purpose="shown", code="402918")
    page = tab.open(f"/messages/{verification_id}")
    section = page.get_by_role("region", name="Code")

    expect(section).to_contain_text("compared by the caller")
    expect(section).to_contain_text("1 of 5")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#notice")).to_have_text("Confirmed: nothing more is sent.")
    expect(section).to_contain_text("approved")
    expect(page.locator("#timeline")).to_contain_text(
        "Steps 2 to 5 (SMS) did not run: no resend was requested"
    )
    expect(page.locator("#raw pre").first).to_contain_text("(not shown)", use_inner_text=False)
    assert "402918" not in page.content()
    assert tab.accessibility() == []


def test_a_resend_waits_for_its_cool_down_and_a_cancellation_does_not(
    tab: Tab, throughline: Throughline
) -> None:
    verification_id = start(throughline, SMS, purpose="again")
    page = tab.open(f"/messages/{verification_id}")
    page.get_by_role("button", name="Send the code again").click()
    expect(page.locator("#notice")).to_contain_text(re.compile(r"Try again in \d+ s\."))

    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#notice")).to_contain_text("Cancelled: no further step begins.")
    expect(page.locator("#timeline")).to_contain_text("Cancelled by the caller")
    expect(page.locator("#head .badge")).to_have_text(re.compile("cancelled"))
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


@pytest.mark.parametrize(("path", "purpose"), [("/codes", "sign-in"), ("/messages/{}", "payment")])
def test_a_dark_phone_shows_it_without_scrolling_sideways(
    dark_phone_tab: Tab, throughline: Throughline, path: str, purpose: str
) -> None:
    to = {"whatsapp": "+14255550102", "sms": "+14255550102"}
    verification_id = start(throughline, to, purpose=purpose)
    page = dark_phone_tab.open(path.format(verification_id))
    expect(page.locator("main")).to_contain_text(verification_id)
    assert dark_phone_tab.accessibility() == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_conversion_of_many_is_the_picture(tab: Tab, throughline: Throughline) -> None:
    store_codes(throughline, 240, timedelta(hours=20))
    tab.page.set_viewport_size({"width": 1280, "height": 1000})
    page = tab.open("/codes")
    channels = page.get_by_role("table", name="By channel")
    countries = page.get_by_role("table", name="By country")

    # What was stored late and is old is listed once in thirty seconds.
    expect(countries).to_contain_text("GB", timeout=60_000)
    expect(countries).to_contain_text("DE")
    # Each was sent by WhatsApp first; 160 of them were approved, 80 of those after the SMS.
    expect(channels.get_by_role("row", name="WhatsApp")).to_contain_text(re.compile(r"80 of 24\d"))
    expect(channels.get_by_role("row", name="SMS")).to_contain_text(re.compile(r"8\d of 1[23]\d"))
    assert tab.accessibility() == []
    tab.take_picture("codes")
