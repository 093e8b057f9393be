"""The paths of a message that its caller confirms, advances or cancels, before and after anything
else that happens to it.
"""

from messaging.domain.statuses import MessageStatus, Success
from tests.workflow.conftest import Flow, until


def test_a_confirmation_ends_the_wait(flow: Flow) -> None:
    flow.start("sms", "email", success=Success.CONFIRMED)
    flow.receive("sms_TEXT_DELIVERED")
    assert flow.describe()["status"] == "RUNNING"
    answer = flow.confirm()

    assert (answer["http"], answer["status"]) == (200, "confirmed")
    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send SMS"])
    assert flow.output() == {
        "message_id": flow.message_id,
        "status": "confirmed",
        "channel": "sms",
        "attempt": 1,
        "provider_id": flow.history().attempts[0].provider_id,
    }
    assert flow.history().message.status is MessageStatus.CONFIRMED
    assert not flow.email.sent


def test_an_advance_begins_the_next_step_at_once(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    assert flow.advance(1)["http"] == 200
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"],
    )
    assert flow.failures() == [("Advanced", "the caller asked for the next step")]
    assert flow.statuses() == ["timed_out", "delivered"]
    assert flow.history().attempts[0].reason == "the caller asked for the next step"


def test_a_cancellation_ends_the_execution_and_nothing_more_is_sent(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    until(lambda: flow.sent(1))
    answer = flow.cancel()

    assert (answer["http"], answer["status"]) == (200, "cancelled")
    assert flow.finish() == ("FAILED", ["Choose channel", "Send WhatsApp", "Cancelled"])
    assert flow.describe()["error"] == "Cancelled"
    assert flow.statuses() == ["sent"]
    assert not flow.sms.sent


def test_a_step_on_request_is_sent_when_it_is_asked_for(flow: Flow, no_jitter: None) -> None:
    del no_jitter
    flow.start("sms", success=Success.CONFIRMED, on_request=2, first_wait=3)
    until(lambda: len(flow.history().attempts) == 2)
    until(lambda: flow.history().attempts[1].waits_for_request)
    assert len(flow.sms.sent) == 1
    assert flow.advance(1)["http"] == 200
    until(lambda: flow.sent(2))
    flow.confirm()

    assert flow.finish()[0] == "SUCCEEDED"
    assert len(flow.sms.sent) == 2
