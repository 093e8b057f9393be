"""Sends a request to the API, or makes the `curl` command that does; reads the response."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from console.compose.form import IDEMPOTENCY_KEY
from console.installation import Local
from messaging.domain.errors import Problem

# API Gateway's own timeout is 29 seconds.
TIMEOUT_SECONDS = 35

# Linux limits one argument of a command to 128 KiB; a longer body is passed on standard input.
LONGEST_ARGUMENT = 100_000

# What to do about a response; the API's own sentence says what is wrong.
_ADVICE: Mapping[int, str] = {
    HTTPStatus.FORBIDDEN: "The console's API key is no longer valid: restart the console.",
    HTTPStatus.CONFLICT: "Send it again in a moment.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Shorten the content.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A new message needs a new key.",
    HTTPStatus.TOO_MANY_REQUESTS: "Nothing was sent. Send it again in a moment.",
}
_UNKNOWN = "It is not known whether the message was accepted. "
_RETRY_WITH_KEY = "With the same Idempotency-Key it can be sent again without a duplicate."
_RETRY_WITHOUT_KEY = "It has no Idempotency-Key: sending it again may create a duplicate."


def body(request: Mapping[str, Any]) -> str:
    """The JSON, byte for byte the same for the same request, as an Idempotency-Key requires."""
    return json.dumps(request, ensure_ascii=False)


def curl(request: Mapping[str, Any], key: str, local: Local | None) -> str:
    """The command that sends the request from a shell."""
    address = shlex.quote(local.api_url) if local else '"$API_URL"'
    api_key = shlex.quote(f"X-Api-Key: {local.api_key}") if local else '"X-Api-Key: $API_KEY"'
    headers = [api_key, shlex.quote("Content-Type: application/json")]
    if key:
        headers.append(shlex.quote(f"Idempotency-Key: {key}"))
    document = body(request)
    data = f"-d {shlex.quote(document)}"
    if len(data.encode()) > LONGEST_ARGUMENT:
        # The JSON is one line, so it cannot contain the line that ends it.
        data = f"-d @- <<'REQUEST'\n{document}\nREQUEST"
    return " \\\n  ".join([f"curl -sS {address}", *(f"-H {one}" for one in headers), data])


@dataclass(frozen=True)
class SendResult:
    """The message's id, or the problems or a text that says why there is none.

    `uncertain`: the message may have been accepted all the same.
    """

    status: int
    message_id: str | None = None
    problems: tuple[Problem, ...] = ()
    text: str = ""
    uncertain: bool = False


def send(request: Mapping[str, Any], key: str, local: Local) -> SendResult:
    """Posts the request as any client does."""
    if not key.isprintable():
        return _key_problem(HTTPStatus.BAD_REQUEST, "contains a control character")
    headers = {"Content-Type": "application/json", "X-Api-Key": local.api_key}
    if key:
        headers["Idempotency-Key"] = key
    try:
        response = httpx.post(
            local.api_url,
            content=body(request).encode(),
            # The API itself rejects characters that it does not accept.
            headers=httpx.Headers(headers, encoding="utf-8"),
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )
    except httpx.ConnectError as error:
        text = f"The API cannot be reached: {error}. Nothing was sent."
        return SendResult(HTTPStatus.BAD_GATEWAY, text=text)
    except httpx.HTTPError as error:
        text = f"The API did not respond: {error}. {_about_retrying(key)}"
        return SendResult(HTTPStatus.GATEWAY_TIMEOUT, text=text, uncertain=True)
    if response.is_success:
        return SendResult(response.status_code, response.json()["id"])
    return _rejected(response, key)


def _about_retrying(key: str) -> str:
    return _UNKNOWN + (_RETRY_WITH_KEY if key else _RETRY_WITHOUT_KEY)


def _rejected(response: httpx.Response, key: str) -> SendResult:
    status, document = response.status_code, _document(response)
    problems = tuple(Problem(one["pointer"], one["detail"]) for one in document.get("errors", ()))
    if problems:
        return SendResult(status, problems=problems)
    detail = document.get("detail") or document.get("message") or "no reason given"
    text = f"The API responded with {status} {response.reason_phrase}: {detail.rstrip('.')}."
    if response.is_server_error:
        return SendResult(status, text=f"{text} {_about_retrying(key)}", uncertain=True)
    text = f"{text} {_ADVICE.get(status, '')}"
    # Without `errors`, these statuses are about the key.
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return _key_problem(status, detail, text)
    return SendResult(status, text=text)


def _key_problem(status: int, detail: str, text: str = "") -> SendResult:
    return SendResult(status, problems=(Problem(IDEMPOTENCY_KEY, detail),), text=text)


def _document(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
