"""AWS End User Messaging SMS: whether the senders of SMS and voice exist and can send."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from operations.doctor.account import AccountReader, Response
from operations.doctor.examined import ExaminedStack
from operations.doctor.findings import Finding, fix, limit, note, number, ok
from operations.doctor.spending import SERVICE

CAPABILITIES = {"sms": "SMS", "voice": "VOICE"}
CONSOLE = "console.aws.amazon.com/sms-voice"
# The parameter that has the stack create a Notify configuration, and how one is named.
NOTIFY = re.compile(r"notify|nc-.+|.*:notify-configuration/.+")
# Messages per second and per day of a configuration, by its tier:
# docs.aws.amazon.com/sms-voice/latest/userguide/notify-quotas.html
NOTIFY_TIERS: dict[str, tuple[int, int | None]] = {"BASIC": (1, 200), "ADVANCED": (25, None)}
NOTIFY_PER_RECIPIENT = 10
PHONE = re.compile(r"\+?\d+|phone-.+|.*:phone-number/.+")
POOL = re.compile(r"pool-.+|.*:pool/.+")


def is_notify(sender: str) -> bool:
    return NOTIFY.fullmatch(sender) is not None


def sender(account: AccountReader, examined: ExaminedStack, channel: str) -> Iterator[Finding]:
    """Whether the stack's sender of the channel can send now."""
    name = examined.parameter(f"{channel.upper()}_SENDER")
    parameter = f"{channel}_sender"
    if not name:
        nothing = {"sms": "sends no SMS", "voice": "makes no calls"}[channel]
        yield note(f"{parameter} is empty: the stack {nothing}.")
    elif is_notify(name):
        yield from _notify(account, name)
    elif PHONE.fullmatch(name):
        numbers = account.read(SERVICE, "DescribePhoneNumbers")["PhoneNumbers"]
        yield from judge_phone_number(name, numbers, channel)
    elif POOL.fullmatch(name):
        pools = account.read(SERVICE, "DescribePools")["Pools"]
        numbers = account.read(SERVICE, "DescribePhoneNumbers")["PhoneNumbers"]
        yield from judge_pool(name, pools, numbers, channel)
    else:
        found = account.read(SERVICE, "DescribeSenderIds")["SenderIds"]
        yield from judge_sender_id(name, found, channel)


def judge_phone_number(name: str, numbers: Sequence[Response], channel: str) -> Iterator[Finding]:
    """Sentences about one of DescribePhoneNumbers' numbers, named by itself, its id or its ARN."""
    found = _named(name, numbers, "PhoneNumber", "PhoneNumberId", "PhoneNumberArn")
    what = f"{channel}_sender {name}"
    if found is None:
        yield _missing(what, "phone number", [one["PhoneNumber"] for one in numbers])
        return
    capability = CAPABILITIES[channel]
    kind = found["NumberType"].replace("_", " ").lower()
    if found["Status"] != "ACTIVE":
        yield fix(
            f"{what} is {found['Status']}, so every {capability} from it is rejected.",
            f"Complete its registration in the console ({CONSOLE}), and wait until it is active.",
        )
    elif capability not in found["NumberCapabilities"]:
        yield fix(
            f"{what} cannot send {capability}, only {', '.join(found['NumberCapabilities'])}.",
            f"Set {channel}_sender to a number with the capability {capability}.",
        )
    else:
        yield ok(f"{what} is an active {kind} number with the capability {capability}.")
    if found["NumberType"] == "SIMULATOR":
        yield limit(f"{what} reaches AWS's simulator numbers only.", f"Request a number: {CONSOLE}")
    yield from _rate(what, found, capability)
    yield from _type_and_two_way(what, [found["MessageType"]], found, channel)


def _rate(what: str, found: Response, capability: str) -> Iterator[Finding]:
    """What AWS says of the number; for SMS, the rate counts parts.

    docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-mps.html
    """
    limits = found.get("MessagingLimits", {})
    rate = limits.get("RateLimits", {}).get(capability)
    if rate is not None:
        unit = "message parts" if capability == "SMS" else "calls"
        yield limit(f"{what} sends up to {number(rate)} {unit} per second.")
    for carrier, most in limits.get("DailyMessageCaps", {}).items():
        yield limit(f"{what} sends up to {number(most)} messages a day to {carrier}.")


def judge_pool(
    name: str, pools: Sequence[Response], numbers: Sequence[Response], channel: str
) -> Iterator[Finding]:
    """Sentences about one of DescribePools' pools, and the phone numbers in it."""
    found = _named(name, pools, "PoolId", "PoolArn")
    what = f"{channel}_sender {name}"
    if found is None:
        yield _missing(what, "pool", [one["PoolId"] for one in pools])
        return
    capability = CAPABILITIES[channel]
    able = [
        one["PhoneNumber"]
        for one in numbers
        if one.get("PoolId") == found["PoolId"]
        and one["Status"] == "ACTIVE"
        and capability in one["NumberCapabilities"]
    ]
    if found["Status"] != "ACTIVE":
        yield fix(f"{what} is {found['Status']}.", f"Wait until the pool is active: {CONSOLE}")
    elif channel == "voice" and not able:
        # An SMS may also go out from a pool's sender ids and shared routes.
        yield fix(
            f"{what} has no active phone number with the capability {capability}.",
            "aws pinpoint-sms-voice-v2 associate-origination-identity adds one.",
        )
    else:
        yield ok(f"{what} is active; active phone numbers for {capability} in it: {len(able)}.")
    yield from _type_and_two_way(what, [found["MessageType"]], found, channel)


def judge_sender_id(name: str, found: Sequence[Response], channel: str) -> Iterator[Finding]:
    """Sentences about the sender id, which an account has for each country by itself."""
    what = f"{channel}_sender {name}"
    own = [one for one in found if name in (one["SenderId"], one["SenderIdArn"])]
    if not own:
        yield _missing(what, "sender ID", sorted({one["SenderId"] for one in found}))
        return
    countries = ", ".join(sorted(one["IsoCountryCode"] for one in own))
    yield ok(f"{what} is a sender ID for {countries}; SMS to other countries may be rejected.")
    types = sorted({each for one in own for each in one["MessageTypes"]})
    yield from _types(what, types, channel)
    yield note(f"{what}: recipients cannot reply to a sender ID.")


def _notify(account: AccountReader, name: str) -> Iterator[Finding]:
    found = account.read(SERVICE, "DescribeNotifyConfigurations")["NotifyConfigurations"]
    yield from judge_notify(name, found)


def judge_notify(name: str, configurations: Sequence[Response]) -> Iterator[Finding]:
    """Sentences about a Notify configuration: AWS's own numbers and templates, for codes.

    docs.aws.amazon.com/sms-voice/latest/userguide/notify.html
    """
    found = _named(name, configurations, "NotifyConfigurationId", "NotifyConfigurationArn")
    if name == "notify":
        yield note("sms_sender is notify: the deployment creates a Notify configuration.")
    elif found is None:
        known = [one["NotifyConfigurationId"] for one in configurations]
        yield _missing(f"sms_sender {name}", "Notify configuration", known)
    else:
        yield from _notify_state(found)


def _notify_state(found: Response) -> Iterator[Finding]:
    what = f"sms_sender uses the Notify configuration {found['DisplayName']}"
    reason = f" ({found['RejectionReason']})" if found.get("RejectionReason") else ""
    if found["Status"] != "ACTIVE":
        yield fix(
            f"{what}, which is {found['Status']}{reason}, so no SMS is sent.",
            f"The console says what AWS needs: {CONSOLE}, Notify.",
        )
        return
    countries = ", ".join(found.get("EnabledCountries", [])) or "the countries of its tier"
    yield ok(f"{what}, which is active: codes go out from AWS's numbers to {countries}.")
    per_second, per_day = NOTIFY_TIERS[found["Tier"]]
    day = f" and {number(per_day)} per day" if per_day else ""
    yield limit(
        f"Its tier {found['Tier']} allows {number(per_second)} messages per second{day}, and "
        f"{NOTIFY_PER_RECIPIENT} per day to one number.",
        "" if found["Tier"] == "ADVANCED" else f"Request the advanced tier: {CONSOLE}, Notify.",
    )


def _missing(what: str, kind: str, known: list[str]) -> Finding:
    has = f"It has: {', '.join(known)}." if known else f"It has no {kind} at all."
    return fix(
        f"{what}: the account has no such {kind} in this Region. {has}",
        f"Request one ({CONSOLE}), or set your own in cdk.json, then make deploy.",
    )


def _type_and_two_way(
    what: str, types: list[str], found: Response, channel: str
) -> Iterator[Finding]:
    yield from _types(what, types, channel)
    if channel == "sms":
        yield note(
            f"{what}: two-way messaging is on; replies go to {found['TwoWayChannelArn']}."
            if found["TwoWayEnabled"] and "TwoWayChannelArn" in found
            else f"{what}: two-way messaging is off; AWS itself handles STOP and HELP."
        )


def _types(what: str, types: list[str], channel: str) -> Iterator[Finding]:
    """`send_message` sends marketing as PROMOTIONAL and everything else as TRANSACTIONAL.

    docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
    """
    if channel == "sms":
        for kind, categories in (
            ("TRANSACTIONAL", "authentication and utility"),
            ("PROMOTIONAL", "marketing"),
        ):
            if kind not in types:
                yield limit(
                    f"{what} is {' and '.join(types)}: messages of the category {categories} are "
                    f"{kind}, which it may not send (MESSAGE_TYPE_MISMATCH)."
                )


def _named(name: str, found: Sequence[Response], *keys: str) -> Any:  # noqa: ANN401 - a response
    plain = name.removeprefix("+")
    return next(
        (one for one in found if plain in {str(one.get(key)).removeprefix("+") for key in keys}),
        None,
    )
