"""The file in which a part of the stack records the calls to it."""

import threading
import time
from pathlib import Path

from bench.usage import AwsCall, Invocation, written

SECONDS_BETWEEN_FLUSHES = 0.5


class CallRecord:
    """A file with one line per entry, which many threads write. It is flushed twice a second:
    a flush for each line would take a thirtieth of the local AWS's time.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")
        self._lock = threading.Lock()
        threading.Thread(target=self._flush_regularly, daemon=True).start()

    def add(self, entry: AwsCall | Invocation) -> None:
        with self._lock:
            self._file.write(written(entry))

    def _flush_regularly(self) -> None:
        while True:
            time.sleep(SECONDS_BETWEEN_FLUSHES)
            with self._lock:
                self._file.flush()
