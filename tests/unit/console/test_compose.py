"""A request as a form and back, its plan in words, its `curl` line, and what the buttons do."""

import html
import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Annotated, Any, Literal

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.compose import plan_preview, request_fields, sending
from console.compose.examples import EXAMPLES
from console.compose.form import MessageForm
from console.compose.form_actions import FormUpdate, run_action
from console.compose.form_to_request import request_of
from console.compose.problem_fields import FieldProblem, field_problems
from console.compose.request_to_form import form_of
from console.compose.scenario_recipients import RecipientScenarios
from console.context import ConsoleContext
from console.installation import ConsoleClients, Installation, Local
from console.live import Hub
from console.pages.compose import FormSubmission, MessageEditor
from messaging.api import requests
from messaging.api.models import MessageRequest
from messaging.channels.catalog import channels
from messaging.domain.errors import InvalidRequest, Problem
from tests.support.request_cases import FINITE, FULL, RIGHT, SENDERS, VALID, WRONG, Wrong, but

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

WAITS = {"whatsapp": 45, "sms": 120, "email": 300, "voice": 120}
STACK = plan_preview.StackDefaults(SENDERS, WAITS)
LOCAL = Local("http://127.0.0.1:1/v1/messages", "a key's", "http://127.0.0.1:2")
ONE = {**VALID, "steps": [{"channel": "sms"}]}
NOW = datetime(2026, 1, 2, tzinfo=UTC)
# What JSON cannot say cannot be typed.
OBJECTS = [wrong for wrong in WRONG if isinstance(wrong.body, dict) and wrong.unsaid != FINITE]


def as_a_browser_sends_it(form: MessageForm) -> FormData:
    """The fields in their order, line breaks as CR and LF."""
    pairs = list(form.values.items())
    for step in form.steps:
        at = f"/steps/{step.key}"
        pairs += [("step", str(step.key)), (f"{at}/channel", step.channel)]
        pairs += [(f"{at}/broadcast", channel) for channel in step.broadcast]
        pairs += [(f"{at}/wait_seconds", step.wait_seconds), (f"{at}/success", step.success)]
        pairs += [(f"{at}/more", step.more)]
    for name, value in form.metadata:
        pairs += [("metadata_name", name), ("metadata_value", value)]
    return FormData([(name, value.replace("\n", "\r\n")) for name, value in pairs])


def through_the_form(request: Mapping[str, Any]) -> dict[str, Any]:
    made, unreadable = request_of(MessageForm.posted(as_a_browser_sends_it(form_of(request))))
    assert unreadable == []
    return made


def meaning(request: object) -> dict[str, Any]:
    """The request without what says no more than its absence."""
    model = MessageRequest.model_validate(request)
    return model.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def problems_of(request: object) -> list[Problem]:
    with pytest.raises(InvalidRequest) as refused:
        requests.check(request, SENDERS)
    return refused.value.problems


def said_of(request: object) -> object:
    """What the API says of it: its problems, or what it means."""
    try:
        requests.check(request, SENDERS)
    except InvalidRequest as error:
        return error.problems
    return meaning(request)


def anything(*known: Any) -> Any:
    """Any JSON, and often what is known."""
    simple = st.none() | st.booleans() | st.integers(-99, 10**7) | st.text(max_size=5)
    nested = st.recursive(simple, lambda deeper: st.lists(deeper, max_size=2), max_leaves=4)
    return st.one_of(*known, nested)


def some_of(**fields: Any) -> Any:
    return st.fixed_dictionaries({}, optional=fields)


CHANNELS_SOMEHOW = st.lists(st.sampled_from(["whatsapp", "sms", "email", "pigeon"]), max_size=3)
WORDS = some_of(
    **{name: anything() for name in ("text", "subject", "html", "image", "document")},
    template=anything(some_of(name=anything(), language=anything(), components=anything())),
)
CONTENT = some_of(text=anything(), subject=anything(), whatsapp=anything(WORDS), email=WORDS)
STEP = some_of(
    channel=anything(st.sampled_from(["whatsapp", "sms"])),
    broadcast=anything(CHANNELS_SOMEHOW),
    wait_seconds=anything(),
    success=anything(st.sampled_from(["sent", "delivered", "read"])),
    to=anything(),
    content=anything(CONTENT),
)
ANY_REQUEST = some_of(
    to=anything(some_of(sms=anything(), email=anything())),
    content=anything(CONTENT),
    steps=anything(st.lists(anything(STEP), max_size=3)),
    category=anything(st.just("utility")),
    expires_in_seconds=anything(),
    metadata=anything(st.dictionaries(st.text(max_size=3), anything(), max_size=3)),
    unknown=anything(),
)

# ---- a request and its form


@pytest.mark.parametrize("request_", RIGHT.values(), ids=RIGHT)
def test_a_right_request_goes_through_the_form_unchanged(request_: dict[str, Any]) -> None:
    assert meaning(through_the_form(request_)) == meaning(request_)


@pytest.mark.parametrize("start", EXAMPLES.values(), ids=EXAMPLES)
def test_a_start_is_a_request_that_the_api_takes_and_the_form_says_whole(start: Any) -> None:
    assert through_the_form(start.request) == start.request
    assert not form_of(start.request).has_json()
    requests.check(start.request, SENDERS)


@pytest.mark.parametrize("wrong", OBJECTS, ids=lambda wrong: wrong.what)
def test_a_wrong_request_stays_as_wrong_as_it_was(wrong: Wrong) -> None:
    assert problems_of(through_the_form(wrong.body)) == problems_of(wrong.body)


@settings(deadline=None)
@given(ANY_REQUEST)
def test_whatever_a_request_is_the_form_makes_the_same_of_it(request_: dict[str, Any]) -> None:
    assert said_of(through_the_form(request_)) == said_of(request_)


def test_what_has_no_field_is_kept_as_json_in_its_step() -> None:
    form = form_of(FULL)
    assert form.has_json()
    assert [bool(step.more) for step in form.steps] == [False, False, True]
    assert json.loads(form.steps[2].more) == {
        name: FULL["steps"][2][name] for name in ("to", "from", "content")
    }


def test_what_a_step_says_of_its_own_moves_with_it() -> None:
    form = form_of(FULL)
    moved = run_action(form, f"up:{form.steps[2].key}").form
    made, _ = request_of(moved)
    first, second, third = meaning(FULL)["steps"]
    assert meaning(made)["steps"] == [first, third, second]


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/content/text", "one\r\ntwo"),
        ("/content/text", "\n first line is empty"),
        ("/content/text", "a zero \0"),
        ("/metadata", {"k": "two\nlines", "": "x"}),
        ("/content/email", {}),
        ("/steps", [{"channel": "sms"}, "sms"]),
        ("/to", "nobody"),
        ("/unknown", {"deep": [1, {"er": None}]}),
        ("/expires_in_seconds", 10**30),
        ("/expires_in_seconds", 45.0),
        ("/steps/0/wait_seconds", True),
        ("/steps/0/success", ["read"]),
        ("/steps/0/content", {}),
    ],
)
def test_what_a_browser_cannot_hold_is_kept_as_json(pointer: str, value: object) -> None:
    request = but(ONE, {pointer: value})
    made = through_the_form(request)
    assert json.dumps(made, sort_keys=True) == json.dumps(request, sort_keys=True)


def test_only_what_was_chosen_for_a_channel_is_sent() -> None:
    form = form_of(but(VALID, {"/content/whatsapp": {"text": "Hi"}}))
    typed = {**form.values, "/content/whatsapp/image/link": "https://example.com/a.png"}
    made, _ = request_of(replace(form, values=typed))
    assert made["content"]["whatsapp"] == {"text": "Hi"}


@pytest.mark.parametrize(
    ("chosen", "at"),
    [
        ("text", "/content/whatsapp/text"),
        ("template", "/content/whatsapp/template/name"),
        ("image", "/content/whatsapp/image/link"),
        ("document", "/content/whatsapp/document/link"),
    ],
)
def test_what_was_chosen_and_left_empty_is_missed_by_the_api(chosen: str, at: str) -> None:
    typed = {**form_of(ONE).values, "/content/whatsapp": chosen}
    made, _ = request_of(replace(form_of(ONE), values=typed))
    assert at in [problem.pointer for problem in problems_of(made)]


def test_json_that_is_none_is_named_at_its_field_in_the_words_of_the_api() -> None:
    form = form_of(but(VALID, {"/content/email": {"template": {"name": "a", "data": {}}}}))
    form = replace(form, values={**form.values, "/content/email/template/data": '{"a": '})
    _, unreadable = request_of(form)
    with pytest.raises(InvalidRequest) as refused:
        requests.read(b'{"a": ')
    (said,) = refused.value.problems
    assert unreadable == [Problem("/content/email/template/data", said.detail)]


def test_a_name_that_comes_twice_in_the_metadata_is_named_and_not_lost() -> None:
    form = replace(form_of(ONE), metadata=(("order", "1"), ("order", "2")))
    _, unreadable = request_of(form)
    assert [problem.pointer for problem in unreadable] == ["/metadata/order"]


def test_a_form_of_anything_at_all_is_read() -> None:
    hostile: list[tuple[str, str | UploadFile]] = [
        ("step", "1"),
        ("step", "1"),
        ("step", "x" * 9),
        ("/steps/1/broadcast", "pigeon"),
    ]
    hostile += [("/content/whatsapp", "evil"), ("more", "[1]"), ("metadata_name", "\0")]
    made, unreadable = request_of(MessageForm.posted(FormData(hostile)))
    assert [problem.pointer for problem in unreadable] == ["more"]
    assert problems_of(made)


# ---- the fields that come from the models


class Recording(BaseModel):
    link: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
    repeat: int | None = None


class VoiceContent(BaseModel):
    text: str | None = None
    voice: Literal["JOANNA", "MATTHEW"] = "JOANNA"
    recording: Recording | None = None


class AllContent(BaseModel):
    text: str | None = None
    voice: VoiceContent | None = None


class RequestWithVoice(BaseModel):
    content: AllContent = AllContent()


def test_the_fields_of_a_new_channel_come_from_its_model() -> None:
    fields = {field.pointer: field for field in request_fields.fields_of(RequestWithVoice)}
    assert {pointer: field.kind for pointer, field in fields.items()} == {
        "/content/text": request_fields.TEXT,
        "/content/voice/text": request_fields.TEXT,
        "/content/voice/voice": request_fields.LINE,
        "/content/voice/recording/link": request_fields.LINE,
        "/content/voice/recording/repeat": request_fields.NUMBER,
    }
    assert fields["/content/voice/voice"].choices == [("", "JOANNA"), ("MATTHEW", "MATTHEW")]
    (alternatives,) = request_fields.by_channel(fields.values()).values()
    assert {name: [one.name for one in group] for name, group in alternatives.items()} == {
        "text": ["text", "voice"],
        "recording": ["link", "repeat"],
    }


def test_every_channel_has_a_recipient_a_sender_and_content_in_the_form() -> None:
    for channel in channels():
        assert f"/to/{channel}" in request_fields.FIELDS
        assert f"/from/{channel}" in request_fields.FIELDS
        assert channel in request_fields.CONTENT
    assert list(request_fields.CHOICES["/content/whatsapp"]) == [
        *("", "text", "template", "image", "document")
    ]


# ---- a problem and its field


@pytest.mark.parametrize(
    ("pointer", "field"),
    [
        ("/to/sms", "/to/sms"),
        ("/content/sms", "/content/sms"),
        ("/content/sms/text", "/content/sms/text"),
        ("/content/whatsapp", "/content/whatsapp"),
        ("/content/whatsapp/template/components/0", "/content/whatsapp/template/components"),
        ("/content/email/template/data", "/content/email/template/data"),
        ("/steps", "steps"),
        ("/steps/1", "/steps/2/channel"),
        ("/steps/1/wait_seconds", "/steps/2/wait_seconds"),
        ("/steps/0/broadcast/1", "/steps/1/broadcast"),
        ("/steps/2/to/email", "/steps/3/more"),
        ("/metadata", "metadata"),
        (f"/metadata/{'k' * 64}", "/metadata/0/name"),
        ("/from/email", "/from/email"),
        ("", None),
        ("/unknown", None),
    ],
)
def test_a_problem_finds_its_field(pointer: str, field: str | None) -> None:
    (found,) = field_problems(form_of(FULL), [Problem(pointer, "is wrong")])
    assert found.field == field


def test_a_problem_in_json_without_fields_is_shown_there() -> None:
    form = form_of({**ONE, "priority": 1})
    (found,) = field_problems(form, problems_of(request_of(form)[0]))
    assert (found.field, found.place) == ("more", "/priority")


def test_a_problem_stays_with_its_step_wherever_it_moves() -> None:
    form = run_action(form_of(VALID), "down:1").form
    (found,) = field_problems(form, [Problem("/steps/1/wait_seconds", "is 3")])
    assert found.field == "/steps/1/wait_seconds"
    assert form.steps[1].key == 1


# ---- the plan in words


def test_the_plan_says_each_step_with_its_wait_and_what_comes_else() -> None:
    steps = [
        {"channel": "whatsapp", "wait_seconds": 45, "success": "read"},
        {"broadcast": ["sms", "email"], "wait_seconds": 90},
        {"channel": "email", "success": "sent"},
    ]
    judged = plan_preview.preview({**VALID, "steps": steps}, STACK)
    assert judged.plan == (
        "WhatsApp, up to 45 s for a read receipt; else",
        (
            "SMS and email at once, up to 1 min 30 s for a delivery receipt; "
            "one that gets through is enough; else"
        ),
        (
            "Email, up to 5 min (the stack's default) until the provider accepts it; "
            "otherwise the message is undelivered."
        ),
    )
    assert not judged.problems


def test_a_broadcast_whose_channels_wait_differently_says_each_wait() -> None:
    judged = plan_preview.preview({**VALID, "steps": [{"broadcast": ["whatsapp", "sms"]}]}, STACK)
    assert judged.plan[0].startswith(
        "WhatsApp and SMS at once, up to 45 s (the stack's default) for WhatsApp, "
        "2 min (the stack's default) for SMS for a delivery receipt"
    )


def test_the_plan_says_what_the_expiry_cuts() -> None:
    judged = plan_preview.preview({**VALID, "expires_in_seconds": 60}, STACK)
    assert judged.plan[1].startswith(
        "SMS, up to 1 min (shortened from 2 min because the message expires then)"
    )
    assert judged.expires == "1 min"
    assert len(judged.plan) == 3


def test_the_plan_of_the_steps_is_there_while_recipients_are_missing() -> None:
    judged = plan_preview.preview({"steps": VALID["steps"]}, STACK)
    assert len(judged.plan) == 3
    assert list(judged.problems) == problems_of({"steps": VALID["steps"]})


def test_wrong_steps_have_no_plan() -> None:
    judged = plan_preview.preview(but(ONE, {"/steps/0/wait_seconds": 3}), STACK)
    assert judged.plan == ()
    assert [problem.pointer for problem in judged.problems] == ["/steps/0/wait_seconds"]


def functions(*found: dict[str, Any]) -> "LambdaClient":
    client: LambdaClient = boto3.client("lambda", region_name="us-east-1")
    stubber = Stubber(client)
    stubber.add_response("list_functions", {"Functions": list(found)}, {})
    stubber.activate()
    return client


def accepting(table: str, **environment: str) -> dict[str, Any]:
    own = {f"{channel.upper()}_WAIT_SECONDS": "7" for channel in WAITS}
    own |= {f"{channel.upper()}_SENDER": f"{channel} of {table}" for channel in WAITS}
    variables = {"MESSAGES_TABLE": table, **own, **environment}
    return {"Handler": "accept_message.handler", "Environment": {"Variables": variables}}


def test_senders_and_waits_are_those_of_the_stack_that_has_the_table() -> None:
    reader = {"Handler": "read_message.handler", "Environment": {"Variables": {}}}
    client = functions(reader, accepting("another"), accepting("ours", SMS_WAIT_SECONDS="90"))
    found = plan_preview.stack_defaults(client, "ours")
    assert found.waits == {"whatsapp": 7, "sms": 90, "email": 7, "voice": 7}
    assert found.senders["email"] == "email of ours"
    assert found.source == ""


def test_where_the_functions_may_not_be_read_the_page_says_whose_senders_it_shows() -> None:
    client = boto3.client("lambda", region_name="us-east-1")
    stubber = Stubber(client)
    stubber.add_client_error("list_functions", "AccessDeniedException")
    stubber.activate()
    found = plan_preview.stack_defaults(client, "ours")
    assert found.waits == WAITS
    assert "read from cdk.json" in found.source
    assert "AccessDeniedException" in found.source


def test_a_stack_without_functions_is_said_too() -> None:
    assert "not found" in plan_preview.stack_defaults(functions(), "ours").source


# ---- what the buttons do


def test_a_step_moves_and_the_focus_stays_on_the_button_as_long_as_it_can_do_more() -> None:
    form = form_of(VALID)
    once = run_action(form, "down:1")
    assert [step.key for step in once.form.steps] == [2, 1, 3]
    assert once.announcement == "WhatsApp is now step 2 of 3."
    assert once.focus == "down:1"
    twice = run_action(once.form, "down:1")
    assert [step.key for step in twice.form.steps] == [2, 3, 1]
    assert twice.focus == "up:1"


@pytest.mark.parametrize("do", ["up:1", "down:3", "up:9", "remove:9", "dragged:9", "nothing", ""])
def test_what_cannot_be_done_changes_nothing(do: str) -> None:
    form = form_of(VALID)
    assert run_action(form, do) == FormUpdate(form)


def test_a_new_step_has_a_name_that_no_other_has() -> None:
    form = run_action(form_of(VALID), "remove:2").form
    added = run_action(form, "add-step")
    assert [step.key for step in added.form.steps] == [1, 3, 4]
    assert added.focus == "/steps/4/channel"


def test_removing_goes_on_with_the_next_step_and_at_last_with_adding_one() -> None:
    moved = run_action(form_of(VALID), "remove:3")
    assert moved.focus == "remove:2"
    assert moved.announcement == "Step 3, broadcast over SMS and email, is removed; 2 left."
    assert run_action(form_of(ONE), "remove:1").focus == "add-step"


# ---- recipients

TOLD = {
    "default": "delivered",
    "recipients": {"+1???5550120": "gone", "+14255550121": "silent", "off+1@example.com": "gone"},
    "scenarios": {
        "gone": {"says": "Not there."},
        "silent": {"says": "Says nothing."},
        "nobody_does": {"says": "Never."},
        "delivered": {"says": "Has it."},
    },
}


def test_each_scenario_names_somebody_who_does_it() -> None:
    scenarios = RecipientScenarios.read("sms", TOLD)
    named = [(one.name, one.to) for one in scenarios.choices]
    assert named == [
        ("delivered", "+14255550100"),
        ("gone", "+14255550120"),
        ("silent", "+14255550121"),
    ]
    for name, to in named:
        does = scenarios.of(to)
        assert does is not None
        assert does.name == name


def test_what_a_typed_recipient_does_is_known_by_pattern_and_without_label() -> None:
    sms = RecipientScenarios.read("sms", TOLD)
    assert (does := sms.of("+12065550120")) is not None
    assert does.name == "gone"
    told = {**TOLD, "recipients": {"off@example.com": "silent"}}
    email = RecipientScenarios.read("email", told)
    assert (does := email.of("Off+order-42@example.com")) is not None
    assert does.name == "silent"
    assert email.of("") is None


# ---- sending


def as_a_shell_reads_it(line: str) -> list[str]:
    """What curl would be given."""
    printing = line.replace("curl ", "printf '%s\\0' ", 1)
    said = subprocess.run(["sh", "-c", printing], capture_output=True, check=True, text=True)
    return said.stdout.split("\0")[:-1]


def test_the_curl_line_says_byte_for_byte_what_is_sent() -> None:
    hostile = but(ONE, {"/content/text": 'It\'s "here"; $(rm) `x` \\ \n!'})
    line = as_a_shell_reads_it(sending.curl(hostile, "k'1", LOCAL))
    assert line[:2] == ["-sS", LOCAL.api_url]
    assert line[2:-2:2] == ["-H"] * 3
    assert line[3:-2:2] == [
        "X-Api-Key: a key's",
        "Content-Type: application/json",
        "Idempotency-Key: k'1",
    ]
    assert line[-1] == sending.body(hostile)
    assert json.loads(line[-1]) == hostile


def test_a_request_too_long_for_an_argument_is_read_by_curl() -> None:
    long = but(ONE, {"/content/text": "ü's " * 40_000})
    script = f"curl() {{ cat; }}\n{sending.curl(long, '', LOCAL)}"
    said = subprocess.run(["sh"], input=script, capture_output=True, check=True, text=True)
    assert json.loads(said.stdout) == long


def test_on_a_deployed_stack_the_curl_line_names_where_to_put_address_and_key() -> None:
    line = sending.curl(ONE, "", None)
    assert line.startswith('curl -sS "$API_URL"')
    assert '-H "X-Api-Key: $API_KEY"' in line


class Api(HTTPServer):
    """Answers every request with the same status and body, and remembers its headers."""

    answer: tuple[int, bytes] = (200, b"{}")
    cut = False
    heard: Mapping[str, str]


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        self.server.heard = dict(self.headers)
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.cut:
            return
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def api() -> Iterator[Api]:
    with Api(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def sent_to(api: Api, status: int, body: object, key: str = "") -> sending.SendResult:
    api.answer = (status, body if isinstance(body, bytes) else json.dumps(body).encode())
    local = replace(LOCAL, api_url=f"http://127.0.0.1:{api.server_port}")
    return sending.send(ONE, key, local)


def test_an_accepted_request_gives_the_id_of_its_message(api: Api) -> None:
    answer = sent_to(api, 202, {"id": "01A"}, key="order-42")
    assert answer == sending.SendResult(202, "01A")
    assert api.heard["Idempotency-Key"] == "order-42"
    assert api.heard["X-Api-Key"] == LOCAL.api_key


def test_the_wrong_fields_are_told_as_the_api_names_them(api: Api) -> None:
    wrong = {"pointer": "/to/sms", "detail": "must be a string"}
    answer = sent_to(api, 400, {"detail": "see errors", "errors": [wrong]})
    assert answer.problems == (Problem("/to/sms", "must be a string"),)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "restart the console"),
        (409, "Send it again in a moment"),
        (413, "Shorten the content"),
        (422, "A new message needs a new key"),
        (429, "Nothing was sent"),
        (500, "It is not known whether the message was accepted"),
        (504, "It is not known whether the message was accepted"),
        (599, "It is not known whether the message was accepted"),
        (418, "the API's own sentence"),
    ],
)
def test_every_other_answer_is_told_in_words(api: Api, status: int, words: str) -> None:
    answer = sent_to(api, status, {"detail": "the API's own sentence"})
    assert answer.status == status
    assert f"The API responded with {status}" in answer.text
    assert "the API's own sentence" in answer.text
    assert words in answer.text


@pytest.mark.parametrize("status", [400, 409, 422])
def test_what_is_wrong_with_the_key_is_shown_at_the_key(api: Api, status: int) -> None:
    answer = sent_to(api, status, {"detail": "of the key"}, key="k")
    (found,) = field_problems(form_of(ONE), answer.problems)
    assert found == FieldProblem("idempotency_key", "Idempotency-Key", "of the key")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b""])
def test_an_answer_that_is_no_problem_is_told_all_the_same(api: Api, body: bytes) -> None:
    assert "no reason given" in sent_to(api, 502, body).text


def test_only_the_same_key_makes_it_safe_to_send_again(api: Api) -> None:
    assert "without a duplicate" in sent_to(api, 500, {}, key="k").text
    without = sent_to(api, 500, {})
    assert "may create a duplicate" in without.text
    assert without.uncertain


def test_an_answer_that_is_cut_leaves_it_open_whether_it_was_sent(api: Api) -> None:
    api.cut = True
    answer = sent_to(api, 202, {"id": "01A"})
    assert answer.uncertain
    assert "It is not known whether the message was accepted" in answer.text


def test_a_key_that_no_header_can_hold_is_named(api: Api) -> None:
    (problem,) = sent_to(api, 202, {"id": "01A"}, key="a\nX-Other: b").problems
    assert problem.pointer == "idempotency_key"


def test_an_api_that_cannot_be_reached_is_said_to_be_so() -> None:
    answer = sending.send(ONE, "", LOCAL)
    assert answer.status == 502
    assert answer.text.startswith("The API cannot be reached")
    assert not answer.uncertain


# ---- the page where not everything is there


class NoFunctions(ConsoleClients):
    """An account that has no function of this stack."""

    @cached_property
    def functions(self) -> "LambdaClient":
        return functions()


def composer(local: Local | None) -> MessageEditor:
    installation = Installation("Throughline", "us-east-1", "ours", "arn:x", {}, local)
    return MessageEditor(ConsoleContext(installation, NoFunctions(), Hub()))


def asked(path: str = "/compose", query: str = "") -> Request:
    return Request({"type": "http", "path": path, "query_string": query.encode(), "headers": []})


def text_of(response: Response) -> str:
    return html.unescape(bytes(response.body).decode())


def test_a_deployed_stack_has_no_button_that_sends() -> None:
    page = text_of(composer(None).open(asked(query="start=order")))
    assert 'value="send"' not in page
    assert "does not send messages to a deployed stack" in page
    assert '-H "X-Api-Key: $API_KEY"' in page
    assert "ApiKeySecretArn" in page
    assert "read from cdk.json" in page


def test_a_deployed_stack_sends_nothing_whatever_is_posted() -> None:
    with pytest.raises(HTTPException) as refused:
        composer(None).submit(asked(), FormSubmission(form_of(ONE), "send"))
    assert refused.value.status_code == 403


def test_without_api_and_simulator_the_form_says_so_and_keeps_what_was_typed() -> None:
    answer = composer(LOCAL).submit(asked(), FormSubmission(form_of(ONE), "send"))
    page = text_of(answer)
    assert answer.status_code == 502
    assert "The API cannot be reached" in page
    assert f'value="{ONE["to"]["sms"]}"' in page
    assert "Simulated behavior" not in page
