"""openapi.yaml is valid and agrees with the functions on every request and response."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import boto3
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

import accept_message
import plan_message
import read_message
from messaging.api import models, requests, sample, verification_models
from messaging.api.models import MAX_EXPIRY_SECONDS
from messaging.channels.catalog import channels
from messaging.channels.email import content as email
from messaging.channels.sms import content as sms
from messaging.channels.voice import content as voice
from messaging.channels.whatsapp import content as whatsapp
from messaging.domain.messages import AttemptId, Receipt
from messaging.domain.plan import MAX_WAIT_SECONDS, MIN_WAIT_SECONDS
from messaging.domain.statuses import AttemptStatus, MessageStatus, ReceiptKind, Success
from messaging.domain.verifications import Alphabet, VerificationStatus
from messaging.queue import Queue
from messaging.store import Store
from messaging.store.idempotency import IDEMPOTENCY_HOURS
from tests.infra.template import Template
from tests.support.aws import CONTEXT, ENVIRONMENT, TABLE, aws
from tests.support.faults import Died, dies
from tests.support.openapi import (
    API,
    OPERATIONS,
    SCHEMAS,
    content,
    gateway_statuses,
    judged,
    operation,
    refusals,
    requested,
    resolved,
    schema_of,
    statuses,
    untrue,
    validator,
)
from tests.support.plans import CHANNELS
from tests.support.request_cases import (
    RIGHT,
    SAMPLE_RIGHT,
    SAMPLE_WRONG,
    SENDERS,
    VALID,
    WRONG,
    Wrong,
    but,
)

# The schema of each model.
MODELS: dict[type[BaseModel], str] = {
    models.MessageRequest: "Request",
    models.RequestStep: "Step",
    models.AdvanceRequest: "AdvanceRequest",
    verification_models.VerificationBody: "VerificationRequest",
    models.ChannelStep: "VerificationStep",
    verification_models.CodeAutofill: "Autofill",
    models.Recipients: "Recipients",
    models.Senders: "Senders",
    models.RequestContent: "Content",
    sms.SmsContent: "SmsContent",
    sms.NotifyTemplate: "NotifyTemplate",
    voice.VoiceContent: "VoiceContent",
    whatsapp.WhatsAppContent: "WhatsAppContent",
    whatsapp.WhatsAppTemplate: "WhatsAppTemplate",
    whatsapp.WhatsAppMedia: "Image",
    whatsapp.WhatsAppDocument: "Document",
    email.EmailContent: "EmailContent",
    email.EmailTemplate: "EmailTemplate",
    sample.SampleRequest: "SampleRequest",
    sample.SampleChannel: "SampleChannel",
    sample.SampleSms: "SampleSms",
    sample.SampleWhatsApp: "SampleWhatsApp",
    sample.SampleEmail: "SampleEmail",
}
LIMITS = {
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "maxProperties",
    "enum",
}
# Limits that are set outside the models.
ELSEWHERE = {
    ("Recipients", "email", "maxLength"): 254,  # email-validator, after RFC 5321
    ("SampleChannel", "recipient", "minLength"): 1,  # an empty recipient counts as missing
    # A step of the message's own plan, checked by Control.
    ("AdvanceRequest", "step", "minimum"): 1,
    ("AdvanceRequest", "step", "maximum"): models.MAX_STEPS,
    # Numbers whose error message is ours.
    ("VerificationRequest", "length", "minimum"): verification_models.MIN_LENGTH,
    ("VerificationRequest", "length", "maximum"): verification_models.MAX_LENGTH,
    ("VerificationRequest", "expires_in_seconds", "minimum"): 60,
    ("VerificationRequest", "expires_in_seconds", "maximum"): 3600,
    ("VerificationRequest", "max_checks", "minimum"): 1,
    ("VerificationRequest", "max_checks", "maximum"): 5,
}
POST, GET = ("/messages", "post"), ("/messages/{id}", "get")
MESSAGE_ID = "01KB3Q4Y9V6Z8M2N7R5T1W0XCD"


# ---- the file


def test_the_file_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(API).iter_errors()) == []


def test_it_has_the_methods_of_the_api(template: Template) -> None:
    assert sorted(OPERATIONS) == sorted(_deployed(template))
    assert API["servers"][0]["url"].endswith(".amazonaws.com/v1")
    assert API["security"] == [{"ApiKey": []}]


def _deployed(template: Template) -> Iterator[tuple[str, str]]:
    """The path and the method of each method that API Gateway passes to a function."""
    resources = template.of_type("AWS::ApiGateway::Resource")

    def path(resource: str | Mapping[str, Any]) -> str:
        if not isinstance(resource, str):
            return ""  # the root, an attribute of the API
        one = resources[resource]
        return f"{path(one['ParentId'])}/{one['PathPart']}"

    for one in template.of_type("AWS::ApiGateway::Method").values():
        if one["HttpMethod"] != "ANY":
            yield path(one["ResourceId"]), one["HttpMethod"].lower()


def test_every_component_is_used() -> None:
    text = json.dumps(API)
    parts = (
        f"#/components/{kind}/{name}"
        for kind, parts in API["components"].items()
        if kind != "securitySchemes"
        for name in parts
    )

    assert [part for part in parts if f'"{part}"' not in text] == []


def test_every_field_is_described() -> None:
    unexplained = [
        f"{name}.{field}"
        for name, schema in SCHEMAS.items()
        for field, one in schema.get("properties", {}).items()
        if not {"description", "title"} & resolved(one).keys()
    ]

    assert unexplained == []


def _examples() -> Iterator[tuple[str, str, Any]]:
    for path, method in OPERATIONS:
        place = operation(path, method)["operationId"]
        for title, example in requested(path, method).get("examples", {}).items():
            yield f"{place} {title}", _requested(path, method, example), example["value"]
        for status in operation(path, method)["responses"]:
            [media] = content(path, method, status).values()
            for title, example in media.get("examples", {}).items():
                schema = schema_of(path, method, status)
                yield f"{place} {status} {title}", schema, example["value"]


def _requested(path: str, method: str, example: Mapping[str, Any]) -> str:
    """The schema of an example of a request's body."""
    if (path, method) == POST:
        return "SampleRequest" if "use_case" in example["value"] else "Request"
    reference: str = requested(path, method)["schema"]["$ref"]
    return reference.rpartition("/")[2]


@pytest.mark.parametrize(
    ("name", "example"),
    [pytest.param(name, example, id=title) for title, name, example in _examples()],
)
def test_an_example_is_valid(name: str, example: object) -> None:
    assert [error.message for error in validator(name, tight=True).iter_errors(example)] == []


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(example, id=title)
        for title, name, example in _examples()
        if name in {"Request", "SampleRequest"}
    ],
)
def test_a_request_in_the_examples_is_accepted(example: object) -> None:
    assert requests.check(example, SENDERS).steps


def _field_examples() -> Iterator[tuple[str, Any]]:
    for name, schema in SCHEMAS.items():
        for field, one in (schema.get("properties", {}) | {"": schema}).items():
            yield from (
                (f"{name}/{field}", {**one, "_": value}) for value in one.get("examples", ())
            )


@pytest.mark.parametrize(
    "field", [pytest.param(field, id=f"{where} {field['_']}") for where, field in _field_examples()]
)
def test_the_example_of_a_field_is_valid(field: Mapping[str, Any]) -> None:
    document = {"components": {"schemas": SCHEMAS}, **resolved(field)}

    assert Draft202012Validator(document).is_valid(field["_"])


# ---- requests


@pytest.mark.parametrize("body", RIGHT.values(), ids=RIGHT)
def test_it_accepts_what_the_code_accepts(body: object) -> None:
    assert [error.message for error in validator("Request").iter_errors(body)] == []
    assert not judged("SampleRequest", body)


@pytest.mark.parametrize("body", SAMPLE_RIGHT.values(), ids=SAMPLE_RIGHT)
def test_it_accepts_what_the_code_accepts_of_the_sample(body: object) -> None:
    assert [error.message for error in validator("SampleRequest").iter_errors(body)] == []
    assert not judged("Request", body)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.what)
def test_it_rejects_what_the_code_rejects(wrong: Wrong) -> None:
    assert judged("Request", wrong.body) == bool(wrong.unsaid)


@pytest.mark.parametrize("wrong", SAMPLE_WRONG, ids=lambda wrong: wrong.what)
def test_it_rejects_what_the_code_rejects_of_the_sample(wrong: Wrong) -> None:
    assert judged("SampleRequest", wrong.body) == bool(wrong.unsaid)


def test_every_model_has_its_schema() -> None:
    contents = (import_module(f"messaging.channels.{channel}.content") for channel in channels())
    found = {
        one
        for module in (models, sample, verification_models, *contents)
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, BaseModel) and one.model_fields
    }

    # What all channels say is part of RequestContent.
    assert found - {models.GeneralContent} == set(MODELS)


@pytest.mark.parametrize(("model", "name"), MODELS.items(), ids=MODELS.values())
def test_it_has_the_fields_of_the_model(model: type[BaseModel], name: str) -> None:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    schema = SCHEMAS[name]

    assert schema["properties"].keys() == fields.keys()
    assert set(schema.get("required", ())) == {
        name for name, field in fields.items() if field.is_required()
    }
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(("model", "name"), MODELS.items(), ids=MODELS.values())
def test_it_has_the_limits_of_the_model(model: type[BaseModel], name: str) -> None:
    checked = model.model_json_schema()["properties"]
    others = {
        (field, limit): value
        for (schema, field, limit), value in ELSEWHERE.items()
        if schema == name
    }

    assert {
        (field, *limit): value
        for field, one in SCHEMAS[name]["properties"].items()
        for limit, value in _limits(_own(one))
    } == others | {
        (field, *limit): value for field, one in checked.items() for limit, value in _limits(one)
    }


def _own(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The field's own schema; a reference to another model is compared there."""
    model = schema.get("$ref", "").rpartition("/")[2] in MODELS.values()
    return {} if model else resolved(schema)


def _limits(schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Each limit of a schema and of the schemas in it. Null is tested elsewhere."""
    for part in (schema, *schema.get("anyOf", ())):
        for limit in LIMITS & part.keys():
            yield (limit,), part[limit] if limit != "enum" else _values(part["enum"])
        for inner in ("items", "additionalProperties", "propertyNames"):
            if isinstance(part.get(inner), dict):
                deeper = _limits(resolved(part[inner]))
                yield from (((inner, *limit), value) for limit, value in deeper)
        for pattern, inner_schema in part.get("patternProperties", {}).items():
            deeper = _limits(resolved(inner_schema))
            yield from (((pattern, *limit), value) for limit, value in deeper)


def _values(words: list[str | None]) -> set[str]:
    return {word for word in words if word is not None}


@pytest.mark.parametrize(("model", "name"), MODELS.items(), ids=MODELS.values())
def test_it_has_the_patterns_and_defaults_of_the_model(model: type[BaseModel], name: str) -> None:
    schemas = SCHEMAS[name]["properties"]
    for field, one in model.model_json_schema()["properties"].items():
        for part in (one, *one.get("anyOf", ())):
            if "pattern" in part:
                assert resolved(schemas[field])["pattern"] == part["pattern"]
        if isinstance(one.get("default"), str):
            assert resolved(schemas[field])["default"] == one["default"]


def test_the_limits_are_those_of_the_code() -> None:
    step, request = SCHEMAS["Step"]["properties"], SCHEMAS["Request"]["properties"]
    wait, expiry = step["wait_seconds"], request["expires_in_seconds"]

    assert (wait["minimum"], wait["maximum"]) == (MIN_WAIT_SECONDS, MAX_WAIT_SECONDS)
    assert (expiry["minimum"], expiry["maximum"]) == (MIN_WAIT_SECONDS, MAX_EXPIRY_SECONDS)
    assert request["steps"]["maxItems"] == models.MAX_STEPS
    for channel, schema in {"sms": "SmsContent", "whatsapp": "WhatsAppContent"}.items():
        assert SCHEMAS[schema]["properties"]["text"]["maxLength"] == channels()[channel].max_text


def test_the_limits_in_the_descriptions_are_those_of_the_code() -> None:
    post, schemas = operation(*POST), SCHEMAS
    sentences = {
        f"{requests.MAX_BYTES:,} bytes ({requests.MAX_BYTES // 1024} KiB)": post,
        f"kept for {IDEMPOTENCY_HOURS} hours": post,
        f"within {IDEMPOTENCY_HOURS} hours": API["info"],
        f"{channels()['sms'].max_text:,} characters for SMS": schemas["Content"],
        f"{channels()['whatsapp'].max_text:,} for WhatsApp": schemas["Content"],
        f"at most {channels()['sms'].max_text:,} characters": schemas["SampleSms"],
        f"at most {channels()['whatsapp'].max_text:,} characters": schemas["SampleWhatsApp"],
        f"{MIN_WAIT_SECONDS} to {MAX_WAIT_SECONDS:,}": schemas["SampleRequest"],
    }

    missing = [one for one, part in sentences.items() if one not in _prose(part)]
    assert missing == []


def _prose(part: object) -> str:
    return " ".join(json.dumps(part).replace("\\n", " ").split())


# ---- responses


@pytest.fixture(scope="module")
def stack() -> Iterator[Store]:
    with aws():
        yield Store(boto3.client("dynamodb"), TABLE, timedelta(days=1))


def post(body: object, key: str | None = None) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"Idempotency-Key": key} if key is not None else {}
    return accept_message.handler({"body": text, "headers": headers, "requestContext": {}}, CONTEXT)


def get(message_id: str) -> dict[str, Any]:
    return read_message.handler({"pathParameters": {"id": message_id}}, CONTEXT)


def in_progress() -> dict[str, Any]:
    """The response to a request whose key is reserved by a request that failed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Queue, "put", dies)
        with pytest.raises(Died):
            post(VALID, "in-progress")
    return post(VALID, "in-progress")


def not_queued() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_QUEUE_URL", ENVIRONMENT["REQUESTS_QUEUE_URL"] + "Gone")
        return post(VALID)


POSTED: dict[str, tuple[int, Callable[[], dict[str, Any]]]] = {
    "taken": (202, lambda: post(VALID)),
    "taken, with an expiry": (202, lambda: post(but(VALID, {"/expires_in_seconds": 46}))),
    "repeated": (202, lambda: [post(VALID, "again") for _ in range(2)][-1]),
    "wrong fields": (400, lambda: post(but(VALID, {"/to/sms": "0425", "/steps/0/wait": 1}))),
    "not JSON": (400, lambda: post("{")),
    "a malformed key": (400, lambda: post(VALID, "two words")),
    "in progress": (409, in_progress),
    "too large": (413, lambda: post("x" * (requests.MAX_BYTES + 1))),
    "not queued": (503, not_queued),
    "another body": (422, lambda: [post(VALID, "k"), post({**VALID, "metadata": {}}, "k")][-1]),
}


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("what", POSTED)
def test_the_response_to_a_post_is_described(what: str) -> None:
    status, asked = POSTED[what]
    answer = asked()

    assert answer["statusCode"] == status
    assert untrue(answer, *POST) == []


def test_every_described_header_is_sent(stack: Store) -> None:  # noqa: ARG001 - it runs there
    first, second = post(VALID, "both"), post(VALID, "both")
    headers = operation(*POST)["responses"]["202"]["headers"]

    assert headers.keys() == second["headers"].keys() - {"Content-Type", "Cache-Control"}
    assert (
        second["headers"]["Idempotent-Replayed"]
        == headers["Idempotent-Replayed"]["schema"]["const"]
    )
    assert first["headers"]["Location"] == json.loads(first["body"])["status_url"]


@pytest.mark.parametrize(
    ("key", "right"),
    [
        ("k", True),
        ("k" * 255, True),
        ("~!{}", True),
        ("", False),
        ("k" * 256, False),
        ("a b", False),
    ],
)
@pytest.mark.usefixtures("stack")
def test_the_pattern_of_the_idempotency_key_is_that_of_the_code(key: str, right: bool) -> None:
    [parameter] = operation(*POST)["parameters"]

    assert Draft202012Validator(parameter["schema"]).is_valid(key) == right
    assert (post(VALID, key)["statusCode"] == 202) == right


def read(store: Store, status: AttemptStatus | None = None) -> dict[str, Any]:
    """The response for a message whose first attempt has this status."""
    now = datetime.now(UTC)
    message_id = f"m-{now.timestamp():.6f}".replace(".", "-")
    body = but(VALID, {"/expires_in_seconds": 46, "/metadata": {"order": "42"}})
    waits = dict.fromkeys(CHANNELS, 45)
    request = requests.check(body, SENDERS)
    store.messages.add(request.message(message_id, now, waits), request.document)
    if status is not None:
        attempt = AttemptId(message_id, 1)
        store.attempts.claim(attempt, "whatsapp", "token", now)
        planned = store.messages.history(message_id).message.plan.attempt(1)
        store.attempts.record_sent(attempt, "provider-1", now, planned)
        store.attempts.update_status(attempt, status, now, "131026")
        for kind in ReceiptKind:
            store.receipts.add(Receipt("whatsapp", kind, "word", now, key=kind), attempt, now)
    if status in {AttemptStatus.DELIVERED, AttemptStatus.FAILED}:
        store.messages.update_status(message_id, MessageStatus(_ended(status)), now)
    return get(message_id)


def _ended(status: AttemptStatus) -> str:
    return "delivered" if status is AttemptStatus.DELIVERED else "undelivered"


@pytest.mark.parametrize("status", [None, *AttemptStatus], ids=str)
def test_the_response_to_a_get_is_described(stack: Store, status: AttemptStatus | None) -> None:
    answer = read(stack, status)

    assert answer["statusCode"] == 200
    assert untrue(answer, *GET) == []


def test_the_response_for_a_rejected_message_is_described(stack: Store) -> None:  # noqa: ARG001 - it runs there
    now = datetime.now(UTC).isoformat()
    plan_message.handler({"message_id": "direct", "started_at": now, "request": {}}, CONTEXT)

    assert untrue(get("direct"), *GET) == []


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("message_id", [MESSAGE_ID, "m" * 81, "a.b"])
def test_the_response_for_an_unknown_message_is_described(message_id: str) -> None:
    answer = get(message_id)

    assert answer["statusCode"] == 404
    assert untrue(answer, *GET) == []


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        (MessageStatus, SCHEMAS["MessageStatus"]),
        (VerificationStatus, SCHEMAS["VerificationStatus"]),
        (Alphabet, SCHEMAS["Verification"]["properties"]["alphabet"]),
        (AttemptStatus, SCHEMAS["AttemptStatus"]),
        (ReceiptKind, SCHEMAS["Event"]["properties"]["kind"]),
        (Success, SCHEMAS["Plan"]["items"]["properties"]["success"]),
        (CHANNELS, SCHEMAS["Channel"]),
        (
            {*AttemptStatus, "receipt", "advanced", *MessageStatus} - {"in_progress", "rejected"},
            SCHEMAS["Event"]["properties"]["event"],
        ),
    ],
    ids=[
        *("message", "verification", "alphabet"),
        *("attempt", "receipt", "success", "channel", "event"),
    ],
)
def test_it_lists_every_value_of_an_enum(words: Any, schema: Mapping[str, Any]) -> None:
    assert set(schema["enum"]) == {str(word) for word in words}


@pytest.mark.parametrize("name", ["MessageStatus", "AttemptStatus", "VerificationStatus"])
def test_every_status_is_described(name: str) -> None:
    schema = SCHEMAS[name]

    assert [one for one in schema["enum"] if f"- `{one}`: " not in schema["description"]] == []


# ---- responses of API Gateway


def test_exactly_the_statuses_of_the_code_are_described() -> None:
    gateway = gateway_statuses()
    posted = {status for status, _ in POSTED.values()}

    assert statuses(*POST) == posted | gateway
    assert statuses(*GET) == {200, 404} | gateway - {413}


@pytest.mark.parametrize("refusal", refusals(), ids=lambda refusal: refusal[0])
def test_an_error_of_the_gateway_is_a_problem_document(
    refusal: tuple[str, int, str, str],
) -> None:
    _, status, title, detail = refusal
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}

    assert validator("Problem", tight=True).is_valid(problem)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_error_response_is_a_problem_document(path: str, method: str) -> None:
    refused = [str(status) for status in statuses(path, method) if status >= 400]
    others = {status for status in refused if schema_of(path, method, status) != "Problem"}

    assert others <= {"409"}
    assert {schema_of(path, method, status) for status in others} <= {"TooLate"}
    assert {media for one in refused for media in content(path, method, one)} == {
        "application/problem+json"
    }
