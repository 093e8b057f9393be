"""The benchmark counts the requests of the API by the functions behind it."""

import re

from bench.usage import API_FUNCTIONS
from tests.infra.template import Template

FUNCTION = re.compile(r"functions/(\w+)/invocations")


def test_each_function_behind_the_api_is_counted(template: Template) -> None:
    files = {
        name: properties["Handler"].removesuffix(".handler")
        for name, properties in template.of_type("AWS::Lambda::Function").items()
    }
    methods = template.of_type("AWS::ApiGateway::Method").values()
    called = [FUNCTION.search(str(method["Integration"].get("Uri"))) for method in methods]

    assert {files[one.group(1)] for one in called if one} == API_FUNCTIONS
