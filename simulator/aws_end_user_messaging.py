"""What the message types of AWS End User Messaging (pinpoint-sms-voice-v2) have in common: their
request parameters, their validation errors and the members of every event.
"""

import re
from collections.abc import Callable
from datetime import datetime

from simulator.aws_model import AwsError, AwsOperation, Json, validation_message
from simulator.provider import (
    AcceptedMessage,
    ProviderRequest,
    TimeToLive,
    milliseconds,
)

SERVICE = "pinpoint-sms-voice-v2"
THROTTLING_ERROR = "ThrottlingException"
# As in the response of CreateProtectConfiguration.
_PROTECT_CONFIGURATION = re.compile(
    r"(arn:[a-z-]+:sms-voice:[a-z0-9-]+:\d{12}:protect-configuration/)?protect-[0-9a-f]+"
)
_EXAMPLE_NUMBER = "+12065550100"
# The countries that have simulator numbers; a longer code comes before a shorter one.
_COUNTRIES = {
    "+447937": "JE", "+61": "AU", "+43": "AT", "+32": "BE", "+56": "CL", "+420": "CZ",
    "+45": "DK", "+372": "EE", "+358": "FI", "+33": "FR", "+852": "HK", "+36": "HU",
    "+39": "IT", "+44": "GB", "+352": "LU", "+31": "NL", "+47": "NO", "+48": "PL",
    "+351": "PT", "+40": "RO", "+34": "ES", "+46": "SE", "+41": "CH", "+886": "TW", "+1": "US",
}  # fmt: skip


def check_model(operation: AwsOperation, body: Json) -> None:
    """Raises the AwsError with which the service rejects a request that violates its model."""
    if violations := operation.violations(body):
        fields = [{"Name": v.path.split(".")[0], "Message": v.constraint} for v in violations]
        raise AwsError(
            "ValidationException",
            validation_message(violations),
            Reason="FIELD_VALIDATION_FAILED",
            Fields=fields,
        )


def check_protect_configuration(body: Json) -> None:
    """Those of the account are unknown here: any that has the form of an ID or ARN exists."""
    found = body.get("ProtectConfigurationId")
    if found is not None and not _PROTECT_CONFIGURATION.fullmatch(found):
        raise AwsError(
            "ResourceNotFoundException",
            f"The protect configuration '{found}' does not exist",
            ResourceType="protect-configuration",
            ResourceId=found,
        )


def field_error(reason: str, field: str, message: str) -> AwsError:
    """The error about one parameter that the model allows and the service does not."""
    fields = [{"Name": field, "Message": message}]
    return AwsError("ValidationException", message, Reason=reason, Fields=fields)


def parse_request(body: Json, time_to_live: Callable[[float], TimeToLive]) -> ProviderRequest:
    """The parameters that all operations which send a message have."""
    seconds = body.get("TimeToLive")
    context = body.get("Context") or {}
    return ProviderRequest(
        body=body,
        to=f"+{body['DestinationPhoneNumber'].removeprefix('+')}",
        echo=context,
        message_id=context.get("message_id"),
        attempt=context.get("attempt"),
        publishes_events="ConfigurationSetName" in body,
        dry_run=body.get("DryRun", False),
        time_to_live=None if seconds is None else time_to_live(seconds),
    )


def message_event(
    message: AcceptedMessage, event_type: str, at: datetime, *, is_final: bool
) -> Json:
    """The members that the events of all message types have."""
    request = message.request
    return {
        "eventType": event_type,
        "eventVersion": "1.0",
        "eventTimestamp": milliseconds(at),
        "isFinal": is_final,
        "originationPhoneNumber": origination_number(request.body),
        "destinationPhoneNumber": request.to,
        "isoCountryCode": country_code(request.to),
        "messageId": message.provider_id,
        "messageRequestTimestamp": milliseconds(message.accepted_at),
        "messageStatus": event_type.partition("_")[2],
        **({"context": dict(request.echo)} if request.echo else {}),
    }


def country_code(number: str) -> str:
    """The ISO code of the number's country; ZZ if it is not one of those that are known."""
    matching = (country for code, country in _COUNTRIES.items() if number.startswith(code))
    return next(matching, "ZZ")


def origination_number(body: Json) -> str:
    """The number that a message with this origination identity is sent from."""
    # An ID, an ARN or a pool stands for a number that only AWS knows.
    number = f"+{body.get('OriginationIdentity', '').removeprefix('+')}"
    return number if number[1:].isdigit() else _EXAMPLE_NUMBER
