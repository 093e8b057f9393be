"""A person takes the phone in hand: reads, refuses, answers, stays silent; what then goes out."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from simulator.actions import NotNow, check, may
from tests.support.simulator import Json, Stand, eventually, serving, words

EVENTS = Path(__file__).parents[2] / "events"
PERSON = {"sms": "+14255550199", "whatsapp": "+14255550199", "email": "person@example.com"}
# Delivered after 8 seconds by themselves: here, after 0.4.
LATE = {"sms": "+14255550131", "whatsapp": "+14255550131", "email": "late@example.com"}
BEFORE = {
    "sms": ["TEXT_QUEUED", "TEXT_PENDING"],
    "whatsapp": ["accepted", "sent"],
    "email": ["Send"],
}


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    with serving() as stand:
        yield stand


def sent(stand: Stand, channel: str) -> str:
    """A message to somebody who waits for a person, as far as it gets by itself."""
    provider_id = stand.send(channel, PERSON[channel])
    stand.topic.of(provider_id, len(BEFORE[channel]))
    return provider_id


def entry(stand: Stand, provider_id: str) -> Json:
    """The message as its recipient's thread shows it."""
    (call,) = stand.get(f"/sent?message_id={provider_id}")
    entries = stand.entries(call["channel"], call["to"])
    return next(one for one in entries if one.get("provider_id") == provider_id)


# --- what each act makes the provider report


@pytest.mark.parametrize(
    ("channel", "act", "receipts", "state"),
    [
        ("sms", "receive", ["TEXT_DELIVERED"], "delivered"),
        ("sms", "refuse", ["TEXT_BLOCKED"], "failed"),
        ("sms", "silence", [], "on_its_way"),
        ("whatsapp", "receive", ["delivered"], "delivered"),
        ("whatsapp", "read", ["delivered", "read"], "read"),
        ("whatsapp", "refuse", ["failed:131026"], "failed"),
        ("whatsapp", "silence", [], "on_its_way"),
        ("email", "receive", ["Delivery"], "delivered"),
        ("email", "read", ["Delivery", "Open"], "read"),
        ("email", "refuse", ["Bounce:Permanent/General"], "failed"),
        ("email", "silence", [], "on_its_way"),
    ],
)
def test_an_act_is_reported_at_once(
    stand: Stand, channel: str, act: str, receipts: list[str], state: str
) -> None:
    provider_id = sent(stand, channel)
    status, answer = stand.act(provider_id, act)

    assert (status, answer["provider_id"], answer["state"]) == (200, provider_id, state)
    assert [receipt["receipt"] for receipt in answer["receipts"]] == receipts
    assert all(receipt["published_at"] for receipt in answer["receipts"])
    assert (answer["cancelled"], answer["reply"]) == ([], None)
    expected = BEFORE[channel] + receipts
    assert words(stand.topic.of(provider_id, len(expected))) == expected
    shown = entry(stand, provider_id)
    assert (shown["state"], shown["may"]) == (state, answer["may"])
    assert shown["silent"] == (act == "silence")


@pytest.mark.parametrize(
    ("channel", "acts", "receipts"),
    [
        ("whatsapp", ["receive", "read"], ["delivered", "read"]),
        ("email", ["receive", "read"], ["Delivery", "Open"]),
        ("email", ["receive", "refuse"], ["Delivery", "Complaint"]),
        ("email", ["read", "refuse"], ["Delivery", "Open", "Complaint"]),
        ("whatsapp", ["silence", "read"], ["delivered", "read"]),
        ("sms", ["silence", "refuse"], ["TEXT_BLOCKED"]),
    ],
)
def test_acts_build_on_each_other(
    stand: Stand, channel: str, acts: list[str], receipts: list[str]
) -> None:
    provider_id = sent(stand, channel)

    assert [stand.act(provider_id, act)[0] for act in acts] == [200] * len(acts)
    expected = BEFORE[channel] + receipts
    assert words(stand.topic.of(provider_id, len(expected))) == expected


@pytest.mark.parametrize(
    ("channel", "receipt"),
    [
        ("sms", "TEXT_UNREACHABLE"),
        ("whatsapp", "failed:131049"),
        ("email", "Bounce:Transient/MailboxFull"),
    ],
)
def test_a_refusal_may_be_named(stand: Stand, channel: str, receipt: str) -> None:
    provider_id = sent(stand, channel)

    assert stand.act(provider_id, "refuse", receipt=receipt)[0] == 200
    assert stand.topic.last_word_of(provider_id) == receipt
    assert entry(stand, provider_id)["reason"].startswith(receipt)


@pytest.mark.parametrize(
    ("act", "receipts"),
    [("receive", ["delivered"]), ("silence", []), ("refuse", ["failed:131026"])],
)
def test_what_was_still_to_come_is_cancelled(act: str, receipts: list[str]) -> None:
    with serving(speed=1) as stand:
        provider_id = stand.send_whatsapp(LATE["whatsapp"])
        stand.topic.of(provider_id, 2)
        status, answer = stand.act(provider_id, act)

        assert (status, answer["cancelled"]) == (200, ["delivered"])
        # Nothing is under way any more, so nothing can come.
        eventually(lambda: stand.get("/health")["under_way"] == 0)
        assert words(stand.topic.of(provider_id, 2)) == ["accepted", "sent", *receipts]
        late = stand.get(f"/sent?message_id={provider_id}")[0]["receipts"][2]
        assert (late["receipt"], late["cancelled"], late["published_at"]) == (
            "delivered",
            True,
            None,
        )


def test_a_call_that_waits_for_a_cancelled_receipt_is_answered(tmp_path: Path) -> None:
    scenarios = tmp_path / "scenarios.toml"
    quiet = 'default = "x"\nscenarios.x.says = "x"\n'
    scenarios.write_text(
        f"[sms]\n{quiet}scenarios.x.answer.after_receipts = 1\n"
        'scenarios.x.receipts = [{ receipt = "TEXT_DELIVERED", after_seconds = 3600 }]\n'
        f"[whatsapp]\n{quiet}[email]\n{quiet}"
    )
    with serving(scenarios) as stand, ThreadPoolExecutor(1) as sender:
        waiting = sender.submit(stand.send_sms, "+14255550100")
        eventually(lambda: stand.get("/sent"))
        provider_id = stand.get("/sent")[0]["provider_id"]

        assert stand.act(provider_id, "silence")[0] == 200
        assert waiting.result() == provider_id


# --- what a person writes


@pytest.mark.parametrize(
    ("channel", "receipts"),
    [("sms", ["TEXT_DELIVERED"]), ("whatsapp", ["delivered", "read"])],
)
def test_who_answers_has_got_it(stand: Stand, channel: str, receipts: list[str]) -> None:
    provider_id = sent(stand, channel)
    status, answer = stand.act(provider_id, "reply", text="Thanks")

    assert status == 200
    assert [receipt["receipt"] for receipt in answer["receipts"]] == receipts
    reply = answer["reply"]
    assert (reply["text"], reply["answers"]) == ("Thanks", provider_id)
    assert reply["published_at"]
    assert stand.entries(channel, PERSON[channel])[-1] == reply
    status, answer = stand.act(provider_id, "reply", text="Again")
    assert (status, answer["receipts"]) == (200, [])


def test_an_sms_reply_has_the_format_of_two_way_sms(stand: Stand) -> None:
    provider_id = sent(stand, "sms")
    reply = stand.act(provider_id, "reply", text="YES please")[1]["reply"]

    sample = json.loads((EVENTS / "sms_inbound_text.json").read_text())
    own = {"inboundMessageId": reply["id"], "previousPublishedMessageId": provider_id}
    assert stand.topic.inbound()[-1] == sample | own | {"originationNumber": PERSON["sms"]}


@pytest.mark.parametrize(
    ("text", "keyword"), [("STOP", "STOP"), (" stop ", "STOP"), ("Stop it", "KEYWORD_123456789012")]
)
def test_an_sms_reply_names_its_keyword(stand: Stand, text: str, keyword: str) -> None:
    stand.act(sent(stand, "sms"), "reply", text=text)

    event = stand.topic.inbound()[-1]
    assert (event["messageKeyword"], event["messageBody"]) == (keyword, text)


def test_a_whatsapp_reply_has_the_format_of_an_inbound_message(stand: Stand) -> None:
    provider_id = sent(stand, "whatsapp")
    wamid = status_id(stand.topic.of(provider_id, 1)[0])
    reply = stand.act(provider_id, "reply", text="Hi")[1]["reply"]

    sample = json.loads((EVENTS / "whatsapp_inbound_text.json").read_text())
    event = stand.topic.inbound()[-1]
    assert set(event) == set(sample)
    assert event["context"]["MetaWabaIds"] == sample["context"]["MetaWabaIds"]
    value, expected = value_of(event), value_of(sample)
    assert set(value) == set(expected)
    (message,), (known,) = value["messages"], expected["messages"]
    person = PERSON["whatsapp"].removeprefix("+")
    own = {"from": person, "id": reply["id"], "timestamp": message["timestamp"]}
    # It quotes the message that it answers.
    assert message == known | own | {"context": {"from": "12065550100", "id": wamid}}
    assert abs(int(message["timestamp"]) - time.time()) < 60


def value_of(event: Json) -> Json:
    value: Json = json.loads(event["whatsAppWebhookEntry"])["changes"][0]["value"]
    return value


def status_id(event: Json) -> str:
    return str(value_of(event)["statuses"][0]["id"])


# --- what cannot be done


@pytest.mark.parametrize(
    ("channel", "before", "act", "refusal"),
    [
        ("sms", [], "read", (400, "An SMS has no read receipt; only RCS has; what may be done: ")),
        (
            "email",
            [],
            "reply",
            (400, "SES tells a topic of no answers to a mail; what may be done"),
        ),
        ("sms", ["receive"], "receive", (409, "It has arrived already; what may be done: reply")),
        ("whatsapp", ["read"], "read", (409, "It is read already; what may be done: reply")),
        ("whatsapp", ["read"], "receive", (409, "It has arrived already")),
        ("whatsapp", ["receive"], "refuse", (409, "It has arrived, and can no longer be refused")),
        ("whatsapp", ["refuse"], "read", (409, "It never arrived; nothing more can be done")),
        ("sms", ["refuse"], "reply", (409, "It never arrived; nothing more can be done")),
        ("email", ["refuse"], "refuse", (409, "It never arrived; nothing more can be done")),
        ("email", ["read", "refuse"], "refuse", (409, "It is reported as spam already")),
        ("email", ["read", "refuse"], "read", (409, "It is read already")),
        (
            "sms",
            ["silence"],
            "silence",
            (409, "The person stays silent already; what may be done: "),
        ),
        ("sms", ["receive"], "silence", (409, "There is nothing left to be silent about")),
    ],
)
def test_what_cannot_be_done_is_said_with_what_can(
    stand: Stand, channel: str, before: list[str], act: str, refusal: tuple[int, str]
) -> None:
    provider_id = sent(stand, channel)
    for earlier in before:
        assert stand.act(provider_id, earlier)[0] == 200
    body = {"text": "Hi"} if act == "reply" else {}
    told = entry(stand, provider_id)["receipts"]

    status, answer = stand.act(provider_id, act, **body)
    assert status == refusal[0]
    assert answer["detail"].startswith(refusal[1])
    assert act not in entry(stand, provider_id)["may"]
    assert entry(stand, provider_id)["receipts"] == told


def test_a_message_without_events_cannot_be_acted_upon(stand: Stand) -> None:
    provider_id = stand.sms.send_text_message(
        DestinationPhoneNumber=PERSON["sms"],
        OriginationIdentity="+12065550152",
        MessageBody="Hi",
    )["MessageId"]

    status, answer = stand.act(provider_id, "receive")
    assert (status, answer["detail"].split(",")[0]) == (409, "No configuration set")
    assert entry(stand, provider_id)["may"] == []


def test_an_sms_does_not_arrive_after_its_time_to_live(stand: Stand) -> None:
    provider_id = stand.send_sms(PERSON["sms"], TimeToLive=5)
    stand.topic.of(provider_id, 2)
    call = stand.carriers.sent.find(provider_id)
    assert call
    assert call.taken

    in_time, too_late = (call.taken.at + timedelta(seconds=seconds) for seconds in (4, 6))
    assert may(call, in_time) == ["receive", "refuse", "silence", "reply"]
    assert may(call, too_late) == []
    with pytest.raises(NotNow, match="Its time to live is over; nothing more can be done"):
        check(call, "receive", too_late)


def test_what_the_carrier_has_arrives_after_its_time_to_live() -> None:
    with serving(speed=1) as stand:
        provider_id = stand.send_sms(LATE["sms"], TimeToLive=5)
        call = stand.carriers.sent.find(provider_id)
        assert call
        assert call.taken
        assert "receive" in may(call, call.taken.at + timedelta(seconds=6))


def test_nobody_answers_a_sender_id(stand: Stand) -> None:
    provider_id = stand.send_sms(PERSON["sms"], OriginationIdentity="EXAMPLE")

    status, answer = stand.act(provider_id, "reply", text="Hi")
    assert (status, answer["detail"].split(":")[0]) == (400, "Nobody can answer a sender id")


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("read", {"text": "Hi"}),
        ("read", []),
        ("read", b"{"),
        ("read", b""),
        ("refuse", {"receipt": "delivered"}),
        ("refuse", {"receipt": 131026}),
        ("refuse", {"receipt": "failed:131026", "more": "x"}),
        ("reply", {}),
        ("reply", {"text": "  "}),
        ("reply", {"text": "x" * 4097}),
        ("reply", {"text": "Hi", "more": "x"}),
        ("reply", b'{"text": "\\ud800"}'),
    ],
)
def test_a_body_that_is_not_understood_is_refused(stand: Stand, act: str, body: object) -> None:
    provider_id = sent(stand, "whatsapp")

    status, answer = stand.ask("POST", f"/phones/{provider_id}/{act}", body)
    assert status == 400
    assert answer["detail"]
    assert entry(stand, provider_id)["state"] == "on_its_way"


def test_an_unknown_message_and_an_unknown_act_are_said(stand: Stand) -> None:
    provider_id = sent(stand, "sms")

    assert stand.act("nobody", "read") == (404, {"detail": "no message went out as 'nobody'"})
    status, answer = stand.act(provider_id, "dance")
    assert (status, answer["detail"]) == (
        404,
        "there is no 'dance'; there are receive, read, refuse, silence, reply",
    )


def test_two_people_cannot_do_it_twice(stand: Stand) -> None:
    provider_id = sent(stand, "whatsapp")
    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(lambda _: stand.act(provider_id, "read")[0], range(8)))

    assert sorted(answers) == [200] + [409] * 7
    assert words(stand.topic.of(provider_id, 4)) == [*BEFORE["whatsapp"], "delivered", "read"]


def test_what_did_not_get_to_the_topic_is_said() -> None:
    with serving() as stand:
        provider_id = sent(stand, "whatsapp")
        stand.topic.broken = True
        status, answer = stand.act(provider_id, "reply", text="Hi")

        assert (status, answer["detail"]) == (502, "the topic is gone")
        # It has happened on the phone all the same.
        assert answer["state"] == "read"
        assert answer["reply"]["failure"] == "the topic is gone"
        assert stand.get("/health")["unpublished"] == 3
