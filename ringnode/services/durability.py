"""When something is acknowledged: when W = k//2 + 1 nodes hold it durably, or all there are in a smaller ring.

The rest of the k copies follow in the background. Fewer than W: NotEnoughReplicas, and nothing is shown that was not
acknowledged.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress

from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import NoSpace, NotEnoughReplicas, PeerDown, RingnodeError
from ringnode.objects.peers import Peers
from ringnode.protocol.idspace import position
from ringnode.protocol.messages import Peer
from ringnode.storage.blobs import Blobs, Spool

log = logging.getLogger(__name__)

GAP_S = 8.0  # the ring closes over a death within a few rounds of its upkeep
PAUSE_S = 0.25
SPARES = 3  # nodes after the owners that take a copy where an owner cannot
THREADS = 32  # copies sent at once by one gateway worker


class Durability:
    """Writes to the owners of a key, from one gateway, which is a client of its own node."""

    def __init__(self, config: Config, peers: Peers, records: Records, blobs: Blobs) -> None:
        self.pool = ThreadPoolExecutor(THREADS, "copies")
        self._config = config
        self._peers = peers
        self._records = records
        self._blobs = blobs

    def owners(self, key: str, spares: int = 0) -> list[Peer]:
        """The k nodes a key belongs to, and `spares` more, as the ring says now.

        For a moment after a death nobody answers for the dead node's keys: that is waited out, then PeerDown.
        """
        deadline = time.monotonic() + GAP_S
        while True:
            try:
                found = self._peers.call(self._config.address, "owners", key, self._config.k + spares)
                return [Peer.of(peer) for peer in found]
            except PeerDown:
                if time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_S)

    def find(self, kind: str, key: str) -> Record | None:
        """A record; its owners are asked before it is called unknown, for news may not have come here yet."""
        record = self._records.get(kind, key)
        if record is None:
            for peer in self.owners(place_of(kind, key)):
                if not self.is_here(peer):
                    with suppress(RingnodeError):
                        self._records.take(self._peers.call(peer.address, "get_records", [(kind, key)]))
            record = self._records.get(kind, key)
        return record

    def is_here(self, peer: Peer) -> bool:
        """Is it the node of this gateway?"""
        return peer.address == self._config.address

    def wanted(self) -> int:
        """How many nodes must hold something durably before it is acknowledged."""
        members = int(self._peers.call(self._config.address, "members", self._config.repair_delay_s))
        return min(self._config.k // 2 + 1, members)

    def store(self, spool: Spool) -> None:
        """Put a file on its owners. Takes over the spool: it is discarded when the last copy is done.

        NotEnoughReplicas if fewer than W nodes have it; NoSpace if that is because they are full.
        """
        key = spool.key
        try:
            nodes = self.owners(key, SPARES)
            wanted = self.wanted()
        except BaseException:
            spool.discard()
            raise

        def place(peer: Peer) -> None:
            if self.is_here(peer):
                self._blobs.keep(spool)
            else:
                self._peers.send_file(peer.address, key, spool.file)

        self._first(wanted, nodes, place, spool.discard)

    def publish(self, record: Record) -> Record:
        """Put a record on the owners of its key and on this node. Returns it as it stands here."""
        nodes = self.owners(place_of(record.kind, record.key))
        here = [peer for peer in nodes if self.is_here(peer)]
        others = [peer for peer in nodes if not self.is_here(peer)]
        self._first(
            self.wanted() - len(here),
            others,
            lambda peer: self._peers.call(peer.address, "put_records", [record], True),
            lambda: None,
        )
        self._records.merge([record])
        return self._records.get(record.kind, record.key) or record

    def _first(self, wanted: int, nodes: list[Peer], act: Callable[[Peer], object], done: Callable[[], None]) -> None:
        """`act` on the first k of `nodes` at once, on the others where one fails; return after `wanted` successes.

        What is still under way goes on; `done` is called when the last has ended.
        """
        spares = nodes[self._config.k :]
        pending = {self.pool.submit(act, peer) for peer in nodes[: self._config.k]}
        succeeded = 0
        errors: list[BaseException] = []
        while pending and succeeded < wanted:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                error = future.exception()
                if error is None:
                    succeeded += 1
                    continue
                log.warning("a copy was not made: %s", error)
                errors.append(error)
                if spares:
                    pending.add(self.pool.submit(act, spares.pop(0)))
        _when_done(pending, done)
        if succeeded < wanted:
            if errors and all(isinstance(error, NoSpace) for error in errors):
                raise errors[0]
            raise NotEnoughReplicas(f"only {succeeded} of the {wanted} nodes needed took it: try again soon")

    def close(self) -> None:
        """Let what is under way end."""
        self.pool.shutdown()


def place_of(kind: str, key: str) -> str:
    """Where a record lies on the circle: a song's with its file."""
    return key if kind == "song" else position(kind, key)


def _when_done(futures: set[Future[object]], done: Callable[[], None]) -> None:
    """Call `done` once, when the last of `futures` has ended."""
    left = list(futures)
    lock = threading.Lock()

    def ended(future: Future[object]) -> None:
        with lock:
            left.remove(future)
            last = not left
        if last:
            done()

    for future in list(left):
        future.add_done_callback(ended)
    if not futures:
        done()
