"""The paths of a planned message, as the list of states it enters."""

import threading
from datetime import timedelta

import pytest
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from messaging.domain.errors import Ambiguous, Refused, Unavailable
from messaging.domain.statuses import MessageStatus, Success
from messaging.store.attempts import Attempts
from tests.workflow.conftest import DEADLINE_SECONDS, SHORT, Flow, until

CLOSED = ["Close message", "How did it end?"]


@pytest.mark.parametrize(
    ("channel", "receipt", "state"),
    [
        ("whatsapp", "whatsapp_delivered", "Send WhatsApp"),
        ("sms", "sms_TEXT_DELIVERED", "Send SMS"),
        ("sms", "sms_TEXT_SUCCESSFUL", "Send SMS"),
        ("email", "ses_Delivery", "Send email"),
        ("voice", "voice_VOICE_COMPLETED", "Send voice"),
    ],
)
def test_the_first_channel_delivers_in_two_states(
    flow: Flow, channel: str, receipt: str, state: str
) -> None:
    flow.start(channel, "sms")
    flow.receive(receipt)

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", state])
    assert flow.output() == {
        "message_id": flow.message_id,
        "status": "delivered",
        "channel": channel,
        "attempt": 1,
        "provider_id": flow.history().attempts[0].provider_id,
    }
    assert flow.history().message.status is MessageStatus.DELIVERED
    assert len(flow.channels[channel].sent) == 1


def test_a_refusal_at_the_call_falls_back_at_once(flow: Flow) -> None:
    flow.whatsapp.script = [Refused("ValidationException")]
    flow.start("whatsapp", "sms")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"],
    )
    assert flow.failures() == [("Refused", "ValidationException")]
    assert flow.statuses() == ["failed", "delivered"]


@pytest.mark.parametrize("receipt", ["voice_VOICE_BUSY", "voice_VOICE_NO_ANSWER"])
def test_a_call_that_nobody_answers_falls_back_at_once(flow: Flow, receipt: str) -> None:
    flow.start("voice", "sms")
    flow.receive("voice_VOICE_RINGING")
    flow.receive_now(receipt)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send voice", "Fall back", "Send SMS"],
    )
    assert flow.statuses() == ["failed", "delivered"]


def test_a_call_is_the_last_resort_of_a_message(flow: Flow) -> None:
    flow.sms.script = [Refused("ConflictException")]
    flow.start("sms", "voice")
    flow.receive("voice_VOICE_ANSWERED", attempt=2)
    flow.receive_now("voice_VOICE_COMPLETED", attempt=2)

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send SMS", "Fall back", "Send voice"],
    )
    assert flow.output()["channel"] == "voice"


def test_a_call_that_nobody_reports_falls_back_when_its_wait_ends(flow: Flow) -> None:
    flow.start("voice", "email", first_wait=SHORT)
    flow.receive("ses_Delivery", attempt=2)

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send voice", "Fall back", "Send email"],
    )
    assert flow.statuses() == ["timed_out", "delivered"]


def test_a_failure_receipt_falls_back_at_once(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    flow.receive("whatsapp_failed_131026")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"],
    )
    assert flow.failures() == [("Failed", "131026 Message undeliverable")]


def test_silence_falls_back_when_the_wait_is_over(flow: Flow) -> None:
    flow.start("whatsapp", "sms", first_wait=SHORT)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"],
    )
    assert [error for error, _ in flow.failures()] == ["States.Timeout"]
    assert flow.statuses() == ["timed_out", "delivered"]


def test_three_channels_exhausted_end_undelivered(flow: Flow) -> None:
    flow.email.script = [Refused("MessageRejected")]
    flow.start("whatsapp", "sms", "email")
    flow.receive("whatsapp_failed_131047")
    flow.receive("sms_TEXT_UNREACHABLE", attempt=2)

    sends = ["Send WhatsApp", "Fall back", "Send SMS", "Fall back", "Send email", "Fall back"]
    assert flow.finish() == ("FAILED", ["Choose channel", *sends, *CLOSED, "Undelivered"])
    assert flow.describe()["error"] == "Undelivered"
    assert flow.describe()["cause"] == (
        "whatsapp: failed 131047 Re-engagement message; "
        "sms: failed TEXT_UNREACHABLE Phone is currently unreachable/unavailable; "
        "email: failed MessageRejected"
    )
    assert flow.history().message.status is MessageStatus.UNDELIVERED


def test_the_last_wait_that_ends_in_silence_is_noted(flow: Flow) -> None:
    flow.start("sms", first_wait=SHORT)

    assert flow.finish() == (
        "FAILED",
        ["Choose channel", "Send SMS", "Fall back", *CLOSED, "Undelivered"],
    )
    assert flow.statuses() == ["timed_out"]


def test_a_busy_provider_is_tried_again(flow: Flow) -> None:
    flow.sms.script = [Unavailable("ThrottlingException")]
    flow.start("sms")
    until(lambda: len(flow.sms.sent) == 2)
    flow.receive("sms_TEXT_DELIVERED")

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send SMS"])
    assert flow.failures() == [("Unavailable", "ThrottlingException")]


@pytest.mark.usefixtures("no_jitter")
def test_a_provider_busy_to_the_end_falls_back(flow: Flow) -> None:
    flow.sms.script = [Unavailable("ThrottlingException")] * 31
    flow.start("sms", "email")
    flow.receive("ses_Delivery", attempt=2)

    assert flow.finish()[0] == "SUCCEEDED"
    assert len(flow.sms.sent) == 31
    assert flow.statuses() == ["failed", "delivered"]
    assert flow.history().attempts[0].reason == "ThrottlingException"


def test_what_was_perhaps_sent_is_not_sent_again(flow: Flow) -> None:
    flow.sms.script = [Ambiguous("ReadTimeoutError")]
    flow.start("sms", "email")
    until(lambda: flow.sms.sent)
    flow.receive_now("sms_TEXT_DELIVERED")

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send SMS"])
    assert len(flow.sms.sent) == 1


def test_success_sent_needs_no_receipt(flow: Flow) -> None:
    flow.start("sms", "email", success=Success.SENT)

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send SMS"])
    assert flow.output()["status"] == "sent"
    assert flow.history().message.status is MessageStatus.SENT


def test_success_read_waits_on_after_delivery(flow: Flow) -> None:
    flow.start("whatsapp", "sms", success=Success.READ)
    flow.receive("whatsapp_delivered")
    assert flow.describe()["status"] == "RUNNING"
    flow.receive("whatsapp_read")

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])
    assert flow.statuses() == ["read"]


def test_a_receipt_may_come_before_the_send_call_returns(flow: Flow) -> None:
    flow.whatsapp.script = [lambda _: flow.receive_now("whatsapp_delivered")]
    flow.start("whatsapp", "sms")

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])
    until(lambda: flow.sent(1))
    assert flow.statuses() == ["delivered"]


def test_an_early_failure_falls_back(flow: Flow) -> None:
    flow.whatsapp.script = [lambda _: flow.receive_now("whatsapp_failed_131026")]
    flow.start("whatsapp", "sms")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish()[1] == ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"]
    assert flow.statuses() == ["failed", "delivered"]


def test_every_receipt_may_come_twice(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    for _ in range(2):
        flow.receive("whatsapp_sent")
        flow.receive("whatsapp_delivered")

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])
    flow.receive("whatsapp_delivered")
    words = [receipt["word"] for receipt in flow.store.receipts.of(flow.message_id)]
    assert words == ["sent", "delivered"]


def test_a_failure_that_comes_twice_skips_no_channel(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    flow.receive("whatsapp_failed_131026")
    flow.receive("whatsapp_failed_131026")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish()[1] == ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"]


def test_receipts_out_of_order_never_lower_a_status(flow: Flow) -> None:
    flow.start("whatsapp", "sms")
    for receipt in ("whatsapp_read", "whatsapp_delivered", "whatsapp_sent"):
        flow.receive(receipt)

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])
    assert flow.statuses() == ["read"]


@pytest.mark.parametrize("after", ["ses_Bounce_Transient_General_ooto", "ses_Complaint"])
def test_a_bounce_or_complaint_after_a_delivery_changes_nothing(flow: Flow, after: str) -> None:
    flow.start("email", "sms")
    flow.receive("ses_Delivery")
    flow.receive(after)

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send email"])
    assert flow.statuses() == ["delivered"]


def test_progress_decides_nothing(flow: Flow) -> None:
    flow.start("sms", "email")
    for receipt in ("sms_TEXT_QUEUED", "sms_TEXT_PENDING", "sms_TEXT_UNKNOWN"):
        flow.receive(receipt)
    assert flow.describe()["status"] == "RUNNING"
    assert flow.statuses() == ["unconfirmed"]
    flow.receive("sms_TEXT_DELIVERED")

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send SMS"])


def test_a_success_before_the_next_attempt_makes_it_needless(flow: Flow) -> None:
    flow.before(2, lambda: flow.receive_now("whatsapp_delivered"))
    flow.start("whatsapp", "sms", first_wait=SHORT)

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"],
    )
    assert not flow.sms.sent
    assert flow.output()["channel"] == "whatsapp"
    assert flow.statuses() == ["delivered", "skipped"]


def test_a_success_during_the_next_attempt_stops_the_rest(flow: Flow) -> None:
    flow.start("whatsapp", "sms", "email", first_wait=SHORT)
    until(lambda: flow.sms.sent)
    flow.receive_now("whatsapp_delivered")

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"],
    )
    assert flow.output()["channel"] == "whatsapp"
    assert not flow.email.sent
    story = flow.history()
    assert story.late(story.attempts[0])


def test_a_success_before_the_close_is_still_a_success(flow: Flow) -> None:
    flow.before(None, lambda: flow.receive_now("sms_TEXT_DELIVERED"))
    flow.start("sms", first_wait=SHORT)

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send SMS", "Fall back", *CLOSED, "Reached late"],
    )
    assert flow.history().message.status is MessageStatus.DELIVERED


def test_a_success_after_the_end_corrects_the_message(flow: Flow) -> None:
    flow.start("sms", first_wait=SHORT)
    assert flow.finish()[0] == "FAILED"
    flow.receive_now("sms_TEXT_DELIVERED")

    assert flow.history().message.status is MessageStatus.DELIVERED
    assert flow.statuses() == ["delivered"]


def test_an_expired_message_is_not_sent(flow: Flow) -> None:
    flow.start("whatsapp", "sms", expires_in=timedelta(0))

    assert flow.finish() == (
        "FAILED",
        ["Choose channel", "Send WhatsApp", *CLOSED, "Expired"],
    )
    assert not flow.whatsapp.sent
    assert flow.history().message.status is MessageStatus.EXPIRED


def test_a_message_that_expires_on_its_way_ends_there(flow: Flow) -> None:
    flow.start("whatsapp", "sms", "email", wait=SHORT, expires_in=timedelta(seconds=SHORT))

    assert flow.finish() == (
        "FAILED",
        ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS", *CLOSED, "Expired"],
    )
    assert not flow.sms.sent
    assert flow.statuses() == ["timed_out", "skipped"]


def test_a_function_that_dies_after_the_send_sends_nothing_twice(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        monkeypatch.undo()
        raise MemoryError

    flow.start("sms", "email")
    until(lambda: flow.sent(1))
    flow.receive("sms_TEXT_DELIVERED")
    flow.finish()

    again = Flow(flow.state_machine_arn, flow.channels)
    monkeypatch.setattr(Attempts, "record_sent", dies)
    again.start("sms", "email")
    until(lambda: len(flow.sms.sent) == 2)
    until(again.failures)
    again.receive_now("sms_TEXT_DELIVERED")

    assert again.finish() == ("SUCCEEDED", ["Choose channel", "Send SMS"])
    assert len(flow.sms.sent) == 2


def test_a_stop_in_the_moment_of_the_start_ends_the_execution(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = ExecutionWorker._get_evaluation_entrypoint  # noqa: SLF001 - the first thing it does
    begun = threading.Event()

    def begin_late(worker: ExecutionWorker) -> object:
        begun.wait(DEADLINE_SECONDS)
        return begin(worker)

    monkeypatch.setattr(ExecutionWorker, "_get_evaluation_entrypoint", begin_late)
    flow.start("sms", "email")
    threading.Timer(0.1, begun.set).start()
    flow.stop()

    assert flow.finish()[0] == "ABORTED"
