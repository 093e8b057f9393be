"""What the page `Phones` makes of what the carriers tell: people, threads, acts, sentences."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from console.live import Glance, Hub
from console.phones import acts
from console.phones.carriers import Carriers, Outcome, Unreachable
from console.phones.threads import Message, Recipient, Reply, Thread, persons

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


def thread(*entries: Mapping[str, Any]) -> Thread:
    return Thread.read(
        {
            "to": "+14255550199",
            "channel": "whatsapp",
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


def hindrances(channel: str, **members: Any) -> dict[str, str | None]:
    told = Message.read(message(**members))
    return {act.name: act.hindrance for act in acts.offered(told, channel, REFUSALS)}


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
        one.id if isinstance(one, Reply) else one.provider_id for one in shown.on_the_phone
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
def test_ticks_tell_what_the_sender_knows(state: str, receipts: list[Any], ticks: str) -> None:
    assert Message.read(message(state=state, receipts=receipts)).ticks == ticks


def test_a_message_is_named_by_its_first_words_in_one_line() -> None:
    text = {"type": "text", "text": "One\ntwo " + "x" * 80}
    assert Message.read(message(content=text)).gist == "One two " + "x" * 51 + "…"
    mail = {"type": "email", "subject": None, "text": None, "html": "<b>", "template": None}
    assert Message.read(message(content=mail)).gist == "email"


def test_the_values_of_a_template_are_all_there_is() -> None:
    whatsapp = {"name": "login_code", "language": "en_US", "parameters": ["1", "2"]}
    read = Message.read(message(content={"type": "template", "text": None, "template": whatsapp}))
    assert read.content.template is not None
    assert read.content.template.values == ["1", "2"]
    email = {"name": "invoice", "data": {"name": "Ana", "sums": [1, 2]}}
    read = Message.read(message(content={"type": "email", "text": None, "template": email}))
    assert read.content.template is not None
    assert read.content.template.values == ["name: Ana", "sums: [1, 2]"]


def test_what_can_be_done_comes_first_and_a_refusal_has_its_reasons() -> None:
    told = Message.read(message(may=["refuse", "reply"]))
    offered = acts.offered(told, "whatsapp", REFUSALS)
    assert [act.name for act in offered if act.hindrance is None] == ["refuse", "reply"]
    assert [act.name for act in offered][:2] == ["refuse", "reply"]
    assert offered[0].choices == REFUSALS


@pytest.mark.parametrize(
    ("channel", "act", "members", "why"),
    [
        ("sms", "read", {}, "An SMS has no read receipt."),
        ("email", "reply", {}, "The provider tells nobody of answers to an email."),
        ("sms", "reply", {}, "This sender takes no answers."),
        ("whatsapp", "receive", {"state": "read"}, "It has arrived already."),
        ("whatsapp", "read", {"state": "read"}, "It is read already."),
        ("whatsapp", "refuse", {"state": "read"}, "It has arrived: it is too late to refuse it."),
        ("email", "refuse", {"state": "complained"}, "It is reported as spam already."),
        ("whatsapp", "silence", {"silent": True}, "The person stays silent already."),
        ("whatsapp", "silence", {"state": "read"}, "Nothing is expected any more."),
    ],
)
def test_what_cannot_be_done_says_why(
    channel: str, act: str, members: dict[str, Any], why: str
) -> None:
    may = [name for name in ALL if name != act]
    assert hindrances(channel, may=may, **members) == {**dict.fromkeys(may), act: why}


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"provider_id": None, "state": "refused"}, "The provider refused it"),
        ({"state": "failed"}, "It never arrived"),
    ],
)
def test_nothing_is_offered_where_nothing_can_be_done(members: dict[str, Any], why: str) -> None:
    told = Message.read(message(may=[], **members))
    assert (acts.nothing_left(told) or "").startswith(why)
    assert acts.nothing_left(Message.read(message())) is None


def test_a_mail_is_opened_refused_or_reported() -> None:
    coming, arrived = (Message.read(message(state=state)) for state in ("on_its_way", "delivered"))
    labels = [
        {act.name: act.label for act in acts.offered(told, "email", REFUSALS)}
        for told in (coming, arrived)
    ]
    assert [one["read"] for one in labels] == ["Open", "Open"]
    assert [one["refuse"] for one in labels] == ["Refuse", "Report as spam"]
    assert {act.name: act.choices for act in acts.offered(arrived, "email", REFUSALS)}[
        "refuse"
    ] == {}


@pytest.mark.parametrize(
    ("act", "outcome", "sentence"),
    [
        (
            "read",
            Outcome(["delivered", "read"], [], replied=False, failure=None),
            "Read: delivered and read went out.",
        ),
        (
            "refuse",
            Outcome(["Complaint"], ["Delivery", "Delivery"], replied=False, failure=None),
            "Reported as spam: Complaint went out. No longer to come: Delivery.",
        ),
        (
            "refuse",
            Outcome(["TEXT_BLOCKED"], [], replied=False, failure=None),
            "Refused: TEXT_BLOCKED went out.",
        ),
        (
            "reply",
            Outcome(["delivered", "read"], [], replied=True, failure=None),
            "Answered: delivered, read and the reply went out.",
        ),
        (
            "silence",
            Outcome([], [], replied=False, failure=None),
            "The person stays silent: no receipt went out.",
        ),
        (
            "receive",
            Outcome(["delivered"], [], replied=False, failure="The topic is gone."),
            "Received: delivered did not all get out. The topic is gone.",
        ),
    ],
)
def test_an_act_is_told_in_the_words_of_the_provider(
    act: str, outcome: Outcome, sentence: str
) -> None:
    assert acts.told(act, outcome) == sentence


def test_nobody_at_the_address_is_said_as_such() -> None:
    with pytest.raises(Unreachable, match=f"The carriers at {NOBODY} do not answer"):
        Carriers(NOBODY).recipients()
    with pytest.raises(Unreachable):
        asyncio.run(Carriers(NOBODY).news(1))


def test_a_page_is_looked_at_again_only_when_there_is_news() -> None:
    async def watch() -> list[str]:
        looks: list[str] = []
        news: asyncio.Queue[str] = asyncio.Queue()

        async def wait() -> None:
            looks.append(await news.get())

        def look() -> Glance:
            looks.append("look")
            return Glance({"threads": f"<p>{len(looks)}</p>"}, 0, wait)

        hub = Hub()
        events = aiter(hub.response("phones", look).body_iterator)
        await anext(events)
        before = list(looks)
        news.put_nowait("news")
        await anext(events)
        await hub.close()
        return [*before, "then", *looks[len(before) :]]

    assert asyncio.run(watch()) == ["look", "then", "news", "look"]
