"""The local deployment changes the template in the named ways and in no other."""

import json
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from local.template import (
    STARTS_PER_SECOND,
    UNSUPPORTED_TYPES,
    Template,
    allow_plain_http,
    with_local_pace,
    without_metric_math,
    without_unsupported_types,
)
from tests.e2e.conftest import Throughline
from tools import synth

TLS_ONLY = {
    "Effect": "Deny",
    "Action": "sqs:*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
ALLOWED = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}


def template(**resources: object) -> Template:
    return {"Resources": resources, "Outputs": {"Url": {"Value": {"Ref": "Queue"}}}}


def test_a_template_without_differences_stays_as_it_is() -> None:
    plain = template(Queue={"Type": "AWS::SQS::Queue", "DependsOn": ["Other"]})
    assert allow_plain_http(without_metric_math(without_unsupported_types(plain))) == plain


@pytest.mark.parametrize(("missing", "prefix"), UNSUPPORTED_TYPES.items())
def test_a_type_that_is_missing_is_left_out_and_named_instead(missing: str, prefix: str) -> None:
    changed = without_unsupported_types(
        template(
            Texts={"Type": missing},
            Queue={
                "Type": "AWS::SQS::Queue",
                "DependsOn": ["Texts", "Topic"],
                "Properties": {"Name": {"Ref": "Texts"}, "Arn": {"Fn::GetAtt": ["Texts", "Arn"]}},
            },
        )
    )
    assert changed["Resources"] == {
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "DependsOn": ["Topic"],
            "Properties": {"Name": f"{prefix}Texts", "Arn": f"{prefix}Texts"},
        }
    }


def test_an_alarm_over_several_metrics_is_left_out_and_any_other_stays() -> None:
    kind = "AWS::CloudWatch::Alarm"
    shown = {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"Body": {"Ref": "Several"}}}
    one = {"Type": kind, "Properties": {"MetricName": "Errors"}}
    changed = without_metric_math(
        template(One=one, Several={"Type": kind, "Properties": {"Metrics": []}}, Board=shown)
    )

    assert changed["Resources"] == {
        "One": one,
        "Board": {**shown, "Properties": {"Body": "Several"}},
    }


def test_the_pace_of_a_new_account_becomes_that_of_this_machine(assembly: Path) -> None:
    synthesized = json.loads((assembly / "Throughline.template.json").read_text())
    resources = with_local_pace(synthesized)["Resources"]
    changed = {
        resource["Type"]: resource["Properties"]
        for key, resource in resources.items()
        if resource != synthesized["Resources"][key]
    }

    assert changed.keys() == {
        "AWS::ApiGateway::UsagePlan",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
    }
    assert changed["AWS::ApiGateway::UsagePlan"]["Throttle"]["RateLimit"] >= 50
    at_once = changed["AWS::Lambda::EventSourceMapping"]["ScalingConfig"]["MaximumConcurrency"]
    variables = changed["AWS::Lambda::Function"]["Environment"]["Variables"]
    assert at_once / float(variables["START_INTERVAL_SECONDS"]) == STARTS_PER_SECOND
    assert variables.keys() > {"STATE_MACHINE_ARN", "REQUESTS_QUEUE_URL"}


def test_only_the_refusal_of_plain_http_leaves_a_policy() -> None:
    policy = {"Type": "AWS::SQS::QueuePolicy", "Statement": [TLS_ONLY, ALLOWED]}
    changed = allow_plain_http(template(Policy=policy))
    assert changed["Resources"]["Policy"]["Statement"] == [ALLOWED]


def test_the_template_is_made_anew_when_its_sources_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in synth.SOURCES:
        (tmp_path / name).mkdir()
    source = tmp_path / "functions" / "send_message.py"
    source.write_text("one")
    monkeypatch.setattr(synth, "ROOT", tmp_path)
    before = synth.fingerprint()
    assert synth.fingerprint() == before
    source.write_text("two")
    assert synth.fingerprint() != before


def test_nobody_without_a_permission_reads_the_table(throughline: Throughline) -> None:
    stranger = boto3.client(
        "dynamodb",
        endpoint_url=throughline.environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="nothing that anybody knows",
    )
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.scan(TableName=throughline.environment["MESSAGES_TABLE"])
