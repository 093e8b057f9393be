"""`make rotate-key`: the secret names a key that works at every moment, and a stop remains."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from operations.rotate_key import KeyRotation
from tests.support.aws import aws

OTHERS = "k" * 40


class Interrupted(Exception):
    """The process ended."""


class Gateway:
    """API Gateway; before each change it is checked that the secret names a key that exists."""

    CHANGES = ("create_api_key", "update_api_key", "delete_api_key")

    def __init__(self, secret: str) -> None:
        self._client: Any = boto3.client("apigateway")
        self._secret = secret
        self.changes: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        if operation in self.CHANGES:
            assert current(self._secret) in self.values()
            self.changes.append(operation)
        return getattr(self._client, operation)

    def found(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.get_api_keys(includeValues=True)["items"]
        return found

    def values(self) -> list[str]:
        return [key["value"] for key in self.found()]

    def enabled(self) -> dict[str, bool]:
        return {key["value"]: key["enabled"] for key in self.found()}


class CloudFormation:
    """The stack: an update replaces its key by an enabled one and retains the previous."""

    def __init__(self, gateway: Gateway, secret: str, key: str) -> None:
        self.gateway, self.secret, self.key = gateway, secret, key
        self.interrupted = False

    def get_paginator(self, operation: str) -> SimpleNamespace:
        assert operation == "list_stack_resources"
        return SimpleNamespace(paginate=self._resources)

    def _resources(self, *, StackName: str) -> list[dict[str, Any]]:  # noqa: N803 - AWS's
        assert StackName == "Throughline"
        kinds = {"AWS::ApiGateway::ApiKey": self.key, "AWS::ApiGateway::RestApi": "api"}
        resources = [
            {"ResourceType": kind, "PhysicalResourceId": name} for kind, name in kinds.items()
        ]
        return [{"StackResourceSummaries": [one]} for one in resources]

    def update_stack(self, *, Parameters: list[dict[str, str]], **_: Any) -> None:  # noqa: N803 - AWS's
        version = Parameters[0]["ParameterValue"]
        value = boto3.client("secretsmanager").get_secret_value(
            SecretId=self.secret, VersionId=version
        )["SecretString"]
        self.key = self.gateway.create_api_key(value=value, enabled=True)["id"]

    def get_waiter(self, name: str) -> SimpleNamespace:
        assert name == "stack_update_complete"
        return SimpleNamespace(wait=self._wait)

    def _wait(self, **_: Any) -> None:
        if self.interrupted:
            raise Interrupted


def current(secret: str) -> str:
    # moto's default is the version that was current first.
    secrets = boto3.client("secretsmanager")
    return secrets.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")["SecretString"]


@pytest.fixture
def rotation() -> Iterator[KeyRotation]:
    """A stack with its key, in an account that has a key of something else."""
    with aws():
        secrets = boto3.client("secretsmanager")
        secret = secrets.create_secret(Name="key", SecretString="first" * 8)["ARN"]
        gateway: Any = boto3.client("apigateway")
        gateway.create_api_key(value=OTHERS, enabled=True)
        key = gateway.create_api_key(value="first" * 8, enabled=True)["id"]
        watched = Gateway(secret)
        cloudformation: Any = CloudFormation(watched, secret, key)
        yield KeyRotation(secrets, cloudformation, watched, "Throughline", secret)


def gateway_of(rotation: KeyRotation) -> Gateway:
    assert isinstance(rotation.gateway, Gateway)
    return rotation.gateway


def test_the_secret_names_the_only_key_of_the_stack_afterwards(rotation: KeyRotation) -> None:
    assert rotation.rotate()

    gateway, value = gateway_of(rotation), current(rotation.secret)
    assert value != "first" * 8
    assert gateway.enabled() == {OTHERS: True, value: True}
    # The previous key is deleted last: until then the secret may name either.
    assert gateway.changes == ["create_api_key", "delete_api_key"]


def test_a_stopped_api_remains_stopped(rotation: KeyRotation) -> None:
    gateway: Any = gateway_of(rotation)
    disabled = {"op": "replace", "path": "/enabled", "value": "false"}
    [key] = [one for one in gateway.found() if one["value"] == "first" * 8]
    gateway.update_api_key(apiKey=key["id"], patchOperations=[disabled])

    assert not rotation.rotate()
    assert gateway.enabled() == {OTHERS: True, current(rotation.secret): False}
    assert not rotation.rotate()
    assert gateway.enabled() == {OTHERS: True, current(rotation.secret): False}


def test_what_an_interrupted_rotation_left_is_deleted_by_the_next(rotation: KeyRotation) -> None:
    cloudformation: Any = rotation.cloudformation
    cloudformation.interrupted = True
    with pytest.raises(Interrupted):
        rotation.rotate()
    assert current(rotation.secret) == "first" * 8
    assert len(gateway_of(rotation).found()) == 3

    cloudformation.interrupted = False
    assert rotation.rotate()
    assert gateway_of(rotation).enabled() == {OTHERS: True, current(rotation.secret): True}
