"""The store fails in the middle of an attempt: the workflow goes on as well as it can."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from messaging.domain.errors import Refused
from messaging.domain.messages import Attempt
from messaging.domain.statuses import AttemptStatus
from messaging.store import Store
from tests.workflow.conftest import Flow


def test_a_refusal_that_cannot_be_noted_falls_back_at_once(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = Store.note

    def fails(
        store: Store, attempt: Any, status: AttemptStatus, *rest: Any, **named: Any
    ) -> Attempt:
        if status is AttemptStatus.FAILED:
            raise EndpointConnectionError(endpoint_url="https://dynamodb")
        return note(store, attempt, status, *rest, **named)

    monkeypatch.setattr(Store, "note", fails)
    flow.sms.script = [Refused("ConflictException")]
    flow.start("sms", "email")
    flow.receive("ses_Delivery", attempt=2)

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send SMS", "Fall back", "Send email"])
    assert flow.failures() == [("Refused", "ConflictException")]
