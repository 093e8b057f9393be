"""AWS fails one call of one function: every message still comes to its end, and to it once."""

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.chaos.calls import CALLS, Call, fault
from tests.chaos.code_calls import CODE_CALLS
from tests.chaos.conftest import LONG
from tests.chaos.faulty import Fault, FaultyStack
from tests.chaos.invariants import settled
from tests.contracts.test_permissions_used import BESIDE, BY_OTHERS, NAMES, SINGLE
from tests.infra.template import Template

AT_ONCE = 12
SHORT = ["denied", "answer lost"]
MORE = ["throttled", "broken", "reset", "slow"]
UNANSWERED = {"answer lost", "reset"}
# What they do wrong is their own, scripted by recipient: test_providers.
PROVIDERS = ("sms-voice:", "social-messaging:", "ses:")


def test_every_call_of_every_function_fails_here(template: Template) -> None:
    """A role allows what its function calls and no more: tests/contracts/test_permissions_used."""
    made = {
        (function, action)
        for function, properties in template.functions.items()
        for action, _ in template.allowed(properties["Role"])
        if not action.startswith((*BESIDE, *PROVIDERS))
        and action not in BY_OTHERS.get(function, set())
    }
    # Who may use the key of codes, its own policy says: tests/infra.
    calls = [call for call in (*CALLS, *CODE_CALLS) if call.caller and call.service != "kms"]
    assert {(call.caller, _action(call)) for call in calls} == made


def _action(call: Call) -> str:
    action = f"{NAMES[call.service]}:{call.operation}"
    return SINGLE.get(action, action)


@dataclass(frozen=True)
class Strike:
    """A call that fails, and the message that meets it."""

    call: Call
    fault: Fault
    name: str

    def __str__(self) -> str:
        return f"{self.call.caller} {self.call.name}"


def strikes(stack: FaultyStack, kind: str, calls: Sequence[Call]) -> list[Strike]:
    found = []
    for call in calls:
        if call.service == "lambda" and kind in UNANSWERED:
            continue  # the engine ends the execution then, where Step Functions would ask again
        name = f"order-{uuid.uuid4().hex}"
        for rule in call.rules_before(name):
            stack.faults.add(rule)
        rule = call.rule(name, fault(kind, call.service))
        found.append(Strike(call, stack.faults.add(rule), name))
    return found


def sent(stack: FaultyStack, all_strikes: list[Strike]) -> dict[str, Strike]:
    """What fails, by the id of its message."""
    with ThreadPoolExecutor(AT_ONCE) as senders:
        ids = senders.map(
            lambda one: one.call.way(stack.throughline, one.call, one.name), all_strikes
        )
        return dict(zip(ids, all_strikes, strict=True))


@pytest.mark.parametrize("kind", SHORT + MORE * LONG)
def test_any_one_call_may_fail(stack: FaultyStack, kind: str) -> None:
    all_survive(stack, strikes(stack, kind, CALLS))


@pytest.mark.parametrize("kind", SHORT + MORE * LONG)
def test_any_one_call_for_a_code_may_fail(stack: FaultyStack, kind: str) -> None:
    with stack.throughline.setting("CODES_RESEND_SECONDS", "1"):
        all_survive(stack, strikes(stack, kind, CODE_CALLS))


def all_survive(stack: FaultyStack, all_strikes: list[Strike]) -> None:
    messages = sent(stack, all_strikes)
    problems = settled(stack.throughline, messages)
    assert {str(messages[one]): wrong for one, wrong in problems.items()} == {}
    assert [str(one) for one in messages.values() if not one.fault.struck] == []
    ends = {one: stack.throughline.get(one).body["status"] for one in messages}
    otherwise = {one: end for one, end in ends.items() if end not in messages[one].call.ends}
    assert {str(messages[one]): end for one, end in otherwise.items()} == {}
