"""AWS End User Messaging SMS: the account's tier, and what it may spend in a month."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from operations.doctor.account import AccountReader, NotReadable, Response
from operations.doctor.examined import ExaminedStack
from operations.doctor.findings import Finding, fix, limit, number, ok, unknown

SERVICE = "pinpoint-sms-voice-v2"
# The limits' names in DescribeSpendLimits, and the spending so far, which only CloudWatch has:
# docs.aws.amazon.com/sms-voice/latest/userguide/monitoring-cloudwatch.html
SPENDING = {
    "sms": ("TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", "TextMessageMonthlySpend", "text-message"),
    "voice": ("VOICE_MESSAGE_MONTHLY_SPEND_LIMIT", "VoiceMessageMonthlySpend", "voice-message"),
}
NOTIFY = ("NOTIFY_MESSAGE_MONTHLY_SPEND_LIMIT", "", "notify-message")
# The limit of a new account: docs.aws.amazon.com/sms-voice/latest/userguide/quotas.html
FIRST_LIMIT_USD = 1
ALMOST = 0.8
SECONDS_A_DAY = 86_400


def tier(account: AccountReader, _: ExaminedStack) -> Iterator[Finding]:
    """Whether the account is in the sandbox, and whom it reaches there.

    docs.aws.amazon.com/sms-voice/latest/userguide/sandbox.html
    """
    attributes = account.read(SERVICE, "DescribeAccountAttributes")["AccountAttributes"]
    if _is_sandbox(attributes):
        numbers = account.read(SERVICE, "DescribeVerifiedDestinationNumbers")
        limits = account.read(SERVICE, "DescribeAccountLimits")
        yield judge_sandbox(numbers["VerifiedDestinationNumbers"], limits["AccountLimits"])
    else:
        yield ok("The account has production access: messages go to any number.")


def _is_sandbox(attributes: Sequence[Response]) -> bool:
    return any((one["Name"], one["Value"]) == ("ACCOUNT_TIER", "SANDBOX") for one in attributes)


def judge_sandbox(numbers: Sequence[Response], limits: Sequence[Response]) -> Finding:
    verified = sum(one["Status"] == "VERIFIED" for one in numbers)
    most = next(
        (one["Max"] for one in limits if one["Name"] == "VERIFIED_DESTINATION_NUMBERS"), None
    )
    of = f" of at most {number(most)}" if most is not None else ""
    return limit(
        "The account is in the sandbox of End User Messaging: messages go to verified destination "
        f"numbers and to AWS's simulator numbers only. {verified}{of} are verified.",
        "Request production access on the overview page of the End User Messaging SMS console, "
        "or verify your own number: aws pinpoint-sms-voice-v2 "
        "create-verified-destination-number --destination-phone-number +…",
    )


def spending(account: AccountReader, channel: str, *, notify: bool) -> Iterator[Finding]:
    """What the channel may spend in this month and what it has spent."""
    name, metric, command = NOTIFY if notify else SPENDING[channel]
    limits = account.read(SERVICE, "DescribeSpendLimits")["SpendLimits"]
    found = next((one for one in limits if one["Name"] == name), None)
    if found is None:
        raise NotReadable(f"the account has no {name}")
    spent = None
    try:
        spent = _spent(account, metric) if metric else None
    except NotReadable as problem:
        yield unknown(f"The spending of this month could not be read: {problem}.")
    yield judge_spending(found, spent, command)


def judge_spending(found: Response, spent: float | None, command: str) -> Finding:
    """A sentence about one of the SpendLimits."""
    enforced = found["EnforcedLimit"] if found["Overridden"] else found["MaxLimit"]
    so_far = "" if spent is None else f", ${spent:,.2f} of it spent so far"
    text = f"The monthly spend limit is ${number(enforced)}{so_far}."
    remedy = _raise_limit(found, enforced, command)
    if enforced <= (spent or 0):
        return fix(f"{text} It is reached, so every message is rejected until next month.", remedy)
    if enforced <= FIRST_LIMIT_USD or enforced * ALMOST <= (spent or 0):
        return limit(f"{text} When it is reached, every message is rejected.", remedy)
    return ok(text)


def _raise_limit(found: Response, enforced: int, command: str) -> str:
    if enforced < found["MaxLimit"]:
        return (
            f"aws pinpoint-sms-voice-v2 set-{command}-spend-limit-override "
            f"--monthly-limit {found['MaxLimit']}"
        )
    return (
        "Service Quotas console, AWS End User Messaging, the monthly spend quota: request an "
        "increase (docs.aws.amazon.com/sms-voice/latest/userguide/awssupport-spend-threshold.html)."
    )


def _spent(account: AccountReader, metric: str) -> float | None:
    """Dollars since the first of the month; None if CloudWatch has no figure yet."""
    now = datetime.now(UTC)
    (result,) = account.read(
        "cloudwatch",
        "GetMetricData",
        StartTime=now.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
        EndTime=now,
        MetricDataQueries=[
            {
                "Id": "spent",
                "MetricStat": {
                    "Metric": {"Namespace": "AWS/SMSVoice", "MetricName": metric},
                    "Period": SECONDS_A_DAY,
                    "Stat": "Maximum",
                },
            }
        ],
    )["MetricDataResults"]
    return max(result.get("Values", []), default=None)
