"""How requests wait, are started, and are kept when they cannot be."""

from typing import Any

import pytest

from operations.doctor import concurrency
from operations.doctor.examined import Pace
from operations.doctor.findings import Mark
from tests.infra.template import Template

DEAD_LETTERS = [
    "RequestsNotStarted",
    "ReceiptsUndelivered",
    "ReceiptsUnrecorded",
    "DeliveryUnclosed",
]


def test_a_request_outwaits_hours_of_throttling_and_is_then_kept(template: Template) -> None:
    queue = template.of_type("AWS::SQS::Queue")["RequestsQueue"]

    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": "RequestsNotStarted",
        "maxReceiveCount": 100,
    }
    # Even if each time is a crash, it gets there before the queue forgets it.
    assert 100 * queue["VisibilityTimeout"] < queue["MessageRetentionPeriod"]


def test_a_batch_does_not_come_again_while_it_is_worked_on(template: Template) -> None:
    queue = template.of_type("AWS::SQS::Queue")["RequestsQueue"]

    assert queue["VisibilityTimeout"] >= 6 * template.functions["start_delivery"]["Timeout"]


def test_requests_are_started_in_batches_of_which_a_part_may_fail(template: Template) -> None:
    assert template.only("AWS::Lambda::EventSourceMapping") == {
        "EventSourceArn": "RequestsQueue",
        "FunctionName": "RequestsStartDelivery",
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        # The least that Lambda accepts, for an account whose functions may run ten times at once.
        "ScalingConfig": {"MaximumConcurrency": 2},
    }


def test_the_batches_at_once_start_no_more_than_the_share(
    template: Template, changed: Template
) -> None:
    for each, share in ((template, 5), (changed, 30)):
        at_once = each.only("AWS::Lambda::EventSourceMapping")["ScalingConfig"]
        variables = each.functions["start_delivery"]["Environment"]["Variables"]
        interval = float(variables["START_INTERVAL_SECONDS"])

        assert at_once["MaximumConcurrency"] / interval == pytest.approx(share)


def test_the_default_pace_fits_a_new_account(parameters: dict[str, Any]) -> None:
    """As `make doctor` judges it, for a concurrency of 10."""
    limit = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}
    pace = Pace(parameters["starts_per_second"], parameters["starter_concurrency"])

    *_, verdict = concurrency.judge(limit, pace, concurrency.assumed(), "us-east-1")

    assert verdict.mark is Mark.OK
    # What comes in is started at once, and leaves half of the functions to the rest.
    assert parameters["api_requests_per_second"] <= parameters["starts_per_second"]
    assert parameters["api_burst"] <= 5


def test_a_batch_at_the_slowest_pace_is_done_in_time(template: Template) -> None:
    batch = template.only("AWS::Lambda::EventSourceMapping")["BatchSize"]

    assert batch * 1.0 < template.functions["start_delivery"]["Timeout"]


def test_how_many_batches_start_at_once_is_a_parameter(changed: Template) -> None:
    mapping = changed.only("AWS::Lambda::EventSourceMapping")

    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 3}


@pytest.mark.parametrize("queue", DEAD_LETTERS)
def test_dead_letters_are_kept_for_two_weeks(template: Template, queue: str) -> None:
    seconds = template.of_type("AWS::SQS::Queue")[queue]["MessageRetentionPeriod"]

    assert seconds == 14 * 24 * 60 * 60


@pytest.mark.parametrize("queue", DEAD_LETTERS)
def test_the_first_dead_letter_raises_an_alarm(template: Template, queue: str) -> None:
    alarm = template.of_type("AWS::CloudWatch::Alarm")[f"{queue}NotEmpty"]

    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert queue in str(alarm["Dimensions"])
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 1)


def test_every_queue_but_the_requests_has_its_alarm(template: Template) -> None:
    queues = template.of_type("AWS::SQS::Queue").keys()

    assert sorted(queues) == sorted(["RequestsQueue", *DEAD_LETTERS])
    assert {f"{queue}NotEmpty" for queue in DEAD_LETTERS} < template.of_type(
        "AWS::CloudWatch::Alarm"
    ).keys()


def test_without_an_address_alarms_go_nowhere(template: Template) -> None:
    alarms = template.of_type("AWS::CloudWatch::Alarm").values()

    assert not any("AlarmActions" in alarm for alarm in alarms)


def test_with_an_address_every_alarm_goes_there(changed: Template) -> None:
    alarms = changed.of_type("AWS::CloudWatch::Alarm").values()
    subscriptions = changed.of_type("AWS::SNS::Subscription").values()

    assert all(alarm["AlarmActions"] == ["AlarmsTopic"] for alarm in alarms)
    assert {
        "Endpoint": "on-call@throughline.test",
        "Protocol": "email",
        "TopicArn": "AlarmsTopic",
    } in subscriptions


def test_cloudwatch_may_publish_to_the_topic_of_every_alarm(changed: Template) -> None:
    """A policy of the topic replaces the default one, which would allow it."""
    topics = {
        topic
        for alarm in changed.of_type("AWS::CloudWatch::Alarm").values()
        for topic in alarm["AlarmActions"]
    }
    account = "<AWS::Partition>:{}:<AWS::Region>:<AWS::AccountId>"

    assert topics
    for topic in topics:
        (policy,) = (
            each["PolicyDocument"]
            for each in changed.of_type("AWS::SNS::TopicPolicy").values()
            if each["Topics"] == [topic]
        )
        (allowed,) = (each for each in policy["Statement"] if each["Effect"] == "Allow")
        assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert (allowed["Action"], allowed["Resource"]) == ("sns:Publish", topic)
        assert allowed["Condition"] == {
            "StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"},
            "ArnLike": {"aws:SourceArn": f"arn:{account.format('cloudwatch')}:alarm:*"},
        }


def test_cloudwatch_may_use_the_key_of_the_alarm_topic(changed: Template) -> None:
    assert changed.of_type("AWS::SNS::Topic")["AlarmsTopic"]["KmsMasterKeyId"] == "Key"
    (statement,) = (
        each
        for each in changed.of_type("AWS::KMS::Key")["Key"]["KeyPolicy"]["Statement"]
        if "cloudwatch.amazonaws.com" in str(each["Principal"])
    )
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert statement["Condition"].keys() == {"ArnLike"}
    assert statement["Condition"]["ArnLike"].keys() == {"kms:EncryptionContext:aws:sns:topicArn"}
