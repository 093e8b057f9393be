"""Access to the API: its key, whose value is a secret, and the usage plan that limits it."""

from aws_cdk import CfnDeletionPolicy, CfnParameter, Fn, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra import nag
from infra.config import Config
from infra.key import EncryptionKey
from infra.outputs import add_output

LENGTH = 40


class ApiKey(Construct):
    """A key whose value Secrets Manager generates, so that no template and no output contains it.

    CloudFormation reads the secret when it creates the key. A key's value cannot be changed, so
    the parameter names the secret's version: another version replaces the key.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.RestApi,
        config: Config,
        key: EncryptionKey,
    ) -> None:
        super().__init__(scope, construct_id)
        secret = _secret(self, key)
        version = CfnParameter(
            Stack.of(self),
            "ApiKeyVersion",
            default="",
            description="The version of the secret in the API key; `make rotate-key` sets it",
        )
        api_key = apigateway.CfnApiKey(
            self,
            "Key",
            description="Throughline",
            enabled=True,
            value=Fn.join(
                "",
                [
                    "{{resolve:secretsmanager:",
                    secret.ref,
                    ":SecretString:::",
                    version.value_as_string,
                    "}}",
                ],
            ),
        )
        plan = _usage_plan(self, api, config)
        admitted = apigateway.CfnUsagePlanKey(
            self,
            "Admitted",
            key_id=api_key.ref,
            key_type="API_KEY",
            usage_plan_id=plan.usage_plan_id,
        )
        # `make rotate-key` deletes the previous key after the secret names the new one.
        for replaced in (api_key, admitted):
            replaced.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
            replaced.cfn_options.deletion_policy = CfnDeletionPolicy.DELETE
        add_output(self, "ApiKeySecretArn", secret.ref, "The secret with the API key")


def _secret(scope: Construct, key: EncryptionKey) -> secretsmanager.CfnSecret:
    """The secret. How it is generated must never change: any change generates another value, and
    the API key would still have the first one.

    docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-secretsmanager-secret.html
    """
    secret = secretsmanager.CfnSecret(
        scope,
        "Secret",
        description="Throughline: the API key",
        kms_key_id=key.key_arn,
        generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
            password_length=LENGTH,
            # An API key consists of letters and digits.
            exclude_punctuation=True,
        ),
    )
    nag.accept(secret, "SMG4", "Callers must receive the new key, so a person rotates it.")
    return secret


def _usage_plan(scope: Construct, api: apigateway.RestApi, config: Config) -> apigateway.UsagePlan:
    return apigateway.UsagePlan(
        scope,
        "UsagePlan",
        throttle=apigateway.ThrottleSettings(
            rate_limit=config.api_requests_per_second, burst_limit=config.api_burst
        ),
        quota=apigateway.QuotaSettings(
            limit=config.api_requests_per_day, period=apigateway.Period.DAY
        ),
        api_stages=[apigateway.UsagePlanPerApiStage(api=api, stage=api.deployment_stage)],
    )
