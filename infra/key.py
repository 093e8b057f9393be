"""The one key: it encrypts messages and receipts, and lets the providers publish to the topic."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


class Key(kms.Key):
    """A customer-managed key; services can publish to an encrypted topic with no other kind.

    docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, retain: bool) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Throughline: messages and receipts",
            enable_key_rotation=True,
            # As long as the table: nobody could read it without the key.
            removal_policy=RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY,
        )

    def allow_publishing(self, service: str) -> None:
        """Lets a service, on behalf of this account only, publish to a topic that uses this key."""
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(service)],
                actions=["kms:GenerateDataKey*", "kms:Decrypt"],
                resources=["*"],  # in a key's policy: this key
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
