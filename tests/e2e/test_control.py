"""A caller confirms, advances and cancels messages of the running stack."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.conftest import Throughline, eventually, execution_status

PERSON, REACHED = "+14255550199", "+14255550104"
SILENT = "+14255550130"
# So long that no test waits for it.
LONG, SHORT = 600, 5
BOTH = ({"channel": "whatsapp", "wait_seconds": LONG}, {"channel": "sms", "wait_seconds": LONG})
RACES = 12
ENDED = {"confirmed", "cancelled"}


def request(number: str, *steps: dict[str, Any], success: str | None = None) -> dict[str, Any]:
    required = {} if success is None else {"success": success}
    return {
        "to": {"whatsapp": number, "sms": number, "email": "ana@example.com"},
        "content": {"text": "Your table is ready.", "subject": "Your table"},
        "steps": [{**step, **required} for step in steps],
    }


def arrived(throughline: Throughline, message_id: str, number: int = 1) -> dict[str, Any]:
    """The provider's call of an attempt, once all its receipts are published."""

    def look() -> dict[str, Any] | None:
        for call in throughline.calls(message_id)[number - 1 :]:
            told = all(receipt["published_at"] for receipt in call["receipts"])
            return call if told and call["answer"] else None
        return None

    return eventually(look)


def attempts(message: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["channel"], one["status"]) for one in message["attempts"]]


def test_a_confirmation_ends_the_wait_and_what_was_to_come(throughline: Throughline) -> None:
    sent = throughline.send(request(REACHED, *BOTH, success="confirmed"))
    arrived(throughline, sent)
    eventually(lambda: attempts(throughline.get(sent).body) == [("whatsapp", "delivered")])
    assert throughline.get(sent).body["status"] == "in_progress"
    assert execution_status(throughline, throughline.execution(sent)) == "RUNNING"

    first, again = (throughline.control(sent, "confirm") for _ in range(2))

    assert (first.status, first.body["status"]) == (200, "confirmed")
    assert (again.status, again.body["status"]) == (200, "confirmed")
    message = throughline.finished(sent)
    assert (message["status"], throughline.sent(sent)) == ("confirmed", ["whatsapp"])
    assert execution_status(throughline, throughline.execution(sent)) == "SUCCEEDED"
    late = throughline.control(sent, "cancel"), throughline.control(sent, "advance", {"step": 1})
    assert [(one.status, one.body["state"]) for one in late] == [(409, "confirmed")] * 2


def test_a_failure_falls_back_where_a_confirmation_is_waited_for(throughline: Throughline) -> None:
    sent = throughline.send(request("+14255550156", *BOTH, success="confirmed"))
    arrived(throughline, sent, number=2)
    assert throughline.control(sent, "confirm").status == 200
    assert attempts(throughline.finished(sent))[0] == ("whatsapp", "failed")
    assert throughline.sent(sent) == ["whatsapp", "sms"]


def test_what_nobody_confirms_ends_as_delivered(throughline: Throughline) -> None:
    step = {"channel": "whatsapp", "wait_seconds": SHORT}
    sent = throughline.send(request(REACHED, step, success="confirmed"))
    message = throughline.finished(sent)
    assert (message["status"], message["reason"]) == ("delivered", "not confirmed")
    assert throughline.states(sent)[-1] == "Unconfirmed"
    late = throughline.control(sent, "confirm")
    assert (late.status, late.body["status"]) == (200, "confirmed")


def test_an_advance_sends_the_next_step_at_once_and_once(throughline: Throughline) -> None:
    sent = throughline.send(request(PERSON, *BOTH, {"channel": "email", "wait_seconds": LONG}))
    arrived(throughline, sent)

    with ThreadPoolExecutor(8) as callers:
        answers = list(
            callers.map(lambda _: throughline.control(sent, "advance", {"step": 1}), range(8))
        )

    arrived(throughline, sent, number=2)
    assert {answer.status for answer in answers} == {200}
    assert throughline.control(sent, "advance", {"step": 1}).status == 200
    assert throughline.control(sent, "advance", {"step": 3}).status == 409
    assert throughline.control(sent, "advance", {"step": 4}).status == 400
    assert throughline.sent(sent) == ["whatsapp", "sms"]
    assert throughline.states(sent) == ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"]
    throughline.control(sent, "cancel")
    throughline.finished(sent)


def test_a_cancelled_message_sends_nothing_more(throughline: Throughline) -> None:
    sent = throughline.send(request(PERSON, *BOTH))
    call = arrived(throughline, sent)

    first, again = (throughline.control(sent, "cancel") for _ in range(2))

    assert (first.status, again.status) == (200, 200)
    message = throughline.finished(sent)
    assert message["status"] == "cancelled"
    assert throughline.states(sent)[-2:] == ["Send WhatsApp", "Cancelled"]
    assert execution_status(throughline, throughline.execution(sent)) == "FAILED"
    assert throughline.sent(sent) == ["whatsapp"]
    late = throughline.control(sent, "advance", {"step": 1})
    assert (late.status, late.body["state"]) == (409, "cancelled")
    assert throughline.control(sent, "confirm").status == 409
    # What had gone out before still arrives, and that is told.
    throughline.act(call["provider_id"], "receive")
    eventually(lambda: throughline.get(sent).body["status"] == "delivered")


@pytest.mark.parametrize("word", ["confirm", "advance", "cancel"])
def test_of_an_unknown_message_nothing_can_be_said(throughline: Throughline, word: str) -> None:
    body = {"step": 1} if word == "advance" else {}
    assert throughline.control("01ARZ3NDEKTSV4RRFFQ69G5FAV", word, body).status == 404


# ---- races, each of them many times at once


def raced(
    throughline: Throughline, steps: tuple[dict[str, Any], ...], success: str | None = None
) -> list[str]:
    """The ids of messages that all wait for what a person does."""
    body = request(PERSON, *steps, success=success)
    with ThreadPoolExecutor(RACES) as senders:
        sent = list(senders.map(lambda _: throughline.send(body), range(RACES)))
    for message_id in sent:
        arrived(throughline, message_id)
    return sent


def test_a_confirmation_and_a_receipt_lose_neither(throughline: Throughline) -> None:
    sent = raced(throughline, BOTH, success="confirmed")
    with ThreadPoolExecutor(2 * RACES) as callers:
        for message_id in sent:
            provider_id = throughline.calls(message_id)[0]["provider_id"]
            callers.submit(throughline.act, provider_id, "read")
            callers.submit(throughline.control, message_id, "confirm")

    for message_id in sent:
        message = throughline.finished(message_id)
        assert message["status"] == "confirmed"
        eventually(lambda: "read" in words(throughline.get(message_id).body))  # noqa: B023 - called at once
        assert throughline.sent(message_id) == ["whatsapp"]
        assert throughline.get(message_id).body["status"] == "confirmed"


def test_a_confirmation_and_a_failure_send_at_most_the_next_step(throughline: Throughline) -> None:
    sent = raced(throughline, BOTH, success="confirmed")
    with ThreadPoolExecutor(2 * RACES) as callers:
        for message_id in sent:
            provider_id = throughline.calls(message_id)[0]["provider_id"]
            callers.submit(throughline.act, provider_id, "refuse", receipt="failed:131026")
            callers.submit(throughline.control, message_id, "confirm")

    for message_id in sent:
        assert throughline.finished(message_id)["status"] == "confirmed"
        assert throughline.sent(message_id) in (["whatsapp"], ["whatsapp", "sms"])


def test_a_cancellation_at_the_end_of_a_wait_sends_at_most_the_next_step(
    throughline: Throughline,
) -> None:
    soon = ({"channel": "whatsapp", "wait_seconds": SHORT}, BOTH[1])
    body = request(SILENT, *soon)
    with ThreadPoolExecutor(RACES) as callers:
        sent = list(callers.map(lambda _: throughline.send(body), range(RACES)))
        answers = list(callers.map(lambda one: cancelled_at_fallback(throughline, one), sent))

    assert {answer.status for answer in answers} == {200}
    for message_id in sent:
        assert throughline.finished(message_id)["status"] == "cancelled"
        assert throughline.sent(message_id) in (["whatsapp"], ["whatsapp", "sms"])


def cancelled_at_fallback(throughline: Throughline, message_id: str) -> Any:
    """The answer to a cancellation at the moment in which the execution leaves its first wait."""
    arrived(throughline, message_id)
    eventually(lambda: "Fall back" in throughline.states(message_id))
    return throughline.control(message_id, "cancel")


def test_of_a_confirmation_and_a_cancellation_one_is_too_late(throughline: Throughline) -> None:
    sent = raced(throughline, BOTH)
    with ThreadPoolExecutor(2 * RACES) as callers:
        confirmed = [callers.submit(throughline.control, one, "confirm") for one in sent]
        cancelled = [callers.submit(throughline.control, one, "cancel") for one in sent]
    for message_id, *answers in zip(sent, confirmed, cancelled, strict=True):
        statuses = [one.result().status for one in answers]
        message = throughline.finished(message_id)
        assert sorted(statuses) == [200, 409]
        assert message["status"] == ("confirmed" if statuses[0] == 200 else "cancelled")
        assert throughline.sent(message_id) == ["whatsapp"]


def words(message: dict[str, Any]) -> list[str]:
    return [event["word"] for event in message["timeline"] if "word" in event]
