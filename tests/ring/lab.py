"""A network of its own for every node: namespaces on a bridge, in which anybody can be cut off from anybody.

A process that builds one lives in a network namespace of its own (`enter`), where the bridge is: no packet leaves it,
and the kernel takes everything away when the processes end. A direction is cut by a neighbour entry that leads
nowhere: what is sent there is lost without a word, as in a real partition.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from support import eventually

INSIDE = "RING_LAB"  # set in the environment of a process that has entered
NET = "10.77.0"
CLIENTS = "10.77.1"
NOWHERE = "02:00:00:00:00:01"  # an address no card has
UNSHARE = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")


def available() -> bool:
    """Does this machine let us make network namespaces?"""
    if not all(map(shutil.which, ("ip", "unshare", "nsenter"))):
        return False
    script = "ip link add a0 type bridge && ip link add b0 type veth peer name b1"
    return subprocess.run([*UNSHARE, "sh", "-c", script], capture_output=True).returncode == 0


def enter() -> None:
    """Start this program again inside an empty network. Returns there, or where there can be none."""
    if INSIDE not in os.environ and available():
        os.environ[INSIDE] = "1"
        os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, *sys.argv])


class Place:
    """Where one node lives: its address, and what to put before a command that runs there."""

    def __init__(self, number: int, net: str = NET, bridge: str = "br0") -> None:
        self.address = f"{net}.{10 + number}"
        self._plugs: list[str] = []
        # It ends with us, however we end: its input does.
        self._holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
        self._path = Path(f"/proc/{self._holder.pid}/ns/net")
        eventually(self._made)
        self.prefix = ["nsenter", f"--net={self._path}"]
        self.ip("link set lo up")
        self._card = self.plug(f"{bridge}p{number}", bridge, self.address)

    def plug(self, name: str, bridge: str, address: str) -> str:
        """Join a network; the card's name here."""
        self._plugs.append(name)
        run("ip", "link", "add", name, "type", "veth", "peer", "name", f"in{name}", "netns", str(self._holder.pid))
        run("ip", "link", "set", name, "master", bridge, "up")
        self.ip(f"addr add {address}/24 dev in{name}", f"link set in{name} up")
        return f"in{name}"

    def _made(self) -> bool:
        return self._path.readlink() != Path("/proc/self/ns/net").readlink()

    def ip(self, *lines: str) -> None:
        """Run lines of `ip` here, all at once."""
        if lines:
            text = "\n".join(lines) + "\n"
            subprocess.run(
                [*self.prefix, "ip", "-batch", "-"], input=text, text=True, check=True, capture_output=True
            )

    def deaf_ears(self, others: Iterable["Place"]) -> None:
        """From now on what is sent from here to `others` is lost."""
        self.ip(*(f"neigh replace {o.address} lladdr {NOWHERE} dev {self._card} nud permanent" for o in others))

    def heal(self) -> None:
        """What is sent from here arrives again."""
        self.ip(f"neigh flush dev {self._card} nud permanent")

    def close(self) -> None:
        """Its network is no more; its names are free at once, where the kernel takes its time with namespaces."""
        for name in self._plugs:
            subprocess.run(["ip", "link", "delete", name], capture_output=True)
        with contextlib.suppress(OSError):
            self._holder.stdin.close()  # type: ignore[union-attr]
        self._holder.wait()


class Router(Place):
    """The only way between the nodes and a network of clients: a filter that lets through what it is told."""

    def __init__(self, places: list[Place]) -> None:
        run("ip", "link", "add", "br1", "type", "bridge")
        run("ip", "link", "set", "br1", "up")
        super().__init__(0, CLIENTS, "br1")
        inner = f"{NET}.9"
        self.plug("br0router", "br0", inner)
        run(*self.prefix, "sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1")
        for place in places:
            place.ip(f"route add {CLIENTS}.0/24 via {inner}")
        self.filter("--policy", "FORWARD", "DROP")
        self.filter("--append", "FORWARD", "--match", "conntrack", "--ctstate", "ESTABLISHED", "--jump", "ACCEPT")

    def filter(self, *rule: str) -> None:
        """A command of iptables here."""
        run(*self.prefix, "iptables", "--wait", *rule)

    def let_through(self, address: str, port: int) -> None:
        """Clients may open this port of a node."""
        self.filter("--append", "FORWARD", "--protocol", "tcp", "--destination", address, "--dport", str(port),
                    "--jump", "ACCEPT")  # fmt: skip

    def client(self, number: int) -> Place:
        """A place on the clients' side."""
        made = Place(number, CLIENTS, "br1")
        made.ip(f"route add default via {self.address}")
        return made


class Lab:
    """The network, seen from its middle: this process hears every node, and is never cut off."""

    def __init__(self) -> None:
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "br0", "type", "bridge")
        run("ip", "addr", "add", f"{NET}.1/24", "dev", "br0")
        run("ip", "link", "set", "br0", "up")
        self.places: list[Place] = []

    def place(self) -> Place:
        """Room for another node."""
        self.places.append(Place(len(self.places)))
        return self.places[-1]

    def split(self, group: list[Place], both_ways: bool = True) -> None:
        """Nobody outside of `group` hears it; with `both_ways` it hears nobody either."""
        others = [place for place in self.places if place not in group]
        for place in group:
            place.deaf_ears(others)
        for place in others if both_ways else []:
            place.deaf_ears(group)

    def heal(self) -> None:
        """Everybody hears everybody."""
        for place in self.places:
            place.heal()

    def close(self) -> None:
        """Take it all down."""
        for place in self.places:
            place.close()
        run("ip", "link", "delete", "br0")


def run(*command: str) -> None:
    """A command that must not fail."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, f"{' '.join(command)}: {done.stderr}"
