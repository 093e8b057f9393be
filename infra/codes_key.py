"""The KMS key that one-time codes are derived with: two functions use it, nobody can read it."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.function import Function
from infra.key import kept

# All that administers a key, by its exact name: neither its use, nor grants, which would allow it.
# docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html and
# service-authorization/latest/reference/list_awskeymanagementservice.html
_ADMINISTRATION = (
    *("CancelKeyDeletion", "CreateAlias", "DeleteAlias", "DescribeKey", "DisableKey", "EnableKey"),
    *("GetKeyPolicy", "GetKeyRotationStatus", "ListGrants", "ListKeyPolicies", "ListResourceTags"),
    *("PutKeyPolicy", "RevokeGrant", "ScheduleKeyDeletion", "TagResource", "UntagResource"),
    *("UpdateAlias", "UpdateKeyDescription"),
)


class CodesKey(kms.Key):
    """An HMAC key, whose material never leaves KMS and cannot be exported:
    docs.aws.amazon.com/kms/latest/developerguide/hmac.html. KMS rotates no such key.

    Its policy allows the account to administer it and nobody but the given functions to use it: a
    policy of IAM cannot, because the account itself is not allowed to
    (docs.aws.amazon.com/kms/latest/developerguide/key-policies.html).
    """

    def __init__(self, scope: Construct, construct_id: str, *, retain: bool) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Throughline: one-time codes are derived with it",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            policy=iam.PolicyDocument(statements=[_administration()]),
            # Another key would make every pending code wrong.
            removal_policy=kept(retain),
        )

    def allow_deriving(self, function: Function) -> None:
        """Lets a function derive codes. In the key's policy only, so that it says all who may."""
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ArnPrincipal(function.own_role.role_arn)],
                actions=["kms:GenerateMac"],
                resources=["*"],  # in a key's policy: this key
            )
        )
        function.add_environment("CODES_KEY_ID", self.key_id)


def _administration() -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[iam.AccountRootPrincipal()],
        actions=[f"kms:{action}" for action in _ADMINISTRATION],
        resources=["*"],
    )
