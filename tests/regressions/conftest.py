"""The workflow as the path tests run it."""

from tests.workflow.conftest import flow, no_jitter, state_machine

__all__ = ["flow", "no_jitter", "state_machine"]
