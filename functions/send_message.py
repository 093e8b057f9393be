"""The sending states: one attempt on one channel, at most once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from messaging import settings
from messaging.channels import Channel
from messaging.channels.email.send import Email
from messaging.channels.sms.send import Sms
from messaging.channels.whatsapp.send import WhatsApp
from messaging.domain import plan as planning
from messaging.domain.errors import Ambiguous, Expired, Failed, Refused, Unavailable
from messaging.domain.messages import CAME_TOO_LATE, Attempt, AttemptId, MessageHistory, Outcome
from messaging.domain.statuses import AttemptStatus
from messaging.metrics import Counter, Metric, count
from messaging.store import UNCHECKED, Store
from messaging.workflow import Workflow

logger = Logger()

# One call per attempt: none of the three APIs is idempotent, so the SDK must not repeat a call.
ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)


@cache
def store() -> Store:
    client = boto3.client("dynamodb", config=UNCHECKED)
    return Store(client, settings.messages_table(), settings.retention(), Counter())


@cache
def workflow() -> Workflow:
    return Workflow(boto3.client("stepfunctions"))


@cache
def channel(name: str) -> Channel:
    match name:
        case "whatsapp":
            client = boto3.client("socialmessaging", config=ONCE)
            return WhatsApp(client, settings.whatsapp_api_version())
        case "sms":
            sms = boto3.client("pinpoint-sms-voice-v2", config=ONCE)
            return Sms(sms, settings.sms_configuration_set())
        case _:
            return Email(boto3.client("sesv2", config=ONCE), settings.email_configuration_set())


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - Lambda's
    attempt_id = AttemptId(event["message_id"], event["attempt"])
    logger.append_keys(
        message_id=attempt_id.message_id, attempt=attempt_id.number, channel=event["channel"]
    )
    # First the claim, then the story: a receipt that comes in between finds this attempt's token,
    # or this attempt finds what the receipt noted.
    attempt, ours = store().claim(attempt_id, event["channel"], event["task_token"], _now())
    with _let_go_if_it_breaks(attempt, ours=ours):
        story = store().history(attempt_id.message_id)
        _close_earlier(story, attempt)
        needless = _needless(story, attempt, ours=ours)
    if needless:
        return
    if ours:
        _deliver(story, attempt)
    else:
        _answer(story, attempt)


@contextmanager
def _let_go_if_it_breaks(attempt: Attempt, *, ours: bool) -> Iterator[None]:
    """Nothing is sent yet, so whoever comes next because this one failed may send it."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if ours:
            store().release(attempt.attempt_id, type(error).__name__)
        raise


def _needless(story: MessageHistory, attempt: Attempt, *, ours: bool) -> bool:
    """Whether there is nothing left to send; the state is told why."""
    unsent = ours or attempt.status is AttemptStatus.SKIPPED
    if success := story.success_beside(attempt):
        if unsent:
            reason = f"attempt {success.number} by {success.channel} got through"
            store().note(attempt.attempt_id, AttemptStatus.SKIPPED, _now(), reason)
        workflow().succeed(attempt.task_token, _conclude(success))
        logger.info("skipped, another attempt got through")
        return True
    if ours and story.went_on_without(attempt):
        store().note(attempt.attempt_id, AttemptStatus.TIMED_OUT, _now(), CAME_TOO_LATE)
        logger.warning("not sent, the workflow has gone on")
        return True
    if unsent and story.message.expired(_now()):
        store().note(attempt.attempt_id, AttemptStatus.SKIPPED, _now(), "the message expired")
        workflow().fail(attempt.task_token, Expired, "the message expired before it was sent")
        logger.info("skipped, the message expired")
        return True
    return False


def _deliver(story: MessageHistory, attempt: Attempt) -> None:
    planned = story.message.plan.attempt(attempt.number)
    delivery = planning.delivery(
        story.message, planned, settings.senders()[attempt.channel], _now()
    )
    try:
        provider_id = channel(attempt.channel).send(delivery)
    except Refused as error:
        count(Metric.REFUSED, attempt.channel)
        logger.warning("refused", reason=str(error))
        _refused(attempt, str(error))
    except Unavailable as error:
        released = store().release(attempt.attempt_id, str(error))
        workflow().fail(released.task_token, Unavailable, str(error))
        logger.warning("busy, the state tries again", reason=str(error))
    except Ambiguous as error:
        store().doubt(attempt.attempt_id, str(error))
        logger.warning("perhaps sent, the wait decides", reason=str(error))
    else:
        _sent(story, attempt, provider_id)


def _refused(attempt: Attempt, reason: str) -> None:
    """The state is told even where it cannot be noted: no receipt will come to tell it later."""
    try:
        told = store().note(attempt.attempt_id, AttemptStatus.FAILED, _now(), reason)
    except (BotoCoreError, ClientError) as error:
        logger.warning("refused, and not noted", error=type(error).__name__)
        told = attempt
    workflow().fail(told.task_token, Refused, reason)


def _sent(story: MessageHistory, attempt: Attempt, provider_id: str) -> None:
    count(Metric.SENT, attempt.channel)
    if story.step(attempt) > 1:
        count(Metric.FALLBACK, attempt.channel)
    planned = story.message.plan.attempt(attempt.number)
    noted = store().note_sent(attempt.attempt_id, provider_id, _now(), planned)
    logger.info("sent", provider_id=provider_id)
    if story.fulfilled(noted):
        _answer(story, noted)


def _answer(story: MessageHistory, attempt: Attempt) -> None:
    """Tells the waiting state how its attempt ended, nothing while that is open."""
    if story.fulfilled(attempt):
        workflow().succeed(attempt.task_token, _conclude(attempt))
    elif attempt.status is AttemptStatus.FAILED:
        workflow().fail(attempt.task_token, Failed, attempt.reason or "")


def _conclude(success: Attempt) -> Outcome:
    """Whoever noted the success may have died before it could note the message's."""
    outcome = success.outcome
    store().conclude(outcome.message_id, outcome.status, _now(), channel=outcome.channel)
    return outcome


def _close_earlier(story: MessageHistory, attempt: Attempt) -> None:
    """Attempts of earlier steps that got no answer in their time; that is why this one runs."""
    for earlier in story.open_before(story.step(attempt)):
        store().give_up(earlier, _now())


def _now() -> datetime:
    return datetime.now(UTC)
