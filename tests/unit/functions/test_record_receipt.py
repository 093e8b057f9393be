"""Whose receipt it is, and what happens to one that is nobody's yet."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import record_receipt
from messaging.domain.errors import Unmatched, Unreadable
from messaging.domain.messages import AttemptId, Message, Outcome
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, Success
from messaging.store import Store
from messaging.store.messages import Messages
from tests.support.aws import CONTEXT, event_text, load, sns
from tests.support.plans import plan_of

ID = AttemptId("01JEXAMPLE0000000000000001", 1)
SMS_ID = "862a8790-60c0-4430-9b2b-658bd0000001"
WHATSAPP_ID = "6d69f07a-0000-4000-8000-6a84078419ec"


class Answers:
    """Stands in for the workflow and records its answers."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.waiting = {"token", "token 2"}

    def succeed(self, task_token: str, outcome: Outcome) -> bool:
        self.sent.append(f"{task_token} {outcome.status}")
        return task_token in self.waiting

    def fail(self, task_token: str, error: type[Exception], cause: str) -> bool:
        self.sent.append(f"{task_token} {error.__name__} {cause}")
        return task_token in self.waiting


@pytest.fixture
def answers(store: Store, monkeypatch: pytest.MonkeyPatch) -> Answers:
    answers = Answers()
    monkeypatch.setattr(record_receipt, "store", lambda: store)
    monkeypatch.setattr(record_receipt, "workflow", lambda: answers)
    return answers


def sent(store: Store, channel: str = "sms", provider_id: str | None = None) -> None:
    planned = PlannedAttempt(1, 1, channel, 45, Success.DELIVERED)
    now = datetime.now(UTC)
    store.messages.add(Message(ID.message_id, now, plan_of(planned)))
    store.attempts.claim(ID, channel, "token", now)
    if provider_id:
        store.attempts.record_sent(ID, provider_id, now, planned)


def receive(event: dict[str, Any] | str) -> None:
    text = event_text(event) if isinstance(event, str) else json.dumps(event)
    record_receipt.handler(sns(text), CONTEXT)


def status(store: Store) -> AttemptStatus:
    return store.messages.history(ID.message_id).attempts[0].status


def test_the_echo_field_finds_the_attempt_before_the_send_is_noted(
    store: Store, answers: Answers
) -> None:
    sent(store)
    receive("sms_TEXT_DELIVERED")

    assert status(store) is AttemptStatus.DELIVERED
    assert answers.sent == ["token delivered"]
    assert store.messages.history(ID.message_id).attempts[0].provider_id == SMS_ID


def test_the_providers_id_finds_the_attempt_without_an_echo_field(
    store: Store, answers: Answers
) -> None:
    sent(store, provider_id=SMS_ID)
    receive("sms_eventbridge_TEXT_DELIVERED")

    assert answers.sent == ["token delivered"]


def test_whatsapps_id_is_learned_from_the_accepted_event(store: Store, answers: Answers) -> None:
    sent(store, "whatsapp", WHATSAPP_ID)
    receive("whatsapp_accepted")
    delivered = load("whatsapp_delivered")
    del delivered["messageId"]
    entry = delivered["whatsAppWebhookEntry"]
    delivered["whatsAppWebhookEntry"] = entry.replace("biz_opaque_callback_data", "nothing")
    receive(delivered)

    assert answers.sent == ["token delivered"]


@pytest.mark.parametrize("event", ["sms_TEXT_DELIVERED", "sms_TEXT_QUEUED", "ses_Complaint"])
def test_a_receipt_of_ours_without_its_attempt_is_tried_again(
    store: Store, answers: Answers, event: str
) -> None:
    with pytest.raises(Unmatched):
        receive(event)
    assert not answers.sent
    assert not store.receipts.of(ID.message_id)


def test_a_young_receipt_without_an_echo_field_is_tried_again(
    answers: Answers,
) -> None:
    event = load("sms_eventbridge_TEXT_DELIVERED")
    event["detail"]["eventTimestamp"] = int(datetime.now(UTC).timestamp() * 1000)

    with pytest.raises(Unmatched):
        receive(event)
    assert not answers.sent


def test_an_old_receipt_without_an_echo_field_is_another_applications(
    answers: Answers,
) -> None:
    event = load("sms_eventbridge_TEXT_DELIVERED")
    old = datetime.now(UTC) - timedelta(seconds=61)
    event["detail"]["eventTimestamp"] = int(old.timestamp() * 1000)
    receive(event)

    assert not answers.sent


@pytest.mark.parametrize(
    "event", ["sms_inbound_text", "whatsapp_inbound_text", "whatsapp_inbound_button_reply"]
)
def test_an_inbound_message_is_never_an_error(store: Store, answers: Answers, event: str) -> None:
    receive(event)

    assert not answers.sent
    [kept] = store.receipts.of(f"provider#{inbound_id(event)}")
    assert (kept["kind"], kept["word"].split()[0]) == ("unknown", "inbound")


def inbound_id(event: str) -> str:
    document = load(event)
    if "inboundMessageId" in document:
        return str(document["inboundMessageId"])
    value = json.loads(document["whatsAppWebhookEntry"])["changes"][0]["value"]
    return str(value["messages"][0]["id"])


def test_an_answer_to_a_message_is_kept_beside_it(store: Store, answers: Answers) -> None:
    sent(store, provider_id=SMS_ID)
    for _ in range(2):  # Lambda delivers an event at least once
        receive("sms_inbound_text")

    assert [one["word"] for one in store.receipts.of(ID.message_id)] == ["inbound"]
    assert not answers.sent


def test_what_is_no_event_is_raised_and_so_kept(answers: Answers) -> None:
    with pytest.raises(Unreadable, match="JSONDecodeError"):
        record_receipt.handler(sns("hello"), CONTEXT)
    assert not answers.sent


@pytest.mark.parametrize("unreadable", ["hello", '{"mail": null}', '{"AlarmName": "deep"}'])
def test_an_unreadable_record_hides_none_beside_it_however_often_it_comes(
    store: Store, answers: Answers, caplog: pytest.LogCaptureFixture, unreadable: str
) -> None:
    """Lambda delivers a failed event twice more, and a redrive three times."""
    sent(store, provider_id=SMS_ID)
    records = [sns(unreadable), sns(event_text("sms_TEXT_DELIVERED")), sns(unreadable)]
    event = {"Records": [record for one in records for record in one["Records"]]}
    for _ in range(6):
        with pytest.raises(Unreadable):
            record_receipt.handler(event, CONTEXT)

    assert status(store) is AttemptStatus.DELIVERED
    assert [one["word"] for one in store.receipts.of(ID.message_id)] == ["TEXT_DELIVERED"]
    assert caplog.messages.count("unreadable receipt, the event is kept") == 12
    assert set(answers.sent) == {"token delivered"}


def test_a_bad_status_of_an_entry_hides_none_beside_it(store: Store, answers: Answers) -> None:
    sent(store, "whatsapp", WHATSAPP_ID)
    event = load("whatsapp_delivered")
    entry = json.loads(event["whatsAppWebhookEntry"])
    statuses = entry["changes"][0]["value"]["statuses"]
    statuses[:0] = [None, "read", {**statuses[0], "timestamp": "9" * 20}]

    with pytest.raises(Unreadable):
        receive({**event, "whatsAppWebhookEntry": json.dumps(entry)})
    assert status(store) is AttemptStatus.DELIVERED
    assert answers.sent == ["token delivered"]


def test_what_ses_publishes_when_it_is_set_up_is_done(
    answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    record_receipt.handler(
        sns("Successfully validated SNS topic for Amazon SES event publishing."), CONTEXT
    )

    assert caplog.messages == ["message about the set-up of the topic, nothing to record"]
    assert not answers.sent


def test_the_carriers_word_counts_as_the_stack_says(
    store: Store, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMS_CARRIER_RECEIPT", "sent")
    sent(store, provider_id=SMS_ID)
    receive("sms_TEXT_SUCCESSFUL")
    assert status(store) is AttemptStatus.SENT
    receive("sms_TEXT_DELIVERED")

    assert status(store) is AttemptStatus.DELIVERED
    assert answers.sent == ["token delivered"]


def test_a_receipt_that_must_come_again_holds_up_none_beside_it(
    store: Store, answers: Answers
) -> None:
    sent(store, "whatsapp", WHATSAPP_ID)
    event = load("whatsapp_delivered")
    entry = json.loads(event["whatsAppWebhookEntry"])
    [ours] = entry["changes"][0]["value"]["statuses"]
    nobodys = {**ours, "id": "wamid.other", "biz_opaque_callback_data": "m-unknown.1"}
    entry["changes"][0]["value"]["statuses"] = [nobodys, ours]

    with pytest.raises(Unmatched):
        receive({**event, "whatsAppWebhookEntry": json.dumps(entry)})
    assert status(store) is AttemptStatus.DELIVERED
    assert answers.sent == ["token delivered"]


@pytest.mark.parametrize(
    "meanwhile", [AttemptStatus.SENDING, AttemptStatus.SENT, AttemptStatus.UNCONFIRMED]
)
def test_a_late_success_ends_the_wait_of_the_attempt_after_it(
    store: Store, answers: Answers, meanwhile: AttemptStatus
) -> None:
    plan = plan_of(
        PlannedAttempt(1, 1, "sms", 45, Success.DELIVERED),
        PlannedAttempt(2, 2, "email", 45, Success.DELIVERED),
    )
    now = datetime.now(UTC)
    store.messages.add(Message(ID.message_id, now, plan))
    store.attempts.claim(ID, "sms", "token 1", now)
    store.attempts.claim(AttemptId(ID.message_id, 2), "email", "token 2", now)
    store.attempts.update_status(AttemptId(ID.message_id, 2), meanwhile, now)
    receive("sms_TEXT_DELIVERED")

    assert answers.sent == ["token 1 delivered", "token 2 delivered"]


def test_a_success_in_time_and_a_failure_are_told_without_reading_the_history(
    store: Store, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(store, provider_id=SMS_ID)
    monkeypatch.setattr(Messages, "history", lambda *_: pytest.fail("the history is read"))
    receive("sms_TEXT_UNREACHABLE")
    receive("sms_TEXT_DELIVERED")

    failed, delivered = answers.sent
    assert failed.startswith("token Failed TEXT_UNREACHABLE")
    assert delivered == "token delivered"


def test_a_providers_id_means_nothing_on_another_channel(store: Store, answers: Answers) -> None:
    sent(store, "whatsapp", SMS_ID)
    event = load("sms_eventbridge_TEXT_DELIVERED")
    now = int(datetime.now(UTC).timestamp() * 1000)
    for kind in ("TEXT_DELIVERED", "TEXT_QUEUED"):
        event["detail"] |= {"eventTimestamp": now, "eventType": kind}
        with pytest.raises(Unmatched):
            receive(event)

    assert not store.receipts.of(ID.message_id)
    assert not answers.sent
