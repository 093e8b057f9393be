"""Counts what changes on the phones, for those who would rather wait than ask again."""

import asyncio
from contextlib import suppress

LONGEST_WAIT_SECONDS = 30


class Changes:
    """The number of the newest change. It starts where no earlier run has been: a number once seen
    never stands for something else.
    """

    def __init__(self, first: int) -> None:
        self.newest = first
        self._changed = asyncio.Event()

    def note(self) -> None:
        self.newest += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def other_than(self, seen: int, seconds: float) -> int:
        """The newest number as soon as it is another one, or when so many seconds are over."""
        if self.newest == seen:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
        return self.newest
