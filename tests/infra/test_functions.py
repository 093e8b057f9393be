"""What the functions run on, and the environment of each."""

from pathlib import Path

import pytest

from tests.infra.template import Template

FUNCTIONS = Path(__file__).parents[2] / "functions"

PLANNING = {
    "RETENTION_DAYS": "90",
    "WHATSAPP_WAIT_SECONDS": "45",
    "SMS_WAIT_SECONDS": "120",
    "EMAIL_WAIT_SECONDS": "300",
    "VOICE_WAIT_SECONDS": "120",
}
SENDERS = {
    "WHATSAPP_SENDER": "phone-number-id-00000000000000000000000000000001",
    "SMS_SENDER": "+12065550100",
    "EMAIL_SENDER": "Throughline <hello@example.com>",
    "VOICE_SENDER": "+12065550101",
}
TABLE = {"MESSAGES_TABLE": "StoreMessages"}

ENVIRONMENTS = {
    "accept_message": {**TABLE, **PLANNING, **SENDERS, "REQUESTS_QUEUE_URL": "RequestsQueue"},
    "plan_message": {**TABLE, **PLANNING, **SENDERS},
    "start_delivery": {
        "STATE_MACHINE_ARN": "DeliveryDeliverMessage",
        "REQUESTS_QUEUE_URL": "RequestsQueue",
        "REQUESTS_DEAD_LETTER_QUEUE_URL": "RequestsNotStarted",
        "START_INTERVAL_SECONDS": "0.4",
    },
    "send_message": {
        **TABLE,
        **SENDERS,
        "RETENTION_DAYS": "90",
        "SMS_CONFIGURATION_SET": "ReceiptsConfigurationSetsSms",
        "EMAIL_CONFIGURATION_SET": "ReceiptsConfigurationSetsEmail",
        "VOICE_CONFIGURATION_SET": "ReceiptsConfigurationSetsVoice",
        "WHATSAPP_API_VERSION": "v24.0",
        "WHATSAPP_CODE_TEMPLATE": "verification_code",
        "WHATSAPP_CODE_LANGUAGES": "en",
        "SMS_PROTECT_CONFIGURATION": "",
        "SMS_CODES_MAX_PRICE": "",
        "SMS_NOTIFY_CODE_TEMPLATE": "notify-code-verification-english-001",
    },
    "record_receipt": {**TABLE, "RETENTION_DAYS": "90", "SMS_CARRIER_RECEIPT": "delivered"},
    "close_message": {**TABLE, "RETENTION_DAYS": "90"},
    "read_message": TABLE,
    "control_message": {**TABLE, "RETENTION_DAYS": "90"},
}
ALL = {
    "POWERTOOLS_SERVICE_NAME": "throughline",
    "POWERTOOLS_METRICS_NAMESPACE": "Throughline",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


def test_every_file_of_the_functions_folder_is_a_function(template: Template) -> None:
    files = {path.stem for path in FUNCTIONS.glob("*.py")}

    assert template.functions.keys() == files == ENVIRONMENTS.keys()


@pytest.mark.parametrize("function", ENVIRONMENTS)
def test_a_function_has_the_variables_that_it_needs_and_no_other(
    template: Template, function: str
) -> None:
    variables = template.functions[function]["Environment"]["Variables"]

    assert variables == {**ENVIRONMENTS[function], **ALL}


def test_functions_run_python_3_13_on_arm(template: Template) -> None:
    for function in template.functions.values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["Layers"] == ["CodeThirdParty"]


def test_functions_share_one_asset(template: Template) -> None:
    assert len({str(function["Code"]) for function in template.functions.values()}) == 1


def test_a_function_is_done_before_its_caller_gives_up(template: Template) -> None:
    timeouts = {name: function["Timeout"] for name, function in template.functions.items()}

    assert max(timeouts["accept_message"], timeouts["read_message"]) < 29
    assert max(timeouts["plan_message"], timeouts["close_message"], timeouts["send_message"]) < 60


def test_lambda_logs_no_successful_invocation(template: Template) -> None:
    """Its three lines would cost a million messages more than all other lines."""
    for function in template.functions.values():
        logging = function["LoggingConfig"]
        assert (logging["LogFormat"], logging["SystemLogLevel"]) == ("JSON", "WARN")
        # Another level would filter the metrics, which have none and so count as INFO.
        assert "ApplicationLogLevel" not in logging


def test_every_line_is_written_at_debug(changed: Template) -> None:
    for function in changed.functions.values():
        assert function["LoggingConfig"].keys() == {"LogFormat", "LogGroup"}
        assert function["LoggingConfig"]["LogFormat"] == "Text"


def test_the_log_level_is_a_parameter(changed: Template) -> None:
    levels = {
        function["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"]
        for function in changed.functions.values()
    }

    assert levels == {"DEBUG"}
