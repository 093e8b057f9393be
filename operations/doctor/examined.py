"""The stack that is examined: what it is deployed with or, before that, what `cdk.json` says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from operations import stack
from operations.doctor.account import AccountReader, NotReadable, Response
from operations.doctor.findings import Finding, fix, note, ok, unknown

# The functions exist in these states of a stack; before its creation has ended, some do not:
# docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
DEPLOYED = ("CREATE_COMPLETE", "UPDATE_", "IMPORT_")


@dataclass(frozen=True)
class Pace:
    """The parameters that say how fast the stack starts messages."""

    starts_per_second: float
    starter_concurrency: int


@dataclass(frozen=True)
class ExaminedStack:
    """The stack's parameters by their names as environment variables, and its resources."""

    name: str
    region: str
    pace: Pace
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    # The functions' names in AWS, by the name of their file.
    functions: Mapping[str, str]
    topics: tuple[str, ...]

    @property
    def deployed(self) -> bool:
        return bool(self.functions)

    @property
    def receipts_topic(self) -> str | None:
        return self.outputs.get("ReceiptsTopicArn")

    def parameter(self, name: str) -> str:
        """Empty where the stack has no such parameter."""
        return self.parameters.get(name, "")


def examine(account: AccountReader) -> tuple[ExaminedStack, list[Finding]]:
    """The stack, from the account where it is deployed there and readable, else from `cdk.json`."""
    name = stack.name()
    findings = list(_about_the_account(account))
    try:
        (described,) = account.read("cloudformation", "DescribeStacks", StackName=name)["Stacks"]
        if not described["StackStatus"].startswith(DEPLOYED):
            return planned(name, account.region), [*findings, _incomplete(described)]
        examined = _deployed(account, described)
        return examined, [*findings, ok(_is_deployed(examined))]
    except NotReadable as problem:
        return planned(name, account.region), [*findings, _unread(name, account.region, problem)]


def _about_the_account(account: AccountReader) -> list[Finding]:
    if not account.local:
        return []
    return [
        note(
            "This is a stack on this machine, not an AWS account: it has no quotas, no sandbox "
            "and no registered senders, and Lambda's figures are the emulator's. What could not be "
            "read below can be read on AWS."
        )
    ]


def _is_deployed(examined: ExaminedStack) -> str:
    return (
        f"The stack {examined.name} is deployed in {examined.region}; its senders are read from "
        "the configuration of its functions."
    )


def _incomplete(described: Response) -> Finding:
    name, status = described["StackName"], described["StackStatus"]
    return fix(
        f"The stack {name} is {status}, so it delivers nothing; the senders below are those of "
        "cdk.json.",
        f"aws cloudformation describe-stack-events --stack-name {name} says why. A stack that is "
        "ROLLBACK_COMPLETE must be deleted before the next make deploy.",
    )


def _unread(name: str, region: str, problem: NotReadable) -> Finding:
    # CloudFormation has no error code of its own for it: ValidationError, and this text.
    if "does not exist" in str(problem):
        return note(
            f"There is no stack {name} in {region} yet; the senders below are those of cdk.json.",
            "make deploy",
        )
    return unknown(
        f"The stack {name} could not be read, so the senders below are those of cdk.json: "
        f"{problem}."
    )


def _deployed(account: AccountReader, described: Response) -> ExaminedStack:
    name = described["StackName"]
    found = account.read("cloudformation", "ListStackResources", StackName=name)
    resources = found["StackResourceSummaries"]
    functions: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for function in _of_type(resources, "AWS::Lambda::Function"):
        configuration = account.read("lambda", "GetFunctionConfiguration", FunctionName=function)
        functions[configuration["Handler"].partition(".")[0]] = function
        parameters |= configuration.get("Environment", {}).get("Variables", {})
    return ExaminedStack(
        name=name,
        region=account.region,
        pace=_pace(account, functions["start_delivery"], parameters),
        parameters=parameters,
        outputs={one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])},
        functions=functions,
        topics=tuple(_of_type(resources, "AWS::SNS::Topic")),
    )


def _of_type(resources: Sequence[Response], kind: str) -> list[str]:
    return [one["PhysicalResourceId"] for one in resources if one["ResourceType"] == kind]


def _pace(account: AccountReader, starter: str, parameters: Mapping[str, str]) -> Pace:
    """The function knows the least seconds of each start: starter_concurrency divided by
    starts_per_second.
    """
    found = account.read("lambda", "ListEventSourceMappings", FunctionName=starter)
    (source,) = found["EventSourceMappings"]
    concurrency = source["ScalingConfig"]["MaximumConcurrency"]
    return Pace(concurrency / float(parameters["START_INTERVAL_SECONDS"]), concurrency)


def planned(name: str, region: str) -> ExaminedStack:
    """The stack as `cdk.json` describes it."""
    context = json.loads((stack.ROOT / "cdk.json").read_text())["context"]
    return ExaminedStack(
        name=name,
        region=region,
        pace=Pace(context["starts_per_second"], context["starter_concurrency"]),
        parameters={key.upper(): str(value) for key, value in context.items() if ":" not in key},
        outputs={},
        functions={},
        topics=(),
    )
