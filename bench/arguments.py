"""The command line of the benchmark."""

import argparse
import re
from pathlib import Path

SIZE = "[1-9][0-9]{0,5}"


def parse(purpose: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=purpose)
    parser.add_argument("--sizes", type=sizes, default="100,1000", help="messages of each burst")
    parser.add_argument(
        "--verifications", type=size, default="1000", help="verifications of the sustained run"
    )
    parser.add_argument(
        "--only", choices=["verifications"], help="measure these alone, and print their tables"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="print tables of this JSON")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="write the last run's figures to docs/benchmark.md and README.md",
    )
    return parser.parse_args()


def sizes(text: str) -> list[int]:
    """The numbers of a list such as 100,1000. Raises ArgumentTypeError, which argparse reports."""
    found = text.split(",")
    if not all(re.fullmatch(SIZE, size) for size in found):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of numbers of messages, such as 100,1000,5000"
        )
    return [int(size) for size in found]


def size(text: str) -> int:
    """A number such as 1000. Raises ArgumentTypeError, which argparse reports."""
    if not re.fullmatch(SIZE, text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 999999")
    return int(text)
