"""Compares each message with the expected end of its scenario: lost, sent twice, or wrong."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.scenarios import LoadScenario
from messaging.domain.messages import AttemptId

FINAL = frozenset(
    {"delivered", "sent", "undelivered", "expired", "rejected", "confirmed", "cancelled"}
)
OK = 200
# The answers to the checks of a right code.
APPROVED, TOO_LATE = "approved", "409 approved"


@dataclass(frozen=True)
class Verdicts:
    """Numbers of messages; a message counts once, as the worst of the three."""

    messages: int
    lost: int
    duplicated: int
    wrong: int

    @property
    def clean(self) -> bool:
        return not (self.lost or self.duplicated or self.wrong)


def judged(verdicts: Iterable[str]) -> Verdicts:
    found = Counter(verdicts)
    return Verdicts(found.total(), found["lost"], found["duplicated"], found["wrong"])


def verdict(
    scenario: LoadScenario, message: Mapping[str, Any], calls: Sequence[Mapping[str, Any]]
) -> str:
    """`lost`: no final status, or a planned call that no provider received.
    `duplicated`: an attempt was accepted twice.
    `wrong`: another status, other attempts, or a published receipt that is not recorded.
    """
    accepted = Counter(attempt_of(call) for call in calls if call["answer"]["status"] == OK)
    called = {attempt_of(call) for call in calls}
    if any(number > 1 for number in accepted.values()):
        return "duplicated"
    if message.get("status") not in FINAL or len(called) < len(scenario.attempts):
        return "lost"
    return "ok" if _as_planned(scenario, message, calls) else "wrong"


@dataclass(frozen=True)
class CodeVerdicts:
    """Numbers of verifications; one counts once, as the first of these that it is."""

    verifications: int
    approved_twice: int
    sent_twice: int
    lost: int
    wrong: int

    @property
    def clean(self) -> bool:
        return not (self.approved_twice or self.sent_twice or self.lost or self.wrong)


def judged_codes(verdicts: Iterable[str]) -> CodeVerdicts:
    found = Counter(verdicts)
    kinds = ("approved twice", "duplicated", "lost", "wrong")
    return CodeVerdicts(found.total(), *(found[kind] for kind in kinds))


def code_verdict(of_its_message: str, checks: Sequence[str]) -> str:
    """The verdict of a verification: from that of its message, and from the statuses with which
    the checks of the right code were answered. One is `approved`, each other one is too late.
    """
    approvals = checks.count(APPROVED)
    if approvals > 1:
        return "approved twice"
    if of_its_message != "duplicated" and not approvals:
        return "lost"
    if of_its_message == "ok" and set(checks) - {APPROVED, TOO_LATE}:
        return "wrong"
    return of_its_message


def _as_planned(
    scenario: LoadScenario, message: Mapping[str, Any], calls: Sequence[Mapping[str, Any]]
) -> bool:
    attempts = tuple((one["channel"], one["status"]) for one in message["attempts"])
    recorded = Counter(one["word"] for one in message["timeline"] if one["event"] == "receipt")
    return (
        message["status"] == scenario.status
        and attempts == scenario.attempts
        and len(calls) == len(scenario.attempts) + scenario.busy_calls
        and recorded.total() == sum(len(published(call)) for call in calls)
    )


def published(call: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [receipt for receipt in call["receipts"] if receipt["published_at"]]


def attempt_of(call: Mapping[str, Any]) -> tuple[str, int]:
    """The message id and the attempt number, from the data that a provider returns in receipts."""
    echo = call["echo"]
    for value in echo.values():
        if attempt := AttemptId.parse(value):
            return attempt.message_id, attempt.number
    return echo["message_id"], int(echo["attempt"])
