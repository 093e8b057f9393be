"""The state machine in the template is the file, bound to the stack's functions."""

from pathlib import Path

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


def test_executions_are_traced_and_log_failures_without_their_data(template: Template) -> None:
    machine = template.only("AWS::StepFunctions::StateMachine")

    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"] == {
        "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": "DeliveryDeliverMessageLog"}}],
        "IncludeExecutionData": False,
        "Level": "ERROR",
    }
