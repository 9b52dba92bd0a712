"""What every test may use, and what no test may leave behind."""

import signal
import threading
import time
from collections.abc import Iterator

import hypothesis
import pytest
from hypothesis import settings

settings.register_profile("no deadlines", deadline=None)  # a busy machine is no failure
settings.load_profile("no deadlines")

hypothesis.settings.register_profile("house", deadline=None)  # how long an example takes is the machine's business
hypothesis.settings.load_profile("house")

# A shell has what it starts in the background ignore Ctrl-C, and so would all that is started here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

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
