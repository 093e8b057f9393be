"""The template with other parameters than cdk.json's."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from infra import nag
from infra.config import Config
from infra.stack import Throughline
from tests.infra.template import Template

ROOT = Path(__file__).parents[2]

CHANGED = {
    "stack_name": "Second",
    "whatsapp_sender": "",
    "sms_sender": "notify",
    "sms_notify_name": "Second shop",
    "whatsapp_code_template": "second_code",
    "whatsapp_code_languages": "en_US,pt_BR",
    "sms_notify_code_template": "notify-code-verification-spanish-001",
    "sms_protect_configuration": "protect-abc11111111111111111111111111111",
    "sms_codes_max_price": "0.15",
    "voice_protect_configuration": (
        "arn:aws:sms-voice:us-east-1:123456789012:protect-configuration/protect-abc2"
    ),
    "voice_codes_max_price": ".2",
    "email_sender": "hello@throughline.test",
    "voice_sender": "",
    "starter_concurrency": "3",
    "starts_per_second": "30",
    "api_requests_per_second": "7",
    "api_burst": "8",
    "api_requests_per_day": "9",
    "retain_data": "false",
    "log_level": "DEBUG",
    "log_retention_days": "7",
    "xray_tracing": "true",
    "alarm_email": "on-call@throughline.test",
    "alarm_oldest_request_seconds": "61",
    "alarm_time_to_deliver_seconds": "62",
    "alarm_undelivered_percent": "63",
}


@pytest.fixture(scope="session")
def parameters() -> dict[str, Any]:
    """The context of `cdk.json`."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


@pytest.fixture(scope="session")
def changed_assembly(tmp_path_factory: pytest.TempPathFactory, parameters: dict[str, Any]) -> Path:
    """A stack with other parameters and an empty layer, checked by the same rules."""
    folder, third_party = tmp_path_factory.mktemp("changed"), tmp_path_factory.mktemp("empty")
    app = App(context=parameters, outdir=str(folder))
    config = Config.from_context({**parameters, **CHANGED})
    Throughline(app, config=config, third_party=third_party)
    nag.check(app)
    app.synth()
    return folder


@pytest.fixture(scope="session")
def changed(changed_assembly: Path) -> Template:
    return Template.read(changed_assembly / "Second.template.json")
