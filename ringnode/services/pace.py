"""Holds a rate of bytes, so that what a node does for itself leaves room for people."""

import threading
import time


class Pace:
    """Call it with what is about to be moved: it waits for its turn. 0 bytes a second is no limit."""

    def __init__(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_at = 0.0
        self._lock = threading.Lock()

    def __call__(self, size: int) -> None:
        if not self._bytes_per_s:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(self._free_at, now)
            self._free_at = turn + size / self._bytes_per_s
        time.sleep(turn - now)
