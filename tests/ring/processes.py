"""Real nodes in real processes on loopback, and a real HTTP client."""

import contextlib
import http.client
import itertools
import json
import os
import random
import signal
import ssl
import subprocess
import sys
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from support import eventually

from ringnode import ca
from ringnode.demo import free_ports

PASSWORD = "a password for tests"
# A quick ring: what takes minutes in a house takes seconds here.
QUICK = {
    "stabilise_every_s": 0.3, "exchange_every_s": 1, "replicate_every_s": 1, "audit_every_s": 1, "quiet_s": 2,
    "repair_delay_s": 600, "delete_grace_s": 1, "settle_s": 1, "reserve_bytes": 0, "threads": 32,
    "admin_password": PASSWORD,
}  # fmt: skip


class NodeProcess:
    """One `ringnode serve`, at `host`; `prefix` is put before its command."""

    def __init__(
        self, home: Path, name: str, settings: dict[str, Any], host: str = "127.0.0.1", prefix: Sequence[str] = ()
    ) -> None:
        self.home = home
        self.host = host
        self.prefix = prefix
        self.timeout_s = 60.0  # of a request
        self.name = name
        self.port, self.api_port = free_ports(2)
        self.settings = settings
        self.token = ""
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def music(self) -> Path:
        return self.home / "data" / "music" / "files"

    @property
    def log(self) -> str:
        return (self.home / "log").read_text("utf-8", "replace")

    def start(self, seeds: list[str]) -> None:
        own = {"data": self.home / "data", "tls": self.home / "tls", "name": self.name, "host": self.host,
               "port": self.port, "api_host": self.host, "api_port": self.api_port,
               "seeds": ",".join(seeds)}  # fmt: skip
        given = {name: str(value) for name, value in (QUICK | own | self.settings).items() if value is not None}
        env = {name: value for name, value in os.environ.items() if not name.startswith("RINGNODE_")}
        env |= {f"RINGNODE_{name.upper()}": value for name, value in given.items()}
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", "ringnode", "serve", "--with-parent"],
                env=env, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self) -> None:
        """kill -9: the node and all it started."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to the node and all it started."""
        assert self.process
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        assert self.process
        self.process.terminate()
        return self.process.wait(30)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    # -- HTTP --------------------------------------------------------------------------------------------------

    def connection(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.home / "tls" / "ca.crt"))
        return http.client.HTTPSConnection(self.host, self.api_port, context=context, timeout=self.timeout_s)

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request as the admin. Status, headers (lower case), body."""
        sent = dict(headers or {})
        if not self.token and path not in ("/auth/login", "/health"):
            self.login()
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        with contextlib.closing(self.connection()) as connection:
            connection.request(method, "/api/v1" + path, body, sent)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def get(self, path: str) -> Any:
        status, _, body = self.request("GET", path)
        assert status == 200, (self.name, path, status, body[:500])
        return json.loads(body)

    def login(self) -> None:
        status, _, body = self.request("POST", "/auth/login", {"username": "admin", "password": PASSWORD})
        assert status == 200, body
        self.token = json.loads(body)["token"]

    def upload(self, path: Path) -> tuple[int, dict[str, Any]]:
        with path.open("rb") as file:
            status, _, body = self.request(
                "POST", f"/songs?filename={quote(path.name)}", file, {"Content-Length": str(path.stat().st_size)}
            )
        return status, json.loads(body)

    def ready(self) -> bool:
        try:
            return bool(self.request("GET", "/health")[0] == 200)
        except (OSError, http.client.HTTPException, AssertionError):
            return False

    def has(self, key: str) -> bool:
        return (self.music / key[:2] / key).exists()

    def keys(self) -> set[str]:
        """Files on its disk."""
        return {path.name for path in self.music.glob("*/*")} if self.music.exists() else set()


class RingOfProcesses:
    """Several nodes of one ring."""

    def __init__(self, root: Path, count: int, **settings: Any) -> None:
        self.root = root
        self.settings = settings
        self.nodes: list[NodeProcess] = []
        self._numbers = itertools.count()
        ca.init(root / "ca")
        for _ in range(count):
            self.add()

    def add(self, host: str = "127.0.0.1", prefix: Sequence[str] = (), **settings: Any) -> NodeProcess:
        """Make another node; it is not started."""
        name = f"n{next(self._numbers)}"
        home = self.root / name
        home.mkdir()
        ca.issue(self.root / "ca", home / "tls", name, (host,))
        node = NodeProcess(home, name, self.settings | settings, host, prefix)
        self.nodes.append(node)
        return node

    def start(self, *nodes: NodeProcess) -> None:
        """Start nodes (all, if none is named) and wait until every live one is in one ring."""
        seeds = [node.address for node in self.nodes[:5]]
        for node in nodes or self.nodes:
            node.start(seeds)
        self.settle()
        for node in nodes or self.nodes:
            assert node.alive, f"{node.name} ended by itself:\n{node.log[-2000:]}"

    @property
    def live(self) -> list[NodeProcess]:
        return [node for node in self.nodes if node.alive]

    def settle(self, within_s: float = 60) -> None:
        """Until all live nodes see just the live ones up, and one another's records."""
        try:
            eventually(self.is_one, within_s, every_s=0.2)
        except AssertionError as error:
            logs = "\n".join(f"--- {node.name}\n{node.log[-2000:]}" for node in self.nodes)
            raise AssertionError(f"no single ring within {within_s} s:\n{logs}") from error

    def is_one(self) -> bool:
        live = self.live
        for node in live:
            if not node.ready():
                return False
            up = [other for other in node.get("/ring")["nodes"] if other["state"] == "up"]
            if sorted(other["address"] for other in up) != sorted(other.address for other in live):
                return False
        return True

    def close(self) -> None:
        for node in self.nodes:
            if node.alive:
                node.process.terminate()  # type: ignore[union-attr]
        for node in self.nodes:
            if node.process is not None:
                try:
                    node.process.wait(30)
                except subprocess.TimeoutExpired:
                    node.kill()


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they did."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *descendants(child)]
    return found


def make_wav(path: Path, size: int, seed: int) -> Path:
    """A song of noise: every seed another one."""
    with wave.open(str(path), "wb") as song:
        song.setnchannels(2)
        song.setsampwidth(2)
        song.setframerate(44100)
        song.writeframes(random.Random(seed).randbytes(size // 4 * 4))
    return path
