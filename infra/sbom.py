"""The layer's bill of materials in CycloneDX: what it contains, and from which wheels."""

from collections.abc import Mapping, Sequence
from typing import Any

from cyclonedx.contrib.hash.factories import HashTypeFactory
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

CLASSIFIER = "License :: OSI Approved :: "


def sbom(installed: Sequence[Mapping[str, Any]]) -> str:
    """The CycloneDX JSON of what pip's installation report lists: the same for the same packages.

    https://pip.pypa.io/en/stable/reference/installation-report/
    """
    bom = Bom(components=[_component(one) for one in installed])
    bom.serial_number = None  # type: ignore[assignment] # left out, so that builds are equal
    bom.metadata.timestamp = None  # type: ignore[assignment] # as above
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _component(package: Mapping[str, Any]) -> Component:
    metadata = package["metadata"]
    name, version = metadata["name"].lower().replace("_", "-"), metadata["version"]
    wheel = package["download_info"]["archive_info"]["hashes"]["sha256"]
    purl = PackageURL("pypi", name=name, version=version)
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=str(purl),
        hashes=[HashTypeFactory().from_hashlib_alg("sha256", wheel)],
        licenses=_licenses(metadata),
    )


def _licenses(metadata: Mapping[str, Any]) -> list[Any]:
    """The SPDX expression if the package states one, otherwise its classifiers."""
    stated = LicenseFactory().make_from_string(
        metadata.get("license_expression") or metadata.get("license") or "unknown"
    )
    classifiers = [
        LicenseFactory().make_with_name(one.removeprefix(CLASSIFIER))
        for one in metadata.get("classifier", [])
        if one.startswith(CLASSIFIER)
    ]
    if isinstance(stated, DisjunctiveLicense) and not stated.id and classifiers:
        return classifiers
    return [stated]
