"""Runs each call through its recipient's scenario: the response now, the receipts on schedule."""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from simulator.aws_model import AwsError, Json
from simulator.call_log import CallLog
from simulator.changes import ChangeCounter
from simulator.provider import (
    AcceptedMessage,
    Provider,
    ProviderRequest,
    RecipientReply,
    ScheduledReceipt,
    TwoWayMessaging,
    milliseconds,
)
from simulator.provider_call import (
    InboundReply,
    MessageOperation,
    ProviderCall,
    Publication,
    SimulatedReceipt,
    without_long_texts,
)
from simulator.publisher import NotPublished, Publisher
from simulator.scenarios import RecipientScenario, ScenarioResponse, Scenarios

MAX_IN_PROGRESS = 20_000
_MAX_COUNTED_ATTEMPTS = 10_000
_log = logging.getLogger(__name__)


class ConnectionDropped(Exception):
    """The scenario drops the connection instead of returning a response."""


@dataclass(frozen=True)
class AttemptKey:
    """What all calls of one attempt have in common: the same recipient and the same echo."""

    channel: str
    to: str
    echo: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class RecipientActionResult:
    """The receipts and the reply that an action has published, and the receipts it cancelled."""

    cancelled: Sequence[SimulatedReceipt]
    receipts: Sequence[SimulatedReceipt]
    inbound: InboundReply | None = None

    @property
    def failure(self) -> str | None:
        """Why one of them could not be published; None if all were."""
        publications = [*self.receipts, *([self.inbound] if self.inbound else [])]
        return next((one.failure for one in publications if one.failure), None)


def now() -> datetime:
    return datetime.now(UTC)


class Simulator:
    """All providers: their scenarios, the calls that they received, the receipts in progress."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        scenarios: Scenarios,
        publisher: Publisher,
        calls: CallLog,
        further_providers: Sequence[Provider] = (),
    ) -> None:
        self.providers = (*providers.values(), *further_providers)
        self.scenarios = scenarios
        self.calls = calls
        self.changes = ChangeCounter(milliseconds(now()))
        self.unpublished = 0
        self._publisher = publisher
        self._in_progress: set[asyncio.Task[None]] = set()
        self._rejected_calls: OrderedDict[AttemptKey, int] = OrderedDict()

    @property
    def in_progress(self) -> int:
        """How many messages have receipts that are still to be published."""
        return len(self._in_progress)

    async def handle(self, provider: Provider, body: Json) -> Json:
        """The provider's response to the call; raises AwsError or ConnectionDropped instead."""
        call = ProviderCall(provider, now(), without_long_texts(body))
        self.calls.add(call)
        try:
            response = await self._response(call, body)
        except AwsError as error:
            status = provider.operation.status_of(error.code)
            self._record_response(
                call,
                {"status": status, "error": error.code, "message": error.message} | error.members,
            )
            raise
        except ConnectionDropped:
            self._record_response(call, {"connection": "dropped"})
            raise
        self._record_response(call, {"status": 200} | response)
        return response

    async def operate(self, operation: MessageOperation, body: Json) -> Json:
        """The response of an operation on a message; raises AwsError instead."""
        response = operation.answer(body, self.calls.find)
        self.changes.add()
        return response

    async def publish_receipt(
        self, call: ProviderCall, message: AcceptedMessage, receipt_type: str
    ) -> SimulatedReceipt:
        """Publishes one more receipt for a message at once, whatever its scenario."""
        receipt = SimulatedReceipt(receipt_type, now())
        call.receipts.append(receipt)
        await self._publish(call, message, receipt)
        return receipt

    async def act(
        self,
        call: ProviderCall,
        message: AcceptedMessage,
        receipt_types: Sequence[str],
        *,
        silent: bool = False,
    ) -> RecipientActionResult:
        """Publishes the receipts of a recipient's action, in place of those of the scenario."""
        cancelled = [receipt for receipt in call.receipts if receipt.pending]
        for receipt in cancelled:
            receipt.cancel()
        call.silent = silent
        self.changes.add()
        # All of them are issued before any is published, so that a concurrent action sees them.
        receipts = [
            SimulatedReceipt(receipt_type, now(), issued=True) for receipt_type in receipt_types
        ]
        call.receipts += receipts
        for receipt in receipts:
            await self._publish(call, message, receipt)
        return RecipientActionResult(cancelled, receipts)

    async def reply(
        self,
        call: ProviderCall,
        message: AcceptedMessage,
        two_way: TwoWayMessaging,
        receipt_types: Sequence[str],
        text: str,
    ) -> RecipientActionResult:
        """As `act`, then publishes the recipient's reply."""
        reply = RecipientReply(two_way.new_reply_id(message), text, now())
        inbound = InboundReply(reply)
        self.calls.add_reply(call, inbound)
        result = await self.act(call, message, receipt_types)
        event = two_way.reply_event(message, reply)
        await self._publish_event(inbound, event, "a reply", message)
        return replace(result, inbound=inbound)

    def clear(self) -> None:
        """Removes every call from the log; receipts in progress are still published."""
        self.calls.clear()
        self.changes.add()

    async def close(self) -> None:
        """Cancels what is in progress: a simulator that has stopped publishes nothing."""
        for task in self._in_progress:
            task.cancel()
        await asyncio.gather(*self._in_progress, return_exceptions=True)

    async def _response(self, call: ProviderCall, body: Json) -> Json:
        parsed = call.provider.parse(body)
        call.body = without_long_texts(parsed.body)
        call.request = request = replace(parsed, body=call.body)
        channel = self.scenarios.channels[call.provider.channel]
        call.scenario = channel.choose(request.listed_as or request.to)
        if not request.dry_run:
            self.calls.add_to_thread(call)
        scenario = channel.scenarios[call.scenario]
        self._reject(call, request, scenario.answer)
        message = self._accept(call, request, scenario)
        await self._wait(call, scenario.answer)
        if scenario.answer.drop:
            raise ConnectionDropped
        error = scenario.answer.as_error()
        if error is not None and scenario.answer.accepted:
            raise error
        return call.provider.response(message.provider_id)

    def _reject(
        self, call: ProviderCall, request: ProviderRequest, response: ScenarioResponse
    ) -> None:
        """Raises the AwsError with which the scenario rejects this call, if it does."""
        if len(self._in_progress) >= MAX_IN_PROGRESS:
            raise AwsError(call.provider.throttling_error, "Too many messages are in progress")
        error = response.as_error()
        if error is None or response.accepted:
            return
        attempt = AttemptKey(call.provider.channel, request.to, frozenset(request.echo.items()))
        if self._is_rejected(attempt, response.times):
            raise error

    def _is_rejected(self, attempt: AttemptKey, times: int | None) -> bool:
        """Whether this call is one of the first `times` calls of its attempt; counts it if so."""
        if times is None:
            return True
        rejected = self._rejected_calls.pop(attempt, 0)
        if rejected >= times:
            return False
        self._rejected_calls[attempt] = rejected + 1
        if len(self._rejected_calls) > _MAX_COUNTED_ATTEMPTS:
            self._rejected_calls.popitem(last=False)
        return True

    def _accept(
        self, call: ProviderCall, request: ProviderRequest, scenario: RecipientScenario
    ) -> AcceptedMessage:
        message = AcceptedMessage(request, call.provider.new_provider_id(), now())
        call.no_receipts_reason = _no_receipts_reason(request)
        receipts = [] if call.no_receipts_reason else self._receipts(request, scenario)
        call.accept(message, receipts)
        self.calls.index_provider_id(call)
        self.changes.add()
        if receipts:
            task = asyncio.create_task(self._publish_on_schedule(call, message))
            self._in_progress.add(task)
            task.add_done_callback(self._finished)
        return message

    def _receipts(
        self, request: ProviderRequest, scenario: RecipientScenario
    ) -> Sequence[ScheduledReceipt]:
        if request.rejection:
            return [ScheduledReceipt(0, request.rejection)]
        receipts = scenario.scheduled_receipts(self.scenarios.speed)
        return request.time_to_live.apply(receipts) if request.time_to_live else receipts

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._in_progress.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("A scenario failed", exc_info=error)

    async def _wait(self, call: ProviderCall, response: ScenarioResponse) -> None:
        """Delays the response as the scenario says."""
        for receipt in call.receipts[: response.after_receipts]:
            await receipt.settled.wait()
        if response.delay_seconds:
            await asyncio.sleep(response.delay_seconds)

    async def _publish_on_schedule(self, call: ProviderCall, message: AcceptedMessage) -> None:
        for receipt in tuple(call.receipts):
            with suppress(TimeoutError):
                async with asyncio.timeout((receipt.due_at - now()).total_seconds()):
                    await receipt.settled.wait()
            if receipt.pending:
                await self._publish(call, message, receipt)

    async def _publish(
        self, call: ProviderCall, message: AcceptedMessage, receipt: SimulatedReceipt
    ) -> None:
        receipt.issued = True
        happened_at = receipt.happened_at or now()
        event = call.provider.receipt_event(message, receipt.receipt_type, happened_at)
        await self._publish_event(receipt, event, receipt.receipt_type, message)

    async def _publish_event(
        self, publication: Publication, event: Json, name: str, message: AcceptedMessage
    ) -> None:
        self.changes.add()
        try:
            await self._publisher.publish(json.dumps(event))
        except NotPublished as error:
            self.unpublished += 1
            publication.failure = str(error)
            _log.error("Could not publish %s of %s", name, message.provider_id)
        else:
            publication.published_at = now()
        finally:
            publication.settled.set()
            self.changes.add()

    def _record_response(self, call: ProviderCall, response: Json) -> None:
        call.respond(now(), response)
        self.changes.add()


def _no_receipts_reason(request: ProviderRequest) -> str | None:
    if request.dry_run:
        return "The request is a dry run, so no message is sent."
    if not request.publishes_events:
        return "The request has no configuration set, so AWS publishes no events."
    return None
