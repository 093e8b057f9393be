"""SendNotifyTextMessage of AWS End User Messaging Notify: AWS's own templates and numbers.

https://docs.aws.amazon.com/sms-voice/latest/userguide/notify-send-messages.html
"""

import re
from dataclasses import dataclass

from simulator.aws_end_user_messaging import (
    SERVICE,
    check_model,
    field_error,
    parse_request,
)
from simulator.aws_model import AwsError, AwsOperation, Json, aws_operation
from simulator.provider import AwsAccount, ProviderRequest
from simulator.sms.api import SmsProvider
from simulator.sms.events import time_to_live

# AWS has one template for each language and purpose. The name of this one is from the page above;
# its text is this simulator's own. `describe-notify-templates` lists the real ones.
TEMPLATES = {
    "notify-code-verification-english-001": "{{code}} is your verification code.",
}
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")


def provider(account: AwsAccount) -> "NotifyProvider":
    return NotifyProvider(account)


@dataclass(frozen=True)
class NotifyProvider(SmsProvider):
    """`POST /` with X-Amz-Target: PinpointSMSVoiceV2.SendNotifyTextMessage."""

    @property
    def operation(self) -> AwsOperation:
        return aws_operation(SERVICE, "SendNotifyTextMessage")

    def parse(self, body: Json) -> ProviderRequest:
        """The request with the text of its template, as the phone shows it."""
        check_model(self.operation, body)
        text = _resolved(body.get("TemplateId", ""), body["TemplateVariables"])
        return parse_request({**body, "MessageBody": text}, time_to_live)

    @property
    def two_way(self) -> None:
        """The numbers are AWS's: no topic receives the replies to them."""


def _resolved(template: str, variables: Json) -> str:
    if template not in TEMPLATES:
        raise AwsError("ResourceNotFoundException", f"The template '{template}' does not exist")

    def value(variable: re.Match[str]) -> str:
        name = variable[1]
        if name not in variables:
            raise field_error(
                "MISSING_PARAMETER", "TemplateVariables", f"The variable {name} is missing"
            )
        return str(variables[name])

    return _VARIABLE.sub(value, TEMPLATES[template])
