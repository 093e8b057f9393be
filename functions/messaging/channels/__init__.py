"""The channels, a folder each: which content is valid (`content`), how it is sent (`send`), and how
the provider's events are read (`receipts`).
"""

from typing import Protocol

from messaging.domain.content import Delivery


class Channel(Protocol):
    def send(self, delivery: Delivery) -> str:
        """The provider's message id. Raises `Refused`, `Unavailable` or `Ambiguous`."""
