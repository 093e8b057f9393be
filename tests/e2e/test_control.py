"""A caller confirms, advances and cancels a message over HTTP on the running stack."""

from typing import Any

from tests.e2e.conftest import Throughline, eventually

SILENT = "+12065550130"
REQUEST: dict[str, Any] = {
    "to": {"whatsapp": SILENT, "sms": SILENT},
    "content": {"text": "Your table is ready. Reply when you are on your way."},
    "steps": [
        {"channel": "whatsapp", "wait_seconds": 600, "success": "confirmed"},
        {"channel": "sms", "wait_seconds": 600, "success": "confirmed"},
    ],
}


def sent(throughline: Throughline) -> str:
    """A message whose first attempt was sent and waits."""
    message_id = throughline.send(REQUEST)
    eventually(lambda: statuses(throughline, message_id) == ["sent"])
    return message_id


def statuses(throughline: Throughline, message_id: str) -> list[str]:
    attempts = throughline.get(message_id).body["attempts"]
    return [attempt["status"] for attempt in attempts]


def test_a_message_is_advanced_and_then_confirmed(throughline: Throughline) -> None:
    message_id = sent(throughline)
    assert throughline.control(message_id, "advance", {"step": 1}).status == 200
    eventually(lambda: statuses(throughline, message_id)[-1:] == ["sent"])
    eventually(lambda: len(statuses(throughline, message_id)) == 2)
    answer = throughline.control(message_id, "confirm")

    assert (answer.status, answer.body["status"]) == (200, "confirmed")
    assert throughline.finished(message_id)["status"] == "confirmed"
    assert throughline.sent(message_id) == ["whatsapp", "sms"]
    assert throughline.states(message_id)[-2:] == ["Fall back", "Send SMS"]


def test_a_message_is_cancelled_and_then_too_late_to_confirm(throughline: Throughline) -> None:
    message_id = sent(throughline)
    assert throughline.control(message_id, "cancel").body["status"] == "cancelled"
    late = throughline.control(message_id, "confirm")

    assert (late.status, late.body["status"]) == (409, "cancelled")
    assert throughline.finished(message_id)["status"] == "cancelled"
    assert throughline.states(message_id)[-2:] == ["Send WhatsApp", "Cancelled"]
    assert throughline.sent(message_id) == ["whatsapp"]


def test_an_unknown_message_is_not_found(throughline: Throughline) -> None:
    assert throughline.control("unknown", "confirm").status == 404
