"""A verification is sent with its code by the deployed function, which writes the code nowhere."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.model import OperationModel

import send_message
from messaging.clients.mac import macs
from messaging.clients.store import store
from messaging.clients.workflow import workflow
from messaging.codes.derivation import code_from, mac_message
from messaging.domain.messages import Message
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import Success
from messaging.domain.verifications import Alphabet, Autofill, Verification
from tests.support.aws import CONTEXT, TABLE, aws
from tests.support.plans import CHANNELS, plan_of, send_event

POLICY = Verification(
    "sign-in", 6, Alphabet.DIGITS, 5, "Example", "de", autofill=Autofill(domain="example.com")
)
PLAN = plan_of(
    *(
        PlannedAttempt(number, number, channel, 60, Success.CONFIRMED)
        for number, channel in enumerate(CHANNELS, start=1)
    )
)
TO = {channel: "ana@example.com" if channel == "email" else "+14255550156" for channel in CHANNELS}
REQUEST: dict[str, Any] = {
    "to": TO,
    "steps": [{"channel": channel} for channel in CHANNELS],
    "category": "authentication",
}
PROVIDERS = {"pinpoint-sms-voice-v2", "socialmessaging", "sesv2", "stepfunctions"}


@dataclass
class ProviderCalls:
    """Answers the calls to providers, and keeps the bodies of all calls by service."""

    sent: dict[str, list[str]] = field(default_factory=dict)

    def hear(self, model: OperationModel, params: Mapping[str, Any], **_: Any) -> Any:
        service = model.service_model.service_name
        body = params["body"]
        text = body.decode() if isinstance(body, bytes) else json.dumps(body)
        self.sent.setdefault(service, []).append(text)
        if service not in PROVIDERS:
            return None
        return SimpleNamespace(status_code=200), {"MessageId": "p1", "messageId": "p1"}

    def to_others(self) -> str:
        """What was said to the table, the workflow and the key."""
        others = {"dynamodb", "stepfunctions", "kms"}
        return "\n".join(text for service in others for text in self.sent.get(service, []))

    def last(self, service: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.sent[service][-1])
        return found


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderCalls]:
    calls = ProviderCalls()
    with aws():
        key = boto3.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        monkeypatch.setenv("CODES_KEY_ID", key["KeyMetadata"]["KeyId"])
        monkeypatch.setenv("SMS_PROTECT_CONFIGURATION", "protect-abc1")
        monkeypatch.setenv("SMS_CODES_MAX_PRICE", "0.15")
        monkeypatch.setenv("VOICE_PROTECT_CONFIGURATION", "protect-abc2")
        monkeypatch.setenv("VOICE_CODES_MAX_PRICE", "0.20")
        monkeypatch.setenv("WHATSAPP_CODE_LANGUAGES", "en,de")
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session())
        assert boto3.DEFAULT_SESSION
        boto3.DEFAULT_SESSION.events.register("before-call.*.*", calls.hear)
        forget_clients()
        yield calls
    forget_clients()


def forget_clients() -> None:
    for cached in (store, workflow, macs, send_message.channel):
        cached.cache_clear()


def add(request: Mapping[str, Any] = REQUEST, policy: Verification = POLICY) -> None:
    now = datetime.now(UTC)
    message = Message("v1", now, PLAN, expires_at=now + timedelta(minutes=10), verification=policy)
    store().messages.add(message, request)


def send(number: int) -> None:
    send_message.handler(send_event("v1", PLAN.attempt(number), f"token {number}"), CONTEXT)


def code() -> str:
    """As the check derives it."""
    mac = macs().generate(mac_message("v1", POLICY, None, None))
    return code_from(mac, POLICY.length, POLICY.alphabet)


def whatsapp(calls: ProviderCalls) -> Any:
    """The template that was sent; the message is a blob in the request."""
    [body] = calls.sent["socialmessaging"]
    return json.loads(base64.b64decode(json.loads(body)["message"]))["template"]


def test_each_channel_carries_the_code_that_the_check_derives(calls: ProviderCalls) -> None:
    add()
    for number in range(1, len(CHANNELS) + 1):
        send(number)

    value = [{"type": "text", "text": code()}]
    template = whatsapp(calls)
    assert [one["parameters"] for one in template["components"]] == [value, value]
    assert (template["name"], template["language"]) == ("verification_code", {"code": "de"})
    sms, voice = (json.loads(one) for one in calls.sent["pinpoint-sms-voice-v2"])
    assert sms["MessageBody"] == (
        f"{code()} ist Ihr Code für Example. Er ist 10 Min. gültig. "
        f"Geben Sie ihn an niemanden weiter.\n@example.com #{code()}"
    )
    assert (sms["MessageFeedbackEnabled"], sms["MaxPrice"]) == (True, "0.15")
    assert sms["ProtectConfigurationId"] == "protect-abc1"
    assert voice["MessageBody"].count(", ".join(code())) == 2
    assert voice["VoiceId"] == "VICKI"
    assert voice["MaxPricePerMinute"] == "0.20"
    assert voice["ProtectConfigurationId"] == "protect-abc2"
    simple = calls.last("sesv2")["Content"]["Simple"]
    assert all(code() in simple["Body"][form]["Data"] for form in ("Text", "Html"))


def test_the_code_is_written_nowhere(
    calls: ProviderCalls, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    add()
    for number in range(1, len(CHANNELS) + 1):
        send(number)

    table = json.dumps(boto3.client("dynamodb").scan(TableName=TABLE)["Items"], default=str)
    logged = "\n".join(str(vars(one)) for one in caplog.records)
    assert logged.count("provider_id") == len(CHANNELS)
    for place in (table, calls.to_others(), logged, *capsys.readouterr()):
        assert code() not in place
        assert ", ".join(code()) not in place


def test_the_callers_own_code_is_sent_without_a_key_and_without_feedback(
    calls: ProviderCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CODES_KEY_ID")
    add({**REQUEST, "code": "77AB"}, replace(POLICY, own_code=True))
    send(2)

    sms = calls.last("pinpoint-sms-voice-v2")
    assert sms["MessageBody"].startswith("77AB ist Ihr Code")
    assert "MessageFeedbackEnabled" not in sms
    assert "kms" not in calls.sent


@pytest.mark.parametrize(
    ("number", "protect"), [(2, "protect-abc1"), (4, "protect-abc2")], ids=["sms", "voice"]
)
def test_an_ordinary_message_has_the_protect_configuration_alone(
    calls: ProviderCalls, number: int, protect: str
) -> None:
    now = datetime.now(UTC)
    store().messages.add(Message("v1", now, PLAN), {**REQUEST, "content": {"text": "hi"}})
    send(number)

    sent = calls.last("pinpoint-sms-voice-v2")
    assert sent["ProtectConfigurationId"] == protect
    assert not {"MaxPrice", "MaxPricePerMinute", "MessageFeedbackEnabled"} & sent.keys()


def test_what_only_codes_need_is_not_loaded_with_the_function() -> None:
    program = "import sys, send_message; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd="functions",
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ".", "AWS_DEFAULT_REGION": "us-east-1"},
    )
    loaded = set(done.stdout.split())

    assert "messaging.attempts" in loaded
    assert "messaging.clients.mac" not in loaded
    assert not {one for one in loaded if one.startswith("messaging.codes")}
