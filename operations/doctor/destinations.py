"""Whether the providers' events go to the stack's topic; without them, every wait times out."""

from collections.abc import Iterable, Iterator

from operations.doctor.account import AccountReader, Response
from operations.doctor.examined import ExaminedStack
from operations.doctor.findings import Finding, fix, ok


def judge_destinations(
    name: str, destinations: Iterable[Response], examined: ExaminedStack
) -> Iterator[Finding]:
    """A sentence about the event destinations of the stack's configuration set of this name."""
    to_topic = [
        each
        for each in destinations
        if each.get("SnsDestination", {}).get("TopicArn") == examined.receipts_topic
    ]
    if any(each.get("Enabled") for each in to_topic):
        yield ok(f"The events of the configuration set {name} go to the stack's receipts topic.")
    else:
        state = "is disabled" if to_topic else "is missing"
        yield fix(
            f"The event destination of the configuration set {name} {state}, so no receipt "
            "arrives and every wait times out.",
            f"Add {examined.receipts_topic} to the set's event destinations, enabled.",
        )


def email_destination(account: AccountReader, examined: ExaminedStack) -> Iterator[Finding]:
    if name := examined.parameter("EMAIL_CONFIGURATION_SET"):
        found = account.read(
            "sesv2", "GetConfigurationSetEventDestinations", ConfigurationSetName=name
        )
        yield from judge_destinations(name, found["EventDestinations"], examined)


def message_destination(
    account: AccountReader, examined: ExaminedStack, channel: str
) -> Iterator[Finding]:
    """The same for SMS and for voice, whose sets another service has."""
    if name := examined.parameter(f"{channel.upper()}_CONFIGURATION_SET"):
        found = account.read(
            "pinpoint-sms-voice-v2", "DescribeConfigurationSets", ConfigurationSetNames=[name]
        )
        (described,) = found["ConfigurationSets"]
        yield from judge_destinations(name, described["EventDestinations"], examined)
