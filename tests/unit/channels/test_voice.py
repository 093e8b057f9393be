"""Voice: what a call asks of AWS, and what a request may say of it."""

from dataclasses import fields
from typing import Any, get_args

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from messaging.api import requests
from messaging.channels.catalog import channels
from messaging.channels.receipts import formats, parse
from messaging.channels.voice.content import VoiceId
from messaging.channels.voice.send import DEFAULT_VOICE, VoiceChannel
from messaging.domain.content import Content, Delivery, content
from messaging.domain.errors import InvalidRequest
from messaging.domain.messages import AttemptId, Receipt
from tests.support.aws import EVENTS, event_text, load

CALL: dict[str, Any] = {
    "to": {"voice": "+14255550156"},
    "content": {"text": "Your code is 1, 2, 3."},
    "steps": [{"channel": "voice"}],
}
TEMPLATE = {"name": "login_code", "language": "en_US", "components": []}
SENDERS = {"voice": "+12065550101"}


def client() -> Any:
    return boto3.client(
        "pinpoint-sms-voice-v2",
        region_name="us-east-1",
        aws_access_key_id="fake",
        aws_secret_access_key="fake",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize(
    ("voice", "asked", "valid", "time_to_live"),
    [(None, "MATTHEW", 120, 120), ("VICKI", "VICKI", 300_000, 259_200)],
)
def test_a_call_carries_its_attempt_its_validity_and_its_voice(
    voice: str | None, asked: str, valid: int, time_to_live: int
) -> None:
    calling = client()
    with Stubber(calling) as stub:
        stub.add_response(
            "send_voice_message",
            {"MessageId": "567f6c11"},
            {
                "DestinationPhoneNumber": "+14255550156",
                "OriginationIdentity": "+12065550101",
                "MessageBody": "Your code is 1, 2, 3.",
                "MessageBodyTextType": "TEXT",
                "VoiceId": asked,
                "ConfigurationSetName": "set",
                "TimeToLive": time_to_live,
                "Context": {"message_id": "m1", "attempt": "2"},
            },
        )
        said = Content(text="Your code is 1, 2, 3.", voice_id=voice)
        delivery = Delivery(
            AttemptId("m1", 2), "+14255550156", "+12065550101", said, "utility", valid
        )
        assert VoiceChannel(calling, "set").send(delivery) == "567f6c11"


def test_the_voices_are_those_of_aws() -> None:
    model = client().meta.service_model

    assert set(get_args(VoiceId)) == set(model.shape_for("VoiceId").enum)
    assert DEFAULT_VOICE in get_args(VoiceId)


def test_a_text_of_the_whole_message_is_read_with_the_voice_of_the_channel() -> None:
    body = {**CALL, "content": {"text": "Ihr Code ist 1, 2, 3.", "voice": {"voice_id": "VICKI"}}}
    request = requests.check(body, SENDERS)

    assert request.document["content"]["voice"] == {"voice_id": "VICKI"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"to": {"voice": "ana@example.com"}}, "/to/voice"),
        ({"to": {}}, "/to/voice"),
        ({"from": {"voice": "My Shop"}}, "/from/voice"),
        ({"content": {"text": "x" * 3_001}}, "/content/text"),
        ({"content": {"voice": {"text": "x" * 3_001}}}, "/content/voice/text"),
        ({"content": {"voice": {"text": "hi", "voice_id": "vicki"}}}, "/content/voice/voice_id"),
        ({"content": {"voice": {"voice_id": "VICKI"}}}, "/content/voice"),
        ({"steps": [{"channel": "voice", "success": "read"}]}, "/steps/0/success"),
    ],
)
def test_an_invalid_call_is_named(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidRequest) as invalid:
        requests.check({**CALL, **changes}, SENDERS)

    assert [problem.pointer for problem in invalid.value.problems] == [pointer]


def test_a_call_may_say_its_own_text_and_leaves_the_other_channels_theirs() -> None:
    said = {"text": "Hi", "whatsapp": {"template": TEMPLATE}}
    own = {"voice": {"text": "Hi. Hi again."}}

    assert content({"content": said | own}, {}, "voice") == Content(text="Hi. Hi again.")
    assert content({"content": said}, {"content": own}, "whatsapp") == Content(template=TEMPLATE)


def test_no_field_of_a_content_is_named_as_a_channel() -> None:
    assert not {one.name for one in fields(Content)} & channels().keys()


def test_a_call_that_failed_says_with_which_event() -> None:
    [receipt] = parse(event_text("voice_VOICE_NO_ANSWER"))

    assert isinstance(receipt, Receipt)
    assert (receipt.channel, receipt.reason) == ("voice", "VOICE_NO_ANSWER")
    assert receipt.echo == AttemptId("01JEXAMPLE0000000000000001", 1)


@pytest.mark.parametrize("name", sorted(path.stem for path in EVENTS.glob("*.json")))
def test_no_event_has_two_formats(name: str) -> None:
    event = load(name)
    event = event.get("detail", event)

    assert sum(matches(event) for matches, _ in formats()) == 1
