"""Sends a request to the API, or makes the `curl` command that does; reads the response."""

import json
import shlex
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from console.compose.form import IDEMPOTENCY_KEY
from console.installation import Local
from messaging.domain.errors import Problem

# API Gateway's own timeout is 29 seconds.
SECONDS_TO_ANSWER = 35

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
    post = urllib.request.Request(local.api_url, data=body(request).encode())  # noqa: S310 - loopback
    post.add_header("Content-Type", "application/json")
    post.add_header("X-Api-Key", local.api_key)
    if key:
        # Headers are read as Latin-1; the API itself rejects characters that it does not accept.
        post.add_header("Idempotency-Key", key.encode().decode("latin-1"))
    try:
        with urllib.request.urlopen(post, timeout=SECONDS_TO_ANSWER) as response:  # noqa: S310 - as above
            return SendResult(response.status, json.load(response)["id"])
    except urllib.error.HTTPError as error:
        return _rejected(error.code, error.read(), key)
    except (OSError, HTTPException) as error:
        return _no_response(error, key)


def _no_response(error: Exception, key: str) -> SendResult:
    cause = getattr(error, "reason", error)
    if isinstance(cause, ConnectionRefusedError):
        text = f"The API cannot be reached: {cause}. Nothing was sent."
        return SendResult(HTTPStatus.BAD_GATEWAY, text=text)
    text = f"The API did not respond: {cause}. {_about_retrying(key)}"
    return SendResult(HTTPStatus.GATEWAY_TIMEOUT, text=text, uncertain=True)


def _about_retrying(key: str) -> str:
    return _UNKNOWN + (_RETRY_WITH_KEY if key else _RETRY_WITHOUT_KEY)


def _rejected(status: int, response: bytes, key: str) -> SendResult:
    problem = _problem_in(response)
    problems = tuple(Problem(one["pointer"], one["detail"]) for one in problem.get("errors", ()))
    if problems:
        return SendResult(status, problems=problems)
    detail = problem.get("detail") or problem.get("message") or "no reason given"
    text = f"The API responded with {status} {_phrase(status)}: {detail.rstrip('.')}."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return SendResult(status, text=f"{text} {_about_retrying(key)}", uncertain=True)
    text = f"{text} {_ADVICE.get(status, '')}"
    # Without `errors`, these statuses are about the key.
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return _key_problem(status, detail, text)
    return SendResult(status, text=text)


def _key_problem(status: int, detail: str, text: str = "") -> SendResult:
    return SendResult(status, problems=(Problem(IDEMPOTENCY_KEY, detail),), text=text)


def _problem_in(response: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(response)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _phrase(status: int) -> str:
    known = {one.value for one in HTTPStatus}
    return HTTPStatus(status).phrase if status in known else ""
