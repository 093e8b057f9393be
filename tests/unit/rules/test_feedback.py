"""What providers are told of an approved code."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError, ReadTimeoutError

from messaging.codes.feedback import report_received
from messaging.domain.messages import AttemptId, Message
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, Success
from messaging.store import Store
from tests.support.plans import CHANNELS, plan_of
from tests.unit.rules.conftest import NOW

# Each channel twice, one after another.
PLAN = plan_of(
    *(
        PlannedAttempt(number, number, channel, 45, Success.CONFIRMED)
        for number, channel in enumerate(CHANNELS * 2, start=1)
    )
)
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "PutMessageFeedback")
SLOW = ReadTimeoutError(endpoint_url="https://example.com")


@dataclass
class FeedbackClient:
    """The clients of all services; records what is reported, and can fail."""

    services: list[str] = field(default_factory=list)
    reported: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None

    def of(self, service: str) -> "FeedbackClient":
        self.services.append(service)
        return self

    def put_message_feedback(self, **parameters: Any) -> None:
        self.reported.append(parameters)
        if self.error:
            raise self.error


@pytest.fixture
def sent(store: Store) -> Store:
    """Each attempt was sent; the first SMS has failed."""
    store.messages.add(Message("m1", NOW, PLAN), {})
    for planned in PLAN.attempts:
        attempt_id = AttemptId("m1", planned.number)
        store.attempts.claim(attempt_id, planned.channel, "token", NOW)
        store.attempts.record_sent(attempt_id, f"p{planned.number}", NOW, planned)
    store.attempts.update_status(AttemptId("m1", _first("sms")), AttemptStatus.FAILED, NOW, "no")
    return store


def _first(channel: str) -> int:
    return next(one.number for one in PLAN.attempts if one.channel == channel)


def test_each_sms_that_has_not_failed_was_received(sent: Store, log: Logger) -> None:
    client = FeedbackClient()
    report_received("m1", sent, client.of, log)

    second = _first("sms") + len(CHANNELS)
    assert client.reported == [{"MessageId": f"p{second}", "MessageFeedbackStatus": "RECEIVED"}]
    assert client.services == ["pinpoint-sms-voice-v2"]


@pytest.mark.parametrize("error", [THROTTLED, SLOW])
def test_feedback_that_fails_is_logged_and_no_more(
    sent: Store, log: Logger, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    report_received("m1", sent, FeedbackClient(error=error).of, log)

    assert [one.getMessage() for one in caplog.records] == ["feedback not reported"]


def test_a_history_that_cannot_be_read_is_logged_and_no_more(
    sent: Store,
    log: Logger,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sent.messages, "history", _failing(THROTTLED))
    client = FeedbackClient()
    report_received("m1", sent, client.of, log)

    assert not client.reported
    assert [one.getMessage() for one in caplog.records] == ["feedback not reported"]


def _failing(error: Exception) -> Callable[[str], None]:
    def call(_: str) -> None:
        raise error

    return call
