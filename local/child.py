"""Runs a module in a process that ends with the launcher, even if the launcher is killed.

The launcher holds the other end of its standard input and never writes to it.
"""

import os
import runpy
import signal
import sys
import threading


def main() -> None:
    module, *arguments = sys.argv[1:]
    threading.Thread(target=end_with_launcher, daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def end_with_launcher() -> None:
    """Waits for the end of standard input, then kills this process and those it started."""
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
