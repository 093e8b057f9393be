"""What the functions run on, and the environment of each."""

from pathlib import Path

import pytest

from tests.infra.conftest import CHANGED
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
CODE_LIMITS = {
    "CODES_PER_RECIPIENT_HOUR": "5",
    "CODES_PER_RECIPIENT_DAY": "10",
    "CODES_PER_PREFIX_HOUR": "10",
    "CODES_PER_CLIENT_HOUR": "20",
    "CODES_COUNTRIES_ALLOWED": "",
    "CODES_COUNTRIES_DENIED": "",
    "CODES_BREAKER": "block",
    "CODES_BREAKER_PERCENT": "20",
}
COOL_DOWN = {"CODES_RESEND_SECONDS": "30"}

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
        "VOICE_PROTECT_CONFIGURATION": "",
        "VOICE_CODES_MAX_PRICE": "",
        "SMS_NOTIFY_CODE_TEMPLATE": "notify-code-verification-english-001",
        "CODES_KEY_ID": "CodesKey",
    },
    "record_receipt": {**TABLE, "RETENTION_DAYS": "90", "SMS_CARRIER_RECEIPT": "delivered"},
    "close_message": {**TABLE, "RETENTION_DAYS": "90"},
    "read_message": TABLE,
    "control_message": {**TABLE, "RETENTION_DAYS": "90"},
    "start_verification": {
        **TABLE,
        **PLANNING,
        **SENDERS,
        **CODE_LIMITS,
        **COOL_DOWN,
        "CODES_BRAND": "Throughline",
        "CODES_CHANNELS": "whatsapp,sms,email,voice",
        "REQUESTS_QUEUE_URL": "RequestsQueue",
    },
    "read_verification": {**TABLE, **COOL_DOWN},
    "check_verification": {**TABLE, "RETENTION_DAYS": "90", "CODES_KEY_ID": "CodesKey"},
    "control_verification": {**TABLE, **CODE_LIMITS, **COOL_DOWN, "RETENTION_DAYS": "90"},
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


def test_how_codes_are_sent_is_a_parameter(changed: Template) -> None:
    variables = changed.functions["send_message"]["Environment"]["Variables"]
    names = [name.upper() for name in CHANGED if "code" in name or "protect" in name]

    assert len(names) == 7
    assert {name: variables[name] for name in names} == {
        name: CHANGED[name.lower()] for name in names
    }
