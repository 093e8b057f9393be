"""Composing a message: filled, planned, moved, refused, sent and delivered."""

import re
import subprocess
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.console.conftest import Tab
from tests.e2e.conftest import Throughline, eventually

REQUEST = {
    "to": {"sms": "+14255550100"},
    "content": {"text": "Your order 42 is on its way."},
    "steps": [{"channel": "sms"}],
}
HOSTILE = "</pre><script>document.title='taken'</script>'\"\n$(touch x) `y` \\"


def field(page: Page, pointer: str) -> Locator:
    return page.locator(f'[id="{pointer}"]')


def steps(page: Page) -> list[str]:
    """What the steps send by, in their order."""
    choices = page.locator("#steps select[id$='/channel']")
    return [choices.nth(one).input_value() for one in range(choices.count())]


def message_id(page: Page) -> str:
    page.wait_for_url(re.compile(r"/messages/[0-9A-Z]{26}$"))
    return page.url.rpartition("/")[2]


def shown_request(page: Page) -> str:
    return page.inner_text("#json")


def fill(page: Page) -> None:
    field(page, "/to/whatsapp").fill("+14255550100")
    field(page, "/to/sms").fill("+14255550100")
    field(page, "/content/text").fill("Your order 42 is on its way.")


# ---- from the form to the phone


def test_a_message_is_composed_sent_and_delivered(tab: Tab, throughline: Throughline) -> None:
    page = tab.open("/compose")
    page.select_option('[id="scenario/whatsapp"]', "not_on_whatsapp")
    expect(field(page, "/to/whatsapp")).to_have_value("+14255550120")
    field(page, "/to/sms").fill("+14255550100")
    field(page, "/to/email").fill("ana@example.com")
    field(page, "/content/text").fill("Your order 42 is on its way.")
    field(page, "/content/subject").fill("Your order 42")
    page.click("text=Add a step")
    added = field(page, "/steps/3/channel")
    expect(added).to_be_focused()
    added.select_option("broadcast")
    page.get_by_role("checkbox", name="email").check()
    page.get_by_role("checkbox", name="SMS").check()
    field(page, "/steps/3/wait_seconds").fill("90")
    expect(page.locator(".plan li")).to_have_text(
        [
            "WhatsApp, up to 45 s (the stack's default) for a delivery receipt; else",
            "SMS, up to 2 min (the stack's default) for a delivery receipt; else",
            re.compile("SMS and email at once, up to 1 min 30 s for a delivery receipt; one that"),
        ]
    )
    page.click("#send")
    message = throughline.finished(message_id(page))
    assert message["status"] == "delivered"
    assert [attempt["channel"] for attempt in message["attempts"]] == ["whatsapp", "sms"]


def test_the_way_to_the_message_works_without_scripts(
    browser: Browser, tab: Tab, throughline: Throughline
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{tab.url}/compose")
        page.select_option('[id="scenario/sms"]', "delivered")
        page.fill('[id="/content/text"]', "Without scripts.")
        page.get_by_label("Remove step 1").click()
        assert steps(page) == ["sms"]
        expect(field(page, "/to/sms")).to_have_value("+14255550100")
        expect(page.get_by_label("Remove step 1")).to_be_focused()
        page.click("text=Add a step")
        expect(field(page, "/steps/3/channel")).to_be_focused()
        field(page, "/steps/3/channel").select_option("email")
        page.get_by_label("Move step 2 up").click()
        assert steps(page) == ["email", "sms"]
        page.click("#send")
        expect(page.locator("#summary")).to_be_focused()
        expect(field(page, "/to/email")).to_have_attribute("aria-invalid", "true")
        field(page, "/to/email").fill("ana@example.com")
        field(page, "/content/subject").fill("Without scripts")
        page.click("#send")
        assert throughline.finished(message_id(page))["status"] == "delivered"


def test_a_typed_number_wins_over_the_scenario_that_was_shown_for_the_former(
    browser: Browser, tab: Tab
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{tab.url}/compose?start=otp")
        field(page, "/to/whatsapp").fill("+14255550130")
        page.get_by_role("button", name="Show the plan").click()
        expect(field(page, "/to/whatsapp")).to_have_value("+14255550130")
        expect(page.locator('[id="scenario/whatsapp"]')).to_have_value("silent")


def test_the_key_enter_shows_the_plan_and_sends_nothing(tab: Tab) -> None:
    page = tab.open("/compose")
    fill(page)
    field(page, "/expires_in_seconds").fill("60")
    field(page, "/expires_in_seconds").press("Enter")
    expect(page.locator(".plan")).to_contain_text("shortened from 2 min")
    assert page.url.endswith("/compose")


# ---- beside the form


def test_what_is_typed_is_planned_at_once_and_the_field_keeps_its_focus(tab: Tab) -> None:
    page = tab.open("/compose?start=order")
    wait = field(page, "/steps/1/wait_seconds")
    wait.fill("")
    wait.press_sequentially("100")
    expect(page.locator(".plan li").first).to_have_text(
        "WhatsApp, up to 1 min 40 s for a delivery receipt; else"
    )
    expect(wait).to_be_focused()
    expect(wait).to_have_value("100")
    field(page, "/expires_in_seconds").fill("103")
    expect(page.locator(".plan li").nth(1)).to_contain_text("1 min 43 s (shortened from 2 min")
    assert '"expires_in_seconds": 103' in shown_request(page)


def test_what_is_missing_is_linked_to_its_field(tab: Tab) -> None:
    page = tab.open("/compose")
    page.locator(".missing a", has_text="/to/sms").click()
    expect(field(page, "/to/sms")).to_be_focused()
    fill(page)
    expect(page.locator(".missing")).to_have_count(0)


def test_the_curl_line_sends_from_a_shell(tab: Tab, throughline: Throughline) -> None:
    page = tab.open("/compose?start=order")
    field(page, "/content/text").fill(f'It\'s "order" 42. {HOSTILE}')
    expect(page.locator("#curl")).to_contain_text("$(touch x)")
    line = page.inner_text("#curl")
    said = subprocess.run(["sh", "-c", line], capture_output=True, check=True, text=True)
    found = re.search(r'"id": ?"([0-9A-Z]{26})"', said.stdout)
    assert found, said.stdout
    assert throughline.finished(found[1])["status"] == "delivered"
    (text,) = {
        call["request"]["MessageBody"]
        for call in throughline.calls(found[1])
        if call["channel"] == "sms"
    }
    assert text == f'It\'s "order" 42. {HOSTILE}'


def test_the_curl_line_is_copied_by_a_button(tab: Tab) -> None:
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = tab.open("/compose?start=order")
    page.get_by_role("button", name="Copy the curl command").click()
    expect(page.locator("#announcement")).to_have_text("Copied.")
    expect(page.get_by_role("button", name="Copied the curl command")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.inner_text("#curl")


# ---- mistakes


def test_mistakes_stand_at_their_fields_in_the_words_of_the_api(
    tab: Tab, throughline: Throughline
) -> None:
    body: dict[str, Any] = {
        "to": {"whatsapp": "2065550143", "sms": "+14255550100"},
        "content": {"whatsapp": {"image": {"link": "ftp://example.com/a.png"}}, "text": "Hi"},
        "steps": [
            {"channel": "whatsapp", "wait_seconds": 3},
            {"channel": "sms", "success": "read"},
        ],
        "expires_in_seconds": 4,
        "metadata": {"k" * 65: "x"},
    }
    page = tab.open("/compose")
    field(page, "/to/whatsapp").fill(body["to"]["whatsapp"])
    field(page, "/to/sms").fill(body["to"]["sms"])
    field(page, "/content/text").fill("Hi")
    page.click("text=Different content for WhatsApp")
    field(page, "/content/whatsapp").select_option("image")
    field(page, "/content/whatsapp/image/link").fill("ftp://example.com/a.png")
    field(page, "/steps/1/wait_seconds").fill("3")
    field(page, "/steps/2/success").select_option("read")
    field(page, "/expires_in_seconds").fill("4")
    page.click("text=Add an entry")
    field(page, "/metadata/0/name").fill("k" * 65)
    field(page, "/metadata/0/value").fill("x")
    page.click("#send")

    expect(page.locator("#summary")).to_be_focused()
    told = throughline.post(body).body["errors"]
    assert len(told) == 6
    fields = {
        "/steps/0/wait_seconds": "/steps/1/wait_seconds",
        "/steps/1/success": "/steps/2/success",
        f"/metadata/{'k' * 65}": "/metadata/0/name",
    }
    for one in told:
        at = field(page, fields.get(one["pointer"], one["pointer"]))
        expect(at).to_have_attribute("aria-invalid", "true")
        expect(at).to_have_accessible_description(re.compile(re.escape(one["detail"])))
        summary = page.locator("#summary a", has_text=one["pointer"])
        expect(summary).to_contain_text(one["detail"])
    assert page.locator("#summary li").count() == len(told)
    assert tab.accessibility() == []

    page.locator("#summary a", has_text="wait_seconds").click()
    expect(field(page, "/steps/1/wait_seconds")).to_be_focused()
    field(page, "/steps/1/wait_seconds").fill("30")
    expect(field(page, "/steps/1/wait_seconds")).not_to_have_attribute("aria-invalid", "true")
    expect(field(page, "/steps/2/success")).to_have_attribute("aria-invalid", "true")

    page.get_by_label("Move step 2 up").click()
    expect(page.locator("#form-status")).to_have_text("SMS is now step 1 of 2.")
    expect(field(page, "/steps/2/success")).to_have_attribute("aria-invalid", "true")
    expect(field(page, "/steps/1/wait_seconds")).not_to_have_attribute("aria-invalid", "true")


def test_a_mistake_without_a_field_is_in_the_summary(tab: Tab) -> None:
    page = tab.open("/compose?start=order")
    page.locator("#steps summary").first.click()
    field(page, "/steps/1/more").fill('{"priority": 1')
    page.click("#send")
    expect(field(page, "/steps/1/more")).to_have_accessible_description(
        re.compile("is not valid JSON")
    )
    field(page, "/steps/1/more").fill('{"priority": 1}')
    page.click("#send")
    expect(page.locator("#summary")).to_contain_text("/steps/0/priority is not a valid field")


def test_a_key_that_came_before_with_another_body_is_said_at_the_key(
    tab: Tab, throughline: Throughline
) -> None:
    key = "compose-42"
    assert throughline.post(REQUEST, Idempotency_Key=key).status == 202
    page = tab.open("/compose?start=order")
    field(page, "idempotency_key").fill(key)
    field(page, "/content/text").fill("Something else.")
    page.click("#send")
    said = throughline.post({**REQUEST, "category": "utility"}, Idempotency_Key=key).body["detail"]
    expect(page.locator("#summary")).to_contain_text("422")
    expect(field(page, "idempotency_key")).to_have_accessible_description(said)
    expect(field(page, "/content/text")).to_have_value("Something else.")
    field(page, "/expires_in_seconds").fill("60")
    expect(page.locator(".plan li").nth(1)).to_contain_text("1 min (shortened from 2 min")
    expect(field(page, "idempotency_key")).to_have_accessible_description(said)
    field(page, "idempotency_key").fill(f"{key}-again")
    expect(field(page, "idempotency_key")).to_have_accessible_description("")


def test_a_request_that_is_too_large_is_said_to_be_so_and_kept(tab: Tab) -> None:
    page = tab.open("/compose?start=order")
    field(page, "/content/html").fill("x" * 263_000)
    page.click("#send")
    expect(page.locator("#summary")).to_contain_text("The API responded with 413")
    expect(page.locator("#summary")).to_contain_text("the maximum is 262144")
    expect(field(page, "/content/html")).to_have_value("x" * 263_000)


def test_send_that_is_pressed_twice_sends_once(tab: Tab) -> None:
    page = tab.open("/compose?start=order")
    posts: list[str] = []
    page.on("request", lambda one: posts.append(one.url) if one.method == "POST" else None)
    page.locator("#send").dblclick()
    message_id(page)
    assert [url for url in posts if url.endswith("/compose")] == [f"{tab.url}/compose"]


# ---- steps


def test_steps_move_by_keyboard_and_it_is_said(tab: Tab) -> None:
    page = tab.open("/compose?start=order")
    page.get_by_label("Move step 1 down").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#form-status")).to_have_text("WhatsApp is now step 2 of 3.")
    assert steps(page) == ["sms", "whatsapp", "email"]
    expect(page.get_by_label("Move step 2 down")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#form-status")).to_have_text("WhatsApp is now step 3 of 3.")
    expect(page.get_by_label("Move step 3 up")).to_be_focused()
    expect(page.locator(".plan li").last).to_contain_text("WhatsApp, up to 45 s")
    assert page.locator("#form-status").get_attribute("role") == "status"
    page.keyboard.press("Tab")
    expect(page.get_by_label("Remove step 3")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#form-status")).to_have_text("Step 3, WhatsApp, is removed; 2 left.")
    assert steps(page) == ["sms", "email"]


def test_steps_move_by_dragging_and_keep_what_was_typed(tab: Tab) -> None:
    page = tab.open("/compose?start=order")
    page.locator("#steps summary").first.click()
    field(page, "/steps/1/more").fill('{"from": {}}')
    field(page, "/steps/1/wait_seconds").fill("77")
    grip, last = page.locator(".grip").first, page.locator(".step").last
    grip.hover()
    page.mouse.down()
    box = last.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + box["height"] - 5, steps=8)
    page.mouse.up()
    expect(page.locator("#form-status")).to_have_text("WhatsApp is now step 3 of 3.")
    assert steps(page) == ["sms", "email", "whatsapp"]
    expect(page.locator(".step h3")).to_have_text(["Step 1", "Step 2", "Step 3"])
    expect(page.locator(".plan li").last).to_contain_text("WhatsApp, up to 1 min 17 s")
    expect(field(page, "/steps/1/wait_seconds")).to_have_value("77")
    expect(field(page, "/steps/1/more")).to_have_value('{"from": {}}')
    expect(field(page, "/steps/1/more")).to_be_visible()


def test_a_step_stays_as_it_is_while_another_comes(tab: Tab) -> None:
    page = tab.open("/compose?start=order")
    page.locator("#steps summary").first.click()
    field(page, "/steps/2/success").select_option("sent")
    field(page, "/steps/3/channel").select_option("broadcast")
    page.locator(".step").last.get_by_role("checkbox", name="SMS").check()
    page.click("text=Add a step")
    expect(field(page, "/steps/4/channel")).to_be_focused()
    expect(field(page, "/steps/1/more")).to_be_visible()
    expect(field(page, "/steps/2/success")).to_have_value("sent")
    expect(page.locator(".step").nth(2).get_by_role("checkbox", name="SMS")).to_be_checked()
    assert steps(page) == ["whatsapp", "sms", "broadcast", "sms"]


# ---- where it begins


def test_a_start_fills_the_form(tab: Tab) -> None:
    page = tab.open("/compose")
    page.click("text=Emergency broadcast")
    assert steps(page) == ["broadcast", "broadcast"]
    expect(page.locator(".plan li").first).to_contain_text("WhatsApp, SMS and email at once")
    expect(page.locator(".missing")).to_have_count(0)


def test_a_start_that_is_not_there_says_so(tab: Tab) -> None:
    assert "There is no example" in tab.open("/compose?start=nothing").inner_text("main")


def test_a_message_fills_the_form_with_its_request(tab: Tab, throughline: Throughline) -> None:
    own = {"channel": "email", "to": {"email": "desk@example.com"}, "content": {"subject": "S"}}
    body = {**REQUEST, "steps": [{"channel": "sms"}, own], "metadata": {"order": "42"}}
    known = throughline.send(body)
    page = tab.open(f"/compose?from={known}")
    expect(page.locator("#kept")).to_contain_text("have no fields in this form")
    expect(field(page, "/content/text")).to_have_value("Your order 42 is on its way.")
    expect(field(page, "/metadata/0/value")).to_have_value("42")
    page.click("#send")
    again = message_id(page)
    assert again != known
    assert throughline.finished(again)["status"] == "delivered"
    page = tab.open(f"/compose?from={again}")
    assert '"email": "desk@example.com"' in shown_request(page)


def test_a_message_that_could_not_be_planned_has_left_no_request(
    tab: Tab, throughline: Throughline
) -> None:
    machine = throughline.environment["STATE_MACHINE_ARN"]
    started = throughline.engine.start_execution(stateMachineArn=machine, input='{"to": 1}')
    name = started["executionArn"].rpartition(":")[2]
    assert eventually(lambda: throughline.get(name).status == 200)
    assert "was not kept" in tab.open(f"/compose?from={name}").inner_text("main")


def test_a_message_that_is_not_there_says_so(tab: Tab) -> None:
    assert "There is no message" in tab.open("/compose?from=nobody").inner_text("main")


# ---- what is typed is only text


def test_hostile_text_is_shown_as_text_and_stays_what_it_is(
    tab: Tab, throughline: Throughline
) -> None:
    known = throughline.send({**REQUEST, "content": {"text": f"\n{HOSTILE}"}})
    page = tab.open(f"/compose?from={known}")
    expect(field(page, "/content/text")).to_have_value(f"\n{HOSTILE}")
    assert "</pre><script>" in shown_request(page)
    field(page, "/to/sms").fill('"><img src=x onerror=alert(1)>')
    field(page, "more").evaluate("element => element.closest('details').open = true")
    field(page, "more").fill('{"<b>bold</b>": "<i>"}')
    page.click("#send")
    expect(page.locator("#summary")).to_contain_text("/<b>bold<~1b>")
    expect(field(page, "/to/sms")).to_have_value('"><img src=x onerror=alert(1)>')
    assert page.title() == "Compose · Throughline"
    assert page.locator("main img, main b, main i").count() == 0


def test_a_post_from_another_page_is_refused(tab: Tab) -> None:
    answer = tab.page.request.post(
        f"{tab.url}/compose",
        data=urlencode({"action": "send"}),
        headers={
            "Origin": "https://example.com",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    assert answer.status == 403


# ---- for everyone


@pytest.mark.parametrize("start", ["otp", "order", "emergency", "newsletter"])
def test_axe_finds_nothing_serious_in_a_filled_form(tab: Tab, start: str) -> None:
    page = tab.open(f"/compose?start={start}")
    for fold in page.locator("details").all():
        fold.evaluate("element => element.open = true")
    assert tab.accessibility() == []


def test_a_dark_phone_shows_the_mistakes_without_scrolling_sideways(dark_phone_tab: Tab) -> None:
    page = dark_phone_tab.open("/compose?start=emergency")
    field(page, "/to/sms").fill("1" * 200)
    page.click("#send")
    expect(page.locator("#summary")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert dark_phone_tab.accessibility() == []


def test_picture_of_a_message_that_is_composed(tab: Tab, throughline: Throughline) -> None:
    tab.page.set_viewport_size({"width": 1280, "height": 1500})
    page = tab.open("/compose?start=order")
    expect(page.locator(".plan li")).to_have_count(3)
    # A key of a stack that is gone soon, and still not for a picture.
    key = throughline.environment["THROUGHLINE_API_KEY"]
    expect(page.locator("#curl")).to_contain_text(key)
    page.locator("#curl").evaluate(
        "(shown, key) => { shown.textContent = shown.textContent.replace(key, 'your key') }", key
    )
    tab.take_picture("compose")
