"""A channel is one file in infra/channels, and nothing else in infra names it."""

import re
from pathlib import Path
from typing import Any

import pytest

from infra.channels import CHANNELS, FACTS
from infra.config import Config
from tests.infra.conftest import ROOT
from tests.infra.template import Template

INFRA = ROOT / "infra"
NAMES_A_CHANNEL = re.compile(rf"(?<![a-z_])({'|'.join(CHANNELS)})(?![a-z])", re.IGNORECASE)


def test_every_channel_has_its_file_and_every_file_its_channel() -> None:
    files = {path.stem for path in (INFRA / "channels").glob("*.py")}

    assert files - {"__init__"} == set(FACTS)


def test_a_wait_is_by_default_as_long_as_the_channels_file_says(
    parameters: dict[str, Any],
) -> None:
    assert {name: parameters[f"{name}_wait_seconds"] for name in FACTS} == {
        name: facts["wait_seconds"] for name, facts in FACTS.items()
    }


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channels_parameters_begin_with_its_name(name: str) -> None:
    channel = CHANNELS[name]
    aliases = [str(field.alias) for field in channel.model_fields.values()]

    assert aliases == [f"{name}_{field}" for field in channel.model_fields]
    assert set(aliases) < set(Config.names())


@pytest.mark.parametrize("path", sorted(INFRA.glob("*.py")), ids=lambda path: path.stem)
def test_nothing_else_names_a_channel(path: Path) -> None:
    assert NAMES_A_CHANNEL.findall(path.read_text()) == []


def test_a_notify_configuration_is_created_only_when_it_is_the_sender(
    template: Template, changed: Template
) -> None:
    assert template.of_type("AWS::SMSVOICE::NotifyConfiguration") == {}

    created = changed.of_type("AWS::SMSVOICE::NotifyConfiguration")
    assert [*created.values()] == [
        {"DisplayName": "Second shop", "UseCase": "CODE_VERIFICATION", "EnabledChannels": ["SMS"]}
    ]
    for function in ("accept_message", "plan_message", "send_message"):
        variables = changed.functions[function]["Environment"]["Variables"]
        assert variables["SMS_SENDER"] == next(iter(created))
        assert variables["WHATSAPP_SENDER"] == ""
