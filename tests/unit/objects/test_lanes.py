"""No peer takes more threads than its share."""

import threading
from collections.abc import Iterator
from concurrent.futures import wait

import pytest
from support import eventually

from ringnode.objects.lanes import Lanes

THREADS, SHARE = 6, 2


class Silent(Exception):
    """It does not answer."""


class Slow:
    """Work that hangs until it is released."""

    def __init__(self) -> None:
        self.begun: list[None] = []
        self.free = threading.Event()
        self.error: Exception | None = None

    def __call__(self) -> str:
        self.begun.append(None)
        assert self.free.wait(10)
        if self.error:
            raise self.error
        return "done"


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    made = Lanes(THREADS, SHARE, Silent)
    yield made
    made.close()


def test_who_is_slow_keeps_nobody_else_waiting(lanes: Lanes) -> None:
    slow = Slow()
    waiting = [lanes.submit("slow", slow) for _ in range(2 * THREADS)]
    assert lanes.submit("other", lambda: "at once").result(5) == "at once"
    assert len(slow.begun) <= SHARE
    slow.free.set()
    assert [future.result(5) for future in waiting] == ["done"] * 2 * THREADS
    eventually(lambda: not lanes._lines and not lanes._busy)


def test_those_in_line_for_one_that_falls_silent_do_not_wait_for_it_one_after_the_other(lanes: Lanes) -> None:
    slow = Slow()
    waiting = [lanes.submit("slow", slow) for _ in range(2 * THREADS)]
    eventually(lambda: len(slow.begun) == SHARE)
    slow.error = Silent("no answer")
    slow.free.set()
    wait(waiting, 5)
    assert all(isinstance(future.exception(0), Silent) for future in waiting)
    assert len(slow.begun) <= 2 * SHARE


def test_another_error_is_its_own(lanes: Lanes) -> None:
    slow = Slow()
    waiting = [lanes.submit("slow", slow) for _ in range(THREADS)]
    slow.error = ValueError("it alone")
    slow.free.set()
    wait(waiting, 5)
    assert len(slow.begun) == THREADS
