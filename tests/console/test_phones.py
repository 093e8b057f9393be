"""The phones of the simulated recipients: what they show, and what their owners do there."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, Route, expect

from local.http_client import http_client
from tests.console.conftest import Tab
from tests.console.test_deployed import start
from tests.e2e.conftest import Throughline, eventually, free_port, in_use

# Who waits for what a person does on these pages.
PERSON = "+14255550199"
OTHER_PERSON = "+12065550199"
MAILBOX = "person@example.com"
SCRIPT = "<script>document.title = 'ran'</script><img src=x onerror=\"document.title = 'ran'\">"


def send(throughline: Throughline, *channels: str, to: str = PERSON, **asked: Any) -> str:
    """The id of a message that takes these channels one after the other."""
    content = asked.pop("content", {"text": "Your parcel arrives today. Shall we ring?"})
    steps = [{"channel": channel, **asked} for channel in channels]
    return throughline.send({"to": dict.fromkeys(channels, to), "content": content, "steps": steps})


def phone_of(tab: Tab, to: str) -> Page:
    # As curl or a person writes it: the + is not escaped.
    return tab.open(f"/phones?to={to}")


def card(page: Page, message_id: str, channel: str = "WhatsApp") -> Locator:
    """What stands behind the screen about the message's attempt on the channel."""
    link = page.locator(f'a[href="/messages/{message_id}"]')
    return page.get_by_role("region", name=channel).locator(".about", has=link)


def on_the_phone(page: Page, message_id: str, channel: str = "WhatsApp") -> Locator:
    link = page.locator(f'a[href="/messages/{message_id}"]')
    return page.get_by_role("region", name=channel).locator(".device li", has=link)


def answer(page: Page, channel: str, text: str) -> None:
    """Writes on the phone itself."""
    device = page.get_by_role("region", name=channel).locator(".device")
    device.get_by_label("Reply to “Your parcel").fill(text)
    device.get_by_role("button", name="Reply: “Your parcel").click()


def statuses(message: dict[str, Any]) -> list[tuple[str, str]]:
    return [(attempt["channel"], attempt["status"]) for attempt in message["attempts"]]


def asks(url: str, body: object = None) -> Any:
    method = "GET" if body is None else "POST"
    return http_client().request(method, url, json=body).raise_for_status().json()


def dead_letters(throughline: Throughline) -> int:
    """How many receipts no function could read."""
    total = 0
    for queue in ("RECEIPTS_DEAD_LETTER_QUEUE_URL", "UNRECORDED_RECEIPTS_QUEUE_URL"):
        told = throughline.queues.get_queue_attributes(
            QueueUrl=throughline.environment[queue],
            AttributeNames=["ApproximateNumberOfMessages"],
        )
        total += int(told["Attributes"]["ApproximateNumberOfMessages"])
    return total


def test_a_refusal_falls_back_before_the_eyes(throughline: Throughline, tab: Tab) -> None:
    message_id = send(throughline, "whatsapp", "sms", wait_seconds=600)
    page = phone_of(tab, PERSON)
    waiting = card(page, message_id)
    waiting.get_by_label("Reason for refusing").select_option("failed:131049")

    waiting.get_by_role("button", name="Refuse: “Your parcel arrives today").click()

    expect(page.locator("#notice")).to_contain_text("Published: failed:131049")
    expect(card(page, message_id)).to_contain_text("failed")
    by_sms = card(page, message_id, "SMS")
    expect(by_sms).to_contain_text("on its way")

    by_sms.get_by_role("button", name="Receive now").click()
    expect(on_the_phone(page, message_id, "SMS")).to_contain_text("Your parcel")
    message = throughline.finished(message_id)
    assert statuses(message) == [("whatsapp", "failed"), ("sms", "delivered")]
    assert on_the_phone(page, message_id).count() == 0


def test_a_refusal_has_the_next_provider_called_within_the_second(
    throughline: Throughline, tab: Tab
) -> None:
    seconds = []
    # The best of a few: other tests keep the machine busy, and a first call is a cold start.
    for _ in range(5):
        message_id = send(throughline, "whatsapp", "sms", to=OTHER_PERSON, wait_seconds=600)
        page = phone_of(tab, OTHER_PERSON)
        card(page, message_id).get_by_role("button", name="Refuse").click()
        expect(card(page, message_id, "SMS")).to_be_visible()
        seconds.append(seconds_to_the_next_call(throughline, message_id))
    assert min(seconds) < 1, seconds


def seconds_to_the_next_call(throughline: Throughline, message_id: str) -> float:
    """From the click to the next call to a provider, by the simulator's clock."""
    refused, following = throughline.calls(message_id)
    [at] = [one["due_at"] for one in refused["receipts"] if "failed" in one["receipt"]]
    asked_at = datetime.fromisoformat(following["asked_at"])
    return (asked_at - datetime.fromisoformat(at)).total_seconds()


def test_reading_tells_delivered_and_read(throughline: Throughline, tab: Tab) -> None:
    message_id = send(throughline, "whatsapp", success="read", wait_seconds=600)
    page = phone_of(tab, PERSON)

    card(page, message_id).get_by_role("button", name="Read: “Your parcel").click()

    expect(page.locator("#notice")).to_contain_text("Read. Published: delivered and read.")
    expect(on_the_phone(page, message_id).locator(".ticks")).to_have_text("✓✓read")
    assert statuses(throughline.finished(message_id)) == [("whatsapp", "read")]


def test_a_reply_shows_in_the_thread_and_breaks_nothing(throughline: Throughline, tab: Tab) -> None:
    message_id = send(throughline, "sms", to=OTHER_PERSON, wait_seconds=600)
    page = phone_of(tab, OTHER_PERSON)
    card(page, message_id, "SMS").get_by_role("button", name="Receive now").click()
    expect(on_the_phone(page, message_id, "SMS")).to_be_visible()

    answer(page, "SMS", f"Yes, ring. {SCRIPT}")

    thread = page.get_by_role("list", name="SMS thread")
    expect(thread.get_by_role("listitem").last).to_contain_text(f"Yes, ring. {SCRIPT}")
    assert statuses(throughline.finished(message_id)) == [("sms", "delivered")]
    after = send(throughline, "sms", to="+14255550100")
    assert throughline.finished(after)["status"] == "delivered"
    assert dead_letters(throughline) == 0


def test_who_stays_silent_is_not_waited_for_longer(throughline: Throughline, tab: Tab) -> None:
    message_id = send(throughline, "whatsapp", "sms", to=OTHER_PERSON, wait_seconds=8)
    page = phone_of(tab, OTHER_PERSON)
    card(page, message_id).get_by_role("button", name="Ignore").click()

    expect(page.locator("#notice")).to_contain_text("Ignored. No receipt was published.")
    expect(card(page, message_id)).to_contain_text("ignored")
    expect(card(page, message_id, "SMS")).to_contain_text("on its way")
    assert on_the_phone(page, message_id).count() == 0
    assert throughline.get(message_id).body["attempts"][0]["status"] == "timed_out"


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("x" * 161, "2 segments, GSM-7, 161 characters"),
        ("[" * 80, "1 segment, GSM-7, 160 characters"),
        ("ž" * 71, "2 segments, UCS-2, 71 characters"),
    ],
)
def test_an_sms_says_how_many_segments_it_takes(
    throughline: Throughline, tab: Tab, text: str, facts: str
) -> None:
    message_id = send(throughline, "sms", to="+14255550100", content={"text": text})
    throughline.finished(message_id)
    page = phone_of(tab, "+14255550100")
    expect(card(page, message_id, "SMS").locator(".segments")).to_have_text(facts)
    expect(card(page, message_id, "SMS")).to_contain_text("from +12065550100")
    expect(on_the_phone(page, message_id, "SMS").locator(".text")).to_have_text(text)


def test_an_sms_has_no_read_receipt(throughline: Throughline, tab: Tab) -> None:
    message_id = send(throughline, "sms", wait_seconds=600)
    page = phone_of(tab, PERSON)
    read = card(page, message_id, "SMS").get_by_role("button", name="Read: “Your parcel")
    expect(read).to_be_disabled()
    expect(read).to_have_accessible_description("An SMS has no read receipt; only RCS has one.")


def test_a_template_shows_its_name_and_values_and_media_is_text(
    throughline: Throughline, tab: Tab
) -> None:
    values = [{"type": "text", "text": "482913"}, {"type": "text", "text": "<b>5 minutes</b>"}]
    components = [{"type": "body", "parameters": values}]
    template = {"name": "login_code", "language": "en_US", "components": components}
    document = {"link": "https://example.com/invoice.pdf", "filename": "invoice.pdf"}
    ids = [
        send(throughline, "whatsapp", to="+14255550101", content={"whatsapp": content})
        for content in ({"template": template}, {"document": document})
    ]
    for message_id in ids:
        throughline.finished(message_id)
    page = phone_of(tab, "+14255550101")
    expect(on_the_phone(page, ids[0])).to_contain_text("Template login_code in en_US")
    expect(on_the_phone(page, ids[0]).locator(".values li")).to_have_text(
        ["482913", "<b>5 minutes</b>"]
    )
    expect(on_the_phone(page, ids[1])).to_contain_text("document “invoice.pdf”")
    expect(on_the_phone(page, ids[1])).to_contain_text("https://example.com/invoice.pdf")
    assert page.locator('a[href^="https:"]').count() == 0


@pytest.mark.parametrize(("channel", "name"), [("whatsapp", "WhatsApp"), ("sms", "SMS")])
def test_hostile_text_is_text(throughline: Throughline, tab: Tab, channel: str, name: str) -> None:
    message_id = send(throughline, channel, to="+14255550101", content={"text": SCRIPT})
    throughline.finished(message_id)
    page = phone_of(tab, "+14255550101")
    expect(on_the_phone(page, message_id, name).locator(".text")).to_have_text(SCRIPT)
    expect(card(page, message_id, name).locator(".head a")).to_contain_text("<script>")
    expect(page).to_have_title(re.compile("Throughline"))


HOSTILE_MAIL = (
    "<h1>Invoice</h1><p id=target>Untouched</p>"
    "<img src='https://example.com/pixel.png'><link rel=stylesheet href='https://example.com/a.css'>"
    "<style>body { background: url(https://example.com/background.png) }</style>"
    "<script>document.getElementById('target').textContent = 'ran'</script>"
    "<script>top.document.title = 'ran'</script>"
    "<img src=x onerror=\"document.getElementById('target').textContent = 'ran'\">"
    "<meta http-equiv=refresh content='0; url=https://example.com/refreshed'>"
    "<iframe src='https://example.com/frame'></iframe>"
    "<form action='https://example.com/taken'><button>Pay</button></form>"
    "<a href='https://example.com/link'>Plain</a> "
    "<a target=_top href='https://example.com/top'>Top</a> "
    "<a target=_self href='https://example.com/self'>Self</a>"
)


@pytest.fixture
def mail(throughline: Throughline) -> str:
    """The id of a hostile mail that has arrived."""
    content = {"email": {"subject": SCRIPT, "html": HOSTILE_MAIL, "text": SCRIPT}}
    message_id = send(throughline, "email", to="mail@example.com", content=content)
    throughline.finished(message_id)
    return message_id


@dataclass(frozen=True)
class Watched:
    """A page whose policy may be violated, since that is tried; `asked` is what would leave this
    machine, each address as it got past the policy.
    """

    page: Page
    asked: list[str]

    def asks_nothing(self) -> bool:
        """Asks for one thing at the end, to see that this would have been seen."""
        before = list(self.asked)
        with suppress(Error):
            self.page.goto("https://example.com/seen")
        assert self.asked == [*before, "https://example.com/seen"]
        return not before


@pytest.fixture
def watched(browser: Browser, throughline: Throughline) -> Iterator[Watched]:
    url = throughline.environment["THROUGHLINE_CONSOLE_URL"]
    with browser.new_context(base_url=url) as context:
        watched = Watched(context.new_page(), [])

        def stop(route: Route) -> None:
            watched.asked.append(route.request.url)
            route.abort()

        context.route(lambda address: not address.startswith(f"{url}/"), stop)
        yield watched


@pytest.mark.usefixtures("mail")
def test_a_mail_runs_nothing_and_asks_for_nothing(watched: Watched) -> None:
    page = watched.page
    page.goto("/phones?to=mail@example.com")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Invoice")).to_be_visible()
    for name in ("Plain", "Top", "Self"):
        frame.get_by_role("link", name=name).click()
        expect(page.get_by_text("Plain text version").first).to_be_visible()
        page.goto("/phones?to=mail@example.com")
        expect(frame.locator("#target")).to_have_text("Untouched")
    frame.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("Plain text version").first).to_be_visible()
    expect(page).to_have_title(re.compile("mail@example.com"))
    assert page.context.pages == [page]
    assert watched.asks_nothing()


@pytest.mark.usefixtures("mail")
def test_a_mail_that_is_opened_by_itself_is_as_harmless(watched: Watched) -> None:
    page = watched.page
    page.goto("/phones?to=mail@example.com")
    answer = page.goto(page.locator("iframe").first.get_attribute("src") or "")
    assert answer is not None
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'; ")
    expect(page.locator("#target")).to_have_text("Untouched")
    assert watched.asks_nothing()


@pytest.mark.usefixtures("mail")
def test_a_mail_shows_its_subject_sender_and_text_as_text(watched: Watched) -> None:
    page = watched.page
    page.goto("/phones?to=mail@example.com")
    inbox = page.get_by_role("list", name="Inbox of mail@example.com")
    newest = inbox.get_by_role("listitem").first
    expect(newest.locator(".subject")).to_have_text(SCRIPT)
    expect(newest).to_contain_text("hello@example.com")
    page.get_by_text("Plain text version").first.click()
    expect(newest.locator("p.text")).to_have_text(SCRIPT)


def test_a_person_opens_a_mail_and_reports_it(throughline: Throughline, tab: Tab) -> None:
    content = {"email": {"subject": "Buy now", "text": "Only today."}}
    message_id = send(throughline, "email", to=MAILBOX, content=content, wait_seconds=600)
    page = phone_of(tab, MAILBOX)
    card(page, message_id, "Email").get_by_role("button", name="Open: “Buy now”").click()
    expect(page.locator("#notice")).to_contain_text("Published: Delivery and Open")
    inbox = page.get_by_role("list", name="Inbox of")
    expect(inbox.get_by_role("listitem").first).to_contain_text("Only today.")

    waiting = card(page, message_id, "Email")
    expect(waiting.get_by_role("button", name="Reply")).to_be_disabled()
    waiting.get_by_role("button", name="Report as spam: “Buy now”").click()
    expect(page.locator("#notice")).to_contain_text("Published: Complaint")
    expect(card(page, message_id, "Email")).to_contain_text("complained")


def test_it_works_without_scripts_and_says_what_came_too_late(
    throughline: Throughline, browser: Browser
) -> None:
    message_id = send(throughline, "whatsapp", wait_seconds=600)
    [call] = eventually(lambda: throughline.calls(message_id))
    simulator = throughline.environment["AWS_ENDPOINT_URL_SESV2"]
    url = throughline.environment["THROUGHLINE_CONSOLE_URL"]
    with browser.new_context(base_url=url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"/phones?to={PERSON}")
        asks(f"{simulator}/phones/{call['provider_id']}/receive", {})

        card(page, message_id).get_by_role("button", name="Receive now").click()

        sentence = "The message has already arrived; allowed actions"
        expect(page.locator("#notice")).to_contain_text(sentence)
        expect(on_the_phone(page, message_id)).to_be_visible()


def test_the_keyboard_alone_refuses(throughline: Throughline, tab: Tab) -> None:
    message_id = send(throughline, "whatsapp", "sms", to=OTHER_PERSON, wait_seconds=600)
    page = phone_of(tab, OTHER_PERSON)
    refuse = card(page, message_id).get_by_role("button", name="Refuse")
    expect(refuse).to_be_visible()
    tab_to(page, refuse)

    page.keyboard.press("Enter")

    expect(page.locator("#notice")).to_contain_text("Published: failed:131026")
    expect(card(page, message_id, "SMS")).to_contain_text("on its way")


def tab_to(page: Page, target: Locator) -> None:
    """Presses Tab until the target has the focus."""
    for _ in range(200):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail("the keyboard does not get there")


def test_what_is_typed_stays_when_the_page_changes(throughline: Throughline, tab: Tab) -> None:
    first = send(throughline, "whatsapp", wait_seconds=600)
    page = phone_of(tab, PERSON)
    reply = card(page, first).get_by_label("Reply to")
    reply.fill("I am just writ")
    page.locator("h1").click()

    second = send(throughline, "whatsapp", wait_seconds=600)

    expect(card(page, second)).to_be_visible()
    expect(reply).to_have_value("I am just writ")


def test_the_list_of_recipients_is_live_and_grouped(throughline: Throughline, tab: Tab) -> None:
    page = tab.open("/phones")
    expect(page.get_by_text("Choose a recipient")).to_be_visible()
    text = f"Seen at once {free_port()}"
    message_id = send(throughline, "whatsapp", "sms", to="+12065550156", content={"text": text})
    newest = page.get_by_role("navigation", name="Recipients").get_by_role("listitem").first
    expect(newest).to_contain_text(text)
    expect(newest).to_contain_text("SMS 1")
    expect(newest).to_contain_text("WhatsApp 1")
    throughline.finished(message_id)
    newest.get_by_role("link").click()
    expect(on_the_phone(page, message_id, "SMS")).to_contain_text(text)
    expect(card(page, message_id)).to_contain_text("failed:131026: Message undeliverable")


@pytest.mark.parametrize("to", ["+12065550177", "nobody@example.com", SCRIPT])
def test_who_got_nothing_is_said(tab: Tab, to: str) -> None:
    page = tab.open(f"/phones?{urlencode({'to': to})}")
    expect(page.locator("#threads")).to_contain_text(f"No message was sent to {to} in this run.")
    expect(page).to_have_title(f"{to} · Throughline")


def test_a_simulator_that_does_not_respond_is_a_sentence(throughline: Throughline) -> None:
    nowhere = {"AWS_ENDPOINT_URL_SESV2": "http://127.0.0.1:9"}
    port = free_port(1)
    process = start(throughline.environment | nowhere, "--port", str(port))
    try:
        eventually(lambda: in_use(port) or process.poll() is not None)
        said = http_client().get(f"http://127.0.0.1:{port}/phones").raise_for_status().text
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert "The simulator at http://127.0.0.1:9 does not respond" in said


def test_axe_finds_nothing_serious_on_a_phone(throughline: Throughline, tab: Tab) -> None:
    show_a_day(throughline, tab, "+12065550130")
    assert tab.accessibility() == []
    content = {"email": {"subject": "An invoice", "html": "<h1>Invoice</h1>", "text": "Invoice"}}
    message_id = send(throughline, "email", to="eve@example.com", content=content)
    page = phone_of(tab, "eve@example.com")
    expect(on_the_phone(page, message_id, "Email")).to_contain_text("Message details")
    assert tab.accessibility() == []


def test_on_a_dark_phone_the_frame_fills_the_width(
    throughline: Throughline, dark_phone_tab: Tab
) -> None:
    page = show_a_day(throughline, dark_phone_tab, "+14255550130")
    assert dark_phone_tab.accessibility() == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    device = page.locator(".device").first.bounding_box()
    assert device is not None
    assert device["width"] > 330
    page.get_by_role("link", name="All recipients").click()
    expect(page.get_by_role("navigation", name="Recipients")).to_be_visible()


def test_a_day_on_the_phone_for_the_picture(throughline: Throughline, tab: Tab) -> None:
    for to in ("+14255550101", "+12065550100", "+14255550100", "+12065550101", "+12065550156"):
        send(throughline, "whatsapp", "sms", to=to, content={"text": "Your table is booked."})
    content = {"email": {"subject": "Your invoice of November", "text": "It is attached."}}
    throughline.finished(send(throughline, "email", to="ana@example.com", content=content))
    show_a_day(throughline, tab, "+14255550159")
    tab.take_picture("phones")


def show_a_day(throughline: Throughline, tab: Tab, to: str) -> Page:
    """On a number of its own: a message read and answered, and one that is on its way."""
    code = {"text": "Your code is 482913. It is good for five minutes."}
    for content in (code, None):
        asked = {} if content is None else {"content": content}
        message_id = send(throughline, "whatsapp", to=to, wait_seconds=600, **asked)
        page = phone_of(tab, to)
        card(page, message_id).get_by_role("button", name="Read: “Your").click()
        expect(page.locator("#notice")).to_contain_text("Published: ")
    answer(page, "WhatsApp", "Yes, please ring.")
    expect(page.get_by_role("list", name="WhatsApp thread")).to_contain_text("Yes, please ring.")
    last = {"text": "We are at your door."}
    message_id = send(throughline, "whatsapp", to=to, wait_seconds=600, content=last)
    expect(card(page, message_id)).to_be_visible()
    return page
