"""Parameters: what is taken, and how the rest is refused."""

from dataclasses import fields
from typing import Any

import pytest
from pydantic import ValidationError

from infra.channels import CHANNELS
from infra.config import Config, WrongParameter
from messaging import settings
from messaging.domain.limits import BreakerMode
from tests.support.aws import ENVIRONMENT


def test_the_defaults_are_taken(parameters: dict[str, Any]) -> None:
    config = Config.from_context(parameters)

    waits = {name: channel.wait_seconds for name, channel in config.channels.items()}
    assert (waits["whatsapp"], waits["sms"]) == (45, 120)
    assert config.retain_data is True


def test_cdk_json_gives_every_parameter_and_no_other(parameters: dict[str, Any]) -> None:
    ours = [name for name in parameters if not name.startswith("@aws-cdk/")]

    assert ours == Config.names()


def test_a_value_from_the_command_line_is_text(parameters: dict[str, Any]) -> None:
    config = Config.from_context({**parameters, "retention_days": "7", "retain_data": "false"})

    assert (config.retention_days, config.retain_data) == (7, False)


def test_cdks_own_context_is_left_alone(parameters: dict[str, Any]) -> None:
    own = {"aws:cdk:bundling-stacks": ["**"], "cli-telemetry": False}

    assert Config.from_context({**parameters, **own}) == Config.from_context(parameters)


def test_it_does_not_change(parameters: dict[str, Any]) -> None:
    config = Config.from_context(parameters)

    with pytest.raises(ValidationError, match="frozen"):
        config.retention_days = 1


@pytest.mark.parametrize("name", ["retention_day", "retention-days", "Retention_Days"])
def test_an_unknown_parameter_is_refused_by_name(parameters: dict[str, Any], name: str) -> None:
    with pytest.raises(WrongParameter, match=f"^{name} is not a parameter; .*retention_days"):
        Config.from_context({**parameters, name: 1})


@pytest.mark.parametrize("name", Config.names())
def test_a_missing_parameter_is_refused_by_name(parameters: dict[str, Any], name: str) -> None:
    given = {key: value for key, value in parameters.items() if key != name}

    with pytest.raises(WrongParameter, match=f"^{name} is missing; it must be "):
        Config.from_context(given)


@pytest.mark.parametrize(
    ("name", "value", "may_be"),
    [
        ("stack_name", "1st", "a letter first"),
        ("whatsapp_sender", "+14255550156", "phone-number-id-"),
        ("sms_sender", "+1 206 555 0100", "E.164"),
        ("sms_notify_name", "A name that is too long", "1 to 15 letters"),
        ("email_sender", "hello", "an address"),
        ("email_sender", "Hello\r\nBcc: x <hello@example.com>", "an address"),
        ("whatsapp_wait_seconds", 4, "from 5 to 86,400"),
        ("sms_wait_seconds", 86_401, "from 5 to 86,400"),
        ("email_wait_seconds", "five", "a whole number"),
        ("email_wait_seconds", 1.5, "a whole number"),
        ("email_wait_seconds", True, "a whole number"),
        ("whatsapp_api_version", "24", "such as v24.0"),
        ("whatsapp_code_template", "Verification code", "lowercase letters, digits and _"),
        ("whatsapp_code_languages", "", "such as en_US,es,pt_BR"),
        ("whatsapp_code_languages", "en, es", "such as en_US,es,pt_BR"),
        ("sms_notify_code_template", "", "the variable code"),
        ("sms_protect_configuration", "pool-1", "a protect configuration"),
        ("sms_codes_max_price", "1", "such as 0.15"),
        ("sms_codes_max_price", "0.123456", "such as 0.15"),
        ("voice_protect_configuration", "protect-", "a protect configuration"),
        ("voice_codes_max_price", "100.00", "such as 0.15"),
        ("sms_carrier_receipt", "read", "one of delivered, sent"),
        ("api_requests_per_second", 0, "from 1 to 10,000"),
        ("api_burst", -1, "from 1 to 10,000"),
        ("api_requests_per_day", 0, "from 1 to 1,000,000,000"),
        ("starter_concurrency", 1, "from 2 to 1,000"),
        ("starts_per_second", 0, "from 1 to 10,000"),
        ("codes_per_recipient_hour", 0, "from 1 to 1,000"),
        ("codes_per_recipient_day", "ten", "a whole number"),
        ("codes_per_prefix_hour", 10_001, "from 1 to 10,000"),
        ("codes_per_client_hour", 1.5, "a whole number"),
        ("codes_countries_allowed", "US, GB", "such as US,GB"),
        ("codes_countries_denied", "Germany", "such as US,GB"),
        ("codes_countries_denied", "de", "such as US,GB"),
        ("codes_breaker", "off", "one of monitor, block"),
        ("codes_breaker_percent", 100, "from 1 to 99"),
        ("retention_days", None, "from 1 to 3,650"),
        ("retain_data", "yes", "one of true, false"),
        ("log_level", "info", "INFO"),
        ("log_retention_days", 31, "14, 30, 60"),
        ("log_retention_days", "true", "14, 30, 60"),
        ("xray_tracing", "yes", "one of true, false"),
        ("alarm_email", "on call", "an address, or empty for none"),
    ],
)
def test_a_wrong_value_is_refused_with_what_it_may_be(
    parameters: dict[str, Any], name: str, value: object, may_be: str
) -> None:
    with pytest.raises(WrongParameter, match=f"^{name} is .*; it must be .*{may_be}"):
        Config.from_context({**parameters, name: value})


@pytest.mark.parametrize("countries", ["", "US", "US,GB,001"])
def test_countries_are_a_list_that_may_be_empty(parameters: dict[str, Any], countries: str) -> None:
    config = Config.from_context({**parameters, "codes_countries_denied": countries})

    assert config.code_limits["CODES_COUNTRIES_DENIED"] == countries


def test_the_guard_gets_the_settings_that_it_reads(parameters: dict[str, Any]) -> None:
    given = Config.from_context(parameters).code_limits

    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        limits = settings.code_limits()
    assert len(given) == len(fields(limits))
    assert (limits.per_recipient_hour, limits.per_recipient_day) == (5, 10)
    assert (limits.breaker, limits.allowed) == (BreakerMode.BLOCK, frozenset())
    assert given.items() <= ENVIRONMENT.items()


def test_the_examples_are_known_as_such(parameters: dict[str, Any]) -> None:
    config = Config.from_context(parameters)

    assert [*config.example_senders] == [
        *("whatsapp_sender", "sms_sender", "email_sender", "voice_sender")
    ]


def test_a_sender_of_ones_own_is_no_example(parameters: dict[str, Any]) -> None:
    own = {
        "whatsapp_sender": "phone-number-id-1234567890abcdef1234567890abcdef",
        "sms_sender": "pool-1234567890abcdef",
        "email_sender": "Throughline <hello@throughline.test>",
        "voice_sender": "",
    }

    assert Config.from_context({**parameters, **own}).example_senders == {}


def test_no_channel_needs_a_sender(parameters: dict[str, Any]) -> None:
    none = {f"{channel}_sender": "" for channel in CHANNELS}

    assert Config.from_context({**parameters, **none}).example_senders == {}


def test_a_pace_that_no_batch_could_keep_is_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(WrongParameter, match=r"^starts_per_second is 1; .* starter_concurrency, 2"):
        Config.from_context({**parameters, "starts_per_second": "1"})
