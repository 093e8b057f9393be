"""What people, tests and the console ask the carriers, in plain JSON."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.actions import ACTS, Impossible, NotNow, check, check_refusal, may
from simulator.aws_model import Json, json_in
from simulator.call import Call
from simulator.changes import LONGEST_WAIT_SECONDS
from simulator.guard import problem
from simulator.provider import Taken
from simulator.sent import Filter
from simulator.simulator import Carriers, Done, now

_BODIES = {
    "refuse": "the body is {} or {receipt}, a text",
    "reply": "the body is {text}, a text that is not empty",
}
_NO_BODY = "the body is {}"
_MOST_DIGITS = 18


class Wrong(ValueError):
    """A request that cannot be understood; the sentence says what is understood."""


class Desk:
    """What went out, what is in force, and receipts on demand."""

    def __init__(self, carriers: Carriers) -> None:
        self._carriers = carriers

    async def sent(self, request: Request) -> Response:
        query = request.query_params
        try:
            limit = _limit(query, 1000)
        except Wrong as error:
            return problem(400, str(error))
        wanted = Filter(query.get("channel"), _to(query), query.get("message_id"))
        calls = self._carriers.sent.newest(wanted, limit)
        return JSONResponse([call.as_json() for call in calls])

    async def clear(self, _: Request) -> Response:
        self._carriers.clear()
        return Response(status_code=204)

    async def report(self, request: Request) -> Response:
        """Makes the recipient of a message produce a receipt now."""
        match await _body(request):
            case {"provider_id": str(provider_id), "receipt": str(word)}:
                return await self._report(provider_id, word)
        return problem(400, "the body is {provider_id, receipt}, both texts")

    async def _report(self, provider_id: str, word: str) -> Response:
        call = self._carriers.sent.find(provider_id)
        if call is None or call.taken is None:
            return problem(404, f"no message went out as '{provider_id}'")
        if call.note:
            return problem(409, call.note)
        try:
            call.provider.check_receipt(word)
        except ValueError as error:
            return problem(400, str(error))
        receipt = await self._carriers.report(call, call.taken, word)
        return JSONResponse(receipt.as_json(), status_code=502 if receipt.failure else 200)

    async def scenarios(self, _: Request) -> Response:
        return JSONResponse(self._carriers.scenarios.model_dump(mode="json"))

    async def health(self, _: Request) -> Response:
        return JSONResponse(
            {
                "status": "ok",
                "under_way": self._carriers.under_way,
                "unpublished": self._carriers.unpublished,
                "change": self._carriers.changes.newest,
            }
        )


class Phones:
    """The recipients' side: what they got, and what they do with it."""

    def __init__(self, carriers: Carriers) -> None:
        self._carriers = carriers

    async def recipients(self, request: Request) -> Response:
        """Who got something by which channel, the newest first."""
        try:
            limit = _limit(request.query_params, 100)
        except Wrong as error:
            return problem(400, str(error))
        threads = self._carriers.sent.newest_threads(limit)
        return JSONResponse([thread.summary() for thread in threads])

    async def thread(self, request: Request) -> Response:
        query = request.query_params
        to, channel = _to(query), query.get("channel")
        if to is None or channel is None:
            return problem(400, "to and channel say whose thread is meant")
        try:
            limit = _limit(query, 100)
        except Wrong as error:
            return problem(400, str(error))
        thread = self._carriers.sent.thread(channel, to)
        if thread is None:
            return problem(404, f"nothing went to '{to}' by '{channel}'")
        return JSONResponse(
            thread.as_json(limit, now()) | {"change": self._carriers.changes.newest}
        )

    async def changes(self, request: Request) -> Response:
        """The number of the newest change, when it is another than the one that is known."""
        query = request.query_params
        try:
            seen, seconds = _seen(query), _seconds(query)
        except Wrong as error:
            return problem(400, str(error))
        newest = await self._carriers.changes.other_than(seen, seconds)
        return JSONResponse({"change": newest})

    async def act(self, request: Request) -> Response:
        """Does with a message what a person does with it on a phone."""
        provider_id, act = request.path_params["provider_id"], request.path_params["act"]
        call = self._carriers.sent.find(provider_id)
        if call is None or call.taken is None:
            return problem(404, f"no message went out as '{provider_id}'")
        if act not in ACTS:
            return problem(404, f"there is no '{act}'; there are {', '.join(ACTS)}")
        body = await _body(request)
        try:
            said = _said(act, body)
            check(call, act, now())
            done = await self._do(call, call.taken, act, said)
        except (Wrong, Impossible) as error:
            return problem(400, str(error))
        except NotNow as error:
            return problem(409, str(error))
        return self._answer(call, done)

    async def _do(self, call: Call, taken: Taken, act: str, said: str | None) -> Done:
        words = ACTS[act].receipts(call)
        two_way = call.provider.two_way
        if act == "reply" and two_way and said:
            _check_length(said, two_way.longest)
            return await self._carriers.reply(call, taken, two_way, words, said)
        if said:
            check_refusal(call, said)
            words = [said]
        return await self._carriers.take_over(call, taken, words, silent=act == "silence")

    def _answer(self, call: Call, done: Done) -> Response:
        provider_id = call.provider_id or ""
        body: Json = {
            "provider_id": provider_id,
            "state": call.state,
            "receipts": [receipt.as_json() for receipt in done.receipts],
            "cancelled": [receipt.word for receipt in done.cancelled],
            "reply": None if done.inbound is None else done.inbound.as_json(provider_id),
            "may": may(call, now()),
            "change": self._carriers.changes.newest,
        }
        if done.failure is None:
            return JSONResponse(body)
        return JSONResponse(body | {"detail": done.failure}, 502)


async def _body(request: Request) -> object:
    """The JSON that came; what is none is none of the bodies that are understood."""
    try:
        return json_in(await request.body())
    except ValueError:
        return None


def _said(act: str, body: object) -> str | None:
    """The one text that an act may have: a reply's, or a refusal's receipt."""
    match act, body:
        case "reply", {"text": str(text), **rest} if text.strip() and not rest:
            return text
        case "refuse", {"receipt": str(word), **rest} if not rest:
            return word
        case "reply", _:
            pass
        case _, {**members} if not members:
            return None
    raise Wrong(_BODIES.get(act, _NO_BODY))


def _check_length(text: str, longest: int) -> None:
    if len(text) > longest:
        raise Wrong(f"a reply here has at most {longest} characters")


def _limit(query: Mapping[str, str], default: int) -> int:
    limit = query.get("limit", str(default))
    if not _is_number(limit) or int(limit) == 0:
        raise Wrong("limit is a number from 1")
    return int(limit)


def _to(query: Mapping[str, str]) -> str | None:
    # An unescaped + of a number arrives as a blank.
    to = query.get("to")
    return None if to is None else to.replace(" ", "+")


def _seen(query: Mapping[str, str]) -> int:
    after = query.get("after", "0")
    if not _is_number(after):
        raise Wrong("after is the number of a change")
    return int(after)


def _seconds(query: Mapping[str, str]) -> float:
    try:
        seconds = float(query.get("wait", "0"))
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LONGEST_WAIT_SECONDS:
        raise Wrong(f"wait is 0 to {LONGEST_WAIT_SECONDS} seconds")
    return seconds


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
