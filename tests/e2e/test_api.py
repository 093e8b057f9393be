"""The running API: who may call it, with which methods, how large a request may be."""

import json

import pytest

from local.http_client import http_client
from tests.e2e.conftest import Throughline

LIMIT = 262_144


def test_without_a_key_nobody_gets_in(throughline: Throughline) -> None:
    for key in ("", "nobody's", throughline.environment["THROUGHLINE_API_KEY"][:-1]):
        assert throughline.post({}, X_Api_Key=key).status == 403
        assert throughline.get("01JEXAMPLE0000000000000001", X_Api_Key=key).status == 403


@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
@pytest.mark.parametrize(
    ("path", "method"),
    [
        *(("", method) for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")),
        *(("/any", method) for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")),
    ],
)
def test_a_path_names_the_method_that_it_has(
    throughline: Throughline, path: str, method: str, media_type: str
) -> None:
    response = http_client().request(
        method,
        f"{throughline.environment['THROUGHLINE_API_URL']}{path}",
        headers={
            "X-Api-Key": throughline.environment["THROUGHLINE_API_KEY"],
            "Content-Type": media_type,
        },
    )

    assert response.status_code == 405
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["title"] == "Method Not Allowed"
    own = "GET" if path else "POST"
    assert response.headers["Allow"] == (own if media_type == "application/json" else "GET, POST")


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 202), (LIMIT + 1, 413)])
def test_a_request_has_at_most_256_kib(throughline: Throughline, size: int, status: int) -> None:
    body = {
        "to": {"email": "ana@example.com"},
        "content": {"subject": "Hi", "html": ""},
        "steps": [{"channel": "email"}],
    }
    body["content"] = {"subject": "Hi", "html": "x" * (size - len(json.dumps(body)))}

    assert throughline.post(body).status == status


MARKUP = '</p><script>alert("x")</script>{{name}} ${7*7} %s {0} \\n'
ODD = MARKUP + " \u202eevil\u202c a\x00b \U0001f469\u200d\U0001f467 e\u0301"


def test_what_was_written_reaches_the_provider_as_it_is(throughline: Throughline) -> None:
    parameters = [{"type": "text", "text": ODD}]
    template = {
        "name": "login_code",
        "language": "en",
        "components": [{"type": "body", "parameters": parameters}],
    }
    body = {
        "to": {"whatsapp": "+12065550100", "sms": "+12065550100", "email": "ana@example.com"},
        "from": {"email": "Grüße <hello@bücher.example>"},
        "content": {"text": ODD, "subject": "Hi", "html": ODD, "whatsapp": {"template": template}},
        "steps": [{"broadcast": ["whatsapp", "sms", "email"]}],
    }
    message_id = throughline.send(body)
    throughline.finished(message_id)

    asked = {call["channel"]: call["request"] for call in throughline.calls(message_id)}
    assert asked["sms"]["MessageBody"] == ODD
    assert asked["email"]["Content"]["Simple"]["Body"] == {
        "Text": {"Data": ODD, "Charset": "UTF-8"},
        "Html": {"Data": ODD, "Charset": "UTF-8"},
    }
    sender = "=?utf-8?b?R3LDvMOfZQ==?= <hello@xn--bcher-kva.example>"
    assert asked["email"]["FromEmailAddress"] == sender
    assert asked["whatsapp"]["message"]["template"]["components"] == template["components"]
