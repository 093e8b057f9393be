"""The Regions where CloudFormation lacks a type that the stack has, and the error that says so."""

from aws_cdk import CfnResource, Stack

# As CloudFormation's schemas of each Region have it, which cfn-lint contains; a test compares them.
SES = frozenset(
    {
        *("ap-east-1", "ap-east-2", "ap-southeast-4", "ap-southeast-6", "ap-southeast-7"),
        *("eu-south-2", "mx-central-1"),
    }
)
# All but the few Regions that have Notify configurations.
NOTIFY = frozenset(
    {
        *("af-south-1", "ap-east-1", "ap-east-2"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-2"),
        *(f"ap-southeast-{number}" for number in range(1, 8)),
        *("ca-central-1", "ca-west-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2"),
        *("eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "mx-central-1"),
        *("sa-east-1", "us-east-2", "us-west-1"),
    }
)
WITHOUT = {
    "AWS::SES::ConfigurationSet": SES,
    "AWS::SES::ConfigurationSetEventDestination": SES,
    "AWS::SMSVOICE::ConfigurationSet": frozenset({"ap-east-1", "ap-southeast-5", "ap-southeast-7"}),
    "AWS::SMSVOICE::NotifyConfiguration": NOTIFY,
}


class UnsupportedRegion(Exception):
    """The Region of the deployment lacks types that the stack has; the text names them."""


def check(stack: Stack, region: str | None) -> None:
    """Raises UnsupportedRegion; without a Region, the template is for any."""
    types = {one.cfn_resource_type for one in stack.node.find_all() if isinstance(one, CfnResource)}
    if lacking := sorted(kind for kind in types if region in WITHOUT.get(kind, ())):
        raise UnsupportedRegion(
            f"The Region {region} has no {' and no '.join(lacking)}; choose another, with "
            "AWS_REGION or the profile of your credentials."
        )
