"""What the providers' events are read as: every format and every word of theirs."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from messaging.channels import receipts
from messaging.domain.messages import AttemptId, Receipt
from messaging.domain.statuses import ReceiptKind
from tests.support.aws import EVENTS, PUBLISHED_AT, event_text, load

ECHO = AttemptId("01JEXAMPLE0000000000000001", 1)
KINDS = {
    "ses_Bounce_Permanent_General": ReceiptKind.FAILED,
    "ses_Bounce_Permanent_OnAccountSuppressionList": ReceiptKind.FAILED,
    "ses_Bounce_Permanent_Suppressed": ReceiptKind.FAILED,
    "ses_Bounce_Transient_General_ooto": ReceiptKind.FAILED,
    "ses_Bounce_Transient_MailboxFull": ReceiptKind.FAILED,
    "ses_Click": ReceiptKind.ENGAGED,
    "ses_Complaint": ReceiptKind.COMPLAINED,
    "ses_Delivery": ReceiptKind.DELIVERED,
    "ses_DeliveryDelay": ReceiptKind.PROGRESS,
    "ses_Open": ReceiptKind.ENGAGED,
    "ses_Reject": ReceiptKind.FAILED,
    "ses_Rendering_Failure": ReceiptKind.FAILED,
    "ses_Send": ReceiptKind.SENT,
    "ses_Subscription": ReceiptKind.ENGAGED,
    "sms_RCS_DELIVERED": ReceiptKind.DELIVERED,
    "sms_RCS_READ": ReceiptKind.READ,
    "sms_TEXT_BLOCKED": ReceiptKind.FAILED,
    "sms_TEXT_CARRIER_BLOCKED": ReceiptKind.FAILED,
    "sms_TEXT_CARRIER_UNREACHABLE": ReceiptKind.FAILED,
    "sms_TEXT_DELIVERED": ReceiptKind.DELIVERED,
    "sms_TEXT_INVALID": ReceiptKind.FAILED,
    "sms_TEXT_INVALID_MESSAGE": ReceiptKind.FAILED,
    "sms_TEXT_PENDING": ReceiptKind.PROGRESS,
    "sms_TEXT_PROTECT_BLOCKED": ReceiptKind.FAILED,
    "sms_TEXT_QUEUED": ReceiptKind.PROGRESS,
    "sms_TEXT_SENT": ReceiptKind.SENT,
    "sms_TEXT_SPAM": ReceiptKind.FAILED,
    "sms_TEXT_SUCCESSFUL": ReceiptKind.CARRIER_ACCEPTED,
    "sms_TEXT_TTL_EXPIRED": ReceiptKind.FAILED,
    "sms_TEXT_UNKNOWN": ReceiptKind.UNCONFIRMED,
    "sms_TEXT_UNREACHABLE": ReceiptKind.FAILED,
    "sms_eventbridge_TEXT_DELIVERED": ReceiptKind.DELIVERED,
    "sms_inbound_START_self_managed": ReceiptKind.UNKNOWN,
    "sms_inbound_STOP_self_managed": ReceiptKind.UNKNOWN,
    "sms_inbound_text": ReceiptKind.UNKNOWN,
    "voice_VOICE_ANSWERED": ReceiptKind.SENT,
    "voice_VOICE_BUSY": ReceiptKind.FAILED,
    "voice_VOICE_COMPLETED": ReceiptKind.DELIVERED,
    "voice_VOICE_FAILED": ReceiptKind.FAILED,
    "voice_VOICE_INITIATED": ReceiptKind.PROGRESS,
    "voice_VOICE_NO_ANSWER": ReceiptKind.FAILED,
    "voice_VOICE_RINGING": ReceiptKind.SENT,
    "voice_VOICE_TTL_EXPIRED": ReceiptKind.FAILED,
    "whatsapp_accepted": ReceiptKind.PROGRESS,
    "whatsapp_delivered": ReceiptKind.DELIVERED,
    "whatsapp_eventbridge_delivered": ReceiptKind.DELIVERED,
    "whatsapp_eventbridge_failed": ReceiptKind.FAILED,
    "whatsapp_failed_131026": ReceiptKind.FAILED,
    "whatsapp_failed_131047": ReceiptKind.FAILED,
    "whatsapp_failed_131049": ReceiptKind.FAILED,
    "whatsapp_inbound_STOP": ReceiptKind.UNKNOWN,
    "whatsapp_inbound_button_reply": ReceiptKind.UNKNOWN,
    "whatsapp_inbound_image": ReceiptKind.UNKNOWN,
    "whatsapp_inbound_text": ReceiptKind.UNKNOWN,
    "whatsapp_read": ReceiptKind.READ,
    "whatsapp_retries_exhausted": ReceiptKind.FAILED,
    "whatsapp_sent": ReceiptKind.SENT,
}
PERSONAL = ("4255550156", "recipient@example.com", "YES please", "Example Person")
# Their formats have no place for an id of ours.
WITHOUT_ECHO = {
    "ses_Rendering_Failure",
    "sms_RCS_DELIVERED",
    "sms_RCS_READ",
    "whatsapp_accepted",
    "whatsapp_retries_exhausted",
}


def parsed(event: object) -> list[Receipt]:
    """The receipts of an event in which every part can be read."""
    found = receipts.parse(event if isinstance(event, str) else json.dumps(event), PUBLISHED_AT)
    read = [one for one in found if isinstance(one, Receipt)]
    assert len(read) == len(found)
    return read


def one(name: str) -> Receipt:
    [receipt] = parsed(event_text(name))
    return receipt


def test_every_sample_event_has_its_meaning() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_an_event_is_understood(name: str) -> None:
    receipt = one(name)

    assert receipt.kind is KINDS[name]
    assert receipt.channel == {"ses": "email"}.get(
        name.split("_", maxsplit=1)[0], name.split("_", maxsplit=1)[0]
    )
    assert receipt.occurred_at.tzinfo is not None
    assert (receipt.reason is not None) == (receipt.kind is ReceiptKind.FAILED)


@pytest.mark.parametrize("name", KINDS)
def test_a_receipt_keeps_nothing_personal(name: str) -> None:
    assert not [word for word in PERSONAL if word in repr(one(name))]


@pytest.mark.parametrize("name", KINDS)
def test_the_echo_field_names_the_attempt(name: str) -> None:
    blind = name in WITHOUT_ECHO or "inbound" in name or "eventbridge" in name

    assert one(name).echo == (None if blind else ECHO)
    assert one(name).provider_id or one(name).wamid or "inbound" in name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("whatsapp_failed_131026", "131026 Message undeliverable"),
        ("whatsapp_retries_exhausted", "failed"),
        ("sms_TEXT_UNREACHABLE", "TEXT_UNREACHABLE Phone is currently unreachable/unavailable"),
        ("ses_Bounce_Transient_MailboxFull", "Bounce Transient MailboxFull"),
        ("ses_Reject", "Reject Bad content"),
        ("ses_Rendering_Failure", "Rendering Failure"),
    ],
)
def test_a_failure_says_why_in_the_providers_words(name: str, reason: str) -> None:
    assert one(name).reason == reason


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        ("TEXT_SUCCESSFUL", ReceiptKind.SENT),
        ("TEXT_CARRIER_UNREACHABLE", ReceiptKind.PROGRESS),
        ("TEXT_UNKNOWN", ReceiptKind.PROGRESS),
        ("TEXT_DELIVERED", ReceiptKind.DELIVERED),
    ],
)
def test_an_sms_status_that_is_not_final_ends_nothing(event_type: str, kind: ReceiptKind) -> None:
    event = load("sms_TEXT_DELIVERED") | {"eventType": event_type, "isFinal": False}

    assert parsed(event)[0].kind is kind


def test_an_unknown_word_is_kept_and_decides_nothing() -> None:
    sms = load("sms_TEXT_DELIVERED") | {"eventType": "TEXT_TELEPATHY"}
    ses = load("ses_Delivery") | {"eventType": "Premonition"}
    whatsapp = load("whatsapp_delivered")
    entry = whatsapp["whatsAppWebhookEntry"].replace('"delivered"', '"deleted"')

    for event in (sms, ses, whatsapp | {"whatsAppWebhookEntry": entry}):
        [receipt] = parsed(event)
        assert receipt.kind is ReceiptKind.UNKNOWN
        assert receipt.word in {"TEXT_TELEPATHY", "Premonition", "deleted"}


def test_a_whatsapp_entry_may_hold_several_statuses() -> None:
    event = load("whatsapp_delivered")
    entry = json.loads(event["whatsAppWebhookEntry"])
    statuses = entry["changes"][0]["value"]["statuses"]
    statuses.append(statuses[0] | {"status": "read"})
    text = json.dumps(event | {"whatsAppWebhookEntry": json.dumps(entry)})

    assert [receipt.word for receipt in parsed(text)] == ["delivered", "read"]


def test_awss_own_word_for_exhausted_retries_is_a_failure() -> None:
    event = load("whatsapp_retries_exhausted")
    words = "Message retries exhausted, dropping message."
    entry = event["whatsAppWebhookEntry"].replace('"failed"', json.dumps(words))

    [receipt] = parsed(event | {"whatsAppWebhookEntry": entry})
    assert (receipt.kind, receipt.reason) == (ReceiptKind.FAILED, words)


def test_inbound_messages_say_which_message_they_answer() -> None:
    assert one("sms_inbound_text").provider_id == "862a8790-60c0-4430-9b2b-658bd0000001"
    assert one("whatsapp_inbound_button_reply").wamid == one("whatsapp_delivered").wamid
    assert one("whatsapp_inbound_text").wamid is None


def test_times_are_the_providers() -> None:
    assert one("sms_TEXT_DELIVERED").occurred_at == datetime(
        2026, 1, 2, 0, 0, 3, 470000, tzinfo=UTC
    )
    assert one("ses_Delivery").occurred_at == datetime(2026, 1, 2, 0, 0, 5, 133000, tzinfo=UTC)
    assert one("whatsapp_delivered").occurred_at == datetime(2026, 1, 2, 0, 0, 6, tzinfo=UTC)


def test_an_sms_reply_has_the_time_at_which_it_was_published() -> None:
    assert one("sms_inbound_text").occurred_at == datetime(2026, 1, 2, 0, 0, 9, tzinfo=UTC)


@pytest.mark.parametrize("left", [{}, {"message_id": ["m1"]}, {"attempt": ["1"]}, None])
def test_an_email_receipt_without_our_tags_has_no_echo(left: dict[str, list[str]] | None) -> None:
    event = load("ses_Delivery")
    event["mail"]["tags"] = left

    assert parsed(event)[0].echo is None


def test_an_identitys_own_notification_is_a_receipt_without_echo() -> None:
    event = load("ses_Bounce_Permanent_General")
    event["notificationType"] = event.pop("eventType")
    del event["mail"]["tags"]

    [receipt] = parsed(event)
    assert (receipt.word, receipt.kind, receipt.echo) == ("Bounce", ReceiptKind.FAILED, None)


def test_two_reports_of_one_email_are_told_apart_by_their_feedback_id() -> None:
    bounce = load("ses_Bounce_Permanent_General")

    assert one("ses_Bounce_Permanent_General").key == bounce["bounce"]["feedbackId"]
    assert one("ses_Delivery").key == ""


def test_an_email_that_is_delayed_keeps_the_time_of_the_delay() -> None:
    event = load("ses_DeliveryDelay")

    assert one("ses_DeliveryDelay").occurred_at == datetime.fromisoformat(
        event["deliveryDelay"]["timestamp"]
    )
    assert event["deliveryDelay"]["timestamp"] != event["mail"]["timestamp"]


def test_an_inbound_whatsapp_message_names_its_type() -> None:
    assert one("whatsapp_inbound_text").word == "inbound text"
    assert one("whatsapp_inbound_image").word == "inbound image"


def test_several_whatsapp_errors_are_listed() -> None:
    event = load("whatsapp_failed_131026")
    entry = json.loads(event["whatsAppWebhookEntry"])
    [status] = entry["changes"][0]["value"]["statuses"]
    status["errors"] = [{"code": 1, "title": "One"}, {"code": 2, "title": "Two"}]

    [receipt] = parsed(event | {"whatsAppWebhookEntry": json.dumps(entry)})
    assert receipt.reason == "1 One; 2 Two"


def test_no_id_in_an_eventbridge_event_is_taken_for_whatsapps_own() -> None:
    event = load("whatsapp_eventbridge_delivered")
    event["detail"]["id"] = "another"

    assert parsed(event)[0].wamid is None


@pytest.mark.parametrize("entry", [{}, {"changes": [{}]}, {"changes": [{"value": {}}]}])
def test_a_whatsapp_entry_of_another_kind_holds_no_receipt(entry: dict[str, Any]) -> None:
    assert receipts.parse(json.dumps({"whatsAppWebhookEntry": json.dumps(entry)})) == ()


def test_an_sms_event_of_the_first_version_names_its_status_only() -> None:
    event = load("sms_TEXT_DELIVERED")
    del event["eventType"]

    [receipt] = parsed(event | {"messageStatus": "DELIVERED"})
    assert (receipt.kind, receipt.word) == (ReceiptKind.DELIVERED, "DELIVERED")
