"""Cancels a verification: nothing more is sent, and its code is no longer right."""

from datetime import datetime
from typing import TYPE_CHECKING

from messaging.domain.errors import TooLate, UnknownMessage
from messaging.domain.verifications import VerificationStatus, verification_status

if TYPE_CHECKING:
    from messaging.control import Control
    from messaging.store import Store


def cancel(store: "Store", control: "Control", message_id: str, now: datetime) -> None:
    """Raises `UnknownMessage`, and `TooLate` with the verification's status."""
    message = store.messages.history(message_id).message
    if message.verification is None:
        raise UnknownMessage(message_id)
    status = verification_status(message, message.verification, now)
    if status not in {VerificationStatus.PENDING, VerificationStatus.CANCELLED}:
        raise TooLate(f"the verification is {status}", status)
    control.cancel(message_id)
