"""An AWS account that answers the read-only calls of `make doctor`, and nothing else.

Every answer is validated against AWS's own model of it, as botocore's Stubber does.
"""

import os
from collections.abc import Callable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.session
from botocore.model import OperationModel
from botocore.validate import validate_parameters

from operations.doctor.account import AccountReader

REGION = "eu-central-1"
NUMBER = "123456789012"

Json = dict[str, Any]
# What a call returns, by its parameters or in any case; a text is the code of an error.
Reply = Json | str | Callable[[Json], Json | str]


class FakeAccount:
    """Replies by service and operation, as `sesv2:GetAccount`; any other call fails the test."""

    def __init__(self, replies: Mapping[str, Reply], default: str | None = None) -> None:
        self._replies = replies
        self._default = default
        self._parameters: Json = {}
        self.calls: set[str] = set()

    def reader(self) -> AccountReader:
        return AccountReader(self._client)

    def _client(self, service: str) -> Any:
        """One client for all accounts, since making one takes long: it asks this account now."""
        client = _client_of(service, os.environ.get("AWS_ENDPOINT_URL"))
        events = client.meta.events
        for event, handler in (
            ("before-parameter-build", self._hear),
            ("before-call", self._answer),
        ):
            events.unregister(event, unique_id=event)
            events.register(event, handler, unique_id=event)
        return client

    def _hear(self, **event: Any) -> None:
        self._parameters = dict(event["params"])

    def _answer(self, **event: Any) -> tuple[SimpleNamespace, Json]:
        model: OperationModel = event["model"]
        call = f"{model.service_model.service_name}:{model.name}"
        self.calls.add(call)
        found = self._reply(call)
        if isinstance(found, str):
            code, _, message = found.partition(" ")
            return SimpleNamespace(status_code=400), {"Error": {"Code": code, "Message": message}}
        assert model.output_shape
        validate_parameters(found, model.output_shape)
        return SimpleNamespace(status_code=200), {**found, "ResponseMetadata": {}}

    def _reply(self, call: str) -> Json | str:
        if self._default is not None:
            return self._default
        reply = self._replies[call]
        return reply(self._parameters) if callable(reply) else reply


@cache
def _client_of(service: str, endpoint: str | None) -> Any:
    session = botocore.session.Session()
    session.set_credentials("fake", "fake")
    session.set_config_variable("region", REGION)
    return session.create_client(service, endpoint_url=endpoint)
