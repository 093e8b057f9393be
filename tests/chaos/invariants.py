"""What must be true of every message in the end, as its caller, AWS and the simulator see it."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tests.e2e.conftest import Throughline, execution_status

# Far more than it takes: a busy machine is slow, not wrong.
SECONDS_TO_SETTLE = 300
FINAL = {"delivered", "sent", "undelivered", "expired", "rejected", "confirmed", "cancelled"}
DEAD_LETTERS = (
    "REQUESTS_DEAD_LETTER_QUEUE_URL",
    "RECEIPTS_DEAD_LETTER_QUEUE_URL",
    "UNRECORDED_RECEIPTS_QUEUE_URL",
    "UNCLOSED_MESSAGES_QUEUE_URL",
)
# A provider that answered so has not taken the message.
REFUSED = range(400, 500)


def settled(throughline: Throughline, message_ids: Iterable[str]) -> dict[str, list[str]]:
    """What is wrong with each message once all is over; a message that is right is not in it."""
    problems = {message_id: ["not looked at"] for message_id in message_ids}
    deadline = time.monotonic() + SECONDS_TO_SETTLE
    while problems and time.monotonic() < deadline:
        dead = dead_letters(throughline)
        for message_id in list(problems):
            problems[message_id] = found_wrong(throughline, message_id, dead)
            if not problems[message_id]:
                del problems[message_id]
        time.sleep(0.2 if problems else 0)
    return problems


def found_wrong(throughline: Throughline, message_id: str, dead: str) -> list[str]:
    try:
        return list(wrong(throughline, message_id, dead))
    except TimeoutError:
        return ["nobody answers"]


def wrong(throughline: Throughline, message_id: str, dead: str) -> Iterator[str]:
    told = throughline.get(message_id)
    if told.status not in {200, 404}:
        yield f"its status is answered with {told.status}"
        return
    status = told.body.get("status")
    if status not in FINAL and message_id not in dead:
        yield f"it is {status} and in no dead-letter queue"
    if execution_status(throughline, throughline.execution(message_id)) == "RUNNING":
        yield "its execution still runs"
    calls = throughline.calls(message_id)
    yield from handed_twice(calls)
    yield from receipts_lost(calls, told.body.get("timeline", []), dead)


def handed_twice(calls: list[dict[str, Any]]) -> Iterator[str]:
    handed = Counter(_attempt(call) for call in calls if _perhaps_taken(call))
    for attempt, times in handed.items():
        if times > 1:
            yield f"attempt {attempt} was handed to its provider {times} times"


def receipts_lost(
    calls: list[dict[str, Any]], timeline: list[dict[str, Any]], dead: str
) -> Iterator[str]:
    """Receipts that are on the topic but neither told nor kept; also those not yet on it."""
    told = {(str(one["attempt"]), one["word"]) for one in timeline if one["event"] == "receipt"}
    for call in calls:
        for receipt in call["receipts"]:
            word = receipt["receipt"].partition(":")[0]
            if receipt["published_at"] is None:
                yield f"the receipt {word} of attempt {_attempt(call)} is not published"
            elif (_attempt(call), word) not in told and call["provider_id"] not in dead:
                yield f"the receipt {word} of attempt {_attempt(call)} is lost"


def dead_letters(throughline: Throughline) -> str:
    """Everything that lies in the dead-letter queues, as one text."""
    bodies: list[str] = []
    for name in DEAD_LETTERS:
        url = throughline.environment[name]
        while found := throughline.queues.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=1,
            MessageAttributeNames=["All"],
        ).get("Messages", []):
            bodies += [json.dumps(one, default=str) for one in found]
    return "\n".join(bodies)


def _perhaps_taken(call: dict[str, Any]) -> bool:
    return (call["answer"] or {}).get("status") not in REFUSED


def _attempt(call: dict[str, Any]) -> str:
    echo = call["echo"]
    return str(echo.get("attempt") or "".join(echo.values()).rpartition(".")[2])
