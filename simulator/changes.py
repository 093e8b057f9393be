"""Counts the changes on the phones, so that a client can wait for the next one."""

import asyncio
from contextlib import suppress

MAX_WAIT_SECONDS = 30


class ChangeCounter:
    """The number of the newest change. It starts above the numbers of earlier runs, so that no
    number is ever used twice.
    """

    def __init__(self, first: int) -> None:
        self.newest = first
        self._changed = asyncio.Event()

    def add(self) -> None:
        self.newest += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for_change(self, known: int, seconds: float) -> int:
        """The newest number, as soon as it differs from the known one or the seconds are over."""
        if self.newest == known:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
        return self.newest
