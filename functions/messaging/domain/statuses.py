"""The statuses of messages and attempts with their order, and the kinds of receipts."""

from enum import StrEnum


class MessageStatus(StrEnum):
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    REJECTED = "rejected"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    SENT = "sent"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    CONFIRMED = "confirmed"


class AttemptStatus(StrEnum):
    SENDING = "sending"
    SENT = "sent"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"


class Success(StrEnum):
    """What a step requires to succeed. No receipt confirms a message: its caller does."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    CONFIRMED = "confirmed"


class ReceiptKind(StrEnum):
    """What a provider reported. The provider's own term is stored with it."""

    PROGRESS = "progress"
    SENT = "sent"
    CARRIER_ACCEPTED = "carrier_accepted"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    COMPLAINED = "complained"
    ENGAGED = "engaged"
    UNKNOWN = "unknown"


# A status is only replaced by one of a higher rank. A delivery can replace a failure (a recipient
# with two phones); only a read receipt can replace a delivery.
ATTEMPT_RANK = {
    AttemptStatus.SENDING: 0,
    AttemptStatus.SENT: 10,
    AttemptStatus.SKIPPED: 20,
    AttemptStatus.TIMED_OUT: 20,
    AttemptStatus.UNCONFIRMED: 30,
    AttemptStatus.FAILED: 40,
    AttemptStatus.DELIVERED: 50,
    AttemptStatus.READ: 60,
}
MESSAGE_RANK = {
    MessageStatus.ACCEPTED: 0,
    MessageStatus.IN_PROGRESS: 10,
    MessageStatus.REJECTED: 20,
    MessageStatus.UNDELIVERED: 20,
    MessageStatus.EXPIRED: 20,
    MessageStatus.CANCELLED: 20,
    MessageStatus.SENT: 30,
    MessageStatus.DELIVERED: 40,
    MessageStatus.CONFIRMED: 50,
}
# Why a message ended with its execution, by the status that Step Functions gives the execution.
ENDED_EXECUTION = {
    "ABORTED": "the execution was stopped",
    "FAILED": "the execution failed",
    "TIMED_OUT": "the execution timed out",
}
OPEN = frozenset({AttemptStatus.SENDING, AttemptStatus.SENT})
# No state waits for an attempt with one of these; one may wait for any other attempt.
OVER = frozenset({AttemptStatus.SKIPPED, AttemptStatus.TIMED_OUT, AttemptStatus.FAILED})
# The workflow has ended without a success.
CLOSED = frozenset({MessageStatus.UNDELIVERED, MessageStatus.EXPIRED, MessageStatus.CANCELLED})
FINAL = frozenset(
    status for status, rank in MESSAGE_RANK.items() if rank >= MESSAGE_RANK[MessageStatus.REJECTED]
)

_FULFILLED_BY: dict[Success, set[AttemptStatus]] = {
    Success.SENT: {AttemptStatus.SENT, AttemptStatus.DELIVERED, AttemptStatus.READ},
    Success.DELIVERED: {AttemptStatus.DELIVERED, AttemptStatus.READ},
    Success.READ: {AttemptStatus.READ},
    Success.CONFIRMED: set(),
}
_STATUS_OF_RECEIPT = {
    ReceiptKind.SENT: AttemptStatus.SENT,
    ReceiptKind.DELIVERED: AttemptStatus.DELIVERED,
    ReceiptKind.READ: AttemptStatus.READ,
    ReceiptKind.FAILED: AttemptStatus.FAILED,
    ReceiptKind.UNCONFIRMED: AttemptStatus.UNCONFIRMED,
}


def fulfils(status: AttemptStatus, success: Success) -> bool:
    """Whether an attempt with this status has the success that its step requires."""
    return status in _FULFILLED_BY[success]


def message_status(status: AttemptStatus) -> MessageStatus:
    """The status of a message whose step was fulfilled by an attempt with this status."""
    return MessageStatus.SENT if status is AttemptStatus.SENT else MessageStatus.DELIVERED


def attempt_status(kind: ReceiptKind, carrier_accepted: AttemptStatus) -> AttemptStatus | None:
    """The attempt's status after a receipt of this kind, None if it does not change.

    Whether the carrier's acceptance means delivery differs by country, so the stack configures
    `carrier_accepted` (AWS: "configuration-sets-event-types", TEXT_SUCCESSFUL).
    """
    if kind is ReceiptKind.CARRIER_ACCEPTED:
        return carrier_accepted
    return _STATUS_OF_RECEIPT.get(kind)
