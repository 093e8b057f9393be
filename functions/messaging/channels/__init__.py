"""How to send: one file per channel, each with `send(delivery) -> provider_id`."""

from typing import Protocol

from messaging.domain.messages import Delivery


class Channel(Protocol):
    def send(self, delivery: Delivery) -> str:
        """The id the provider gave. Raises `Refused`, `Unavailable` or `Ambiguous`."""
