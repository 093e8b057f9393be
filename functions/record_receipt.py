"""The receipts topic: notes what a provider reports and answers the state that waits for it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging import settings
from messaging.channels import receipts
from messaging.domain.errors import Failed, Unmatched
from messaging.domain.messages import Attempt, AttemptId, Receipt
from messaging.domain.statuses import AttemptStatus, ReceiptKind, attempt_status, fulfils
from messaging.metrics import Counter, Metric, count
from messaging.store import UNCHECKED, Store
from messaging.workflow import Workflow

logger = Logger()

# As long as the send may take to note the provider's id.
YOUNG = timedelta(minutes=1)


@cache
def store() -> Store:
    client = boto3.client("dynamodb", config=UNCHECKED)
    return Store(client, settings.messages_table(), settings.retention(), Counter())


@cache
def workflow() -> Workflow:
    return Workflow(boto3.client("stepfunctions"))


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - Lambda's
    found = [
        receipt
        for record in event["Records"]
        for receipt in receipts.parse(record["Sns"]["Message"])
    ]
    unmatched = [error for receipt in found if (error := _unmatched(receipt))]
    if unmatched:
        raise unmatched[0]


def _unmatched(receipt: Receipt) -> Unmatched | None:
    """Why the receipt has to come again, if it has to. One event may report many messages, so it
    must not hold up the receipts beside it.
    """
    about = {"channel": receipt.channel, "provider_id": receipt.provider_id}
    with logger.append_context_keys(**about):
        try:
            _record(receipt)
        except Unmatched as error:
            if receipt.echo and store().forgotten(receipt.echo.message_id):
                logger.info("receipt of a message that was erased")
                return None
            count(Metric.UNMATCHED_RECEIPT, receipt.channel)
            return error
    return None


def _record(receipt: Receipt) -> None:
    attempt_id = receipt.echo or _found(receipt)
    if attempt_id is None:
        _without_attempt(receipt)
        return
    status = attempt_status(receipt.kind, settings.sms_carrier_receipt())
    if status is None:
        if receipt.echo:  # anybody can echo; an id that was found is one that the send noted
            store().expect(attempt_id, receipt.channel)
        _keep(receipt, attempt_id)
    else:
        attempt = store().note_receipt(receipt, attempt_id, status, _now())
        _keep(receipt, attempt_id)
        _answer(attempt)


def _keep(receipt: Receipt, attempt_id: AttemptId) -> None:
    store().keep(receipt, attempt_id, _now())
    if receipt.wamid and not receipt.echo:
        store().link(receipt.wamid, attempt_id, _now(), receipt.channel)
    logger.info(
        "receipt recorded",
        message_id=attempt_id.message_id,
        attempt=attempt_id.number,
        kind=receipt.kind,
        word=receipt.word,
    )


def _found(receipt: Receipt) -> AttemptId | None:
    for provider_id in (receipt.provider_id, receipt.wamid):
        if provider_id and (attempt_id := store().find(provider_id, receipt.channel)):
            return attempt_id
    return None


def _without_attempt(receipt: Receipt) -> None:
    """A receipt may come before the send is noted, then it is tried again. One WhatsApp account
    has one event destination, so it may also be another application's.
    """
    if receipt.kind is ReceiptKind.UNKNOWN:
        store().keep(receipt, None, _now())
        logger.info("no receipt of an attempt", word=receipt.word)
    elif _now() - receipt.occurred_at < YOUNG:
        raise Unmatched(f"no attempt for this {receipt.channel} receipt yet")
    else:
        count(Metric.FOREIGN_RECEIPT, receipt.channel)
        logger.info("foreign receipt", word=receipt.word)


def _answer(attempt: Attempt) -> None:
    """Tells the attempt's state how it ended, nothing while that is open."""
    if attempt.status is AttemptStatus.FAILED:
        workflow().fail(attempt.task_token, Failed, attempt.reason or "")
    elif _fulfilled(attempt):
        _succeed(attempt)


def _fulfilled(attempt: Attempt) -> bool:
    """The story is read only for a receipt that was faster than the send's own note."""
    if attempt.success:
        return fulfils(attempt.status, attempt.success)
    return store().history(attempt.attempt_id.message_id).fulfilled(attempt)


def _succeed(attempt: Attempt) -> None:
    """Ends the attempt's wait. If that was over, the success is late, and ends the wait of the
    attempt after it; if not, there is none, because nothing comes after a state that still waits.

    The receipt was noted before the story is read, and an attempt is claimed before it reads the
    story: one of the two sees the other.
    """
    outcome = attempt.outcome
    store().conclude(outcome.message_id, outcome.status, _now(), channel=outcome.channel)
    if not workflow().succeed(attempt.task_token, outcome):
        for waiting in store().history(outcome.message_id).waiting_after(attempt):
            workflow().succeed(waiting.task_token, outcome)


def _now() -> datetime:
    return datetime.now(UTC)
