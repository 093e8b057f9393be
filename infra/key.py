"""The KMS key: it encrypts all data of the stack, and its policy names the services that use it."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


def kept(retain: bool) -> RemovalPolicy:
    """Whether a resource outlives its stack, except a stack whose creation was rolled back.

    docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if retain else RemovalPolicy.DESTROY


class EncryptionKey(kms.Key):
    """A customer-managed key: AWS services can publish to an encrypted topic with no other kind.

    docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, retain: bool) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Throughline: messages, requests, receipts and logs",
            enable_key_rotation=True,
            # Kept as long as the table, which nobody could read without it.
            removal_policy=kept(retain),
        )
        self._allow_logging()
        self._allow_dead_letters_of_topics()

    def allow_publishing(self, service: str) -> None:
        """Lets a service publish to a topic of this account that uses this key.

        SNS names the topic in every request to KMS. The publisher's account and ARN are not
        documented for all services (SES asks for a statement without a condition:
        docs.aws.amazon.com/ses/latest/dg/configure-sns-notifications.html), so the topic's policy
        restricts those. Any topic: naming the stack's own would be a circular dependency. As in
        docs.aws.amazon.com/gamelift/latest/flexmatchguide/queue-notification-sns-sse.html
        """
        self._allow(
            service,
            "kms:GenerateDataKey*",
            "kms:Decrypt",
            conditions={
                "ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": self._own("sns", "*")}
            },
        )

    def _allow_logging(self) -> None:
        """CloudWatch Logs, for log groups of this account and region.

        docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        """
        groups = self._own("logs", "log-group:*")
        self._allow(
            f"logs.{Stack.of(self).region}.amazonaws.com",
            "kms:Encrypt*",
            "kms:Decrypt*",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:Describe*",
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )

    def _allow_dead_letters_of_topics(self) -> None:
        """SNS, to put what it could not deliver on an encrypted queue.

        Any topic of the account: naming the stack's own would be a circular dependency.
        docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
        """
        self._allow(
            "sns.amazonaws.com",
            "kms:GenerateDataKey*",
            "kms:Decrypt",
            conditions={"ArnLike": {"aws:SourceArn": self._own("sns", "*")}},
        )

    def _allow(self, service: str, *actions: str, conditions: dict[str, dict[str, str]]) -> None:
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(service)],
                actions=list(actions),
                resources=["*"],  # in a key's policy: this key
                conditions=conditions,
            )
        )

    def _own(self, service: str, resource: str) -> str:
        stack = Stack.of(self)
        return f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{resource}"
