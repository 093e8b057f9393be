"""The synthesized template, and the parts of it that MiniStack cannot deploy.

Every difference from the template that AWS gets is a named function with its reason.
"""

import json
import string
from collections.abc import Mapping
from typing import Any, TypeAlias

from tools.synth import CLOUD_ASSEMBLY

# The parameters starter_concurrency and starts_per_second on this machine.
STARTERS, STARTS_PER_SECOND = 5, 100
# Each with the prefix of its ids.
UNSUPPORTED_TYPES = {
    "AWS::SMSVOICE::ConfigurationSet": "",
    "AWS::SMSVOICE::NotifyConfiguration": "nc-",
}

# CloudFormation, whose values may be anything that JSON can express.
Template: TypeAlias = dict[str, Any]


def adapt_to_ministack(template: Template) -> Template:
    """The template with every difference applied."""
    supported = with_local_pace(without_metric_math(without_unsupported_types(template)))
    adapted: Template = allow_plain_http(without_punctuation(supported))
    return adapted


def synthesized_stack() -> tuple[str, Template]:
    """The name and the template of the stack in cdk.out."""
    artifacts = json.loads((CLOUD_ASSEMBLY / "manifest.json").read_text())["artifacts"]
    name, stack = next(
        (name, artifact)
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    )
    template = json.loads((CLOUD_ASSEMBLY / stack["properties"]["templateFile"]).read_text())
    return stack["properties"].get("stackName", name), template


def without_unsupported_types(template: Template) -> Template:
    """MiniStack rejects a template with a type that it does not know, such as the configuration
    set of SMS and voice.

    Such a resource is removed and references to it become its logical id, with the prefix of AWS's
    ids if it has one: the functions call the simulator for SMS and voice, not MiniStack, and the
    simulator accepts any configuration.
    """
    removed = {
        name: f"{UNSUPPORTED_TYPES[resource['Type']]}{name}"
        for name, resource in template["Resources"].items()
        if resource["Type"] in UNSUPPORTED_TYPES
    }
    kept = {k: v for k, v in template["Resources"].items() if k not in removed}
    return template | {"Resources": replace_references(kept, removed)}


def without_metric_math(template: Template) -> Template:
    """MiniStack rejects an alarm over more than one metric; no alarm notifies anyone here."""
    kept = {
        name: resource
        for name, resource in template["Resources"].items()
        if not uses_several_metrics(resource)
    }
    removed = {name: name for name in template["Resources"].keys() - kept}
    return template | {"Resources": replace_references(kept, removed)}


def without_punctuation(value: Any) -> Any:  # noqa: ANN401 - anything that JSON can express
    """MiniStack ignores ExcludePunctuation, but not ExcludeCharacters, when it makes a secret."""
    match value:
        case {"ExcludePunctuation": True, **others}:
            return {**others, "ExcludeCharacters": string.punctuation}
        case dict():
            return {key: without_punctuation(part) for key, part in value.items()}
        case list():
            return [without_punctuation(part) for part in value]
        case _:
            return value


def with_local_pace(template: Template) -> Template:
    """The default pace suits a new AWS account, whose functions may run only ten times at once.

    This machine has no such limit, and the benchmark sends up to a thousand messages at once.
    """
    resources = {
        name: resource | {"Properties": at_local_pace(resource["Type"], resource["Properties"])}
        if "Properties" in resource
        else resource
        for name, resource in template["Resources"].items()
    }
    return template | {"Resources": resources}


def at_local_pace(kind: str, properties: Template) -> Template:
    environment = properties.get("Environment", {}) if kind == "AWS::Lambda::Function" else {}
    if kind == "AWS::ApiGateway::UsagePlan":
        return properties | {"Throttle": {"RateLimit": 50, "BurstLimit": 100}}
    if kind == "AWS::Lambda::EventSourceMapping":
        return properties | {"ScalingConfig": {"MaximumConcurrency": STARTERS}}
    if "START_INTERVAL_SECONDS" in environment.get("Variables", {}):
        interval = {"START_INTERVAL_SECONDS": str(STARTERS / STARTS_PER_SECOND)}
        return properties | {"Environment": {"Variables": environment["Variables"] | interval}}
    return properties


def uses_several_metrics(resource: Template) -> bool:
    return resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]


def replace_references(value: Any, removed: Mapping[str, str]) -> Any:  # noqa: ANN401 - anything that JSON can express
    match value:
        case {"Ref": str(name)} if name in removed:
            return removed[name]
        case {"Fn::GetAtt": [str(name), *_]} if name in removed:
            return removed[name]
        case dict():
            return {
                key: [name for name in needed if name not in removed]
                if key == "DependsOn" and isinstance(needed, list)
                else replace_references(needed, removed)
                for key, needed in value.items()
            }
        case list():
            return [replace_references(item, removed) for item in value]
        case _:
            return value


def allow_plain_http(value: Any) -> Any:  # noqa: ANN401 - anything that JSON can express
    """The policies of the stack deny requests without TLS, and there is no TLS on loopback."""
    match value:
        case {"Statement": list(statements), **others}:
            return others | {"Statement": [one for one in statements if not requires_tls(one)]}
        case dict():
            return {key: allow_plain_http(part) for key, part in value.items()}
        case list():
            return [allow_plain_http(part) for part in value]
        case _:
            return value


def requires_tls(statement: Template) -> bool:
    return "aws:SecureTransport" in statement.get("Condition", {}).get("Bool", {})
