"""Helpers that tests share."""

import threading
import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], within_s: float = 20.0, every_s: float = 0.05) -> None:
    """Wait until `condition()` is true; AssertionError with its name after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s: {getattr(condition, '__name__', condition)}"
        threading.Event().wait(every_s)
