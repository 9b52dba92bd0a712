"""Writes to the owners of a key, from one gateway, which is a client of its own node.

What is acknowledged, and when, is `protocol/writing.py`'s to say.
"""

import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import NotFound, RingnodeError, Stale
from ringnode.objects.peers import Peers
from ringnode.protocol.antientropy import BYTES_AT_ONCE
from ringnode.protocol.messages import Peer, Step
from ringnode.protocol.writing import SPARES, Writing
from ringnode.services.leasing import Held
from ringnode.storage.blobs import Blobs, Spool

RECENT_S = 0.5  # an upload asks three times within it; a death is noticed later
RECENT = 1000  # keys; then all are forgotten


class Place(NamedTuple):
    """Please store an upload at `peer`; resume me when it is durable there."""

    peer: Peer
    spool: Spool


@dataclass(frozen=True)
class _Here(Writing):
    """At a gateway, where a call costs more than the answer: its node is asked once for what is done right after one
    another."""

    recent: dict[tuple[str, str], tuple[float, Any]] = field(default_factory=dict)

    def owners(self, key: str, spares: int = 0) -> Step[list[Peer]]:
        found: list[Peer] = yield from self._recall(("owners", key), lambda: Writing.owners(self, key, SPARES))
        return found[: self.k + spares]

    def wanted(self) -> Step[int]:
        count: int = yield from self._recall(("wanted", ""), lambda: Writing.wanted(self))
        return count

    def _recall(self, what: tuple[str, str], ask: Callable[[], Step[Any]]) -> Step[Any]:
        at, answer = self.recent.get(what, (float("-inf"), None))
        if time.monotonic() - at > RECENT_S:
            answer = yield from ask()
            if len(self.recent) >= RECENT:
                self.recent.clear()
            self.recent[what] = time.monotonic(), answer
        return answer


class Durability:
    """Over the gateway's parts."""

    def __init__(self, config: Config, peers: Peers, records: Records, blobs: Blobs) -> None:
        self._config = config
        self._peers = peers
        self._records = records
        self._blobs = blobs
        self._home = Peer("", config.address)
        self._writing = _Here(self._home, config.k, config.repair_delay_s)
        peers.effects[Place] = self._place

    def owners(self, key: str) -> list[Peer]:
        """The k nodes a key belongs to. PeerDown if no node answers for it, which is waited out first."""
        return self._peers.run(self._writing.owners(key))

    def find(self, kind: str, key: str) -> Record | None:
        """A record; its owners are asked before it is called unknown, for news may not have come here yet."""
        found: Record | None = self._records.get(kind, key)
        return found or self._peers.run(self._writing.find(self._records, kind, key))

    def latest(self, kind: str, key: str) -> Record | None:
        """A record as its owners have it, for a change: what is written next wins over all that was acknowledged."""
        found: Record | None = self._peers.run(self._writing.latest(self._records, kind, key))
        return found

    @contextmanager
    def changing(self, kind: str, key: str, versions: Container[str] | None = None) -> Iterator[Record]:
        """A record as its owners have it, to be changed and published inside. NotFound if it is not there or deleted.

        With `versions` (those that the caller has read: `Record.newest`) Stale if it is none of them, and no other
        change with versions can come in between. Without, the newer value of every field wins.
        """
        with self.lease(f"change/{kind}/{key}") if versions is not None else nullcontext() as held:
            record = self.latest(kind, key)
            if record is None or record.deleted:
                raise NotFound(f"there is no {kind} {key:.64}")
            if versions is not None and record.newest() not in versions:
                raise Stale("it has changed since you read it: read it again")
            if held:
                held.require()
            yield record

    def latest_all(self, names: Sequence[tuple[str, str]]) -> list[Record | None]:
        """`latest` of several records, named by (kind, key), that lie in one place."""
        found: list[Record | None] = self._peers.run(self._writing.latest_all(self._records, names))
        return found

    def is_here(self, peer: Peer) -> bool:
        """Is it the node of this gateway?"""
        return peer.address == self._config.address

    def lease(self, name: str) -> Held:
        """For what two must not do at once, anywhere in the ring: `with durability.lease("account/anna") as held:`

        Conflict on entering while another holds it, PeerBusy if no node can grant it now. `held.require()`, just
        before what must be done only once, raises Conflict if the lease was lost meanwhile.
        """
        return Held(self._peers, self._home, name)

    def wanted(self) -> int:
        """How many nodes must hold something durably before it is acknowledged."""
        return self._peers.run(self._writing.wanted())

    def store(self, spool: Spool) -> None:
        """Put a file on its owners. Takes over the spool: it is discarded when the last copy is done.

        NotEnoughReplicas if fewer than W nodes have it; NoSpace if that is because they are full.
        """
        try:
            self._peers.run(self._writing.put(spool.key, lambda peer: Place(peer, spool), spool.discard))
        except BaseException:
            spool.discard()
            raise

    def _place(self, effect: Place) -> None:
        spool = effect.spool
        if self.is_here(effect.peer):
            self._blobs.keep(spool)
            self._peers.call(effect.peer.address, "links")  # NotJoined: nothing counts at a node that leaves
        else:
            self._peers.send_file(effect.peer.address, spool.key, spool.file)

    def publish(self, record: Record) -> Record:
        """Put a record on the owners of its key and on this node. Returns it as it stands here."""
        self._peers.run(self._writing.publish(record.kind, record.key, record))
        return self._records.get(record.kind, record.key) or record

    def publish_all(self, records: Sequence[Record]) -> None:
        """`publish` for several records that lie in one place, such as a playlist and its entries.

        At each node all or none, as far as one message carries them; else the first ones before the next.
        """
        left = list(records)
        while left:
            few = Record.first_few(left, BYTES_AT_ONCE)
            self._peers.run(self._writing.publish_all(few))
            left = left[len(few) :]

    def note(self, record: Record) -> None:
        """Keep a record on this node and tell others, without waiting for them: what may be lost with this node."""
        try:
            self._peers.call(self._config.address, "keep_record", record)
        except RingnodeError:  # the node starts or ends: its next exchange brings it to the others
            self._records.merge([record])
