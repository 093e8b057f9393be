"""What one message cost: only what can be counted, at the list prices."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cost import Cost, cost, exact
from messaging.domain.messages import MessageHistory
from messaging.pricing import prices
from messaging.pricing.sms_parts import segments
from simulator.sms.text import parts as text_parts
from tests.support.recorded import facts

PRICES = prices.load()


def counted(found: Cost) -> dict[str, int]:
    return {item.what: item.number for item in (*found.aws, *found.fees)}


def test_a_fallback_is_counted_from_its_history_and_its_receipts() -> None:
    found = cost(facts("fallback"), PRICES)

    assert counted(found) == {
        "states entered, each try once": 4,
        "API requests": 1,
        "SQS requests: put on the queue": 1,
        "receipts published to SNS": 4,
        "Lambda invocations": 7,
        "WhatsApp, attempt 1": 1,
        "SMS, attempt 2": 1,
    }
    fees = PRICES.channels["whatsapp"] + PRICES.channels["sms"]
    assert sum(item.dollars for item in found.fees) == pytest.approx(fees)
    assert found.dollars == pytest.approx(sum(item.dollars for item in found.aws) + fees)
    assert found.aws[0].dollars == pytest.approx(4 * PRICES.aws["states"])


def test_a_direct_start_takes_two_states_more_and_no_api() -> None:
    numbers = counted(cost(facts("direct"), PRICES))

    assert numbers["states entered, each try once"] == 6
    assert "API requests" not in numbers


def test_what_no_provider_took_costs_no_fee() -> None:
    numbers = counted(cost(facts("busy_to_the_end"), PRICES))

    assert "WhatsApp, attempt 1" not in numbers
    assert numbers["email, attempt 2"] == 1
    assert numbers["states entered, each try once"] == 4 + 3


def test_a_long_sms_is_paid_by_its_parts() -> None:
    known = facts("fallback")
    assert known.story is not None
    message = known.story.message
    long = replace(message, request={**message.request, "content": {"text": "é€" * 100}})
    found = cost(replace(known, story=MessageHistory(long, known.story.attempts)), PRICES)

    assert counted(found)["SMS, attempt 2, 2 parts"] == 2


def test_the_smallest_price_is_shown() -> None:
    assert exact(PRICES.aws["sqs_requests"]) == "$0.0000004"


@given(st.text(alphabet=st.sampled_from("aé€[]~中😀\n"), max_size=400))
def test_a_text_has_the_parts_that_the_carriers_send_it_in(text: str) -> None:
    assert segments(text) == text_parts(text)
