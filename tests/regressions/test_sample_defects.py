"""What users of AWS's omnichannel-fallback-messaging sample saw go wrong: one test for each.

`docs/coming-from-the-sample.md` lists them, and is compared with this file.
"""

import json
import re
from copy import deepcopy
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import accept_message
import read_message
import record_receipt
import start_delivery
from messaging.clients.queue import sqs
from messaging.domain.content import Content
from messaging.domain.errors import Refused, Unavailable
from messaging.domain.statuses import AttemptStatus
from messaging.store.attempts import Attempts
from tests.infra.template import Template
from tests.support.aws import CONTEXT, ENVIRONMENT, SAMPLE_ID, event_text, sns
from tests.support.plans import CHANNELS
from tests.workflow.conftest import Flow, until
from tests.workflow.test_doors import SAMPLE, post, run_the_queue

PAGE = Path("docs/coming-from-the-sample.md")
WORKFLOW = Path("statemachine/deliver_message.asl.json")
FELL_BACK = ("SUCCEEDED", ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"])


def sample(**changes: Any) -> dict[str, Any]:
    """The sample's body, WhatsApp and then SMS, with other fields."""
    return deepcopy(SAMPLE) | changes


def deliver(flow: Flow, body: object) -> None:
    """A client posts the body, and the queue starts it."""
    flow.follow(post(body)["id"])
    run_the_queue()


def told(message_id: str) -> Any:
    """What `GET /v1/messages/{id}` answers."""
    event = {"pathParameters": {"id": message_id}, "headers": {}, "requestContext": {}}
    return json.loads(read_message.handler(event, CONTEXT)["body"])


def throttled(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException"}}, operation)


# ---- lost, or sent again and again


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize(
    "answers",
    [[Refused("ValidationException")], [Unavailable("ThrottlingException")] * 31],
    ids=["refused", "busy to the end"],
)
def test_a_refused_first_channel_still_gets_its_fallback(
    flow: Flow, answers: list[Exception]
) -> None:
    flow.whatsapp.script = [*answers]
    deliver(flow, sample())
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == FELL_BACK
    assert len(flow.whatsapp.sent) == len(answers)
    assert len(flow.sms.sent) == 1


def test_a_wait_of_an_hour_sends_the_first_channel_once(flow: Flow) -> None:
    deliver(flow, sample(fallback_seconds="3600"))
    flow.receive("whatsapp_failed_131026")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == FELL_BACK
    assert flow.history().message.plan.attempts[0].wait_seconds == 3600
    assert len(flow.whatsapp.sent) == 1


def test_a_request_without_fallback_seconds_is_sent_once_and_falls_back(flow: Flow) -> None:
    body = sample()
    del body["fallback_seconds"]
    deliver(flow, body)
    flow.receive("whatsapp_failed_131026")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == FELL_BACK
    assert flow.history().message.plan.attempts[0].wait_seconds == 45
    assert len(flow.whatsapp.sent) == 1


def test_an_invalid_request_does_not_resend_others_of_its_batch(flow: Flow) -> None:
    good = post(sample())["id"]
    queue = boto3.client("sqs")
    [record] = queue.receive_message(QueueUrl=ENVIRONMENT["REQUESTS_QUEUE_URL"])["Messages"]
    queue.delete_message(
        QueueUrl=ENVIRONMENT["REQUESTS_QUEUE_URL"], ReceiptHandle=record["ReceiptHandle"]
    )
    named = {"message_id": {"stringValue": good, "dataType": "String"}}
    batch = [
        {"messageId": "bad", "body": "no request", "messageAttributes": {}},
        {"messageId": "good", "body": record["Body"], "messageAttributes": named},
    ]
    for _ in range(5):
        answer = start_delivery.handler({"Records": batch}, CONTEXT)
        assert answer == {"batchItemFailures": []}

    flow.follow(good)
    flow.receive("whatsapp_delivered")
    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])
    assert len(flow.whatsapp.sent) == 1


# ---- the words


@pytest.mark.parametrize(
    ("said", "content"),
    [
        (
            {"subject": "Hi", "html": "<p>Hi</p>"},
            Content(subject="Hi", html="<p>Hi</p>"),
        ),
        ({"subject": "Hi", "text": "Hi"}, Content(subject="Hi", text="Hi")),
        ({"template": "welcome"}, Content(template={"name": "welcome"})),
    ],
    ids=["html only", "text only", "template"],
)
def test_an_email_needs_only_the_parts_it_has(
    flow: Flow, said: dict[str, str], content: Content
) -> None:
    first = {"channel": "email", "sender": "hello@example.com", "recipient": "ana@example.com"}
    deliver(flow, sample(pc={**first, "email": said}))
    flow.receive("ses_Delivery")

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send email"])
    assert flow.email.sent[0].content == content


def test_a_template_receives_the_data_of_the_message(flow: Flow) -> None:
    template = {"name": "welcome", "data": {"name": "Ana"}}
    deliver(
        flow,
        {
            "to": {"email": "ana@example.com"},
            "content": {"email": {"template": template}},
            "steps": [{"channel": "email"}],
        },
    )
    flow.receive("ses_Delivery")
    flow.finish()

    assert flow.email.sent[0].content.template == template


@pytest.mark.parametrize("text", ["Café €5", "5 + 5 & 6 = 16", "👋🏽 hi", 'a\\nb %2B "c"', "שלום"])
def test_every_character_arrives_as_it_was_written(flow: Flow, text: str) -> None:
    body = sample()
    body["pc"]["whatsapp"]["message"] = body["fc"]["sms"]["message"] = text
    event = {"body": json.dumps(body, ensure_ascii=False), "headers": {}, "requestContext": {}}
    flow.follow(json.loads(accept_message.handler(event, CONTEXT)["body"])["id"])
    run_the_queue()
    flow.receive("whatsapp_failed_131026")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)
    flow.finish()

    assert [one.sent[0].content.text for one in (flow.whatsapp, flow.sms)] == [text, text]


def test_no_mapping_template_touches_a_body(template: Template) -> None:
    integrations = [
        one["Integration"] for one in template.of_type("AWS::ApiGateway::Method").values()
    ]

    calling = [one for one in integrations if one["Type"] != "MOCK"]  # MOCK answers without a body
    assert {one["Type"] for one in calling} == {"AWS_PROXY"}
    assert not [one for one in calling if "RequestTemplates" in one]


# ---- receipts


@pytest.mark.parametrize(
    ("channel", "event", "state"),
    [
        ("whatsapp", "whatsapp_failed_131026", "Send WhatsApp"),
        ("whatsapp", "whatsapp_failed_131047", "Send WhatsApp"),
        ("sms", "sms_TEXT_INVALID", "Send SMS"),
        ("sms", "sms_TEXT_UNREACHABLE", "Send SMS"),
        ("sms", "sms_TEXT_BLOCKED", "Send SMS"),
        ("email", "ses_Bounce_Permanent_General", "Send email"),
        ("email", "ses_Reject", "Send email"),
    ],
)
def test_a_failure_receipt_starts_the_fallback_before_the_timeout(
    flow: Flow, channel: str, event: str, state: str
) -> None:
    flow.start(channel, "sms", wait=3600)
    flow.receive(event)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", state, "Fall back", "Send SMS"])


def test_a_delivery_faster_than_the_record_of_the_send_needs_no_fallback(flow: Flow) -> None:
    flow.whatsapp.script = [lambda _: flow.receive_now("whatsapp_delivered")]
    flow.start("whatsapp", "sms", wait=3600)

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])
    assert not flow.sms.sent


def test_carrier_acceptance_can_be_configured_not_to_stop_the_fallback(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMS_CARRIER_RECEIPT", "sent")
    flow.start("sms", "email", wait=2)
    flow.receive("sms_TEXT_SUCCESSFUL")
    flow.receive("ses_Delivery", attempt=2)

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send SMS", "Fall back", "Send email"])


def together(*events: str) -> str:
    """One WhatsApp webhook that reports them all."""
    documents = [json.loads(event_text(one)) for one in events]
    entries = [json.loads(one["whatsAppWebhookEntry"]) for one in documents]
    changes = [change for entry in entries for change in entry["changes"]]
    first, *rest = changes
    for change in rest[:1]:
        first["value"]["statuses"] += change["value"]["statuses"]
    entry = {**entries[0], "changes": [first, *rest[1:]]}
    return json.dumps({**documents[0], "whatsAppWebhookEntry": json.dumps(entry)})


def test_a_delivery_among_others_in_one_webhook_counts(flow: Flow) -> None:
    flow.start("whatsapp", "sms", wait=3600)
    until(lambda: flow.sent(1))
    text = together("whatsapp_sent", "whatsapp_sent", "whatsapp_delivered")
    sample = json.loads(event_text("whatsapp_sent"))["messageId"]
    text = text.replace(sample, f"whatsapp-{flow.message_id}.1")
    record_receipt.handler(sns(text.replace(SAMPLE_ID, flow.message_id)), CONTEXT)

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])


@pytest.mark.parametrize("events", [["whatsapp_read"], ["whatsapp_read", "whatsapp_sent"]])
def test_a_message_that_was_read_counts_as_delivered(flow: Flow, events: list[str]) -> None:
    flow.start("whatsapp", "sms", wait=3600)
    for event in events:
        flow.receive(event)

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])
    assert flow.statuses() == ["read"]


def test_a_receipt_that_cannot_be_written_is_not_lost(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise throttled("UpdateItem")

    flow.start("whatsapp", "sms", wait=3600)
    until(lambda: flow.sent(1))
    with monkeypatch.context() as patch:
        patch.setattr(Attempts, "apply_receipt", busy)
        with pytest.raises(ClientError):
            flow.receive_now("whatsapp_delivered")
    flow.receive_now("whatsapp_delivered")

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])


# ---- broadcasts


def test_a_broadcast_reports_the_channel_that_failed(flow: Flow) -> None:
    flow.whatsapp.script = [Refused("ValidationException")]
    deliver(flow, sample(use_case="broadcast"))
    flow.receive("sms_TEXT_DELIVERED", attempt=2)
    flow.finish()

    outcomes = flow.output()["outcomes"]
    assert (outcomes["whatsapp"]["status"], outcomes["sms"]["status"]) == (
        "undelivered",
        "delivered",
    )
    assert [(one["channel"], one["status"]) for one in told(flow.message_id)["attempts"]] == [
        ("whatsapp", "failed"),
        ("sms", "delivered"),
    ]


# ---- what the caller is told


def test_a_typo_in_the_use_case_is_refused_and_named(flow: Flow) -> None:
    event = {"body": json.dumps(sample(use_case="fallbak")), "headers": {}, "requestContext": {}}
    answer = accept_message.handler(event, CONTEXT)

    assert answer["statusCode"] == 400
    assert [one["pointer"] for one in json.loads(answer["body"])["errors"]] == ["/use_case"]
    assert not flow.whatsapp.sent


def test_a_message_that_could_not_be_queued_is_not_reported_as_accepted(
    monkeypatch: pytest.MonkeyPatch, flow: Flow
) -> None:
    def full(**_: object) -> None:
        raise throttled("SendMessage")

    monkeypatch.setattr(sqs(), "send_message", full)
    event = {"body": json.dumps(sample()), "headers": {}, "requestContext": {}}
    answer = accept_message.handler(event, CONTEXT)

    assert answer["statusCode"] == 503
    assert "id" not in json.loads(answer["body"])
    assert not flow.whatsapp.sent


def test_the_response_contains_an_id_to_query(flow: Flow) -> None:
    accepted = post(sample())

    assert accepted["status_url"].endswith(accepted["id"])
    assert told(accepted["id"])["status"] == "accepted"
    flow.follow(accepted["id"])
    run_the_queue()


def test_the_outcome_of_the_fallback_is_recorded(flow: Flow) -> None:
    flow.sms.script = [Refused("ConflictException DESTINATION_PHONE_NUMBER_OPTED_OUT")]
    deliver(flow, sample())
    flow.receive("whatsapp_failed_131026")
    status, entered = flow.finish()

    assert (status, entered[-1]) == ("FAILED", "Undelivered")
    message = told(flow.message_id)
    assert message["status"] == "undelivered"
    assert message["attempts"][1]["status"] == "failed"
    assert "OPTED_OUT" in message["attempts"][1]["reason"]


def test_receipts_of_the_fallback_are_recorded_like_those_of_the_first_attempt(flow: Flow) -> None:
    deliver(flow, sample())
    flow.receive("whatsapp_failed_131026")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)
    flow.finish()

    assert [one["status"] for one in told(flow.message_id)["attempts"]] == ["failed", "delivered"]


def test_a_late_delivery_erases_no_history(flow: Flow) -> None:
    flow.start("whatsapp", "sms", wait=1)
    until(lambda: flow.sms.sent)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)
    flow.finish()
    flow.receive_now("whatsapp_delivered")

    first, second = told(flow.message_id)["attempts"]
    assert (first["status"], first["late"]) == ("delivered", True)
    assert second["status"] == "delivered"
    assert [one.status for one in flow.history().attempts] == [AttemptStatus.DELIVERED] * 2


# ---- WhatsApp, and more than two channels


def test_a_first_message_on_whatsapp_may_be_an_approved_template(flow: Flow) -> None:
    template = {"name": "login_code", "language": "en_US", "components": []}
    deliver(
        flow,
        {
            "to": {"whatsapp": "+14255550156"},
            "content": {"whatsapp": {"template": template}},
            "steps": [{"channel": "whatsapp"}],
        },
    )
    flow.receive("whatsapp_delivered")
    flow.finish()

    assert flow.whatsapp.sent[0].content.template == template


def test_a_phone_number_as_whatsapp_sender_means_the_stacks_own(flow: Flow) -> None:
    deliver(flow, sample())
    flow.receive("whatsapp_delivered")
    flow.finish()

    assert SAMPLE["pc"]["sender"].startswith("+")
    assert flow.whatsapp.sent[0].sender == ENVIRONMENT["WHATSAPP_SENDER"]


def test_a_third_channel_is_tried_and_the_text_is_written_once(flow: Flow) -> None:
    text = "Your order is on its way."
    deliver(
        flow,
        {
            "to": {"whatsapp": "+14255550156", "sms": "+14255550156", "email": "ana@example.com"},
            "content": {"text": text, "subject": "Your order"},
            "steps": [{"channel": "whatsapp"}, {"channel": "sms"}, {"channel": "email"}],
        },
    )
    flow.receive("whatsapp_failed_131026")
    flow.receive("sms_TEXT_UNREACHABLE", attempt=2)
    flow.receive("ses_Delivery", attempt=3)

    assert flow.finish()[0] == "SUCCEEDED"
    tried = (flow.whatsapp, flow.sms, flow.email)
    sent = [one.sent[0].content.text for one in tried]
    assert sent == [text, text, text]


# ---- the stack


def test_no_deploy_changes_the_api_key_and_no_output_contains_it(template: Template) -> None:
    value = template.only("AWS::ApiGateway::ApiKey").get("Value")

    assert value is None or "{{resolve:secretsmanager:" in json.dumps(value)
    assert "secretsmanager" not in json.dumps(template.body["Outputs"])


def test_no_code_and_no_address_stays_in_a_log(
    flow: Flow, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("INFO")
    caplog.set_level("DEBUG", record_receipt.logger.name)
    deliver(flow, sample())
    flow.receive("whatsapp_failed_131026")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)
    flow.finish()

    logged = repr([vars(record) for record in caplog.records]) + capfd.readouterr().out
    assert "receipt recorded" in logged
    assert "4255550156" not in logged
    assert "on its way" not in logged


def test_contents_expire_and_the_api_traces_no_data(template: Template) -> None:
    table = template.only("AWS::DynamoDB::Table")
    settings = template.only("AWS::ApiGateway::Stage")["MethodSettings"]

    assert table["TimeToLiveSpecification"] == {"AttributeName": "retained_until", "Enabled": True}
    assert not [one for one in settings if one.get("DataTraceEnabled")]


def test_deleting_the_stack_runs_no_custom_resource(template: Template) -> None:
    kinds = {one["Type"] for one in template.resources.values()}

    assert not [kind for kind in kinds if "Custom" in kind]


def test_the_wait_is_the_timeout_of_the_state_and_no_queue_setting(template: Template) -> None:
    delayed = [one for one in template.of_type("AWS::SQS::Queue").values() if "DelaySeconds" in one]

    assert not delayed
    assert WORKFLOW.read_text().count('"TimeoutSecondsPath": "$.wait_seconds"') == 2 * len(CHANNELS)


def test_a_slow_batch_is_not_delivered_again_while_in_progress(template: Template) -> None:
    timeout = template.functions["start_delivery"]["Timeout"]

    assert template.of_type("AWS::SQS::Queue")["RequestsQueue"]["VisibilityTimeout"] >= 6 * timeout


def test_every_dead_letter_queue_has_an_alarm(template: Template) -> None:
    queues = set(template.of_type("AWS::SQS::Queue")) - {"RequestsQueue"}
    alarms = json.dumps(template.of_type("AWS::CloudWatch::Alarm"))

    assert len(queues) >= 3
    assert not [queue for queue in queues if queue not in alarms]


def test_the_functions_folder_holds_no_vendored_code() -> None:
    paths = [path for path in Path("functions").rglob("*") if "__pycache__" not in path.parts]

    assert {path.suffix for path in paths if path.is_file()} == {".py", ".toml"}
    assert not {path.stem for path in Path("functions").iterdir()} & {*packages_distributions()}


# ---- the page


def test_the_page_names_the_tests_of_this_file() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text()))
    here = set(re.findall(r"^def (test_\w+)", Path(__file__).read_text(), re.MULTILINE))

    assert named == here - {"test_the_page_names_the_tests_of_this_file"}
