"""`make doctor` makes the calls that its page lists, which only read; its commands exist."""

import json
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import botocore.session
from botocore import xform_name

from operations.doctor import __main__ as doctor
from operations.doctor.account import IAM_NAMES
from operations.doctor.findings import Finding
from tests.support.account import FakeAccount, Reply
from tests.unit.operations import accounts
from tests.unit.operations.accounts import HALF, NEW, PRODUCTION, SMS

PAGE = Path("docs/doctor.md")
OTHERS = {"SMS_SENDER": "ANASHOP", "VOICE_SENDER": ""}, {"SMS_SENDER": "nc-1", "VOICE_SENDER": ""}
# Every branch that makes a call of its own.
ACCOUNTS: list[Mapping[str, Reply]] = [
    PRODUCTION,
    NEW,
    HALF,
    *(
        PRODUCTION
        | {
            "lambda:GetFunctionConfiguration": accounts.functions(**senders),
            f"{SMS}:DescribeSenderIds": {"SenderIds": [accounts.sender_id("DE", "TRANSACTIONAL")]},
            f"{SMS}:DescribeNotifyConfigurations": {
                "NotifyConfigurations": [accounts.notify_configuration()]
            },
            f"{SMS}:DescribeSpendLimits": accounts.spend_limits(500, enforced=1),
        }
        for senders in OTHERS
    ),
]
# Options of every command of the AWS CLI.
GLOBAL = {"region", "query", "output"}


def examined() -> tuple[set[str], list[Finding]]:
    """The calls that are made about these accounts, and the findings."""
    calls: set[str] = set()
    findings: list[Finding] = []
    for replies in ACCOUNTS:
        account = FakeAccount(replies)
        list(doctor.report(account.reader(), findings))
        calls |= account.calls
    return calls, findings


def allowed() -> list[str]:
    """The actions of the policy on the page."""
    (block,) = re.findall(r"```json\n(.+?)```", PAGE.read_text(), re.DOTALL)
    (statement,) = json.loads(block)["Statement"]
    actions: list[str] = statement["Action"]
    return actions


def test_the_policy_on_the_page_allows_the_calls_and_no_other() -> None:
    calls, _ = examined()
    actions = {
        f"{IAM_NAMES.get(service, service)}:{operation}"
        for service, _, operation in (call.partition(":") for call in calls)
    }

    assert set(allowed()) == actions
    assert allowed() == sorted(actions)


def test_the_actions_of_the_policy_exist_and_read_only() -> None:
    """As AWS's service authorization reference lists them, which cfn-lint brings along."""
    package = find_spec("cfnlint")
    assert package
    assert package.origin
    reference = Path(package.origin).parent / "data/AdditionalSpecs/Policies.json"
    known = json.loads(reference.read_text())

    for action in allowed():
        service, _, name = action.partition(":")
        assert name.lower() in known[service]["Actions"], action
        assert re.match("Get|List|Describe", name), action


def commands(findings: list[Finding]) -> Iterator[tuple[str, str, set[str]]]:
    """Service, operation and options of each command of the AWS CLI that is proposed."""
    for text in {finding.remedy for finding in findings}:
        for service, operation, rest in re.findall(r"aws ([a-z0-9-]+) ([a-z0-9-]+)([^;]*)", text):
            yield service, operation, set(re.findall(r"--([a-z-]+)", rest)) - GLOBAL


def test_the_commands_that_are_proposed_exist() -> None:
    session = botocore.session.get_session()
    proposed = list(commands(examined()[1]))

    assert len({operation for _, operation, _ in proposed}) >= 6
    for service, operation, options in proposed:
        model = session.get_service_model(service)
        shapes = {
            xform_name(name, "-"): model.operation_model(name).input_shape
            for name in model.operation_names
        }
        shape = shapes[operation]
        assert shape is not None
        assert options <= {xform_name(member, "-") for member in shape.members}, operation
