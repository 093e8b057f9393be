"""What a recipient can do with a message, the label of each action, and why one is unavailable."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from console.phones.simulator_client import ActionResult
from console.phones.threads import PhoneThread, ThreadMessage
from console.words import listed

ACTIONS: Final = ("receive", "read", "silence", "refuse", "reply")
LABELS: Final = {
    "receive": "Receive now",
    "read": "Read",
    "refuse": "Refuse",
    "reply": "Reply",
    "silence": "Ignore",
}
DONE: Final = {
    "receive": "Received",
    "read": "Read",
    "refuse": "Refused",
    "reply": "Replied",
    "silence": "Ignored",
}
# The receipt of an email that is refused after it arrived.
COMPLAINT: Final = "Complaint"
TOO_LATE: Final = {
    "receive": "The message has already arrived.",
    "read": "The message has already been read.",
    "refuse": "The message has arrived and can no longer be refused.",
    "silence": "No further receipt is expected.",
}


@dataclass(frozen=True)
class OfferedAction:
    """One action on one message. `unavailable` None: it is possible now, else why it is not."""

    name: str
    label: str
    unavailable: str | None
    choices: Mapping[str, str]


def offered(message: ThreadMessage, thread: PhoneThread) -> list[OfferedAction]:
    """All actions, the possible ones first. A refusal has choices if it can take several forms."""
    return [
        OfferedAction(
            name,
            _label(name, message, thread),
            None if name in message.may else _unavailable(name, message),
            thread.refusals if name == "refuse" and not message.arrived else {},
        )
        for name in sorted(ACTIONS, key=lambda name: name not in message.may)
    ]


def nothing_possible(message: ThreadMessage) -> str | None:
    """Why no action is possible on the message; None if one is."""
    if message.may:
        return None
    if message.provider_id is None:
        return "The provider refused the message, so the recipient can do nothing."
    return "The message never arrived, so the recipient can do nothing."


def _label(name: str, message: ThreadMessage, thread: PhoneThread) -> str:
    if thread.is_mailbox and name == "read":
        return "Open"
    if thread.is_mailbox and name == "refuse" and message.arrived:
        return "Report as spam"
    return LABELS[name]


def _unavailable(name: str, message: ThreadMessage) -> str:
    if name in message.unsupported:
        return f"{message.unsupported[name]}."
    if name == "reply" or (message.state == "failed" and name != "silence"):
        return "The message did not arrive."
    if message.silent and name == "silence":
        return "The recipient already ignores the message."
    if message.state == "complained" and name == "refuse":
        return "The message has already been reported as spam."
    return TOO_LATE[name]


def sentence(action: str, result: ActionResult) -> str:
    """What an action caused, with the receipts in the provider's terms."""
    done = "Reported as spam" if COMPLAINT in result.receipts else DONE.get(action, action)
    sentences = [f"{done}.", _published(result)]
    if result.cancelled:
        sentences.append(f"Cancelled: {listed(dict.fromkeys(result.cancelled))}.")
    if result.failure:
        sentences.append(result.failure)
    return " ".join(sentences)


def _published(result: ActionResult) -> str:
    words = [*result.receipts, *(["the reply"] if result.replied else [])]
    if not words:
        return "No receipt was published."
    return f"{'Not fully published' if result.failure else 'Published'}: {listed(words)}."
