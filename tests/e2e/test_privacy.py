"""Nothing that a message says, nor whom it goes to, is written anywhere but in the store, and a
one-time code not even there.

Marked values go through everything that a carrier can do, and through what is refused; then
everything that was written is searched. The local AWS writes no traces: what a function could add
to one is searched for in its code.
"""

import json
import random
import re
import tomllib
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.http_client import http_client
from tests.e2e.conftest import ROOT, Throughline, eventually

# Each is found by itself, so that a failure says what leaked.
MARKS = {
    kind: f"{kind}{uuid.uuid4().hex[:12]}"
    for kind in ("text", "subject", "html", "data", "parameter", "link", "name", "box", "metadata")
}
WRONG = {kind: f"wrong{kind}{uuid.uuid4().hex[:12]}" for kind in ("to", "text", "json", "field")}
CONTENT = {
    "text": MARKS["text"],
    "subject": MARKS["subject"],
    "html": f"<p>{MARKS['html']}</p>",
}
# Of a request that does not come through the API: its history and its queue hold all of it.
DIRECT = {kind: f"direct{kind}{uuid.uuid4().hex[:12]}" for kind in ("text", "box", "field")}
CHANNELS = ("sms", "whatsapp", "email")
SCENARIOS = {
    channel: tomllib.loads((ROOT / "simulator" / channel / "scenarios.toml").read_text())
    for channel in CHANNELS
}
# A wait is over before these are answered; they come last, so that all others are through by then.
SLOW = "answer_times_out"
SECONDS_FOR_ALL = 240


def recipients(channel: str) -> list[str]:
    """One for each scenario, and the one that fits none."""
    pattern = "@example.com" if channel == "email" else "?"
    listed = SCENARIOS[channel]["recipients"].items()
    by_scenario = {scenario: name for name, scenario in listed if pattern in name}
    names = [name for scenario, name in by_scenario.items() if scenario != SLOW]
    return [*names, by_scenario[SLOW], "any@example.com" if channel == "email" else "+1???5550100"]


LAST_DIGITS = {channel: [int(one[-4:]) for one in recipients(channel)] for channel in CHANNELS[:2]}
NAMES = [one.removesuffix("@example.com") for one in recipients("email")]


# Each code is so long that it occurs nowhere by chance. Of how a verification ends: the alphabet of
# its code, and where the code goes; the codes to one prefix are limited.
CLIENT = "203.0.113.77"
GUESSES = [f"{guess:010}" for guess in random.sample(range(10**10), 5)]
LIVES = (
    ("approved", "letters", dict.fromkeys(("whatsapp", "sms"), "+13035550156")),
    ("approved", "digits", {"voice": "+13035550104"}),
    ("approved", "alphanumeric", {"email": f"code+{MARKS['box']}@example.com"}),
    ("max_checks_reached", "letters", {"whatsapp": "+13035550105"}),
    ("cancelled", "alphanumeric", {"sms": "+13035550106"}),
)
OWN_CODE = "BCDFGHJKLM"


def number(last: int) -> str:
    return f"+1206555{last:04}"


def address(name: str) -> str:
    return f"{name}+{MARKS['box']}@example.com"


def request(to: dict[str, str], content: dict[str, Any], *steps: Any) -> dict[str, Any]:
    sender = {"email": f"{MARKS['name']} <hello@example.com>"}
    return {
        "to": to,
        "from": sender,
        "content": content,
        "steps": [{"wait_seconds": 5, **step} for step in steps],
        "metadata": {"order": MARKS["metadata"]},
    }


def requests() -> Iterator[dict[str, Any]]:
    for channel, numbers in LAST_DIGITS.items():
        for last in numbers:
            to = {channel: number(last), "email": address("silent")}
            yield request(to, CONTENT, {"channel": channel}, {"channel": "email"})
    for name in NAMES:
        yield request({"email": address(name)}, CONTENT, {"channel": "email"})
    everyone = {"sms": number(120), "whatsapp": number(121), "email": address("bounce")}
    yield request(everyone, templates(), {"broadcast": ["sms", "whatsapp", "email"]})


def templates() -> dict[str, Any]:
    """Content in the providers' own forms."""
    body = {"type": "body", "parameters": [{"type": "text", "text": MARKS["parameter"]}]}
    whatsapp = {"name": "login_code", "language": "en_US", "components": [body]}
    email = {"name": "login-code", "data": {"code": MARKS["data"], "link": MARKS["link"]}}
    return {
        "text": MARKS["text"],
        "whatsapp": {"template": whatsapp},
        "email": {"template": email},
    }


def refused() -> Iterator[object]:
    """What the API takes from nobody, with marks where the mistakes are."""
    step = {"channel": "sms"}
    yield request({"sms": WRONG["to"]}, CONTENT, step)
    yield request({"sms": number(100)}, {"text": WRONG["text"] * 200}, step)
    yield request({"sms": number(100)}, CONTENT, {**step, WRONG["field"]: WRONG["field"]})
    yield f'{{"content": "{WRONG["json"]}'.encode()
    yield json.dumps({"content": {"text": WRONG["text"] * 12_000}}).encode()


@pytest.fixture(scope="module")
def sent(throughline: Throughline) -> dict[str, Any]:
    """Every message as GET tells it in the end, by its id."""
    for body in refused():
        assert throughline.post(body).status in {400, 413}
    key = {"Idempotency-Key": MARKS["name"]}
    with ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(throughline.post, requests()))
    again = [throughline.post(next(requests()), **key) for _ in range(2)]
    ids = {answer.body["id"] for answer in (*answers, *again)}
    return {message_id: throughline.finished(message_id, SECONDS_FOR_ALL) for message_id in ids}


@pytest.fixture(scope="module")
def direct(throughline: Throughline) -> list[str]:
    """The ids of a message and of a refused one that did not come through the API."""
    step = {"channel": "email", "wait_seconds": 5}
    content = {"text": DIRECT["text"], "subject": DIRECT["text"]}
    good = {"to": {"email": f"bounce+{DIRECT['box']}@example.com"}, "content": content}
    bad = {**good, "steps": [{**step, DIRECT["field"]: DIRECT["field"]}]}
    names = [f"order-{uuid.uuid4().hex}" for _ in range(2)]
    for name, body in zip(names, ({**good, "steps": [step]}, bad), strict=True):
        throughline.engine.start_execution(
            stateMachineArn=throughline.environment["STATE_MACHINE_ARN"],
            name=name,
            input=json.dumps(body),
        )
    ends = {throughline.finished(name, SECONDS_FOR_ALL)["status"] for name in names}
    assert ends == {"undelivered", "rejected"}
    return names


@pytest.fixture(scope="module")
def codes(throughline: Throughline) -> dict[str, str]:
    """The codes on the phones, by the ids of their verifications; all of these are over."""
    with ThreadPoolExecutor(len(LIVES)) as clients:
        found = dict(clients.map(lambda life: verified(throughline, *life), LIVES))
    for verification_id in found:
        throughline.finished(verification_id, SECONDS_FOR_ALL)
    return found


def verified(
    throughline: Throughline, end: str, alphabet: str, to: dict[str, str]
) -> tuple[str, str]:
    """The id and the code of a verification that ends so, after wrong codes were entered."""
    steps = [{"channel": channel} for channel in to]
    policy = {"length": 10, "alphabet": alphabet, "client_ip": CLIENT, "brand": "Example"}
    verification_id = throughline.started({"to": to, "steps": steps, **policy})
    calls = eventually(lambda: answered(throughline, verification_id, len(to)))
    code = code_on(throughline.phone(calls[-1]))
    wrong = GUESSES if end == "max_checks_reached" else GUESSES[:2]
    assert {throughline.check(verification_id, guess).status for guess in wrong} == {200}
    if end == "cancelled":
        assert throughline.cancel_verification(verification_id).status == 200
    throughline.check(verification_id, code)
    assert throughline.verification(verification_id).body["status"] == end
    return verification_id, code


def answered(throughline: Throughline, message_id: str, count: int) -> list[dict[str, Any]] | None:
    calls = [call for call in throughline.calls(message_id) if call["answer"]]
    return calls if len(calls) == count else None


def code_on(content: dict[str, Any]) -> str:
    """The code of ten characters in what the phone shows."""
    template = content.get("template") or {}
    text = content.get("text") or template["parameters"][0]
    found = re.search(r"(?<!\w)(?:[A-Z0-9]\W*){9}[A-Z0-9](?!\w)", text)
    assert found, text
    return re.sub(r"\W", "", found.group())


@pytest.fixture(scope="module")
def own(throughline: Throughline) -> str:
    """The id of a verification with a code of the caller's own, which is over."""
    body = {"to": {"email": "own@example.com"}, "steps": [{"channel": "email"}]}
    fields = {"code": OWN_CODE, "length": 10, "alphabet": "letters"}
    verification_id = throughline.started(body | fields)
    eventually(lambda: answered(throughline, verification_id, 1))
    assert throughline.control(verification_id, "confirm").status == 200
    throughline.finished(verification_id)
    return verification_id


@pytest.fixture(scope="module")
def written(
    throughline: Throughline,
    sent: dict[str, Any],
    direct: list[str],
    codes: dict[str, str],
    own: str,
) -> dict[str, str]:
    """Everything that was written about the messages outside the store, by where it lies."""
    assert direct
    places = (log_files(throughline), logs(throughline), metrics(throughline))
    found = histories(throughline, [*sent, *codes, own])
    return dict(chain(*places, found, letters(throughline)))


@pytest.fixture(scope="module")
def stored(throughline: Throughline, codes: dict[str, str], own: str) -> dict[str, str]:
    """Every item of the table, by its key."""
    assert codes
    assert own
    table = throughline.environment["MESSAGES_TABLE"]
    pages = throughline.table.get_paginator("scan").paginate(TableName=table)
    items = (item for page in pages for item in page["Items"])
    return {f"item {item['pk']['S']} {item['sk']['S']}": json.dumps(item) for item in items}


def log_files(throughline: Throughline) -> Iterator[tuple[str, str]]:
    port = urlsplit(throughline.environment["AWS_ENDPOINT_URL"]).port
    for path in (ROOT / ".local" / str(port)).glob("*.log"):
        yield path.name, path.read_text(errors="replace")


def logs(throughline: Throughline) -> Iterator[tuple[str, str]]:
    client = throughline.session.client(
        "logs", endpoint_url=throughline.environment["AWS_ENDPOINT_URL"]
    )
    for group in client.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=name)
        yield name, "\n".join(event["message"] for page in pages for event in page["events"])


def metrics(throughline: Throughline) -> Iterator[tuple[str, str]]:
    client = throughline.session.client(
        "cloudwatch", endpoint_url=throughline.environment["AWS_ENDPOINT_URL"]
    )
    yield "metrics", str(client.list_metrics()["Metrics"])


def histories(throughline: Throughline, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    for message_id in ids:
        execution = throughline.execution(message_id)
        pages = throughline.engine.get_paginator("get_execution_history").paginate(
            executionArn=execution
        )
        yield f"history of {message_id}", str([page["events"] for page in pages])
        description = throughline.engine.describe_execution(executionArn=execution)
        yield f"execution {message_id}", str(description)


def letters(throughline: Throughline) -> Iterator[tuple[str, str]]:
    """What lies in the queues. A provider's event that could not be recorded is a place by itself,
    because it names its recipient.
    """
    for url in throughline.queues.list_queues()["QueueUrls"]:
        for letter in every_letter(throughline, url):
            place = f"{url.rpartition('/')[2]} {letter['MessageId']}"
            around, events = without_events(letter)
            yield place, around
            yield f"{EVENT}{place}", events


EVENT = "a provider's event in "


def every_letter(throughline: Throughline, url: str) -> Iterator[dict[str, Any]]:
    """Looked at, not taken: each is in the queue again after a moment."""
    while found := throughline.queues.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=2,
        MessageAttributeNames=["All"],
    ).get("Messages", []):
        yield from (dict(one) for one in found)


def without_events(letter: dict[str, Any]) -> tuple[str, str]:
    """The letter without the events of providers that it is about, and those."""
    body = parsed(letter["Body"])
    records = body.get("requestPayload", {}).get("Records", [])
    events = [record["Sns"].pop("Message") for record in records]
    return json.dumps({**letter, "Body": body}), "\n".join(events)


def parsed(body: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(body)
    except json.JSONDecodeError:
        return {"text": body}
    return found


def holding(written: dict[str, str], value: str) -> list[str]:
    return [where for where, text in written.items() if value in text]


@pytest.mark.parametrize("kind", MARKS)
def test_what_a_message_says_is_written_nowhere(written: dict[str, str], kind: str) -> None:
    assert holding(written, MARKS[kind]) == []


@pytest.mark.parametrize("kind", WRONG)
def test_what_was_refused_is_written_nowhere(written: dict[str, str], kind: str) -> None:
    assert holding(written, WRONG[kind]) == []


def test_no_number_is_written_but_in_a_providers_own_event(written: dict[str, str]) -> None:
    numbers = {number(last).removeprefix("+") for group in LAST_DIGITS.values() for last in group}
    found = {where for one in numbers for where in holding(written, one)}

    # What could not be recorded is kept as the provider said it: docs/security.md.
    assert [where for where in found if not where.startswith(EVENT)] == []


def test_a_code_is_nowhere_but_on_the_phone(
    throughline: Throughline,
    written: dict[str, str],
    stored: dict[str, str],
    codes: dict[str, str],
) -> None:
    everywhere = written | stored | console_pages(throughline, codes) | answers(throughline, codes)
    forms = {form for code in codes.values() for form in (code, ", ".join(code), " ".join(code))}

    assert len(set(codes.values())) == len(LIVES)
    assert {place for form in forms for place in holding(everywhere, form)} == set()


def test_a_guess_is_nowhere(written: dict[str, str], stored: dict[str, str]) -> None:
    assert {place for guess in GUESSES for place in holding(written | stored, guess)} == set()


def test_a_callers_own_code_is_in_its_message_alone(
    throughline: Throughline, written: dict[str, str], stored: dict[str, str], own: str
) -> None:
    everywhere = written | console_pages(throughline, [own]) | answers(throughline, [own])

    assert holding(everywhere, OWN_CODE) == []
    assert {place.split()[1] for place in holding(stored, OWN_CODE)} == {own}


def test_neither_a_recipient_of_a_code_nor_the_client_is_written(written: dict[str, str]) -> None:
    found = {place for mark in ("1303555", CLIENT) for place in holding(written, mark)}
    assert [place for place in found if not place.startswith(EVENT)] == []


def answers(throughline: Throughline, ids: Iterable[str]) -> dict[str, str]:
    """What the API tells of verifications."""
    return {
        f"{what} {one}": json.dumps(read(one).body)
        for one in ids
        for what, read in (("GET", throughline.get), ("verification", throughline.verification))
    }


def console_pages(throughline: Throughline, ids: Iterable[str]) -> dict[str, str]:
    """The pages of the console that tell of verifications. The phones show codes, on purpose."""
    url = throughline.environment["THROUGHLINE_CONSOLE_URL"]
    paths = ["/messages", "/overview", "/codes", *(f"/messages/{one}" for one in ids)]
    pages = {path: http_client().get(f"{url}{path}") for path in paths}
    return {f"console {path}": page.raise_for_status().text for path, page in pages.items()}


@pytest.mark.parametrize("kind", DIRECT)
def test_what_a_direct_request_says_is_in_no_log_and_no_metric(
    written: dict[str, str], kind: str
) -> None:
    assert holding(written, DIRECT[kind]) == []


def test_no_function_adds_anything_to_a_trace() -> None:
    """X-Ray then holds what Lambda, API Gateway and Step Functions put there: names and times."""
    used = "\n".join(path.read_text() for path in (ROOT / "functions").rglob("*.py"))
    locked = (ROOT / "requirements" / "functions.txt").read_text()

    assert [word for word in ("Tracer", "aws_xray_sdk", "opentelemetry") if word in used] == []
    assert [word for word in ("aws-xray-sdk", "opentelemetry") if word in locked] == []


def test_the_api_key_is_written_nowhere(throughline: Throughline, written: dict[str, str]) -> None:
    assert holding(written, throughline.environment["THROUGHLINE_API_KEY"]) == []


def test_a_task_token_is_in_the_store_and_the_history_alone(
    throughline: Throughline, written: dict[str, str], sent: dict[str, Any]
) -> None:
    tokens = {token for message_id in sent for token in tokens_of(throughline, message_id)}
    told = {f"GET {message_id}": json.dumps(message) for message_id, message in sent.items()}
    told |= {f"sent {message_id}": str(throughline.calls(message_id)) for message_id in sent}
    elsewhere = {name: text for name, text in written.items() if not name.startswith("history")}

    assert len(tokens) > len(sent) / 2
    assert [place for token in tokens for place in holding(elsewhere | told, token)] == []


def test_the_answer_names_neither_the_recipient_nor_what_was_said(sent: dict[str, Any]) -> None:
    told = {message_id: json.dumps(message) for message_id, message in sent.items()}
    returned = MARKS["metadata"]  # the caller's own

    assert len(holding(told, returned)) == len(sent)
    for mark in (*MARKS.values(), "1206555"):
        assert mark == returned or holding(told, mark) == []


def tokens_of(throughline: Throughline, message_id: str) -> Iterator[str]:
    items = throughline.table.query(
        TableName=throughline.environment["MESSAGES_TABLE"],
        KeyConditionExpression="pk = :id",
        ExpressionAttributeValues={":id": {"S": message_id}},
    )["Items"]
    return (item["task_token"]["S"] for item in items if "task_token" in item)


def test_the_search_finds_what_is_there(written: dict[str, str], sent: dict[str, Any]) -> None:
    for message_id in sent:
        assert len(holding(written, message_id)) >= len({"log", "history", "execution"})
    assert "local-aws.log" in written
    assert holding(written, '"CloudWatchMetrics"')
