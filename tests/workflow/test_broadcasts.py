"""The paths of a broadcast: all its channels at once, one is enough."""

from messaging.domain.errors import Refused
from messaging.domain.statuses import MessageStatus
from tests.workflow.conftest import SHORT, Flow

ALL = ("whatsapp", "sms", "email", "voice")
ASKED = {"WhatsApp requested?", "SMS requested?", "Email requested?", "Voice requested?"}


def test_a_broadcast_reaches_every_channel(flow: Flow) -> None:
    flow.start(ALL)
    flow.receive("whatsapp_delivered", attempt=1)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)
    flow.receive("ses_Delivery", attempt=3)
    flow.receive("voice_VOICE_COMPLETED", attempt=4)

    status, entered = flow.finish()
    assert status == "SUCCEEDED"
    assert entered[:2] == ["Choose channel", "Broadcast"]
    assert set(entered[2:-2]) == ASKED | {
        "Broadcast to WhatsApp",
        "Broadcast to SMS",
        "Broadcast to email",
        "Broadcast to voice",
    }
    assert entered[-2:] == ["Anyone reached?", "Reached"]
    output = flow.output()
    assert (output["channel"], output["status"]) == ("broadcast", "delivered")
    outcomes = output["outcomes"]
    assert {one: outcomes[one]["status"] for one in ALL} == dict.fromkeys(ALL, "delivered")
    assert [outcomes[one]["attempt"] for one in ALL] == [1, 2, 3, 4]


def test_one_channel_of_a_broadcast_is_enough(flow: Flow) -> None:
    flow.whatsapp.script = [Refused("ValidationException")]
    flow.start(ALL, "sms")
    flow.receive("sms_TEXT_BLOCKED", attempt=2)
    flow.receive("ses_Delivery", attempt=3)
    flow.receive("voice_VOICE_BUSY", attempt=4)

    status, entered = flow.finish()
    assert status == "SUCCEEDED"
    assert entered[-2:] == ["Anyone reached?", "Reached"]
    assert {"WhatsApp did not reach", "SMS did not reach", "Voice did not reach"} < set(entered)
    outcomes = flow.output()["outcomes"]
    assert [outcomes[one]["status"] for one in ALL] == [
        *("undelivered", "undelivered", "delivered", "undelivered")
    ]
    assert flow.history().message.status is MessageStatus.DELIVERED


def test_a_broadcast_that_reaches_nobody_falls_back(flow: Flow) -> None:
    flow.whatsapp.script = [Refused("ValidationException")]
    flow.start(("whatsapp", "sms"), "email")
    flow.receive("sms_TEXT_BLOCKED", attempt=2)
    flow.receive("ses_Delivery", attempt=3)

    status, entered = flow.finish()
    assert status == "SUCCEEDED"
    assert entered[-3:] == ["Anyone reached?", "Fall back", "Send email"]
    assert flow.output()["channel"] == "email"


def test_a_broadcast_as_the_last_step_that_reaches_nobody_ends_undelivered(flow: Flow) -> None:
    flow.start(("sms", "email"))
    flow.receive("sms_TEXT_BLOCKED", attempt=1)
    flow.receive("ses_Bounce_Permanent_General", attempt=2)

    status, entered = flow.finish()
    assert status == "FAILED"
    assert entered[-5:] == [
        "Anyone reached?",
        "Fall back",
        "Close message",
        "How did it end?",
        "Undelivered",
    ]


def test_a_channel_that_was_not_requested_does_not_show_as_sent(flow: Flow) -> None:
    flow.start(("sms", "email"))
    flow.receive("sms_TEXT_DELIVERED", attempt=1)
    flow.receive("ses_Delivery", attempt=2)

    _, entered = flow.finish()
    assert "WhatsApp not requested" in entered
    assert "Broadcast to WhatsApp" not in entered
    assert flow.output()["outcomes"]["whatsapp"] == {
        "channel": "whatsapp",
        "status": "not_requested",
    }
    assert not flow.whatsapp.sent


def test_a_channel_then_a_broadcast_then_a_channel(flow: Flow) -> None:
    flow.start("whatsapp", ("sms", "email"), "sms")
    flow.receive("whatsapp_failed_131026", attempt=1)
    flow.receive("sms_TEXT_CARRIER_BLOCKED", attempt=2)
    flow.receive("ses_Reject", attempt=3)
    flow.receive("sms_TEXT_DELIVERED", attempt=4)

    status, entered = flow.finish()
    assert status == "SUCCEEDED"
    assert entered[:4] == ["Choose channel", "Send WhatsApp", "Fall back", "Broadcast"]
    assert entered[-3:] == ["Anyone reached?", "Fall back", "Send SMS"]
    assert flow.statuses() == ["failed", "failed", "failed", "delivered"]


def test_a_late_success_ends_every_wait_of_the_broadcast_after_it(flow: Flow) -> None:
    flow.start("whatsapp", ("sms", "email"), first_wait=SHORT)
    flow.receive("sms_TEXT_QUEUED", attempt=2)
    flow.receive("ses_Send", attempt=3)
    flow.receive_now("whatsapp_delivered", attempt=1)

    status, entered = flow.finish()
    assert status == "SUCCEEDED"
    assert entered[-2:] == ["Anyone reached?", "Reached"]
    assert flow.output()["outcomes"]["sms"]["channel"] == "whatsapp"
