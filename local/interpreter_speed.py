"""Removes work that moto's Step Functions interpreter repeats, without changing what it does."""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from jsonpath_ng.ext.parser import parse
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.utils import TMP_THREADS


def avoid_repeated_work() -> None:
    """Applies every one."""
    parse_each_definition_once()
    parse_each_path_once()
    look_up_known_names_only()
    release_threads()


def replace(owner: type | ModuleType, name: str, function: Callable[..., object]) -> None:
    """Replaces a function of moto; by name, because a type checker rejects the assignment."""
    setattr(owner, name, function)


def parse_each_definition_once() -> None:
    """Moto parses the definition at every start, which takes 40 to 190 ms; it never changes."""
    parse = functools.cache(AmazonStateLanguageParser.parse)
    replace(AmazonStateLanguageParser, "parse", staticmethod(parse))


def parse_each_path_once() -> None:
    """Moto creates a parser for every JSONPath that a state evaluates, a fifth of its time."""
    replace(json_path, "parse", functools.cache(parse))


def look_up_known_names_only() -> None:
    """Moto compares a new name with those of all executions, so that each start takes longer."""
    find: Any = StateMachine._handle_name_input_idempotency  # noqa: SLF001 - the only place that compares
    known: WeakKeyDictionary[StateMachine, set[str]] = WeakKeyDictionary()

    def find_if_known(machine: StateMachine, name: str, text: str) -> object:
        names = known.setdefault(machine, set())
        names.update(one.name for one in machine.executions[len(names) :])
        return find(machine, name, text) if name in names else None

    replace(StateMachine, "_handle_name_input_idempotency", find_if_known)


def release_threads() -> None:
    """Moto keeps every thread that it started in a list that nothing reads."""
    start: Any = ExecutionWorker.start

    def start_and_release(worker: ExecutionWorker) -> None:
        start(worker)
        TMP_THREADS.clear()

    replace(ExecutionWorker, "start", start_and_release)
