"""The page of one message: its path as it progresses, why, its cost, and untrusted text."""

import json
import re
import uuid
from http import HTTPStatus
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from local.http_client import http_client
from messaging.store import Store
from tests.console.conftest import Tab
from tests.e2e.conftest import Throughline, eventually

FALLS_BACK, SILENT = "+14255550156", "+14255550159"


def request(number: str, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "to": {"whatsapp": number, "sms": number, "email": "ana@example.com"},
        "content": {"text": "Your table for two is booked for eight o'clock.", "subject": "Booked"},
        "steps": list(steps or ({"channel": "whatsapp"}, {"channel": "sms"})),
        **more,
    }


def state(page: Page, name: str) -> Locator:
    return page.locator(f'[data-state="{name}"]')


def expect_state(page: Page, name: str, condition: str) -> None:
    expect(state(page, name)).to_have_attribute("data-condition", condition)


def started(throughline: Throughline, document: Any) -> str:
    """A direct StartExecution, once its message is stored; its name is the message's id."""
    name = f"direct-{uuid.uuid4().hex[:12]}"
    throughline.engine.start_execution(
        stateMachineArn=throughline.environment["STATE_MACHINE_ARN"],
        name=name,
        input=json.dumps(document),
    )
    eventually(lambda: throughline.get(name).status == HTTPStatus.OK)
    return name


def words(page: Page) -> list[str]:
    return page.locator("#timeline .what > bdi:first-child").all_inner_texts()


def test_a_fallback_lights_up_state_by_state_without_a_reload(
    tab: Tab, throughline: Throughline
) -> None:
    page = tab.open(f"/messages/{throughline.send(request(FALLS_BACK))}")
    page.evaluate("window.sameDocument = true")

    expect_state(page, "Send WhatsApp", "failed")
    expect_state(page, "Fall back", "succeeded")
    expect_state(page, "Send SMS", "succeeded")
    expect(page.locator("#head .badge")).to_have_text(re.compile("delivered"))
    expect(page.locator(".way.taken")).to_have_count(5)
    expect(page.locator("#timeline")).to_contain_text(
        "Step 2 (SMS) started because WhatsApp failed: 131026 Message undeliverable"
    )
    expect(page.locator("#raw pre").last).to_contain_text(
        "ExecutionSucceeded", use_inner_text=False
    )
    assert page.evaluate("window.sameDocument")


def test_the_finished_fallback_is_the_picture(tab: Tab, throughline: Throughline) -> None:
    message_id = throughline.send(request(FALLS_BACK))
    throughline.finished(message_id)
    tab.page.set_viewport_size({"width": 1280, "height": 1180})
    page = tab.open(f"/messages/{message_id}")

    expect(page.locator("#head .summary")).to_contain_text("Delivered by SMS")
    expect(page.locator("#connection")).to_have_text("live")
    assert tab.accessibility() == []
    tab.take_picture("message")


def test_a_state_that_waits_counts_down_and_then_gives_way(
    tab: Tab, throughline: Throughline
) -> None:
    steps = {"channel": "whatsapp", "wait_seconds": 9}, {"channel": "sms", "wait_seconds": 60}
    page = tab.open(f"/messages/{throughline.send(request(SILENT, *steps))}")

    expect_state(page, "Send WhatsApp", "waiting")
    left = state(page, "Send WhatsApp").locator("[data-until]")
    expect(left).to_have_text(re.compile(r"^\d+ s left$"))
    before = left.text_content()
    expect(left).not_to_have_text(before or "")
    expect_state(page, "Send SMS", "ahead")
    expect_state(page, "Send WhatsApp", "timed_out")
    expect_state(page, "Send SMS", "waiting")
    expect(page.locator("#timeline")).to_contain_text(
        "Step 2 (SMS) started because no delivery receipt from WhatsApp arrived within 9 s"
    )
    expect(page.locator("#timeline [data-until]")).to_have_text(re.compile(r"^\d+ s left$"))


def test_the_branches_of_a_broadcast_stand_side_by_side_each_with_its_end(
    tab: Tab, throughline: Throughline
) -> None:
    steps = {"broadcast": ["whatsapp", "sms", "email"], "wait_seconds": 30}
    page = tab.open(f"/messages/{throughline.send(request('+14255550158', steps))}")

    expect_state(page, "Broadcast to WhatsApp", "failed")
    expect_state(page, "Broadcast to SMS", "failed")
    expect_state(page, "Broadcast to email", "succeeded")
    expect_state(page, "Reached", "succeeded")
    tops, lefts = [], []
    for name in ("WhatsApp", "SMS", "email"):
        box = state(page, f"Broadcast to {name}").bounding_box()
        assert box is not None
        tops.append(round(box["y"]))
        lefts.append(box["x"])
    assert len(set(tops)) == 1
    assert lefts == sorted(lefts)
    assert (
        "Step 1 (broadcast to WhatsApp, SMS and email) started as the first step of the plan"
        in words(page)
    )
    assert tab.accessibility() == []


def test_a_direct_start_looks_the_same(tab: Tab, throughline: Throughline) -> None:
    page = tab.open(f"/messages/{started(throughline, request(FALLS_BACK))}")

    expect_state(page, "Plan message", "succeeded")
    expect_state(page, "Send SMS", "succeeded")
    expect(page.locator("#head .badge")).to_have_text(re.compile("delivered"))
    assert words(page)[0] == "Started directly with StartExecution"
    assert "Delivered by SMS" in words(page)


def test_a_direct_start_that_cannot_be_planned_names_each_field(
    tab: Tab, throughline: Throughline
) -> None:
    page = tab.open(f"/messages/{started(throughline, {'to': {'sms': 'nobody'}})}")

    expect_state(page, "Invalid request", "failed")
    expect(page.locator("#timeline")).to_contain_text("/to/sms must be a phone number")


def test_a_late_receipt_shows_without_a_reload(tab: Tab, throughline: Throughline) -> None:
    step = {"channel": "whatsapp", "wait_seconds": 5}
    message_id = throughline.send(request(SILENT, step))
    assert throughline.finished(message_id)["status"] == "undelivered"
    page = tab.open(f"/messages/{message_id}")
    expect(page.locator("#head .badge")).to_have_text(re.compile("undelivered"))

    (call,) = throughline.calls(message_id)
    throughline.report(call["provider_id"], "delivered")

    expect(page.locator("#head .badge")).to_have_text(re.compile(" delivered"))
    expect(page.locator("#timeline")).to_contain_text("delivered, after the wait had ended")
    expect(page.locator("#head .summary")).to_contain_text("Delivered by WhatsApp, late")


def confirmable(throughline: Throughline, *channels: str) -> str:
    """The id of a message that its caller has to confirm, and whose first attempt was sent."""
    steps = ({"channel": channel, "success": "confirmed"} for channel in channels)
    message_id = throughline.send(request(SILENT, *steps))
    eventually(lambda: throughline.sent(message_id))
    return message_id


def test_the_caller_advances_and_confirms_it_on_its_page(
    tab: Tab, throughline: Throughline
) -> None:
    page = tab.open(f"/messages/{confirmable(throughline, 'whatsapp', 'sms')}")
    page.get_by_role("button", name="Advance to step 2 (SMS)").click()
    expect(page.locator("#notice")).to_have_text("The step is over, and the next one begins.")
    expect(page.locator("#timeline")).to_contain_text(
        "Step 2 (SMS) started because the next step was requested"
    )
    expect_state(page, "Send WhatsApp", "ended")
    expect_state(page, "Send SMS", "waiting")
    assert page.get_by_role("button", name="Advance").count() == 0
    assert tab.accessibility() == []

    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#head .badge")).to_have_text(re.compile("confirmed"))
    expect(page.locator("#head .summary")).to_contain_text("Confirmed by the caller")
    expect(page.locator("#head button")).to_have_count(0)


def test_a_button_that_is_pressed_too_late_says_so(tab: Tab, throughline: Throughline) -> None:
    message_id = confirmable(throughline, "whatsapp", "sms")
    tab.page.route("**/events", lambda route: route.abort())  # the page stays as it is
    page = tab.open(f"/messages/{message_id}")
    api = throughline.environment["THROUGHLINE_API_URL"]
    key = {"X-Api-Key": throughline.environment["THROUGHLINE_API_KEY"]}
    http_client().post(f"{api}/{message_id}/confirm", json={}, headers=key).raise_for_status()

    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#notice")).to_have_text(
        "It is too late: the message cannot be cancelled, because it is confirmed."
    )


def test_the_buttons_need_no_javascript(browser: Browser, throughline: Throughline) -> None:
    message_id = confirmable(throughline, "whatsapp", "sms")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{throughline.environment['THROUGHLINE_CONSOLE_URL']}/messages/{message_id}")
        page.get_by_role("button", name="Cancel").click()
        assert "Cancelled: no further step begins" in page.inner_text("#notice")
        assert "Cancelled by the caller" in page.inner_text("#timeline")


HOSTILE = (
    "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
    "<svg onload=window.hacked=1></svg>{{7*7}}\u202etxet desrever\u2066'\"`"
)


def test_hostile_words_are_shown_as_they_are_and_do_nothing(
    tab: Tab, throughline: Throughline
) -> None:
    body = request(FALLS_BACK, metadata={HOSTILE[:60]: HOSTILE})
    body["content"] = {"text": HOSTILE, "subject": HOSTILE}
    message_id = throughline.send(body)
    throughline.finished(message_id)
    page = tab.open(f"/messages/{message_id}")
    page.locator("#raw summary").first.click()

    expect(page.locator("#raw pre").first).to_contain_text("<script>window.hacked=1</script>")
    expect(page.locator("#head")).to_contain_text("<svg onload=window.hacked=1>")
    expect(page.locator("#raw pre").first).to_contain_text("\\u202etxet desrever")
    assert "\u202e" not in page.content()
    assert page.evaluate("window.hacked") is None
    assert page.locator("#content script, #content img, #content [onload]").count() == 0


def test_a_hostile_request_and_cause_of_an_execution_do_nothing(
    tab: Tab, throughline: Throughline
) -> None:
    message_id = started(throughline, {HOSTILE: HOSTILE, "steps": HOSTILE, "to": [HOSTILE]})
    page = tab.open(f"/messages/{message_id}")
    expect_state(page, "Invalid request", "failed")
    page.locator("#raw summary").first.click()

    expect(page.locator("#timeline")).to_contain_text("<img src=x onerror=window.hacked=1>")
    expect(page.locator("#raw pre").first).to_contain_text("<svg onload=window.hacked=1>")
    assert "\u202e" not in page.content()
    assert page.evaluate("window.hacked") is None


def test_a_dark_phone_shows_it_without_scrolling_sideways(
    dark_phone_tab: Tab, throughline: Throughline
) -> None:
    message_id = throughline.send(request(FALLS_BACK))
    throughline.finished(message_id)
    page = dark_phone_tab.open(f"/messages/{message_id}")

    expect(page.locator("#head .summary")).to_contain_text("Delivered by SMS")
    assert dark_phone_tab.accessibility() == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_an_open_fold_stays_open_while_the_message_goes_on(
    tab: Tab, throughline: Throughline
) -> None:
    steps = {"channel": "whatsapp", "wait_seconds": 5}, {"channel": "email"}
    page = tab.open(f"/messages/{throughline.send(request(SILENT, *steps))}")
    expect_state(page, "Send WhatsApp", "waiting")
    page.locator("#drawing summary").click()

    expect_state(page, "Send email", "succeeded")
    expect(page.locator("#drawing li").last).to_be_visible()
    expect(page.locator("#drawing li").last).to_contain_text("Send email")


@pytest.mark.parametrize("address", ["nobody-sent-this", "a%20b", "x" * 81])
def test_an_unknown_message_is_a_page_that_says_so(tab: Tab, address: str) -> None:
    page = tab.open(f"/messages/{address}")

    expect(page.get_by_role("alert")).to_contain_text(re.compile("no message"))


def test_what_the_request_holds_can_be_sent_again_and_its_phone_seen(
    tab: Tab, throughline: Throughline
) -> None:
    message_id = throughline.send(request(FALLS_BACK))
    eventually(lambda: throughline.sent(message_id))
    page = tab.open(f"/messages/{message_id}")

    again = page.get_by_role("link", name="Send again")
    assert again.get_attribute("href") == f"/compose?from={message_id}"
    phone = page.get_by_role("link", name=re.compile("Recipient.s phone"))
    assert phone.get_attribute("href") == "/phones?to=%2B14255550156"


def test_the_request_is_copied_as_it_stands(tab: Tab, throughline: Throughline) -> None:
    sent = request(FALLS_BACK)
    message_id = throughline.send(sent)
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = tab.open(f"/messages/{message_id}")
    page.locator("#raw summary").first.click()
    page.get_by_role("button", name="Copy Request").click()

    expect(page.get_by_role("button", name="Copied Request")).to_be_visible()
    assert tab.accessibility() == []
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert (copied["to"], copied["content"]) == (sent["to"], sent["content"])


def test_an_erased_message_says_so(tab: Tab, throughline: Throughline) -> None:
    message_id = started(throughline, request(FALLS_BACK))
    throughline.finished(message_id)
    store = Store(throughline.table, throughline.environment["MESSAGES_TABLE"])
    assert store.erasure.erase(message_id)
    page = tab.open(f"/messages/{message_id}")

    expect(page.locator("#head .summary")).to_contain_text("This message was erased")
    expect_state(page, "Send SMS", "succeeded")
