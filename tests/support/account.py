"""An AWS account that answers the read-only calls of `make doctor`, and nothing else.

Every answer is validated against AWS's own model of it, as botocore's Stubber does.
"""

from collections.abc import Callable, Mapping
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
        session = botocore.session.Session()
        session.set_credentials("fake", "fake")
        session.set_config_variable("region", REGION)
        session.register("before-parameter-build", self._hear)
        session.register("before-call", self._answer)
        return AccountReader(session)

    def _hear(self, params: Json, **_: Any) -> None:
        self._parameters = dict(params)

    def _answer(self, model: OperationModel, **_: Any) -> tuple[SimpleNamespace, Json]:
        call = f"{model.service_model.service_name}:{model.name}"
        self.calls.add(call)
        reply = self._replies[call] if self._default is None else self._default
        found = reply(self._parameters) if callable(reply) else reply
        if isinstance(found, str):
            code, _, message = found.partition(" ")
            return SimpleNamespace(status_code=400), {"Error": {"Code": code, "Message": message}}
        validate_parameters(found, model.output_shape)
        return SimpleNamespace(status_code=200), {**found, "ResponseMetadata": {}}
