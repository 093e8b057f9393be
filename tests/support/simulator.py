"""The simulator on a free loopback port, with boto3 clients and a topic that stores its events."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from local.http_client import http_client
from simulator.call_log import CallLog
from simulator.channels import create_further_providers, create_providers
from simulator.provider import AwsAccount
from simulator.publisher import NotPublished
from simulator.scenarios import load_scenarios
from simulator.server import create_server, listen
from simulator.simulator import Simulator

if TYPE_CHECKING:
    from mypy_boto3_pinpoint_sms_voice_v2 import PinpointSMSVoiceV2Client
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_socialmessaging import EndUserMessagingSocialClient

Json = dict[str, Any]
ACCOUNT = AwsAccount("123456789012", "us-east-1")
DEADLINE_SECONDS = 60
SENDER = "phone-number-id-00000000000000000000000000000001"


@dataclass
class Topic:
    """A topic that stores what is published, and can fail."""

    broken: bool = False
    messages: list[Json] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    async def publish(self, message: str) -> None:
        if self.broken:
            raise NotPublished("the topic is gone")
        with self.changed:
            self.messages.append(json.loads(message))
            self.changed.notify_all()

    def of(self, provider_id: str, count: int) -> list[Json]:
        """The first `count` events of a message, as soon as they are published."""
        with self.changed:
            assert self.changed.wait_for(
                lambda: len(self._of(provider_id)) >= count, DEADLINE_SECONDS
            ), f"only {len(self._of(provider_id))} of {count} receipts were published"
            return self._of(provider_id)

    def inbound(self) -> list[Json]:
        """The replies of recipients that were published so far."""
        ids = ("messageId", "mail")
        return [event for event in self.messages if not any(name in event for name in ids)]

    def last_receipt_of(self, provider_id: str) -> str | None:
        """The newest receipt of a message that was published so far."""
        published = receipt_types(self._of(provider_id))
        return published[-1] if published else None

    def _of(self, provider_id: str) -> list[Json]:
        return [message for message in self.messages if _id_of(message) == provider_id]


@dataclass(frozen=True)
class RunningSimulator:
    """The simulator, with what a test needs to send messages and to see what happens."""

    port: int
    topic: Topic
    simulator: Simulator
    sms: "PinpointSMSVoiceV2Client"
    whatsapp: "EndUserMessagingSocialClient"
    email: "SESV2Client"
    voice: "PinpointSMSVoiceV2Client"

    def send(self, channel: str, to: str, **more: Any) -> str:
        """Sends as the product does; returns the provider's ID."""
        provider_id: str = getattr(self, f"send_{channel}")(to, **more)
        return provider_id

    def send_sms(self, to: str, **more: Any) -> str:
        request = {
            "DestinationPhoneNumber": to,
            "OriginationIdentity": "+12065550152",
            "MessageBody": "Your code is 123456.",
            "ConfigurationSetName": "Receipts",
            "Context": {"message_id": "m1", "attempt": "1"},
        }
        return self.sms.send_text_message(**(request | more))["MessageId"]

    def send_whatsapp(self, to: str, **more: Any) -> str:
        message = {
            "messaging_product": "whatsapp",
            "to": to,
            "type": "template",
            "template": {"name": "login_code", "language": {"code": "en_US"}},
            "biz_opaque_callback_data": "m1.1",
        }
        return self.send_message(message | more)

    def send_message(self, message: Json) -> str:
        """Sends a WhatsApp message as it stands."""
        return self.whatsapp.send_whatsapp_message(
            originationPhoneNumberId=SENDER,
            metaApiVersion="v20.0",
            message=json.dumps(message).encode(),
        )["messageId"]

    def send_email(self, to: str, **more: Any) -> str:
        request = {
            "FromEmailAddress": "Example <sender@example.com>",
            "Destination": {"ToAddresses": [to]},
            "Content": simple("Your code", "Your code is 123456."),
            "ConfigurationSetName": "ConfigSet",
            "EmailTags": [
                {"Name": "message_id", "Value": "m1"},
                {"Name": "attempt", "Value": "1"},
            ],
        }
        return self.email.send_email(**(request | more))["MessageId"]

    def send_voice(self, to: str, **more: Any) -> str:
        request = {
            "DestinationPhoneNumber": to,
            "OriginationIdentity": "+12065550101",
            "MessageBody": "Your code is 1, 2, 3, 4, 5, 6.",
            "ConfigurationSetName": "Receipts",
            "Context": {"message_id": "m1", "attempt": "1"},
        }
        return self.voice.send_voice_message(**(request | more))["MessageId"]

    def act(self, provider_id: str, act: str, **body: str) -> tuple[int, Any]:
        """Does with a message what its recipient does on the phone."""
        return self.ask("POST", f"/phones/{provider_id}/{act}", body)

    def entries(self, channel: str, to: str) -> list[Json]:
        """The messages and replies in a recipient's thread, oldest first."""
        thread = self.get(f"/threads?channel={channel}&to={to}")
        entries: list[Json] = thread["entries"]
        return entries

    def get(self, path: str) -> Any:
        return self.ask("GET", path)[1]

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of a plain HTTP request."""
        return ask(self.port, method, path, body, **headers)


def ask(port: int, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
    """Status and JSON of a plain HTTP request to the simulator on this port."""
    raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    answer = http_client().request(
        method,
        f"http://127.0.0.1:{port}{path}",
        content=raw,
        headers={"Content-Type": "application/json"} | headers,
    )
    return answer.status_code, answer.json() if answer.content else None


@contextmanager
def serving(
    scenarios: Path | None = None, speed: float = 20, kept: int = 1000, read_timeout: float = 10
) -> Iterator[RunningSimulator]:
    """A simulator that serves while the block runs."""
    providers = create_providers(ACCOUNT)
    topic = Topic()
    simulator = Simulator(
        providers,
        load_scenarios(providers, scenarios).at_speed(speed),
        topic,
        CallLog(kept),
        create_further_providers(ACCOUNT),
    )
    with listening(simulator) as port, ExitStack() as stack:
        clients = {
            channel: stack.enter_context(
                closing(_client(provider.operation.service, port, read_timeout))
            )
            for channel, provider in providers.items()
        }
        yield RunningSimulator(port, topic, simulator, **clients)


@contextmanager
def listening(simulator: Simulator) -> Iterator[int]:
    """The port of the simulator's server, which runs while the block does."""
    server = create_server(simulator)
    with listen(0) as listener, ExitStack() as stack:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        stack.callback(thread.join)
        stack.callback(setattr, server, "should_exit", True)
        eventually(lambda: server.started)
        yield listener.getsockname()[1]


def _client(service: str, port: int, read_timeout: float) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]  # by name
        region_name=ACCOUNT.region,
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(
            retries={"total_max_attempts": 1}, read_timeout=read_timeout, max_pool_connections=64
        ),
    )


def eventually(fact: Callable[[], object]) -> None:
    """Returns once the fact is true; fails if it is not within the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not fact():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.005)


def simple(subject: str, text: str) -> Json:
    """The content of a plain email."""
    return {"Simple": {"Subject": {"Data": subject}, "Body": {"Text": {"Data": text}}}}


def receipt_types(events: Sequence[Json]) -> list[str]:
    """The events as the scenarios name them: `TEXT_DELIVERED`, `failed:131026`, `Delivery`."""
    return [_receipt_type(event) for event in events]


def status_of(event: Json) -> Json:
    """The one status in the envelope of a WhatsApp event."""
    entry = json.loads(event["whatsAppWebhookEntry"])
    status: Json = entry["changes"][0]["value"]["statuses"][0]
    return status


def _receipt_type(event: Json) -> str:
    if "whatsAppWebhookEntry" in event:
        status = status_of(event)
        codes = [str(error["code"]) for error in status.get("errors", [])]
        return ":".join([status["status"], *codes])
    if event["eventType"] == "Bounce":
        return f"Bounce:{event['bounce']['bounceType']}/{event['bounce']['bounceSubType']}"
    return str(event["eventType"])


def _id_of(event: Json) -> str:
    # A reply of a recipient has no ID of a message.
    return str(event["mail"]["messageId"] if "mail" in event else event.get("messageId"))
