"""What the benchmark sends, to fictitious recipients, and what must become of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

# Long enough that a full machine ends no wait by itself.
PATIENT = 600
SHORTEST_WAIT = 5


@dataclass(frozen=True)
class LoadScenario:
    """A request, the status of its message at the end, and that of each of its attempts."""

    name: str
    steps: tuple[Mapping[str, Any], ...]
    to: Mapping[str, str]
    status: str
    attempts: tuple[tuple[str, str], ...]
    share: int

    @property
    def waits_in_vain(self) -> int:
        """Seconds of its plan in which nothing is to come: no delay of the stack's."""
        planned = zip(self.steps, self.attempts, strict=False)
        return sum(step["wait_seconds"] for step, (_, end) in planned if end == "timed_out")

    @property
    def request(self) -> dict[str, Any]:
        content = {"subject": "Your table", "text": "Your table for two is booked for 8 o'clock."}
        return {"to": dict(self.to), "content": content, "steps": list(self.steps)}


def _then(first_wait: int = PATIENT) -> tuple[Mapping[str, Any], ...]:
    return (
        {"channel": "whatsapp", "wait_seconds": first_wait},
        {"channel": "sms", "wait_seconds": PATIENT},
    )


def _person(ending: str, sms_ending: str | None = None) -> dict[str, str]:
    return {"whatsapp": f"+1425555{ending}", "sms": f"+1425555{sms_ending or ending}"}


# `share`: so many of twenty mixed messages.
SCENARIOS = (
    LoadScenario(
        "delivered first", _then(), _person("0100"), "delivered", (("whatsapp", "delivered"),), 10
    ),
    LoadScenario(
        "fallback by receipt",
        _then(),
        _person("0156"),
        "delivered",
        (("whatsapp", "failed"), ("sms", "delivered")),
        4,
    ),
    LoadScenario(
        "refused at the call",
        _then(),
        _person("0110", "0100"),
        "delivered",
        (("whatsapp", "failed"), ("sms", "delivered")),
        2,
    ),
    LoadScenario(
        "fallback by time-out",
        _then(SHORTEST_WAIT),
        _person("0157"),
        "delivered",
        (("whatsapp", "timed_out"), ("sms", "delivered")),
        1,
    ),
    LoadScenario(
        "exhausted",
        _then(),
        _person("0158"),
        "undelivered",
        (("whatsapp", "failed"), ("sms", "failed")),
        1,
    ),
    LoadScenario(
        "broadcast",
        ({"broadcast": ["whatsapp", "sms", "email"], "wait_seconds": PATIENT},),
        {**_person("0100"), "email": "ana@example.com"},
        "delivered",
        (("whatsapp", "delivered"), ("sms", "delivered"), ("email", "delivered")),
        2,
    ),
)


# In a burst of a thousand most functions come to run only after such a wait is over, and then
# rightly send nothing; so a burst holds no message that is to wait in vain. Paced runs do.
PATIENT_SCENARIOS = tuple(one for one in SCENARIOS if not one.waits_in_vain)


def mixed(number: int, among: Sequence[LoadScenario] = SCENARIOS) -> list[LoadScenario]:
    """So many scenarios by their shares, evenly mixed, the same every time."""
    return [scenario for scenario, _ in zip(cycle(_round(among)), range(number), strict=False)]


def _round(among: Sequence[LoadScenario]) -> Iterator[LoadScenario]:
    """Each scenario's turns are spread over the round."""
    turns = [
        ((turn + 0.5) / one.share, order, one)
        for order, one in enumerate(among)
        for turn in range(one.share)
    ]
    return (one for _, _, one in sorted(turns, key=lambda each: each[:2]))
