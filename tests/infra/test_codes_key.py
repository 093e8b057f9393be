"""The key of one-time codes: two functions derive codes with it, and nobody can read it."""

from typing import Any

from tests.infra.template import Template

USES = ("kms:GenerateMac", "kms:VerifyMac", "kms:CreateGrant", "kms:*")
ROOT = "arn:<AWS::Partition>:iam::<AWS::AccountId>:root"


def statements(template: Template) -> list[dict[str, Any]]:
    policy = template.of_type("AWS::KMS::Key")["CodesKey"]["KeyPolicy"]
    return list(policy["Statement"])


def test_its_material_never_leaves_kms(template: Template) -> None:
    key = template.of_type("AWS::KMS::Key")["CodesKey"]

    assert (key["KeySpec"], key["KeyUsage"]) == ("HMAC_256", "GENERATE_VERIFY_MAC")
    # Imported material would be known to whoever imported it.
    assert "Origin" not in key


def test_exactly_the_sending_and_the_checking_function_derive_codes(template: Template) -> None:
    [use] = [one for one in statements(template) if one["Principal"] != {"AWS": ROOT}]
    roles = {template.functions[one]["Role"] for one in ("send_message", "check_verification")}

    assert set(use["Principal"]["AWS"]) == roles
    assert (use["Effect"], use["Action"]) == ("Allow", "kms:GenerateMac")


def test_the_account_administers_it_and_cannot_use_it_or_let_others(template: Template) -> None:
    [administration] = [one for one in statements(template) if one["Principal"] == {"AWS": ROOT}]
    actions = administration["Action"]

    assert "kms:PutKeyPolicy" in actions
    assert not set(USES) & set(actions)
    # A pattern such as kms:Create* would allow a grant.
    assert not [action for action in actions if "*" in action]


def test_no_role_has_a_policy_for_it(template: Template) -> None:
    """So the key's own policy says all who may use it."""
    allowed = {
        (role, action, on)
        for role in template.of_type("AWS::IAM::Role")
        for action, on in template.allowed(role)
    }

    assert [one for one in allowed if one[2] == "CodesKey" or "Mac" in one[1]] == []
    assert [one for one in allowed if one[1].startswith("kms:") and one[2] == "*"] == []


def test_only_those_two_functions_know_its_name(template: Template) -> None:
    known = {
        name
        for name, function in template.functions.items()
        if "CodesKey" in str(function["Environment"])
    }

    assert known == {"send_message", "check_verification"}
