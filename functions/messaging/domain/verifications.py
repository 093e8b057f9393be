"""A verification: a message whose recipient proves to have received its code."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from messaging.domain.plan import RequestedStep
from messaging.domain.statuses import FINAL, AttemptStatus, MessageStatus, Success

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from messaging.domain.messages import Message, MessageHistory

# Of one verification, all channels together. Twilio Verify has the same limit: "Max send attempts
# reached", twilio.com/docs/api/errors/60203
MAX_SENDS = 5


class Alphabet(StrEnum):
    """What a code consists of."""

    DIGITS = "digits"
    LETTERS = "letters"
    ALPHANUMERIC = "alphanumeric"


class VerificationStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    MAX_CHECKS_REACHED = "max_checks_reached"


@dataclass(frozen=True, slots=True)
class Autofill:
    """What lets a browser or an Android app read the code from an SMS. Either `domain`, the page's,
    with `embedded`, the domain of the frame that asks; or `android`, the app's hash.
    """

    domain: str | None = None
    embedded: str | None = None
    android: str | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """The policy of a verification, which never changes after its start.

    `payee` and `amount` are both set or both None: a payment that the code approves and no other.
    `own_code`: the code is the caller's own, who compares and confirms it. `counted_as`: the
    counters to which an approval is added; `client`: the counter of who started it, if known.
    """

    purpose: str
    length: int
    alphabet: Alphabet
    max_checks: int
    brand: str
    language: str
    autofill: Autofill | None = None
    payee: str | None = None
    amount: str | None = None
    own_code: bool = False
    counted_as: tuple[str, ...] = ()
    client: str | None = None


def verification_status(
    message: "Message", verification: Verification, now: "datetime"
) -> VerificationStatus:
    """The status at this time; an approval is never taken back."""
    if message.status is MessageStatus.CONFIRMED:
        return VerificationStatus.APPROVED
    if message.cancelled_at:
        return VerificationStatus.CANCELLED
    if message.checks >= verification.max_checks:
        return VerificationStatus.MAX_CHECKS_REACHED
    return VerificationStatus.EXPIRED if message.expired(now) else VerificationStatus.PENDING


def code_steps(steps: Sequence[RequestedStep], seconds: int) -> tuple[RequestedStep, ...]:
    """The steps of a code that is valid for so many seconds, of which the last one waits until it
    expires: the requested ones, then the last one again on request, up to `MAX_SENDS`.
    """
    *first, last = (replace(one, success=Success.CONFIRMED) for one in steps)
    last = replace(last, wait_seconds=seconds)
    left = MAX_SENDS - sum(len(one.channels) for one in steps)
    repeats = max(left // len(last.channels), 0)
    return (*first, last, *[replace(last, on_request=True)] * repeats)


def step_of_resend(history: "MessageHistory") -> int | None:
    """The step that a resend sends: the one that waits to be requested, or else the next one. None
    if there is none.
    """
    current = max((history.step(one) for one in history.attempts), default=0)
    steps = history.message.plan.steps
    if current and steps[current - 1].on_request and _unsent(history, current):
        return current
    return current + 1 if current < len(steps) else None


def sends_left(history: "MessageHistory") -> int:
    """None if the message has ended, which it may before its code expires."""
    if history.message.status in FINAL:
        return 0
    first = step_of_resend(history)
    planned = history.message.plan.attempts
    return 0 if first is None else sum(one.step >= first for one in planned)


def next_resend_at(message: "Message", cool_down: "timedelta") -> "datetime":
    return (message.last_send_requested_at or message.accepted_at) + cool_down


def _unsent(history: "MessageHistory", step: int) -> bool:
    """Whether nothing of a step on request was sent: it was not requested, or its provider is
    busy.
    """
    requested = history.message.advanced_to >= step
    return all(
        one.status is AttemptStatus.SENDING and (one.released or not requested)
        for one in history.attempts
        if history.step(one) == step
    )
