"""The overview: what it says of messages, as they come, and of what lies in the queues."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.conftest import Tab
from tests.console.many import store_many
from tests.e2e.conftest import Throughline, eventually

SILENT, NOT_ON_WHATSAPP = "+14255550159", "+14255550156"


@pytest.fixture(scope="module")
def busy_hour(throughline: Throughline) -> int:
    """Of a stack that has delivered for some hours."""
    store_many(throughline, 400, timedelta(hours=3), "hour")
    return 400


def span(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def tile(page: Page, name: str) -> Locator:
    return span(page, "The last hour").locator(".tiles div", has_text=name)


def fall_back(throughline: Throughline) -> str:
    return throughline.send(
        {
            "to": {"whatsapp": NOT_ON_WHATSAPP, "sms": NOT_ON_WHATSAPP},
            "content": {"text": "Hello."},
            "steps": [{"channel": "whatsapp"}, {"channel": "sms"}],
        }
    )


def on_their_way(throughline: Throughline) -> set[str]:
    """The messages of which an SMS waits for its receipt, by the table: other tests leave some."""
    pages = throughline.table.get_paginator("scan").paginate(
        TableName=throughline.environment["MESSAGES_TABLE"],
        FilterExpression="channel = :sms AND #status IN (:sending, :sent)",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={f":{name}": {"S": name} for name in ("sms", "sending", "sent")},
    )
    return {item["pk"]["S"] for page in pages for item in page["Items"]}


def test_a_message_is_counted_while_it_waits_and_when_it_arrives(
    tab: Tab, throughline: Throughline
) -> None:
    throughline.finished(fall_back(throughline))
    page = tab.open("/overview")
    hour = span(page, "The last hour")
    expect(hour.get_by_role("row", name="SMS")).to_be_visible()
    waiting = hour.get_by_role("row", name="SMS").locator("[data-name=Waiting]")

    def counted(message_id: str, *, waits: bool) -> bool:
        known = on_their_way(throughline)
        return (message_id in known) is waits and int(waiting.inner_text()) == len(known)

    message_id = throughline.send(
        {"to": {"sms": SILENT}, "content": {"text": "Hello."}, "steps": [{"channel": "sms"}]}
    )
    eventually(lambda: counted(message_id, waits=True))
    (call,) = eventually(lambda: throughline.calls(message_id))
    throughline.report(call["provider_id"], "TEXT_DELIVERED")
    eventually(lambda: counted(message_id, waits=False))


def test_each_number_names_what_it_is(tab: Tab, throughline: Throughline) -> None:
    throughline.finished(fall_back(throughline))
    page = tab.open("/overview")
    expect(tile(page, "By fallback")).to_contain_text(re.compile(r"\d+\.\d %"))
    expect(tile(page, "Time to deliver")).to_contain_text(re.compile(r"\d s"))
    expect(tile(page, "Cost per thousand")).to_contain_text(re.compile(r"\$\d+\.\d\d"))
    expect(tile(page, "Cost per thousand")).to_contain_text(
        re.compile(r"\$\d+\.\d\d state transitions")
    )
    page.get_by_text("How these figures are calculated").click()
    expect(page.get_by_text("It does not include")).to_be_visible()


def test_a_status_leads_to_its_messages(tab: Tab, throughline: Throughline) -> None:
    throughline.finished(fall_back(throughline))
    page = tab.open("/overview")
    statuses = span(page, "The last hour").get_by_label("Messages by status")
    statuses.get_by_role("link", name="delivered", exact=False).first.click()
    expect(page).to_have_url(re.compile(r"/messages\?status=(un)?delivered$"))


def test_the_chart_can_be_read_as_a_table(tab: Tab, throughline: Throughline) -> None:
    throughline.finished(fall_back(throughline))
    page = tab.open("/overview")
    expect(page.locator("#chart rect.good").first).to_be_attached()
    page.get_by_text("Show as a table").click()
    expect(page.locator("#chart tbody tr").first).to_contain_text(re.compile(r"\d\d:\d\d"))


def test_a_dead_letter_shows_with_what_to_type(tab: Tab, throughline: Throughline) -> None:
    page = tab.open("/overview")
    lost = page.locator(".queues li", has_text="Requests not started")
    expect(lost).to_contain_text("The queue is empty.")

    url = throughline.environment["REQUESTS_DEAD_LETTER_QUEUE_URL"]
    throughline.queues.send_message(QueueUrl=url, MessageBody="{}")
    expect(lost.locator(".depth")).to_have_text("1")
    expect(lost).to_contain_text("make dlq")
    expect(lost).to_contain_text("make redrive")
    assert tab.accessibility() == []

    throughline.queues.purge_queue(QueueUrl=url)
    expect(lost).to_contain_text("The queue is empty.")


def test_a_busy_hour_is_accessible_and_a_picture(tab: Tab, busy_hour: int) -> None:
    page = tab.open("/overview")
    # Of a third of them; old ones that are stored now are read within half a minute.
    expect(page.locator("#chart g").nth(busy_hour // 10)).to_be_attached(timeout=60_000)
    assert tab.accessibility() == []
    tab.take_picture("overview")


def test_a_busy_hour_fits_a_dark_phone(dark_phone_tab: Tab, busy_hour: int) -> None:
    assert busy_hour
    page = dark_phone_tab.open("/overview")
    expect(page.locator("#chart rect").first).to_be_attached()
    assert dark_phone_tab.accessibility() == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
