"""Takes a call through its recipient's scenario: the answer now, the receipts in their time."""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from simulator.aws_model import AwsError, Json
from simulator.call import Call, Inbound, Publication, Receipt, kept
from simulator.changes import Changes
from simulator.provider import Asked, Provider, Reply, Taken, TwoWay, milliseconds
from simulator.publisher import NotPublished, Publisher
from simulator.scenarios import Answer, Scenario, Scenarios
from simulator.sent import Sent

MOST_UNDER_WAY = 20_000
_MOST_COUNTED = 10_000
_log = logging.getLogger(__name__)


class ConnectionDropped(Exception):
    """The scenario cuts the connection instead of answering."""


@dataclass(frozen=True)
class Attempt:
    """What one call shares with its repetitions: the same recipient, the same echo."""

    channel: str
    to: str
    echo: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Done:
    """What came of it that a person took over: what went out, what never will."""

    cancelled: Sequence[Receipt]
    receipts: Sequence[Receipt]
    inbound: Inbound | None = None

    @property
    def failure(self) -> str | None:
        """Why something did not get to the topic; None if all did."""
        published = [*self.receipts, *([self.inbound] if self.inbound else [])]
        return next((one.failure for one in published if one.failure), None)


def now() -> datetime:
    return datetime.now(UTC)


class Carriers:
    """All three carriers: their scenarios, what they were asked, what they still have to report."""

    def __init__(self, scenarios: Scenarios, publisher: Publisher, sent: Sent) -> None:
        self.scenarios = scenarios
        self.sent = sent
        self.changes = Changes(milliseconds(now()))
        self.unpublished = 0
        self._publisher = publisher
        self._under_way: set[asyncio.Task[None]] = set()
        self._refused: OrderedDict[Attempt, int] = OrderedDict()

    @property
    def under_way(self) -> int:
        """How many messages still have receipts to come."""
        return len(self._under_way)

    async def take(self, provider: Provider, body: Json) -> Json:
        """AWS's answer to the call; raises AwsError or ConnectionDropped where it is none."""
        call = Call(provider, now(), kept(body))
        self.sent.add(call)
        try:
            answer = await self._answer(call, body)
        except AwsError as error:
            status = provider.operation.status_of(error.code)
            told = {"status": status, "error": error.code, "message": error.message}
            self._answered(call, told | error.members)
            raise
        except ConnectionDropped:
            self._answered(call, {"connection": "dropped"})
            raise
        self._answered(call, {"status": 200} | answer)
        return answer

    async def report(self, call: Call, taken: Taken, word: str) -> Receipt:
        """Publishes one more receipt for a message at once, whatever its scenario says."""
        receipt = Receipt(word, now())
        call.receipts.append(receipt)
        await self._publish(call, taken, receipt)
        return receipt

    async def take_over(
        self, call: Call, taken: Taken, words: Sequence[str], *, silent: bool = False
    ) -> Done:
        """Publishes what a person's act makes the provider report, instead of the scenario."""
        cancelled = [receipt for receipt in call.receipts if receipt.pending]
        for receipt in cancelled:
            receipt.cancel()
        call.silent = silent
        self.changes.note()
        # All of it has happened before anything is published: an act that comes meanwhile sees it.
        receipts = [Receipt(word, now(), out=True) for word in words]
        call.receipts += receipts
        for receipt in receipts:
            await self._publish(call, taken, receipt)
        return Done(cancelled, receipts)

    async def reply(
        self, call: Call, taken: Taken, two_way: TwoWay, words: Sequence[str], text: str
    ) -> Done:
        """As `take_over`, then publishes what the person writes back."""
        reply = Reply(two_way.new_id(taken), text, now())
        inbound = Inbound(reply)
        self.sent.replied(call, inbound)
        done = await self.take_over(call, taken, words)
        await self._offer(inbound, two_way.event(taken, reply), "a reply", taken)
        return replace(done, inbound=inbound)

    def clear(self) -> None:
        """Forgets every call; what is under way goes on."""
        self.sent.clear()
        self.changes.note()

    async def close(self) -> None:
        """Ends what is under way: nobody reports for carriers that have closed."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _answer(self, call: Call, body: Json) -> Json:
        read = call.provider.read(body)
        call.request = kept(read.request)
        call.asked = asked = replace(read, request=call.request)
        channel = self.scenarios.of(call.provider.channel)
        call.scenario = channel.choose(asked.to)
        if not asked.dry_run:
            self.sent.in_thread(call)
        scenario = channel.scenarios[call.scenario]
        self._refuse_before(call, asked, scenario.answer)
        taken = self._accept(call, asked, scenario)
        await self._hold(call, scenario.answer)
        if scenario.answer.drop:
            raise ConnectionDropped
        error = scenario.answer.as_error()
        if error is not None and scenario.answer.accepted:
            raise error
        return call.provider.answer(taken.provider_id)

    def _refuse_before(self, call: Call, asked: Asked, answer: Answer) -> None:
        if len(self._under_way) >= MOST_UNDER_WAY:
            raise AwsError(call.provider.throttled, "Too many messages are under way")
        error = answer.as_error()
        if error is None or answer.accepted:
            return
        attempt = Attempt(call.provider.channel, asked.to, frozenset(asked.echo.items()))
        if self._still_refused(attempt, answer.times):
            raise error

    def _still_refused(self, attempt: Attempt, times: int | None) -> bool:
        """Whether this call is among the first so many of its attempt; counts it if so."""
        if times is None:
            return True
        refused = self._refused.pop(attempt, 0)
        if refused >= times:
            return False
        self._refused[attempt] = refused + 1
        if len(self._refused) > _MOST_COUNTED:
            self._refused.popitem(last=False)
        return True

    def _accept(self, call: Call, asked: Asked, scenario: Scenario) -> Taken:
        taken = Taken(asked, call.provider.new_id(), now())
        silence = _why_silent(asked)
        dues = [] if silence else call.provider.plan(asked, scenario.dues(self.scenarios.speed))
        call.note = silence
        call.expect(taken, dues)
        self.sent.under_id(call)
        self.changes.note()
        if dues:
            task = asyncio.create_task(self._play(call, taken))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        return taken

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("A scenario broke off", exc_info=error)

    async def _hold(self, call: Call, answer: Answer) -> None:
        """Keeps the caller waiting as the scenario says."""
        for receipt in call.receipts[: answer.after_receipts]:
            await receipt.over.wait()
        if answer.delay_seconds:
            await asyncio.sleep(answer.delay_seconds)

    async def _play(self, call: Call, taken: Taken) -> None:
        for receipt in tuple(call.receipts):
            with suppress(TimeoutError):
                async with asyncio.timeout((receipt.due_at - now()).total_seconds()):
                    await receipt.over.wait()
            if receipt.pending:
                await self._publish(call, taken, receipt)

    async def _publish(self, call: Call, taken: Taken, receipt: Receipt) -> None:
        receipt.out = True
        event = call.provider.event(taken, receipt.word, receipt.happened_at or now())
        await self._offer(receipt, event, receipt.word, taken)

    async def _offer(self, what: Publication, event: Json, word: str, taken: Taken) -> None:
        self.changes.note()
        try:
            await self._publisher.publish(json.dumps(event))
        except NotPublished as error:
            self.unpublished += 1
            what.failure = str(error)
            _log.error("Not published: %s of %s", word, taken.provider_id)
        else:
            what.published_at = now()
        finally:
            what.over.set()
            self.changes.note()

    def _answered(self, call: Call, answer: Json) -> None:
        call.answered(now(), answer)
        self.changes.note()


def _why_silent(asked: Asked) -> str | None:
    if asked.dry_run:
        return "A dry run: nothing is sent."
    if not asked.publishes:
        return "No configuration set, so no events, as on AWS."
    return None
