"""What every test may use, and what no test may leave behind."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

GONE_S = 5.0  # a thread that was told to end may need a moment


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """A test that leaves a thread behind fails."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + GONE_S
    for thread in set(threading.enumerate()) - before:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = [thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()]
    assert not left, f"threads left behind: {left}"


def eventually(condition: Callable[[], object], within_s: float = 20.0, every_s: float = 0.05) -> None:
    """Wait until `condition()` is true; AssertionError with its name after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s: {getattr(condition, '__name__', condition)}"
        threading.Event().wait(every_s)
