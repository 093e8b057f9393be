"""What the caller of a message can still do with it: confirm, advance or cancel it, by the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin

import httpx

from console.facts import MessageFacts
from console.installation import Local
from console.notices import Notice
from console.timeline.steps import step_name
from console.words import capital, small
from messaging.domain.messages import MessageHistory
from messaging.domain.statuses import FINAL, MessageStatus

# API Gateway's own timeout is 29 seconds.
TIMEOUT_SECONDS: Final = 35
# By action: the sentence after it succeeded.
DONE: Final = {
    "confirm": "Confirmed: nothing more is sent.",
    "advance": "The step is over, and the next one begins.",
    "resend": "Another send of the code was requested.",
    "cancel": "Cancelled: no further step begins. What was sent may still arrive.",
}
# Those of a verification have rules of their own, such as limits.
OF_VERIFICATIONS: Final = frozenset({"resend", "cancel"})


@dataclass(frozen=True, slots=True)
class CallerAction:
    """A button. `step`: the step that it ends, if it ends one."""

    name: str
    label: str
    step: int | None = None


def offered(facts: MessageFacts) -> list[CallerAction]:
    """The actions that are possible now; a message that ends in this moment may refuse them."""
    if facts.history is None or not facts.plan.steps:
        return []
    history = facts.history
    code = facts.verification is not None
    going_on = history.status not in FINAL
    possible = {
        CallerAction("confirm", "Confirm"): not facts.checked_here and _may_be_confirmed(history),
        CallerAction("resend", "Send the code again"): code and going_on,
        CallerAction("cancel", "Cancel"): going_on,
    }
    if going_on and not code:
        possible |= _advance(history)
    order = [*DONE]
    actions = (one for one, is_possible in possible.items() if is_possible)
    return sorted(actions, key=lambda one: order.index(one.name))


def _may_be_confirmed(history: MessageHistory) -> bool:
    """Also after it ended: the recipient may have done it after all."""
    refused = history.status in {MessageStatus.REJECTED, MessageStatus.CONFIRMED}
    return not refused and history.message.cancelled_at is None


def _advance(history: MessageHistory) -> dict[CallerAction, bool]:
    steps = history.message.plan.steps
    current = max([1, history.message.advanced_to, *map(history.step, history.attempts)])
    following = next((one for one in steps if one.number > current), None)
    if following is None:
        return {}
    return {CallerAction("advance", f"Advance to {small(step_name(following))}", current): True}


def act(facts: MessageFacts, name: str, step: int | None, local: Local) -> Notice:
    """Asks the API, and says in one sentence what came of it."""
    of_verification = facts.verification is not None and name in OF_VERIFICATIONS
    parent = urljoin(local.api_url, "verifications") if of_verification else local.api_url
    body = {} if step is None else {"step": step}
    try:
        response = httpx.post(
            f"{parent}/{facts.message_id}/{name}",
            json=body,
            headers={"X-Api-Key": local.api_key},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )
    except httpx.HTTPError as error:
        return Notice(f"The API did not respond: {error}. It can be repeated.", good=False)
    if response.is_success:
        return Notice(DONE[name], good=True)
    return Notice(_refusal(response), good=False)


def _refusal(response: httpx.Response) -> str:
    document = _document(response)
    detail = str(document.get("detail") or document.get("message") or "no reason given")
    if response.status_code == httpx.codes.CONFLICT:
        return f"It is too late: {detail.rstrip('.')}."
    sentence = f"{capital(detail).rstrip('.')}."
    if wait := response.headers.get("Retry-After"):
        return f"{sentence} Try again in {wait} s."
    return f"The API responded with {response.status_code}: {sentence}"


def _document(response: httpx.Response) -> Mapping[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
