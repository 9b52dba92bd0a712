"""What a signal has a node do."""

import threading

import pytest

from ringnode import serve
from ringnode.config import Config
from ringnode.errors import Conflict


class Leaver:
    """A node that is asked to leave."""

    def __init__(self, config: Config, alone: bool) -> None:
        self.alone = alone
        self.asked = 0
        self.left = threading.Event()
        self.discovery = self
        self.failure = None
        self.stopped = False

    def start(self) -> None: ...

    def stop(self) -> None:
        self.stopped = True

    def leave(self) -> None:
        self.asked += 1
        if self.alone:
            raise Conflict("this is the only node of its ring")
        self.left.set()


class Silent:
    def __init__(self, config: Config, plain: bool) -> None: ...

    def watch(self) -> None: ...

    def stop(self) -> None: ...


@pytest.mark.parametrize("alone", [False, True])
def test_who_is_told_to_leave_ends_once_it_has_left_and_at_once_if_it_is_alone(
    alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Leaver(Config(), alone)
    monkeypatch.setattr(serve, "Node", lambda config: node)
    monkeypatch.setattr(serve, "HttpServer", Silent)
    monkeypatch.setattr(serve, "WATCH_S", 0.001)
    stop, leave = threading.Event(), threading.Event()
    leave.set()
    serve.run(Config(), stop, leave)
    assert (node.asked, node.stopped, stop.is_set()) == (1, True, alone)
