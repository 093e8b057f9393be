"""What the page `Phones` shows of the simulator: people, threads, actions, sentences."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from console.live import Hub, PageUpdate
from console.phones import actions
from console.phones.simulator_client import (
    ActionResult,
    SimulatorClient,
    SimulatorRefused,
    SimulatorUnreachable,
)
from console.phones.threads import PhoneThread, Recipient, ThreadMessage, ThreadReply, persons

AT = "2026-01-02T00:00:03.240Z"
REFUSALS = {"failed:131026": "Message undeliverable", "failed:131047": "Re-engagement message"}
ALL = ["receive", "read", "refuse", "silence", "reply"]
NOBODY = "http://127.0.0.1:9"


def receipt(word: str, published_at: str | None = AT) -> dict[str, Any]:
    return {
        "receipt": word,
        "due_at": AT,
        "published_at": published_at,
        "failure": None,
        "cancelled": False,
    }


def message(**members: Any) -> dict[str, Any]:
    """A text on WhatsApp that waits for its recipient, but for these members."""
    return {
        "kind": "message",
        "provider_id": "p-1",
        "message_id": "01J",
        "attempt": "1",
        "at": AT,
        "from": "+12065550100",
        "content": {"type": "text", "text": "Hello", "link": None, "filename": None},
        "state": "on_its_way",
        "reason": None,
        "scenario": "person",
        "silent": False,
        "may": ALL,
        "unsupported": {},
        "receipts": [],
        **members,
    }


def reply(**members: Any) -> dict[str, Any]:
    return {
        "kind": "reply",
        "id": "r-1",
        "answers": "p-1",
        "at": AT,
        "text": "Thanks",
        "published_at": AT,
        "failure": None,
        **members,
    }


def thread(*entries: Mapping[str, Any], channel: str = "whatsapp") -> PhoneThread:
    return PhoneThread.read(
        {
            "to": "+14255550199",
            "channel": channel,
            "change": 1,
            "refusals": [{"receipt": word, "says": says} for word, says in REFUSALS.items()],
            "entries": entries,
        }
    )


def recipient(to: str, channel: str) -> Recipient:
    return Recipient.read(
        {
            "to": to,
            "channel": channel,
            "messages": 1,
            "replies": 0,
            "last_at": AT,
            "state": "delivered",
            "preview": "Hello",
        }
    )


def unavailable(channel: str, **members: Any) -> dict[str, str | None]:
    told = ThreadMessage.read(message(**members))
    offered = actions.offered(told, thread(channel=channel))
    return {action.name: action.unavailable for action in offered}


def test_a_number_with_two_threads_is_one_person() -> None:
    newest_first = [
        recipient("+14255550199", "sms"),
        recipient("ana@example.com", "email"),
        recipient("+14255550199", "whatsapp"),
    ]
    people = persons(newest_first)
    assert [person.to for person in people] == ["+14255550199", "ana@example.com"]
    assert [one.channel for one in people[0].threads] == ["sms", "whatsapp"]
    assert people[0].newest.last_at == datetime(2026, 1, 2, 0, 0, 3, 240_000, tzinfo=UTC)


@pytest.mark.parametrize("state", ["refused", "on_its_way", "failed"])
def test_what_has_not_arrived_is_not_on_the_phone(state: str) -> None:
    shown = thread(message(state=state), message(state="delivered", provider_id="p-2"), reply())
    assert [
        one.id if isinstance(one, ThreadReply) else one.provider_id for one in shown.on_the_phone
    ] == [
        "p-2",
        "r-1",
    ]


def test_the_newest_message_on_the_phone_is_answered() -> None:
    shown = thread(
        message(state="read", provider_id="p-1"),
        message(state="delivered", provider_id="p-2"),
        message(state="on_its_way", provider_id="p-3"),
    )
    assert shown.answerable == shown.message("p-2")
    assert thread(message()).answerable is None


@pytest.mark.parametrize(
    ("state", "receipts", "ticks"),
    [
        ("on_its_way", [receipt("accepted")], ""),
        ("on_its_way", [receipt("sent", None)], ""),
        ("on_its_way", [receipt("sent")], "sent"),
        ("delivered", [], "delivered"),
        ("read", [], "read"),
    ],
)
def test_ticks_show_what_the_sender_knows(state: str, receipts: list[Any], ticks: str) -> None:
    assert ThreadMessage.read(message(state=state, receipts=receipts)).ticks == ticks


def test_a_message_is_named_by_its_first_words_in_one_line() -> None:
    text = {"type": "text", "text": "One\ntwo " + "x" * 80}
    assert ThreadMessage.read(message(content=text)).title == "One two " + "x" * 51 + "…"
    mail = {"type": "email", "subject": None, "text": None, "html": "<b>", "template": None}
    assert ThreadMessage.read(message(content=mail)).title == "email"


def test_the_values_of_a_template_are_all_there_is() -> None:
    whatsapp = {"name": "login_code", "language": "en_US", "parameters": ["1", "2"]}
    read = ThreadMessage.read(
        message(content={"type": "template", "text": None, "template": whatsapp})
    )
    assert read.content.template is not None
    assert read.content.template.values == ["1", "2"]
    email = {"name": "invoice", "data": {"name": "Ana", "sums": [1, 2]}}
    read = ThreadMessage.read(message(content={"type": "email", "text": None, "template": email}))
    assert read.content.template is not None
    assert read.content.template.values == ["name: Ana", "sums: [1, 2]"]


def authentication(body: str, button: str) -> dict[str, Any]:
    """As WhatsApp's authentication templates have their code: twice."""
    return {
        "name": "verification_code",
        "language": "en",
        "parameters": [body, button],
        "components": [
            {"type": kind, "parameters": [{"type": "text", "text": text}]}
            for kind, text in (("body", body), ("button", button))
        ],
    }


@pytest.mark.parametrize(
    ("body", "button", "code"), [("402917", "402917", "402917"), ("Ana", "402917", None)]
)
def test_an_authentication_template_shows_its_code(
    body: str, button: str, code: str | None
) -> None:
    content = {"type": "template", "text": None, "template": authentication(body, button)}
    read = ThreadMessage.read(message(content=content))
    assert read.content.template is not None
    assert read.content.template.code == code


def test_what_can_be_done_comes_first_and_a_refusal_has_its_reasons() -> None:
    told = ThreadMessage.read(message(may=["refuse", "reply"]))
    offered = actions.offered(told, thread())
    assert [one.name for one in offered if one.unavailable is None] == ["refuse", "reply"]
    assert [one.name for one in offered][:2] == ["refuse", "reply"]
    assert offered[0].choices == REFUSALS


@pytest.mark.parametrize(
    ("channel", "act", "members", "why"),
    [
        ("sms", "read", {"unsupported": {"read": "No read receipt"}}, "No read receipt."),
        ("voice", "reply", {"unsupported": {"reply": "A call"}}, "A call."),
        ("whatsapp", "reply", {"state": "failed"}, "The message did not arrive."),
        ("whatsapp", "read", {"state": "failed"}, "The message did not arrive."),
        ("whatsapp", "receive", {"state": "read"}, "The message has already arrived."),
        ("whatsapp", "read", {"state": "read"}, "The message has already been read."),
        (
            "whatsapp",
            "refuse",
            {"state": "read"},
            "The message has arrived and can no longer be refused.",
        ),
        (
            "email",
            "refuse",
            {"state": "complained"},
            "The message has already been reported as spam.",
        ),
        (
            "whatsapp",
            "silence",
            {"silent": True},
            "The recipient already ignores the message.",
        ),
        ("whatsapp", "silence", {"state": "read"}, "No further receipt is expected."),
    ],
)
def test_what_cannot_be_done_says_why(
    channel: str, act: str, members: dict[str, Any], why: str
) -> None:
    may = [name for name in ALL if name != act]
    assert unavailable(channel, may=may, **members) == {**dict.fromkeys(may), act: why}


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"provider_id": None, "state": "refused"}, "The provider refused the message"),
        ({"state": "failed"}, "The message never arrived"),
    ],
)
def test_nothing_is_offered_where_nothing_can_be_done(members: dict[str, Any], why: str) -> None:
    told = ThreadMessage.read(message(may=[], **members))
    assert (actions.nothing_possible(told) or "").startswith(why)
    assert actions.nothing_possible(ThreadMessage.read(message())) is None


def test_a_mail_is_opened_refused_or_reported() -> None:
    mailbox = thread(channel="email")
    coming, arrived = (
        ThreadMessage.read(message(state=state)) for state in ("on_its_way", "delivered")
    )
    labels = [
        {one.name: one.label for one in actions.offered(told, mailbox)}
        for told in (coming, arrived)
    ]
    assert [one["read"] for one in labels] == ["Open", "Open"]
    assert [one["refuse"] for one in labels] == ["Refuse", "Report as spam"]
    choices = {one.name: one.choices for one in actions.offered(arrived, mailbox)}
    assert choices["refuse"] == {}


@pytest.mark.parametrize(
    ("act", "outcome", "sentence"),
    [
        (
            "read",
            ActionResult(["delivered", "read"], [], replied=False, failure=None),
            "Read. Published: delivered and read.",
        ),
        (
            "refuse",
            ActionResult(["Complaint"], ["Delivery", "Delivery"], replied=False, failure=None),
            "Reported as spam. Published: Complaint. Cancelled: Delivery.",
        ),
        (
            "refuse",
            ActionResult(["TEXT_BLOCKED"], [], replied=False, failure=None),
            "Refused. Published: TEXT_BLOCKED.",
        ),
        (
            "reply",
            ActionResult(["delivered", "read"], [], replied=True, failure=None),
            "Replied. Published: delivered, read and the reply.",
        ),
        (
            "silence",
            ActionResult([], [], replied=False, failure=None),
            "Ignored. No receipt was published.",
        ),
        (
            "receive",
            ActionResult(["delivered"], [], replied=False, failure="The topic is gone."),
            "Received. Not fully published: delivered. The topic is gone.",
        ),
    ],
)
def test_an_action_is_described_in_the_words_of_the_provider(
    act: str, outcome: ActionResult, sentence: str
) -> None:
    assert actions.sentence(act, outcome) == sentence


def test_nobody_at_the_address_is_said_as_such() -> None:
    with pytest.raises(SimulatorUnreachable, match=f"The simulator at {NOBODY} does not respond"):
        SimulatorClient(NOBODY).recipients()
    with pytest.raises(SimulatorUnreachable):
        asyncio.run(SimulatorClient(NOBODY).wait_for_change(1))


def answering(status: int, answer: object) -> SimulatorClient:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=answer))
    return SimulatorClient(NOBODY, transport)


def test_an_action_returns_what_the_simulator_published() -> None:
    asked: list[httpx.Request] = []

    def publish(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(
            200, json={"receipts": [{"receipt": "read"}], "cancelled": [], "reply": None}
        )

    client = SimulatorClient(NOBODY, httpx.MockTransport(publish))
    result = client.act("a/b", "read", {"text": "é"})

    assert result == ActionResult(["read"], [], replied=False, failure=None)
    assert asked[0].url.raw_path == b"/phones/a%2Fb/read"
    assert json.loads(asked[0].content) == {"text": "é"}


def test_a_refusal_is_the_simulators_sentence() -> None:
    with pytest.raises(SimulatorRefused, match="It has arrived already"):
        answering(409, {"detail": "It has arrived already"}).act("p-1", "receive", {})
    with pytest.raises(SimulatorRefused, match="The simulator returned 404"):
        answering(404, {}).thread("+14255550199", "sms")
    with pytest.raises(SimulatorUnreachable, match="returned 500 for its recipients"):
        answering(500, {}).recipients()


def test_an_answer_that_is_no_json_counts_as_none() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with pytest.raises(SimulatorUnreachable, match="does not respond"):
        SimulatorClient(NOBODY, transport).change()


def test_a_page_is_looked_at_again_only_when_there_is_news() -> None:
    async def watch() -> list[str]:
        looks: list[str] = []
        news: asyncio.Queue[str] = asyncio.Queue()

        async def wait() -> None:
            looks.append(await news.get())

        def refresh() -> PageUpdate:
            looks.append("look")
            return PageUpdate({"threads": f"<p>{len(looks)}</p>"}, 0, wait)

        hub = Hub()
        events = aiter(hub.response("phones", refresh).body_iterator)
        await anext(events)
        before = list(looks)
        news.put_nowait("news")
        await anext(events)
        await hub.close()
        return [*before, "then", *looks[len(before) :]]

    assert asyncio.run(watch()) == ["look", "then", "news", "look"]
