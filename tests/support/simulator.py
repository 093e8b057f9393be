"""The carriers on a free loopback port: boto3 clients before them, a remembering topic behind."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from simulator.provider import Account
from simulator.publisher import NotPublished
from simulator.scenarios import STANDARD, load
from simulator.sent import Sent
from simulator.server import listen, providers_of, server_of
from simulator.simulator import Carriers

if TYPE_CHECKING:
    from mypy_boto3_pinpoint_sms_voice_v2 import PinpointSMSVoiceV2Client
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_socialmessaging import EndUserMessagingSocialClient

Json = dict[str, Any]
ACCOUNT = Account("123456789012", "us-east-1")
DEADLINE_SECONDS = 60
SERVICES = {"sms": "pinpoint-sms-voice-v2", "whatsapp": "socialmessaging", "email": "sesv2"}
SENDER = "phone-number-id-00000000000000000000000000000001"


@dataclass
class Topic:
    """A topic that remembers what was published, and can be out of order."""

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
        """The first so many events of a message, as soon as they are there."""
        with self.changed:
            assert self.changed.wait_for(
                lambda: len(self._of(provider_id)) >= count, DEADLINE_SECONDS
            ), f"only {len(self._of(provider_id))} of {count} receipts came"
            return self._of(provider_id)

    def inbound(self) -> list[Json]:
        """What recipients have written so far, as the topic got it."""
        ours = ("messageId", "mail")
        return [event for event in self.messages if not any(name in event for name in ours)]

    def last_word_of(self, provider_id: str) -> str | None:
        """The newest receipt of a message that is there by now."""
        came = words(self._of(provider_id))
        return came[-1] if came else None

    def _of(self, provider_id: str) -> list[Json]:
        return [message for message in self.messages if _id_of(message) == provider_id]


@dataclass(frozen=True)
class Stand:
    """Everything a test needs to send and to see."""

    port: int
    topic: Topic
    carriers: Carriers
    sms: "PinpointSMSVoiceV2Client"
    whatsapp: "EndUserMessagingSocialClient"
    email: "SESV2Client"

    def send(self, channel: str, to: str, **more: Any) -> str:
        """Sends as the product would; the provider's id comes back."""
        return {"sms": self.send_sms, "whatsapp": self.send_whatsapp, "email": self.send_email}[
            channel
        ](to, **more)

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

    def act(self, provider_id: str, act: str, **body: str) -> tuple[int, Any]:
        """What a person does with the message on their phone."""
        return self.ask("POST", f"/phones/{provider_id}/{act}", body)

    def entries(self, channel: str, to: str) -> list[Json]:
        """The thread of a recipient, oldest first."""
        thread = self.get(f"/threads?channel={channel}&to={to}")
        entries: list[Json] = thread["entries"]
        return entries

    def get(self, path: str) -> Any:
        return self.ask("GET", path)[1]

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of a plain HTTP request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)
        try:
            raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, path, raw, {"Content-Type": "application/json"} | headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()


@contextmanager
def serving(
    scenarios: Path = STANDARD, speed: float = 20, kept: int = 1000, read_timeout: float = 10
) -> Iterator[Stand]:
    """Carriers that serve while the block runs."""
    providers = providers_of(ACCOUNT)
    topic = Topic()
    carriers = Carriers(load(scenarios, providers).at_speed(speed), topic, Sent(kept))
    server = server_of(carriers, providers)
    with listen(0) as listener, ExitStack() as stack:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        stack.callback(thread.join)
        stack.callback(setattr, server, "should_exit", True)
        eventually(lambda: server.started)
        clients = {
            name: stack.enter_context(closing(_client(service, port, read_timeout)))
            for name, service in SERVICES.items()
        }
        yield Stand(port, topic, carriers, **clients)


def _client(service: str, port: int, read_timeout: float) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]  # one of three, by name
        region_name=ACCOUNT.region,
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(
            retries={"total_max_attempts": 1}, read_timeout=read_timeout, max_pool_connections=64
        ),
    )


def eventually(fact: Callable[[], object]) -> None:
    """Returns when the fact is true; fails when it is not within the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not fact():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def simple(subject: str, text: str) -> Json:
    """The content of a plain mail."""
    return {"Simple": {"Subject": {"Data": subject}, "Body": {"Text": {"Data": text}}}}


def words(events: Sequence[Json]) -> list[str]:
    """The events as the provider names them: `TEXT_DELIVERED`, `failed:131026`, `Delivery`."""
    return [_word(event) for event in events]


def status_of(event: Json) -> Json:
    """The one status in the envelope of a WhatsApp event."""
    entry = json.loads(event["whatsAppWebhookEntry"])
    status: Json = entry["changes"][0]["value"]["statuses"][0]
    return status


def _word(event: Json) -> str:
    if "whatsAppWebhookEntry" in event:
        status = status_of(event)
        codes = [str(error["code"]) for error in status.get("errors", [])]
        return ":".join([status["status"], *codes])
    if event["eventType"] == "Bounce":
        return f"Bounce:{event['bounce']['bounceType']}/{event['bounce']['bounceSubType']}"
    return str(event["eventType"])


def _id_of(event: Json) -> str:
    # What a recipient writes has no id of a message of ours.
    return str(event["mail"]["messageId"] if "mail" in event else event.get("messageId"))
