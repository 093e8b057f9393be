"""Verifications as JSON, and the body of a check, which hot code reads without pydantic."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from json import loads
from typing import Any

from messaging.api import http
from messaging.domain.errors import Blocked, InvalidRequest, Problem
from messaging.domain.messages import MessageHistory
from messaging.domain.verifications import (
    Verification,
    VerificationStatus,
    next_resend_at,
    sends_left,
    verification_status,
)

# A check that a person typed; the longest code has 10 characters.
MAX_CODE, MAX_FIELD = 64, 100
_SEPARATORS = re.compile(r"[\s-]+")
_FIELDS = ("code", "payee", "amount")
# Limits that no retry of the caller's changes.
_FORBIDDEN = {"country", "breaker"}


def verification_document(
    event: Mapping[str, Any], history: MessageHistory, now: datetime, cool_down: timedelta
) -> dict[str, Any]:
    """The verification without its sends and checks. It contains no address and no code."""
    message, verification = history.message, _policy(history)
    status = verification_status(message, verification, now)
    pending = status is VerificationStatus.PENDING
    left = sends_left(history) if pending else 0
    checks = max(verification.max_checks - message.checks, 0) if pending else 0
    return {
        "id": message.message_id,
        "status": status,
        "status_url": http.resource_url(event, "verifications", message.message_id),
        "message_url": http.resource_url(event, "messages", message.message_id),
        "purpose": verification.purpose,
        "length": verification.length,
        "alphabet": verification.alphabet,
        "brand": verification.brand,
        "language": verification.language,
        "own_code": verification.own_code,
        "started_at": http.timestamp(message.accepted_at),
        "expires_at": http.timestamp(message.expires_at),
        "checks_left": None if verification.own_code else checks,
        "sends_left": left,
        "next_resend_at": http.timestamp(next_resend_at(message, cool_down) if left else None),
        "plan": http.plan_entries(message),
    }


def full_document(
    event: Mapping[str, Any],
    history: MessageHistory,
    request: Mapping[str, Any],
    now: datetime,
    cool_down: timedelta,
) -> dict[str, Any]:
    """The verification with its sends and checks."""
    return {
        **verification_document(event, history, now, cool_down),
        "metadata": request.get("metadata", {}),
        "sends": [
            {
                "attempt": one.number,
                "channel": one.channel,
                "status": history.status_of(one),
                "reason": one.reason,
                "at": http.timestamp(one.claimed_at),
            }
            for one in history.attempts
        ],
        "checks": [{"at": http.timestamp(at)} for at in history.message.check_times],
    }


def blocked_response(error: Blocked) -> http.HttpResponse:
    """403 or 429 with the limit that refused."""
    forbidden = error.limit in _FORBIDDEN
    status = HTTPStatus.FORBIDDEN if forbidden else HTTPStatus.TOO_MANY_REQUESTS
    response = http.problem_response(status, str(error), facts={"limit": error.limit})
    if error.retry_after is not None:
        response["headers"]["Retry-After"] = str(error.retry_after)
    return response


def unknown_response() -> http.HttpResponse:
    return http.problem_response(HTTPStatus.NOT_FOUND, "no verification has this id")


def read_check(body: bytes) -> tuple[str, str | None, str | None]:
    """The code without its separators and in capitals, the payee and the amount. Raises
    `InvalidRequest` with every problem.
    """
    try:
        given = loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest([Problem("", f"is not valid JSON: {error}")]) from error
    if not isinstance(given, dict):
        raise InvalidRequest([Problem("", "must be an object")])
    if problems := _check_problems(given):
        raise InvalidRequest(problems)
    code = _SEPARATORS.sub("", given["code"]).upper()
    return code, given.get("payee"), given.get("amount")


def _check_problems(given: Mapping[str, Any]) -> list[Problem]:
    found = [
        Problem(f"/{name}", "is not a valid field; the fields are code, payee and amount")
        for name in given
        if name not in _FIELDS
    ]
    if "code" not in given:
        found.append(Problem("/code", "is required"))
    for name in _FIELDS:
        value = given.get(name, "-")
        most = MAX_CODE if name == "code" else MAX_FIELD
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            found.append(Problem(f"/{name}", f"must be a string of 1 to {most} characters"))
    for one, other in (("payee", "amount"), ("amount", "payee")):
        if other in given and one not in given:
            found.append(Problem(f"/{one}", f"is required, because {other} is given"))
    return found


def _policy(history: MessageHistory) -> Verification:
    verification = history.message.verification
    if verification is None:
        raise ValueError(f"message {history.message.message_id} is not a verification")
    return verification
