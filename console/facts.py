"""All that is known of one message: what the store has, and what its execution did."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from console.execution import Execution, Visit
from console.words import channel
from messaging.api import http
from messaging.domain.messages import Attempt, MessageHistory, Plan, PlannedAttempt
from messaging.domain.statuses import FINAL, MessageStatus

# What SQS calls a message, and Step Functions an execution that is started without a name.
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NO_PLAN: Final = Plan(())
# What the workflow itself ends in, where the store has no message.
_STATUS_OF_ERROR: Final = {"InvalidRequest": "rejected", "Expired": "expired"}


class Door(StrEnum):
    """By which way a message came, as far as it shows."""

    API = "api"
    DIRECT = "direct"
    QUEUE_OR_DIRECT = "queue or direct"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Facts:
    """`story` None: nothing is stored yet or, `erased`, any more. `execution` None: not started,
    or gone by now. One of the two is there.
    """

    message_id: str
    story: MessageHistory | None
    receipts: Sequence[Mapping[str, Any]]
    execution: Execution | None
    erased: bool = False

    @cached_property
    def since(self) -> datetime:
        """When the message was accepted: times count from here."""
        if self.story:
            return self.story.message.accepted_at
        assert self.execution  # noqa: S101 - one of the two is there
        return self.execution.started_at

    @cached_property
    def told(self) -> Mapping[str, Any]:
        """What the API tells of the message; empty where nothing is stored."""
        return http.message_document(self.story, self.receipts) if self.story else {}

    @property
    def status(self) -> str:
        if self.told:
            return str(self.told["status"])
        if self.execution is None or self.execution.status is None:
            return "accepted"
        if self.execution.status == "SUCCEEDED":
            said = self.execution.visits[-1].gave.get("status")
            return said if said in set(MessageStatus) else MessageStatus.DELIVERED
        return _STATUS_OF_ERROR.get(self.execution.error or "", "undelivered")

    @property
    def over(self) -> bool:
        """Whether nothing but late receipts can come."""
        if self.execution:
            return self.execution.status is not None
        return self.status not in {"accepted", "in_progress"}

    @property
    def settled(self) -> bool:
        """Whether the store says how it ended; it may say so a moment after the execution."""
        return self.over and (self.story is None or self.status in FINAL)

    @property
    def door(self) -> Door:
        if self.execution is None:
            return Door.UNKNOWN if self.over else Door.API
        if self.execution.planned_elsewhere:
            # The API stores a message before it puts its route on the queue; others can only claim.
            return Door.API if self.story or self.erased else Door.UNKNOWN
        return Door.QUEUE_OR_DIRECT if _UUID.fullmatch(self.message_id) else Door.DIRECT

    @property
    def plan(self) -> Plan:
        return self.story.message.plan if self.story else _NO_PLAN

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return self.story.attempts if self.story else ()

    @property
    def request(self) -> Mapping[str, Any]:
        """As it was checked and stored; one that could not be, as it was given."""
        if self.story and self.story.message.request:
            return self.story.message.request
        given = self.execution.given if self.execution else {}
        return given if self.door is not Door.API else {}

    def planned(self, number: int) -> PlannedAttempt | None:
        return next((one for one in self.plan.attempts if one.number == number), None)

    def asked(self, step: int) -> str:
        """The channels of a step as they were asked for, also where the plan dropped it."""
        asked = self._steps[step - 1]
        return ", ".join(map(channel, asked.get("broadcast") or [asked["channel"]]))

    def broadcasts(self, step: int) -> bool:
        """Whether the step is one, also where it names a single channel."""
        return "broadcast" in self._steps[step - 1]

    @cached_property
    def sending(self) -> Mapping[int, Visit]:
        """The visit of a sending state for each attempt that was begun."""
        visits = self.execution.visits if self.execution else ()
        return {one.attempt: one for one in visits if one.attempt is not None}

    @property
    def ahead(self) -> frozenset[str]:
        """The words of the route on which the message may still go."""
        later = (one for one in self.plan.attempts if one.number not in self.sending)
        begun = {planned.step for n in self.sending if (planned := self.planned(n))}
        coming = [one for one in later if one.step not in begun]
        return frozenset(
            "broadcast" if self.broadcasts(one.step) else one.channel for one in coming
        )

    @property
    def shows_branches(self) -> bool:
        """Whether this message has to do with a Parallel state."""
        return any("broadcast" in step for step in self._steps)

    @property
    def _steps(self) -> Sequence[Mapping[str, Any]]:
        """Of the checked request: what was only given may have any form."""
        return self.story.message.request.get("steps", []) if self.story else []
