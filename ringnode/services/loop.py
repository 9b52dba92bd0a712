"""A background pass: looks at the present state and mends it; twice is harmless.

A loop never dies and never hides: what goes wrong is counted, kept and shown in the node's state.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from ringnode.errors import RingnodeError

log = logging.getLogger(__name__)

JITTER = 0.2  # of the period, so that the nodes of a ring do not act in step
JOIN_S = 30.0  # at stop: longer than any pass waits for a peer


class Loop:
    """`once` every `period_s` seconds; or when kicked, `gather_s` later: what comes meanwhile is done with it.

    A true answer means: there is more to do now.
    """

    def __init__(self, name: str, period_s: float, once: Callable[[], Any], gather_s: float = 0.0) -> None:
        self.name = name
        self.period_s = period_s
        self.gather_s = gather_s
        self.runs = 0
        self.errors = 0
        self.last_error = ""
        self.last_error_at = 0.0
        self.last_run_s = 0.0
        self._once = once
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._running = threading.Lock()  # a kicked test and the thread never run one pass twice at once
        self._thread = threading.Thread(target=self._run, name=f"loop-{name}", daemon=True)

    def once(self) -> Any:
        """One pass now, in this thread; its errors are counted and not raised."""
        with self._running:
            started = time.monotonic()
            try:
                return self._once()
            except RingnodeError as error:
                self._failed(f"{type(error).__name__}: {error}")
            except Exception as error:
                log.exception("the loop %s failed and goes on", self.name)
                self._failed(f"{type(error).__name__}: {error}")
            finally:
                self.runs += 1
                self.last_run_s = time.monotonic() - started

    def _failed(self, text: str) -> None:
        if text != self.last_error:
            log.warning("%s: %s", self.name, text)
        self.errors += 1
        self.last_error, self.last_error_at = text, time.time()

    def start(self) -> None:
        """Begin; the first pass comes at once."""
        self._wake.set()
        self._thread.start()

    def kick(self) -> None:
        """Run early."""
        self._wake.set()

    def stop(self) -> None:
        """Let the present pass end, then end."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self.period_s * (1 + random.uniform(-JITTER, JITTER)))
            self._stopping.wait(self.gather_s)
            self._wake.clear()
            if not self._stopping.is_set() and self.once():
                self._wake.set()

    def state(self) -> dict[str, Any]:
        """For people: counts, the last error and when (seconds since 1970), the last pass's length in seconds."""
        return {
            "runs": self.runs,
            "errors": self.errors,
            "last_error": self.last_error,
            "last_error_at": round(self.last_error_at, 3),
            "last_run_s": round(self.last_run_s, 4),
        }
