"""The messages of the benchmark, to fictitious recipients, and how each must end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from messaging.channels.catalog import channels

# Long enough that no wait ends on a busy machine.
LONG_WAIT_SECONDS = 600
SHORT_WAIT_SECONDS = 5
# A recipient who gets everything, by kind of address.
ADDRESSES = {"phone": "+14255550100", "email": "ana@example.com"}


@dataclass(frozen=True)
class LoadScenario:
    """A request, the final status of its message, and the final status of each attempt.

    `busy_calls`: the calls that the provider rejects because it is busy, before it accepts one.
    """

    name: str
    steps: tuple[Mapping[str, Any], ...]
    to: Mapping[str, str]
    status: str
    attempts: tuple[tuple[str, str], ...]
    share: int
    busy_calls: int = 0

    @property
    def planned_timeout_seconds(self) -> int:
        """Seconds of waits that end in a timeout as planned: they are not a delay of the stack."""
        planned = zip(self.steps, self.attempts, strict=False)
        return sum(step["wait_seconds"] for step, (_, end) in planned if end == "timed_out")

    @property
    def request(self) -> dict[str, Any]:
        content = {"subject": "Your table", "text": "Your table for two is booked for 8 o'clock."}
        return {"to": dict(self.to), "content": content, "steps": list(self.steps)}


def _whatsapp_then_sms(first_wait: int = LONG_WAIT_SECONDS) -> tuple[Mapping[str, Any], ...]:
    return (
        {"channel": "whatsapp", "wait_seconds": first_wait},
        {"channel": "sms", "wait_seconds": LONG_WAIT_SECONDS},
    )


def _recipient(ending: str, sms_ending: str | None = None) -> dict[str, str]:
    return {"whatsapp": f"+1425555{ending}", "sms": f"+1425555{sms_ending or ending}"}


# Only counted, not mixed with the others. The simulator is busy for two calls to this recipient.
BUSY = LoadScenario(
    "provider busy twice",
    _whatsapp_then_sms(),
    _recipient("0140", "0100"),
    "delivered",
    (("whatsapp", "delivered"),),
    share=0,
    busy_calls=2,
)
# `share`: the number of these among twenty mixed messages.
SCENARIOS = (
    LoadScenario(
        "delivered first",
        _whatsapp_then_sms(),
        _recipient("0100"),
        "delivered",
        (("whatsapp", "delivered"),),
        10,
    ),
    LoadScenario(
        "fallback by receipt",
        _whatsapp_then_sms(),
        _recipient("0156"),
        "delivered",
        (("whatsapp", "failed"), ("sms", "delivered")),
        4,
    ),
    LoadScenario(
        "refused at the call",
        _whatsapp_then_sms(),
        _recipient("0110", "0100"),
        "delivered",
        (("whatsapp", "failed"), ("sms", "delivered")),
        2,
    ),
    LoadScenario(
        "fallback by timeout",
        _whatsapp_then_sms(SHORT_WAIT_SECONDS),
        _recipient("0157"),
        "delivered",
        (("whatsapp", "timed_out"), ("sms", "delivered")),
        1,
    ),
    LoadScenario(
        "exhausted",
        _whatsapp_then_sms(),
        _recipient("0158"),
        "undelivered",
        (("whatsapp", "failed"), ("sms", "failed")),
        1,
    ),
    LoadScenario(
        "broadcast",
        ({"broadcast": list(channels()), "wait_seconds": LONG_WAIT_SECONDS},),
        {name: ADDRESSES[one.address] for name, one in channels().items()},
        "delivered",
        tuple((name, "delivered") for name in channels()),
        2,
    ),
)


# In a burst of a thousand messages most functions run only after a short wait is over, and then
# correctly send nothing. So a burst contains no scenario with a planned timeout.
SCENARIOS_WITHOUT_TIMEOUT = tuple(one for one in SCENARIOS if not one.planned_timeout_seconds)


def mixed(number: int, among: Sequence[LoadScenario] = SCENARIOS) -> list[LoadScenario]:
    """Scenarios evenly mixed by their shares, in the same order every time."""
    return [scenario for scenario, _ in zip(cycle(_round(among)), range(number), strict=False)]


def _round(among: Sequence[LoadScenario]) -> Iterator[LoadScenario]:
    """One round, in which each scenario is evenly spread."""
    turns = [
        ((turn + 0.5) / one.share, order, one)
        for order, one in enumerate(among)
        for turn in range(one.share)
    ]
    return (one for _, _, one in sorted(turns, key=lambda each: each[:2]))
