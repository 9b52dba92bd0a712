"""A loop never dies and never hides."""

import threading

import pytest
from support import eventually

from ringnode.errors import PeerDown
from ringnode.services.loop import Loop


def test_once_counts_and_times() -> None:
    loop = Loop("test", 60, lambda: "more")
    assert loop.once() == "more"
    assert loop.state()["runs"] == 1 and loop.state()["errors"] == 0


def test_errors_are_kept_and_shown(caplog: pytest.LogCaptureFixture) -> None:
    errors = [PeerDown("nobody there"), ZeroDivisionError("a bug")]

    def fail() -> None:
        raise errors.pop(0)

    loop = Loop("test", 60, fail)
    loop.once()
    assert loop.state()["last_error"] == "PeerDown: nobody there"
    assert "Traceback" not in caplog.text
    loop.once()
    assert loop.state()["errors"] == 2 and "ZeroDivisionError" in loop.state()["last_error"]
    assert "Traceback" in caplog.text


def test_it_starts_at_once_goes_on_after_errors_and_stops() -> None:
    runs = threading.Semaphore(0)

    def fail() -> None:
        runs.release()
        raise PeerDown("again")

    loop = Loop("test", 0.01, fail)
    loop.start()
    for _ in range(5):
        assert runs.acquire(timeout=5)
    loop.stop()
    assert loop.errors >= 5


def test_a_kick_runs_it_early_and_more_work_runs_it_again() -> None:
    left = [0]

    def work() -> bool:
        left[0] = max(0, left[0] - 1)
        return left[0] > 0

    loop = Loop("test", 3600, work)
    loop.start()
    eventually(lambda: loop.runs >= 1)
    left[0] = 5
    loop.kick()
    eventually(lambda: left[0] == 0)
    loop.stop()


def test_what_comes_soon_after_a_kick_is_done_with_it() -> None:
    loop = Loop("test", 3600, lambda: None, gather_s=0.2)
    loop.start()
    for _ in range(100):
        loop.kick()
    eventually(lambda: loop.runs == 1)
    loop.kick()
    eventually(lambda: loop.runs == 2)
    loop.stop()


def test_stop_waits_for_the_pass_under_way() -> None:
    entered, release, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        entered.set()
        release.wait(10)
        ended.set()

    loop = Loop("test", 3600, work)
    loop.start()
    assert entered.wait(5)
    threading.Timer(0.1, release.set).start()
    loop.stop()
    assert ended.is_set()


def test_stopping_what_never_started_is_harmless() -> None:
    Loop("test", 1, lambda: None).stop()
