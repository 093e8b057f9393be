"""HTTP requests and responses: messages as JSON, errors as problem details (RFC 9457)."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from messaging.domain.errors import Problem, TooLate
from messaging.domain.messages import Attempt, Message, MessageHistory
from messaging.domain.statuses import MessageStatus

HttpResponse = dict[str, Any]

KEY_HEADER, KEY = "Idempotency-Key", re.compile(r"[\x21-\x7e]{1,255}")


def request_body(event: Mapping[str, Any]) -> bytes:
    """The request's body as it was sent; an unpaired surrogate is kept and is not valid JSON."""
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        return base64.b64decode(body)
    return body.encode(errors="surrogatepass")


def header(event: Mapping[str, Any], name: str) -> str | None:
    """A header's value; as in HTTP, names are not case-sensitive."""
    headers = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def hash_of_key(event: Mapping[str, Any], key: str) -> str:
    """An idempotency key belongs to the caller's API key."""
    caller = event["requestContext"].get("identity", {}).get("apiKeyId")
    return hashlib.sha256(f"{caller} {key}".encode()).hexdigest()


def malformed_key_response() -> HttpResponse:
    detail = f"{KEY_HEADER} must be 1 to 255 visible ASCII characters"
    return problem_response(HTTPStatus.BAD_REQUEST, detail)


def json_response(status: HTTPStatus, body: Mapping[str, Any], **headers: str) -> HttpResponse:
    return _response(status, body, "application/json", headers)


def problem_response(
    status: HTTPStatus,
    detail: str,
    errors: Iterable[Problem] = (),
    facts: Mapping[str, str] = {},
    **headers: str,
) -> HttpResponse:
    """A problem document; `errors` has one entry per invalid field, `facts` are further members."""
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    body |= facts
    if listed := [one.document for one in errors]:
        body["errors"] = listed
    return _response(status, body, "application/problem+json", headers)


def too_late_response(error: TooLate) -> HttpResponse:
    """A problem document; `state` is the status that no longer permits what was asked."""
    return problem_response(HTTPStatus.CONFLICT, str(error), facts={"state": error.status})


def unknown_message() -> HttpResponse:
    return problem_response(HTTPStatus.NOT_FOUND, "no message has this id")


def _response(
    status: HTTPStatus, body: Mapping[str, Any], content_type: str, headers: Mapping[str, str]
) -> HttpResponse:
    return {
        "statusCode": int(status),
        "headers": {
            "Content-Type": content_type,
            "Cache-Control": "no-store",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        "body": json.dumps(body, ensure_ascii=False),
    }


def status_url(event: Mapping[str, Any], message_id: str) -> str:
    """The message's URL: absolute, or relative to the request if the host is unknown."""
    context = event["requestContext"]
    if "domainName" not in context:
        return f"messages/{message_id}"
    return f"https://{context['domainName']}{context['path']}/{message_id}"


def resource_url(event: Mapping[str, Any], kind: str, message_id: str) -> str:
    """The URL of a resource beside the one that was requested; relative if the host is unknown."""
    context = event["requestContext"]
    path = f"{kind}/{message_id}"
    if "domainName" not in context:
        return path
    return f"https://{context['domainName']}/{context['path'].split('/')[1]}/{path}"


def accepted_document(message: Message, url: str) -> dict[str, Any]:
    """The response to an accepted request, the same each time the request is repeated."""
    return {
        "id": message.message_id,
        "status": MessageStatus.ACCEPTED,
        "status_url": url,
        **_plan_document(message),
    }


def message_document(
    history: MessageHistory, request: Mapping[str, Any], receipts: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """The message with its attempts and a timeline of its events.

    It contains no address and no content.
    """
    message = history.message
    stored = list(receipts)
    return {
        "id": message.message_id,
        "status": history.status,
        **_plan_document(message),
        "concluded_at": timestamp(message.concluded_at),
        "reason": message.reason,
        "category": request.get("category"),
        "metadata": request.get("metadata", {}),
        "attempts": [_attempt_document(history, attempt) for attempt in history.requested()],
        "timeline": sorted(_timeline(history, stored), key=lambda event: str(event["at"])),
        **({"errors": list(message.problems)} if message.problems else {}),
    }


def _plan_document(message: Message) -> dict[str, Any]:
    return {
        "accepted_at": timestamp(message.accepted_at),
        "expires_at": timestamp(message.expires_at),
        "plan": plan_entries(message),
    }


def plan_entries(message: Message) -> list[dict[str, Any]]:
    return [
        {
            "attempt": one.number,
            "step": one.step,
            "channel": one.channel,
            "wait_seconds": one.wait_seconds,
            "success": one.success,
        }
        for one in message.plan.attempts
    ]


def _attempt_document(history: MessageHistory, attempt: Attempt) -> dict[str, Any]:
    return {
        "attempt": attempt.number,
        "step": history.step(attempt),
        "channel": attempt.channel,
        "status": history.status_of(attempt),
        "late": history.late(attempt),
        "reason": attempt.reason,
        "provider_id": attempt.provider_id,
        "started_at": timestamp(attempt.claimed_at),
    }


def _timeline(
    history: MessageHistory, receipts: list[Mapping[str, Any]]
) -> Iterable[dict[str, Any]]:
    message = history.message
    yield _event(message.accepted_at, "accepted")
    yield from _by_the_caller(message)
    for attempt in history.requested():
        yield _event(attempt.claimed_at, "sending", attempt)
        for status, at in attempt.times.items():
            reason = attempt.reason if status == attempt.status else None
            yield _event(at, status, attempt, reason=reason)
    for receipt in receipts:
        attempted = history.attempt(int(receipt["attempt"]))
        at = datetime.fromisoformat(receipt["received_at"])
        yield _event(at, "receipt", attempted, word=receipt["word"], kind=receipt["kind"])
    if message.concluded_at:
        yield _event(message.concluded_at, message.status)


def _by_the_caller(message: Message) -> Iterable[dict[str, Any]]:
    """The steps that the caller asked for, and a cancellation that is not the message's end."""
    for step, at in message.advances.items():
        yield _event(at, "advanced", step=step)
    if message.cancelled_at and message.status is not MessageStatus.CANCELLED:
        yield _event(message.cancelled_at, "cancelled")


def _event(
    at: datetime, event: str, attempt: Attempt | None = None, **facts: str | int | None
) -> dict[str, Any]:
    about = {"attempt": attempt.number, "channel": attempt.channel} if attempt else {}
    known = {name: value for name, value in facts.items() if value is not None}
    return {"at": timestamp(at), "event": event, **about, **known}


def timestamp(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
