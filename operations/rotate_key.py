"""`make rotate-key`: replaces the API key; the previous key stops working."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

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
    rotate(boto3.client("secretsmanager"), boto3.client("cloudformation"), stack.name(), secret)
    yield "The API has a new key, and the previous one no longer works. Callers read it with"
    yield (
        f"  aws secretsmanager get-secret-value --secret-id {secret}"
        " --query SecretString --output text"
    )


def rotate(
    secrets: "SecretsManagerClient",
    cloudformation: "CloudFormationClient",
    stack_name: str,
    secret: str,
) -> None:
    """The new value becomes the current version only after the API accepts it, so that a caller who
    reads the secret never gets a key that does not work yet.
    """
    before = secrets.get_secret_value(SecretId=secret)["VersionId"]
    value = secrets.get_random_password(PasswordLength=LENGTH, ExcludePunctuation=True)
    version = secrets.put_secret_value(
        SecretId=secret, SecretString=value["RandomPassword"], VersionStages=["AWSPENDING"]
    )["VersionId"]
    cloudformation.update_stack(
        StackName=stack_name,
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "ApiKeyVersion", "ParameterValue": version}],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName=stack_name, WaiterConfig={"Delay": 2, "MaxAttempts": 150}
    )
    secrets.update_secret_version_stage(
        SecretId=secret,
        VersionStage="AWSCURRENT",
        MoveToVersionId=version,
        RemoveFromVersionId=before,
    )


if __name__ == "__main__":
    main()
