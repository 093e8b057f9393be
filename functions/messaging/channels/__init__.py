"""The channels, a folder each: what may be said (`content`), how it is sent (`send`), and how the
provider's events are read (`receipts`).
"""

from typing import Protocol

from messaging.domain.content import Delivery


class Channel(Protocol):
    def send(self, delivery: Delivery) -> str:
        """The id the provider gave. Raises `Refused`, `Unavailable` or `Ambiguous`."""
