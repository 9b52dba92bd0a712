"""What a signal has a node do."""

import os
import subprocess
import sys
import threading

import pytest
from support import eventually

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
        self.stopped = threading.Event()

    def start(self) -> None: ...

    def stop(self) -> None:
        self.stopped.set()

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
    assert (node.asked, node.stopped.is_set(), stop.is_set()) == (1, True, alone)


@pytest.mark.parametrize("ending", ["stop", "leave"])
def test_who_was_sent_away_where_all_that_ends_is_started_again_waits_to_be_stopped(
    ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Leaver(Config(), alone=False)
    node.left.set()
    monkeypatch.setattr(serve, "Node", lambda config: node)
    monkeypatch.setattr(serve, "HttpServer", Silent)
    monkeypatch.setattr(serve, "WATCH_S", 0.001)
    events = {"stop": threading.Event(), "leave": threading.Event()}
    running = threading.Thread(target=serve.run, args=(Config(), *events.values(), True))
    running.start()
    eventually(node.stopped.is_set)
    running.join(0.05)
    assert running.is_alive()
    events[ending].set()
    running.join(5)
    assert not running.is_alive()


def test_an_http_server_whose_node_was_killed_while_it_started_ends_too() -> None:
    node = subprocess.Popen(["true"])
    node.wait()
    env = os.environ | {"RINGNODE_GATEWAY_PARENT": str(node.pid), "RINGNODE_GATEWAY": "{}"}
    ended = subprocess.run([sys.executable, "-m", "ringnode.http_server"], env=env, capture_output=True, timeout=30)
    assert (ended.returncode, ended.stderr) == (1, b"")
