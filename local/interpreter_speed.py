"""Removes work that moto's Step Functions interpreter repeats, without changing what it does."""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from jsonpath_ng.ext.parser import parse
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.eval.environment import Environment
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
    run_each_program_in_one_thread()


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


def run_each_program_in_one_thread() -> None:
    """Moto runs the states of a program in a thread, while another one waits for its timeout; most
    programs have none. An execution that waits for a receipt then holds two threads, not three.
    """
    evaluate = Program.eval

    def evaluate_here(program: Program, env: Environment) -> None:
        if program.timeout_seconds:
            return evaluate(program, env)
        env.next_state_name = program.start_at.start_at_name
        return EvalComponent.eval(program, env)

    replace(Program, "eval", evaluate_here)
