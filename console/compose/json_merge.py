"""Merges JSON that a user entered as text into what the form's fields make, and the reverse."""

from collections.abc import Mapping
from typing import Any


def merged(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Both documents: objects are merged name by name, any other value is taken from `extra`."""
    result = dict(base)
    for name, value in extra.items():
        own = result.get(name)
        if isinstance(own, dict) and isinstance(value, dict):
            result[name] = merged(own, value)
        else:
            result[name] = value
    return result


def difference(whole: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be merged into `base` to get `whole`."""
    missing: dict[str, Any] = {}
    for name, value in whole.items():
        if name not in base:
            missing[name] = value
        elif isinstance(value, dict) and isinstance(base[name], dict):
            if deeper := difference(value, base[name]):
                missing[name] = deeper
        elif value != base[name] or type(value) is not type(base[name]):
            missing[name] = value
    return missing
