"""The request on its way: the bytes, the `curl` line for them, and what the API answers."""

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

# API Gateway gives up after 29.
SECONDS_TO_ANSWER = 35

# Linux gives one argument of a command 128 KiB; what is longer has to be read.
LONGEST_ARGUMENT = 100_000

# What one can do about an answer; the API's own sentence says what is wrong.
_ADVICE: Mapping[int, str] = {
    HTTPStatus.FORBIDDEN: "The key of this run is no longer the API's: start the console again.",
    HTTPStatus.CONFLICT: "Send it again in a moment.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Say it with fewer words.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A new message needs a new key.",
    HTTPStatus.TOO_MANY_REQUESTS: "Nothing was sent. Send it again in a moment.",
}
_UNKNOWN = "Whether the message was taken is not known. "
_AGAIN_WITH_KEY = "Sent again with the same Idempotency-Key it does not go out twice."
_AGAIN_WITHOUT = "It had no Idempotency-Key: sent again it may go out twice."


def body(request: Mapping[str, Any]) -> str:
    """The JSON, the same for the same request: under an Idempotency-Key each byte counts."""
    return json.dumps(request, ensure_ascii=False)


def curl(request: Mapping[str, Any], key: str, local: Local | None) -> str:
    """The line that sends it from a shell."""
    address = shlex.quote(local.api_url) if local else '"$API_URL"'
    api_key = shlex.quote(f"X-Api-Key: {local.api_key}") if local else '"X-Api-Key: $API_KEY"'
    headers = [api_key, shlex.quote("Content-Type: application/json")]
    if key:
        headers.append(shlex.quote(f"Idempotency-Key: {key}"))
    said = body(request)
    data = f"-d {shlex.quote(said)}"
    if len(data.encode()) > LONGEST_ARGUMENT:
        # The JSON is one line: it cannot hold the line that ends it.
        data = f"-d @- <<'REQUEST'\n{said}\nREQUEST"
    return " \\\n  ".join([f"curl -sS {address}", *(f"-H {one}" for one in headers), data])


@dataclass(frozen=True)
class Answer:
    """What became of it: the message's id, or a status with what is wrong, in words.

    `unsure`: it may have been taken all the same.
    """

    status: int
    message_id: str | None = None
    problems: tuple[Problem, ...] = ()
    says: str = ""
    unsure: bool = False


def send(request: Mapping[str, Any], key: str, local: Local) -> Answer:
    """Posts it as every client does."""
    if not key.isprintable():
        return _about_the_key(HTTPStatus.BAD_REQUEST, "holds a control character")
    asked = urllib.request.Request(local.api_url, data=body(request).encode())  # noqa: S310 - loopback
    asked.add_header("Content-Type", "application/json")
    asked.add_header("X-Api-Key", local.api_key)
    if key:
        # Latin-1 is what a header is read as; the API says itself which letters it does not take.
        asked.add_header("Idempotency-Key", key.encode().decode("latin-1"))
    try:
        with urllib.request.urlopen(asked, timeout=SECONDS_TO_ANSWER) as answer:  # noqa: S310 - as above
            return Answer(answer.status, json.load(answer)["id"])
    except urllib.error.HTTPError as refusal:
        return _refused(refusal.code, refusal.read(), key)
    except (OSError, HTTPException) as error:
        return _unanswered(error, key)


def _unanswered(error: Exception, key: str) -> Answer:
    cause = getattr(error, "reason", error)
    if isinstance(cause, ConnectionRefusedError):
        says = f"The API cannot be reached: {cause}. Nothing was sent."
        return Answer(HTTPStatus.BAD_GATEWAY, says=says)
    says = f"The API gave no answer: {cause}. {_again(key)}"
    return Answer(HTTPStatus.GATEWAY_TIMEOUT, says=says, unsure=True)


def _again(key: str) -> str:
    return _UNKNOWN + (_AGAIN_WITH_KEY if key else _AGAIN_WITHOUT)


def _refused(status: int, told: bytes, key: str) -> Answer:
    problem = _problem_in(told)
    problems = tuple(Problem(one["pointer"], one["detail"]) for one in problem.get("errors", ()))
    if problems:
        return Answer(status, problems=problems)
    detail = problem.get("detail") or problem.get("message") or "it gave no reason"
    says = f"The API answered {status} {_phrase(status)}: {detail.rstrip('.')}."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Answer(status, says=f"{says} {_again(key)}", unsure=True)
    says = f"{says} {_ADVICE.get(status, '')}"
    # Without `errors`, these are about the key.
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return _about_the_key(status, detail, says)
    return Answer(status, says=says)


def _about_the_key(status: int, detail: str, says: str = "") -> Answer:
    return Answer(status, problems=(Problem(IDEMPOTENCY_KEY, detail),), says=says)


def _problem_in(told: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(told)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _phrase(status: int) -> str:
    known = {one.value for one in HTTPStatus}
    return HTTPStatus(status).phrase if status in known else ""
