"""The Regions where CloudFormation lacks a type that the stack has, and the error that says so."""

from aws_cdk import CfnResource, Stack

# As CloudFormation's schemas of each Region have it, which cfn-lint contains; a test compares them.
SES = frozenset(
    {
        *("ap-east-1", "ap-east-2", "ap-southeast-4", "ap-southeast-6", "ap-southeast-7"),
        *("eu-south-2", "mx-central-1"),
    }
)
WITHOUT = {
    "AWS::SES::ConfigurationSet": SES,
    "AWS::SES::ConfigurationSetEventDestination": SES,
    "AWS::SMSVOICE::ConfigurationSet": frozenset({"ap-east-1", "ap-southeast-5", "ap-southeast-7"}),
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
