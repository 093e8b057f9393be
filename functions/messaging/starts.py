"""Starts executions for queued requests, named after their messages, at the stack's rate."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from messaging.domain.errors import NotQueued, Throttled, Unstartable
from messaging.metrics import Metric, count

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from messaging.ports import RequestsQueue

# Seconds until a request is delivered again: doubled each time, up to the longest.
FIRST_BACK_OFF, LONGEST_BACK_OFF = 5, 300
# The input of a state has at most 262,144 bytes, and in `Plan message` it contains the request and
# up to 1 KiB more: the function's ARN, the message's id and the time of the start.
# docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html, "Quotas related to state
# machine executions"
MAX_DIRECT_BYTES = 261_120


@dataclass(frozen=True, slots=True)
class QueuedRequest:
    """A request as the queue delivers it. A planned message has its id as an attribute; any other
    request is named after its SQS message, whose id stays the same when it is delivered again.
    """

    queue_id: str
    name: str
    body: str
    receipt_handle: str
    deliveries: int

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Reads one record of Lambda's SQS event."""
        planned = record["messageAttributes"].get("message_id", {}).get("stringValue")
        return cls(
            queue_id=record["messageId"],
            name=planned or record["messageId"],
            body=record["body"],
            receipt_handle=record.get("receiptHandle", ""),
            deliveries=int(record.get("attributes", {}).get("ApproximateReceiveCount", "1")),
        )

    @property
    def back_off(self) -> int:
        """Seconds until it is delivered again."""
        return min(FIRST_BACK_OFF << min(self.deliveries - 1, 10), LONGEST_BACK_OFF)


class StartPace:
    """Leaves at least `interval` seconds between two starts of a container, also of two batches.

    As the number of concurrent batches is limited, the stack stays below its share of the
    StartExecution quota. A start waits for the one before it, not for the one after it: Lambda
    bills the time of a function that sleeps.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next = 0.0

    def wait(self) -> None:
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._interval


@dataclass(frozen=True, slots=True)
class Starter:
    """Starts executions at this pace. `start` returns whether it started one."""

    start: Callable[[str, str], bool]
    dead_letters: "RequestsQueue"
    pace: StartPace
    log: "Logger"

    def not_started(self, requests: Sequence[QueuedRequest]) -> list[QueuedRequest]:
        """Starts each, and returns those that must be delivered again."""
        return [left for request in requests if (left := self._start_or_keep(request))]

    def _start_or_keep(self, request: QueuedRequest) -> QueuedRequest | None:
        """The request if it must be delivered again."""
        try:
            self._start_or_dead_letter(request)
        except (Throttled, NotQueued, ClientError, BotoCoreError) as error:
            self.log.warning(
                "not started, the request remains in the queue",
                message_id=request.name,
                error=type(error).__name__,
            )
            return request
        return None

    def _start_or_dead_letter(self, request: QueuedRequest) -> None:
        """A request that cannot be started is moved to the dead-letter queue at once, with the
        reason, and with its name for a redrive.
        """
        try:
            self._start(request)
        except Unstartable as error:
            attributes = {"message_id": request.name, "reason": str(error)}
            self.dead_letters.put(request.body, attributes)
            self.log.warning(
                "cannot be started, moved to the dead-letter queue",
                message_id=request.name,
                reason=str(error),
            )

    def _start(self, request: QueuedRequest) -> None:
        size = len(request.body.encode(errors="surrogatepass"))
        if size > MAX_DIRECT_BYTES:
            raise Unstartable(f"the request has {size} bytes; the maximum is {MAX_DIRECT_BYTES}")
        self.pace.wait()
        try:
            started = self.start(request.name, request.body)
        except Throttled:
            count(Metric.START_THROTTLED)
            raise
        if started:
            self.log.debug("delivery started", message_id=request.name)
        else:
            self.log.info("delivery was already started", message_id=request.name)
