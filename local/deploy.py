"""Deploys the synthesized template to the local AWS with CloudFormation.

Every difference from a deployment to AWS is a named function here that says why.
"""

import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.addresses import ACCOUNT, CREDENTIALS, REGION, Addresses
from local.errors import CannotRun
from local.processes import until
from tools.synth import CLOUD_ASSEMBLY

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

BUCKET = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
SECONDS_TO_DEPLOY = 120
MISSING_TYPES = frozenset({"AWS::SMSVOICE::ConfigurationSet"})

# CloudFormation, whose values may be anything that JSON can say.
Template: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Deployment:
    """What the deployed stack says about itself: its outputs, its local URL, its API key."""

    outputs: dict[str, str]
    api_url: str
    api_key: str


def deploy(addresses: Addresses) -> Deployment:
    """Deploys cdk.out and reads what came of it. Raises CannotRun with resource and reason."""
    session = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    config = Config(retries={"total_max_attempts": 1})
    s3 = session.client("s3", endpoint_url=addresses.cloud, config=config)
    cloudformation = session.client("cloudformation", endpoint_url=addresses.cloud, config=config)
    secrets = session.client("secretsmanager", endpoint_url=addresses.cloud, config=config)

    name, template = synthesized_stack()
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    upload_assets(s3, template)
    url = upload_template(
        s3, allowing_plain_http(without_metric_math(without_missing_types(template)))
    )
    outputs = create_stack(cloudformation, name, url)
    give_the_machine_to_the_engine(
        session.client("stepfunctions", endpoint_url=addresses.cloud, config=config),
        session.client("stepfunctions", endpoint_url=addresses.engine, config=config),
        outputs["StateMachineArn"],
    )
    key = secrets.get_secret_value(SecretId=outputs["ApiKeySecretArn"])["SecretString"]
    return Deployment(outputs, address_by_path(addresses, outputs["ApiUrl"]), key)


def synthesized_stack() -> tuple[str, Template]:
    """The name and the template of the one stack in cdk.out."""
    artifacts = json.loads((CLOUD_ASSEMBLY / "manifest.json").read_text())["artifacts"]
    name, stack = next(
        (name, artifact)
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    )
    template = json.loads((CLOUD_ASSEMBLY / stack["properties"]["templateFile"]).read_text())
    return stack["properties"].get("stackName", name), template


def without_missing_types(template: Template) -> Template:
    """MiniStack refuses a template with a type that it does not know, and SMS is not among them.

    Such a resource is left out, and whoever refers to it gets its logical id instead: our carriers
    take any configuration set, and MiniStack does not come between them and the functions.
    """
    missing = {
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] in MISSING_TYPES
    }
    kept = {k: v for k, v in template["Resources"].items() if k not in missing}
    return template | {"Resources": named_instead(kept, missing)}


def without_metric_math(template: Template) -> Template:
    """MiniStack refuses an alarm over more than one metric; nobody is called here anyway."""
    kept = {
        name: resource
        for name, resource in template["Resources"].items()
        if not over_several_metrics(resource)
    }
    gone = template["Resources"].keys() - kept
    return template | {"Resources": named_instead(kept, gone)}


def over_several_metrics(resource: Template) -> bool:
    return resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]


def named_instead(value: Any, missing: set[str]) -> Any:  # noqa: ANN401 - anything JSON can say
    match value:
        case {"Ref": str(name)} if name in missing:
            return name
        case {"Fn::GetAtt": [str(name), *_]} if name in missing:
            return name
        case dict():
            return {
                key: [name for name in needed if name not in missing]
                if key == "DependsOn" and isinstance(needed, list)
                else named_instead(needed, missing)
                for key, needed in value.items()
            }
        case list():
            return [named_instead(item, missing) for item in value]
        case _:
            return value


def allowing_plain_http(value: Any) -> Any:  # noqa: ANN401 - anything JSON can say
    """The stack's policies refuse whoever comes without TLS, and on loopback there is none."""
    match value:
        case {"Statement": list(statements), **others}:
            return others | {"Statement": [one for one in statements if not needs_tls(one)]}
        case dict():
            return {key: allowing_plain_http(part) for key, part in value.items()}
        case list():
            return [allowing_plain_http(part) for part in value]
        case _:
            return value


def needs_tls(statement: Template) -> bool:
    return "aws:SecureTransport" in statement.get("Condition", {}).get("Bool", {})


def upload_assets(s3: "S3Client", template: Template) -> None:
    """Puts every asset of cdk.out where the template looks for it."""
    layers = layer_keys(template)
    for manifest in CLOUD_ASSEMBLY.glob("*.assets.json"):
        for asset in json.loads(manifest.read_text())["files"].values():
            source = CLOUD_ASSEMBLY / asset["source"]["path"]
            for destination in asset["destinations"].values():
                key = destination["objectKey"]
                body = empty_layer() if key in layers else packed(source)
                s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def layer_keys(template: Template) -> set[str]:
    return {
        resource["Properties"]["Content"]["S3Key"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::LayerVersion"
    }


def empty_layer() -> bytes:
    """The layer holds wheels for AWS's arm64 machines, which may not run on this one.

    MiniStack runs functions with the launcher's own Python, whose site-packages hold the same
    versions from the same lock.
    """
    return zipped([], Path())


def packed(source: Path) -> bytes:
    if source.is_file():
        return source.read_bytes()
    return zipped((path for path in sorted(source.rglob("*")) if path.is_file()), source)


def zipped(paths: Iterable[Path], root: Path) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in paths:
            target.write(path, path.relative_to(root))
    return archive.getvalue()


def upload_template(s3: "S3Client", template: Template) -> str:
    """Puts the template, too long for a call, where CloudFormation can read it; gives its URL."""
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template).encode())
    return f"{s3.meta.endpoint_url}/{BUCKET}/template.json"


def create_stack(
    cloudformation: "CloudFormationClient", name: str, template_url: str
) -> dict[str, str]:
    """Creates the stack and gives its outputs. Raises CannotRun with resource and reason."""
    try:
        cloudformation.create_stack(
            StackName=name, TemplateURL=template_url, Capabilities=["CAPABILITY_IAM"]
        )
    except ClientError as refusal:
        reason = refusal.response["Error"]["Message"][:300]
        raise CannotRun(f"The local AWS refuses the template: {reason}") from refusal
    for _ in until(SECONDS_TO_DEPLOY):
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {out["OutputKey"]: out["OutputValue"] for out in stack["Outputs"]}
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            raise CannotRun(f"The local AWS cannot create {first_failure(cloudformation, name)}")
    raise CannotRun(f"The local AWS did not finish the deployment in {SECONDS_TO_DEPLOY} s.")


def first_failure(cloudformation: "CloudFormationClient", name: str) -> str:
    """The resource that failed first, its type and the reason."""
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    if not failed:
        return f"the stack {name}, and does not say why."
    first = failed[-1]
    reason = first.get("ResourceStatusReason", "no reason given")
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {reason}"


def give_the_machine_to_the_engine(cloud: "SFNClient", engine: "SFNClient", arn: str) -> None:
    """MiniStack's own engine ignores timeouts and errors of waiting tasks, so moto's runs instead.

    It gets the deployed definition, with its substitutions made, under the same name and ARN.
    """
    machine = cloud.describe_state_machine(stateMachineArn=arn)
    engine.create_state_machine(
        name=machine["name"], definition=machine["definition"], roleArn=machine["roleArn"]
    )


def address_by_path(addresses: Addresses, api_url: str) -> str:
    """The API's own host name exists on AWS only; MiniStack serves each API under a path."""
    host, _, path = api_url.removeprefix("https://").partition("/")
    stage, _, resource = path.partition("/")
    api_id = host.split(".")[0]
    return f"{addresses.cloud}/restapis/{api_id}/{stage}/_user_request_/{resource}"
