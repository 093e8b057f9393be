"""What a recipient can do with a message, how it is called, and why it cannot be done now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from console.phones.carriers import Outcome
from console.phones.threads import Message
from console.words import listed

ACTS: Final = ("receive", "read", "silence", "refuse", "reply")
LABELS: Final = {
    "receive": "Receive now",
    "read": "Read",
    "refuse": "Refuse",
    "reply": "Reply",
    "silence": "Stay silent",
}
DONE: Final = {
    "receive": "Received",
    "read": "Read",
    "refuse": "Refused",
    "reply": "Answered",
    "silence": "The person stays silent",
}
# What refusing a mail becomes once it has arrived.
COMPLAINT: Final = "Complaint"


@dataclass(frozen=True)
class Act:
    """One act on one message; `hindrance` None: it can be done now."""

    name: str
    label: str
    hindrance: str | None
    choices: Mapping[str, str]


def offered(message: Message, channel: str, refusals: Mapping[str, str]) -> list[Act]:
    """All acts, those that can be done now first, the others with the reason. Of a refusal that has
    several forms one can be chosen.
    """
    return [
        Act(
            name,
            _label(name, message, channel),
            None if name in message.may else _hindrance(name, message, channel),
            refusals if name == "refuse" and not message.arrived else {},
        )
        for name in sorted(ACTS, key=lambda name: name not in message.may)
    ]


def nothing_left(message: Message) -> str | None:
    """Why nothing at all can be done with the message; None if something can."""
    if message.may:
        return None
    if message.provider_id is None:
        return "The provider refused it: there is nothing the recipient could do."
    return "It never arrived: there is nothing the recipient could do."


def _label(name: str, message: Message, channel: str) -> str:
    if channel == "email" and name == "read":
        return "Open"
    if channel == "email" and name == "refuse" and message.arrived:
        return "Report as spam"
    return LABELS[name]


def _hindrance(name: str, message: Message, channel: str) -> str:
    if never := NEVER.get((channel, name)):
        return never
    if message.silent and name == "silence":
        return "The person stays silent already."
    if message.state == "complained" and name == "refuse":
        return "It is reported as spam already."
    return TOO_LATE[name]


NEVER: Final = {
    ("sms", "read"): "An SMS has no read receipt.",
    ("email", "reply"): "The provider tells nobody of answers to an email.",
    ("sms", "reply"): "This sender takes no answers.",
}
TOO_LATE: Final = {
    "receive": "It has arrived already.",
    "read": "It is read already.",
    "refuse": "It has arrived: it is too late to refuse it.",
    "reply": "It cannot be answered.",
    "silence": "Nothing is expected any more.",
}


def told(act: str, outcome: Outcome) -> str:
    """What happened, in a sentence or two, with the provider's words."""
    done = "Reported as spam" if COMPLAINT in outcome.receipts else DONE.get(act, act)
    sentences = [f"{done}: {_went_out(outcome)}."]
    if outcome.cancelled:
        words = ", ".join(dict.fromkeys(outcome.cancelled))
        sentences.append(f"No longer to come: {words}.")
    if outcome.failure:
        sentences.append(outcome.failure)
    return " ".join(sentences)


def _went_out(outcome: Outcome) -> str:
    words = [*outcome.receipts, *(["the reply"] if outcome.replied else [])]
    if not words:
        return "no receipt went out"
    return f"{listed(words)} {'did not all get out' if outcome.failure else 'went out'}"
