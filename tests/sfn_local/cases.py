"""What each test case of MockConfigFile.json starts with, and the path it must take."""

from dataclasses import dataclass
from typing import Any

from messaging.domain.plan import RequestedStep, make_plan
from messaging.domain.route import route as route_of

MESSAGE_ID = "01JEXAMPLE0000000000000001"
WAITS = {"whatsapp": 45, "sms": 120, "email": 300, "voice": 120}

FALLS_BACK = ("Choose channel", "Send WhatsApp", "Fall back", "Send SMS")
CLOSED = ("Close message", "How did it end?")
PLANNED = ("Choose channel", "Plan message", "Choose channel")

# The branches of a broadcast.
WHATSAPP = ("WhatsApp requested?", "Broadcast to WhatsApp")
SMS = ("SMS requested?", "Broadcast to SMS")
EMAIL = ("Email requested?", "Broadcast to email")
NO_WHATSAPP = ("WhatsApp requested?", "WhatsApp not requested")
NO_SMS = ("SMS requested?", "SMS not requested")
NO_EMAIL = ("Email requested?", "Email not requested")
VOICE = ("Voice requested?", "Broadcast to voice")
NO_VOICE = ("Voice requested?", "Voice not requested")


@dataclass(frozen=True, slots=True)
class Case:
    """`entered` has the branches of a broadcast one after another, by channel."""

    input: Any
    status: str
    entered: tuple[str, ...]


def route(*steps: str | tuple[str, ...]) -> dict[str, Any]:
    """The first node of the planned steps; several channels together are a broadcast."""
    asked = [
        RequestedStep((one,)) if isinstance(one, str) else RequestedStep(one, broadcast=True)
        for one in steps
    ]
    return route_of(MESSAGE_ID, make_plan(asked, WAITS), tuple(WAITS))


CASES = {
    "WhatsAppDelivers": Case(
        route("whatsapp", "sms"), "SUCCEEDED", ("Choose channel", "Send WhatsApp")
    ),
    "SmsDelivers": Case(route("sms", "email"), "SUCCEEDED", ("Choose channel", "Send SMS")),
    "VoiceDelivers": Case(route("voice", "sms"), "SUCCEEDED", ("Choose channel", "Send voice")),
    "BroadcastWithVoice": Case(
        route(("email", "voice")),
        "SUCCEEDED",
        (
            *("Choose channel", "Broadcast", *NO_WHATSAPP, *NO_SMS, *EMAIL, *VOICE),
            *("Voice did not reach", "Anyone reached?", "Reached"),
        ),
    ),
    "EmailDelivers": Case(route("email", "sms"), "SUCCEEDED", ("Choose channel", "Send email")),
    "SuccessSent": Case(route("sms", "email"), "SUCCEEDED", ("Choose channel", "Send SMS")),
    "RefusedAtTheCall": Case(route("whatsapp", "sms"), "SUCCEEDED", FALLS_BACK),
    "FailedByReceipt": Case(route("whatsapp", "sms"), "SUCCEEDED", FALLS_BACK),
    "TimedOut": Case(route("whatsapp", "sms"), "SUCCEEDED", FALLS_BACK),
    "ThreeChannelsExhausted": Case(
        route("whatsapp", "sms", "email"),
        "FAILED",
        (*FALLS_BACK, "Fall back", "Send email", "Fall back", *CLOSED, "Undelivered"),
    ),
    "BusyThenAccepted": Case(route("sms", "email"), "SUCCEEDED", ("Choose channel", "Send SMS")),
    "BusyToTheEnd": Case(
        route("sms", "email"),
        "SUCCEEDED",
        ("Choose channel", "Send SMS", "Fall back", "Send email"),
    ),
    "LateSuccessBeforeTheNextAttempt": Case(
        route("whatsapp", "sms", "email"), "SUCCEEDED", FALLS_BACK
    ),
    "LateSuccessBeforeTheClose": Case(
        route("sms"),
        "SUCCEEDED",
        ("Choose channel", "Send SMS", "Fall back", *CLOSED, "Reached late"),
    ),
    "ExpiredBeforeTheFirstAttempt": Case(
        route("whatsapp", "sms"), "FAILED", ("Choose channel", "Send WhatsApp", *CLOSED, "Expired")
    ),
    "ExpiredOnItsWay": Case(
        route("whatsapp", "sms", "email"), "FAILED", (*FALLS_BACK, *CLOSED, "Expired")
    ),
    "BroadcastReachesAll": Case(
        route(("whatsapp", "sms", "email")),
        "SUCCEEDED",
        (
            *("Choose channel", "Broadcast", *WHATSAPP, *SMS, *EMAIL, *NO_VOICE),
            *("Anyone reached?", "Reached"),
        ),
    ),
    "BroadcastReachesOne": Case(
        route(("whatsapp", "sms", "email"), "sms"),
        "SUCCEEDED",
        (
            *("Choose channel", "Broadcast"),
            *(*WHATSAPP, "WhatsApp did not reach", *SMS, "SMS did not reach", *EMAIL),
            *NO_VOICE,
            *("Anyone reached?", "Reached"),
        ),
    ),
    "BroadcastWithoutSms": Case(
        route(("whatsapp", "email")),
        "SUCCEEDED",
        (
            *("Choose channel", "Broadcast", *WHATSAPP, *NO_SMS, *EMAIL, *NO_VOICE),
            *("Anyone reached?", "Reached"),
        ),
    ),
    "BroadcastReachesNobodyAndFallsBack": Case(
        route(("whatsapp", "sms"), "email"),
        "SUCCEEDED",
        (
            *("Choose channel", "Broadcast"),
            *(*WHATSAPP, "WhatsApp did not reach", *SMS, "SMS did not reach", *NO_EMAIL),
            *NO_VOICE,
            *("Anyone reached?", "Fall back", "Send email"),
        ),
    ),
    "BroadcastReachesNobodyAtLast": Case(
        route(("sms", "email")),
        "FAILED",
        (
            *("Choose channel", "Broadcast"),
            *(*NO_WHATSAPP, *SMS, "SMS did not reach", *EMAIL, "Email did not reach"),
            *NO_VOICE,
            *("Anyone reached?", "Fall back", *CLOSED, "Undelivered"),
        ),
    ),
    "ChannelThenBroadcastThenChannel": Case(
        route("whatsapp", ("sms", "email"), "sms"),
        "SUCCEEDED",
        (
            *("Choose channel", "Send WhatsApp", "Fall back", "Broadcast"),
            *(*NO_WHATSAPP, *SMS, "SMS did not reach", *EMAIL, "Email did not reach"),
            *NO_VOICE,
            *("Anyone reached?", "Fall back", "Send SMS"),
        ),
    ),
    "Confirmed": Case(route("sms", "email"), "SUCCEEDED", ("Choose channel", "Send SMS")),
    "Advanced": Case(route("whatsapp", "sms"), "SUCCEEDED", FALLS_BACK),
    "ResentOnRequest": Case(route("sms", "email"), "SUCCEEDED", ("Choose channel", "Send SMS")),
    "CancelledWhileItWaits": Case(
        route("whatsapp", "sms"), "FAILED", ("Choose channel", "Send WhatsApp", "Cancelled")
    ),
    "CancelledBeforeTheClose": Case(
        route("sms"), "FAILED", ("Choose channel", "Send SMS", "Fall back", *CLOSED, "Cancelled")
    ),
    "ConfirmedBeforeTheClose": Case(
        route("sms"),
        "SUCCEEDED",
        ("Choose channel", "Send SMS", "Fall back", *CLOSED, "Reached late"),
    ),
    "DeliveredButNotConfirmed": Case(
        route("sms"),
        "SUCCEEDED",
        ("Choose channel", "Send SMS", "Fall back", *CLOSED, "Unconfirmed"),
    ),
    "BroadcastConfirmed": Case(
        route(("sms", "email")),
        "SUCCEEDED",
        (
            *("Choose channel", "Broadcast", *NO_WHATSAPP, *SMS, *EMAIL, *NO_VOICE),
            *("Anyone reached?", "Confirmed"),
        ),
    ),
    "DirectStart": Case(
        {
            "to": {"whatsapp": "+14255550156", "sms": "+14255550156"},
            "content": {"text": "Your code is 123456."},
            "steps": [{"channel": "whatsapp", "wait_seconds": 45}, {"channel": "sms"}],
        },
        "SUCCEEDED",
        (*PLANNED, *FALLS_BACK[1:]),
    ),
    "DirectStartTooLarge": Case(
        {"steps": [{"channel": "sms"}]},
        "FAILED",
        (*PLANNED[:2], "Reject large request", "Choose channel", "Invalid request"),
    ),
    "DirectStartInvalid": Case(
        {
            "to": {"sms": "+14255550156"},
            "content": {"text": "Your code is 123456."},
            "steps": [{"channel": "pigeon"}],
        },
        "FAILED",
        (*PLANNED, "Invalid request"),
    ),
    "InventedRoute": Case(
        route("sms", "email"), "FAILED", ("Choose channel", "Send SMS", "Invalid route")
    ),
}
