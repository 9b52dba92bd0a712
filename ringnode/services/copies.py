"""Files to their owners, whole: the driver of the replication pass, scrub, and the end of what was deleted."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ringnode.catalogue.record import milliseconds
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import CorruptReplica, NotFound, RingnodeError
from ringnode.objects.peers import Peers
from ringnode.protocol.chord import Ring
from ringnode.protocol.messages import Fetch, Send, Verify
from ringnode.protocol.replication import Replication, Report, Rules
from ringnode.storage.blobs import Blobs

DAY_S = 86_400
SCRUB_S = 30 * DAY_S  # every file is read and hashed again in this time
DOUBTS = 1000  # keys to be read again soon
PIECE_BYTES = 1 << 20


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

    def size_bytes(self, key: str) -> int:
        """Of the song's file, 0 if it is not known."""
        record = self._records.get("song", key)
        return int(record.doc.get("size_bytes") or 0) if record else 0


class Pace:
    """Holds a byte rate: call it with what is about to be sent. One thread at a time."""

    def __init__(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_at = 0.0

    def __call__(self, size: int) -> None:
        now = time.monotonic()
        time.sleep(max(0.0, self._free_at - now))
        self._free_at = max(self._free_at, now) + size / self._bytes_per_s


class Copies:
    """The files of one node. `kick` makes a loop run early."""

    def __init__(
        self,
        config: Config,
        ring: Ring,
        peers: Peers,
        blobs: Blobs,
        records: Records,
        kick: Callable[[str], None],
    ) -> None:
        self.scrubbed = 0
        self.replication = Replication(
            ring, blobs, Songs(records), Rules(config.k, config.repair_delay_s, config.quiet_s)
        )
        self.repair: dict[str, Any] = vars(Report())  # of the last whole pass, as told to people
        self._config = config
        self._peers = peers
        self._blobs = blobs
        self._records = records
        self._kick = kick
        self._doubted: deque[str] = deque(maxlen=DOUBTS)
        self._pace = Pace(config.repair_bytes_per_s) if config.repair_bytes_per_s else lambda _: None
        peers.effects |= {Send: self._send, Fetch: self._fetch, Verify: lambda effect: self.verify(effect.key)}

    # -- the pass ----------------------------------------------------------------------------------------------

    def replicate(self) -> None:
        """Bring the files I answer for to their owners, and what I need not hold to those who should."""
        report = self._peers.run(self.replication.replicate())
        self.repair = vars(report)
        if report.errors:
            raise RingnodeError(f"{len(report.errors)} times, first: {report.errors[0]}")

    def _send(self, effect: Send) -> None:
        """My own copy, or another node's by way of me."""
        if effect.source.address != self._peers.address:
            self._relay(effect)
            return
        with self._blobs.open(effect.key) as file:
            self._peers.send_file(effect.peer.address, effect.key, file, self._pace)

    def _relay(self, effect: Send) -> None:
        offset, size = 0, 1
        while offset < size:
            data, size = self._peers.fetch(effect.source.address, effect.key, offset, PIECE_BYTES)
            offset = self._peers.send_piece(effect.peer.address, effect.key, size, offset, data)
            self._pace(len(data))

    def _fetch(self, effect: Fetch) -> None:
        offset, size = 0, 1
        while offset < size:
            data, size = self._peers.fetch(effect.peer.address, effect.key, offset, PIECE_BYTES)
            self._pace(len(data))
            if not data:
                raise CorruptReplica(f"the copy of {effect.key[:12]} at {effect.peer.address} ends early")
            offset = self._blobs.take_piece(effect.key, size, offset, data)

    # -- is what is here good? ---------------------------------------------------------------------------------

    def doubt(self, key: str) -> None:
        """A peer got bytes from me that do not hash to their key."""
        self._doubted.append(key)
        self._kick("audit")

    def verify(self, key: str) -> bool:
        """Read my copy again. A damaged one goes aside, and a good one is fetched soon. NotFound without one."""
        good = self._blobs.verify(key)
        self.scrubbed += 1
        if not good:
            self._kick("replicate")
        return good

    def audit(self) -> None:
        """Drop the files of songs deleted long enough ago, and read some files again."""
        for key in set(self._records.keys("song", deleted=True)) & set(self._blobs.keys()):
            if self._may_go(key):
                self._blobs.drop(key)
        for path in self._blobs.incoming.iterdir():  # of a worker that crashed: the node's own were cleaned at start
            if time.time() - path.stat().st_mtime > DAY_S:
                path.unlink(missing_ok=True)
        while self._doubted:
            self._read_again(self._doubted.popleft())
        self._scrub()

    def _may_go(self, key: str) -> bool:
        """Is the song deleted, that and the file's arrival a grace ago? Bytes come before their record."""
        record = self._records.get("song", key)
        if record is None or not record.deleted or self._blobs.age_s(key) < self._config.delete_grace_s:
            return False
        deleted_ms = milliseconds(record.stamp_of("deleted"))
        return time.time() * 1000 - deleted_ms >= self._config.delete_grace_s * 1000

    def _scrub(self) -> None:
        """Re-hash the share of my files that is due in one period; where to go on is kept over restarts."""
        cursor = self._config.data / "scrubbed"
        last = cursor.read_text() if cursor.exists() else ""
        keys = self._blobs.keys()
        due = -(-len(keys) * self._config.audit_every_s // SCRUB_S)
        following = [key for key in keys if key > last] + [key for key in keys if key <= last]
        for key in following[: int(due)]:
            self._read_again(key)
            cursor.write_text(key)

    def _read_again(self, key: str) -> None:
        try:
            good = self.verify(key)
        except NotFound:
            return  # dropped meanwhile
        if not good:
            raise CorruptReplica(f"my copy of {key[:12]} was damaged; it lies aside, a good one is fetched")

    # -- for people --------------------------------------------------------------------------------------------

    def inventory(self, after: str, count: int) -> list[tuple[str, int]]:
        """(key, bytes) of the first `count` files behind the key `after`."""
        found = []
        keys = self._blobs.keys()
        for key in [key for key in keys if key > after][:count]:
            try:
                found.append((key, self._blobs.size(key)))
            except NotFound:
                continue  # dropped meanwhile
        return found
