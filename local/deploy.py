"""Deploys the synthesized template to the local AWS with CloudFormation.

Every difference from a deployment to AWS is a named function with its reason.
"""

import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.addresses import ACCOUNT, CREDENTIALS, REGION, Addresses
from local.errors import CannotRun
from local.processes import until
from local.template import Template, adapt_to_ministack, synthesized_stack
from tools.synth import CLOUD_ASSEMBLY

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

BUCKET = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
SECONDS_TO_DEPLOY = 120


@dataclass(frozen=True)
class Deployment:
    """The outputs of the deployed stack, the local URL of its API, and the API key."""

    outputs: dict[str, str]
    api_url: str
    api_key: str


def deploy(addresses: Addresses) -> Deployment:
    """Deploys cdk.out. Raises CannotRun with the resource that failed and the reason."""
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
    url = upload_template(s3, adapt_to_ministack(template))
    outputs = create_stack(cloudformation, name, url)
    create_state_machine_in_engine(
        session.client("stepfunctions", endpoint_url=addresses.cloud, config=config),
        session.client("stepfunctions", endpoint_url=addresses.engine, config=config),
        outputs["StateMachineArn"],
    )
    key = secrets.get_secret_value(SecretId=outputs["ApiKeySecretArn"])["SecretString"]
    return Deployment(outputs, local_api_url(addresses, outputs["ApiUrl"]), key)


def upload_assets(s3: "S3Client", template: Template) -> None:
    """Uploads every asset of cdk.out to the key that the template names."""
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
    """The layer contains packages for arm64, which may not run on this machine.

    MiniStack runs the functions with the launcher's Python, whose site-packages have the same
    versions from the same lock file.
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
    """Uploads the template, which is too long for a request, and returns its URL."""
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template).encode())
    return f"{s3.meta.endpoint_url}/{BUCKET}/template.json"


def create_stack(
    cloudformation: "CloudFormationClient", name: str, template_url: str
) -> dict[str, str]:
    """Creates the stack and returns its outputs. Raises CannotRun with resource and reason."""
    try:
        cloudformation.create_stack(
            StackName=name, TemplateURL=template_url, Capabilities=["CAPABILITY_IAM"]
        )
    except ClientError as error:
        reason = error.response["Error"]["Message"][:300]
        raise CannotRun(f"The local AWS rejects the template: {reason}") from error
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
        return f"the stack {name}, and gives no reason."
    first = failed[-1]
    reason = first.get("ResourceStatusReason", "no reason given")
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {reason}"


def create_state_machine_in_engine(cloud: "SFNClient", engine: "SFNClient", arn: str) -> None:
    """MiniStack's own engine ignores timeouts and errors of waiting tasks, so moto's is used.

    It gets the deployed definition, with its substitutions, under the same name and ARN.
    """
    machine = cloud.describe_state_machine(stateMachineArn=arn)
    engine.create_state_machine(
        name=machine["name"], definition=machine["definition"], roleArn=machine["roleArn"]
    )


def local_api_url(addresses: Addresses, api_url: str) -> str:
    """The host name of the API exists on AWS only; MiniStack serves each API under a path."""
    host, _, path = api_url.removeprefix("https://").partition("/")
    stage, _, resource = path.partition("/")
    api_id = host.split(".")[0]
    return f"{addresses.cloud}/restapis/{api_id}/{stage}/_user_request_/{resource}"
