"""The plan as the state machine reads it: nodes, each of which contains the next one."""

from collections.abc import Sequence
from typing import Any

from messaging.domain.plan import Plan, PlannedAttempt, PlannedStep
from messaging.domain.statuses import Success

Node = dict[str, Any]


def route(message_id: str, plan: Plan, channels: Sequence[str]) -> Node:
    """The first node; each has the next one under `otherwise`, the last has the channel `none`.

    `channels`: all for which a broadcast has a branch.
    """
    node: Node = {"message_id": message_id, "channel": "none"}
    for step in reversed(plan.steps):
        if step.broadcast:
            first = _broadcast(message_id, step, channels)
        else:
            first = _node(message_id, step.attempts[0])
        node = {"message_id": message_id, **first, "otherwise": node}
    return node


def _node(message_id: str, attempt: PlannedAttempt) -> Node:
    return {
        "message_id": message_id,
        "attempt": attempt.number,
        "channel": attempt.channel,
        "wait_seconds": attempt.wait_seconds,
    }


def _broadcast(message_id: str, step: PlannedStep, channels: Sequence[str]) -> Node:
    requested = {
        one.channel: {"requested": True, **_node(message_id, one)} for one in step.attempts
    }
    reaches = "sent" if step.success is Success.SENT else "delivered"
    branches = {channel: requested.get(channel, {"requested": False}) for channel in channels}
    return {"channel": "broadcast", "reaches": reaches, **branches}
