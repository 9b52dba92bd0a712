"""`ringnode demo`: a real ring of several nodes on this machine, with a few songs in it."""

import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from ringnode import ca
from ringnode.client import Client
from ringnode.demo_music import compose
from ringnode.errors import ConfigError, RingnodeError
from ringnode.process import die_with_parent
from ringnode.uploading import audio_files

START_S = 60.0  # for all nodes to serve: seconds on an idle machine, longer on a busy one
STOP_S = 20.0
POLL_S = 0.1
PORTS = range(20_000, 32_000)
ENV = {"RINGNODE_RESERVE_BYTES": "0", "RINGNODE_SETTLE_S": "1"}  # one machine: little to wait for, one disk for all


@dataclass(frozen=True)
class Place:
    """Where a demo node lives, kept in demo.json so that the same ring starts again."""

    name: str
    port: int
    api_port: int
    http_port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Plan:
    """The ring of a demo folder."""

    k: int
    username: str
    password: str
    places: tuple[Place, ...]

    @classmethod
    def load(cls, folder: Path, nodes: int | None, k: int | None) -> "Plan":
        """The plan in the folder, or a new one there. ConfigError where it and the wishes differ."""
        path = folder / "demo.json"
        if path.exists():
            known = json.loads(path.read_text("utf-8"))
            plan = cls(**{**known, "places": tuple(Place(**place) for place in known["places"])})
            if nodes not in (None, len(plan.places)) or k not in (None, plan.k):
                raise ConfigError(
                    f"the demo in {folder} has {len(plan.places)} nodes and k = {plan.k}:"
                    " leave --nodes and --k away, or choose another --data"
                )
            return plan
        count = nodes or 3
        ports = free_ports(3 * count)
        places = tuple(Place(f"node{i + 1}", *ports[3 * i : 3 * i + 3]) for i in range(count))
        plan = cls(k or min(3, count), "admin", secrets.token_urlsafe(9), places)
        ca.init(folder / "ca", "demo")
        for place in places:
            ca.issue(folder / "ca", folder / place.name / "tls", place.name, (place.name,))
        path.touch(0o600)
        path.write_text(json.dumps(asdict(plan), indent=2), "utf-8")
        return plan


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now, below those that systems give to outgoing connections."""
    with ExitStack() as stack:
        found: list[int] = []
        for port in random.sample(PORTS, len(PORTS)):
            probe = stack.enter_context(socket.socket())
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
            if len(found) == count:
                return found
    raise ConfigError(f"there are no {count} free ports between {PORTS.start} and {PORTS.stop}")


class DemoRing:
    """The processes of the plan's nodes."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start every node; their logs go to node.log in their folders."""
        seeds = ",".join(place.address for place in self.plan.places)
        for place in self.plan.places:
            home = self.folder / place.name
            env = os.environ | ENV | {"RINGNODE_ADMIN_PASSWORD": self.plan.password}
            for name in ("URL", "CA", "USER", "PASSWORD", "CONFIG"):
                env.pop(f"RINGNODE_{name}", None)
            arguments = {
                "data": home / "data", "tls": home / "tls", "name": place.name, "port": place.port,
                "api-port": place.api_port, "http-port": place.http_port, "seeds": seeds, "k": self.plan.k,
                "admin-name": self.plan.username,
                # What a browser opens without a warning: the player goes on at the other nodes by these addresses.
                "api-url": f"http://127.0.0.1:{place.http_port}",
            }  # fmt: skip
            command = [sys.executable, "-m", "ringnode", "serve", "--with-parent"]
            command += [f"--{name}={value}" for name, value in arguments.items()]
            with (home / "node.log").open("ab") as log:
                process = subprocess.Popen(
                    command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            self.processes.append(process)

    def wait_ready(self, stop: threading.Event) -> None:
        """Until every node serves and sees all others; ConfigError with its last words if one ends."""
        deadline = time.monotonic() + START_S
        while not self._complete():
            for place, process in zip(self.plan.places, self.processes, strict=True):
                if process.poll() is not None:
                    raise ConfigError(f"{place.name} ended at its start: {self._last_words(place)}")
            if time.monotonic() > deadline:
                raise ConfigError(
                    f"the ring was not ready in {START_S:.0f} s; see the node.log files in {self.folder}"
                )
            if stop.wait(POLL_S):
                raise ConfigError("stopped while starting")

    def _complete(self) -> bool:
        with suppress(RingnodeError):
            for place in self.plan.places:
                with self.client(place) as client:
                    up = [node for node in client.ring()["nodes"] if node["state"] == "up"]
                if len(up) < len(self.plan.places):
                    return False
            return True
        return False

    def client(self, place: Place) -> Client:
        """A client of one node, logged in when it needs to be."""
        return Client(
            (f"https://127.0.0.1:{place.api_port}",),
            self.plan.username,
            self.plan.password,
            self.folder / "ca/ca.crt",
        )

    def _last_words(self, place: Place) -> str:
        lines = (self.folder / place.name / "node.log").read_text("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def stop(self) -> None:
        """Ask all nodes to end, and end those that do not."""
        for process in self.processes:
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in self.processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def describe(self) -> dict[str, Any]:
        """What programs need to know of it."""
        nodes = [
            {
                "name": place.name,
                "api": f"https://127.0.0.1:{place.api_port}",
                "http": f"http://127.0.0.1:{place.http_port}",
                "pyro": place.address,
                "pid": process.pid,
                "data": str(self.folder / place.name / "data"),
                "tls": str(self.folder / place.name / "tls"),
            }
            for place, process in zip(self.plan.places, self.processes, strict=True)
        ]
        plan = self.plan
        return {
            "nodes": nodes,
            "ca": str(self.folder / "ca/ca.crt"),
            "username": plan.username,
            "password": plan.password,
            "k": plan.k,
        }


def fill(ring: DemoRing, music: Path | None) -> int:
    """Put songs into the ring: those of a folder, else our own. Returns how many were new."""
    files = audio_files([music]) if music else compose(ring.folder / "music")
    new = 0
    with ring.client(ring.plan.places[0]) as client:
        for path in files:
            try:
                new += client.upload(path)[1]
            except RingnodeError as error:
                click.echo(f"not taken: {path.name}: {error}", err=True)
    return new


def welcome(info: dict[str, Any], songs: int) -> str:
    """What to do with a ring that runs."""
    first = info["nodes"][0]
    nodes = "\n".join(f"  {n['name']:8} {n['http']:28} {n['api']:30} pid {n['pid']}" for n in info["nodes"])
    return f"""
A ring of {len(info["nodes"])} nodes is running; it keeps {info["k"]} copies of every song, and has {songs} songs.

{nodes}

Player     {first["http"]}
Log in     as {info["username"]} with {info["password"]}
API docs   {first["http"]}/api/docs
           (log in there with POST /auth/login, then "Authorize" with: Bearer TOKEN)
List       ringnode --help; for example:
           export RINGNODE_URL={first["api"]} RINGNODE_CA={info["ca"]} RINGNODE_PASSWORD={info["password"]}
           ringnode songs; ringnode status; ringnode upload ~/Music
Look in    ringnode console --tls {first["tls"]} --node {first["pyro"]}

Kill a node (kill -9 {info["nodes"][0]["pid"]}, the player's own) while a song plays,
and listen to nothing happening. Ctrl-C ends the ring; its data stays in
{Path(first["data"]).parent.parent}
"""


@click.command()
@click.option("--nodes", type=click.IntRange(1, 32), help="how many nodes  [3]")
@click.option("--k", type=click.IntRange(1, 8), help="copies of every song  [3, or as many as there are nodes]")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=Path("ringnode-demo"),
              help="folder for all of it; the same folder starts the same ring again  [ringnode-demo]")  # fmt: skip
@click.option("--music", type=click.Path(exists=True, path_type=Path), help="folder with songs to put in")
@click.option("--json", "as_json", is_flag=True, help="print one line of JSON when all is ready")
def demo(nodes: int | None, k: int | None, data: Path, music: Path | None, as_json: bool) -> None:
    """Start a real ring on this machine, put a few songs into it, and run until Ctrl-C."""
    die_with_parent()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    folder = data.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    ring = DemoRing(folder, Plan.load(folder, nodes, k))
    if not as_json:
        click.echo(f"starting {len(ring.plan.places)} nodes in {folder} ...")
    try:
        ring.start()
        ring.wait_ready(stop)
        fill(ring, music)
        info = ring.describe()
        with ring.client(ring.plan.places[0]) as client:
            songs = client.songs(limit=1)["total"]
        click.echo(json.dumps(info) if as_json else welcome(info, songs))
        stop.wait()
        if not as_json:
            click.echo("stopping ...")
    finally:
        ring.stop()
