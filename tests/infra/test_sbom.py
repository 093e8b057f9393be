"""The layer's bill of materials: what it must say, and which licenses it may name."""

import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from infra import layer
from infra.sbom import sbom
from tools.licenses import not_allowed


@pytest.fixture
def deployed(assembly: Path) -> Path:
    """The folder of the layer in the assembly."""
    (found,) = (path.parent for path in assembly.glob(f"asset.*/{layer.SBOM}"))
    return found


@pytest.fixture
def components(deployed: Path) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((deployed / layer.SBOM).read_text())["components"]
    return read


def package(**described: object) -> dict[str, Any]:
    """An entry of pip's report."""
    return {
        "metadata": {"name": "Some_Package", "version": "1.2", **described},
        "download_info": {
            "url": "https://packages.example.com/some_package-1.2.whl",
            "archive_info": {"hashes": {"sha256": "ab" * 32}},
        },
    }


def licenses(**described: object) -> tuple[list[dict[str, Any]], list[str]]:
    """What the bill says of a package's licenses, and the sentences of the check."""
    (component,) = json.loads(sbom([package(**described)]))["components"]
    return component["licenses"], [*not_allowed([component])]


def test_it_is_valid_cyclonedx(deployed: Path) -> None:
    text = (deployed / layer.SBOM).read_text()

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_it_lists_what_the_layer_contains(deployed: Path, components: list[dict[str, Any]]) -> None:
    contained = {
        (each.name.lower().replace("_", "-"), each.version)
        for each in metadata.distributions(path=[str(deployed / "python")])
    }

    assert {(one["name"], one["version"]) for one in components} == contained
    assert {one["purl"] for one in components} == {f"pkg:pypi/{n}@{v}" for n, v in contained}


def test_its_hashes_are_locked(components: list[dict[str, Any]]) -> None:
    locked = dict(
        re.findall(
            r"^([\w.-]+)==\S+ \\\n((?:    --hash.*\n)+)", layer.LOCK.read_text(), re.MULTILINE
        )
    )

    for one in components:
        (wheel,) = one["hashes"]
        assert f"sha256:{wheel['content']}" in locked[one["name"]]


def test_it_is_the_same_each_time_and_names_no_place() -> None:
    text = sbom([package(license="MIT")])

    assert text == sbom([package(license="MIT")])
    assert not re.search(r"timestamp|serialNumber|packages\.example\.com", text)


def test_a_layer_of_allowed_licenses_passes(components: list[dict[str, Any]]) -> None:
    assert [*not_allowed(components)] == []


def test_an_expression_is_preferred_to_the_classifiers() -> None:
    classifier = "License :: OSI Approved :: MIT License"

    assert licenses(license_expression="Apache-2.0 OR MIT", classifier=[classifier]) == (
        [{"expression": "Apache-2.0 OR MIT"}],
        [],
    )


def test_the_classifiers_say_what_a_free_text_does_not() -> None:
    classifier = "License :: OSI Approved :: BSD License"

    assert licenses(license="Dual License", classifier=[classifier]) == (
        [{"license": {"name": "BSD License"}}],
        [],
    )


@pytest.mark.parametrize(
    ("described", "named"),
    [
        ({"license": "GPL-3.0-only"}, "GPL-3.0-only"),
        ({"license_expression": "MIT AND AGPL-3.0-or-later"}, "AGPL-3.0-or-later"),
        ({"license": "Ask us"}, "Ask us"),
        ({}, "unknown"),
    ],
)
def test_another_license_is_a_sentence_with_the_package(
    described: dict[str, str], named: str
) -> None:
    _, (sentence,) = licenses(**described)

    assert sentence.startswith(f"licenses: some-package 1.2 is under {named}. Allowed are Apache")
