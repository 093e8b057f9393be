"""JSON beside the fields: what a request says that they cannot."""

from collections.abc import Mapping
from typing import Any


def merged(said: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Both together: objects name by name, for the rest what stands in `more`."""
    together = dict(said)
    for name, value in more.items():
        own = together.get(name)
        if isinstance(own, dict) and isinstance(value, dict):
            together[name] = merged(own, value)
        else:
            together[name] = value
    return together


def rest(given: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be merged into `said` to get `given`."""
    lacking: dict[str, Any] = {}
    for name, value in given.items():
        if name not in said:
            lacking[name] = value
        elif isinstance(value, dict) and isinstance(said[name], dict):
            if deeper := rest(value, said[name]):
                lacking[name] = deeper
        elif value != said[name] or type(value) is not type(said[name]):
            lacking[name] = value
    return lacking
