"""A person takes a recipient's phone in hand, on the running stack: refuses, answers, is silent."""

from typing import Any

import pytest

from tests.e2e.conftest import Throughline, eventually

PERSON = {
    "whatsapp": "+14255550199",
    "sms": "+14255550199",
    "email": "person@example.com",
}
CONTENT = {"text": "Your parcel is here.", "subject": "Your parcel"}
# So long that no test waits for it: what happens before is not the wait's doing.
LONG = 600


def request(*steps: tuple[str, int]) -> dict[str, Any]:
    waits = [{"channel": channel, "wait_seconds": seconds} for channel, seconds in steps]
    return {"to": PERSON, "content": CONTENT, "steps": waits}


def arrived(throughline: Throughline, message_id: str, channel: str) -> str:
    """The provider's id of what went out by this channel, once all that comes by itself is told."""

    def look() -> str | None:
        calls = [call for call in throughline.calls(message_id) if call["channel"] == channel]
        told = [receipt["published_at"] for call in calls for receipt in call["receipts"]]
        return str(calls[0]["provider_id"]) if told and all(told) else None

    return eventually(look)


def attempts(message: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["channel"], one["status"]) for one in message["attempts"]]


def words(message: dict[str, Any]) -> list[str]:
    """What the providers told of it, as far as it is noted."""
    return [event["word"] for event in message["timeline"] if "word" in event]


def test_a_persons_refusal_falls_back_at_once(throughline: Throughline) -> None:
    sent = throughline.send(request(("whatsapp", LONG), ("sms", LONG), ("email", LONG)))
    throughline.act(arrived(throughline, sent, "whatsapp"), "refuse", receipt="failed:131049")
    throughline.act(arrived(throughline, sent, "sms"), "refuse")
    throughline.act(arrived(throughline, sent, "email"), "receive")

    message = throughline.finished(sent)
    assert attempts(message) == [("whatsapp", "failed"), ("sms", "failed"), ("email", "delivered")]
    assert message["attempts"][0]["reason"].startswith("131049")
    assert throughline.states(sent) == [
        "Choose channel",
        "Send WhatsApp",
        "Fall back",
        "Send SMS",
        "Fall back",
        "Send email",
    ]


@pytest.mark.parametrize(("channel", "word"), [("whatsapp", "inbound text"), ("sms", "inbound")])
def test_an_answer_is_noted_beside_its_message(
    throughline: Throughline, channel: str, word: str
) -> None:
    sent = throughline.send(request((channel, LONG)))
    provider_id = arrived(throughline, sent, channel)
    throughline.act(provider_id, "reply", text="Thanks, got it.")

    assert attempts(throughline.finished(sent))[0][0] == channel
    eventually(lambda: word in words(throughline.get(sent).body))
    message = throughline.get(sent).body
    assert message["status"] == "delivered"
    assert "Thanks" not in str(message)


def test_a_persons_silence_falls_back_when_the_wait_is_over(throughline: Throughline) -> None:
    sent = throughline.send(request(("whatsapp", 5), ("sms", LONG)))
    silent = throughline.act(arrived(throughline, sent, "whatsapp"), "silence")
    throughline.act(arrived(throughline, sent, "sms"), "receive")

    message = throughline.finished(sent)
    assert silent["receipts"] == []
    assert attempts(message) == [("whatsapp", "timed_out"), ("sms", "delivered")]
    assert throughline.states(sent) == ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"]


def test_a_phone_that_gets_it_too_late_still_stops_the_rest(throughline: Throughline) -> None:
    sent = throughline.send(request(("whatsapp", 5), ("email", LONG)))
    whatsapp = arrived(throughline, sent, "whatsapp")
    arrived(throughline, sent, "email")
    throughline.act(whatsapp, "receive")

    message = throughline.finished(sent)
    assert message["status"] == "delivered"
    assert (message["attempts"][0]["status"], message["attempts"][0]["late"]) == ("delivered", True)
