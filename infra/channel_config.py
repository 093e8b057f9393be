"""What a file in `infra/channels` says of its channel."""

import re
from typing import Annotated, ClassVar, Protocol, Self, runtime_checkable

from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.parameters import NUMBER, Parameters, whole


class ChannelConfig(Parameters):
    """A channel's parameters, and what the channel needs in AWS.

    A parameter's name is that of the channel and of the field, as in `<channel>_sender`; its
    environment variable has the same name in capitals.
    """

    # The provider's service as it is named in ARNs, in IAM actions and, before `.amazonaws.com`,
    # as the principal that publishes events.
    service: ClassVar[str]
    # The SDK's name of the API that sends.
    sdk_service: ClassVar[str]
    send_actions: ClassVar[tuple[str, ...]]
    # What the actions are allowed on, in this account and region.
    send_resources: ClassVar[tuple[str, ...]]
    # The actions that report an approved code, and what they are allowed on.
    feedback_actions: ClassVar[tuple[str, ...]] = ()
    feedback_resources: ClassVar[tuple[str, ...]] = ()
    # What events are published on behalf of, in this account and region.
    event_source: ClassVar[str]
    # Senders that nobody can have: reserved for fiction and documentation.
    example_sender: ClassVar[str]
    # The fields that `send_message` and `record_receipt` need beside the sender.
    send_fields: ClassVar[tuple[str, ...]] = ()
    receipt_fields: ClassVar[tuple[str, ...]] = ()

    # Who messages come from, unless a step's `from` names another; empty for none.
    sender: str
    # How long a step waits for success when it does not say so itself.
    wait_seconds: Annotated[int, NUMBER, whole(5, 86_400)]

    @property
    def is_example(self) -> bool:
        """Whether nothing can be sent, because the sender is still an example."""
        return re.search(self.example_sender, self.sender) is not None

    @property
    def sends_codes(self) -> bool:
        """Whether it has what it takes to send one-time codes, beside a sender."""
        return True

    def deployed(self, scope: Construct) -> Self:  # noqa: ARG002 - for a channel that creates one
        """The same, after creating the resource that its sender asks for, if there is one."""
        return self

    def variables(self, *fields: str) -> dict[str, str]:
        """The environment variables with the values of these fields."""
        values = self.model_dump(by_alias=True, include=set(fields))
        return {name.upper(): str(value) for name, value in values.items()}


@runtime_checkable
class HasConfigurationSet(Protocol):
    """A channel whose provider publishes the events of what is sent with a configuration set."""

    def add_configuration_set(self, scope: Construct, topic: sns.Topic) -> str:
        """Creates a set whose events go to the topic; returns the set's name."""
