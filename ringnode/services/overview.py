"""The ring as people see it: its nodes, their state, and whether this one is well."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ringnode import __version__
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import RingnodeError
from ringnode.objects.peers import Peers
from ringnode.protocol.idspace import distance
from ringnode.protocol.messages import Peer
from ringnode.services.roster import peer_of

ASK_AT_ONCE = 16
API_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")  # what may stand in a header; others are no URLs of nodes
RECENT_S = 600.0  # an older error of a loop is history


@dataclass(frozen=True)
class NodeView:
    """One node of the ring."""

    id: str = field(metadata={"help": "Position on the circle, 64 hex digits"})
    name: str = field(metadata={"help": "What people call it"})
    address: str = field(metadata={"help": "HOST:PORT at which peers reach it"})
    api: str = field(metadata={"help": "URL of its API"})
    state: str = field(metadata={"help": "up, joining (up, but not in the ring) or down"})
    arc: float = field(metadata={"help": "Share of the circle it is responsible for, 0 to 1"})
    files: int | None = field(metadata={"help": "Song files it holds; null if it is down"})
    files_bytes: int | None = field(metadata={"help": "Bytes of them; null if it is down"})
    free_bytes: int | None = field(metadata={"help": "Bytes it can still take; null if it is down"})
    songs: int | None = field(metadata={"help": "Songs in its catalogue; null if it is down"})
    version: str = field(metadata={"help": "Version of the software; empty if it is down"})
    error: str = field(metadata={"help": "The last error of a loop in the last ten minutes, or why it is down"})


@dataclass(frozen=True)
class RingView:
    """The whole ring, as this node sees it."""

    k: int = field(metadata={"help": "Copies of every song"})
    nodes: tuple[NodeView, ...] = field(metadata={"help": "Every node there is a record of, in order of id"})
    songs: int = field(metadata={"help": "Songs in this node's catalogue"})
    short: int = field(metadata={"help": "Songs with fewer than k copies, as the live nodes counted last"})
    waiting: int = field(metadata={"help": "Songs short of a copy that may come back with its node"})
    lost: int = field(metadata={"help": "Songs of which no node that is up has a copy"})


@dataclass(frozen=True)
class Health:
    """Is this node serving?"""

    status: str = field(metadata={"help": "ok, or joining while the node looks for its ring"})
    name: str = field(metadata={"help": "Name of the node"})
    version: str = field(metadata={"help": "Version of the software"})
    joined: bool = field(metadata={"help": "Is the node in its ring?"})
    error: str = field(metadata={"help": "Why not, in words; empty if it is well"})


class Overview:
    """Asks the nodes themselves; nothing is kept."""

    def __init__(self, config: Config, records: Records, peers: Peers) -> None:
        self._config = config
        self._records = records
        self._peers = peers

    def health(self) -> Health:
        """Answers always, also when the node process does not."""
        try:
            if self._peers.call(self._config.address, "ping")["joined"]:
                return Health("ok", self._config.name, __version__, True, "")
            why = self._peers.call(self._config.address, "state")["loops"]["discover"]["last_error"]
        except RingnodeError as error:
            why = str(error)
        return Health("joining", self._config.name, __version__, False, why)

    def owners(self, key: str) -> list[Peer]:
        """The nodes a key belongs to. Invalid if it is no key."""
        return [Peer.of(peer) for peer in self._peers.call(self._config.address, "owners", key, self._config.k)]

    def apis(self) -> list[str]:
        """The URLs of all nodes' APIs, as their records say; none of them is asked."""
        found = (str(record.doc.get("api", "")) for record in self._records.live("peer"))
        return [api for api in found if API_URL.fullmatch(api)]

    def ring(self) -> RingView:
        """Every node with its state, asked at once."""
        records = [record for record in self._records.live("peer") if peer_of(record)]
        with ThreadPoolExecutor(ASK_AT_ONCE, "overview") as pool:
            states = list(pool.map(self._state, records))
        ids = [record.key for record in records]
        nodes = [
            _view(record, state, ids[i - 1]) for i, (record, state) in enumerate(zip(records, states, strict=True))
        ]
        repairs = [state["repair"] for state in states if "repair" in state]
        short, waiting, lost = (sum(repair[name] for repair in repairs) for name in ("short", "waiting", "lost"))
        return RingView(self._config.k, tuple(nodes), self._records.count("song"), short, waiting, lost)

    def _state(self, record: Record) -> dict[str, Any]:
        try:
            state: dict[str, Any] = self._peers.call(str(record.doc["address"]), "state")
        except RingnodeError as error:
            return {"error": str(error)}
        if Peer.of(state["peer"]).id != record.key:
            return {"error": f"another node lives at {record.doc['address']} now"}
        return state


def _view(record: Record, state: dict[str, Any], before: str) -> NodeView:
    up = "loops" in state
    loops = state.get("loops", {}).values()
    recent = [f"{loop['last_error']}" for loop in loops if loop["last_error_at"] > time.time() - RECENT_S]
    size = 1 << 4 * len(record.key)
    return NodeView(
        id=record.key,
        name=str(record.doc.get("name", "")),
        address=str(record.doc.get("address", "")),
        api=str(record.doc.get("api", "")),
        state=("up" if state["joined"] else "joining") if up else "down",
        arc=round((distance(before, record.key) or size) / size, 6),
        files=state.get("files"),
        files_bytes=state.get("files_bytes"),
        free_bytes=state.get("free_bytes"),
        songs=state.get("songs"),
        version=str(state.get("version", "")),
        error=recent[-1] if recent else state.get("error", ""),
    )
