"""A Python prompt inside the ring: the node's remote object, and a few words to walk around with."""

import importlib
import sys
from code import InteractiveConsole
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import click
from blake3 import blake3
from Pyro5.api import Proxy
from Pyro5.errors import PyroError

from ringnode import ca
from ringnode.cache import cache_folder
from ringnode.config import split_address
from ringnode.errors import Invalid, NotFound, RingnodeError
from ringnode.objects import wire
from ringnode.objects.peers import OBJECT, Peers, translated
from ringnode.protocol.idspace import is_id
from ringnode.protocol.messages import Peer
from ringnode.terminal import show_table

TIMEOUT_S = 5.0
SHORT_ID = 12
UNION_FILES, UNION_S = 4096, 60.0  # of each node on a page, and how long all may take to list them
NODES = 1024  # more than a walk will ever meet; ends one through pointers that never close

BANNER = """\
node             the node at {address}: node.state(), node.links(), node.peers() ... (Tab completes)
ring()           walk around the ring and list its nodes
lookup(key)      which node a key belongs to; any other text is hashed first
who_has(song)    which nodes hold a song's file; an id or its beginning
inventory()      what all nodes hold that is not as the catalogue says
peer(name)       another node like `node`, by its name or HOST:PORT
Ctrl-D           leave"""


def console(tls: Path, address: str, code: str = "") -> None:
    """A prompt, or one statement. PeerDown, PeerRefused if the node at `address` does not let us in."""
    split_address(address)
    ca.fingerprint(tls)  # says what is wrong with the folder
    wire.setup(tls)
    with ExitStack() as stack:
        view = View(address, stack)
        names: dict[str, Any] = {
            "node": view.proxy(address), "ring": view.ring, "lookup": view.lookup, "who_has": view.who_has,
            "peer": view.peer, "inventory": view.inventory,
        }  # fmt: skip
        view.ask(address, "ping")
        if not code:
            complete_and_remember(names, stack)
            Prompt(names).interact(BANNER.format(address=address), exitmsg="")
            return
        try:
            exec(compile(code, "<console>", "single"), names)  # noqa: S102 - what this is for
        except PyroError as error:
            raise translated(address, code, error) from error


class Prompt(InteractiveConsole):
    """Python's, but what a node says no to is a sentence."""

    def showtraceback(self) -> None:
        """Of the person's own mistakes."""
        error = sys.exc_info()[1]
        if isinstance(error, RingnodeError | PyroError):
            self.write(f"error: {error}\n")
        else:
            super().showtraceback()


class View:
    """The ring as seen from one node."""

    def __init__(self, address: str, stack: ExitStack) -> None:
        self._address = address
        self._stack = stack
        self._peers = Peers(TIMEOUT_S)
        stack.callback(self._peers.close)

    def ask(self, address: str, method: str, *args: Any) -> Any:
        """Call a node in the way nodes do."""
        return self._peers.call(address, method, *args)

    def proxy(self, address: str) -> Proxy:
        """A node's remote object, as any Pyro program has it."""
        proxy = self._stack.enter_context(Proxy(f"PYRO:{OBJECT}@{address}"))
        proxy._pyroTimeout = TIMEOUT_S
        return proxy

    def ring(self) -> list[dict[str, Any]]:
        """Ask one node after the other for its state; a successor that does not answer is passed over."""
        found: dict[str, dict[str, Any]] = {}
        silent: dict[str, str] = {}
        ahead = [self._address]
        while ahead and len(found) < NODES:
            address = ahead.pop(0)
            if address in found:
                break
            try:
                found[address] = self.ask(address, "state")
                ahead = [Peer.of(peer).address for peer in found[address]["successors"]]
            except RingnodeError as error:
                silent[address] = str(error)
        nodes = [_seen(state) for state in found.values()]
        rows = [
            (n["name"], n["id"][:SHORT_ID], n["address"], n["predecessor"][:SHORT_ID],
             " ".join(key[:SHORT_ID] for key in n["successors"]), n["files"])
            for n in nodes
        ]  # fmt: skip
        rows += [("?", "-", address, "-", why, "-") for address, why in silent.items()]
        show_table(("name", "id", "address", "predecessor", "successors", "#files"), rows)
        return nodes

    def lookup(self, key: str) -> Peer:
        """The node responsible for a key, or for the hash of any other text."""
        if not is_id(key):
            text, key = key, blake3(key.encode()).hexdigest()
            click.echo(f"the BLAKE3 of {text!r} is {key}")
        return Peer.of(self.ask(self._address, "find_successor", key))

    def who_has(self, song: str) -> list[Peer]:
        """The nodes that hold a song's file, its owners first. Invalid for a beginning that several have."""
        key = song if is_id(song) else self._whole_id(song)
        k = self.ask(self._address, "ping")["k"]
        owners = [Peer.of(peer) for peer in self.ask(self._address, "owners", key, k)]
        known = [Peer.of(peer) for peer in self.ask(self._address, "peers")]
        holders = []
        for peer in dict.fromkeys([*owners, *known]):
            try:
                if self.ask(peer.address, "has_replicas", [key])[0]:
                    holders.append(peer)
            except RingnodeError as error:
                click.echo(str(error))
        return holders

    def inventory(self) -> list[dict[str, Any]]:
        """Every file of the ring that is not as the catalogue says, and how many each node holds."""
        found: list[dict[str, Any]] = []
        held: dict[str, int] = {}
        after: str | None = ""
        while after is not None:
            page = self._peers.call(self._address, "union", after, UNION_FILES, timeout_s=UNION_S)
            found += page["items"]
            for node in page["nodes"]:
                name = node["name"] or node["address"]
                held[name] = held.get(name, 0) + node["files"]
                if node["error"]:
                    click.echo(f"{name} could not be asked: {node['error']}")
            after = page["next_cursor"]
        show_table(("node", "#files"), held.items())
        return found

    def _whole_id(self, start: str) -> str:
        sums = self.ask(self._address, "digests", [])
        groups = [list(range(256 * n, 256 * (n + 1))) for n, total in enumerate(sums) if total]
        keys = [
            key
            for buckets in groups
            for kind, key, _ in self.ask(self._address, "entries", buckets)
            if kind == "song" and key.startswith(start)
        ]
        if not keys:
            raise NotFound(f"the node has no song whose id begins with {start!r}")
        if len(keys) > 1:
            raise Invalid(f"{len(keys)} songs have ids that begin with {start!r}")
        return str(keys[0])

    def peer(self, name: str) -> Proxy:
        """Another node, by its name or its HOST:PORT. NotFound."""
        if ":" in name:
            return self.proxy(name)
        for peer in map(Peer.of, self.ask(self._address, "peers")):
            with suppress(RingnodeError):  # one that is down has no name to tell
                if self.ask(peer.address, "ping")["name"] == name:
                    return self.proxy(peer.address)
        raise NotFound(f"no node that answers is called {name!r}")


def _seen(state: dict[str, Any]) -> dict[str, Any]:
    """What a walk around the ring tells of a node; "" for a predecessor that is not known."""
    me, before = Peer.of(state["peer"]), state["predecessor"]
    return {
        "name": state["name"],
        "id": me.id,
        "address": me.address,
        "predecessor": Peer.of(before).id if before else "",
        "successors": [Peer.of(peer).id for peer in state["successors"]],
        "files": state["files"],
    }


def complete_and_remember(names: dict[str, Any], stack: ExitStack) -> None:
    """Completion with Tab and a history that lasts, where Python has readline."""
    try:
        readline: Any = importlib.import_module("readline")
    except ImportError:
        return
    readline.set_completer(importlib.import_module("rlcompleter").Completer(names).complete)
    readline.parse_and_bind("tab: complete")
    history = cache_folder() / "console_history"
    with suppress(OSError):
        history.parent.mkdir(0o700, parents=True, exist_ok=True)
        stack.callback(readline.write_history_file, history)
        readline.read_history_file(history)
