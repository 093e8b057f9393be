"""What one message cost: only what can be counted, at the list prices."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cost import MessageCost, cost, exact
from messaging.domain.sms_encoding import length_problem
from messaging.domain.sms_encoding import parts as segments
from messaging.pricing import prices
from simulator.sms.api import MAX_LENGTH
from simulator.sms.text import encoding as text_encoding
from simulator.sms.text import length as text_length
from simulator.sms.text import parts as text_parts
from tests.support.recorded import facts

PRICES = prices.load()


def counted(found: MessageCost) -> dict[str, int]:
    return {item.what: item.number for item in (*found.aws, *found.fees)}


def test_a_fallback_is_counted_from_its_history_and_its_receipts() -> None:
    found = cost(facts("fallback"), PRICES)

    assert counted(found) == {
        "State transitions, including retries": 4,
        "API requests": 1,
        "SQS requests (SendMessage)": 1,
        "SNS publishes (receipts)": 4,
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

    assert numbers["State transitions, including retries"] == 6
    assert "API requests" not in numbers


def test_what_no_provider_took_costs_no_fee() -> None:
    numbers = counted(cost(facts("busy_to_the_end"), PRICES))

    assert "WhatsApp, attempt 1" not in numbers
    assert numbers["email, attempt 2"] == 1
    assert numbers["State transitions, including retries"] == 4 + 3


def test_a_long_sms_is_paid_by_its_parts() -> None:
    known = facts("fallback")
    long = {**known.stored_request, "content": {"text": "é€" * 100}}
    found = cost(replace(known, stored_request=long), PRICES)

    assert counted(found)["SMS, attempt 2, 2 parts"] == 2


def test_a_channel_without_a_list_price_is_named() -> None:
    unpriced = replace(PRICES, channels={"whatsapp": PRICES.channels["whatsapp"]})
    found = cost(facts("fallback"), unpriced)

    assert found.unpriced == ("sms",)
    assert [item.what for item in found.fees] == ["WhatsApp, attempt 1"]


def test_the_smallest_price_is_shown() -> None:
    assert exact(PRICES.aws["sqs_requests"]) == "$0.0000004"


@given(st.text(alphabet=st.sampled_from("aé€[]~中😀\n"), max_size=400))
def test_a_text_has_the_parts_that_the_simulator_sends_it_in(text: str) -> None:
    assert segments(text) == text_parts(text)


@given(st.integers(600, 1_600), st.sampled_from("aé€~ж😀"), st.sampled_from("a€ж"))
def test_a_text_is_too_long_exactly_if_the_simulator_refuses_it(
    count: int, most: str, last: str
) -> None:
    text = most * count + last

    assert bool(length_problem(text)) == (text_length(text) > MAX_LENGTH[text_encoding(text)])
