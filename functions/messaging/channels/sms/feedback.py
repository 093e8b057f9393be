"""Reports to AWS End User Messaging that an SMS was received: `PutMessageFeedback`."""

from typing import TYPE_CHECKING

from messaging.channels.aws_end_user_messaging import SERVICE

if TYPE_CHECKING:
    from mypy_boto3_pinpoint_sms_voice_v2 import PinpointSMSVoiceV2Client

__all__ = ["SERVICE", "report_received"]


def report_received(client: "PinpointSMSVoiceV2Client", provider_id: str) -> None:
    """Of a message that was sent with feedback. The recipient's conversion is what AWS's fraud
    protection learns from:
    docs.aws.amazon.com/sms-voice/latest/userguide/message-feedback-change-status.html.
    """
    client.put_message_feedback(MessageId=provider_id, MessageFeedbackStatus="RECEIVED")
