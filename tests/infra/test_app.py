"""The app as a whole: its template, its outputs, its warnings, and the layer beside it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cfnlint  # type: ignore[import-untyped] # has no types
import pytest

from infra import layer, regions
from tests.infra.conftest import ROOT
from tests.infra.template import Template

OUTPUTS = {
    "ApiUrl",
    "ApiKeySecretArn",
    "RequestsQueueUrl",
    "StateMachineArn",
    "ReceiptsTopicArn",
    "MessagesTableName",
    "RequestsDeadLetterQueueUrl",
    "ReceiptsDeadLetterQueueUrl",
    "UnrecordedReceiptsQueueUrl",
    "UnclosedMessagesQueueUrl",
}

UNSUPPORTED = (
    "The Region ap-southeast-5 has no AWS::SMSVOICE::ConfigurationSet; choose another, with "
    "AWS_REGION or the profile of your credentials."
)


def test_the_outputs_are_what_people_and_programs_start_from(template: Template) -> None:
    assert template.body["Outputs"].keys() == OUTPUTS


def test_the_template_asks_for_nothing_and_needs_no_custom_resource(template: Template) -> None:
    assert template.body.keys() == {"Description", "Parameters", "Resources", "Outputs"}
    assert all("Default" in parameter for parameter in template.body["Parameters"].values())
    assert not [name for name, each in template.resources.items() if "Custom" in each["Type"]]


def test_the_example_senders_are_warned_of(assembly: Path) -> None:
    warnings = _warnings(assembly, "Throughline")

    assert [warning.split()[0] for warning in warnings] == [
        "whatsapp_sender",
        "sms_sender",
        "email_sender",
        "voice_sender",
    ]


def test_nothing_is_warned_of_once_the_senders_are_real(changed_assembly: Path) -> None:
    assert _warnings(changed_assembly, "Second") == []


def test_two_stacks_have_two_names(changed: Template) -> None:
    assert changed.only("AWS::ApiGateway::RestApi")["Name"] == "Second"


def test_the_layer_holds_native_code_for_the_runtime_only(assembly: Path) -> None:
    native = [path.name for path in assembly.glob("asset.*/python/**/*.so")]

    assert native
    assert all("cpython-313-aarch64" in name for name in native)


@pytest.mark.usefixtures("assembly")
def test_the_layer_is_installed_once() -> None:
    before = {path: path.stat().st_mtime_ns for path in layer.BUILDS.iterdir()}

    folder = layer.third_party_code()

    assert {path: path.stat().st_mtime_ns for path in layer.BUILDS.iterdir()} == before
    assert [*before] == [folder]


def test_a_failed_installation_is_not_taken_for_a_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "functions.txt"
    lock.write_text("=== not a requirement ===")
    monkeypatch.setattr(layer, "LOCK", lock)
    monkeypatch.setattr(layer, "BUILDS", tmp_path / "layer")

    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError):
            layer.third_party_code()


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (
            {"CDK_CONTEXT_JSON": '{"retention_days": "banana"}'},
            "retention_days is 'banana'; it must be a whole number from 1 to 3,650.",
        ),
        (
            {"CDK_DEFAULT_REGION": "ap-southeast-5"},
            UNSUPPORTED,
        ),
    ],
)
def test_what_cannot_be_deployed_ends_the_app_with_its_sentence(
    tmp_path: Path, setting: dict[str, str], sentence: str
) -> None:
    app = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={**os.environ, "CDK_OUTDIR": str(tmp_path), **setting},
        capture_output=True,
        text=True,
        check=False,
    )

    assert app.returncode == 1
    assert "Traceback" not in app.stderr
    assert app.stderr.splitlines()[-1] == sentence


def test_the_regions_that_lack_a_type_are_those_of_its_schema(template: Template) -> None:
    """As cfn-lint has the schemas of CloudFormation, in the partition that the stack is for."""
    folder = Path(cfnlint.__file__).parent / "data" / "schemas" / "providers"
    offered = {
        path.stem: json.loads(path.read_text()).keys()
        for path in folder.glob("*-*-[0-9].json")
        if not path.stem.startswith(("cn-", "us-gov-"))
    }
    types = {resource["Type"] for resource in template.resources.values()}

    assert len(offered) > 30
    for kind in types | regions.WITHOUT.keys():
        lacking = {region for region, known in offered.items() if kind not in known}
        assert lacking == regions.WITHOUT.get(kind, set()), kind


def test_a_template_for_any_region_is_not_refused(assembly: Path) -> None:
    manifest = json.loads((assembly / "manifest.json").read_text())

    assert manifest["artifacts"]["Throughline"]["environment"] == (
        "aws://unknown-account/unknown-region"
    )


def _warnings(assembly: Path, stack: str) -> list[str]:
    manifest: dict[str, Any] = json.loads((assembly / "manifest.json").read_text())
    artifact = manifest["artifacts"][stack]
    metadata = json.loads((assembly / artifact["additionalMetadataFile"]).read_text())
    return [
        entry["data"]
        for entries in metadata.values()
        for entry in entries
        if entry["type"] == "aws:cdk:warning"
    ]
