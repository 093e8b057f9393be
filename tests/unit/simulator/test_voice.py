"""The simulated calls: what AWS would reject, and what it reports of a call."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.provider import ScheduledReceipt
from simulator.voice.events import time_to_live
from tests.support.simulator import Json, RunningSimulator, receipt_types, serving


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with serving() as started:
        yield started


def rejected(running: RunningSimulator, to: str, **changes: Any) -> Json:
    with pytest.raises(ClientError) as error:
        running.send_voice(to, **changes)
    response: Any = error.value.response
    return {"code": response["Error"]["Code"], **response}


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"MessageBody": "x" * 3001}, "MessageBody", "INVALID_PARAMETER"),
        (
            {"MessageBody": f"<speak>{'x' * 3001}</speak>", "MessageBodyTextType": "SSML"},
            "MessageBody",
            "INVALID_PARAMETER",
        ),
        ({"OriginationIdentity": "SHOP"}, "OriginationIdentity", "VOICE_CAPABILITY_NOT_AVAILABLE"),
        (
            {"OriginationIdentity": "arn:aws:sms-voice:us-east-1:123456789012:sender-id/SHOP/US"},
            "OriginationIdentity",
            "VOICE_CAPABILITY_NOT_AVAILABLE",
        ),
        ({"MaxPricePerMinute": "0.01"}, "MaxPricePerMinute", "PRICE_OVER_THRESHOLD"),
    ],
)
def test_a_call_names_what_is_invalid(
    running: RunningSimulator, changes: Json, field: str, reason: str
) -> None:
    error = rejected(running, "+14255550156", **changes)

    assert (error["code"], error["Reason"]) == ("ValidationException", reason)
    assert [one["Name"] for one in error["Fields"]] == [field]


def test_tags_are_not_spoken(running: RunningSimulator) -> None:
    body = f"<speak>{'x' * 2_900}{'<break/>' * 20}</speak>"

    assert running.send_voice("+14255550102", MessageBody=body, MessageBodyTextType="SSML")


@pytest.mark.parametrize(
    ("to", "code", "reason"),
    [
        ("+14255550110", "ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
        ("+14255550111", "ConflictException", "NUMBER_CAPABILITIES_MISMATCH"),
        (
            "+14255550112",
            "ServiceQuotaExceededException",
            "MONTHLY_SPEND_LIMIT_REACHED_FOR_VOICE",
        ),
    ],
)
def test_a_call_is_rejected_with_the_errors_of_aws(
    running: RunningSimulator, to: str, code: str, reason: str
) -> None:
    error = rejected(running, to)

    assert (error["code"], error["Reason"]) == (code, reason)


@pytest.mark.parametrize(
    ("to", "types"),
    [
        (
            "+14255550102",
            ["VOICE_INITIATED", "VOICE_RINGING", "VOICE_ANSWERED", "VOICE_COMPLETED"],
        ),
        ("+14255550120", ["VOICE_INITIATED", "VOICE_RINGING", "VOICE_NO_ANSWER"]),
        ("+14255550121", ["VOICE_INITIATED", "VOICE_BUSY"]),
        ("+14255550122", ["VOICE_FAILED"]),
    ],
)
def test_a_call_is_reported_to_its_end(
    running: RunningSimulator, to: str, types: list[str]
) -> None:
    events = running.topic.of(running.send_voice(to), len(types))

    assert receipt_types(events) == types
    assert [event["isFinal"] for event in events] == [False] * (len(types) - 1) + [True]


def test_a_call_reported_as_failed_is_played_all_the_same(running: RunningSimulator) -> None:
    events = running.topic.of(running.send_voice("+14255550135"), 2)

    assert receipt_types(events) == ["VOICE_FAILED", "VOICE_COMPLETED"]


def test_a_completed_call_says_how_long_it_took_and_what_it_costs(
    running: RunningSimulator,
) -> None:
    provider_id = running.send_voice("+14255550102", MessageBody="x" * 1_000)
    completed = running.topic.of(provider_id, 4)[-1]

    assert completed["callDurationInSeconds"] == 67
    assert completed["totalDurationInMinutes"] == 2
    assert completed["totalMessagePrice"] == 0.026
    assert completed["context"] == {"message_id": "m1", "attempt": "1"}
    assert "messageStatusDescription" not in completed


def test_a_call_that_is_not_answered_in_its_time_expires() -> None:
    ringing = [ScheduledReceipt(1, "VOICE_RINGING"), ScheduledReceipt(259_200, "VOICE_TTL_EXPIRED")]
    answered = [ScheduledReceipt(1, "VOICE_COMPLETED")]

    assert time_to_live(5).apply(ringing) == [
        ScheduledReceipt(1, "VOICE_RINGING"),
        ScheduledReceipt(5, "VOICE_TTL_EXPIRED"),
    ]
    assert time_to_live(5).apply(answered) == answered


@pytest.mark.parametrize(
    ("act", "status", "state"),
    [
        ("receive", 200, "delivered"),
        ("refuse", 200, "failed"),
        ("read", 400, ""),
        ("reply", 400, ""),
    ],
)
def test_a_person_answers_or_refuses_a_call(
    running: RunningSimulator, act: str, status: int, state: str
) -> None:
    provider_id = running.send_voice("+14255550199")
    running.topic.of(provider_id, 2)
    body = {"text": "Hello?"} if act == "reply" else {}
    answered, told = running.act(provider_id, act, **body)

    assert answered == status
    assert told.get("state", "") == state
