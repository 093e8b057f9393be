"""A stack whose functions and engine reach AWS through microburst, which fails as AWS does."""

import json
import shutil
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from local.addresses import HOST, Addresses
from local.processes import Part, Parts, clean_environment, prepare_folder, wait_until_it_answers
from local.stack import start
from tests.local.conftest import Throughline, free_port

PORTS = 5


@dataclass(frozen=True)
class FaultyAddresses(Addresses):
    """Two more ports: the faults in front of MiniStack, and those in front of the engine."""

    @property
    def cloud_faults(self) -> str:
        return f"http://{HOST}:{self.base_port + 3}"

    @property
    def engine_faults(self) -> str:
        return f"http://{HOST}:{self.base_port + 4}"

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "AWS_ENDPOINT_URL": self.cloud_faults,
            "AWS_ENDPOINT_URL_SFN": self.engine_faults,
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
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        return json.load(answer)


@dataclass(frozen=True)
class FaultyStack:
    throughline: Throughline
    faults: Faults
    parts: Parts


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
        environment = stack.environment() | direct.environment()
        yield FaultyStack(Throughline(environment), Faults(addresses), parts)
    finally:
        parts.stop()
        shutil.rmtree(addresses.state_folder, ignore_errors=True)


def _start_faults(parts: Parts, url: str, upstream: str) -> None:
    port = url.rpartition(":")[2]
    part = parts.start(
        f"faults {port}",
        "microburst",
        *("--upstream", upstream, "--host", HOST, "--port", port),
        env=clean_environment(),
    )
    wait_until_it_answers(part, f"{url}/_microburst/health")
