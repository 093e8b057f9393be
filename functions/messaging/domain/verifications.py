"""A verification: a message whose recipient proves to have received its code."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from messaging.domain.statuses import MessageStatus

if TYPE_CHECKING:
    from datetime import datetime

    from messaging.domain.messages import Message


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
    counters to which an approval is added.
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
