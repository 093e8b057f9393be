"""Tells the providers that ask for it that the recipient of a code has entered it."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from messaging.domain.messages import Attempt
from messaging.domain.statuses import AttemptStatus

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from messaging.store import Store


def report_received(
    message_id: str, store: "Store", client: Callable[[str], Any], log: "Logger"
) -> None:
    """Best effort: what fails is logged, and the approval stands. `client` returns the client of an
    AWS service. Which of the attempts the code was read from is unknown, so each that has not
    failed is reported.
    """
    try:
        attempts = store.messages.history(message_id).attempts
    except (BotoCoreError, ClientError) as error:
        log.warning("feedback not reported", error=type(error).__name__)
        return
    for attempt in attempts:
        if attempt.provider_id and attempt.status is not AttemptStatus.FAILED:
            _report(attempt, client, log)


def _report(attempt: Attempt, client: Callable[[str], Any], log: "Logger") -> None:
    module = f"messaging.channels.{attempt.channel}.feedback"
    if find_spec(module) is None:
        return
    feedback: Any = import_module(module)
    try:
        feedback.report_received(client(feedback.SERVICE), attempt.provider_id)
    except (BotoCoreError, ClientError) as error:
        log.warning("feedback not reported", error=type(error).__name__)
