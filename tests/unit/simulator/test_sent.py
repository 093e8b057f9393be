"""What the simulator shows and lets a tester do: calls, receipts on demand, health, limits."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from simulator.publisher import NotPublished, SnsPublisher
from tests.support.simulator import RunningSimulator, eventually, receipt_types, serving, status_of

ANA = "+14255550156"


@pytest.fixture
def running() -> Iterator[RunningSimulator]:
    with serving(kept=100) as running:
        yield running


def test_sent_has_the_request_the_response_and_the_receipts(running: RunningSimulator) -> None:
    provider_id = running.send_whatsapp(ANA)
    running.topic.of(provider_id, 2)
    eventually(lambda: running.get("/health")["under_way"] == 0)

    (call,) = running.get("/sent")
    assert (call["channel"], call["operation"]) == ("whatsapp", "SendWhatsAppMessage")
    assert (call["to"], call["scenario"], call["provider_id"]) == (
        ANA,
        "not_on_whatsapp",
        provider_id,
    )
    assert call["request"]["message"]["template"]["name"] == "login_code"
    assert call["answer"] == {"status": 200, "messageId": provider_id}
    assert [receipt["receipt"] for receipt in call["receipts"]] == ["accepted", "failed:131026"]
    times = [call["asked_at"], call["answered_at"]]
    times += [receipt["published_at"] for receipt in call["receipts"]]
    assert times == sorted(times)
    assert all(len(text) == len("2026-01-02T00:00:03.240Z") for text in times)
    assert datetime.fromisoformat(times[0]).tzinfo is not None


def test_sent_has_rejected_calls_too(running: RunningSimulator) -> None:
    with pytest.raises(ClientError):
        running.send_sms("+14255550110")
    with pytest.raises(ClientError):
        running.send_sms("+14255550100", MessageBody="a" * 1601)

    opted_out, too_long = running.get("/sent")
    assert opted_out["answer"]["error"] == "ConflictException"
    assert opted_out["answer"]["Reason"] == "DESTINATION_PHONE_NUMBER_OPTED_OUT"
    assert (opted_out["provider_id"], opted_out["receipts"]) == (None, [])
    assert (too_long["answer"]["error"], too_long["scenario"]) == ("ValidationException", None)


def test_sent_is_filtered_and_the_newest_comes_last(running: RunningSimulator) -> None:
    first = running.send_sms(ANA, Context={"message_id": "m8", "attempt": "1"})
    second = running.send_whatsapp(ANA, biz_opaque_callback_data="m8.2")
    third = running.send_email("ana@example.com", EmailTags=[{"Name": "message_id", "Value": "m9"}])

    def ids(query: str) -> list[str]:
        return [call["provider_id"] for call in running.get(f"/sent?{query}")]

    assert ids("") == [first, second, third]
    assert ids("channel=email") == [third]
    assert ids("to=%2B14255550156") == ids("to=+14255550156") == [first, second]
    assert ids("message_id=m8") == [first, second]
    assert ids("message_id=m8&channel=sms") == [first]
    assert ids(f"message_id={third}") == [third]
    assert ids("limit=2") == [second, third]
    assert ids("message_id=m") == []
    assert running.ask("GET", "/sent?limit=all")[0] == 400


def test_sent_can_be_cleared(running: RunningSimulator) -> None:
    provider_id = running.send_sms(ANA)

    assert running.ask("DELETE", "/sent") == (204, None)
    assert running.get("/sent") == []
    # Receipts in progress are still published.
    assert receipt_types(running.topic.of(provider_id, 2)) == ["TEXT_PENDING", "TEXT_DELIVERED"]


def test_only_the_newest_calls_are_kept(running: RunningSimulator) -> None:
    ids = [running.send_sms(ANA) for _ in range(103)]

    assert [call["provider_id"] for call in running.get("/sent")] == ids[3:]
    assert _report(running, ids[2], "TEXT_DELIVERED")[0] == 404


def test_long_texts_are_kept_short(running: RunningSimulator) -> None:
    running.send_email(
        "ana@example.com",
        Content={"Simple": {"Subject": {"Data": "s"}, "Body": {"Html": {"Data": "x" * 200_000}}}},
    )

    (call,) = running.get("/sent")
    html = call["request"]["Content"]["Simple"]["Body"]["Html"]["Data"]
    assert html.endswith("… (200000 characters)")
    assert len(html) < 11_000


# --- receipts on demand


def _report(running: RunningSimulator, provider_id: str, receipt: str) -> tuple[int, object]:
    return running.ask("POST", "/receipts", {"provider_id": provider_id, "receipt": receipt})


def test_a_receipt_is_published_on_demand(running: RunningSimulator) -> None:
    sms, whatsapp = running.send_sms("+14255550130"), running.send_whatsapp("+14255550130")
    email = running.send_email("silent@example.com")

    assert _report(running, sms, "TEXT_DELIVERED")[0] == 200
    assert _report(running, whatsapp, "failed:131049")[0] == 200
    assert _report(running, whatsapp, "delivered")[0] == 200
    assert _report(running, email, "Bounce:Permanent/General")[0] == 200

    assert receipt_types(running.topic.of(sms, 1)) == ["TEXT_DELIVERED"]
    assert receipt_types(running.topic.of(whatsapp, 2)) == ["failed:131049", "delivered"]
    assert status_of(running.topic.of(whatsapp, 2)[1])["biz_opaque_callback_data"] == "m1.1"
    assert "Bounce:Permanent/General" in receipt_types(running.topic.of(email, 2))
    (call,) = running.get(f"/sent?message_id={sms}")
    assert call["receipts"][0]["published_at"] is not None


def test_an_invalid_receipt_on_demand_is_rejected(running: RunningSimulator) -> None:
    provider_id = running.send_sms("+14255550130")
    quiet = running.send_sms("+14255550130", DryRun=True)

    assert _report(running, "nobody", "TEXT_DELIVERED")[0] == 404
    assert _report(running, quiet, "TEXT_DELIVERED")[0] == 409
    status, answer = _report(running, provider_id, "delivered")
    assert (status, "TEXT_DELIVERED" in str(answer)) == (400, True)
    assert running.ask("POST", "/receipts", {"provider_id": provider_id})[0] == 400
    assert running.ask("POST", "/receipts", b"{")[0] == 400


# --- health, scenarios


def test_scenarios_shows_what_is_in_force(running: RunningSimulator) -> None:
    scenarios = running.get("/scenarios")

    assert scenarios["speed"] == 20
    assert scenarios["whatsapp"]["recipients"][ANA.replace("+1425", "+1???")] == "not_on_whatsapp"


def test_what_cannot_be_published_is_shown(running: RunningSimulator) -> None:
    running.topic.broken = True
    provider_id = running.send_sms("+14255550102")
    eventually(lambda: running.get("/health")["unpublished"] == 1)

    (call,) = running.get(f"/sent?message_id={provider_id}")
    assert call["receipts"][0]["failure"] == "the topic is gone"
    assert call["receipts"][0]["published_at"] is None
    assert _report(running, provider_id, "TEXT_DELIVERED")[0] == 502


def test_a_response_after_receipts_comes_even_if_none_can_be_published(
    running: RunningSimulator,
) -> None:
    running.topic.broken = True

    assert running.send_sms("+14255550134")


def test_calls_are_throttled_when_too_many_messages_are_in_progress(
    running: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.simulator.MAX_IN_PROGRESS", 0)

    with pytest.raises(running.sms.exceptions.ThrottlingException):
        running.send_sms(ANA)
    with pytest.raises(running.whatsapp.exceptions.ThrottledRequestException):
        running.send_whatsapp(ANA)
    with pytest.raises(running.email.exceptions.TooManyRequestsException):
        running.send_email("ana@example.com")


# --- concurrent calls


@pytest.mark.slow
def test_slow_responses_do_not_delay_others() -> None:
    with serving(read_timeout=12) as running, ThreadPoolExecutor(20) as senders:
        slow = [senders.submit(running.send_sms, "+14255550143") for _ in range(10)]
        eventually(lambda: len(running.get("/sent")) == len(slow))
        ids = list(senders.map(running.send_sms, [ANA] * 100))

        assert not any(future.done() for future in slow)
        assert len(set(ids)) == 100
        assert all(isinstance(future.exception(), ReadTimeoutError) for future in slow)
        eventually(lambda: running.get("/health")["under_way"] == 0)
        assert {event["messageId"] for event in running.topic.messages} >= set(ids)


# --- the publisher


class BusyTopic:
    """An SNS client whose topic is busy the first so many times."""

    def __init__(self, busy: int) -> None:
        self.busy = busy
        self.published: list[dict[str, str]] = []

    def publish(self, **message: str) -> None:
        if self.busy:
            self.busy -= 1
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")
        self.published.append(message)


def _publish(client: BusyTopic) -> list[float]:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    publisher = SnsPublisher(client, "arn:aws:sns:us-east-1:123456789012:Receipts", pause)  # type: ignore[arg-type]  # all it uses
    asyncio.run(publisher.publish("{}"))
    return pauses


def test_publishing_is_retried() -> None:
    client = BusyTopic(busy=3)

    assert _publish(client) == [0.1, 0.2, 0.5]
    assert client.published == [
        {"TopicArn": "arn:aws:sns:us-east-1:123456789012:Receipts", "Message": "{}"}
    ]


def test_publishing_that_keeps_failing_is_an_error() -> None:
    with pytest.raises(NotPublished, match="Could not connect"):
        _publish(BusyTopic(busy=1000))
