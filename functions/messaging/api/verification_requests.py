"""Checks the request of a verification: what is to be sent, or all its problems at once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from messaging.api.code_languages import language_of
from messaging.api.completeness import missing_problems
from messaging.api.surrogates import surrogate_problems
from messaging.api.validation import Location, validated
from messaging.api.verification_models import CodeAutofill, VerificationBody
from messaging.channels.catalog import channels
from messaging.channels.content import channel_contents
from messaging.codes.starting import RequestedVerification
from messaging.domain.errors import InvalidRequest, Problem
from messaging.domain.plan import RequestedStep
from messaging.domain.verifications import (
    MAX_SENDS,
    Alphabet,
    Autofill,
    Verification,
    code_steps,
)

DEFAULT_LENGTH, DEFAULT_MAX_CHECKS = 6, 5


@dataclass(frozen=True, slots=True)
class CodeDefaults:
    """What the stack adds to a request: the senders by channel, the channels that can send codes,
    and the brand.
    """

    senders: Mapping[str, str]
    channels: Sequence[str]
    brand: str


def check(body: object, defaults: CodeDefaults) -> RequestedVerification:
    """The verification in a JSON document. Raises `InvalidRequest` with every problem."""
    if problems := surrogate_problems(body):
        raise InvalidRequest(problems)
    model, invalid = validated(VerificationBody, body)
    locations = [one.location for one in invalid]
    planned = _with_steps(body, defaults)
    problems = [
        *(one.problem for one in invalid),
        *missing_problems(planned, locations, defaults.senders, needs_content=False),
        *_problems(planned, locations, defaults),
    ]
    if model is None or problems:
        raise InvalidRequest(problems)
    return _requested(model, planned, defaults)


def _with_steps(body: object, defaults: CodeDefaults) -> dict[str, Any]:
    """The body with a step for each channel of `to`, if it has no steps."""
    given: dict[str, Any] = dict(body) if isinstance(body, dict) else {}
    to = given.get("to") or {}
    if "steps" in given or not isinstance(to, dict):
        return given
    able = [
        one
        for one in channels()
        if one in to
        and one in defaults.channels
        and _sender(given, one, defaults)
        and not _payment_problem(given, one, defaults)
    ]
    return given | {"steps": [{"channel": one} for one in able]}


def _sender(body: Mapping[str, Any], channel: str, defaults: CodeDefaults) -> str:
    """The one that the request names, or the stack's; empty if there is none."""
    named = body.get("from")
    if isinstance(named, dict) and channel in named:
        return str(named[channel])
    return defaults.senders.get(channel, "")


def _payment_problem(body: Mapping[str, Any], channel: str, defaults: CodeDefaults) -> str | None:
    """Why the channel cannot send the code of this payment; None if it can, or if it is none."""
    if not {"payee", "amount"} & body.keys():
        return None
    return channel_contents()[channel].payment_problem(_sender(body, channel, defaults))


def _problems(
    body: Mapping[str, Any], invalid: Collection[Location], defaults: CodeDefaults
) -> Iterator[Problem]:
    """What no single field shows."""
    yield from _step_problems(body, invalid, defaults)
    for one, other in (("payee", "amount"), ("amount", "payee")):
        if other in body and one not in body:
            yield Problem(f"/{one}", f"is required, because {other} is given")
    if "code" in body and "max_checks" in body:
        yield Problem("/max_checks", "must be omitted: you compare a code of your own yourself")


def _step_problems(
    body: Mapping[str, Any], invalid: Collection[Location], defaults: CodeDefaults
) -> Iterator[Problem]:
    steps = body.get("steps")
    if not isinstance(steps, list) or any(one[:1] == ("steps",) for one in invalid):
        return
    if not steps and ("to",) not in invalid and isinstance(body.get("to"), dict):
        able = [one for one in defaults.channels if not _payment_problem(body, one, defaults)]
        what = "the code of a payment" if able != [*defaults.channels] else "codes"
        named = " or ".join(able)
        yield Problem("/to", f"must name a channel that can send {what} and has a sender: {named}")
        return
    yield from _channel_problems(body, steps, defaults)
    if sum(map(len, map(_channels, steps))) > MAX_SENDS:
        yield Problem("/steps", f"must not have more than {MAX_SENDS} channels in all")
    if steps and "wait_seconds" in steps[-1]:
        pointer = f"/steps/{len(steps) - 1}/wait_seconds"
        yield Problem(pointer, "must be omitted: the last step waits until the code expires")


def _channel_problems(
    body: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], defaults: CodeDefaults
) -> Iterator[Problem]:
    for number, step in enumerate(steps):
        field = "channel" if "channel" in step else "broadcast"
        for channel in _channels(step):
            detail = _payment_problem(body, channel, defaults)
            if channel not in defaults.channels:
                detail = f"{channel} cannot send codes in this stack: it has no template for them"
            if detail:
                yield Problem(f"/steps/{number}/{field}", detail)


def _channels(step: Mapping[str, Any]) -> list[str]:
    return [step["channel"]] if "channel" in step else step["broadcast"]


def _requested(
    model: VerificationBody, body: Mapping[str, Any], defaults: CodeDefaults
) -> RequestedVerification:
    steps = code_steps([_step(one) for one in body["steps"]], model.expires_in_seconds)
    document = model.model_dump(
        mode="json",
        by_alias=True,
        exclude_unset=True,
        include={"to", "from_", "code", "metadata"},
    )
    document |= {
        "category": "authentication",
        "steps": [
            {"broadcast": list(one.channels)} if one.broadcast else {"channel": one.channels[0]}
            for one in steps
        ],
    }
    return RequestedVerification(
        document, steps, model.expires_in_seconds, _policy(model, defaults), model.client_ip
    )


def _step(step: Mapping[str, Any]) -> RequestedStep:
    return RequestedStep(tuple(_channels(step)), "broadcast" in step, step.get("wait_seconds"))


def _policy(model: VerificationBody, defaults: CodeDefaults) -> Verification:
    own = model.code
    return Verification(
        purpose=model.purpose,
        length=len(own) if own else model.length or DEFAULT_LENGTH,
        alphabet=Alphabet(model.alphabet),
        max_checks=model.max_checks or DEFAULT_MAX_CHECKS,
        brand=model.brand or defaults.brand,
        language=model.language or language_of(model.to.model_dump(exclude_none=True).values()),
        autofill=_autofill(model.autofill),
        payee=model.payee,
        amount=model.amount,
        own_code=own is not None,
    )


def _autofill(given: CodeAutofill | None) -> Autofill | None:
    return Autofill(given.domain, given.embedded, given.android) if given else None
