"""The remote object of a node, `ringnode.node`: what peers, gateways and the console call.

Every method is a translation: it takes the ring's lock, asks, and answers plain data. Peers travel as
[id, address, incarnation], keys and ids as hex text, records as [kind, key, doc, stamp, edits].
"""

import sys
from typing import Any, Protocol

from Pyro5.api import current_context, expose

from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.errors import CorruptReplica, Invalid
from ringnode.objects.peers import Peers
from ringnode.objects.wire import CHUNK_BYTES, DATA
from ringnode.protocol.idspace import is_id
from ringnode.protocol.leases import Leases
from ringnode.protocol.membership import Membership
from ringnode.protocol.messages import Links, Peer, Route
from ringnode.protocol.replication import BATCH, owners_of
from ringnode.storage.blobs import Blobs

NAME_LIMIT = 300  # characters of a lease's name or holder
MANY = 4096  # items in one question: above what our own callers ask


class Self(Protocol):
    """What only the assembled node knows."""

    def greeting(self) -> dict[str, Any]: ...
    def state(self) -> dict[str, Any]: ...
    def inventory(self, after: str, count: int) -> list[Any]: ...
    def aside(self, after: str, count: int) -> list[str]: ...
    def union(self, after: str, count: int) -> dict[str, Any]: ...
    def copy_of(self, key: str) -> dict[str, Any]: ...
    def kick(self, loop: str) -> None: ...
    def scrub(self) -> None: ...
    def doubt(self, key: str) -> None: ...
    def place(self, address: str) -> str: ...
    def leave(self) -> None: ...
    def spread(self, news: list[Record]) -> None: ...


@expose
class ChordNode:
    """One node, as others see it."""

    def __init__(
        self, membership: Membership, leases: Leases, peers: Peers, blobs: Blobs, records: Records, node: Self
    ) -> None:
        self._ring = membership.ring
        self._membership = membership
        self._leases = leases
        self._peers = peers
        self._blobs = blobs
        self._records = records
        self._node = node

    # -- the ring ----------------------------------------------------------------------------------------------

    def ping(self) -> dict[str, Any]:
        """Who I am: peer, joined, ring (fingerprint of its authority), k, clock_ms, version, name."""
        return self._node.greeting()

    def links(self) -> Links:
        """[me, predecessor or None, [successors]]. NotJoined before there are any."""
        with self._peers.lock:
            return self._ring.links()

    def route(self, key: str) -> Route:
        """One hop of a lookup: [my links, []] if the key is mine, else [None, [whom to ask, best first]]."""
        with self._peers.lock:
            return self._ring.route(_key(key))

    def closest_preceding(self, key: str) -> list[Peer]:
        """Peers nearer to the key than I am, best first; none if it is mine."""
        return self.route(key).closer

    def notify(self, peer: Any) -> None:
        """`peer` believes that it is my predecessor."""
        with self._peers.lock:
            news = self._ring.notify(Peer.of(peer))
        if news:
            self._node.kick("stabilise")

    def find_successor(self, key: str) -> Peer:
        """The node responsible for the key, by its own word."""
        return self._peers.run(self._ring.find_successor(_key(key))).me

    def owners(self, key: str, count: int) -> list[Peer]:
        """The responsible node and the next ones, `count` in all or as many as there are."""
        return owners_of(self._peers.run(self._ring.find_successor(_key(key))), count)

    def reaches(self, peer: Any) -> None:
        """Does `peer` answer me? PeerDown if not."""
        self._peers.run(self._membership.reaches(Peer.of(peer)))

    def accused(self, incarnation: int) -> None:
        """Someone holds this incarnation of mine for dead."""
        with self._peers.lock:
            self._membership.accused(incarnation)

    def place(self, address: str) -> str:
        """An id for the new node at `address`, in the largest gap of the circle."""
        return self._node.place(address)

    def leave(self) -> None:
        """Leave the ring for good, once every file here has other holders. Conflict for the only node."""
        self._node.leave()

    def peers(self) -> list[Peer]:
        """Every peer I know, myself included, in order of id."""
        with self._peers.lock:
            ring = self._ring
            heard = [ring.me, *ring.known.values(), *ring.successors, ring.predecessor or ring.me]
            return sorted({peer.id: peer for peer in heard}.values())

    def members(self, away_s: float) -> int:
        """How many nodes the ring counts, those silent for less than `away_s` seconds included."""
        with self._peers.lock:
            return self._ring.members(away_s)

    def kick(self, loop: str) -> None:
        """Run a loop now instead of when its time comes."""
        self._node.kick(loop)

    def state(self) -> dict[str, Any]:
        """All that the node believes and does: pointers, peers, files, loops and their last errors."""
        return self._node.state()

    # -- leases ------------------------------------------------------------------------------------------------

    def lease(self, name: str, holder: str) -> int:
        """Grant it: its number. Conflict while another holds it, PeerBusy if this node cannot say now."""
        return self._peers.run(self._leases.grant(_text(name), _text(holder)))

    def witness(self, name: str, holder: str, number: int) -> None:
        """Remember what my predecessor grants; Conflict or PeerBusy if I object."""
        with self._peers.lock:
            self._leases.witness(_text(name), _text(holder), number)

    def release(self, name: str, holder: str, number: int) -> None:
        """Give the lease of this number back before its time; one that is not held is passed over."""
        self._peers.run(self._leases.release(_text(name), _text(holder), number))

    # -- files -------------------------------------------------------------------------------------------------

    def has_replicas(self, keys: list[str]) -> list[bool]:
        """For each key: is it here, whole and durable?"""
        return [self._blobs.vouches(key) for key in _few(keys, BATCH)]

    def store_replica(self, key: str, size: int, offset: int) -> int:
        """A piece of a file, its bytes in the annotation DATA. Answers the offset to go on at; `size` when durable.

        CorruptReplica if the whole does not hash to the key, NoSpace if the reserve would be used. NotJoined if this
        node was in no ring when it had the piece: what comes to one that leaves may miss its handing over.
        """
        if not isinstance(size, int) or not 0 < size < 1 << 50 or not isinstance(offset, int) or offset < 0:
            raise Invalid("size and offset must be bytes")
        offset = self._blobs.take_piece(_key(key), size, offset, current_context.annotations.get(DATA, b""))
        self.links()
        return offset

    def fetch_replica(self, key: str, offset: int, length: int) -> int:
        """Answers the file's size, and up to 1 MiB of its bytes in the annotation DATA.

        NotFound without a copy, CorruptReplica if the disk cannot read it.
        """
        try:
            data, size = self._blobs.piece(_key(key), max(offset, 0), min(max(length, 0), CHUNK_BYTES))
        except CorruptReplica:
            self._node.doubt(key)
            raise
        current_context.response_annotations = {DATA: data}
        return size

    def doubt(self, key: str) -> None:
        """My copy did not hash to its key elsewhere: look at it soon."""
        self._node.doubt(_key(key))

    def copy_of(self, key: str) -> dict[str, Any]:
        """How my copy is: size_bytes (None without one), verified_at (seconds since 1970, None if never since my
        start), aside (how many damaged ones are kept)."""
        return self._node.copy_of(_key(key))

    def scrub(self) -> None:
        """Read all files here again, now; `state()["scrub"]` shows how far that is."""
        self._node.scrub()

    def aside(self, after: str, count: int) -> list[str]:
        """Keys of the damaged files kept here, in order, one for each file, of at most `count` behind `after`."""
        return self._node.aside(after, min(count, MANY))

    def union(self, after: str, count: int) -> dict[str, Any]:
        """What all nodes of the ring hold against the catalogue here, a part of it: the fields of `Inventory`."""
        return self._node.union(after, min(max(count, 1), MANY))

    def inventory(self, after: str, count: int) -> list[Any]:
        """[key, size in bytes] of files here, in order of key, the first `count` behind `after` ("" to begin)."""
        return self._node.inventory(after, min(count, MANY))

    # -- records -----------------------------------------------------------------------------------------------

    def digests(self, groups: list[int]) -> list[Any]:
        """Sums of the 256 groups for [], else of the 256 buckets of each group named.

        NotJoined before this node is in its ring: what it has may be an old copy of its folder.
        """
        self.links()
        return self._records.buckets(_few(groups, 256)) if groups else self._records.groups()

    def entries(self, buckets: list[int]) -> list[tuple[str, str, int]]:
        """[kind, key, hash] of every record in the buckets. NotJoined as above."""
        self.links()
        return self._records.entries(_few(buckets, 256))

    def get_records(self, names: list[tuple[str, str]], most_bytes: int = sys.maxsize) -> list[Record]:
        """The records named by [kind, key], as far as they are here; of more than `most_bytes` the first."""
        return self._records.documents(_few(names, MANY), most_bytes)

    def keep_record(self, record: Any) -> None:
        """Take in what a person has just written, durable when it answers. Invalid if it is from the future.

        NotJoined if this node was in no ring then: it is told on, and counts for nothing.
        """
        news = self._records.keep(record)
        self._node.spread(news)
        self.links()

    def keep_records(self, records: list[Any]) -> None:
        """The same for several at once: all of them or, if one is Invalid, none."""
        news = self._records.keep_all(_few(records, MANY))
        self._node.spread(news)
        self.links()

    def put_records(self, records: list[Any], spread: bool) -> int:
        """Take in records, durable when it answers how many were news; with `spread` news is told to others."""
        news = self._records.take(_few(records, MANY))
        if news and spread:
            self._node.spread(news)
        return len(news)


def _key(key: Any) -> str:
    if not is_id(key):
        raise Invalid(f"a key is 64 hex digits, not {key!r:.80}", "key")
    return str(key)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= NAME_LIMIT:
        raise Invalid(f"a name of at most {NAME_LIMIT} characters was expected, not {value!r:.80}")
    return value


def _few(items: Any, most: int) -> list[Any]:
    if not isinstance(items, list | tuple) or len(items) > most:
        raise Invalid(f"a list of at most {most} was expected")
    return list(items)
