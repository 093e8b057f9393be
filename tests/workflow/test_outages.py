"""The store fails in the middle of an attempt: the workflow goes on as well as it can."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from messaging.domain.errors import Refused
from messaging.domain.messages import Attempt
from messaging.domain.statuses import AttemptStatus
from messaging.store.attempts import Attempts
from tests.workflow.conftest import Flow


def test_a_refusal_that_cannot_be_noted_falls_back_at_once(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_status = Attempts.update_status

    def fails(
        attempts: Attempts, attempt: Any, status: AttemptStatus, *rest: Any, **named: Any
    ) -> Attempt:
        if status is AttemptStatus.FAILED:
            raise EndpointConnectionError(endpoint_url="https://dynamodb")
        return update_status(attempts, attempt, status, *rest, **named)

    monkeypatch.setattr(Attempts, "update_status", fails)
    flow.sms.script = [Refused("ConflictException")]
    flow.start("sms", "email")
    flow.receive("ses_Delivery", attempt=2)

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send SMS", "Fall back", "Send email"])
    assert flow.failures() == [("Refused", "ConflictException")]
