"""The state `Close message`: notes how a message ended that no step got through in its time."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging import settings
from messaging.messages import Story
from messaging.statuses import OPEN, AttemptStatus, MessageStatus
from messaging.store import Store

logger = Logger()


@cache
def store() -> Store:
    return Store(boto3.client("dynamodb"), settings.messages_table())


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's
    """The outcome of an attempt that got through late, else the final status and its cause."""
    message_id = event["message_id"]
    logger.append_keys(message_id=message_id)
    for attempt in store().story(message_id).attempts:
        if attempt.status in OPEN:
            store().give_up(attempt, _now())
    story = store().story(message_id)
    if success := story.success():
        outcome = story.outcome(success)
        store().conclude(message_id, outcome.status, _now())
        logger.info("got through late", attempt=success.number)
        return asdict(outcome)
    status = store().conclude(message_id, _ending(story), _now())
    logger.info("message closed", status=status)
    return {"message_id": message_id, "status": status, "cause": _cause(story)}


def _ending(story: Story) -> MessageStatus:
    skipped = any(attempt.status is AttemptStatus.SKIPPED for attempt in story.attempts)
    return MessageStatus.EXPIRED if skipped else MessageStatus.UNDELIVERED


def _cause(story: Story) -> str:
    ends = (f"{one.channel}: {one.status} {one.reason or ''}".strip() for one in story.attempts)
    return "; ".join(ends) or "nothing was sent"


def _now() -> datetime:
    return datetime.now(UTC)
