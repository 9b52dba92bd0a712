"""The containers of docker/compose.yaml as a project of their own, and what tests do to them."""

import contextlib
import http.client
import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from blake3 import blake3
from support import eventually

from ringnode.demo import free_ports

FILES = (Path(__file__).parents[2] / "docker" / "compose.yaml", Path(__file__).with_name("quick.yaml"))
BASES = ("node:22-slim", "python:3.13-slim", "nginx:stable", "haproxy:3.0")
CLIENTS = 2


def missing() -> str:
    """Why no containers can be run here; empty if they can."""
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True, timeout=30).returncode:
        return "no Docker engine answers"
    if subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=30).returncode:
        return "docker has no compose plugin"
    for base in BASES:
        if subprocess.run(["docker", "image", "inspect", base], capture_output=True, timeout=30).returncode:
            return f"there is no base image {base}: docker pull {base}"
    return ""


def docker(*arguments: str, check: bool = True) -> str:
    """What a docker command prints."""
    run = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=600)
    assert not check or run.returncode == 0, f"docker {' '.join(arguments)}: {run.stdout}{run.stderr}"
    return run.stdout + ("" if check else run.stderr)


def two_ports() -> int:
    """The first of two free ports in a row."""
    for port in free_ports(50):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port + 1))
            return port
    raise AssertionError("no two free ports in a row")


class Stack:
    """One project. `request` speaks to a client node as a browser would, and trusts only the project's authority."""

    def __init__(self) -> None:
        self.project = f"ringnode-test-{secrets.token_hex(4)}"
        self.port = two_ports()
        self.token = ""
        self.servers = 5
        self.env = os.environ | {
            "RINGNODE_PORTS": f"{self.port}-{self.port + 1}",
            "RINGNODE_PUBLIC_URL": f"https://localhost:{self.port}",
            "RINGNODE_RESERVE_BYTES": "0",
            "RINGNODE_TAG": "test",
        }

    def compose(self, *arguments: str) -> str:
        files = [part for path in FILES for part in ("--file", str(path))]
        command = ["docker", "compose", *files, "--project-name", self.project, *arguments]
        run = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=600)
        if run.returncode:
            raise AssertionError(f"{' '.join(arguments)}: {run.stdout}{run.stderr}{self.words()}")
        return run.stdout

    def words(self) -> str:
        """The containers and their last words."""
        label = f"label=com.docker.compose.project={self.project}"
        names = docker("ps", "--all", "--filter", label, "--format", "{{.Names}}").split()
        logs = "".join(f"--- {name}\n{docker('logs', '--tail', '15', name, check=False)}" for name in names)
        return f"\n{docker('ps', '--all', '--filter', label)}\n{logs}"

    def up(self, servers: int, *options: str) -> None:
        """Have so many servers, start what is not running, and wait until all are one ring for whoever asks."""
        self.servers = servers
        self.compose("up", "--detach", "--scale", f"server={servers}", *options)
        self.settle()

    def settle(self) -> None:
        try:
            eventually(lambda: len(self.nodes_up()) == self.servers, 120, every_s=0.5)
        except AssertionError as error:
            raise AssertionError(self.words()) from error

    def containers(self, service: str) -> list[str]:
        """Names of the service's containers, in order of number."""
        count = {"server": self.servers, "client": CLIENTS}.get(service, 1)
        return [f"{self.project}-{service}-{n + 1}" for n in range(count)]

    @property
    def every(self) -> list[str]:
        return [name for service in ("server", "router", "client") for name in self.containers(service)]

    @property
    def settings(self) -> dict[str, str]:
        """The secret ones."""
        return tomllib.loads(docker("exec", self.containers("server")[-1], "cat", "/tls/settings.toml"))

    def run(self, container: str, *command: str) -> tuple[int, str]:
        run = subprocess.run(["docker", "exec", container, *command], capture_output=True, text=True, timeout=60)
        return run.returncode, run.stdout + run.stderr

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=docker("exec", self.containers("client")[0], "cat", "/tls/ca.crt"))

    # -- what people see -----------------------------------------------------------------------------------------

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, client: int = 0
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (lower case) and body of one request to a client node."""
        where = http.client.HTTPSConnection("localhost", self.port + client, context=self._trust, timeout=60)
        with contextlib.closing(where) as connection:
            sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
            connection.request(method, path, body, sent | (headers or {}))
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def get(self, path: str) -> Any:
        status, _, body = self.request("GET", f"/api/v1{path}")
        assert status == 200, (path, status, body)
        return json.loads(body)

    def log_in(self) -> None:
        login = json.dumps({"username": "admin", "password": self.settings["admin_password"]})
        asked = ("POST", "/api/v1/auth/login", login, {"Content-Type": "application/json"})
        eventually(lambda: self.request(*asked)[0] == 200, 60, every_s=0.5)
        self.token = json.loads(self.request(*asked)[2])["token"]

    def nodes_up(self) -> dict[str, str]:
        """Ids of the nodes that are up, by name."""
        return {node["name"]: node["id"] for node in self.nodes() if node["state"] == "up"}

    def nodes(self) -> list[dict[str, Any]]:
        """All nodes that the ring knows of; none while nobody answers."""
        try:
            if not self.token:
                self.log_in()
            status, _, body = self.request("GET", "/api/v1/ring")
        except (OSError, http.client.HTTPException):
            return []
        return list(json.loads(body)["nodes"]) if status == 200 else []

    def upload(self, data: bytes) -> str:
        """The song's id."""
        status, _, body = self.request("POST", "/api/v1/songs?filename=a.wav", data)
        assert status == 201, body
        return str(json.loads(body)["id"])

    def findings(self) -> set[str]:
        """What is wrong with any song's copies, as the inventory says: short, surplus, lost ..."""
        status, _, body = self.request("GET", "/api/v1/ring/inventory")
        return {item["what"] for item in json.loads(body)["items"]} if status == 200 else {f"status {status}"}

    def plays(self, song: str) -> bool:
        """Are the right bytes served?"""
        status, _, body = self.request("GET", f"/api/v1/songs/{song}/stream")
        return status == 200 and blake3(body).hexdigest() == song

    def serving(self) -> list[str]:
        """Servers that have bytes on their way which somebody takes in slowly."""
        return [name for name in self.containers("server") if self._has_unsent(name)]

    def _has_unsent(self, container: str) -> bool:
        for line in self.run(container, "cat", "/proc/net/tcp")[1].splitlines()[1:]:
            _, local, _, _, queues, *_ = line.split()
            if local.endswith(f":{7701:04X}") and int(queues.split(":")[0], 16) > 0:
                return True
        return False

    # -- the end -------------------------------------------------------------------------------------------------

    def down(self) -> None:
        self.compose("down", "--volumes", "--timeout", "5")

    def left(self) -> list[str]:
        """Containers, networks and volumes of the project."""
        label = f"label=com.docker.compose.project={self.project}"
        kinds = (("ps", "--all"), ("network", "ls"), ("volume", "ls"))
        return [line for kind in kinds for line in docker(*kind, "--quiet", "--filter", label).split()]
