"""Holds a rate of bytes, so that what a node does for itself leaves room for people."""

import time


class Pace:
    """Call it with what is about to be moved; 0 bytes a second is no limit. One thread at a time."""

    def __init__(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_at = 0.0

    def __call__(self, size: int) -> None:
        if not self._bytes_per_s:
            return
        now = time.monotonic()
        time.sleep(max(0.0, self._free_at - now))
        self._free_at = max(self._free_at, now) + size / self._bytes_per_s
