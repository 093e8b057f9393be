"""WhatsApp: AWS End User Messaging Social.

The provider knows no configuration sets: a command makes the receipts topic the event destination
of the WhatsApp business account.
"""

from typing import Annotated

from infra.channel_config import ChannelConfig
from infra.parameters import matching

LANGUAGE = r"[a-z]{2,3}(_[A-Z]{2,4})?"


class WhatsappConfig(ChannelConfig, alias_generator="whatsapp_{}".format):
    service = "social-messaging"
    sdk_service = "socialmessaging"
    send_actions = ("SendWhatsAppMessage",)
    send_resources = ("phone-number-id/*",)
    # docs.aws.amazon.com/social-messaging/latest/userguide/managing-event-destinations-add.html
    event_source = "*"
    example_sender = r"phone-number-id[-/]0{8}"
    send_fields = ("api_version", "code_template", "code_languages")

    sender: Annotated[
        str,
        matching(
            r"|phone-number-id-[0-9a-f]{32}|arn:[^\s]+:phone-number-id/[0-9a-f]{32}",
            "the id (phone-number-id- and 32 hex digits) or the ARN of a WhatsApp number, or empty "
            "for none",
        ),
    ]
    # The version of Meta's API that messages are written for.
    api_version: Annotated[
        str, matching(r"v[0-9]{1,3}\.[0-9]", "a version of Meta's API, such as v24.0")
    ]
    # The authentication template for codes, and the languages in which Meta approved it:
    # developers.facebook.com/docs/whatsapp/business-management-api/authentication-templates
    code_template: Annotated[
        str,
        matching(
            r"[a-z0-9_]{0,512}",
            "the name of an authentication template (lowercase letters, digits and _), or empty "
            "for none",
        ),
    ]
    code_languages: Annotated[
        str,
        matching(
            rf"{LANGUAGE}(,{LANGUAGE})*",
            "Meta's language codes with commas, such as en_US,es,pt_BR",
        ),
    ]

    @property
    def sends_codes(self) -> bool:
        """WhatsApp takes a code in a template only."""
        return self.code_template != ""
