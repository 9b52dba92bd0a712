"""What the whole ring holds, against what the catalogue says should be there.

The walk around the successors meets every node of the ring; the union of what they hold is all there is. Page by
page, in order of key: a page ends where the first node with more to tell has ended.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ringnode.catalogue.records import Records
from ringnode.errors import RingnodeError
from ringnode.objects.peers import Peers
from ringnode.protocol.chord import Ring
from ringnode.protocol.membership import GONE
from ringnode.protocol.messages import Links, Peer
from ringnode.services.overview import Known
from ringnode.services.roster import member_of

NODES = 1024  # more than a walk will ever meet; ends one through pointers that never close
ASK_AT_ONCE = 16
LAST = "f" * 64
WHAT = (
    "lost (no copy on the nodes asked), short (fewer copies than there should be), surplus (more), unrecorded (no"
    " song of it), deleted (its song is, the file goes soon), cut (a copy has another size than the song), damaged (a"
    " damaged copy lies aside)"
)


@dataclass(frozen=True)
class Told(Known):
    """A node, and whether it told what it holds."""

    files: int = field(metadata={"help": "Whole files of this page on it"})
    damaged: int = field(metadata={"help": "Damaged files of this page that lie aside on it"})
    error: str = field(metadata={"help": "Why it could not be asked; empty if it was"})


@dataclass(frozen=True)
class Finding:
    """A file that is not as it should be."""

    key: str = field(metadata={"help": "The file's key, which is its song's id"})
    what: str = field(metadata={"help": WHAT})
    title: str = field(metadata={"help": "Title of its song, empty if it has none"})
    size_bytes: int = field(metadata={"help": "Bytes of the largest copy, or of the song if there is none"})
    nodes: tuple[str, ...] = field(metadata={"help": "Names of the nodes that hold a whole copy"})
    aside: tuple[str, ...] = field(metadata={"help": "Names of the nodes where a damaged one lies aside"})


@dataclass(frozen=True)
class Inventory:
    """A part of all files of the ring, against the catalogue."""

    wanted: int = field(metadata={"help": "Copies there should be of each file: k, or all nodes of a smaller ring"})
    nodes: tuple[Told, ...] = field(metadata={"help": "The nodes in order of the circle, then those not met there"})
    songs: int = field(metadata={"help": "Songs of this page in the catalogue of the node that answers"})
    files: int = field(metadata={"help": "Different files of this page on all nodes asked"})
    copies: int = field(metadata={"help": "Their copies"})
    items: tuple[Finding, ...] = field(metadata={"help": "What is not as it should be, in order of key"})
    next_cursor: str | None = field(metadata={"help": "To be sent as `cursor` for the next page; null on the last"})


class Union:
    """One node's view over all. `ask` calls a method of the node at an address."""

    def __init__(self, k: int, ring: Ring, peers: Peers, records: Records) -> None:
        self._k = k
        self._ring = ring
        self._peers = peers
        self._records = records

    def page(self, after: str, count: int) -> Inventory:
        """The part behind the key `after` ("" to begin), in which no node tells of more than `count` files."""
        met, silent = self._walk()
        with ThreadPoolExecutor(ASK_AT_ONCE, "union") as pool:
            told = dict(zip(met, pool.map(lambda peer: self._holdings(peer, after, count), met), strict=True))
        silent |= {peer: answer for peer, answer in told.items() if isinstance(answer, str)}
        held = {peer: answer for peer, answer in told.items() if not isinstance(answer, str)}
        ends = [keys[-1] for files, aside in held.values() for keys in (list(files), aside) if len(keys) >= count]
        end = min(ends, default=LAST)
        files: dict[str, dict[Peer, int]] = {}
        damaged: dict[str, list[Peer]] = {}
        for peer, (here, aside) in held.items():
            for key in filter(lambda key: key <= end, here):
                files.setdefault(key, {})[peer] = here[key]
            for key in filter(lambda key: key <= end, aside):
                damaged.setdefault(key, []).append(peer)
        songs = set(self._records.keys_between("song", after, end)) if after < end else set()
        wanted = min(self._k, max(len(met), 1))
        keys = sorted(songs | files.keys() | damaged.keys())
        names = self._names()
        found = [self._look_at(key, files.get(key, {}), damaged.get(key, []), wanted, names) for key in keys]
        nodes = [
            Told(peer.id, names.get(peer.id, ""), peer.address, sum(peer in copies for copies in files.values()),
                  sum(aside.count(peer) for aside in damaged.values()), silent.get(peer, ""))
            for peer in [*met, *(peer for peer in silent if peer not in met)]
        ]  # fmt: skip
        copies = sum(map(len, files.values()))
        items = tuple(filter(None, found))
        return Inventory(wanted, tuple(nodes), len(songs), len(files), copies, items, end if ends else None)

    def _walk(self) -> tuple[list[Peer], dict[Peer, str]]:
        """The nodes from this one on around the circle, and those that could not be met, with why."""
        met: dict[str, Peer] = {}
        silent: dict[Peer, str] = {}
        ahead = [self._ring.me]
        while ahead and len(met) < NODES:
            peer = ahead.pop(0)
            if peer.id in met:
                break
            try:
                links = Links.of(self._peers.call(peer.address, "links"))
            except RingnodeError as error:
                silent[peer] = str(error)
                continue
            met[links.me.id] = links.me
            ahead = links.successors
        for member in filter(None, map(member_of, self._records.live("peer"))):
            known = {*met, *(peer.id for peer in silent)}
            if member.peer.id not in known and member.state not in GONE:
                silent[member.peer] = f"it is {member.state}, and the walk around the ring does not meet it"
        return list(met.values()), silent

    def _holdings(self, peer: Peer, after: str, count: int) -> tuple[dict[str, int], list[str]] | str:
        """Files and damaged files of a node, or why they are not known."""
        try:
            files = dict(self._peers.call(peer.address, "inventory", after, count))
            return files, self._peers.call(peer.address, "aside", after, count)
        except RingnodeError as error:
            return str(error)

    def _names(self) -> dict[str, str]:
        return {record.key: str(record.doc.get("name", "")) for record in self._records.live("peer")}

    def _look_at(
        self, key: str, copies: dict[Peer, int], aside: list[Peer], wanted: int, names: dict[str, str]
    ) -> Finding | None:
        record = self._records.get("song", key)
        doc: dict[str, Any] = record.doc if record and not record.deleted else {}
        size = int(doc.get("size_bytes") or 0)
        what = "cut" if size and any(held != size for held in copies.values()) else ""
        if record is None or record.deleted:
            what = ("deleted" if record else "unrecorded") if copies else "damaged"
        elif len(copies) != wanted:
            what = "surplus" if len(copies) > wanted else "short" if copies else "lost"
        if not what and not aside:
            return None
        call: Callable[[Peer], str] = lambda peer: names.get(peer.id) or peer.address  # noqa: E731
        largest = max([size, *copies.values()])
        holders, beside = tuple(sorted(map(call, copies))), tuple(sorted(map(call, aside)))
        return Finding(key, what or "damaged", str(doc.get("title", "")), largest, holders, beside)
