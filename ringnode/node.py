"""The node process: all parts built, started in order, stopped in reverse."""

import fcntl
import json
import logging
import secrets
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from ringnode import __version__, ca
from ringnode.catalogue import marks, playlists, shelves, songs
from ringnode.catalogue.database import Database
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Projection, Records
from ringnode.config import Config
from ringnode.errors import ConfigError, NoSpace
from ringnode.objects import wire
from ringnode.objects.chord_node import ChordNode
from ringnode.objects.peers import OBJECT, Peers
from ringnode.protocol.chord import Ring
from ringnode.protocol.idspace import middle_of_largest_gap
from ringnode.protocol.leases import Leases
from ringnode.protocol.messages import Peer
from ringnode.services.accounts import found_admin
from ringnode.services.discovery import Discovery, Greeting
from ringnode.services.roster import peer_of
from ringnode.services.union import Union
from ringnode.services.upkeep import Upkeep
from ringnode.storage.blobs import Blobs
from ringnode.storage.disk import Disk

log = logging.getLogger(__name__)

USAGE_S = 2.0


@dataclass(frozen=True)
class Identity:
    """What a node keeps for life, in identity.json of its data folder."""

    ring: str  # fingerprint of the ring's authority
    id: str  # position on the circle; "" until the first join
    mark: str  # in the stamps it gives
    incarnation: int  # how often it was started

    @classmethod
    def load(cls, folder: Path, ring: str) -> "Identity":
        """The identity for a new start. ConfigError if the folder belongs to another ring."""
        path = folder / "identity.json"
        if not path.exists():
            return cls(ring, "", secrets.token_hex(8), 1)
        try:
            known = cls(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(f"{path} is damaged: {error}") from error
        if known.ring != ring:
            raise ConfigError(f"the data in {folder} belongs to another ring: give this node a folder of its own")
        return replace(known, incarnation=known.incarnation + 1)

    def save(self, folder: Path) -> None:
        """Durable when it returns. NoSpace or DiskFailed: then the old one is there."""
        Disk().replace(folder / "identity.json", json.dumps(asdict(self)).encode())


class Node:
    """One node of a ring. ConfigError if it cannot be built; then nothing is left behind."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.boot = secrets.token_hex(8)
        self.stopped = threading.Event()
        self.left = threading.Event()
        self._counted = (float("-inf"), (0, 0))
        ring_name = ca.fingerprint(config.tls)
        self._lock = open_data(config.data)
        try:
            self.identity = Identity.load(config.data, ring_name)
            self.identity.save(config.data)
            wire.setup(config.tls)
            self.db, self.records = open_records(config, self.identity.mark)
            self.blobs = Blobs(config.data / "music", config.reserve_bytes)
            self._take_stock()
            self.ring = Ring(self._me(), time.monotonic, period_s=config.stabilise_every_s)
            self.peers = Peers(config.call_timeout_s, config.address)
            leases = Leases(self.ring, lambda: time.time_ns() // 1_000_000)
            self.upkeep = Upkeep(config, self.ring, self.peers, self.blobs, self.records, self.left.set)
            self._union = Union(config.k, self.ring, self.peers, self.records)
            self.object = self.peers.local = ChordNode(
                self.upkeep.roster.membership, leases, self.peers, self.blobs, self.records, self
            )
            self.daemon = self._listen()
        except BaseException:
            self._lock.close()
            raise
        self.discovery = self.upkeep.discovery = Discovery(
            config,
            self.ring,
            self.peers,
            self.records,
            self.upkeep.roster,
            greeting=self._greet,
            fresh=lambda: not self.identity.id,
            founding=lambda: self.upkeep.tell(found_admin(self.records, config)),
            joined=self._joined,
        )
        self._server = threading.Thread(target=self.daemon.requestLoop, name="daemon", daemon=True)

    def _take_stock(self) -> None:
        """Say what is here, and remove what a crash left half-written."""
        leftovers = self.blobs.clean()
        (files, size), aside = self.blobs.usage(), self.blobs.damaged()
        log.info("%d files of %.1f MB are here, %d damaged ones lie aside", files, size / 1e6, len(aside))
        if leftovers:
            log.info("%d files that were still arriving at the last end are removed", leftovers)

    def _me(self) -> Peer:
        """Where and who I am; with an incarnation higher than any before, also those taken to refute a suspicion."""
        place = self.identity.id or middle_of_largest_gap([], secrets.randbits(256))
        record = self.records.get("peer", self.identity.id)
        known = peer_of(record) if record else None
        incarnation = max(self.identity.incarnation, known.incarnation + 1 if known else 1)
        return Peer(place, self.config.address, incarnation)

    def _listen(self) -> wire.NodeDaemon:
        try:
            daemon = wire.NodeDaemon(host=self.config.host, port=self.config.port)
        except OSError as error:
            raise ConfigError(f"cannot listen on {self.config.host}:{self.config.port}: {error.strerror}") from error
        daemon.register(self.object, OBJECT)
        return daemon

    # -- life --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Answer peers, look for the ring once, then start the loops. ConfigError if the ring is not for us."""
        self._server.start()
        self.upkeep.loops["discover"].once()  # a peer that is gone for a moment is no reason to give up
        if self.discovery.failure:
            raise self.discovery.failure
        self.upkeep.start()

    def stop(self) -> None:
        """In reverse. Twice is harmless."""
        if self.stopped.is_set():
            return
        self.stopped.set()
        self.upkeep.stop()
        self.daemon.shutdown()
        if self._server.is_alive():
            self._server.join()
        self.peers.close()
        self.blobs.close()
        self.db.close()
        self._lock.close()

    def _joined(self) -> None:
        self.identity = replace(self.identity, id=self.ring.me.id)
        self.identity.save(self.config.data)
        self.upkeep.announce()
        self.kick("exchange")

    # -- what only the whole node knows ------------------------------------------------------------------------

    def _greet(self) -> Greeting:
        return Greeting(
            peer=self.ring.me,
            name=self.config.name,
            boot=self.boot,
            joined=self.ring.joined,
            ring=self.identity.ring,
            k=self.config.k,
            clock_ms=time.time_ns() // 1_000_000,
            version=__version__,
            parted=self.ring.parted,
        )

    def greeting(self) -> dict[str, Any]:
        """Who I am."""
        return self._greet()._asdict()

    def kick(self, loop: str) -> None:
        """Run a loop early."""
        self.upkeep.kick(loop)

    def doubt(self, key: str) -> None:
        """A copy here may be damaged."""
        self.upkeep.scrub.doubt(key)

    def scrub(self) -> None:
        """Read all files again, now."""
        self.upkeep.scrub.whole()

    def copy_of(self, key: str) -> dict[str, Any]:
        """How the copy of a file here is."""
        return {
            "size_bytes": self.blobs.size(key) if self.blobs.has(key) else None,
            "verified_at": self.upkeep.scrub.verified.get(key),
            "aside": self.blobs.damaged().count(key),
        }

    def union(self, after: str, count: int) -> dict[str, Any]:
        """What all nodes hold against my catalogue."""
        return asdict(self._union.page(after, count))

    def aside(self, after: str, count: int) -> list[str]:
        """Keys of damaged files."""
        return [key for key in self.blobs.damaged() if key > after][:count]

    def inventory(self, after: str, count: int) -> list[tuple[str, int]]:
        """(key, bytes) of files here."""
        return self.upkeep.copies.inventory(after, count)

    def place(self, address: str) -> str:
        """An id for a new node."""
        with self.peers.lock:
            return self.upkeep.roster.place(address)

    def leave(self) -> None:
        """Begin to leave the ring; `left` is set when that is done."""
        self.upkeep.leave()

    def spread(self, news: list[Record]) -> None:
        """Records that were news here: tell others."""
        self.upkeep.tell(news)

    def _usage(self) -> tuple[int, int]:
        """Files and their bytes, counted at most every USAGE_S: many may look at a large store."""
        counted_at, usage = self._counted
        if time.monotonic() - counted_at > USAGE_S:
            usage = self.blobs.usage()
            self._counted = (time.monotonic(), usage)
        return usage

    def state(self) -> dict[str, Any]:
        """What this node believes and does, as plain data."""
        membership = self.upkeep.roster.membership
        with self.peers.lock:
            ring: dict[str, Any] = {
                "predecessor": self.ring.predecessor,
                "successors": list(self.ring.successors),
                "fingers": len(self.ring.fingers),
                "mute": {peer: round(time.monotonic() - since, 1) for peer, since in self.ring.mute.items()},
                "down": {peer: round(time.monotonic() - since, 1) for peer, since in self.ring.down.items()},
                "states": {id: member.state for id, member in membership.members.items()},
                "doubts_itself": membership.health,
                "quiet_s": round(self.ring.quiet_s(), 1),
            }
            now = self.upkeep.copies.replication.report
        files, size = self._usage()
        return {
            **self.greeting(),
            **ring,
            "files": files,
            "files_bytes": size,
            "free_bytes": self.blobs.free_bytes(),
            "songs": self.records.count(songs.KIND),
            "leaving": self.upkeep.leaving,
            "repair": self.upkeep.copies.repair | {"todo": now.todo, "todo_bytes": now.todo_bytes},
            "scrub": self.upkeep.scrub.state(),
            "files_aside": len(self.blobs.damaged()),
            "records_aside": self.records.aside(),
            "disk": {"trouble": self.blobs.disk.trouble, "at": round(self.blobs.disk.trouble_at, 3)},
            "loops": {name: loop.state() for name, loop in self.upkeep.loops.items()},
        }


def open_data(folder: Path) -> BinaryIO:
    """Make the data folder and claim it for this process, until the file returned is closed. ConfigError."""
    try:
        Disk().make_folder(folder)
        claim = (folder / "lock").open("wb")
    except (OSError, NoSpace) as error:
        raise ConfigError(f"the data folder {folder} cannot be written: {error}") from error
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        claim.close()
        raise ConfigError(f"another node is running on {folder}") from error
    return claim


def open_records(config: Config, mark: str) -> tuple[Database, Records]:
    """The catalogue of a node, for its own process or a gateway's."""
    db = Database(config.data / "catalogue.db")
    now_ms = lambda: time.time_ns() // 1_000_000  # noqa: E731
    shelves.bring_up_to_date(db)
    projections: dict[str, Projection] = {
        songs.KIND: songs.project,
        playlists.KIND: playlists.project,
        playlists.ENTRY: playlists.project_entry,
    }
    return db, Records(db, mark, now_ms, projections, followers=shelves.FOLLOWERS | {marks.KIND: marks.follow})
