"""The state machine in the template is the file, bound to the stack's functions."""

import json
from pathlib import Path
from typing import Any

from infra.delivery import CLOSED_BY_ITSELF
from tests.infra.template import Template

DEFINITION = Path(__file__).parents[2] / "statemachine" / "deliver_message.asl.json"


def test_the_definition_is_the_file_as_it_is(template: Template) -> None:
    machine = template.only("AWS::StepFunctions::StateMachine")

    assert machine["DefinitionString"] == DEFINITION.read_text()
    assert machine["StateMachineType"] == "STANDARD"


def test_each_name_in_it_stands_for_its_function(template: Template) -> None:
    machine = template.only("AWS::StepFunctions::StateMachine")

    assert machine["DefinitionSubstitutions"] == {
        "SendMessageFunctionArn": "DeliverySendMessage",
        "PlanMessageFunctionArn": "DeliveryPlanMessage",
        "CloseMessageFunctionArn": "DeliveryCloseMessage",
    }


def test_executions_log_failures_without_their_data(template: Template) -> None:
    machine = template.only("AWS::StepFunctions::StateMachine")

    assert machine["LoggingConfiguration"] == {
        "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": "DeliveryDeliverMessageLog"}}],
        "IncludeExecutionData": False,
        "Level": "ERROR",
    }


def test_executions_log_to_a_group_of_vended_logs(template: Template, changed: Template) -> None:
    for each, stack in ((template, "Throughline"), (changed, "Second")):
        group = each.of_type("AWS::Logs::LogGroup")["DeliveryDeliverMessageLog"]

        assert group["LogGroupName"] == f"/aws/vendedlogs/states/{stack}-DeliverMessage"


def test_an_execution_of_this_machine_that_ended_before_its_time_closes_its_message(
    template: Template,
) -> None:
    rule = template.only("AWS::Events::Rule")
    (target,) = rule["Targets"]

    assert rule["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "stateMachineArn": ["DeliveryDeliverMessage"],
            "$or": [
                {"status": ["TIMED_OUT", "ABORTED"]},
                {
                    "status": ["FAILED"],
                    "error": [
                        {"anything-but": ["Undelivered", "Expired", "Cancelled"]},
                        {"exists": False},
                    ],
                },
            ],
        },
    }
    assert target["Arn"] == "DeliveryCloseMessage"
    paths = target["InputTransformer"]["InputPathsMap"]
    written = target["InputTransformer"]["InputTemplate"]
    for name, path in paths.items():
        written = written.replace(f"<{name}>", f'"{path}"')
    assert json.loads(written) == {
        "message_id": "$.detail.name",
        "execution_status": "$.detail.status",
        "started_at": "$.detail.startDate",
    }


def test_what_the_rule_passes_over_was_closed_by_the_workflow_itself() -> None:
    """Whichever state leads to one of these ends, it comes after `Close message`, or it caught
    `Cancelled`: a message is cancelled before its states are answered.
    """
    states = json.loads(DEFINITION.read_text())["States"]
    passed_over = {name for name, state in states.items() if state.get("Error") in CLOSED_BY_ITSELF}
    for state in states.values():
        caught = [one for one in state.get("Catch", []) if one["Next"] in passed_over]
        assert all(one["ErrorEquals"] == ["Cancelled"] == [one["Next"]] for one in caught)
        for one in caught:
            state["Catch"].remove(one)
    before = {name for name, state in states.items() if leads_to(state) & passed_over}

    assert {states[name]["Error"] for name in passed_over} == set(CLOSED_BY_ITSELF)
    assert before == {"How did it end?"}
    assert {name for name, state in states.items() if leads_to(state) & before} == {"Close message"}


def leads_to(state: dict[str, Any]) -> set[str]:
    """The states that may come after it."""
    ways = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {way[key] for way in ways for key in ("Next", "Default") if key in way}


def test_what_cannot_be_closed_is_tried_again_and_kept(template: Template) -> None:
    assert template.of_type("AWS::Lambda::EventInvokeConfig")["DeliveryCloseMessageFailures"] == {
        "FunctionName": "DeliveryCloseMessage",
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 2,
        "DestinationConfig": {"OnFailure": {"Destination": "DeliveryUnclosed"}},
    }
