"""Providers misbehave at the call and afterwards: nothing goes out twice, no receipt is lost."""

from typing import Any

from tests.chaos.faulty import FaultyStack
from tests.chaos.invariants import dead_letters, settled
from tests.local.conftest import eventually

WAIT = 5
# Busy, silent, late, twice, out of order, early, contradicting, 5xx before and after accepting,
# an answer too late, a connection cut: docs/local.md has the table.
NUMBERS = [f"+142555501{ending}" for ending in (30, 31, 32, 33, 34, 35, 36, 40, 41, 42, 43, 44, 45)]
ADDRESSES = [
    f"{name}@example.com"
    for name in ("bounced-then-delivered", "delivered-then-bounced", "server-error", "throttled")
]


def request(number: str, address: str) -> dict[str, Any]:
    steps = [{"channel": one, "wait_seconds": WAIT} for one in ("whatsapp", "sms", "email")]
    return {
        "to": {"whatsapp": number, "sms": number, "email": address},
        "content": {"text": "Hello.", "subject": "Hello"},
        "steps": steps,
    }


def test_whatever_a_provider_does(stack: FaultyStack) -> None:
    sent = {}
    for index, number in enumerate(NUMBERS):
        address = ADDRESSES[index % len(ADDRESSES)]
        sent[stack.throughline.send(request(number, address))] = number, address
    problems = settled(stack.throughline, sent)
    assert {sent[message_id]: wrong for message_id, wrong in problems.items()} == {}


def test_a_receipt_that_is_no_receipt_is_kept_and_shown(stack: FaultyStack) -> None:
    throughline = stack.throughline
    topics = throughline.session.client(
        "sns", endpoint_url=throughline.environment["AWS_ENDPOINT_URL"]
    )
    topics.publish(TopicArn=throughline.environment["RECEIPTS_TOPIC_ARN"], Message="{malformed")
    eventually(lambda: "{malformed" in dead_letters(throughline))
