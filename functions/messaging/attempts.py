"""One attempt on one channel: claimed, checked, and sent to its provider at most once."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from messaging.channels import Channel
from messaging.domain.content import Delivery, delivery
from messaging.domain.errors import Ambiguous, Expired, MissingSetting, Refused, Unavailable
from messaging.domain.messages import CAME_TOO_LATE, Attempt, AttemptId, MessageHistory
from messaging.domain.statuses import CLOSED, AttemptStatus
from messaging.metrics import Metric, count
from messaging.ports import Clock, WaitingStates
from messaging.settlement import Settlement

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from messaging.store import Store


class Decision(Enum):
    """What is done with an attempt whose function runs, while no other step has succeeded."""

    SEND = "it has not been sent, and is still needed"
    SETTLE = "it was sent before; its status decides what its state is answered"
    TOO_LATE = "the workflow has continued without it, or the message was closed"
    EXPIRED = "the message expired"


def decision(
    history: MessageHistory, attempt: Attempt, *, claimed: bool, now: datetime
) -> Decision:
    """`claimed`: whether the caller may send the attempt."""
    unsent = _unsent(attempt, claimed=claimed)
    if claimed and history.went_on_without(attempt):
        return Decision.TOO_LATE
    if unsent and history.message.status in CLOSED:
        return Decision.TOO_LATE
    if unsent and history.message.expired(now):
        return Decision.EXPIRED
    return Decision.SEND if claimed else Decision.SETTLE


def _unsent(attempt: Attempt, *, claimed: bool) -> bool:
    return claimed or attempt.status is AttemptStatus.SKIPPED


@dataclass(frozen=True, slots=True)
class AttemptRunner:
    """Runs attempts. `channel` returns the channel with a name, `sender` its default sender."""

    store: "Store"
    workflow: WaitingStates
    channel: Callable[[str], Channel]
    sender: Callable[[str], str]
    now: Clock
    log: "Logger"

    @property
    def _settlement(self) -> Settlement:
        return Settlement(self.store, self.workflow, self.now)

    def run(self, attempt_id: AttemptId, channel: str, task_token: str) -> None:
        """Sends the attempt unless it was sent before, and answers its state if its result is
        known.

        The attempt is claimed before the history is read: a concurrent receipt finds its task
        token, or it finds what the receipt recorded.
        """
        attempt, claimed = self.store.attempts.claim(attempt_id, channel, task_token, self.now())
        with self._released_on_failure(attempt, claimed=claimed):
            history, request = self.store.messages.history_and_request(attempt_id.message_id)
            self._time_out_earlier(history, attempt)
            if success := history.success_beside(attempt):
                self._skip(attempt, success, claimed=claimed)
                return
            decided = decision(history, attempt, claimed=claimed, now=self.now())
            if decided is not Decision.SEND:
                self._act_on(decided, history, attempt)
                return
            sending = self.channel(attempt.channel), self._delivery(history, request, attempt)
        self._send(history, attempt, *sending)

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
        """Times out earlier steps without a result: this step runs because their wait is over."""
        for earlier in history.open_before(history.step(attempt)):
            self.store.attempts.time_out(earlier, self.now())

    def _skip(self, attempt: Attempt, success: Attempt, *, claimed: bool) -> None:
        self._settlement.skip(attempt, success, unsent=_unsent(attempt, claimed=claimed))
        self.log.info("skipped, another attempt succeeded")

    def _act_on(self, decided: Decision, history: MessageHistory, attempt: Attempt) -> None:
        """Records why nothing is sent, and answers the state."""
        match decided:
            case Decision.SETTLE:
                self._settlement.settle(attempt, history)
            case Decision.TOO_LATE:
                self._record(attempt, AttemptStatus.TIMED_OUT, CAME_TOO_LATE)
                if history.message.status in CLOSED:
                    self.workflow.fail(attempt.task_token, Expired, CAME_TOO_LATE)
                self.log.warning("not sent, the workflow has continued")
            case _:
                self._record(attempt, AttemptStatus.SKIPPED, "the message expired")
                self.workflow.fail(
                    attempt.task_token, Expired, "the message expired before it was sent"
                )
                self.log.info("skipped, the message expired")

    def _record(self, attempt: Attempt, status: AttemptStatus, reason: str) -> Attempt:
        return self.store.attempts.update_status(attempt.attempt_id, status, self.now(), reason)

    def _delivery(
        self, history: MessageHistory, request: Mapping[str, Any], attempt: Attempt
    ) -> Delivery:
        planned = history.message.plan.attempt(attempt.number)
        sender = self.sender(attempt.channel)
        return delivery(history.message, request, planned, sender, self.now())

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
