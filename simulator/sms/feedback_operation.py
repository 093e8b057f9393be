"""PutMessageFeedback of AWS End User Messaging SMS: what the sender knows of a message's arrival.

https://docs.aws.amazon.com/sms-voice/latest/userguide/message-feedback-change-status.html
"""

from collections.abc import Callable

from simulator.aws_end_user_messaging import SERVICE, check_model
from simulator.aws_model import AwsError, AwsOperation, Json, aws_operation
from simulator.provider_call import ProviderCall


def operation() -> "FeedbackOperation":
    return FeedbackOperation()


class FeedbackOperation:
    """`POST /` with X-Amz-Target: PinpointSMSVoiceV2.PutMessageFeedback."""

    @property
    def operation(self) -> AwsOperation:
        return aws_operation(SERVICE, "PutMessageFeedback")

    def answer(self, body: Json, find: Callable[[str], ProviderCall | None]) -> Json:
        check_model(self.operation, body)
        call = find(body["MessageId"])
        if call is None or not call.body.get("MessageFeedbackEnabled"):
            raise AwsError(
                "ResourceNotFoundException",
                "The message does not exist, or was sent without message feedback",
                ResourceType="message",
                ResourceId=body["MessageId"],
            )
        call.feedback = body["MessageFeedbackStatus"]
        return {"MessageId": body["MessageId"], "MessageFeedbackStatus": call.feedback}
