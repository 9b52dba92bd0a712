"""Threads that wait for peers, of which no peer takes more than its share (the bulkhead of Nygard, "Release It!")."""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Lanes:
    """`threads` in all, `share` for each lane. What is more waits in the lane's own line, and hinders no other.

    Work that ends with `hopeless` ends those that wait in its line likewise: they would wait as long for the same.
    """

    def __init__(self, threads: int, share: int, hopeless: type[Exception]) -> None:
        self._pool = ThreadPoolExecutor(threads, "at-once")
        self._share = share
        self._hopeless = hopeless
        self._lines: defaultdict[str, deque[tuple[Future[Any], Callable[[], Any]]]] = defaultdict(deque)
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()

    def submit(self, lane: str, work: Callable[[], Any]) -> Future[Any]:
        """Have it done soon."""
        future: Future[Any] = Future()
        with self._lock:
            self._lines[lane].append((future, work))
            if self._busy[lane] < self._share:
                self._pool.submit(self._serve, lane)
                self._busy[lane] += 1
        return future

    def _serve(self, lane: str) -> None:
        """Do what waits in the line, until nothing does."""
        while True:
            with self._lock:
                if not self._lines[lane]:
                    self._busy[lane] -= 1
                    if not self._busy[lane]:
                        del self._busy[lane], self._lines[lane]
                    return
                future, work = self._lines[lane].popleft()
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001  it is raised where somebody waits for it
                future.set_exception(error)
                if isinstance(error, self._hopeless):
                    self._give_up(lane, error)

    def _give_up(self, lane: str, error: BaseException) -> None:
        with self._lock:
            line, self._lines[lane] = self._lines[lane], deque()
        for future, _ in line:
            future.set_exception(error)

    def close(self) -> None:
        """Wait until all is done."""
        self._pool.shutdown()
