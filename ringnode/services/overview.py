"""The ring as people see it: its nodes, their state, and whether this one is well."""

import datetime
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
from ringnode.protocol.membership import DOWN, EXPELLED, GONE, LEAVING, LEFT, PATIENCE_S, SUSPECT, UP
from ringnode.protocol.messages import Peer
from ringnode.services.roster import member_of, peer_of

ASK_AT_ONCE = 16
API_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")  # what may stand in a header; others are no URLs of nodes
RECENT_S = 600.0  # an older error of a loop is history
STATES = (
    "up; joining (it answers, but is not in the ring); suspect (it does not answer, and may yet); down; leaving (it"
    " hands its files over); left and expelled (no part of the ring any more)"
)


@dataclass(frozen=True)
class LoopView:
    """A background pass of a node."""

    name: str = field(metadata={"help": "What it does"})
    runs: int = field(metadata={"help": "How often it ran since the node started"})
    errors: int = field(metadata={"help": "How often it failed since then"})
    error: str = field(metadata={"help": "What went wrong last, empty if nothing did"})
    error_at: str = field(metadata={"help": "When, ISO 8601 in UTC; empty if nothing did"})
    last_run_s: float = field(metadata={"help": "How long the last pass took, in seconds"})


@dataclass(frozen=True)
class Work:
    """What a node does for its files, and how well it is, as it tells itself."""

    load: float = field(metadata={"help": "Its bytes against the mean of all nodes that answer, 1 is the mean"})
    short: int = field(metadata={"help": "Songs it answers for with fewer than k copies, as its last pass saw it"})
    waiting: int = field(metadata={"help": "Songs it answers for that lack a copy which may come back with its node"})
    lost: int = field(metadata={"help": "Songs it answers for of which no node that answers has a copy"})
    repairs: int = field(metadata={"help": "Files still to be copied or handed over in the present pass"})
    repair_bytes: int = field(metadata={"help": "Bytes of these"})
    handover: int = field(metadata={"help": "Files it holds for others that do not have all their copies yet"})
    checked: int = field(metadata={"help": "Files read and hashed again since its start"})
    damaged: int = field(metadata={"help": "Files found damaged since its start"})
    to_check: int = field(metadata={"help": "Files still to be read of a scrub that was asked for"})
    to_check_bytes: int = field(metadata={"help": "Bytes of these"})
    files_aside: int = field(metadata={"help": "Damaged files that lie aside"})
    records_aside: int = field(metadata={"help": "Records it could not take in, at most 100 are counted"})
    disk: str = field(metadata={"help": "What its disk failed with last, empty if it works"})
    clock_ms: int = field(metadata={"help": "Its clock against that of the node that answers, in milliseconds"})
    health: int = field(metadata={"help": "How much it doubts itself, 0 (not at all) to 7: slow or ill connected"})
    loops: tuple[LoopView, ...] = field(metadata={"help": "Its background passes, by name"})


@dataclass(frozen=True)
class Known:
    """Which node it is."""

    id: str = field(metadata={"help": "The node's id, its position on the circle, 64 hex digits"})
    name: str = field(metadata={"help": "What people call it"})
    address: str = field(metadata={"help": "HOST:PORT at which peers reach it"})


@dataclass(frozen=True)
class NodeView(Known):
    """One node of the ring."""

    api: str = field(metadata={"help": "URL of its API"})
    state: str = field(metadata={"help": STATES})
    arc: float = field(metadata={"help": "Share of the circle it is responsible for, 0 to 1"})
    files: int | None = field(metadata={"help": "Song files it holds; null if it is down"})
    files_bytes: int | None = field(metadata={"help": "Bytes of them; null if it is down"})
    free_bytes: int | None = field(metadata={"help": "Bytes it can still take; null if it is down"})
    songs: int | None = field(metadata={"help": "Songs in its catalogue; null if it is down"})
    version: str = field(metadata={"help": "Version of the software; empty if it is down"})
    error: str = field(metadata={"help": "The last error of a loop in the last ten minutes, or why it is down"})
    work: Work | None = field(default=None, metadata={"help": "What it does; null if it does not answer"})


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

    status: str = field(metadata={"help": "ok; joining while the node looks for its ring; left"})
    name: str = field(metadata={"help": "Name of the node"})
    version: str = field(metadata={"help": "Version of the software"})
    joined: bool = field(metadata={"help": "Is the node in its ring?"})
    error: str = field(metadata={"help": "Why not, in words; empty if it is well"})
    makes: tuple[str, ...] = field(default=(), metadata={"help": "What `?format=` of a stream may be here"})


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
            if _said(self._mine()) == LEFT:
                return Health(LEFT, self._config.name, __version__, False, "this node has left its ring for good")
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
        told = [state for state in states if "loops" in state]
        mean = sum(state["files_bytes"] for state in told) / max(len(told), 1)
        arcs = _arcs([record for record in records if _said(record) not in GONE])
        nodes = [
            _view(record, state, arcs.get(record.key, 0.0), mean)
            for record, state in zip(records, states, strict=True)
        ]
        repairs = [state["repair"] for state in states if "repair" in state]
        short, waiting, lost = (sum(repair[name] for repair in repairs) for name in ("short", "waiting", "lost"))
        return RingView(self._config.k, tuple(nodes), self._records.count("song"), short, waiting, lost)

    def node(self) -> NodeView:
        """This node alone."""
        try:
            state = self._peers.call(self._config.address, "state") | {"ahead_ms": 0}
        except RingnodeError as error:
            state = {"error": str(error)}
        return _view(self._mine(), state, 0.0, 0.0)

    def _mine(self) -> Record:
        """What the ring knows of this node; of its former selves at this address only if there is no other."""
        here = [one for one in self._records.live("peer") if one.doc.get("address") == self._config.address]
        nobody = Record("peer", "0", {"name": self._config.name, "address": self._config.address}, "", {})
        return min(here, key=lambda record: _said(record) in GONE, default=nobody)

    def _state(self, record: Record) -> dict[str, Any]:
        said, began = _said(record), time.time()
        if said in GONE:  # who comes back says so before
            return {"error": f"{record.doc['address']} is no part of the ring any more"}
        patience_s = PATIENCE_S if said == DOWN else None  # it may be on its way back; for the dead nobody waits long
        try:
            state: dict[str, Any] = self._peers.call(str(record.doc["address"]), "state", timeout_s=patience_s)
            state["ahead_ms"] = round(state["clock_ms"] - 500 * (began + time.time()))
        except RingnodeError as error:
            return {"error": str(error)}
        if Peer.of(state["peer"]).id != record.key:
            return {"error": f"another node lives at {record.doc['address']} now"}
        return state


def _said(record: Record) -> str:
    member = member_of(record)
    return member.state if member else ""


def _arcs(records: list[Record]) -> dict[str, float]:
    """The share of the circle that each is responsible for."""
    ids = [record.key for record in records]
    size = 1 << 4 * len(ids[0]) if ids else 1
    return {id: round((distance(ids[i - 1], id) or size) / size, 6) for i, id in enumerate(ids)}


def _view(record: Record, state: dict[str, Any], arc: float, mean: float) -> NodeView:
    if _said(record) in GONE and "loops" not in state:
        state = {}  # its silence is no error
    loops = state.get("loops", {}).values()
    recent = [f"{loop['last_error']}" for loop in loops if loop["last_error_at"] > time.time() - RECENT_S]
    return NodeView(
        id=record.key,
        name=str(record.doc.get("name", "")),
        address=str(record.doc.get("address", "")),
        api=str(record.doc.get("api", "")),
        state=_state_of(_said(record), state),
        arc=arc,
        files=state.get("files"),
        files_bytes=state.get("files_bytes"),
        free_bytes=state.get("free_bytes"),
        songs=state.get("songs"),
        version=str(state.get("version", "")),
        error=recent[-1] if recent else state.get("error", ""),
        work=work_of(state, mean) if "loops" in state else None,
    )


def _state_of(said: str, state: dict[str, Any]) -> str:
    """What the node tells counts most; but who is expelled, is."""
    if said == EXPELLED:
        return EXPELLED
    if "loops" in state:
        return LEAVING if state["leaving"] else UP if state["joined"] else "joining"
    return SUSPECT if said == UP else said


def work_of(state: dict[str, Any], mean: float) -> Work:
    """A node's state in the words for people; `mean` bytes lie on every node."""
    repair, scrub = state["repair"], state["scrub"]
    return Work(
        load=round(state["files_bytes"] / mean, 3) if mean else 1.0,
        short=repair["short"],
        waiting=repair["waiting"],
        lost=repair["lost"],
        repairs=repair["todo"],
        repair_bytes=repair["todo_bytes"],
        handover=repair["kept"],
        checked=scrub["checked"],
        damaged=scrub["damaged"],
        to_check=scrub["todo"],
        to_check_bytes=scrub["todo_bytes"],
        files_aside=state["files_aside"],
        records_aside=len(state["records_aside"]),
        disk=state["disk"]["trouble"],
        clock_ms=state["ahead_ms"],
        health=state["doubts_itself"],
        loops=tuple(_loop(name, loop) for name, loop in sorted(state["loops"].items())),
    )


def _loop(name: str, loop: dict[str, Any]) -> LoopView:
    at = datetime.datetime.fromtimestamp(loop["last_error_at"], datetime.UTC).isoformat(timespec="seconds")
    error = loop["last_error"]
    return LoopView(name, loop["runs"], loop["errors"], error, at if error else "", loop["last_run_s"])
