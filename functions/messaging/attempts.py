"""One attempt on one channel: claimed, checked, and sent to its provider at most once."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from messaging.channels import Channel
from messaging.domain.content import Content, Delivery, delivery
from messaging.domain.errors import (
    Advanced,
    Ambiguous,
    Cancelled,
    Expired,
    Failed,
    InvalidRoute,
    MissingSetting,
    Refused,
    Resend,
    Unavailable,
    UnknownMessage,
)
from messaging.domain.messages import (
    ADVANCED_BEFORE,
    CAME_TOO_LATE,
    CANCELLED_BEFORE,
    CONFIRMED_BEFORE,
    REQUESTED,
    RESPONSE_UNKNOWN,
    WAITS_FOR_REQUEST,
    Attempt,
    AttemptId,
    Message,
    MessageHistory,
)
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus
from messaging.metrics import Metric, count
from messaging.ports import Clock, WaitingStates
from messaging.settlement import Settlement

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from messaging.store import Store


@dataclass(frozen=True, slots=True)
class SendingState:
    """What a sending state passes to its function: its node of the route, its task token, and when
    it was entered. A retry has a new token and the same `entered_at`.

    Anyone who may start executions can invent the node.
    """

    message_id: str
    attempt: int
    channel: str
    wait_seconds: int
    task_token: str
    entered_at: datetime

    @property
    def wait_ends_at(self) -> datetime:
        """When a later step begins, if nothing could be sent until then."""
        return self.entered_at + timedelta(seconds=self.wait_seconds)


class Decision(Enum):
    """What is done with an attempt whose function runs."""

    CONFIRMED = "the message was confirmed"
    SUCCEEDED = "another step has succeeded"
    CANCELLED = "the message was cancelled"
    ADVANCED = "the caller asked for a later step"
    NOT_REQUESTED = "it is only sent if the caller asks for it"
    SEND = "it has not been sent, and is still needed"
    SETTLE = "it was sent before; its status decides what its state is answered"
    TOO_LATE = "the workflow has continued without it, or the message was closed"
    EXPIRED = "the message expired"
    BUSY = "the provider or the function was busy until the wait ended, and a later step exists"


def decision(
    history: MessageHistory,
    attempt: Attempt,
    state: SendingState,
    *,
    claimed: bool,
    now: datetime,
) -> Decision:
    """`claimed`: whether the caller may send the attempt."""
    message, unsent = history.message, _unsent(attempt, claimed=claimed)
    wait_is_over = now >= state.wait_ends_at and not history.in_last_step(attempt)
    in_order = (
        (Decision.CONFIRMED, message.confirmed),
        (Decision.SUCCEEDED, history.success_beside(attempt)),
        (Decision.CANCELLED, message.cancelled),
        (Decision.TOO_LATE, claimed and history.went_on_without(attempt)),
        (Decision.TOO_LATE, unsent and message.closed),
        (Decision.ADVANCED, history.advanced_beyond(attempt)),
        (Decision.EXPIRED, unsent and message.expired(now)),
        (Decision.NOT_REQUESTED, claimed and history.not_requested(attempt)),
        (Decision.BUSY, claimed and wait_is_over),
        (Decision.SEND, claimed),
    )
    return next((decided for decided, applies in in_order if applies), Decision.SETTLE)


def _unsent(attempt: Attempt, *, claimed: bool) -> bool:
    return claimed or attempt.status is AttemptStatus.SKIPPED


@dataclass(frozen=True, slots=True)
class AttemptRunner:
    """Runs attempts. `channel` returns the channel with a name, `sender` its default sender,
    `code_content` what carries the code of a verification: by its message, its request, the channel
    and the sender.
    """

    store: "Store"
    workflow: WaitingStates
    channel: Callable[[str], Channel]
    sender: Callable[[str], str]
    now: Clock
    log: "Logger"
    code_content: Callable[[Message, Mapping[str, Any], str, str], Content]

    @property
    def _settlement(self) -> Settlement:
        return Settlement(self.store, self.workflow, self.now)

    def run(self, state: SendingState) -> None:
        """Sends the attempt unless it was sent before, and answers its state if its result is
        known. Nothing is written for a node that is not in the message's plan.
        """
        try:
            planned, before, request = self._checked(state)
        except InvalidRoute as error:
            self.workflow.fail(state.task_token, InvalidRoute, str(error))
            self.log.warning("invalid route, nothing was sent")
            return
        self.log.append_keys(attempt=planned.number, channel=planned.channel)
        self._run_checked(state, planned, before.attempt(planned.number), request)

    def _checked(
        self, state: SendingState
    ) -> tuple[PlannedAttempt, MessageHistory, Mapping[str, Any]]:
        """The attempt of the state's node, its message and request. Raises `InvalidRoute`."""
        history, request = self._read(state.message_id)
        for planned in history.message.plan.attempts:
            node = planned.number, planned.channel, planned.wait_seconds
            if node == (state.attempt, state.channel, state.wait_seconds):
                return planned, history, request
        raise InvalidRoute(
            f"the plan of message {state.message_id} has no attempt {state.attempt} by "
            f"{state.channel} with a wait of {state.wait_seconds} seconds"
        )

    def _read(self, message_id: str) -> tuple[MessageHistory, Mapping[str, Any]]:
        """Plan and request never change, so the cheaper read suffices unless it misses one of them;
        they may be two items.
        """
        read = self.store.messages.history_and_request
        with suppress(UnknownMessage):
            history, request = read(message_id, consistent=False)
            if request:
                return history, request
        try:
            return read(message_id)
        except UnknownMessage as error:
            raise InvalidRoute(
                f"no message has the id {message_id}, the execution's name"
            ) from error

    def _run_checked(
        self,
        state: SendingState,
        planned: PlannedAttempt,
        before: Attempt | None,
        request: Mapping[str, Any],
    ) -> None:
        """The history is read after the claim: a concurrent receipt finds the attempt's task token,
        or what it recorded is found. `before`: the attempt before the claim.
        """
        attempt, claimed = self.store.attempts.claim(
            AttemptId(state.message_id, planned.number),
            planned.channel,
            state.task_token,
            self.now(),
        )
        with self._released_on_failure(attempt, claimed=claimed):
            history = self.store.messages.history(state.message_id)
            self._time_out_earlier(history, attempt)
            decided = decision(history, attempt, state, claimed=claimed, now=self.now())
            if decided is not Decision.SEND:
                unsent = _unsent(attempt, claimed=claimed)
                self._act_on(decided, history, attempt, before, unsent=unsent)
                return
            channel = self.channel(attempt.channel)
            try:
                made = self._delivery(history, request, planned)
            except Refused as error:
                self._refused(attempt, str(error))
                return
        self._send(history, attempt, channel, made)

    @contextmanager
    def _released_on_failure(self, attempt: Attempt, *, claimed: bool) -> Iterator[None]:
        """Nothing has been sent yet, so the next invocation may send it."""
        try:
            yield
        except (BotoCoreError, ClientError, MissingSetting) as error:
            if claimed:
                self.store.attempts.release(attempt.attempt_id, type(error).__name__)
            raise

    def _time_out_earlier(self, history: MessageHistory, attempt: Attempt) -> None:
        """Times out earlier steps without a result: this step runs because their wait is over, or
        because the message was cancelled, and then what was sent keeps its status.
        """
        if history.message.cancelled:
            return
        for earlier in history.open_before(history.step(attempt)):
            reason = ADVANCED_BEFORE if history.advanced_beyond(earlier) else None
            self.store.attempts.time_out(earlier, self.now(), reason)

    def _act_on(
        self,
        decided: Decision,
        history: MessageHistory,
        attempt: Attempt,
        before: Attempt | None,
        *,
        unsent: bool,
    ) -> None:
        """Records why nothing is sent, and answers the state. `before`: the attempt before the
        claim.
        """
        match decided:
            case Decision.CONFIRMED | Decision.SUCCEEDED:
                self._succeed(history, attempt, unsent=unsent)
            case Decision.CANCELLED:
                self._end(attempt, Cancelled, CANCELLED_BEFORE, unsent=unsent)
            case Decision.ADVANCED:
                self._end(attempt, Advanced, ADVANCED_BEFORE, unsent=unsent)
            case Decision.NOT_REQUESTED:
                self._wait_for_request(attempt)
            case Decision.SETTLE:
                self._mark_interrupted(attempt)
                self._settlement.settle(attempt, history)
            case Decision.BUSY:
                self._busy(attempt, before)
            case Decision.TOO_LATE:
                self._too_late(history, attempt)
            case _:
                self._record(attempt, AttemptStatus.SKIPPED, "the message expired")
                self.workflow.fail(
                    attempt.task_token, Expired, "the message expired before it was sent"
                )
                self.log.info("skipped, the message expired")

    def _succeed(self, history: MessageHistory, attempt: Attempt, *, unsent: bool) -> None:
        """The message needs the attempt no longer: it was confirmed, or another step succeeded."""
        success = history.success_beside(attempt)
        if success and not history.message.confirmed:
            self._settlement.skip(attempt, success, unsent=unsent)
            self.log.info("skipped, another attempt succeeded")
            return
        if unsent:
            self._record(attempt, AttemptStatus.SKIPPED, CONFIRMED_BEFORE)
        self._settlement.confirm(attempt)
        self.log.info("not sent, the message is confirmed")

    def _end(self, attempt: Attempt, error: type[Exception], reason: str, *, unsent: bool) -> None:
        if unsent:
            self._record(attempt, AttemptStatus.SKIPPED, reason)
        else:
            self._mark_interrupted(attempt)
        self.workflow.fail(attempt.task_token, error, reason)
        self.log.info("not sent", reason=reason)

    def _wait_for_request(self, attempt: Attempt) -> None:
        """Leaves the state waiting. The caller may have asked after the history was read and before
        the claim was released, and then only this function knows that the state waits.
        """
        self.store.attempts.release(attempt.attempt_id, WAITS_FOR_REQUEST)
        self.log.info("waits for a resend")
        if not self.store.messages.history(attempt.attempt_id.message_id).not_requested(attempt):
            self.workflow.fail(attempt.task_token, Resend, REQUESTED)

    def _mark_interrupted(self, attempt: Attempt) -> None:
        """The invocation that claimed the attempt may have ended before or after its call."""
        if attempt.status is AttemptStatus.SENDING and not attempt.reason:
            self.store.attempts.mark_ambiguous(attempt.attempt_id, RESPONSE_UNKNOWN)
            self.log.warning("claimed by an earlier invocation, not sent again")

    def _too_late(self, history: MessageHistory, attempt: Attempt) -> None:
        self._record(attempt, AttemptStatus.TIMED_OUT, CAME_TOO_LATE)
        if history.message.closed:
            self.workflow.fail(attempt.task_token, Expired, CAME_TOO_LATE)
        self.log.warning("not sent, the workflow has continued")

    def _busy(self, attempt: Attempt, before: Attempt | None) -> None:
        """It failed if its provider was busy; otherwise its function did not run in time."""
        if before and before.released:
            status, why = AttemptStatus.FAILED, f"the provider was busy: {before.reason}"
        else:
            status, why = AttemptStatus.TIMED_OUT, "the function was busy"
        reason = f"{CAME_TOO_LATE} ({why})"
        self._record(attempt, status, reason)
        self.workflow.fail(attempt.task_token, Failed, reason)
        self.log.warning("not sent within the wait", reason=reason)

    def _record(self, attempt: Attempt, status: AttemptStatus, reason: str) -> Attempt:
        return self.store.attempts.update_status(attempt.attempt_id, status, self.now(), reason)

    def _delivery(
        self, history: MessageHistory, request: Mapping[str, Any], planned: PlannedAttempt
    ) -> Delivery:
        """Raises `Refused` if the channel cannot carry the code of a verification."""
        sender = self.sender(planned.channel)
        made = delivery(history.message, request, planned, sender, self.now())
        if made.verification is None:
            return made
        code = self.code_content(history.message, request, planned.channel, made.sender)
        return replace(made, content=code)

    def _send(
        self, history: MessageHistory, attempt: Attempt, channel: Channel, sending: Delivery
    ) -> None:
        try:
            provider_id = channel.send(sending)
        except Refused as error:
            self._refused(attempt, str(error))
        except Unavailable as error:
            released = self.store.attempts.release(attempt.attempt_id, str(error))
            self.workflow.fail(released.task_token, Unavailable, str(error))
            self.log.warning("provider busy, the state retries", reason=str(error))
        except Ambiguous as error:
            self.store.attempts.mark_ambiguous(attempt.attempt_id, str(error))
            self.log.warning("outcome of the call unknown, not sent again", reason=str(error))
        else:
            self._sent(history, attempt, provider_id)

    def _refused(self, attempt: Attempt, reason: str) -> None:
        """The state is answered even if the refusal cannot be recorded, because no receipt
        follows.
        """
        count(Metric.REFUSED, attempt.channel)
        self.log.warning("refused", reason=reason)
        try:
            recorded = self._record(attempt, AttemptStatus.FAILED, reason)
        except (BotoCoreError, ClientError) as error:
            self.log.warning("refused, but not recorded", error=type(error).__name__)
            recorded = attempt
        self.workflow.fail(recorded.task_token, Refused, reason)

    def _sent(self, history: MessageHistory, attempt: Attempt, provider_id: str) -> None:
        count(Metric.SENT, attempt.channel)
        planned = history.message.plan.attempt(attempt.number)
        if planned.step > 1:
            count(Metric.FALLBACK, attempt.channel)
        recorded = self.store.attempts.record_sent(
            attempt.attempt_id, provider_id, self.now(), planned
        )
        self.log.info("sent", provider_id=provider_id)
        if history.fulfilled(recorded):
            self._settlement.settle(recorded, history)
