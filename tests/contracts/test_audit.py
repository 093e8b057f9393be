"""What the audits of the locked packages print."""

import json
import sys

import pytest

from tools import audit

NOT_ASKED = {"dependencies": [{"name": "six", "skip_reason": "Dependency not found on PyPI"}]}
FOUND = {
    "dependencies": [
        {"name": "six", "version": "1.0", "vulns": []},
        {"name": "idna", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]},
    ]
}
NODE = {
    "vulnerabilities": {
        "one": {"via": [{"url": "https://github.com/advisories/GHSA-1", "title": "Slow"}]},
        "two": {"via": ["one"]},
    }
}
REFUSED = {"message": "405 Method Not Allowed", "statusCode": 405}


def printing(document: object) -> tuple[str, ...]:
    """A command that prints this."""
    return (sys.executable, "-c", f"print({json.dumps(document)!r})")


def test_a_finding_fails_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert not audit.audit("pip-audit", printing(FOUND), audit.python_findings, {})
    assert capsys.readouterr().out == "pip-audit: PYSEC-1 in idna 2.0\n"


def test_an_accepted_finding_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.audit(
        "pip-audit", printing(FOUND), audit.python_findings, {"PYSEC-1": "never called"}
    )
    assert "no findings" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [NOT_ASKED, REFUSED, "", {}])
def test_a_service_that_cannot_be_reached_is_reported_in_one_line(
    answer: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.audit("pip-audit", printing(answer), audit.python_findings, {})
    assert audit.audit("npm audit", printing(answer), audit.node_findings, {})
    assert [line.partition(": the")[0] for line in capsys.readouterr().out.splitlines()] == [
        "pip-audit: not checked",
        "npm audit: not checked",
    ]


def test_a_finding_of_npm_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert not audit.audit("npm audit", printing(NODE), audit.node_findings, {})
    assert capsys.readouterr().out == "npm audit: GHSA-1 in one: Slow\n"
