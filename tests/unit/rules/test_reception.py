"""Which attempt a receipt belongs to, what it changes, and what is recorded of it."""

import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger

from messaging.domain.errors import Unmatched, Unreadable
from messaging.domain.messages import AttemptId, Receipt, UnreadableReceipt
from messaging.domain.statuses import AttemptStatus, ReceiptKind
from messaging.reception import ReceiptRecorder
from messaging.settlement import Settlement
from messaging.store import Store
from tests.support.ports import RecordedStates
from tests.unit.rules.conftest import FIRST, MESSAGE, NOW, PLAN, now


def receipt(
    kind: ReceiptKind = ReceiptKind.DELIVERED,
    *,
    age: timedelta = timedelta(0),
    channel: str = "whatsapp",
    echo: AttemptId | None = None,
    **ids: Any,
) -> Receipt:
    """`ids` are the provider's: `provider_id` and `wamid`."""
    read = Receipt(channel, kind, str(kind), NOW - age, echo=echo, key="key")
    return replace(read, **ids)


@pytest.fixture
def recorder(store: Store, states: RecordedStates, log: Logger) -> ReceiptRecorder:
    store.messages.add(MESSAGE)
    settlement = Settlement(store, states, now)
    return ReceiptRecorder(store, settlement, AttemptStatus.UNCONFIRMED, now, log)


@pytest.fixture
def sent(store: Store, recorder: ReceiptRecorder) -> ReceiptRecorder:
    store.attempts.claim(FIRST, "whatsapp", "token 1", NOW)
    store.attempts.record_sent(FIRST, "wa-1", NOW, PLAN.attempt(1))
    return recorder


def first(store: Store) -> AttemptStatus:
    return store.messages.history("m1").attempts[0].status


def kept(store: Store, holder: str = "m1") -> list[tuple[str, int | None, str]]:
    return [
        (one["sk"], one.get("attempt"), one["received_at"]) for one in store.receipts.of(holder)
    ]


def test_a_receipt_raises_its_attempt_and_answers_the_state(
    store: Store, states: RecordedStates, sent: ReceiptRecorder
) -> None:
    sent.record_all([receipt(provider_id="wa-1")])

    assert first(store) is AttemptStatus.DELIVERED
    assert store.messages.history("m1").attempts[0].times["delivered"] == NOW
    assert [token for token, _ in states.succeeded] == ["token 1"]
    key = "receipt#01#2026-01-02T03:04:05.000Z#delivered#key"
    assert kept(store) == [(key, 1, "2026-01-02T03:04:05.000Z")]


def test_what_a_carrier_accepted_counts_as_the_stack_says(
    store: Store, sent: ReceiptRecorder
) -> None:
    sent.record_all([receipt(ReceiptKind.CARRIER_ACCEPTED, provider_id="wa-1")])

    assert first(store) is AttemptStatus.UNCONFIRMED


@pytest.mark.parametrize("kind", [ReceiptKind.PROGRESS, ReceiptKind.COMPLAINED])
def test_a_receipt_that_decides_nothing_is_kept_beside_its_attempt(
    store: Store, states: RecordedStates, sent: ReceiptRecorder, kind: ReceiptKind
) -> None:
    sent.record_all([receipt(kind, provider_id="wa-1"), receipt(kind, echo=FIRST)])

    assert first(store) is AttemptStatus.SENT
    assert [attempt for _, attempt, _ in kept(store)] == [1]
    assert not states.succeeded


def test_whatsapps_own_id_finds_the_attempt_once_a_receipt_had_both(
    store: Store, sent: ReceiptRecorder
) -> None:
    sent.record_all([receipt(ReceiptKind.PROGRESS, provider_id="wa-1", wamid="wamid.1")])
    assert store.receipts.find("wamid.1", "whatsapp") == FIRST

    sent.record_all([receipt(provider_id="unknown", wamid="wamid.1")])
    assert first(store) is AttemptStatus.DELIVERED


def test_whatsapps_own_id_is_learned_from_an_accepted_event_with_our_echo(
    store: Store, states: RecordedStates, sent: ReceiptRecorder
) -> None:
    accepted = receipt(ReceiptKind.PROGRESS, provider_id="wa-1", wamid="wamid.1", echo=FIRST)
    sent.record_all([accepted, receipt(wamid="wamid.1")])

    assert first(store) is AttemptStatus.DELIVERED
    assert [token for token, _ in states.succeeded] == ["token 1"]


def test_an_echo_with_another_id_counts_if_whatsapps_own_id_is_the_attempts(
    store: Store, sent: ReceiptRecorder
) -> None:
    delivered = receipt(provider_id="wa-other", wamid="wamid.1", echo=FIRST)
    with pytest.raises(Unmatched, match="another provider id"):
        sent.record_all([delivered])
    assert first(store) is AttemptStatus.SENT

    sent.record_all([receipt(ReceiptKind.PROGRESS, provider_id="wa-1", wamid="wamid.1")])
    sent.record_all([delivered])
    [attempt] = store.messages.history("m1").attempts
    assert (attempt.status, attempt.provider_id) == (AttemptStatus.DELIVERED, "wa-1")


def test_an_echo_with_another_id_introduces_no_id_of_whatsapp(
    store: Store, sent: ReceiptRecorder
) -> None:
    with pytest.raises(Unmatched):
        sent.record_all(
            [receipt(ReceiptKind.PROGRESS, provider_id="wa-2", wamid="wamid.2", echo=FIRST)]
        )

    assert store.receipts.find("wamid.2", "whatsapp") is None


def test_an_echo_field_says_nothing_about_whatsapps_own_id(
    store: Store, sent: ReceiptRecorder
) -> None:
    sent.record_all([receipt(wamid="wamid.1", echo=FIRST)])

    assert store.receipts.find("wamid.1", "whatsapp") is None


@pytest.mark.parametrize("kind", [ReceiptKind.DELIVERED, ReceiptKind.PROGRESS])
def test_an_echo_field_of_another_channels_attempt_changes_nothing(
    store: Store, sent: ReceiptRecorder, kind: ReceiptKind
) -> None:
    with pytest.raises(Unmatched, match=r"no attempt m1\.1 on sms"):
        sent.record_all([receipt(kind, channel="sms", echo=FIRST)])

    assert first(store) is AttemptStatus.SENT
    assert not kept(store)


def test_a_young_receipt_without_attempt_must_come_again(
    store: Store, recorder: ReceiptRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    young = receipt(age=timedelta(seconds=59), provider_id="wa-2")

    with pytest.raises(Unmatched, match="no attempt for this whatsapp receipt yet"):
        recorder.record_all([young])
    assert not kept(store, "provider#key")
    assert '"UnmatchedReceipt":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_an_old_receipt_without_attempt_is_another_applications(
    store: Store, recorder: ReceiptRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder.record_all([receipt(age=timedelta(seconds=60), provider_id="wa-2")])

    assert not kept(store, "provider#key")
    counted = capsys.readouterr().out.replace(" ", "")
    assert '"ForeignReceipt":[1.0]' in counted
    assert '"channel":"whatsapp"' in counted


def test_an_inbound_message_without_attempt_is_kept_under_its_own_key(
    store: Store, recorder: ReceiptRecorder
) -> None:
    recorder.record_all([receipt(ReceiptKind.UNKNOWN)])

    key = "receipt#00#2026-01-02T03:04:05.000Z#unknown#key"
    assert kept(store, "provider#key") == [(key, None, "2026-01-02T03:04:05.000Z")]


def test_the_first_receipt_that_must_come_again_is_raised_after_all_others(
    store: Store, sent: ReceiptRecorder
) -> None:
    unmatched = [receipt(echo=AttemptId(name, 1)) for name in ("m2", "m3")]

    with pytest.raises(Unmatched, match=r"m2\.1"):
        sent.record_all([*unmatched, receipt(provider_id="wa-1")])
    assert first(store) is AttemptStatus.DELIVERED


def test_what_can_never_be_read_is_raised_before_what_may_be_matched_later(
    store: Store, sent: ReceiptRecorder
) -> None:
    unmatched, unreadable = receipt(echo=AttemptId("m2", 1)), UnreadableReceipt("unknown format")

    with pytest.raises(Unreadable, match="unknown format"):
        sent.record_all([unmatched, unreadable, receipt(provider_id="wa-1")])
    assert first(store) is AttemptStatus.DELIVERED


def test_a_receipt_of_an_erased_message_ends_quietly(
    store: Store,
    recorder: ReceiptRecorder,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store.erasure, "was_erased", {"m2": True}.get)
    recorder.record_all([receipt(echo=AttemptId("m2", 1))])

    assert "UnmatchedReceipt" not in capsys.readouterr().out


def test_the_log_names_channel_and_provider_id_of_each_receipt(sent: ReceiptRecorder) -> None:
    stream = StringIO()
    # One that nobody made before.
    log = Logger(service=f"receipts {uuid4()}", stream=stream, level="DEBUG")
    replace(sent, log=log).record_all([receipt(provider_id="wa-1")])

    line = json.loads(stream.getvalue())
    assert (line["channel"], line["provider_id"]) == ("whatsapp", "wa-1")
    assert (line["message_id"], line["attempt"]) == ("m1", 1)
