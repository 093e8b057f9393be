"""The content of a voice message, its voice and its sender."""

from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from messaging.channels.catalog import channels
from messaging.channels.content import ChannelContent
from messaging.channels.fields import Pattern, RequestModel, not_blank
from messaging.domain.content import Content

VoiceSender = Annotated[
    str,
    Pattern(
        r"^[A-Za-z0-9_:/+-]{1,256}$",
        "must be a phone number or a pool that supports voice, or the ARN of one of these",
    ),
]
# SendVoiceMessage's VoiceId. The voice determines the language.
VoiceId = Literal[
    "AMY", "ASTRID", "BIANCA", "BRIAN", "CAMILA", "CARLA", "CARMEN", "CELINE", "CHANTAL",
    "CONCHITA", "CRISTIANO", "DORA", "EMMA", "ENRIQUE", "EWA", "FILIZ", "GERAINT", "GIORGIO",
    "GWYNETH", "HANS", "INES", "IVY", "JACEK", "JAN", "JOANNA", "JOEY", "JUSTIN", "KARL",
    "KENDRA", "KIMBERLY", "LEA", "LIV", "LOTTE", "LUCIA", "LUPE", "MADS", "MAJA", "MARLENE",
    "MATHIEU", "MATTHEW", "MAXIM", "MIA", "MIGUEL", "MIZUKI", "NAJA", "NICOLE", "PENELOPE",
    "RAVEENA", "RICARDO", "RUBEN", "RUSSELL", "SALLI", "SEOYEON", "TAKUMI", "TATYANA", "VICKI",
    "VITORIA", "ZEINA", "ZHIYU",
]  # fmt: skip


class VoiceContent(RequestModel):
    text: (
        Annotated[
            str,
            StringConstraints(max_length=channels()["voice"].max_text),
            AfterValidator(not_blank),
        ]
        | None
    ) = None
    voice_id: VoiceId | None = None


def _is_complete(content: Content) -> bool:
    return bool(content.text)


CONTENT = ChannelContent(VoiceContent, VoiceSender, _is_complete)
