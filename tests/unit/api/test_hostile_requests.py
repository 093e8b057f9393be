"""Bodies that somebody wrote to do harm: each is taken as it stands, or refused with its reason."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

import accept_message
from messaging.channels.email.send import EmailChannel
from messaging.channels.whatsapp.send import WhatsAppChannel
from messaging.clients.store import store
from messaging.domain.content import Delivery, delivery
from tests.support.aws import CONTEXT, aws
from tests.support.request_cases import VALID, but

BIDI = "\u202eevil\u202c \u2066x\u2069"
EMOJI = "👩‍👩‍👧‍👦 🇺🇳 e\u0301 ﷽"
NUL = "a\x00b"
MARKUP = '</p><script>alert("x")</script>{{name}} ${7*7} %s {0} \\n <!-- "\' & -->'
TEXTS = {"bidi": BIDI, "emoji": EMOJI, "nul": NUL, "markup": MARKUP, "long line": "x" * 1_500}
ODD = "\u2028\u00a0\ufeff\U0010ffff"


def nested(depth: int, inner: str = "1") -> str:
    return '{"a":' * depth + inner + "}" * depth


@pytest.fixture(scope="module", autouse=True)
def stack() -> Iterator[None]:
    with aws():
        yield


def post(body: str | bytes | None, **headers: str) -> tuple[int, dict[str, Any]]:
    text = body if isinstance(body, str | None) else body.decode("utf-8", "surrogateescape")
    event = {
        "body": text,
        "headers": headers or None,
        "requestContext": {"path": "/v1/messages", "identity": {"apiKeyId": "key"}},
    }
    answer = accept_message.handler(event, CONTEXT)
    return answer["statusCode"], json.loads(answer["body"])


def deliver(body: dict[str, Any], channel: str) -> Delivery:
    """What is handed to the channel, by way of the store."""
    status, answer = post(json.dumps(body))
    assert status == 202, answer
    history, request = store().messages.history_and_request(answer["id"])
    message = history.message
    planned = next(one for one in message.plan.attempts if one.channel == channel)
    return delivery(message, request, planned, "sender", message.accepted_at)


class Client:
    """Takes what a provider's client takes, and keeps it."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def send_email(self, **asked: Any) -> dict[str, str]:
        self.asked = asked
        return {"MessageId": "1"}

    def send_whatsapp_message(self, **asked: Any) -> dict[str, str]:
        self.asked = json.loads(asked["message"])
        return {"messageId": "1"}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_text_reaches_every_channel_as_it_was_written(text: str) -> None:
    body = but(VALID, {"/content": {"text": text, "subject": "Hi", "html": text}})

    for channel in ("whatsapp", "sms", "email"):
        assert deliver(body, channel).content.text == text
    assert deliver(body, "email").content.html == text


def test_a_templates_data_is_json_whatever_it_holds() -> None:
    data = {"a": MARKUP, ODD: NUL, "deep": json.loads(nested(40)), "n": [1e300, -0.0, 10**60]}
    client: Any = Client()
    content = {"text": "x", "email": {"template": {"name": "code", "data": data}}}
    EmailChannel(client, "set").send(deliver(but(VALID, {"/content": content}), "email"))

    assert json.loads(client.asked["Content"]["Template"]["TemplateData"]) == data


def test_components_reach_meta_as_they_are() -> None:
    components = [{"type": "body", "parameters": [{"type": "text", "text": MARKUP + ODD + NUL}]}]
    template = {"name": "code", "language": "en", "components": components}
    client: Any = Client()
    body = but(
        VALID, {"/content": {"text": "x", "subject": "x", "whatsapp": {"template": template}}}
    )
    WhatsAppChannel(client, "v24.0").send(deliver(body, "whatsapp"))

    assert client.asked["template"]["components"] == components
    assert client.asked.keys() == {
        *("messaging_product", "recipient_type", "to", "type", "template"),
        "biz_opaque_callback_data",
    }


RIGHT = json.dumps(VALID)
DATA = '{"email": {"template": {"name": "code", "data": %s}}}'


def with_data(data: str) -> str:
    return RIGHT.replace('"content": {', '"content": {' + DATA[1:-1] % data + ", ", 1)


REFUSED: dict[str, str | bytes | None] = {
    "nothing": None,
    "deep lists": "[" * 100_000,
    "deep objects": nested(40_000),
    "deep data": with_data(nested(20_000)),
    "rather deep data": with_data(nested(400)),
    "a number of many digits": with_data('{"n": ' + "9" * 5_000 + "}"),
    "an endless number": with_data('{"n": 1e999}'),
    "a wait of many digits": RIGHT.replace(
        '"steps": [{', '"steps": [{"wait_seconds": ' + "9" * 5_000 + ", ", 1
    ),
    "a lone surrogate": RIGHT.replace('"text": "', '"text": "\\ud800', 1),
    "a surrogate alone as a name": RIGHT[:-1] + ', "metadata": {"\\udfff": "x"}}',
    "bytes that are no text": RIGHT.encode("utf-16"),
    "half a character": RIGHT.encode().replace(b'"text": "', b'"text": "\xc3', 1),
    "NaN": with_data('{"n": NaN}'),
    "a comment": RIGHT + "// yes",
    "two documents": RIGHT + RIGHT,
    "text": '"steps"',
    "a prototype": RIGHT[:-1] + ', "__proto__": {"steps": []}}',
    "a class": RIGHT[:-1] + ', "__class__": "x"}',
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_with_its_reason(body: str | bytes | None) -> None:
    status, answer = post(body)

    assert status == 400
    assert answer["errors"]


def test_of_a_name_that_comes_twice_the_last_counts() -> None:
    twice = RIGHT[:-1] + ', "metadata": {"a": "1"}, "metadata": {"a": "2"}}'
    status, answer = post(twice)

    assert status == 202
    _, request = store().messages.history_and_request(answer["id"])
    assert request["metadata"] == {"a": "2"}


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json; charset=utf-7", "multipart/form-data", ""]
)
def test_what_the_body_is_called_does_not_matter(content_type: str) -> None:
    assert post(RIGHT, **{"Content-Type": content_type})[0] == 202
