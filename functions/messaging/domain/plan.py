"""Which channel is tried when: the steps of a request become attempts, and attempts a route."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messaging.domain.messages import (
    CHANNELS,
    AttemptId,
    Content,
    Delivery,
    DroppedStep,
    Message,
    Plan,
    PlannedAttempt,
)
from messaging.domain.statuses import Success

MIN_WAIT_SECONDS = 5
MAX_WAIT_SECONDS = 86_400

_PLAIN = ("text", "subject", "html")
_FORMS = ("template", "image", "document")


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the request's steps. `wait_seconds` None: the channel's default."""

    channels: tuple[str, ...]
    broadcast: bool = False
    wait_seconds: int | None = None
    success: Success = Success.DELIVERED


def plan(
    steps: Sequence[Step], default_waits: Mapping[str, int], expires_in_seconds: int | None = None
) -> Plan:
    """The attempts in their order, numbered over the whole plan, waits in seconds.

    With an expiry the waits are cut to end before it, and a step that could not even wait the
    shortest wait is dropped. Steps count from 1.
    """
    attempts: list[PlannedAttempt] = []
    dropped: list[DroppedStep] = []
    start = 0
    for number, step in enumerate(steps, 1):
        left = None if expires_in_seconds is None else expires_in_seconds - start
        if left is not None and left < MIN_WAIT_SECONDS:
            dropped.append(DroppedStep(number, _too_late(start, left)))
            continue
        waits = {channel: _wait(step, default_waits[channel], left) for channel in step.channels}
        for channel, wait in waits.items():
            attempts.append(PlannedAttempt(len(attempts) + 1, number, channel, wait, step.success))
        start += max(waits.values())
    return Plan(tuple(attempts), tuple(dropped))


def _wait(step: Step, default: int, left: int | None) -> int:
    wait = default if step.wait_seconds is None else step.wait_seconds
    return wait if left is None else min(wait, left)


def _too_late(start: int, left: int) -> str:
    return (
        f"the steps before it may take {start} seconds, which leaves {left} of the message's time; "
        f"a step waits at least {MIN_WAIT_SECONDS}"
    )


def route(message_id: str, plan: Plan, broadcasts: Iterable[int]) -> dict[str, Any]:
    """The plan as the state machine walks it: each node names the next one under `otherwise`.

    `broadcasts` are the steps that are one, also where they name a single channel.
    """
    node: dict[str, Any] = {"message_id": message_id, "channel": "none"}
    for step in sorted({attempt.step for attempt in plan.attempts}, reverse=True):
        attempts = [attempt for attempt in plan.attempts if attempt.step == step]
        first = _broadcast if step in set(broadcasts) else _single
        node = {"message_id": message_id, **first(message_id, attempts), "otherwise": node}
    return node


def _single(message_id: str, attempts: Sequence[PlannedAttempt]) -> dict[str, Any]:
    return _node(message_id, attempts[0])


def _node(message_id: str, attempt: PlannedAttempt) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "attempt": attempt.number,
        "channel": attempt.channel,
        "wait_seconds": attempt.wait_seconds,
    }


def _broadcast(message_id: str, attempts: Sequence[PlannedAttempt]) -> dict[str, Any]:
    asked = {one.channel: {"requested": True, **_node(message_id, one)} for one in attempts}
    reaches = "sent" if attempts[0].success is Success.SENT else "delivered"
    branches = {channel: asked.get(channel, {"requested": False}) for channel in CHANNELS}
    return {"channel": "broadcast", "reaches": reaches, **branches}


def delivery(message: Message, attempt: PlannedAttempt, sender: str, now: datetime) -> Delivery:
    """What the attempt hands to its channel.

    `sender` is used where the request names none. What was given up must not arrive later, so the
    validity is the wait, cut to the message's own end.
    """
    step = message.request["steps"][attempt.step - 1]
    valid = attempt.wait_seconds
    if message.expires_at is not None:
        left = int((message.expires_at - now).total_seconds())
        valid = max(MIN_WAIT_SECONDS, min(valid, left))
    return Delivery(
        attempt_id=AttemptId(message.message_id, attempt.number),
        to=address(message.request, step, attempt.channel, "to") or "",
        sender=address(message.request, step, attempt.channel, "from") or sender,
        content=content(message.request, step, attempt.channel),
        category=message.request["category"],
        valid_seconds=valid,
    )


def address(
    request: Mapping[str, Any], step: Mapping[str, Any], channel: str, field: str
) -> str | None:
    """The address in `to` or `from` for the channel: the step's own, else the request's."""
    for holder in (step, request):
        if found := holder.get(field, {}).get(channel):
            return str(found)
    return None


def content(request: Mapping[str, Any], step: Mapping[str, Any], channel: str) -> Content:
    """What the channel says in this step; the nearer layer wins.

    From far to near: the request's content, what it says for the channel, the step's content, what
    that says for the channel. A nearer text replaces a template or a picture, and the reverse.
    """
    said: dict[str, Any] = {}
    for holder in (request, step):
        general = holder.get("content", {})
        for layer in (general, general.get(channel, {})):
            said = _overlay(said, layer)
    return Content(**said)


def _overlay(said: dict[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    forms = {name: layer[name] for name in _FORMS if name in layer}
    if forms:
        return forms
    plain = {name: layer[name] for name in _PLAIN if name in layer}
    if not plain:
        return said
    return {name: value for name, value in said.items() if name in _PLAIN} | plain
