"""The table of messages, and the permissions to use it."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.function import Function
from infra.key import EncryptionKey, kept
from infra.outputs import add_output

READS = {"GetItem", "Query"}


class MessagesTable(Construct):
    """One table: a message, its attempts and its receipts under one partition key.

    Its keys cannot be renamed after the first deployment, so their names say no more than what
    they are.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: EncryptionKey, retain: bool
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.table = _messages(self, key=key, retain=retain)
        add_output(
            self, "MessagesTableName", self.table.table_name, "Messages, attempts and receipts"
        )

    def allow(self, function: Function, *actions: str) -> None:
        """Allows a function these actions on the table, by their DynamoDB names."""
        function.allow(*(f"dynamodb:{action}" for action in actions), on=[self.table.table_arn])
        # DynamoDB uses the key in the caller's name, and writing takes more than reading:
        # docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
        uses = ["kms:Decrypt", "kms:DescribeKey"]
        if not set(actions) <= READS:
            uses += ["kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        function.allow(*uses, on=[self._key.key_arn])


def _messages(scope: Construct, *, key: EncryptionKey, retain: bool) -> dynamodb.Table:
    table = dynamodb.Table(
        scope,
        "Messages",
        partition_key=_text("pk"),
        sort_key=_text("sk"),
        time_to_live_attribute="retained_until",
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        # Protected, it could not be deleted when a first deployment is rolled back. After a
        # deletion by mistake, a backup remains for 35 days. WorkingWithTables.Basics.html and
        # PointInTimeRecovery_Howitworks.html in
        # docs.aws.amazon.com/amazondynamodb/latest/developerguide
        deletion_protection=False,
        removal_policy=kept(retain),
    )
    table.add_global_secondary_index(
        index_name="Recent",
        partition_key=_text("listed_under"),
        sort_key=_text("accepted_at"),
        projection_type=dynamodb.ProjectionType.KEYS_ONLY,
    )
    return table


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
