"""The processes of a stack, two of which record the calls to them."""

from collections.abc import Mapping

from local.processes import Part, Parts

RECORDED = {"local.cloud": "cloud", "local.engine": "engine"}


class MeteredParts(Parts):
    """Starts the local AWS and the engine with `bench.meter_cloud` and `bench.meter_engine`."""

    def start(self, name: str, module: str, *arguments: str, env: Mapping[str, str]) -> Part:
        if part := RECORDED.get(module):
            arguments = (str(self._folder / f"{part}.record"), *arguments)
            module = f"bench.meter_{part}"
        return super().start(name, module, *arguments, env=env)
