"""Cancels a verification: nothing more is sent, and its code is no longer right."""

from datetime import datetime
from typing import TYPE_CHECKING

from messaging.domain.errors import TooLate, UnknownMessage
from messaging.domain.verifications import VerificationStatus, verification_status

if TYPE_CHECKING:
    from messaging.control import Control
    from messaging.store import Store


def cancel(store: "Store", control: "Control", message_id: str, now: datetime) -> None:
    """Also after the message ended. Raises `UnknownMessage`, and `TooLate` with the verification's
    status.
    """
    _require_cancellable(store, message_id, now)
    try:
        control.cancel(message_id)
    except TooLate:
        # Approved or used up since it was read.
        _require_cancellable(store, message_id, now)
        raise


def _require_cancellable(store: "Store", message_id: str, now: datetime) -> None:
    message = store.messages.history(message_id).message
    if message.verification is None:
        raise UnknownMessage(message_id)
    status = verification_status(message, message.verification, now)
    if status not in {VerificationStatus.PENDING, VerificationStatus.CANCELLED}:
        raise TooLate(f"the verification is {status}", status)
