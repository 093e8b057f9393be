"""What a stack without messages costs, counted from its template."""

import json

import pytest

from bench import idle
from messaging.pricing import prices
from tests.infra.template import Template

# Types that cost nothing until they are used or hold data.
FREE = {
    *("AWS::ApiGateway::Account", "AWS::ApiGateway::ApiKey", "AWS::ApiGateway::Deployment"),
    *("AWS::ApiGateway::GatewayResponse", "AWS::ApiGateway::Method", "AWS::ApiGateway::Resource"),
    *("AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage"),
    *("AWS::ApiGateway::UsagePlan", "AWS::ApiGateway::UsagePlanKey"),
    *("AWS::DynamoDB::Table", "AWS::Events::Rule", "AWS::IAM::Policy", "AWS::IAM::Role"),
    *("AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Function", "AWS::Lambda::LayerVersion"),
    *("AWS::Lambda::Permission", "AWS::Logs::LogGroup"),
    *("AWS::SES::ConfigurationSet", "AWS::SES::ConfigurationSetEventDestination"),
    *("AWS::SMSVOICE::ConfigurationSet", "AWS::StepFunctions::StateMachine"),
    *("AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy"),
    *("AWS::SQS::Queue", "AWS::SQS::QueuePolicy"),
}


def test_an_idle_stack_costs_about_five_dollars_a_month(template: Template) -> None:
    found = idle.monthly(template.body, prices.load())

    assert all(found[kind] > 0 for kind in idle.BILLED if kind != "AWS::CloudWatch::Dashboard")
    assert sum(found.values()) < 5.1


def test_every_type_is_either_counted_or_free(template: Template) -> None:
    assert {each["Type"] for each in template.resources.values()} == FREE | idle.BILLED.keys()


def test_the_dashboards_are_few_and_small_enough_to_be_free(template: Template) -> None:
    boards = template.of_type("AWS::CloudWatch::Dashboard").values()
    sizes = [idle.dashboard_metrics(each) for each in boards]

    assert 0 < len(sizes) <= 3
    assert all(0 < size <= 50 for size in sizes)


def test_a_larger_dashboard_and_each_metric_of_an_alarm_are_billed(template: Template) -> None:
    (name, board), *_ = (
        (name, each)
        for name, each in template.body["Resources"].items()
        if each["Type"] == "AWS::CloudWatch::Dashboard"
    )
    large = {"widgets": [{"properties": {"metrics": [["AWS/SQS", "Sent"]] * 51}}]}
    one = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}}
    three = [{"Id": "e", "Expression": "a + b + c"}, *({"MetricStat": {}} for _ in "abc")]
    several = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": three}}
    body = {name: board | {"Properties": {"DashboardBody": json.dumps(large)}}}

    found = idle.monthly({"Resources": body | {"One": one, "Several": several}}, prices.load())

    assert found["AWS::CloudWatch::Dashboard"] == 3
    assert found["AWS::CloudWatch::Alarm"] == pytest.approx(0.4)
