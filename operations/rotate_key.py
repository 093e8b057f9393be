"""`make rotate-key`: replaces the API key; the previous key stops working."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import boto3

from operations import stack

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

LENGTH = 40


def main() -> None:
    stack.run_command(_rotate)


def _rotate() -> Iterator[str]:
    secret = stack.outputs()["ApiKeySecretArn"]
    enabled = KeyRotation.create(stack.name(), secret).rotate()
    yield "The API has a new key, and the previous one no longer works. Callers read it with"
    yield (
        f"  aws secretsmanager get-secret-value --secret-id {secret}"
        " --query SecretString --output text"
    )
    if not enabled:
        yield "The previous key was disabled, so the new one is disabled too: the API returns 403."


@dataclass(frozen=True)
class KeyRotation:
    """Replaces the API key of a stack, whose value is the current version of a secret."""

    secrets: "SecretsManagerClient"
    cloudformation: "CloudFormationClient"
    gateway: Any  # API Gateway, whose type stubs are not installed
    stack_name: str
    secret: str

    @classmethod
    def create(cls, stack_name: str, secret: str) -> Self:
        return cls(
            boto3.client("secretsmanager"),
            boto3.client("cloudformation"),
            boto3.client("apigateway"),
            stack_name,
            secret,
        )

    def rotate(self) -> bool:
        """Whether the new key is enabled: not if the previous one was disabled.

        The new value becomes the current version only after the API accepts it, and the previous
        key is deleted only after that, so that the secret always names a key that works. What an
        interrupted rotation leaves is deleted by the next one.
        """
        previous = self._keys_in_use()
        enabled = all(key["enabled"] for key in previous)
        before = self.secrets.get_secret_value(SecretId=self.secret, VersionStage="AWSCURRENT")
        version = self._new_version()
        self._update_stack(version)
        if not enabled:
            self._disable(self._key_of_stack())
        self.secrets.update_secret_version_stage(
            SecretId=self.secret,
            VersionStage="AWSCURRENT",
            MoveToVersionId=version,
            RemoveFromVersionId=before["VersionId"],
        )
        for key in previous:
            with suppress(self.gateway.exceptions.NotFoundException):
                self.gateway.delete_api_key(apiKey=key["id"])
        return enabled

    def _keys_in_use(self) -> list[dict[str, object]]:
        """The stack's key, and keys with the value of the secret's current or previous version."""
        known = self.secrets.list_secret_version_ids(SecretId=self.secret)["Versions"]
        values = {
            self.secrets.get_secret_value(SecretId=self.secret, VersionId=one["VersionId"])[
                "SecretString"
            ]
            for one in known
        }
        pages = self.gateway.get_paginator("get_api_keys").paginate(includeValues=True)
        own = self._key_of_stack()
        return [
            key
            for page in pages
            for key in page["items"]
            if key["id"] == own or key["value"] in values
        ]

    def _key_of_stack(self) -> str:
        resources = self.cloudformation.get_paginator("list_stack_resources")
        [key] = [
            one["PhysicalResourceId"]
            for page in resources.paginate(StackName=self.stack_name)
            for one in page["StackResourceSummaries"]
            if one["ResourceType"] == "AWS::ApiGateway::ApiKey"
        ]
        return key

    def _new_version(self) -> str:
        value = self.secrets.get_random_password(PasswordLength=LENGTH, ExcludePunctuation=True)
        return self.secrets.put_secret_value(
            SecretId=self.secret,
            SecretString=value["RandomPassword"],
            VersionStages=["AWSPENDING"],
        )["VersionId"]

    def _update_stack(self, version: str) -> None:
        self.cloudformation.update_stack(
            StackName=self.stack_name,
            UsePreviousTemplate=True,
            Parameters=[{"ParameterKey": "ApiKeyVersion", "ParameterValue": version}],
            Capabilities=["CAPABILITY_IAM"],
        )
        self.cloudformation.get_waiter("stack_update_complete").wait(
            StackName=self.stack_name, WaiterConfig={"Delay": 2, "MaxAttempts": 150}
        )

    def _disable(self, key: str) -> None:
        disabled = {"op": "replace", "path": "/enabled", "value": "false"}
        self.gateway.update_api_key(apiKey=key, patchOperations=[disabled])


if __name__ == "__main__":
    main()
