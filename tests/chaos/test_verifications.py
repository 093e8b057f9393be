"""Functions of one-time codes are killed between two calls: the caller repeats the request, and
nothing is lost, sent twice or approved twice.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from local.processes import until
from tests.chaos.calls import A_MESSAGE, SECONDS_OF_PATIENCE, put
from tests.chaos.code_calls import A_PENDING_ONE, REACHED, code_of, recipient, until_answered
from tests.chaos.faulty import Fault, FaultyStack
from tests.chaos.invariants import settled
from tests.chaos.test_processes import HELD_MILLISECONDS, kill
from tests.e2e.conftest import Answer, Throughline, eventually

A_FACT = ("dynamodb", "UpdateItem", "")
THE_HISTORY = ("dynamodb", "Query", "ConsistentRead")
SUCCESS = ("stepfunctions", "SendTaskSuccess", "")
FAILURE = ("stepfunctions", "SendTaskFailure", "")
PERSON = "0199"
LONG_WAIT = 240


def held(stack: FaultyStack, function: str, call: tuple[str, str, str]) -> Fault:
    """The function's next such call is held and never made."""
    service, operation, where = call
    return stack.faults.add(
        {
            "service": service,
            "operation": operation,
            "headers": {"User-Agent": f"app/{function}"},
            **({"body": where} if where else {}),
            "times": 1,
            "timeout_ms": HELD_MILLISECONDS,
        }
    )


def killed_meanwhile(
    stack: FaultyStack, function: str, call: tuple[str, str, str], ask: Callable[[], Answer]
) -> Answer:
    """The answer in the end to a request whose function is killed just before a call."""
    fault = held(stack, function, call)
    with ThreadPoolExecutor(1) as callers:
        asked = callers.submit(until_answered, ask)
        eventually(lambda: fault.struck)
        kill(stack, function)
        return asked.result()


@dataclass(frozen=True)
class Moment:
    """Just before a call."""

    before: str
    call: tuple[str, str, str]

    def __str__(self) -> str:
        return self.before


STARTS = [
    Moment("the place of the pending one", put(A_PENDING_ONE)),
    Moment("the message", put(A_MESSAGE)),
    Moment("the queue", ("sqs", "SendMessage", "")),
]


@pytest.mark.parametrize("moment", STARTS, ids=str)
def test_a_start_that_is_killed_and_repeated_sends_one_code(
    stack: FaultyStack, moment: Moment
) -> None:
    throughline, to = stack.throughline, recipient(REACHED)
    body = {"to": to, "steps": [{"channel": "sms"}]}

    answer = killed_meanwhile(
        stack, "start_verification", moment.call, lambda: throughline.verify(body)
    )

    assert answer.status in {200, 202}
    verification_id = answer.body["id"]
    code = code_of(throughline, verification_id)
    assert throughline.check(verification_id, code).body["status"] == "approved"
    assert settled(throughline, [verification_id]) == {}
    assert [call["to"] for call in throughline.calls_to(to["sms"])] == [to["sms"]]


CHECKS = [
    Moment(
        "it is counted", ("dynamodb", "UpdateItem", "contains(UpdateExpression, 'check_times')")
    ),
    Moment("the code is derived", ("kms", "GenerateMac", "")),
    Moment("it confirms", ("dynamodb", "UpdateItem", "!contains(UpdateExpression, 'check_times')")),
    Moment("it reads the history", THE_HISTORY),
    Moment("it answers the waiting state", SUCCESS),
]


@pytest.mark.parametrize("moment", CHECKS, ids=str)
def test_a_check_that_is_killed_and_repeated_is_approved_once(
    stack: FaultyStack, moment: Moment
) -> None:
    throughline = stack.throughline
    verification_id = throughline.started({"to": recipient(REACHED), "steps": [{"channel": "sms"}]})
    code = code_of(throughline, verification_id)

    mine = killed_meanwhile(
        stack,
        "check_verification",
        moment.call,
        lambda: throughline.check(verification_id, code, key="mine"),
    )
    others = until_answered(lambda: throughline.check(verification_id, code))

    assert (mine.status, mine.body["status"]) == (200, "approved")
    assert (others.status, others.body["state"]) == (409, "approved")
    assert settled(throughline, [verification_id]) == {}
    assert throughline.get(verification_id).body["status"] == "confirmed"
    assert len(throughline.calls(verification_id)) == 1


CONTROLS = [
    ("confirm", Moment("a confirmation is written", A_FACT), "confirmed"),
    ("confirm", Moment("a confirmation reads the history", THE_HISTORY), "confirmed"),
    ("confirm", Moment("a confirmation answers the state", SUCCESS), "confirmed"),
    ("cancel", Moment("a cancellation is written", A_FACT), "cancelled"),
    ("cancel", Moment("a cancellation answers the state", FAILURE), "cancelled"),
    ("advance", Moment("an advance is written", A_FACT), "delivered"),
    ("advance", Moment("an advance answers the state", FAILURE), "delivered"),
]


@pytest.mark.parametrize(("word", "moment", "end"), CONTROLS, ids=str)
def test_a_callers_word_that_is_killed_and_repeated_takes_effect_once(
    stack: FaultyStack, word: str, moment: Moment, end: str
) -> None:
    throughline = stack.throughline
    to = recipient(PERSON)
    message_id = throughline.send(
        {
            "to": to,
            "content": {"text": "Hello.", "subject": "Hello"},
            "steps": [
                {"channel": channel, "wait_seconds": LONG_WAIT} for channel in ("sms", "email")
            ],
        }
    )
    eventually(lambda: throughline.get(message_id).body["attempts"][:1])
    eventually(lambda: throughline.get(message_id).body["attempts"][0]["provider_id"])
    body = {"step": 1} if word == "advance" else {}

    answer = killed_meanwhile(
        stack,
        "control_message",
        moment.call,
        lambda: throughline.control(message_id, word, body),
    )

    assert answer.status == 200
    assert settled(throughline, [message_id]) == {}
    assert throughline.get(message_id).body["status"] == end
    assert throughline.sent(message_id) == ["sms", "email"][: 2 if word == "advance" else 1]


RESENDS = [
    Moment(
        "its time is written", ("dynamodb", "UpdateItem", "contains(UpdateExpression, 'last_')")
    ),
    Moment(
        "the advance is written", ("dynamodb", "UpdateItem", "contains(UpdateExpression, 'adv')")
    ),
    Moment("the state is answered", FAILURE),
]


@pytest.mark.parametrize("moment", RESENDS, ids=str)
def test_a_resend_that_is_killed_and_repeated_sends_one_more(
    stack: FaultyStack, moment: Moment
) -> None:
    throughline = stack.throughline
    with throughline.setting("CODES_RESEND_SECONDS", "1"):
        verification_id = throughline.started(
            {"to": recipient(REACHED), "steps": [{"channel": "sms"}]}
        )
        code = code_of(throughline, verification_id)

        answer = killed_meanwhile(
            stack,
            "control_verification",
            moment.call,
            lambda: past_the_cool_down(throughline, verification_id),
        )

    assert answer.status == 200
    eventually(lambda: len(throughline.calls(verification_id)) > 1)
    assert throughline.check(verification_id, code).body["status"] == "approved"
    assert settled(throughline, [verification_id]) == {}
    assert throughline.sent(verification_id) == ["sms", "sms"]


def past_the_cool_down(throughline: Throughline, verification_id: str) -> Answer:
    for _ in until(SECONDS_OF_PATIENCE, step=0.2):
        answer = throughline.resend(verification_id)
        if answer.body.get("limit") != "resend_cooldown":
            return answer
    raise AssertionError("the cool-down does not end")
