"""Files to their owners, whole: the driver of the replication pass, and the end of what was deleted."""

import time
from typing import Any

from ringnode.catalogue.record import milliseconds
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import CorruptReplica, NotFound, RingnodeError
from ringnode.objects.peers import Peers, require_speed
from ringnode.protocol.chord import Ring
from ringnode.protocol.idspace import is_id
from ringnode.protocol.messages import Fetch, Send, Verify
from ringnode.protocol.replication import Replication, Report, Rules
from ringnode.services.pace import Pace
from ringnode.services.scrub import Scrub
from ringnode.storage.blobs import Blobs
from ringnode.storage.uploads import Uploads

DAY_S = 86_400
PIECE_BYTES = 1 << 20


class Songs:
    """The catalogue as replication sees it: which files should be there."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def file_keys(self, after: str, upto: str) -> list[str]:
        """Keys of the songs on the clockwise arc (after, upto]; a record whose key is none has no file."""
        return [key for key in self._records.keys_between("song", after, upto) if is_id(key)]

    def is_file(self, key: str) -> bool:
        """Is there a song of this key?"""
        record = self._records.get("song", key)
        return record is not None and not record.deleted

    def is_deleted(self, key: str) -> bool:
        """Was there a song of this key?"""
        record = self._records.get("song", key)
        return record is not None and record.deleted

    def size_bytes(self, key: str) -> int:
        """Of the song's file, 0 if it is not known."""
        record = self._records.get("song", key)
        return int(record.doc.get("size_bytes") or 0) if record else 0


class Copies:
    """The files of one node."""

    def __init__(
        self,
        config: Config,
        ring: Ring,
        peers: Peers,
        blobs: Blobs,
        records: Records,
        scrub: Scrub,
    ) -> None:
        self.replication = Replication(
            ring, blobs, Songs(records), Rules(config.k, config.repair_delay_s, config.quiet_s)
        )
        self.repair: dict[str, Any] = vars(Report())  # of the last whole pass, as told to people
        self._config = config
        self._peers = peers
        self._blobs = blobs
        self._records = records
        self._pace = Pace(config.repair_bytes_per_s)
        peers.effects |= {Send: self._send, Fetch: self._fetch, Verify: lambda effect: scrub.verify(effect.key)}

    # -- the pass ----------------------------------------------------------------------------------------------

    def replicate(self) -> bool:
        """Bring the files I answer for to their owners, and what I need not hold to those who should.

        True if the next pass should come at once.
        """
        again = self._peers.run(self.replication.replicate())
        report = self.replication.report
        self.repair = vars(report)
        if report.errors:
            raise RingnodeError(f"{len(report.errors)} times, first: {report.errors[0]}")
        return again

    def _send(self, effect: Send) -> None:
        """My own copy, or another node's by way of me."""
        if effect.source.address != self._peers.address:
            self._relay(effect)
            return
        with self._blobs.open(effect.key) as file:
            self._peers.send_file(effect.peer.address, effect.key, file, self._pace)

    def _relay(self, effect: Send) -> None:
        began, offset, size = time.monotonic(), 0, 1
        while offset < size:
            require_speed(began, size, effect.key)
            data, size = self._peers.fetch(effect.source.address, effect.key, offset, PIECE_BYTES)
            offset = self._peers.send_piece(effect.peer.address, effect.key, size, offset, data)
            self._pace(len(data))

    def _fetch(self, effect: Fetch) -> None:
        began, offset, size = time.monotonic(), 0, 1
        while offset < size:
            require_speed(began, size, effect.key)
            data, size = self._peers.fetch(effect.peer.address, effect.key, offset, PIECE_BYTES)
            self._pace(len(data))
            if not data:
                raise CorruptReplica(f"the copy of {effect.key[:12]} at {effect.peer.address} ends early")
            offset = self._blobs.take_piece(effect.key, size, offset, data)

    # -- the end of what was deleted --------------------------------------------------------------------------

    def audit(self) -> None:
        """Drop files of songs deleted and uploads left long ago; see whether the disk still takes anything."""
        for key in set(self._records.keys("song", deleted=True)) & set(self._blobs.keys()):
            if self._may_go(key):
                self._blobs.drop(key)
        self._blobs.clean(DAY_S)  # of a worker that crashed: the node's own were cleaned at start
        Uploads(self._blobs).sweep()
        self._blobs.disk.check(self._blobs.incoming)

    def _may_go(self, key: str) -> bool:
        """Is the song deleted, that and the file's arrival a grace ago? Bytes come before their record."""
        record = self._records.get("song", key)
        try:
            young = self._blobs.age_s(key) < self._config.delete_grace_s
        except NotFound:
            return False
        if record is None or not record.deleted or young:
            return False
        deleted_ms = milliseconds(record.stamp_of("deleted"))
        return time.time() * 1000 - deleted_ms >= self._config.delete_grace_s * 1000

    # -- for people --------------------------------------------------------------------------------------------

    def inventory(self, after: str, count: int) -> list[tuple[str, int]]:
        """(key, bytes) of the first `count` files behind the key `after`."""
        found = []
        for key in self._blobs.following(after, count):
            try:
                found.append((key, self._blobs.size(key)))
            except NotFound:
                continue  # dropped meanwhile
        return found
