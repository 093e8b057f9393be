"""Providers misbehave at the call and afterwards: nothing goes out twice, no receipt is lost."""

import json
import uuid
from typing import Any

import pytest

from tests.chaos.calls import REACHED, SILENT
from tests.chaos.faulty import FaultyStack
from tests.chaos.invariants import dead_letters, settled
from tests.e2e.conftest import Throughline, eventually
from tests.support.aws import SAMPLE_ID, event_of, event_text

WAIT = 5
# docs.aws.amazon.com/sns/latest/api/API_Publish.html
LARGEST_MESSAGE = 262_144
# Busy, silent, late, twice, out of order, early, contradicting, 5xx before and after accepting,
# an answer too late, a connection cut: docs/local.md has the table.
NUMBERS = [f"+142555501{ending}" for ending in (30, 31, 32, 33, 34, 35, 36, 40, 41, 42, 43, 44, 45)]
ADDRESSES = [
    f"{name}@example.com"
    for name in ("bounced-then-delivered", "delivered-then-bounced", "server-error", "throttled")
]


def request(number: str, address: str, wait: int = WAIT) -> dict[str, Any]:
    steps = [{"channel": one, "wait_seconds": wait} for one in ("whatsapp", "sms", "email")]
    return {
        "to": {"whatsapp": number, "sms": number, "email": address},
        "content": {"text": "Hello.", "subject": "Hello"},
        "steps": steps,
    }


def publish(throughline: Throughline, message: str) -> None:
    topics = throughline.session.client(
        "sns", endpoint_url=throughline.environment["AWS_ENDPOINT_URL"]
    )
    topics.publish(TopicArn=throughline.environment["RECEIPTS_TOPIC_ARN"], Message=message)


def test_whatever_a_provider_does(stack: FaultyStack) -> None:
    sent = {}
    for index, number in enumerate(NUMBERS):
        address = ADDRESSES[index % len(ADDRESSES)]
        sent[stack.throughline.send(request(number, address))] = number, address
    problems = settled(stack.throughline, sent)
    assert {sent[message_id]: wrong for message_id, wrong in problems.items()} == {}


def test_where_nobody_listens_nothing_is_sent_and_it_is_tried_again(stack: FaultyStack) -> None:
    throughline = stack.throughline

    def refused(message_id: str) -> bool:
        attempts = throughline.get(message_id).body["attempts"]
        return any(one["reason"] == "EndpointConnectionError" for one in attempts)

    with stack.way.closed():
        sent = [throughline.send(request(REACHED, "ana@example.com")) for _ in range(4)]
        eventually(lambda: all(refused(message_id) for message_id in sent))
        assert not any(throughline.calls(message_id) for message_id in sent)
    assert settled(throughline, sent) == {}
    ends = {message_id: throughline.get(message_id).body["status"] for message_id in sent}
    assert set(ends.values()) <= {"delivered", "undelivered"}
    # Each was handed over once at most, and arrived if it was.
    reached = {message_id for message_id in sent if len(throughline.calls(message_id)) == 1}
    assert reached == {message_id for message_id, end in ends.items() if end == "delivered"}


@pytest.mark.parametrize("event", ["sms_TEXT_DELIVERED", "ses_Delivery", "whatsapp_delivered"])
def test_a_receipt_of_an_unknown_message_is_kept_and_holds_up_no_other(
    stack: FaultyStack, event: str
) -> None:
    throughline = stack.throughline
    unknown = f"unknown-{uuid.uuid4().hex}"
    publish(throughline, event_text(event).replace(SAMPLE_ID, unknown))
    message_id = throughline.send(request(REACHED, "ana@example.com", wait=240))
    publish(throughline, event_text(event).replace(SAMPLE_ID, unknown))
    assert settled(throughline, [message_id]) == {}
    assert throughline.get(message_id).body["status"] == "delivered"
    eventually(lambda: unknown in dead_letters(throughline))
    assert throughline.get(unknown).status == 404


def provider_id(throughline: Throughline, message_id: str) -> str | None:
    attempts = throughline.get(message_id).body["attempts"]
    return next((one["provider_id"] for one in attempts if one["provider_id"]), None)


def test_the_largest_receipt_that_sns_carries_is_recorded(stack: FaultyStack) -> None:
    throughline = stack.throughline
    steps = [{"channel": "sms", "wait_seconds": 240}]
    message_id = throughline.send(request(SILENT, "ana@example.com") | {"steps": steps})
    sent = eventually(lambda: provider_id(throughline, message_id))
    event = json.loads(event_of("sms_TEXT_DELIVERED", message_id, 1, sent))
    event["padding"] = ""
    event["padding"] = "x" * (LARGEST_MESSAGE - len(json.dumps(event)))
    publish(throughline, json.dumps(event))
    assert settled(throughline, [message_id]) == {}
    assert throughline.get(message_id).body["status"] == "delivered"


def test_a_receipt_that_is_no_receipt_is_kept_and_shown(stack: FaultyStack) -> None:
    publish(stack.throughline, "{malformed")
    eventually(lambda: "{malformed" in dead_letters(stack.throughline))
