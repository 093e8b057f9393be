"""The hub: one refresh for all viewers of a page, to each what is new, and none without any."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import pytest
from botocore.exceptions import EndpointConnectionError

from console.live import Hub, PageUpdate, Refresh

SOON, LATER = 0.0, 60.0


class Counter:
    """A page whose text is how often it was looked at."""

    def __init__(self, again_in: float = SOON, last: int = 1_000_000) -> None:
        self.looks = 0
        self.again_in = again_in
        self.last = last

    def refresh(self) -> PageUpdate:
        self.looks = min(self.looks + 1, self.last)
        return PageUpdate({"text": str(self.looks)}, self.again_in)


def run(play: Callable[[Hub], Awaitable[None]]) -> None:
    async def whole() -> None:
        hub = Hub()
        try:
            await asyncio.wait_for(play(hub), 20)
        finally:
            await hub.close()

    asyncio.run(whole())


def watch(hub: Hub, key: str, refresh: Refresh) -> "aclosing[AsyncGenerator[bytes, None]]":
    return aclosing(hub._events(key, refresh))  # noqa: SLF001 - the stream behind the response


async def text(stream: AsyncIterator[bytes]) -> str:
    event = await anext(stream)
    (data,) = (line for line in event.decode().splitlines() if line.startswith("data: "))
    fragment = json.loads(data.removeprefix("data: "))
    return f"{fragment['id']}: {fragment['html']}"


def test_all_who_watch_the_same_share_its_looks() -> None:
    counter, unused = Counter(LATER), Counter()

    async def play(hub: Hub) -> None:
        async with watch(hub, "page", counter.refresh) as one:
            assert await text(one) == "text: 1"
            async with watch(hub, "page", unused.refresh) as another:
                assert await text(another) == "text: 1"

    run(play)
    assert (counter.looks, unused.looks) == (1, 0)


def test_what_did_not_change_is_not_sent_again() -> None:
    counter = Counter(last=2)

    async def play(hub: Hub) -> None:
        async with watch(hub, "page", counter.refresh) as stream:
            told = [await text(stream)]
            while told[-1] != "text: 2":
                told.append(await text(stream))
            assert len(told) <= 2
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.2)

    run(play)


def test_a_slow_viewer_gets_the_newest_only() -> None:
    counter = Counter(last=50)

    async def play(hub: Hub) -> None:
        async with (
            watch(hub, "page", counter.refresh) as slow,
            watch(hub, "page", counter.refresh) as fast,
        ):
            await text(slow)
            while await text(fast) != "text: 50":
                pass
            assert await text(slow) == "text: 50"

    run(play)


def test_nothing_is_looked_at_when_the_last_viewer_has_gone() -> None:
    counter, other = Counter(), Counter()

    async def play(hub: Hub) -> None:
        async with watch(hub, "page", counter.refresh) as stream:
            await text(stream)
        seen = counter.looks
        async with watch(hub, "other", other.refresh) as stream:
            while other.looks < 20:
                await text(stream)
        assert counter.looks <= seen + 1

    run(play)


def test_an_outage_is_waited_out() -> None:
    counter = Counter(LATER)

    def refresh() -> PageUpdate:
        glance = counter.refresh()
        if counter.looks == 1:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1")
        return glance

    async def play(hub: Hub) -> None:
        async with watch(hub, "page", refresh) as stream:
            assert await text(stream) == "text: 2"

    run(play)


def test_a_look_that_breaks_ends_the_stream_so_that_the_browser_comes_again() -> None:
    def broken() -> PageUpdate:
        raise KeyError("status")

    async def play(hub: Hub) -> None:
        async with watch(hub, "page", broken) as stream:
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
        async with watch(hub, "page", Counter(LATER).refresh) as stream:
            assert await text(stream) == "text: 1"

    run(play)


def test_a_new_viewer_gets_a_new_feed_while_a_viewer_of_a_failed_one_is_connected() -> None:
    counter, unused = Counter(LATER), Counter()
    failing = [PageUpdate({"text": "old"}, SOON)].pop

    async def play(hub: Hub) -> None:
        async with watch(hub, "page", failing) as slow:
            assert await text(slow) == "text: old"
            async with watch(hub, "page", failing) as another:
                assert await text(another) == "text: old"
                with pytest.raises(StopAsyncIteration):
                    await text(another)
            new = hub._events("page", counter.refresh)  # noqa: SLF001 - the stream behind the response
            assert await text(new) == "text: 1"
        async with aclosing(new), watch(hub, "page", unused.refresh) as last:
            assert await text(last) == "text: 1"

    run(play)
    assert (counter.looks, unused.looks) == (1, 0)


def test_looks_that_take_long_are_made_less_often() -> None:
    began: list[float] = []

    def slow() -> PageUpdate:
        began.append(time.perf_counter())
        while time.perf_counter() < began[-1] + 0.02:
            pass
        return PageUpdate({"text": str(len(began))}, SOON)

    async def play(hub: Hub) -> None:
        async with watch(hub, "page", slow) as stream:
            while len(began) < 4:
                await text(stream)

    run(play)
    # The first look is no measure; after that nine tenths of the time and more are rest.
    assert began[3] - began[2] > 0.18
