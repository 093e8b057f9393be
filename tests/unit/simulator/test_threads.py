"""What a recipient's phone shows: its threads, the state of each message, the recipients."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.simulator import Json, RunningSimulator, eventually, serving, simple

ANA = "+14255550156"
PERSON = "+14255550199"
HTML = "<p>Your code is <b>123456</b>.</p>"
RAW = f"""From: Example <sender@example.com>
To: ana@example.com
Subject: =?utf-8?q?Your_code_=E2=9C=93?=
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="=="

--==
Content-Type: text/plain; charset="utf-8"

Your code is 123456.
--==
Content-Type: text/html; charset="utf-8"

{HTML}
--==--
"""


@pytest.fixture
def running() -> Iterator[RunningSimulator]:
    with serving(kept=20) as running:
        yield running


def shown(running: RunningSimulator, channel: str, to: str) -> Json:
    """What the phone shows of the newest message."""
    content: Json = running.entries(channel, to)[-1]["content"]
    return content


# --- the thread


def test_a_thread_has_both_sides_in_their_order(running: RunningSimulator) -> None:
    first = running.send_whatsapp(PERSON)
    running.act(first, "reply", text="Who is this?")
    second = running.send_whatsapp(PERSON, type="text", text={"body": "It is us."})
    running.act(second, "reply", text="Ah.")
    running.send_sms(PERSON)

    thread = running.get(f"/threads?channel=whatsapp&to={PERSON}")
    assert (thread["channel"], thread["to"]) == ("whatsapp", PERSON)
    entries = thread["entries"]
    assert [entry["kind"] for entry in entries] == ["message", "reply"] * 2
    assert [entry.get("provider_id", entry.get("answers")) for entry in entries] == [
        first,
        first,
        second,
        second,
    ]
    assert [entry["text"] for entry in entries if entry["kind"] == "reply"] == [
        "Who is this?",
        "Ah.",
    ]
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "email"])
def test_an_entry_has_the_message_id_and_the_attempt(
    running: RunningSimulator, channel: str
) -> None:
    to = "person@example.com" if channel == "email" else PERSON
    provider_id = running.send(channel, to)

    (entry,) = running.entries(channel, to)
    assert (entry["provider_id"], entry["message_id"], entry["attempt"]) == (provider_id, "m1", "1")
    assert (entry["scenario"], entry["state"]) == ("person", "on_its_way")
    assert (entry["silent"], entry["reason"]) == (False, None)
    sender = "Example <sender@example.com>"
    senders = {"sms": "+12065550152", "whatsapp": "+12065550100", "email": sender}
    assert entry["from"] == senders[channel]


def test_a_mailbox_shows_the_name_that_was_encoded(running: RunningSimulator) -> None:
    running.send_email("person@example.com", FromEmailAddress="=?utf-8?b?R3LDvMOfZQ==?= <a@b.org>")

    assert running.entries("email", "person@example.com")[0]["from"] == "Grüße <a@b.org>"


def test_a_thread_shows_the_newest_messages_that_are_asked_for(running: RunningSimulator) -> None:
    ids = [running.send_sms(PERSON) for _ in range(3)]

    newest = running.get(f"/threads?channel=sms&to={PERSON}&limit=2")["entries"]
    assert [entry["provider_id"] for entry in newest] == ids[1:]


def test_a_thread_names_the_refusals_with_the_usual_one_first(running: RunningSimulator) -> None:
    running.send_whatsapp(PERSON)
    running.send_email("person@example.com")

    def refusals(channel: str, to: str) -> Any:
        return running.get(f"/threads?channel={channel}&to={to}")["refusals"]

    assert refusals("whatsapp", PERSON)[0] == {
        "receipt": "failed:131026",
        "says": "Message undeliverable",
    }
    assert refusals("email", "person@example.com")[0]["receipt"] == "Bounce:Permanent/General"


@pytest.mark.parametrize(
    ("channel", "changes", "unsupported"),
    [
        ("whatsapp", {}, set()),
        ("sms", {}, {"read"}),
        ("sms", {"OriginationIdentity": "EXAMPLE"}, {"read", "reply"}),
        ("voice", {}, {"read", "reply"}),
    ],
)
def test_an_entry_has_the_reason_for_each_unsupported_action(
    running: RunningSimulator, channel: str, changes: Json, unsupported: set[str]
) -> None:
    send = {
        "whatsapp": running.send_whatsapp,
        "sms": running.send_sms,
        "voice": running.send_voice,
    }
    send[channel](PERSON, **changes)

    (entry,) = running.entries(channel, PERSON)
    assert set(entry["unsupported"]) == unsupported
    assert all(entry["unsupported"].values())
    assert not unsupported & set(entry["may"])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("channel=sms&to=%2B14255550177", 404),
        ("channel=sms", 400),
        ("to=%2B14255550199", 400),
        ("channel=sms&to=%2B14255550199&limit=0", 400),
    ],
)
def test_a_missing_thread_and_an_invalid_query_are_errors(
    running: RunningSimulator, query: str, status: int
) -> None:
    running.send_sms(PERSON)

    answer = running.ask("GET", f"/threads?{query}")
    assert answer[0] == status
    assert answer[1]["detail"]


# --- the content of a message


@pytest.mark.parametrize(
    ("text", "encoding", "length", "segments"),
    [
        ("Your code is 123456.", "GSM-7", 20, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("€" * 81, "GSM-7", 162, 2),
        ("Ваш код", "UCS-2", 7, 1),
        ("я" * 71, "UCS-2", 71, 2),
        ("👍", "UCS-2", 2, 1),
    ],
)
def test_an_sms_counts_its_segments(
    running: RunningSimulator, text: str, encoding: str, length: int, segments: int
) -> None:
    running.send_sms(PERSON, MessageBody=text)

    assert shown(running, "sms", PERSON) == {
        "type": "text",
        "text": text,
        "encoding": encoding,
        "length": length,
        "segments": segments,
    }


@pytest.mark.parametrize(
    ("identity", "sender"),
    [
        ("+12065550152", "+12065550152"),
        ("EXAMPLE", "EXAMPLE"),
        ("pool-00000000000000000000000000000001", "+12065550100"),
    ],
)
def test_an_sms_comes_from_a_number_or_a_name(
    running: RunningSimulator, identity: str, sender: str
) -> None:
    running.send_sms(PERSON, OriginationIdentity=identity)

    assert running.entries("sms", PERSON)[0]["from"] == sender


TEXT = {"type": "text", "text": {"preview_url": False, "body": "Hi"}}
LINK = "https://example.com/parcel.pdf"
IMAGE = {"type": "image", "image": {"link": LINK, "caption": "Here"}}
DOCUMENT = {"type": "document", "document": {"link": LINK, "filename": "parcel.pdf"}}
BODY = {"type": "body", "parameters": [{"type": "text", "text": "123456"}]}
TEMPLATE = {
    "type": "template",
    "template": {"name": "code", "language": {"code": "en_US"}, "components": [BODY]},
}
NOTHING = {"text": None, "link": None, "filename": None, "template": None}


@pytest.mark.parametrize(
    ("message", "content"),
    [
        (TEXT, {"text": "Hi"}),
        (IMAGE, {"text": "Here", "link": LINK}),
        (DOCUMENT, {"link": LINK, "filename": "parcel.pdf"}),
        (
            TEMPLATE,
            {
                "template": {
                    "name": "code",
                    "language": "en_US",
                    "parameters": ["123456"],
                    "components": [BODY],
                }
            },
        ),
    ],
)
def test_whatsapp_shows_texts_media_and_templates(
    running: RunningSimulator, message: Json, content: Json
) -> None:
    running.send_whatsapp(PERSON, **message)

    assert shown(running, "whatsapp", PERSON) == NOTHING | {"type": message["type"]} | content


def test_a_email_shows_its_subject_and_both_bodies(running: RunningSimulator) -> None:
    content = simple("Your code", "Your code is 123456.")
    content["Simple"]["Body"]["Html"] = {"Data": HTML}
    running.send_email("ana@example.com", Content=content)

    assert shown(running, "email", "ana@example.com") == {
        "type": "email",
        "subject": "Your code",
        "text": "Your code is 123456.",
        "html": HTML,
        "template": None,
    }


def test_a_raw_email_is_parsed(running: RunningSimulator) -> None:
    running.send_email("ana@example.com", Content={"Raw": {"Data": RAW.encode()}})

    mail = shown(running, "email", "ana@example.com")
    assert mail["subject"] == "Your code ✓"
    assert (mail["text"].strip(), mail["html"].strip()) == ("Your code is 123456.", HTML)


def test_a_raw_email_with_a_large_attachment_still_shows_its_text(
    running: RunningSimulator,
) -> None:
    attachment = base64.encodebytes(bytes(300_000)).decode()
    mail = (
        'Subject: Your parcel\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="=="\n\n'
        "--==\nContent-Type: text/plain\n\nIt is here.\n"
        "--==\nContent-Type: application/pdf\nContent-Disposition: attachment\n"
        f"Content-Transfer-Encoding: base64\n\n{attachment}\n--==--\n"
    )
    running.send_email("ana@example.com", Content={"Raw": {"Data": mail.encode()}})

    assert shown(running, "email", "ana@example.com")["text"].strip() == "It is here."


def test_a_text_in_an_unknown_charset_is_shown_as_it_came(running: RunningSimulator) -> None:
    mail = "Subject: s\nContent-Type: text/plain; charset=x-nobody\n\nHello\n"
    running.send_email("ana@example.com", Content={"Raw": {"Data": mail.encode()}})

    assert "Hello" in shown(running, "email", "ana@example.com")["text"]


def test_a_email_by_template_shows_its_values(running: RunningSimulator) -> None:
    template = {"TemplateName": "Code", "TemplateData": '{"code": "123456"}'}
    running.send_email("ana@example.com", Content={"Template": template})

    mail = shown(running, "email", "ana@example.com")
    assert mail["template"] == {"name": "Code", "data": {"code": "123456"}}
    assert (mail["subject"], mail["text"], mail["html"]) == (None, None, None)


def test_a_template_with_too_many_values_to_keep_is_still_shown(running: RunningSimulator) -> None:
    template = {"TemplateName": "Code", "TemplateData": f'{{"code": "{"1" * 150_000}"}}'}
    running.send_email("ana@example.com", Content={"Template": template})

    mail = shown(running, "email", "ana@example.com")
    assert mail["template"] == {"name": "Code", "data": None}


def test_a_email_is_shown_longer_than_a_list_shows_it(running: RunningSimulator) -> None:
    content = {"Simple": {"Subject": {"Data": "s"}, "Body": {"Html": {"Data": "x" * 50_000}}}}
    running.send_email("ana@example.com", Content=content)

    assert shown(running, "email", "ana@example.com")["html"] == "x" * 50_000


# --- the state of a message


@pytest.mark.parametrize(
    ("channel", "to", "state", "reason"),
    [
        ("sms", "+14255550100", "delivered", None),
        ("sms", "+14255550102", "delivered", None),
        ("sms", "+14255550124", "on_its_way", None),
        ("sms", "+14255550120", "failed", "TEXT_UNREACHABLE: Phone is currently unreachable"),
        ("sms", "+14255550126", "failed", "TEXT_PROTECT_BLOCKED"),
        ("sms", "+14255550135", "delivered", None),
        ("whatsapp", "+14255550101", "read", None),
        ("whatsapp", "+14255550133", "read", None),
        ("whatsapp", "+14255550120", "failed", "failed:131026: Message undeliverable"),
        ("whatsapp", "+14255550124", "failed", "failed"),
        ("whatsapp", "+14255550130", "on_its_way", None),
        ("email", "ana@example.com", "delivered", None),
        ("email", "bounce@example.com", "failed", "Bounce:Permanent/General: smtp; 550 5.1.1"),
        ("email", "complaint@example.com", "complained", None),
    ],
)
def test_the_state_is_what_the_phone_has(
    running: RunningSimulator, channel: str, to: str, state: str, reason: str | None
) -> None:
    running.send(channel, to)
    eventually(lambda: running.get("/health")["under_way"] == 0)

    (entry,) = running.entries(channel, to)
    assert entry["state"] == state
    assert (entry["reason"] or "").startswith(reason or "")
    assert (entry["reason"] is None) == (reason is None)


def test_a_rejected_message_is_not_on_the_phone(running: RunningSimulator) -> None:
    with pytest.raises(ClientError):
        running.send_sms("+14255550110")

    (entry,) = running.entries("sms", "+14255550110")
    assert (entry["state"], entry["provider_id"], entry["may"]) == ("refused", None, [])
    assert entry["reason"] == "ConflictException: Destination phone number is opted out"


def test_a_dry_run_and_an_invalid_request_reach_nobody(running: RunningSimulator) -> None:
    running.send_sms(PERSON, DryRun=True)
    with pytest.raises(ClientError):
        running.send_sms(PERSON, MessageBody="a" * 1601)

    assert running.get("/recipients") == []


# --- the recipients


def test_recipients_are_listed_newest_first(running: RunningSimulator) -> None:
    sms = running.send_sms(PERSON, MessageBody="x" * 100)
    running.send_whatsapp(PERSON)
    running.send_whatsapp(PERSON)
    running.send_email("person@example.com")
    running.act(sms, "reply", text="Thanks")

    def listed(query: str = "") -> list[tuple[str, str, int, int, str]]:
        return [
            (one["channel"], one["to"], one["messages"], one["replies"], one["preview"])
            for one in running.get(f"/recipients{query}")
        ]

    assert listed() == [
        ("sms", PERSON, 1, 1, "Thanks"),
        ("email", "person@example.com", 1, 0, "Your code"),
        ("whatsapp", PERSON, 2, 0, "login_code"),
    ]
    running.send_sms(PERSON, MessageBody="x" * 100)
    assert listed("?limit=1") == [("sms", PERSON, 2, 1, "x" * 80)]
    assert running.ask("GET", "/recipients?limit=-1")[0] == 400


def test_a_recipient_has_the_time_and_text_of_the_newest_entry(running: RunningSimulator) -> None:
    provider_id = running.send_whatsapp(PERSON)
    running.act(provider_id, "read")

    (recipient,) = running.get("/recipients")
    (entry,) = running.entries("whatsapp", PERSON)
    assert (recipient["last_at"], recipient["state"]) == (entry["at"], "read")
    running.act(provider_id, "reply", text="Yes")
    (recipient,) = running.get("/recipients")
    assert recipient["last_at"] == running.entries("whatsapp", PERSON)[-1]["at"]


def test_a_recipient_without_messages_is_removed(running: RunningSimulator) -> None:
    running.send_sms(PERSON)
    for _ in range(20):
        running.send_sms(ANA)

    (recipient,) = running.get("/recipients")
    assert (recipient["to"], recipient["messages"]) == (ANA, 20)
    assert running.ask("DELETE", "/sent") == (204, None)
    assert running.get("/recipients") == []
