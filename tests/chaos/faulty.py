"""A stack whose functions and engine reach AWS through microburst, which fails as AWS does."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from local.addresses import HOST, Addresses
from local.http_client import http_client
from local.processes import Part, Parts, clean_environment, prepare_folder, wait_until_ready
from local.stack import start
from tests.e2e.conftest import Throughline, free_port

PORTS = 10
# What a broken batch took comes back to the queue after this, not after minutes.
SECONDS_UNTIL_SQS_REPEATS = 10


@dataclass(frozen=True)
class FaultyAddresses(Addresses):
    """More ports: faults in front of MiniStack and the engine, a relay to the simulator."""

    @property
    def cloud_faults(self) -> str:
        return f"http://{HOST}:{self.base_port + 5}"

    @property
    def engine_faults(self) -> str:
        return f"http://{HOST}:{self.base_port + 6}"

    @property
    def simulator_relay(self) -> str:
        return f"http://{HOST}:{self.base_port + 7}"

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "AWS_ENDPOINT_URL": self.cloud_faults,
            "AWS_ENDPOINT_URL_SFN": self.engine_faults,
            "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2": self.simulator_relay,
            "AWS_ENDPOINT_URL_SOCIALMESSAGING": self.simulator_relay,
            "AWS_ENDPOINT_URL_SESV2": self.simulator_relay,
        }


class Unchecked(Parts):
    """The parts of a stack that does not check signatures.

    A signature covers the host that was called, and here that is the faults'. What the roles allow
    is checked on the stack of the other tests.
    """

    def start(self, name: str, module: str, *arguments: str, env: Mapping[str, str]) -> Part:
        return super().start(name, module, *arguments, env={**env, "AUTH": "false"})


@dataclass(frozen=True)
class Fault:
    """A rule that is in force, and how often it has struck."""

    url: str
    rule_id: int

    @property
    def struck(self) -> int:
        return len(_ask("GET", f"{self.url}/_microburst/fired?limit=100000&rule_id={self.rule_id}"))


@dataclass(frozen=True)
class Faults:
    addresses: FaultyAddresses

    def add(self, rule: dict[str, Any]) -> Fault:
        url = self._in_front_of(rule["service"])
        rules = _ask("PATCH", f"{url}/_microburst/rules", [rule])
        return Fault(url, max(one["id"] for one in rules))

    def clear(self) -> None:
        for service in ("dynamodb", "stepfunctions"):
            _ask("POST", f"{self._in_front_of(service)}/_microburst/rules", [])

    def _in_front_of(self, service: str) -> str:
        if service == "stepfunctions":
            return self.addresses.engine_faults
        return self.addresses.cloud_faults


def _ask(method: str, url: str, body: object = None) -> Any:
    response = http_client().request(method, url, json=body)
    return response.raise_for_status().json()


class Way:
    """A relay of bytes in front of the simulator: without it, nobody listens at the providers'."""

    def __init__(self, parts: Parts, addresses: FaultyAddresses) -> None:
        self._parts, self._addresses = parts, addresses
        self._part = self._open()

    @contextmanager
    def closed(self) -> Iterator[None]:
        self._part.stop()
        try:
            yield
        finally:
            self._part = self._open()

    def _open(self) -> Part:
        port = self._addresses.base_port
        part = self._parts.start(
            "simulator relay",
            "microburst",
            *("--protocol", "tcp", "--upstream", f"{HOST}:{port + 2}", "--host", HOST),
            *("--port", str(port + 7), "--control-port", str(port + 8)),
            env=clean_environment(),
        )
        wait_until_ready(part, f"{self._addresses.simulator_relay}/health")
        return part


@dataclass(frozen=True)
class FaultyStack:
    throughline: Throughline
    faults: Faults
    way: Way


@contextmanager
def faulty_stack() -> Iterator[FaultyStack]:
    """A stack that is up inside the block; whoever looks at it does so past the faults."""
    port = free_port(PORTS)
    addresses, direct = FaultyAddresses(port), Addresses(port)
    prepare_folder(addresses.state_folder)
    parts = Unchecked(addresses.state_folder)
    try:
        _start_faults(parts, addresses.cloud_faults, addresses.cloud)
        _start_faults(parts, addresses.engine_faults, addresses.engine)
        stack = start(addresses, parts, lambda _: nullcontext())
        way = Way(parts, addresses)
        throughline = Throughline(stack.environment() | direct.environment())
        name_the_callers(throughline)
        repeat_soon(throughline)
        yield FaultyStack(throughline, Faults(addresses), way)
    finally:
        parts.stop()
        shutil.rmtree(addresses.state_folder, ignore_errors=True)


def name_the_callers(throughline: Throughline) -> None:
    """Has the User-Agent of each function's calls say which function it is: a fault means one."""
    functions = throughline.session.client(
        "lambda", endpoint_url=throughline.environment["AWS_ENDPOINT_URL"]
    )
    for function in functions.list_functions()["Functions"]:
        name = function["Handler"].removesuffix(".handler")
        functions.update_function_configuration(
            FunctionName=function["FunctionName"],
            Environment={
                "Variables": function["Environment"]["Variables"] | {"AWS_SDK_UA_APP_ID": name}
            },
        )


def repeat_soon(throughline: Throughline) -> None:
    throughline.queues.set_queue_attributes(
        QueueUrl=throughline.environment["REQUESTS_QUEUE_URL"],
        Attributes={"VisibilityTimeout": str(SECONDS_UNTIL_SQS_REPEATS)},
    )


def _start_faults(parts: Parts, url: str, upstream: str) -> None:
    port = url.rpartition(":")[2]
    part = parts.start(
        f"faults {port}",
        "microburst",
        *("--upstream", upstream, "--host", HOST, "--port", port),
        env=clean_environment(),
    )
    wait_until_ready(part, f"{url}/_microburst/health")
