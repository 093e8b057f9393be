"""The table of messages, and who may do what with it."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.function import Function
from infra.key import Key

READING = ("GetItem", "Query")


class Store(Construct):
    """One table: a message, its attempts and its receipts under one partition key."""

    def __init__(self, scope: Construct, construct_id: str, *, key: Key, retain: bool) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        text = dynamodb.AttributeType.STRING
        self.table = dynamodb.Table(
            self,
            "Messages",
            partition_key=dynamodb.Attribute(name="message_id", type=text),
            sort_key=dynamodb.Attribute(name="item", type=text),
            time_to_live_attribute="retained_until",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            deletion_protection=retain,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            if retain
            else RemovalPolicy.DESTROY,
        )
        self.table.add_global_secondary_index(
            index_name="Recent",
            partition_key=dynamodb.Attribute(name="listed_under", type=text),
            sort_key=dynamodb.Attribute(name="accepted_at", type=text),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )

    def allow(self, function: Function, *actions: str) -> None:
        """Allows a function these actions on the table, by their DynamoDB names."""
        function.allow(*(f"dynamodb:{action}" for action in actions), on=[self.table.table_arn])
        # DynamoDB uses the key in the caller's name. The actions that writing needs:
        # docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
        uses = ["kms:Decrypt", "kms:DescribeKey"]
        if not set(actions) <= set(READING):
            uses += ["kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        function.allow(*uses, on=[self._key.key_arn])
