"""Nothing that a message says, nor whom it goes to, is written anywhere but in the store.

Marked values go through everything that a carrier can do, and through what is refused; then
everything that was written is searched. The local AWS writes no traces: what a function could add
to one is searched for in its code.
"""

import json
import tomllib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import ROOT, Throughline

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
def written(throughline: Throughline, sent: dict[str, Any], direct: list[str]) -> dict[str, str]:
    """Everything that was written about the messages outside the store, by where it lies."""
    assert direct
    places = (log_files(throughline), logs(throughline), metrics(throughline))
    return dict(chain(*places, histories(throughline, sent), letters(throughline)))


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


def histories(throughline: Throughline, ids: dict[str, Any]) -> Iterator[tuple[str, str]]:
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
