"""Messages on the running stack, by what the API, the engine and the simulator tell of them."""

import json
import uuid
from typing import Any

from tests.e2e.conftest import Throughline, eventually, execution_status

REACHED = "+12065550104"
OPTED_OUT_OF_SMS = "+12065550110"
NOT_ON_WHATSAPP = "+14255550156"
LATE = "+14255550131"
EARLY = "+14255550134"
BUSY_AT_FIRST = "+14255550140"
SILENT_ON_WHATSAPP = "+14255550157"
CONTENT = {"text": "Your parcel is here.", "subject": "Your parcel"}


def request(number: str, *steps: dict[str, Any], email: str = "ana@example.com") -> dict[str, Any]:
    to = {"whatsapp": number, "sms": number, "email": email}
    return {"to": to, "content": CONTENT, "steps": list(steps)}


def attempts(message: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["channel"], one["status"]) for one in message["attempts"]]


def test_the_first_channel_delivers(throughline: Throughline) -> None:
    sent = throughline.send(request(REACHED, {"channel": "whatsapp"}, {"channel": "sms"}))
    message = throughline.finished(sent)
    assert message["status"] == "delivered"
    assert attempts(message) == [("whatsapp", "delivered")]
    assert throughline.states(sent) == ["Choose channel", "Send WhatsApp"]
    assert throughline.sent(sent) == ["whatsapp"]


def test_a_refusal_falls_back_at_once(throughline: Throughline) -> None:
    sent = throughline.send(request(OPTED_OUT_OF_SMS, {"channel": "sms"}, {"channel": "email"}))
    message = throughline.finished(sent)
    assert attempts(message) == [("sms", "failed"), ("email", "delivered")]
    assert throughline.states(sent) == ["Choose channel", "Send SMS", "Fall back", "Send email"]


def test_a_failure_receipt_falls_back(throughline: Throughline) -> None:
    sent = throughline.send(request(NOT_ON_WHATSAPP, {"channel": "whatsapp"}, {"channel": "sms"}))
    message = throughline.finished(sent)
    assert attempts(message) == [("whatsapp", "failed"), ("sms", "delivered")]
    assert message["attempts"][0]["reason"].startswith("131026")
    assert throughline.states(sent) == ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"]
    assert throughline.sent(sent) == ["whatsapp", "sms"]


def test_a_call_is_made_when_no_text_arrives(throughline: Throughline) -> None:
    body = request(OPTED_OUT_OF_SMS, {"channel": "sms"}, {"channel": "voice"})
    body["to"]["voice"] = REACHED
    body["content"] = CONTENT | {"voice": {"voice_id": "JOANNA"}}
    sent = throughline.send(body)
    message = throughline.finished(sent)
    assert attempts(message) == [("sms", "failed"), ("voice", "delivered")]
    assert throughline.states(sent) == ["Choose channel", "Send SMS", "Fall back", "Send voice"]
    assert throughline.sent(sent) == ["sms", "voice"]


def test_a_notify_configuration_sends_the_template_of_a_code(throughline: Throughline) -> None:
    body = request(REACHED, {"channel": "sms"})
    body["from"] = {"sms": "nc-1234567890abcdef0"}
    template = {"name": "notify-code-verification-english-001", "data": {"code": "123456"}}
    body["content"] = {"sms": {"template": template}}
    sent = throughline.send(body)
    message = throughline.finished(sent)
    assert attempts(message) == [("sms", "delivered")]
    assert throughline.sent(sent) == ["sms"]


def test_silence_falls_back_when_the_wait_is_over(throughline: Throughline) -> None:
    first = {"channel": "whatsapp", "wait_seconds": 5}
    sent = throughline.send(request(SILENT_ON_WHATSAPP, first, {"channel": "sms"}))
    message = throughline.finished(sent)
    assert attempts(message) == [("whatsapp", "timed_out"), ("sms", "delivered")]
    assert throughline.states(sent) == ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"]


def test_a_late_success_ends_the_wait_of_the_next_channel(throughline: Throughline) -> None:
    first = {"channel": "whatsapp", "wait_seconds": 5}
    body = request(LATE, first, {"channel": "email"}, email="silent@example.com")
    sent = throughline.send(body)
    message = throughline.finished(sent)
    assert message["status"] == "delivered"
    assert (message["attempts"][0]["status"], message["attempts"][0]["late"]) == ("delivered", True)
    assert throughline.states(sent) == [
        "Choose channel",
        "Send WhatsApp",
        "Fall back",
        "Send email",
    ]
    assert throughline.sent(sent) == ["whatsapp", "email"]


def test_a_busy_provider_is_asked_again(throughline: Throughline) -> None:
    sent = throughline.send(request(BUSY_AT_FIRST, {"channel": "sms"}))
    message = throughline.finished(sent)
    assert attempts(message) == [("sms", "delivered")]
    assert throughline.states(sent) == ["Choose channel", "Send SMS"]


def test_a_receipt_before_the_answer_counts(throughline: Throughline) -> None:
    sent = throughline.send(request(EARLY, {"channel": "sms"}))
    assert attempts(throughline.finished(sent)) == [("sms", "delivered")]


def test_a_broadcast_reaches_by_any_channel(throughline: Throughline) -> None:
    everywhere = {"broadcast": ["whatsapp", "sms", "email"]}
    sent = throughline.send(request(NOT_ON_WHATSAPP, everywhere))
    message = throughline.finished(sent)
    assert message["status"] == "delivered"
    assert sorted(attempts(message)) == [
        ("email", "delivered"),
        ("sms", "delivered"),
        ("whatsapp", "failed"),
    ]
    assert throughline.states(sent)[-2:] == ["Anyone reached?", "Reached"]


def test_nobody_reached_is_undelivered(throughline: Throughline) -> None:
    sent = throughline.send(request(OPTED_OUT_OF_SMS, {"channel": "sms"}))
    message = throughline.finished(sent)
    assert message["status"] == "undelivered"
    assert throughline.states(sent)[-1] == "Undelivered"


def test_another_service_starts_the_execution_itself(throughline: Throughline) -> None:
    name = f"order-{uuid.uuid4().hex}"
    body = request(NOT_ON_WHATSAPP, {"channel": "whatsapp"}, {"channel": "sms"})
    throughline.engine.start_execution(
        stateMachineArn=throughline.environment["STATE_MACHINE_ARN"],
        name=name,
        input=json.dumps(body),
    )
    message = throughline.finished(name)
    assert attempts(message) == [("whatsapp", "failed"), ("sms", "delivered")]
    assert throughline.states(name)[:3] == ["Choose channel", "Plan message", "Choose channel"]


def test_an_invalid_direct_request_ends_with_its_reasons(throughline: Throughline) -> None:
    started = throughline.engine.start_execution(
        stateMachineArn=throughline.environment["STATE_MACHINE_ARN"],
        name=f"order-{uuid.uuid4().hex}",
        input=json.dumps(request("not a number", {"channel": "sms"})),
    )["executionArn"]
    eventually(lambda: execution_status(throughline, started) == "FAILED")
    ended = throughline.engine.describe_execution(executionArn=started)
    assert ended["error"] == "InvalidRequest"
    assert "/to/sms" in ended["cause"]


def test_the_requests_queue_takes_the_same_json(throughline: Throughline) -> None:
    body = request(REACHED, {"channel": "sms"})
    queued = throughline.queues.send_message(
        QueueUrl=throughline.environment["REQUESTS_QUEUE_URL"], MessageBody=json.dumps(body)
    )
    message = throughline.finished(queued["MessageId"])
    assert attempts(message) == [("sms", "delivered")]


def sample(use_case: str, number: str) -> dict[str, Any]:
    """The body that clients of AWS's sample send."""
    return {
        "use_case": use_case,
        "fallback_seconds": 45,
        "pc": {
            "channel": "whatsapp",
            "sender": "+12065550100",
            "recipient": number,
            "whatsapp": {"message": "Your parcel is here."},
        },
        "fc": {
            "channel": "sms",
            "sender": "+12065550100",
            "recipient": number,
            "sms": {"message": "Your parcel is here.", "message_type": "TRANSACTIONAL"},
        },
    }


def test_the_samples_fallback_is_taken_as_it_is(throughline: Throughline) -> None:
    sent = throughline.send(sample("fallback", NOT_ON_WHATSAPP))
    assert attempts(throughline.finished(sent)) == [("whatsapp", "failed"), ("sms", "delivered")]


def test_the_samples_broadcast_is_taken_as_it_is(throughline: Throughline) -> None:
    sent = throughline.send(sample("broadcast", REACHED))
    assert sorted(attempts(throughline.finished(sent))) == [
        ("sms", "delivered"),
        ("whatsapp", "delivered"),
    ]


def test_an_idempotency_key_sends_once(throughline: Throughline) -> None:
    key = uuid.uuid4().hex
    body = request(REACHED, {"channel": "sms"})
    first = throughline.post(body, Idempotency_Key=key)
    again = throughline.post(body, Idempotency_Key=key)
    assert (first.status, again.status) == (202, 202)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.body == first.body
    throughline.finished(first.body["id"])
    assert throughline.sent(first.body["id"]) == ["sms"]

    other = throughline.post(request(REACHED, {"channel": "email"}), Idempotency_Key=key)
    assert other.status == 422


def test_each_wrong_field_is_named(throughline: Throughline) -> None:
    answer = throughline.post(request(REACHED, {"channel": "sms", "wait_seconds": 1}))
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.body["errors"]] == ["/steps/0/wait_seconds"]


def test_what_is_no_json_is_refused(throughline: Throughline) -> None:
    assert throughline.post(b"{").status == 400


def test_without_a_key_nothing_is_taken(throughline: Throughline) -> None:
    answer = throughline.post(request(REACHED, {"channel": "sms"}), X_Api_Key="not the key")
    assert answer.status == 403


def test_an_unknown_message_is_not_found(throughline: Throughline) -> None:
    assert throughline.get("01ARZ3NDEKTSV4RRFFQ69G5FAV").status == 404


def test_nothing_was_left_in_a_dead_letter_queue(throughline: Throughline) -> None:
    for name in ("REQUESTS_DEAD_LETTER", "RECEIPTS_DEAD_LETTER", "UNRECORDED_RECEIPTS"):
        kept = throughline.queues.get_queue_attributes(
            QueueUrl=throughline.environment[f"{name}_QUEUE_URL"], AttributeNames=["All"]
        )
        assert kept["Attributes"]["ApproximateNumberOfMessages"] == "0", name
