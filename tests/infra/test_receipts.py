"""How receipts find their way in, and that none is lost on it."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, Stack

from infra.config import Config
from infra.key import EncryptionKey
from infra.receipts import ReceiptsTopic
from tests.infra.template import Template

ACCOUNT = "<AWS::Partition>:{}:<AWS::Region>:<AWS::AccountId>"


@pytest.mark.parametrize(
    ("service", "source"),
    [
        # Two-way messages are published for a phone number or a pool.
        ("sms-voice", "*"),
        ("ses", "configuration-set/*"),
        ("social-messaging", "*"),
    ],
)
def test_a_provider_may_publish_for_this_account_only(
    template: Template, service: str, source: str
) -> None:
    policy = template.only("AWS::SNS::TopicPolicy")

    (statement,) = _for_service(policy["PolicyDocument"], f"{service}.amazonaws.com")
    assert statement["Action"] == "sns:Publish"
    assert statement["Resource"] == "ReceiptsTopic"
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"},
        "ArnLike": {"aws:SourceArn": f"arn:{ACCOUNT.format(service)}:{source}"},
    }


def test_nobody_else_may_publish(template: Template) -> None:
    statements = template.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]

    assert [
        statement["Principal"]["Service"]
        for statement in statements
        if statement["Effect"] == "Allow"
    ] == ["social-messaging.amazonaws.com", "sms-voice.amazonaws.com", "ses.amazonaws.com"]


def test_channels_of_one_service_share_its_permissions(
    parameters: dict[str, Any], tmp_path: Path
) -> None:
    sms = Config.from_context(parameters).channels["sms"]
    app = App(context=parameters, outdir=str(tmp_path))
    stack = Stack(app, "Shared")
    ReceiptsTopic(
        stack, "Topic", key=EncryptionKey(stack, "Key", retain=False), channels=[sms, sms]
    )
    app.synth()

    template = Template.read(tmp_path / "Shared.template.json")
    for policy in (
        template.only("AWS::SNS::TopicPolicy")["PolicyDocument"],
        template.of_type("AWS::KMS::Key")["Key"]["KeyPolicy"],
    ):
        (statement,) = _for_service(policy, "sms-voice.amazonaws.com")
        assert statement["Principal"] == {"Service": "sms-voice.amazonaws.com"}


def test_the_providers_may_use_the_key_the_topic_is_encrypted_with(template: Template) -> None:
    key = template.of_type("AWS::KMS::Key")["Key"]
    (statement,) = _for_service(key["KeyPolicy"], "sms-voice.amazonaws.com")

    assert template.only("AWS::SNS::Topic")["KmsMasterKeyId"] == "Key"
    assert statement["Principal"] == {
        "Service": [
            "ses.amazonaws.com",
            "sms-voice.amazonaws.com",
            "social-messaging.amazonaws.com",
        ]
    }
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    # What SNS says to KMS itself: SES is not documented to name its account.
    assert statement["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": f"arn:{ACCOUNT.format('sns')}:*"}
    }


# A pool with an RCS agent sends by RCS and reports RCS_*.
REPORTED = [("Sms", ["TEXT_ALL", "RCS_ALL"]), ("Voice", ["VOICE_ALL"])]


@pytest.mark.parametrize(("name", "events"), REPORTED)
def test_every_event_of_messages_and_calls_is_reported(
    template: Template, name: str, events: list[str]
) -> None:
    sets = template.of_type("AWS::SMSVOICE::ConfigurationSet")
    (destination,) = sets[f"ReceiptsConfigurationSets{name}"]["EventDestinations"]

    assert destination == {
        "EventDestinationName": "receipts",
        "Enabled": True,
        "MatchingEventTypes": events,
        "SnsDestination": {"TopicArn": "ReceiptsTopic"},
    }


def test_the_reported_event_types_are_known_to_the_service() -> None:
    model = boto3.client("pinpoint-sms-voice-v2", region_name="us-east-1").meta.service_model
    known = model.shape_for("EventType").metadata["enum"]

    assert {event for _, events in REPORTED for event in events} <= set(known)


def test_email_reports_what_became_of_it_and_tracks_nobody(template: Template) -> None:
    destination = template.only("AWS::SES::ConfigurationSetEventDestination")

    assert destination["ConfigurationSetName"] == "ReceiptsConfigurationSetsEmail"
    assert destination["EventDestination"] == {
        "Enabled": True,
        "MatchingEventTypes": [
            "send",
            "delivery",
            "deliveryDelay",
            "bounce",
            "complaint",
            "reject",
            "renderingFailure",
        ],
        "SnsDestination": {"TopicARN": "ReceiptsTopic"},
    }


@pytest.mark.parametrize(
    "name", ["ReceiptsConfigurationSetsSms", "ReceiptsConfigurationSetsEmailReceipts"]
)
def test_the_topics_policy_stands_before_a_provider_is_pointed_at_it(
    template: Template, name: str
) -> None:
    waits_for = template.body["Resources"][_logical_id(template, name)]["DependsOn"]

    assert _logical_id(template, "ReceiptsTopicPolicy") in waits_for


def test_what_sns_cannot_hand_over_is_kept(template: Template) -> None:
    subscription = template.only("AWS::SNS::Subscription")

    assert subscription["Endpoint"] == "ReceiptsRecordReceipt"
    assert subscription["RedrivePolicy"] == {"deadLetterTargetArn": "ReceiptsUndelivered"}
    policy = template.of_type("AWS::SQS::QueuePolicy")["ReceiptsUndeliveredPolicy"]
    (statement,) = _for_service(policy["PolicyDocument"], "sns.amazonaws.com")
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": "ReceiptsTopic"}}


def test_what_cannot_be_recorded_is_tried_again_and_kept(template: Template) -> None:
    assert template.of_type("AWS::Lambda::EventInvokeConfig")["ReceiptsRecordReceiptFailures"] == {
        "FunctionName": "ReceiptsRecordReceipt",
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 2,
        "DestinationConfig": {"OnFailure": {"Destination": "ReceiptsUnrecorded"}},
    }


def _for_service(policy: dict[str, Any], service: str) -> list[dict[str, Any]]:
    return [
        statement for statement in policy["Statement"] if service in str(statement["Principal"])
    ]


def _logical_id(template: Template, name: str) -> str:
    logical_ids: list[str] = [each for each in template.body["Resources"] if each[:-8] == name]
    return logical_ids[0]
