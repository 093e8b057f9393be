"""What the benchmark may be told on its command line."""

import argparse
import re
from pathlib import Path


def parse(purpose: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=purpose)
    parser.add_argument("--sizes", type=sizes, default="100,1000", help="mixed messages of a run")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="print this JSON's tables")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="write the figures of docs/benchmark.md and README.md",
    )
    return parser.parse_args()


def sizes(text: str) -> list[int]:
    """Raises argparse's ArgumentTypeError, which argparse tells the user."""
    found = text.split(",")
    if not all(re.fullmatch("[1-9][0-9]{0,5}", size) for size in found):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of numbers of messages, such as 100,1000,5000"
        )
    return [int(size) for size in found]
