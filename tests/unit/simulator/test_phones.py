"""Actions on the phone: a recipient reads, refuses, replies or is silent; what is published."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from simulator.actions import ActionNotAllowed, allowed_actions, check_action
from tests.support.simulator import Json, RunningSimulator, eventually, receipt_types, serving

EVENTS = Path(__file__).parents[2] / "events"
PERSON = {"sms": "+14255550199", "whatsapp": "+14255550199", "email": "person@example.com"}
# Delivered after 8 seconds without any action: here, after 0.4.
LATE = {"sms": "+14255550131", "whatsapp": "+14255550131", "email": "late@example.com"}
BEFORE = {
    "sms": ["TEXT_QUEUED", "TEXT_PENDING"],
    "whatsapp": ["accepted", "sent"],
    "email": ["Send"],
}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with serving() as running:
        yield running


def sent(running: RunningSimulator, channel: str) -> str:
    """A message to a recipient who does nothing by themselves, once its first receipts are out."""
    provider_id = running.send(channel, PERSON[channel])
    running.topic.of(provider_id, len(BEFORE[channel]))
    return provider_id


def entry(running: RunningSimulator, provider_id: str) -> Json:
    """The message as its recipient's thread shows it."""
    (call,) = running.get(f"/sent?message_id={provider_id}")
    entries = running.entries(call["channel"], call["to"])
    return next(one for one in entries if one.get("provider_id") == provider_id)


# --- the receipts of each action


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
def test_an_action_is_reported_at_once(
    running: RunningSimulator, channel: str, act: str, receipts: list[str], state: str
) -> None:
    provider_id = sent(running, channel)
    status, answer = running.act(provider_id, act)

    assert (status, answer["provider_id"], answer["state"]) == (200, provider_id, state)
    assert [receipt["receipt"] for receipt in answer["receipts"]] == receipts
    assert all(receipt["published_at"] for receipt in answer["receipts"])
    assert (answer["cancelled"], answer["reply"]) == ([], None)
    expected = BEFORE[channel] + receipts
    assert receipt_types(running.topic.of(provider_id, len(expected))) == expected
    shown = entry(running, provider_id)
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
def test_actions_build_on_each_other(
    running: RunningSimulator, channel: str, acts: list[str], receipts: list[str]
) -> None:
    provider_id = sent(running, channel)

    assert [running.act(provider_id, act)[0] for act in acts] == [200] * len(acts)
    expected = BEFORE[channel] + receipts
    assert receipt_types(running.topic.of(provider_id, len(expected))) == expected


@pytest.mark.parametrize(
    ("channel", "receipt"),
    [
        ("sms", "TEXT_UNREACHABLE"),
        ("whatsapp", "failed:131049"),
        ("email", "Bounce:Transient/MailboxFull"),
    ],
)
def test_a_refusal_may_be_named(running: RunningSimulator, channel: str, receipt: str) -> None:
    provider_id = sent(running, channel)

    assert running.act(provider_id, "refuse", receipt=receipt)[0] == 200
    assert running.topic.last_receipt_of(provider_id) == receipt
    assert entry(running, provider_id)["reason"].startswith(receipt)


@pytest.mark.parametrize(
    ("act", "receipts"),
    [("receive", ["delivered"]), ("silence", []), ("refuse", ["failed:131026"])],
)
def test_an_action_cancels_pending_receipts(act: str, receipts: list[str]) -> None:
    with serving(speed=1) as running:
        provider_id = running.send_whatsapp(LATE["whatsapp"])
        running.topic.of(provider_id, 2)
        status, answer = running.act(provider_id, act)

        assert (status, answer["cancelled"]) == (200, ["delivered"])
        # Nothing is in progress any more, so no further receipt can come.
        eventually(lambda: running.get("/health")["under_way"] == 0)
        assert receipt_types(running.topic.of(provider_id, 2)) == ["accepted", "sent", *receipts]
        late = running.get(f"/sent?message_id={provider_id}")[0]["receipts"][2]
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
    with serving(scenarios) as running, ThreadPoolExecutor(1) as sender:
        waiting = sender.submit(running.send_sms, "+14255550100")
        eventually(lambda: running.get("/sent"))
        provider_id = running.get("/sent")[0]["provider_id"]

        assert running.act(provider_id, "silence")[0] == 200
        assert waiting.result() == provider_id


# --- replies


@pytest.mark.parametrize(
    ("channel", "receipts"),
    [("sms", ["TEXT_DELIVERED"]), ("whatsapp", ["delivered", "read"])],
)
def test_a_reply_implies_delivery(
    running: RunningSimulator, channel: str, receipts: list[str]
) -> None:
    provider_id = sent(running, channel)
    status, answer = running.act(provider_id, "reply", text="Thanks")

    assert status == 200
    assert [receipt["receipt"] for receipt in answer["receipts"]] == receipts
    reply = answer["reply"]
    assert (reply["text"], reply["answers"]) == ("Thanks", provider_id)
    assert reply["published_at"]
    assert running.entries(channel, PERSON[channel])[-1] == reply
    status, answer = running.act(provider_id, "reply", text="Again")
    assert (status, answer["receipts"]) == (200, [])


def test_an_sms_reply_has_the_format_of_two_way_sms(running: RunningSimulator) -> None:
    provider_id = sent(running, "sms")
    reply = running.act(provider_id, "reply", text="YES please")[1]["reply"]

    sample = json.loads((EVENTS / "sms_inbound_text.json").read_text())
    own = {"inboundMessageId": reply["id"], "previousPublishedMessageId": provider_id}
    assert running.topic.inbound()[-1] == sample | own | {"originationNumber": PERSON["sms"]}


@pytest.mark.parametrize(
    ("text", "keyword"), [("STOP", "STOP"), (" stop ", "STOP"), ("Stop it", "KEYWORD_123456789012")]
)
def test_an_sms_reply_names_its_keyword(running: RunningSimulator, text: str, keyword: str) -> None:
    running.act(sent(running, "sms"), "reply", text=text)

    event = running.topic.inbound()[-1]
    assert (event["messageKeyword"], event["messageBody"]) == (keyword, text)


def test_a_whatsapp_reply_has_the_format_of_an_inbound_message(running: RunningSimulator) -> None:
    provider_id = sent(running, "whatsapp")
    wamid = status_id(running.topic.of(provider_id, 1)[0])
    reply = running.act(provider_id, "reply", text="Hi")[1]["reply"]

    sample = json.loads((EVENTS / "whatsapp_inbound_text.json").read_text())
    event = running.topic.inbound()[-1]
    assert set(event) == set(sample)
    assert event["context"]["MetaWabaIds"] == sample["context"]["MetaWabaIds"]
    value, expected = value_of(event), value_of(sample)
    assert set(value) == set(expected)
    (message,), (known,) = value["messages"], expected["messages"]
    person = PERSON["whatsapp"].removeprefix("+")
    own = {"from": person, "id": reply["id"], "timestamp": message["timestamp"]}
    # It quotes the message that it replies to.
    assert message == known | own | {"context": {"from": "12065550100", "id": wamid}}
    assert abs(int(message["timestamp"]) - time.time()) < 60


def value_of(event: Json) -> Json:
    value: Json = json.loads(event["whatsAppWebhookEntry"])["changes"][0]["value"]
    return value


def status_id(event: Json) -> str:
    return str(value_of(event)["statuses"][0]["id"])


# --- actions that are not allowed


@pytest.mark.parametrize(
    ("channel", "before", "act", "refusal"),
    [
        (
            "sms",
            [],
            "read",
            (400, "An SMS has no read receipt; only RCS has one; allowed actions: "),
        ),
        (
            "email",
            [],
            "reply",
            (400, "Amazon SES publishes no replies to an email; allowed actions"),
        ),
        (
            "sms",
            ["receive"],
            "receive",
            (409, "The message has already arrived; allowed actions: reply"),
        ),
        (
            "whatsapp",
            ["read"],
            "read",
            (409, "The message has already been read; allowed actions: reply"),
        ),
        ("whatsapp", ["read"], "receive", (409, "The message has already arrived")),
        (
            "whatsapp",
            ["receive"],
            "refuse",
            (409, "The message has arrived and can no longer be refused"),
        ),
        (
            "whatsapp",
            ["refuse"],
            "read",
            (409, "The message did not arrive; no further action is allowed"),
        ),
        (
            "sms",
            ["refuse"],
            "reply",
            (409, "The message did not arrive; no further action is allowed"),
        ),
        (
            "email",
            ["refuse"],
            "refuse",
            (409, "The message did not arrive; no further action is allowed"),
        ),
        (
            "email",
            ["read", "refuse"],
            "refuse",
            (409, "The message has already been reported as spam"),
        ),
        ("email", ["read", "refuse"], "read", (409, "The message has already been read")),
        (
            "sms",
            ["silence"],
            "silence",
            (409, "The recipient is already silent; allowed actions: "),
        ),
        ("sms", ["receive"], "silence", (409, "There is no receipt left to suppress")),
    ],
)
def test_an_action_that_is_not_allowed_names_those_that_are(
    running: RunningSimulator, channel: str, before: list[str], act: str, refusal: tuple[int, str]
) -> None:
    provider_id = sent(running, channel)
    for earlier in before:
        assert running.act(provider_id, earlier)[0] == 200
    body = {"text": "Hi"} if act == "reply" else {}
    before_it = entry(running, provider_id)["receipts"]

    status, answer = running.act(provider_id, act, **body)
    assert status == refusal[0]
    assert answer["detail"].startswith(refusal[1])
    assert act not in entry(running, provider_id)["may"]
    assert entry(running, provider_id)["receipts"] == before_it


def test_a_message_without_events_allows_no_action(running: RunningSimulator) -> None:
    provider_id = running.sms.send_text_message(
        DestinationPhoneNumber=PERSON["sms"],
        OriginationIdentity="+12065550152",
        MessageBody="Hi",
    )["MessageId"]

    status, answer = running.act(provider_id, "receive")
    assert (status, answer["detail"].split(",")[0]) == (409, "The request has no configuration set")
    assert entry(running, provider_id)["may"] == []


def test_an_sms_does_not_arrive_after_its_time_to_live(running: RunningSimulator) -> None:
    provider_id = running.send_sms(PERSON["sms"], TimeToLive=5)
    running.topic.of(provider_id, 2)
    call = running.simulator.calls.find(provider_id)
    assert call
    assert call.message

    in_time, too_late = (
        call.message.accepted_at + timedelta(seconds=seconds) for seconds in (4, 6)
    )
    assert allowed_actions(call, in_time) == ["receive", "refuse", "silence", "reply"]
    assert allowed_actions(call, too_late) == []
    with pytest.raises(
        ActionNotAllowed, match="time to live has expired; no further action is allowed"
    ):
        check_action(call, "receive", too_late)


def test_what_the_carrier_has_arrives_after_its_time_to_live() -> None:
    with serving(speed=1) as running:
        provider_id = running.send_sms(LATE["sms"], TimeToLive=5)
        call = running.simulator.calls.find(provider_id)
        assert call
        assert call.message
        assert "receive" in allowed_actions(call, call.message.accepted_at + timedelta(seconds=6))


def test_a_sender_id_cannot_receive_replies(running: RunningSimulator) -> None:
    provider_id = running.send_sms(PERSON["sms"], OriginationIdentity="EXAMPLE")

    status, answer = running.act(provider_id, "reply", text="Hi")
    assert (status, answer["detail"].split(":")[0]) == (400, "A sender ID cannot receive replies")


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
def test_an_invalid_body_is_rejected(running: RunningSimulator, act: str, body: object) -> None:
    provider_id = sent(running, "whatsapp")

    status, answer = running.ask("POST", f"/phones/{provider_id}/{act}", body)
    assert status == 400
    assert answer["detail"]
    assert entry(running, provider_id)["state"] == "on_its_way"


def test_an_unknown_message_and_an_unknown_action_are_not_found(running: RunningSimulator) -> None:
    provider_id = sent(running, "sms")

    assert running.act("nobody", "read") == (
        404,
        {"detail": "No message has the provider ID 'nobody'"},
    )
    status, answer = running.act(provider_id, "dance")
    assert (status, answer["detail"]) == (
        404,
        "There is no action 'dance'; the actions are receive, read, refuse, silence, reply",
    )


def test_concurrent_actions_succeed_once(running: RunningSimulator) -> None:
    provider_id = sent(running, "whatsapp")
    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(lambda _: running.act(provider_id, "read")[0], range(8)))

    assert sorted(answers) == [200] + [409] * 7
    assert receipt_types(running.topic.of(provider_id, 4)) == [
        *BEFORE["whatsapp"],
        "delivered",
        "read",
    ]


def test_an_action_that_cannot_be_published_is_an_error() -> None:
    with serving() as running:
        provider_id = sent(running, "whatsapp")
        running.topic.broken = True
        status, answer = running.act(provider_id, "reply", text="Hi")

        assert (status, answer["detail"]) == (502, "the topic is gone")
        # On the phone it has happened nevertheless.
        assert answer["state"] == "read"
        assert answer["reply"]["failure"] == "the topic is gone"
        assert running.get("/health")["unpublished"] == 3
