"""An unpaired surrogate anywhere in a request is refused with its pointer."""

import json
from typing import Any

import pytest

import plan_message
from messaging.api import requests
from messaging.clients.store import store
from messaging.domain.errors import InvalidRequest
from messaging.domain.statuses import MessageStatus
from tests.support.aws import CONTEXT, aws
from tests.support.request_cases import SAMPLE, SENDERS, VALID, but

TEMPLATE = {"name": "a", "data": {"lists": [["x", "y\ud800"]]}}
COMPONENT = {"type": "body", "parameters": [{"type": "text", "text": "\udfff\ud800"}]}
WHATSAPP = {"template": {"name": "a", "language": "en", "components": [COMPONENT]}}

PLACES: dict[str, Any] = {
    "/content/text": but(VALID, {"/content/text": "x\ud800"}),
    "/content/subject": but(VALID, {"/content/subject": "\udc00x"}),
    "/content/email/template/data/lists/0/1": but(
        VALID, {"/content/email": {"template": TEMPLATE}}
    ),
    "/content/whatsapp/template/components/0/parameters/0/text": but(
        VALID, {"/content/whatsapp": WHATSAPP}
    ),
    "/metadata/a": {**VALID, "metadata": {"a": "\ud800"}},
    "/metadata/a\ufffd~1b": {**VALID, "metadata": {"a\ud800/b": "x"}},
    "/\ufffd": {**VALID, "\ud800": 1},
    "/steps/1/channel": but(VALID, {"/steps/1/channel": "\ud800"}),
    "/pc/whatsapp/message": but(SAMPLE, {"/pc/whatsapp/message": "\ud800"}),
    "": "\ud800",
}


def problems(body: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refused:
        requests.check(body, SENDERS)
    return [(one.pointer, one.detail) for one in refused.value.problems]


@pytest.mark.parametrize(("pointer", "body"), PLACES.items(), ids=ascii)
def test_it_is_named_wherever_it_is(pointer: str, body: object) -> None:
    [(found, detail)] = problems(body)

    assert found == pointer
    assert detail.startswith("contains an unpaired surrogate (U+D")


def test_each_is_named() -> None:
    body = {**VALID, "metadata": {"\ud800": "\ud800", "a": "b"}, "other": ["\udfff", "x", "\ud800"]}

    assert [pointer for pointer, _ in problems(body)] == [
        *("/metadata/\ufffd", "/metadata/\ufffd", "/other/0", "/other/2"),
    ]


def test_a_pair_is_one_character() -> None:
    body = json.loads(json.dumps(but(VALID, {"/content/text": "😀"})))

    assert requests.check(body, SENDERS).document["content"]["text"] == "😀"


def test_a_direct_start_is_rejected_and_stored_with_the_pointer() -> None:
    with aws():
        started = {"message_id": "m1", "started_at": "2026-01-15T09:30:00+00:00"}
        node = plan_message.handler(
            {**started, "request": but(VALID, {"/content/text": "\ud800"})}, CONTEXT
        )
        message = store().messages.history("m1").message

    assert node["channel"] == "invalid"
    assert message.status is MessageStatus.REJECTED
    assert [one["pointer"] for one in message.problems] == ["/content/text"]
