"""The sign-in page's backend: what the browser gets, and what it never gets."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from examples.sign_in.__main__ import UNAVAILABLE, create_app

API = "https://api.example.com/v1/"
PENDING = {
    "id": "01J",
    "status": "pending",
    "checks_left": 5,
    "next_resend_at": "2026-01-02T12:00:30.000Z",
}
PHONE = "+14255550199"


class Api:
    """Answers the requests of the backend in turn, and remembers them."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]


Browser = Callable[[httpx.AsyncClient], Awaitable[Any]]


def browse(api: Api, do: Browser, host: str = "127.0.0.1") -> Any:
    """What the browser does, with the backend in front of that API."""

    async def run() -> Any:
        transport = httpx.MockTransport(api)
        headers = {"X-Api-Key": "secret"}
        async with httpx.AsyncClient(transport=transport, base_url=API, headers=headers) as client:
            here = httpx.ASGITransport(create_app(client), client=("192.0.2.7", 1))
            async with httpx.AsyncClient(transport=here, base_url=f"http://{host}") as browser:
                return await do(browser)

    return asyncio.run(run())


def told(api: Api, *posts: tuple[str, dict[str, str]]) -> dict[str, Any]:
    """What the last of these requests is answered."""

    async def do(browser: httpx.AsyncClient) -> Any:
        for path, body in posts:
            answer = await browser.post(path, json=body)
        return answer.json()

    found: dict[str, Any] = browse(api, do)
    return found


START = "/start", {"to": PHONE}
CHECK = "/check", {"code": "123456"}


def answered(status: int, document: dict[str, Any], **headers: str) -> httpx.Response:
    return httpx.Response(status, json=document, headers=headers)


def test_a_phone_number_gets_its_code_by_phone_and_the_browser_learns_neither_key_nor_id() -> None:
    api = Api(answered(202, PENDING))

    async def do(browser: httpx.AsyncClient) -> httpx.Response:
        return await browser.post("/start", json={"to": f" {PHONE} "})

    answer = browse(api, do)
    sent = json.loads(api.requests[0].content)
    assert sent["to"] == {"whatsapp": PHONE, "sms": PHONE, "voice": PHONE}
    assert sent["client_ip"] == "192.0.2.7"
    assert api.requests[0].headers["X-Api-Key"] == "secret"
    assert answer.json() == {
        "step": "code",
        "sentence": f"A code was sent to {PHONE}.",
        "resend_at": PENDING["next_resend_at"],
    }
    assert "01J" not in answer.text + str(answer.headers)
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_an_email_address_gets_its_code_by_email() -> None:
    api = Api(answered(202, PENDING))
    told(api, ("/start", {"to": "ana@example.com"}))

    sent = json.loads(api.requests[0].content)
    assert sent["to"] == {"email": "ana@example.com"}
    assert "autofill" not in sent


def test_the_right_code_signs_in_and_ends_the_session() -> None:
    approved = answered(200, {"id": "01J", "status": "approved", "checks_left": 4})
    api = Api(answered(202, PENDING), approved, answered(404, {"detail": "no verification"}))
    done = told(api, START, CHECK)

    assert (done["step"], done["sentence"]) == ("done", "You are signed in.")
    assert api.paths == ["/v1/verifications", "/v1/verifications/01J/check"]
    assert json.loads(api.requests[1].content) == {"code": "123456"}


def test_after_it_the_session_checks_nothing_more() -> None:
    approved = answered(200, {"id": "01J", "status": "approved", "checks_left": 4})
    api = Api(answered(202, PENDING), approved, answered(404, {"detail": "no verification"}))
    again = told(api, START, CHECK, CHECK)

    assert api.paths[-1] == "/v1/verifications/none/check"
    assert again["step"] == "start"


@pytest.mark.parametrize(
    ("status", "document", "step", "sentence"),
    [
        (
            200,
            {"status": "pending", "checks_left": 4},
            "code",
            "That is not the code. 4 tries left.",
        ),
        (200, {"status": "pending", "checks_left": 1}, "code", "That is not the code. 1 try left."),
        (
            200,
            {"status": "max_checks_reached", "checks_left": 0},
            "start",
            "That was one wrong code too many. Ask for a new one.",
        ),
        (409, {"state": "expired"}, "start", "The code has expired. Ask for a new one."),
        (
            409,
            {"state": "approved"},
            "start",
            "The code has already been used. Ask for a new one.",
        ),
        (409, {"state": "cancelled"}, "start", "The sign-in was cancelled. Ask for a new code."),
        (403, {"message": "Forbidden"}, "", UNAVAILABLE),
        (500, {"detail": "Internal Server Error"}, "", UNAVAILABLE),
    ],
)
def test_each_end_of_a_check_has_its_sentence(
    status: int, document: dict[str, Any], step: str, sentence: str
) -> None:
    found = told(Api(answered(202, PENDING), answered(status, document)), START, CHECK)

    assert (found["step"], found["sentence"]) == (step, sentence)


@pytest.mark.parametrize(
    ("limit", "wait", "sentence"),
    [
        ("resend_cooldown", "24", "A code is on its way. Try again in 24 seconds."),
        ("recipient_hour", "1400", "Too many codes were requested. Try again in 24 minutes."),
        ("max_sends", "", "No further code can be sent."),
    ],
)
def test_a_limit_says_when_to_try_again(limit: str, wait: str, sentence: str) -> None:
    headers = {"Retry-After": wait} if wait else {}
    limited = answered(429, {"detail": "too many", "limit": limit}, **headers)
    found = told(Api(answered(202, PENDING), limited), START, ("/resend", {}))

    assert (found["step"], found["sentence"]) == ("", sentence)


def test_a_resend_keeps_the_form_and_says_from_when_on_the_next_one_is_possible() -> None:
    later = {**PENDING, "next_resend_at": "2026-01-02T12:01:00.000Z"}
    api = Api(answered(202, PENDING), answered(200, later))
    found = told(api, START, ("/resend", {}))

    assert found["step"] == "code"
    assert found["resend_at"] == later["next_resend_at"]
    assert api.paths[-1] == "/v1/verifications/01J/resend"


def test_an_invalid_number_is_explained_and_starts_no_session() -> None:
    invalid = answered(400, {"errors": [{"pointer": "/to/sms", "detail": "must be …"}]})

    async def do(browser: httpx.AsyncClient) -> httpx.Response:
        return await browser.post("/start", json={"to": "12"})

    answer = browse(Api(invalid), do)
    assert "Enter a phone number" in answer.json()["sentence"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "answer", [httpx.ConnectError("refused"), httpx.Response(502, text="<html>")]
)
def test_an_api_that_does_not_respond_is_one_sentence(answer: httpx.Response | Exception) -> None:
    assert told(Api(answer), START)["sentence"] == UNAVAILABLE


def test_a_form_of_another_site_starts_nothing() -> None:
    api = Api(answered(400, {"errors": []}))

    async def do(browser: httpx.AsyncClient) -> httpx.Response:
        return await browser.post("/start", data={"to": PHONE})

    browse(api, do)
    assert set(json.loads(api.requests[0].content)["to"].values()) == {""}


def test_another_name_for_this_machine_is_refused() -> None:
    async def do(browser: httpx.AsyncClient) -> httpx.Response:
        return await browser.get("/")

    assert browse(Api(), do, host="rebound.example.com").status_code == 400
    page = browse(Api(), do)
    assert 'autocomplete="one-time-code"' in page.text
    assert "<noscript>" in page.text
