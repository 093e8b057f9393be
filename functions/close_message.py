"""The state `Close message`: notes how a message ended that no step got through in its time.

EventBridge calls it too, for an execution that ended otherwise: stopped, or failed by itself.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging import settings
from messaging.domain.messages import Message, MessageHistory, Plan
from messaging.domain.statuses import FINAL, AttemptStatus, MessageStatus
from messaging.metrics import Counter
from messaging.store import UNCHECKED, Store

logger = Logger()

# Why a message ended with its execution, by the status that Step Functions gives it.
REASONS = {
    "ABORTED": "the execution was stopped",
    "FAILED": "the execution failed",
    "TIMED_OUT": "the execution took too long",
}


@cache
def store() -> Store:
    client = boto3.client("dynamodb", config=UNCHECKED)
    return Store(client, settings.messages_table(), settings.retention(), Counter())


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's
    """The outcome of an attempt that got through late, else the final status and its cause."""
    message_id = event["message_id"]
    logger.append_keys(message_id=message_id)
    if "execution_status" in event:
        return _close_after_the_end(message_id, event)
    return _close(message_id)


def _close_after_the_end(message_id: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """What the workflow has closed itself stays as it is: its failures come by here as well."""
    reason = REASONS[event["execution_status"]]
    started_at = datetime.fromtimestamp(event["started_at"] / 1000, UTC)
    # There is none if the execution ended before it could store a request that it was started with.
    unplanned = Message(
        message_id,
        started_at,
        request={},
        plan=Plan(()),
        status=MessageStatus.UNDELIVERED,
        reason=reason,
    )
    if store().add(unplanned):
        logger.warning("closed, it was never planned", reason=reason)
        return _closed(message_id, MessageStatus.UNDELIVERED, reason)
    story = store().history(message_id)
    if story.message.status in FINAL and not story.open_attempts():
        return _closed(message_id, story.message.status, reason)
    return _close(message_id, reason)


def _close(message_id: str, reason: str | None = None) -> dict[str, Any]:
    """First the message, then its attempts: who claims one from now on finds the message closed."""
    story = store().history(message_id)
    if not story.success():
        store().conclude(message_id, _ending(story), _now(), reason)
        story = _given_up(store().history(message_id), reason)
    if success := story.success():
        outcome = success.outcome
        store().conclude(message_id, outcome.status, _now(), channel=outcome.channel)
        logger.info("got through late", attempt=success.number)
        return asdict(outcome)
    status = story.message.status
    logger.info("message closed", status=status, reason=reason)
    return _closed(message_id, status, reason or _cause(story))


def _given_up(story: MessageHistory, reason: str | None) -> MessageHistory:
    still_open = story.open_attempts()
    attempts = (
        store().give_up(one, _now(), reason) if one in still_open else one for one in story.attempts
    )
    return replace(story, attempts=tuple(attempts))


def _closed(message_id: str, status: MessageStatus, cause: str) -> dict[str, Any]:
    return {"message_id": message_id, "status": status, "cause": cause}


def _ending(story: MessageHistory) -> MessageStatus:
    skipped = any(attempt.status is AttemptStatus.SKIPPED for attempt in story.attempts)
    return MessageStatus.EXPIRED if skipped else MessageStatus.UNDELIVERED


def _cause(story: MessageHistory) -> str:
    ends = (f"{one.channel}: {one.status} {one.reason or ''}".strip() for one in story.attempts)
    return "; ".join(ends) or "nothing was sent"


def _now() -> datetime:
    return datetime.now(UTC)
