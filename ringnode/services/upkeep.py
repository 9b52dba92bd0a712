"""What a node does for itself, as one table of loops.

Upload, join, death and return have no machinery of their own: they kick a loop early.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ringnode.catalogue.record import Record, milliseconds
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import CorruptReplica, NotFound, RingnodeError
from ringnode.objects.peers import Peers
from ringnode.protocol.antientropy import RECORDS_A_ROUND, RECORDS_AT_ONCE, exchange
from ringnode.protocol.chord import Ring
from ringnode.protocol.messages import Peer
from ringnode.protocol.replication import Fetch, Replication, Report, Rules, Send
from ringnode.services.discovery import Discovery, peer_of
from ringnode.services.loop import Loop
from ringnode.storage.blobs import Blobs

FAN_OUT = 4  # peers told of a new record: 98 % of 100 nodes within 7 hops, the exchange does the rest
OUTBOX_LIMIT = 10_000  # records waiting to be told; the exchange finds what did not fit
DAY_S = 86_400
SCRUB_S = 30 * DAY_S  # every file is read and hashed again in this time
FREE_STEP = 0.05  # free space is told anew when it changed by this share


class Songs:
    """The catalogue as replication sees it: which files should be there."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def file_keys(self, after: str, upto: str) -> list[str]:
        """Keys of the songs on the clockwise arc (after, upto]."""
        return self._records.keys_between("song", after, upto)

    def is_file(self, key: str) -> bool:
        """Is there a song of this key?"""
        record = self._records.get("song", key)
        return record is not None and not record.deleted


class Pace:
    """Holds a byte rate: call it with what is about to be sent. One thread at a time."""

    def __init__(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_at = 0.0

    def __call__(self, size: int) -> None:
        now = time.monotonic()
        time.sleep(max(0.0, self._free_at - now))
        self._free_at = max(self._free_at, now) + size / self._bytes_per_s


class Upkeep:
    """The loops of one node, over its parts."""

    def __init__(
        self, config: Config, ring: Ring, peers: Peers, blobs: Blobs, records: Records, discovery: Discovery
    ) -> None:
        self.config = config
        self.ring = ring
        self.peers = peers
        self.blobs = blobs
        self.records = records
        self.discovery = discovery
        self.report = Report()
        self.scrubbed = 0
        self._outbox: deque[Record] = deque(maxlen=OUTBOX_LIMIT)
        self._pace = Pace(config.repair_bytes_per_s) if config.repair_bytes_per_s else lambda _: None
        self._announced: dict[str, Any] = {}
        rules = Rules(config.k, config.repair_delay_s, config.quiet_s)
        self._replication = Replication(ring, blobs, Songs(records), rules)
        peers.effects[Send] = self._send
        peers.effects[Fetch] = self._fetch
        joined = self._if_joined
        self.loops = {
            name: Loop(name, period_s, once)
            for name, period_s, once in (
                ("discover", 1.0, discovery.once),
                ("stabilise", config.stabilise_every_s, joined(self.stabilise)),
                ("spread", 3600.0, joined(self.spread)),
                ("exchange", config.exchange_every_s, joined(self.exchange)),
                ("replicate", config.replicate_every_s, joined(self.replicate)),
                ("audit", config.audit_every_s, joined(self.audit)),
            )
        }

    def _if_joined(self, once: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: once() if self.ring.joined else None

    # -- who is where ------------------------------------------------------------------------------------------

    def stabilise(self) -> None:
        """One round of the ring's upkeep, with the peers that the records name."""
        known = {peer.id: peer for peer in map(peer_of, self.records.live("peer")) if peer}
        with self.peers.lock:
            self.ring.known = {**self.discovery.met, **known}
            self.ring.known.pop(self.ring.me.id, None)
            before = (self.ring.predecessor, self.ring.successors)
        self.peers.run(self.ring.maintain())
        if before != (self.ring.predecessor, self.ring.successors):
            self.loops["replicate"].kick()

    # -- records to everyone -----------------------------------------------------------------------------------

    def tell(self, news: list[Record]) -> None:
        """Have these records told to random peers, soon."""
        self._outbox.extend(news)
        self.loops["spread"].kick()

    def spread(self) -> bool:
        """Tell what is new to a few random peers, who tell it on if it was news to them."""
        news: list[Record] = []
        while self._outbox and len(news) < RECORDS_AT_ONCE:
            news.append(self._outbox.popleft())
        for peer in self._random_peers(FAN_OUT) if news else []:
            try:
                self.peers.call(peer.address, "put_records", news, True)
            except RingnodeError:
                continue  # the exchange will bring it there
        return bool(self._outbox)

    def exchange(self) -> bool:
        """Make the records of one random peer and mine equal."""
        for peer in self._random_peers(1):
            return self.peers.run(exchange(self.records, peer)) >= RECORDS_A_ROUND
        return False

    def _random_peers(self, count: int) -> list[Peer]:
        with self.peers.lock:
            everyone = {peer.id: peer for peer in [*self.ring.known.values(), *self.ring.successors]}
            everyone.pop(self.ring.me.id, None)
            live = sorted(peer for peer in everyone.values() if peer.id not in self.ring.down)
        return random.sample(live, min(count, len(live)))

    # -- files to their owners ---------------------------------------------------------------------------------

    def replicate(self) -> None:
        """Bring the files I answer for to their owners, and what I need not hold to those who should."""
        self.report = self.peers.run(self._replication.replicate())
        if self.report.errors:
            raise RingnodeError(f"{len(self.report.errors)} times, first: {self.report.errors[0]}")

    def _send(self, effect: Send) -> None:
        with self.blobs.open(effect.key) as file:
            self.peers.send_file(effect.peer.address, effect.key, file, self._pace)

    def _fetch(self, effect: Fetch) -> None:
        offset, size = 0, 1
        while offset < size:
            data, size = self.peers.fetch(effect.peer.address, effect.key, offset, 1 << 20)
            self._pace(len(data))
            if not data:
                raise CorruptReplica(f"the copy of {effect.key[:12]} at {effect.peer.address} ends early")
            offset = self.blobs.take_piece(effect.key, size, offset, data)

    # -- housekeeping ------------------------------------------------------------------------------------------

    def audit(self) -> None:
        """Drop the files of songs deleted long enough ago, re-read some files, say who and where I am."""
        self.tell(self.records.take_due())
        for key in set(self.records.keys("song", deleted=True)) & set(self.blobs.keys()):
            if self._may_go(key):
                self.blobs.drop(key)
        for path in self.blobs.incoming.iterdir():  # of a worker that crashed: the node's own were cleaned at start
            if time.time() - path.stat().st_mtime > DAY_S:
                path.unlink(missing_ok=True)
        self._scrub()
        self.announce()

    def _may_go(self, key: str) -> bool:
        """Is the song deleted, that and the file's arrival a grace ago? Bytes come before their record."""
        record = self.records.get("song", key)
        if record is None or not record.deleted or self.blobs.age_s(key) < self.config.delete_grace_s:
            return False
        deleted_ms = milliseconds(record.stamp_of("deleted"))
        return time.time() * 1000 - deleted_ms >= self.config.delete_grace_s * 1000

    def _scrub(self) -> None:
        """Re-hash the share of my files that is due in one period; where to go on is kept over restarts."""
        cursor = self.config.data / "scrubbed"
        last = cursor.read_text() if cursor.exists() else ""
        keys = self.blobs.keys()
        due = -(-len(keys) * self.config.audit_every_s // SCRUB_S)
        following = [key for key in keys if key > last] + [key for key in keys if key <= last]
        for key in following[: int(due)]:
            try:
                good = self.blobs.verify(key)
            except NotFound:
                continue  # dropped meanwhile
            self.scrubbed += 1
            cursor.write_text(key)
            if not good:
                self.loops["replicate"].kick()
                raise CorruptReplica(f"my copy of {key[:12]} was damaged; it lies aside, a good one is fetched")

    def announce(self) -> None:
        """Put my own peer record, if what it says has changed."""
        free = self.blobs.free_bytes()
        said = self._announced.get("free_bytes", -1)
        mine = {
            "name": self.config.name,
            "address": self.ring.me.address,
            "api": self.config.api_url,
            "incarnation": self.ring.me.incarnation,
            "free_bytes": said if abs(free - said) <= FREE_STEP * abs(said) else free,
        }
        if mine != self._announced:
            self.tell([self.records.put("peer", self.ring.me.id, mine)])
            self._announced = mine

    # -- all of it ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start every loop."""
        for loop in self.loops.values():
            loop.start()

    def stop(self) -> None:
        """Stop them together: each waits for its own present pass."""
        stoppers = [threading.Thread(target=loop.stop) for loop in self.loops.values()]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()
