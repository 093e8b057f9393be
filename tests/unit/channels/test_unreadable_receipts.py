"""Parts of a provider's event that are not of its format: each is reported, the others are read."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messaging.channels import receipts
from messaging.channels.reading import MAX_BYTES, EventItem
from messaging.domain.messages import Receipt, SetupMessage, UnreadableReceipt
from messaging.domain.statuses import ReceiptKind
from tests.support.aws import EVENTS, load

ENTRY = "whatsAppWebhookEntry"
PERSONAL = ("4255550156", "recipient@example.com", "YES please", "Example Person")
SAMPLES = sorted(path.stem for path in EVENTS.glob("*.json"))
MISSING = object()
VALUES: tuple[object, ...] = (
    *(MISSING, None, True, "", "+14255550156", "\ud800", "x" * 5_000, "9" * 5_000),
    *(-1, 1e300, float("nan"), 10**30, [], [None], {}, {"id": {}}, ["+14255550156"]),
    *("0001-01-01T00:00:00+23:59", "2026-01-02T00:00:00", "[" * 100_000),
)
Place = tuple[str | int, ...]


def opened(name: str) -> dict[str, Any]:
    """The sample, with WhatsApp's entry as the object that its text describes."""
    event = load(name)
    return {**event, ENTRY: json.loads(event[ENTRY])} if ENTRY in event else event


def parse(event: Mapping[str, Any]) -> tuple[EventItem, ...]:
    if isinstance(event.get(ENTRY), dict):
        event = {**event, ENTRY: json.dumps(event[ENTRY])}
    return receipts.parse(json.dumps(event))


def places(value: Any) -> Iterator[Place]:
    """The path to each value in a document."""
    named = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in named:
        yield (name,)
        if isinstance(part, dict | list):
            yield from ((name, *rest) for rest in places(part))


def replaced(document: Any, place: Place, value: object) -> Any:
    changed = deepcopy(document)
    *outer, last = place
    holder = changed
    for name in outer:
        holder = holder[name]
    if value is MISSING:
        del holder[last]
    else:
        holder[last] = value
    return changed


def whatsapp(*items: Any, key: str = "statuses", **value: Any) -> tuple[EventItem, ...]:
    """What an entry with these statuses contains; they take the place of the sample's."""
    event = opened("whatsapp_delivered")
    event[ENTRY]["changes"][0]["value"] = {key: list(items), **value}
    return parse(event)


def status(**fields: Any) -> dict[str, Any]:
    [one] = opened("whatsapp_delivered")[ENTRY]["changes"][0]["value"]["statuses"]
    return {**one, **fields}


def reasons(found: tuple[EventItem, ...]) -> list[str]:
    return [one.reason for one in found if isinstance(one, UnreadableReceipt)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (status(timestamp=None), "not of its format (TypeError)"),
        (status(timestamp="9" * 5_000), "not of its format (ValueError)"),
        (status(timestamp=10**30), "not of its format (OverflowError)"),
        ({"id": "wamid.1", "status": "read"}, "timestamp is missing"),
        ({"id": "wamid.1", "timestamp": "1"}, "status is missing"),
        (status(errors=["131026"], status="failed"), "not of its format (AttributeError)"),
        (status(id="x" * (MAX_BYTES + 1)), "not of its format (ValueError)"),
        (status(id="\ud800"), "not of its format (UnicodeEncodeError)"),
        (status(status={"code": 1}), "not of its format (TypeError)"),
        ("delivered", "not of its format (TypeError)"),
        (None, "not of its format (TypeError)"),
    ],
)
def test_a_bad_status_hides_none_beside_it(bad: object, reason: str) -> None:
    first, second, last = whatsapp(status(id="wamid.a"), bad, status(id="wamid.b"))

    assert second == UnreadableReceipt(reason)
    assert isinstance(first, Receipt)
    assert isinstance(last, Receipt)
    assert (first.wamid, last.wamid) == ("wamid.a", "wamid.b")


@pytest.mark.parametrize("nothing", [None, []])
def test_a_list_that_is_null_is_empty(nothing: object) -> None:
    assert whatsapp(status(), messages=nothing, errors=nothing) == whatsapp(status())
    assert whatsapp(key="messages", statuses=nothing) == ()
    [failed] = whatsapp(status(status="failed", errors=nothing))
    assert isinstance(failed, Receipt)
    assert (failed.kind, failed.reason) == (ReceiptKind.FAILED, "failed")


@pytest.mark.parametrize("wrong", ["read", 7, {"status": "read"}, True])
def test_what_is_no_list_is_unreadable_and_hides_nothing_beside_it(wrong: object) -> None:
    unreadable, read = whatsapp(
        {"id": "1", "type": "text", "timestamp": "1"}, key="messages", statuses=wrong
    )
    assert unreadable == UnreadableReceipt("not a list")
    assert isinstance(read, Receipt)

    event = opened("whatsapp_delivered")
    event[ENTRY]["changes"] = [None, {"value": [wrong]}, *event[ENTRY]["changes"]]
    assert len(reasons(parse(event))) == 2
    assert isinstance(parse(event)[-1], Receipt)
    event[ENTRY]["changes"] = wrong
    assert parse(event) == (UnreadableReceipt("not a list"),)


def test_one_id_in_the_envelope_is_not_given_to_the_receipts_of_several_messages() -> None:
    both = whatsapp(status(id="wamid.a"), status(id="wamid.b"))
    one_unreadable = whatsapp(status(id="wamid.a"), None)

    ids = [one.provider_id for one in (*both, *one_unreadable) if isinstance(one, Receipt)]
    assert ids == [None, None, None]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello", "not of its format (JSONDecodeError)"),
        ("", "not of its format (JSONDecodeError)"),
        ("[]", "not of its format (AttributeError)"),
        ('"text"', "not of its format (AttributeError)"),
        ("null", "not of its format (AttributeError)"),
        ("[" * 100_000, "not of its format (RecursionError)"),
        ('{"AlarmName": "queue is deep"}', "unknown format"),
        ('{"detail": 7}', "not of its format (TypeError)"),
    ],
)
def test_what_is_no_event_is_unreadable(text: str, reason: str) -> None:
    assert receipts.parse(text) == (UnreadableReceipt(reason),)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("sms_TEXT_DELIVERED", "messageId"),
        ("sms_TEXT_DELIVERED", "eventTimestamp"),
        ("voice_VOICE_COMPLETED", "messageId"),
        ("whatsapp_eventbridge_delivered", "messageId"),
    ],
)
def test_an_event_without_a_field_it_needs_is_unreadable(name: str, field: str) -> None:
    event = load(name)
    del event.get("detail", event)[field]

    assert parse(event) == (UnreadableReceipt(f"{field} is missing"),)


@pytest.mark.parametrize("field", ["messageId", "timestamp"])
def test_a_mail_without_a_field_it_needs_is_unreadable(field: str) -> None:
    event = load("ses_Send")
    del event["mail"][field]

    assert parse(event) == (UnreadableReceipt(f"{field} is missing"),)


@pytest.mark.parametrize(
    "text",
    [
        "Successfully validated SNS topic for Amazon SES event publishing.",
        "Successfully validated SNS topic for Amazon SES event publishing.\n",
        '{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"You have subscribed."}',
    ],
)
def test_what_ses_publishes_when_it_is_set_up_is_known(text: str) -> None:
    assert receipts.parse(text) == (SetupMessage(),)


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A sample with one or two of its values replaced or missing."""
    name = draw(st.sampled_from(SAMPLES))
    event = opened(name)
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(sorted(places(event), key=str)))
        event = replaced(event, place, draw(st.sampled_from(VALUES)))
        if not event:
            break
    return name, event


@given(spoiled())
@example(("whatsapp_delivered", {ENTRY: "[" * 100_000}))
@example(
    (
        "whatsapp_eventbridge_failed",
        {"wabaId": "1", "messageId": "m", "status": None, "eventTimestamp": "1767312007"},
    )
)
def test_whatever_a_provider_writes_is_read_or_reported(case: tuple[str, dict[str, Any]]) -> None:
    name, event = case
    found = parse(event)

    assert not [word for reason in reasons(found) for word in PERSONAL if word in reason]
    for one in found:
        if isinstance(one, Receipt):
            assert all(
                isinstance(text, str)
                for text in (one.word, one.key, *filter(None, (one.provider_id, one.wamid)))
            )
    if ENTRY not in event:
        assert found, name


@given(spoiled().filter(lambda case: case[0].startswith("whatsapp") and ENTRY in case[1]))
def test_whatever_stands_beside_it_a_good_status_is_read(
    case: tuple[str, dict[str, Any]],
) -> None:
    event = opened("whatsapp_delivered")
    changes = case[1][ENTRY].get("changes") if isinstance(case[1][ENTRY], dict) else None
    spoiled_changes = changes if isinstance(changes, list) else [changes]
    event[ENTRY]["changes"] = [*spoiled_changes, *event[ENTRY]["changes"]]

    last = parse(event)[-1]
    assert isinstance(last, Receipt)
    assert (last.kind, str(last.echo)) == (ReceiptKind.DELIVERED, "01JEXAMPLE0000000000000001.1")
