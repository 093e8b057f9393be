"""Judges each message by what its scenario must end in: lost, sent twice, or wrong."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.scenarios import LoadScenario

FINAL = frozenset({"delivered", "sent", "undelivered", "expired", "rejected"})
OK = 200


@dataclass(frozen=True)
class Verdicts:
    """How many of the messages; one message counts once, as the worst of the three."""

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
    """`lost`: no final status, or a planned call that no carrier got. `duplicated`: one attempt was
    taken twice. `wrong`: another status, other attempts, or a published receipt that is not noted.
    """
    taken = Counter(attempt_of(call) for call in calls if call["answer"]["status"] == OK)
    asked = {attempt_of(call) for call in calls}
    if any(number > 1 for number in taken.values()):
        return "duplicated"
    if message.get("status") not in FINAL or len(asked) < len(scenario.attempts):
        return "lost"
    return "ok" if _as_planned(scenario, message, calls) else "wrong"


def _as_planned(
    scenario: LoadScenario, message: Mapping[str, Any], calls: Sequence[Mapping[str, Any]]
) -> bool:
    attempts = tuple((one["channel"], one["status"]) for one in message["attempts"])
    noted = Counter(one["word"] for one in message["timeline"] if one["event"] == "receipt")
    return (
        message["status"] == scenario.status
        and attempts == scenario.attempts
        and len(calls) == len(scenario.attempts)
        and noted.total() == sum(len(published(call)) for call in calls)
    )


def published(call: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [receipt for receipt in call["receipts"] if receipt["published_at"]]


def attempt_of(call: Mapping[str, Any]) -> tuple[str, int]:
    """The message's id and the attempt's number, from what the provider is to echo."""
    echo = call["echo"]
    if joined := echo.get("biz_opaque_callback_data"):
        message_id, _, number = joined.rpartition(".")
        return message_id, int(number)
    return echo["message_id"], int(echo["attempt"])
