"""Busy is not lost: throttling delays a message within its wait and does not change its channel."""

from messaging.domain.statuses import MessageStatus
from tests.workflow.conftest import THROTTLES, Flow, PassedTime, until

WAIT = 45


def test_a_provider_that_is_busy_for_less_than_the_wait_sends_on_its_channel(
    flow: Flow, time_passes: PassedTime
) -> None:
    flow.whatsapp.script = [time_passes.busy_for(4)] * 5
    flow.start("whatsapp", "sms", wait=WAIT)
    flow.receive("whatsapp_delivered")

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])
    assert len(flow.whatsapp.sent) == 6
    assert flow.failures() == [("Unavailable", "ThrottlingException")] * 5
    assert flow.whatsapp.sent[-1].valid_seconds == WAIT
    assert not flow.sms.sent


def test_a_provider_that_is_busy_for_longer_than_the_wait_falls_back(
    flow: Flow, time_passes: PassedTime
) -> None:
    flow.whatsapp.script = [time_passes.busy_for(15)] * 9
    flow.start("whatsapp", "sms", wait=WAIT)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"],
    )
    assert len(flow.whatsapp.sent) == 3
    reason = (
        "the wait ended before the attempt could be sent "
        "(the provider was busy: ThrottlingException)"
    )
    assert flow.failures()[-1] == ("Failed", reason)
    assert flow.history().attempts[0].reason == reason
    assert flow.statuses() == ["failed", "delivered"]


def test_a_message_without_a_later_step_is_sent_however_late(
    flow: Flow, time_passes: PassedTime
) -> None:
    flow.sms.script = [time_passes.busy_for(30)] * 5
    flow.start("sms", wait=WAIT)
    flow.receive("sms_TEXT_DELIVERED")

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send SMS"])


def test_a_throttled_function_sends_on_its_channel_when_it_runs(
    flow: Flow, time_passes: PassedTime
) -> None:
    THROTTLES["send_message"] = [lambda: time_passes.move_on(4)] * 5
    flow.start("whatsapp", "sms", wait=WAIT)
    flow.receive("whatsapp_delivered")

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])
    assert [error for error, _ in flow.failures()] == ["Lambda.TooManyRequestsException"] * 5
    assert not flow.sms.sent


def test_a_function_that_is_throttled_for_longer_than_the_wait_leaves_it_to_the_next_step(
    flow: Flow, time_passes: PassedTime
) -> None:
    THROTTLES["send_message"] = [lambda: time_passes.move_on(5)] * 10
    flow.start("whatsapp", "sms", wait=WAIT)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish()[0] == "SUCCEEDED"
    assert flow.history().attempts[0].reason == (
        "the wait ended before the attempt could be sent (the function was busy)"
    )
    assert not flow.whatsapp.sent


def test_a_broadcast_waits_for_the_one_that_is_busy(flow: Flow, time_passes: PassedTime) -> None:
    flow.sms.script = [time_passes.busy_for(4)] * 5
    flow.start(("whatsapp", "sms"), "email", wait=WAIT)
    flow.receive("whatsapp_failed_131026", attempt=1)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish()[0] == "SUCCEEDED"
    assert not flow.email.sent


def test_throttled_planning_and_closing_are_repeated_for_as_long(
    flow: Flow, time_passes: PassedTime
) -> None:
    THROTTLES["plan_message"] = [lambda: time_passes.move_on(4)] * 20
    THROTTLES["close_message"] = [lambda: time_passes.move_on(4)] * 20
    flow.execute({"to": {"sms": "+14255550156"}, "content": {"text": "hi"}, "steps": ONE_STEP})
    until(lambda: flow.sms.sent)
    flow.receive("sms_TEXT_UNREACHABLE")

    assert flow.finish()[1][-1] == "Undelivered"
    assert flow.history().message.status is MessageStatus.UNDELIVERED


ONE_STEP = [{"channel": "sms"}]
