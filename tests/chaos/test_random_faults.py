"""AWS fails at random, under messages of every kind; a printed seed repeats the run."""

import contextlib
import json
import random
import time
from typing import Any

from local.processes import until
from tests.chaos.calls import BROKEN, SECONDS_OF_PATIENCE, THROTTLED
from tests.chaos.conftest import LONG, SEED
from tests.chaos.faulty import FaultyStack
from tests.chaos.invariants import settled
from tests.e2e.conftest import Throughline

MESSAGES, SECONDS = (150, 60) if LONG else (20, 8)
# Delivered, read, opted out, failed late or early, twice, out of order, contradicting, busy, 500.
ENDINGS = ["00", "01", "10", "20", "24", "30", "32", "33", "34", "35", "36", "40", "42", "45", "56"]
CHANNELS = ["whatsapp", "sms", "email"]


def request(chance: random.Random) -> dict[str, Any]:
    number = f"+142555501{chance.choice(ENDINGS)}"
    steps: list[dict[str, Any]] = [
        {"channel": channel, "wait_seconds": 5}
        for channel in chance.sample(CHANNELS, chance.randint(1, 3))
    ]
    if chance.random() < 0.2:
        steps.append({"broadcast": CHANNELS, "wait_seconds": 5})
    return {
        "to": {"whatsapp": number, "sms": number, "email": "ana@example.com"},
        "content": {"text": "Hello.", "subject": "Hello"},
        "steps": steps,
    }


def rules(chance: random.Random) -> list[dict[str, Any]]:
    """A little of everything, in front of every service."""
    return [
        {"service": service, "probability": chance.uniform(0.01, 0.06), **effect}
        for service in THROTTLED
        for effect in (
            {"error": {"code": THROTTLED[service]}},
            {"error": {"code": BROKEN[service], "status": 500}},
            {"error": {"code": "AccessDeniedException", "status": 400}},
            {"reset": True},
            {"response": {"abort_bytes": 0}},
            {"latency": {"min": 50, "max": 500}},
        )
        # The engine ends the execution then, where Step Functions would ask again.
        if (service, *effect) != ("lambda", "response")
    ]


def accepted(throughline: Throughline, body: dict[str, Any]) -> str:
    """The id of a message whose caller repeats until it is taken."""
    for _ in until(SECONDS_OF_PATIENCE, step=0.1):
        with contextlib.suppress(TimeoutError):
            answer = throughline.post(body)
            if answer.status == 202:
                return str(answer.body["id"])
            assert answer.status >= 500, answer.body
    raise AssertionError(f"not taken in {SECONDS_OF_PATIENCE} s")


def test_nothing_is_lost_and_nothing_goes_out_twice(stack: FaultyStack) -> None:
    chance = random.Random(SEED)  # noqa: S311 - to be repeated
    faults = [stack.faults.add(rule) for rule in rules(chance)]
    bodies = [request(chance) for _ in range(MESSAGES)]
    sent = {accepted(stack.throughline, body): body for body in bodies}
    time.sleep(SECONDS)
    stack.faults.clear()
    problems = settled(stack.throughline, sent)
    assert {json.dumps(sent[one]): wrong for one, wrong in problems.items()} == {}, f"SEED={SEED}"
    assert any(fault.struck for fault in faults)
