"""Runs a module as a process that ends with the launcher, even when the launcher was killed.

The launcher holds the other end of its standard input; nothing is ever written to it.
"""

import os
import runpy
import signal
import sys
import threading


def main() -> None:
    module, *arguments = sys.argv[1:]
    threading.Thread(target=end_with_the_launcher, daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def end_with_the_launcher() -> None:
    """Waits for the end of standard input, then ends this process and those it has started."""
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
