"""Example requests to start from, each to recipients that the simulated providers know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from messaging.channels.catalog import channels


@dataclass(frozen=True)
class ExampleRequest:
    """A request and its title."""

    title: str
    request: Mapping[str, Any]


# A number without WhatsApp that SMS reaches, so that the example shows a fallback.
_ANA = {"whatsapp": "+14255550156", "sms": "+14255550156", "email": "ana@example.com"}

EXAMPLES: Final[Mapping[str, ExampleRequest]] = {
    "otp": ExampleRequest(
        "One-time password",
        {
            "to": {"whatsapp": _ANA["whatsapp"], "sms": _ANA["sms"]},
            "content": {
                "text": "Your code is 123456. It is valid for 5 minutes.",
                "whatsapp": {
                    "template": {
                        "name": "login_code",
                        "language": "en_US",
                        "components": [
                            {"type": "body", "parameters": [{"type": "text", "text": "123456"}]}
                        ],
                    }
                },
            },
            "steps": [
                {"channel": "whatsapp", "wait_seconds": 30},
                {"channel": "sms", "wait_seconds": 60},
            ],
            "category": "authentication",
            "expires_in_seconds": 300,
        },
    ),
    "order": ExampleRequest(
        "Order update",
        {
            "to": _ANA,
            "content": {
                "text": "Your order 42 is on its way.",
                "subject": "Your order 42 is on its way",
                "html": "<p>Your order <strong>42</strong> is on its way.</p>",
            },
            "steps": [
                {"channel": "whatsapp", "wait_seconds": 45},
                {"channel": "sms", "wait_seconds": 120},
                {"channel": "email"},
            ],
            "metadata": {"order": "42"},
        },
    ),
    "emergency": ExampleRequest(
        "Emergency broadcast",
        {
            "to": _ANA,
            "content": {
                "text": "The school is closed tomorrow. Please keep your children at home.",
                "subject": "The school is closed tomorrow",
            },
            "steps": [
                {"broadcast": ["whatsapp", "sms", "email"], "wait_seconds": 60},
                {"broadcast": ["sms", "email"], "wait_seconds": 300},
            ],
        },
    ),
    "newsletter": ExampleRequest(
        "Offer that must be read",
        {
            "to": {"whatsapp": "+14255550101", "email": "ana@example.com"},
            "content": {
                "whatsapp": {
                    "image": {
                        "link": "https://example.com/spring.png",
                        "caption": "Everything for the spring.",
                    }
                },
                "email": {"subject": "Everything for the spring", "text": "Have a look."},
            },
            "steps": [
                {"channel": "whatsapp", "wait_seconds": 3600, "success": "read"},
                {"channel": "email", "success": "sent"},
            ],
            "category": "marketing",
        },
    ),
}
# The page without an example.
BLANK: Final[Mapping[str, Any]] = {"steps": [{"channel": name} for name in [*channels()][:2]]}
