"""`ringnode serve`: the node process and the HTTP server beside it, started in order, watched, stopped in reverse."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from ringnode.config import Config, to_json
from ringnode.errors import ConfigError, Conflict
from ringnode.node import Node
from ringnode.process import die_with_parent, keep_memory, log_to_stderr

log = logging.getLogger(__name__)

WATCH_S = 0.5
STOP_S = 15.0  # more than the HTTP server grants its own workers
RESTART_S = 2.0  # between two starts of a server that ends by itself


class HttpServer:
    """One granian, kept alive."""

    def __init__(self, config: Config, plain: bool) -> None:
        host, self.port = ("127.0.0.1", config.http_port) if plain else (config.api_host, config.api_port)
        require_free(host, self.port)
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("RINGNODE_")}
        self._env |= {"RINGNODE_GATEWAY": to_json(config)} | ({"RINGNODE_GATEWAY_PLAIN": "1"} if plain else {})
        self._env["RINGNODE_GATEWAY_PARENT"] = str(os.getpid())
        self._env["RINGNODE_GATEWAY_LOG"] = logging.getLevelName(logging.getLogger().level)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def watch(self) -> None:
        """Start it, now or anew if it ended."""
        if self._process is not None:
            if self._process.poll() is None or time.monotonic() - self._started < RESTART_S:
                return
            log.error("the HTTP server on port %d ended (%s): starting it again", self.port, self._process.returncode)
        self._started = time.monotonic()
        self._process = subprocess.Popen([sys.executable, "-m", "ringnode.http_server"], env=self._env)

    def stop(self) -> None:
        """Let it finish what it is sending, for a while."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def require_free(host: str, port: int) -> None:
    """ConfigError if nobody could listen there; granian says it less clearly, and later."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def run(config: Config, stop: threading.Event, leave: threading.Event, stay: bool = False) -> None:
    """Serve until `stop` is set, or until the node has left its ring for good, which it begins when `leave` is set.

    `stay`: a node that others had leave waits, out of its ring, for one of the two.

    ConfigError if this node cannot be part of its ring.
    """
    servers = [HttpServer(config, plain) for plain in ((False, True) if config.http_port else (False,))]
    node = Node(config)
    try:
        node.start()
        log.info("serving people at %s and peers at %s", config.api_url, config.address)
        while not stop.is_set():
            for server in servers:
                server.watch()
            if node.discovery.failure:
                raise node.discovery.failure
            if leave.is_set():
                _leave(node, stop)
            if node.left.is_set() and not node.stopped.is_set():
                log.info("%s has left its ring: every file that was here has other holders", config.name)
                node.stop()
                if stay:
                    log.info("it stays out of it until it is stopped; started again, it comes back")
            if node.left.is_set() and (leave.is_set() or not stay):
                return
            stop.wait(WATCH_S)
    finally:
        for server in reversed(servers):
            server.stop()
        node.stop()


def _leave(node: Node, stop: threading.Event) -> None:
    """Begin to leave the ring. A node that is alone has nobody to hand its files to: it stops, and keeps them."""
    try:
        node.leave()
    except Conflict as error:
        log.warning("%s: it stops, and will be the same when it starts again", error)
        stop.set()


def settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option for each setting, so that help and settings cannot differ."""
    for f in reversed(fields(Config)):
        default = os.fspath(f.default) if isinstance(f.default, Path) else f.default
        shown = ",".join(default) if isinstance(default, tuple) else default
        text = f.metadata["help"] + (f"  [{shown}]" if shown else "")
        command = click.option("--" + f.name.replace("_", "-"), f.name, help=text)(command)
    return command


@click.command()
@settings
@click.option("--config", "config", type=click.Path(dir_okay=False), help="TOML file with these settings")
@click.option("--log-level", default="info", type=click.Choice(["debug", "info", "warning", "error"]))
@click.option(
    "--stay-when-left",
    is_flag=True,
    help="Having left its ring, wait to be stopped: for where what ends is started again, and would come back",
)
@click.option("--with-parent", is_flag=True, hidden=True, help="end when the process that started this one ends")
def serve(log_level: str, stay_when_left: bool, with_parent: bool, **given: Any) -> None:
    """Run one node: it finds its ring, keeps its songs, and serves people over HTTPS.

    SIGTERM and SIGINT stop it: started again it is the same node. SIGUSR1 makes it leave its ring for good.

    Every setting can also stand in a TOML file or in the environment as RINGNODE_NAME. To give the ring's password
    without showing it to others on this machine, use the environment.

    \b
    The first node of a ring:   ringnode serve --tls tls/one --data data/one
    Another one:                ringnode serve --tls tls/two --data data/two --port 7800 --api-port 7801 \\
                                               --seeds 127.0.0.1:7700
    """
    if with_parent:
        die_with_parent()
    config = Config.load(given)
    log_to_stderr(config.name, log_level)
    keep_memory()
    stop, leave = threading.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(signal.SIGUSR1, lambda *_: leave.set())
    run(config, stop, leave, stay_when_left)
