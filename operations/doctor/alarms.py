"""Whether alarms reach anybody."""

from collections.abc import Iterator, Sequence

from operations.doctor.account import AccountReader, Response
from operations.doctor.examined import ExaminedStack
from operations.doctor.findings import Finding, limit, note, ok

# What stands for the ARN until the address has been confirmed:
# docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
PENDING = "PendingConfirmation"


def subscriptions(account: AccountReader, examined: ExaminedStack) -> Iterator[Finding]:
    """Whether somebody has confirmed the subscription of alarm_email."""
    topics = [topic for topic in examined.topics if topic != examined.receipts_topic]
    if not topics:
        yield note("alarm_email is empty: CloudWatch shows the alarms, and nobody is notified.")
    for topic in topics:
        found = account.read("sns", "ListSubscriptionsByTopic", TopicArn=topic)
        yield from judge(found.get("Subscriptions", []))


def judge(found: Sequence[Response]) -> Iterator[Finding]:
    """A sentence about each subscription of the alarm topic."""
    for one in found:
        if one["SubscriptionArn"] == PENDING:
            yield limit(
                f"Alarms do not reach {one['Endpoint']} yet: the subscription is not confirmed.",
                "Open the link in AWS's email; make deploy sends none again, the SNS console does.",
            )
        else:
            yield ok(f"Alarms reach {one['Endpoint']}.")
    if not found:
        yield limit("Nobody is subscribed to the topic of the alarms.", "make deploy")
