"""A code and what its texts say about it, made when it is sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messaging.codes.derivation import code_from, mac_message
from messaging.domain.messages import Message
from messaging.domain.verifications import Verification
from messaging.ports import Macs


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """`minutes`: until it expires."""

    characters: str
    verification: Verification
    minutes: int

    @property
    def approves_payment(self) -> bool:
        return self.verification.payee is not None

    def fill(self, text: str, code: str | None = None) -> str:
        """The text with its placeholders replaced; `code`: the characters as the channel has
        them.
        """
        return text.format(
            code=self.characters if code is None else code,
            brand=self.verification.brand,
            minutes=self.minutes,
            payee=self.verification.payee,
            amount=self.verification.amount,
        )


def one_time_code(
    message: Message, request: Mapping[str, Any], macs: Callable[[], Macs], now: datetime
) -> OneTimeCode:
    """The code of a verification: the caller's own, or derived from its MAC."""
    verification = message.verification
    if verification is None or message.expires_at is None:
        raise ValueError(f"message {message.message_id} is not a verification")
    code = request.get("code") or _derived(message, verification, macs())
    left = (message.expires_at - now).total_seconds()
    return OneTimeCode(code, verification, max(1, round(left / 60)))


def _derived(message: Message, verification: Verification, macs: Macs) -> str:
    authenticated = mac_message(
        message.message_id, verification, verification.payee, verification.amount
    )
    mac = macs.generate(authenticated)
    return code_from(mac, verification.length, verification.alphabet)
