"""The alarms and when they fire, and what the dashboard shows."""

import json
from typing import Any

import pytest

from messaging.codes.guard import LIMITS
from tests.infra.template import Template

STACK_WIDE = {
    "AlarmOldestRequest": (300, 3, 5),
    "AlarmStartsThrottled": (0, 3, 5),
    "AlarmFunctionErrors": (4, 2, 5),
    "AlarmApiErrors": (4, 2, 5),
    "AlarmFunctionThrottles": (0, 3, 5),
    "AlarmExecutionsBroken": (0, 1, 1),
    "AlarmTransitionsThrottled": (0, 3, 5),
    "AlarmUndeliveredShare": (10, 1, 1),
    "AlarmTimeToDeliver": (120_000, 1, 1),
    "AlarmBreakerOpened": (0, 1, 1),
    "AlarmCodesUncounted": (0, 1, 1),
}
SECTIONS = {
    "OnCallDashboard": ["Message loss", "Latency", "Resource usage"],
    "OnCallChannels": ["Channels"],
}


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    return template.of_type("AWS::CloudWatch::Alarm")


def metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics behind an alarm over several."""
    return [one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one]


def expression(alarm: dict[str, Any]) -> str:
    [found] = [one["Expression"] for one in alarm["Metrics"] if "Expression" in one]
    return str(found)


def test_the_alarms_are_few_and_each_has_its_threshold(template: Template) -> None:
    found = {
        name: (alarm["Threshold"], alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"])
        for name, alarm in alarms(template).items()
        if not name.endswith("NotEmpty")
    }

    assert found == STACK_WIDE


def test_every_alarm_fires_above_its_threshold_and_not_without_data(template: Template) -> None:
    for alarm in alarms(template).values():
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
        assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("alarm", "threshold"),
    [
        ("AlarmOldestRequest", 61),
        ("AlarmTimeToDeliver", 62_000),
        ("AlarmUndeliveredShare", 63),
    ],
)
def test_what_a_user_would_choose_is_a_parameter(
    changed: Template, alarm: str, threshold: int
) -> None:
    assert alarms(changed)[alarm]["Threshold"] == threshold


def test_the_oldest_request_is_that_of_the_requests_queue(template: Template) -> None:
    alarm = alarms(template)["AlarmOldestRequest"]

    assert (alarm["MetricName"], alarm["Statistic"]) == ("ApproximateAgeOfOldestMessage", "Maximum")
    assert "RequestsQueue" in str(alarm["Dimensions"])


def test_the_errors_of_every_function_are_watched(template: Template) -> None:
    """Those of a function behind the API are errors of the API."""
    watched = metrics(alarms(template)["AlarmFunctionErrors"])
    of_api = alarms(template)["AlarmApiErrors"]
    behind_the_api = {
        one["FunctionName"]
        for one in template.of_type("AWS::Lambda::Permission").values()
        if one["Principal"] == "apigateway.amazonaws.com"
    }
    functions = template.of_type("AWS::Lambda::Function").keys()

    assert {one["MetricName"] for one in watched} == {"Errors"}
    assert {one["Dimensions"][0]["Value"] for one in watched} == functions - behind_the_api
    assert (of_api["Namespace"], of_api["MetricName"]) == ("AWS/ApiGateway", "5XXError")
    assert (of_api["Statistic"], of_api["Period"]) == ("Sum", 60)
    assert of_api["Dimensions"] == [{"Name": "ApiName", "Value": "Throughline"}]


def test_throttles_are_those_of_every_function_of_the_account(template: Template) -> None:
    alarm = alarms(template)["AlarmFunctionThrottles"]

    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Throttles")
    assert alarm["Statistic"] == "Sum"
    assert "Dimensions" not in alarm


def test_throttled_transitions_are_those_of_the_state_machine(template: Template) -> None:
    alarm = alarms(template)["AlarmTransitionsThrottled"]

    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/States", "ExecutionThrottled")
    assert (alarm["Statistic"], alarm["Period"]) == ("Sum", 60)
    assert alarm["Dimensions"] == [{"Name": "StateMachineArn", "Value": "DeliveryDeliverMessage"}]


def test_throttled_starts_are_those_of_the_queue_and_of_direct_callers(template: Template) -> None:
    ours, aws = metrics(alarms(template)["AlarmStartsThrottled"])

    assert (ours["Namespace"], ours["MetricName"]) == ("Throughline", "StartThrottled")
    assert (aws["Namespace"], aws["MetricName"]) == ("AWS/States", "ThrottledEvents")
    assert aws["Dimensions"] == [{"Name": "APIName", "Value": "StartExecution"}]


def test_a_share_needs_enough_messages(template: Template) -> None:
    alarm = alarms(template)["AlarmUndeliveredShare"]

    assert {one["MetricName"] for one in metrics(alarm)} == {
        "MessageUndelivered",
        "MessageExpired",
        "MessageSent",
        "MessageDelivered",
        "MessageConfirmed",
    }
    assert expression(alarm).startswith("IF(")
    assert ">= 20" in expression(alarm)
    assert expression(alarm).endswith(", 0)")


def test_the_time_to_deliver_is_that_of_the_slowest_twentieth(template: Template) -> None:
    alarm = alarms(template)["AlarmTimeToDeliver"]

    assert (alarm["MetricName"], alarm["ExtendedStatistic"]) == ("MessageTimeToDeliver", "p95")
    assert alarm["EvaluateLowSampleCountPercentile"] == "ignore"
    assert alarm["Period"] == 15 * 60


@pytest.mark.parametrize(
    ("alarm", "metric"),
    [("AlarmBreakerOpened", "CodeBreakerOpened"), ("AlarmCodesUncounted", "CodesUncounted")],
)
def test_a_breaker_that_opened_and_codes_that_were_not_counted_fire(
    template: Template, alarm: str, metric: str
) -> None:
    found = alarms(template)[alarm]

    assert (found["Namespace"], found["MetricName"]) == ("Throughline", metric)
    assert (found["Statistic"], found["Period"]) == ("Sum", 60)
    assert found["Dimensions"] == [{"Name": "service", "Value": "throughline"}]


def test_two_stacks_count_each_for_itself(changed: Template) -> None:
    variables = changed.functions["send_message"]["Environment"]["Variables"]

    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "Second"
    assert alarms(changed)["AlarmExecutionsBroken"]["Namespace"] == "Second"


def widgets(template: Template, name: str = "OnCallDashboard") -> list[dict[str, Any]]:
    board = template.of_type("AWS::CloudWatch::Dashboard")[name]
    body: dict[str, Any] = json.loads(board["DashboardBody"])
    return sorted(body["widgets"], key=lambda widget: (widget["y"], widget["x"]))


@pytest.mark.parametrize("name", SECTIONS)
def test_a_dashboard_asks_what_is_most_urgent_first(template: Template, name: str) -> None:
    texts = [
        widget["properties"]["markdown"]
        for widget in widgets(template, name)
        if widget["type"] == "text"
    ]

    assert texts == [f"## {section}" for section in SECTIONS[name]]


def test_the_dashboard_begins_with_every_alarm(template: Template) -> None:
    first = next(widget for widget in widgets(template) if widget["type"] != "text")

    assert first["type"] == "alarm"
    assert set(first["properties"]["alarms"]) == alarms(template).keys()


def test_the_dashboard_shows_each_channel_alone(template: Template) -> None:
    shown = {
        widget["properties"].get("title"): widget["properties"]
        for widget in widgets(template, "OnCallChannels")
    }

    for channel in ("whatsapp", "sms", "email"):
        drawn = shown[channel]["metrics"]
        assert [line[1] for line in drawn] == [
            "Sent",
            "Delivered",
            "Failed",
            "Refused",
            "TimedOut",
            "Fallback",
        ]
        assert all(line[2:6] == ["channel", channel, "service", "throughline"] for line in drawn)


def test_the_dashboard_shows_refused_codes_by_limit(template: Template) -> None:
    [shown] = [
        widget["properties"]["metrics"]
        for widget in widgets(template, "OnCallChannels")
        if widget["properties"].get("title") == "Refused codes"
    ]

    blocked = [line[2:4] for line in shown if line[1] == "CodeBlocked"]
    assert blocked == [["limit", limit] for limit in LIMITS]
    assert [line[1] for line in shown[5:]] == ["CodeBreakerOpened", "CodesUncounted"]


def test_every_log_group_forgets_and_every_function_has_one(template: Template) -> None:
    groups = template.of_type("AWS::Logs::LogGroup")
    written = {each["LoggingConfig"]["LogGroup"] for each in template.functions.values()}

    assert written < groups.keys()
    assert {group["RetentionInDays"] for group in groups.values()} == {30}


def test_with_xray_tracing_the_whole_way_is_traced(changed: Template) -> None:
    assert {each["TracingConfig"]["Mode"] for each in changed.functions.values()} == {"Active"}
    machine = changed.only("AWS::StepFunctions::StateMachine")
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert changed.only("AWS::ApiGateway::Stage")["TracingEnabled"] is True


def test_by_default_nothing_is_traced(template: Template) -> None:
    assert not [each for each in template.functions.values() if "TracingConfig" in each]
    machine = template.only("AWS::StepFunctions::StateMachine")
    assert machine.get("TracingConfiguration", {"Enabled": False}) == {"Enabled": False}
    assert template.only("AWS::ApiGateway::Stage")["TracingEnabled"] is False
    assert "xray:" not in json.dumps(template.body)
