"""The simulator's channels: each is one folder, and nothing else in the simulator names it."""

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulator.aws_model import AwsOperation, aws_operation
from simulator.call_log import CallFilter, CallLog
from simulator.channels import create_providers
from simulator.provider import Provider
from simulator.scenarios import ChannelScenarios, Scenarios
from simulator.simulator import Simulator
from simulator.sms.api import SmsProvider
from tests.support.simulator import ACCOUNT, Topic, ask, listening

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "simulator"
FILE = ROOT / "functions" / "messaging" / "channels" / "channels.toml"
CHANNELS = sorted(tomllib.loads(FILE.read_text(encoding="utf-8")))
PROVIDERS = create_providers(ACCOUNT)
FILES = ("__init__.py", "api.py", "events.py", "phone.py", "scenarios.toml")
SHARED = sorted(FOLDER.glob("*.py"))


def test_the_folders_are_the_channels_of_the_product() -> None:
    assert sorted(api.parent.name for api in FOLDER.glob("*/api.py")) == CHANNELS
    assert sorted(PROVIDERS) == CHANNELS


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("name", FILES)
def test_each_channel_has_its_files(channel: str, name: str) -> None:
    assert (FOLDER / channel / name).is_file()


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_provider_names_its_channel_and_the_reasons_for_what_it_lacks(channel: str) -> None:
    provider = PROVIDERS[channel]
    phone = provider.phone

    assert provider.channel == channel
    assert ("read" in phone.unsupported) == (phone.read is None)
    assert ("reply" in phone.unsupported) == (provider.two_way is None)
    named = {phone.delivered, phone.read, phone.complaint, *phone.refusals} - {None}
    assert named <= set(phone.states)


def test_no_two_channels_take_the_same_operation() -> None:
    addresses = [
        (one.operation.method, one.operation.path, one.operation.target)
        for one in PROVIDERS.values()
    ]
    assert len(set(addresses)) == len(addresses)


def channels_named(path: Path) -> set[str]:
    """The channels that the file imports or has as a string of its own."""
    named = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Constant(value=str(text)):
                named.add(text)
            case ast.ImportFrom(module=str(module)):
                named |= set(module.split(".")) if "simulator" in module else set()
            case ast.Import(names=names):
                named |= {one.name.removeprefix("simulator.").split(".")[0] for one in names}
    return named & set(CHANNELS)


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.name)
def test_the_shared_modules_name_no_channel(path: Path) -> None:
    assert channels_named(path) == set()


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_names_no_other_channel(channel: str) -> None:
    for path in (FOLDER / channel).glob("*.py"):
        assert channels_named(path) <= {channel}, path


@dataclass(frozen=True)
class SecondOperation(SmsProvider):
    """A channel whose operation has the same service, and so the same path, as another."""

    channel: str = "second"

    @property
    def operation(self) -> AwsOperation:
        return aws_operation("pinpoint-sms-voice-v2", "SendMediaMessage")


def test_channels_that_share_a_path_are_told_apart_by_the_target() -> None:
    quiet = ChannelScenarios.model_validate(
        {"default": "quiet", "scenarios": {"quiet": {"says": "No receipts."}}}
    )
    providers: dict[str, Provider] = {
        "first": SmsProvider(ACCOUNT, channel="first"),
        "second": SecondOperation(ACCOUNT),
    }
    scenarios = Scenarios(speed=1, channels=dict.fromkeys(providers, quiet))
    simulator = Simulator(providers, scenarios, Topic(), CallLog())
    body = {
        "DestinationPhoneNumber": "+14255550100",
        "OriginationIdentity": "+12065550152",
        "MessageBody": "Hi",
    }

    def status(operation: str) -> int:
        target = f"PinpointSMSVoiceV2.{operation}"
        headers = {"X-Amz-Target": target, "Authorization": "AWS4-HMAC-SHA256"}
        return ask(port, "POST", "/", body, **headers)[0]

    with listening(simulator) as port:
        sent = [status("SendTextMessage"), status("SendMediaMessage"), status("SendNotify")]

    assert sent == [200, 200, 400]
    calls = simulator.calls.newest(CallFilter(), 10)
    assert [call.provider.channel for call in calls] == ["first", "second"]
