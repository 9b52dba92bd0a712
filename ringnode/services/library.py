"""The music library, as people use it from one gateway: add, find, open, edit, delete.

Bytes are safe before the catalogue speaks of them: files go to their owners first, then the record, then the answer.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ringnode.catalogue import shelves, songs, tags
from ringnode.catalogue.model import Song
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.catalogue.tag_reader import TagReader
from ringnode.config import Config
from ringnode.errors import CorruptReplica, Invalid, NotFound, RingnodeError, TooLarge
from ringnode.objects.peers import Peers
from ringnode.protocol.idspace import is_id
from ringnode.protocol.messages import Peer
from ringnode.services.durability import Durability
from ringnode.services.reading import LocalFile, Proved, RemoteFile, Source, as_file
from ringnode.services.roster import peer_of
from ringnode.storage.blobs import Blobs, Spool

ASK_AT_ONCE = 16
NAME_LIMIT = 255  # characters of a file name, as file systems have it


@dataclass(frozen=True)
class Copy:
    """One copy of a song's file."""

    node: str = field(metadata={"help": "Name of the node that holds it"})
    id: str = field(metadata={"help": "The node's id, its position on the circle"})
    address: str = field(metadata={"help": "HOST:PORT at which peers reach the node"})
    api: str = field(metadata={"help": "URL of the node's API"})
    owner: bool = field(metadata={"help": "Is it one of the k nodes the song belongs to?"})
    size_bytes: int | None = field(metadata={"help": "Its bytes; null if only a damaged one lies aside"})
    whole: bool = field(metadata={"help": "Is it there, with the song's size?"})
    verified_at: str | None = field(
        metadata={
            "help": "When it was last read and found whole, ISO 8601 in UTC; null if not since its node started"
        }
    )
    damaged: int = field(metadata={"help": "Damaged copies that lie aside on this node"})


class Library:
    """Over the gateway's parts."""

    def __init__(
        self, config: Config, records: Records, blobs: Blobs, peers: Peers, durability: Durability, reader: TagReader
    ) -> None:
        self._config = config
        self._records = records
        self._blobs = blobs
        self._peers = peers
        self._durability = durability
        self._reader = reader

    # -- adding ------------------------------------------------------------------------------------------------

    def add(self, chunks: Iterable[bytes], filename: str, user: str, size: int | None = None) -> tuple[Song, bool]:
        """Store a file. Returns its song, and False if it was there already.

        `size` is what the sender announced, if it did. Invalid or TooLarge say what is wrong with the file;
        NoSpace and NotEnoughReplicas that the ring cannot take it now.
        """
        limit = self._config.upload_limit_bytes
        if size is not None and size > limit:
            raise TooLarge(f"the file is larger than the {limit >> 20} MiB this library takes", "file")
        spool = self._blobs.spool()
        try:
            for chunk in chunks:
                if spool.size + len(chunk) > limit:
                    raise TooLarge(f"the file is larger than the {limit >> 20} MiB this library takes", "file")
                spool.write(chunk)
            if size is not None and spool.size != size:
                raise Invalid(f"the upload ended after {spool.size} of {size} bytes: send it again", "file")
        except BaseException:
            spool.discard()
            raise
        return self.take(spool, filename, user)

    def take(self, spool: Spool, filename: str, user: str) -> tuple[Song, bool]:
        """Make a song of what was spooled; errors as for `add`. The spool is discarded in any case."""
        try:
            if spool.size == 0:
                raise Invalid("the file is empty: 0 bytes arrived", "file")
            key = spool.key
            known = self._durability.latest(songs.KIND, key)
            if known and not known.deleted:
                self._heal(key, spool)
                return songs.song(self._durability.publish(known)), False  # W owners know it, not only one
            name = clean_name(filename)
            found = self._reader.read(str(spool.path), name)
        except BaseException:
            spool.discard()
            raise
        size_bytes = spool.size
        self._durability.store(spool)
        added = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        doc = found | {"size_bytes": size_bytes, "filename": name, "added_at": added, "added_by": user}
        record = self._records.draft(songs.KIND, key, doc)
        return songs.song(self._durability.publish(record)), True

    def _heal(self, key: str, spool: Spool) -> None:
        """The bytes of a song that is there already: welcome if too few of its owners have a copy."""
        if len(self._holders(key, self._durability.owners(key))) < self._durability.wanted():
            self._durability.store(spool)
        else:
            spool.discard()

    # -- finding -----------------------------------------------------------------------------------------------

    def song(self, key: str) -> Song:
        """One song. NotFound if there is none, which its owners were asked about."""
        song = songs.song(self._live(key))
        cover = None if song.has_cover else self._records.get(shelves.COVER, key)
        return replace(song, has_cover=True) if cover and not cover.deleted else song

    def several(self, keys: Sequence[str]) -> list[Song]:
        """Several songs, in this order. Invalid if one is not there, which its owners were asked about."""
        for key in set(keys) - {song.id for song in songs.of_ids(self._records, keys)}:
            try:
                self._live(key)
            except NotFound as error:
                raise Invalid(str(error), "ids") from error
        return songs.of_ids(self._records, keys)

    def version(self, key: str) -> str:
        """Changes with every edit of the song."""
        return self._live(key).newest()

    def _live(self, key: str) -> Record:
        record = self._durability.find(songs.KIND, key) if is_id(key) else None
        if record is None or record.deleted:
            raise NotFound(f"there is no song {key:.64}")
        return record

    def copies(self, key: str) -> list[Copy]:
        """Every copy on the nodes that answer, owners first; damaged ones too."""
        size = int(self._live(key).doc.get("size_bytes") or 0)
        owners = {peer.id for peer in self._durability.owners(key)}
        docs = {record.key: record.doc for record in self._records.live("peer")}

        def copy(peer: Peer) -> Copy | None:
            try:
                told = self._peers.call(peer.address, "copy_of", key)
            except RingnodeError:
                return None
            doc, held, at = docs.get(peer.id, {}), told["size_bytes"], told["verified_at"]
            if held is None and not told["aside"]:
                return None
            name, api, read = str(doc.get("name", "")), str(doc.get("api", "")), at and iso(at)
            return Copy(name, peer.id, peer.address, api, peer.id in owners, held, held == size, read, told["aside"])

        with ThreadPoolExecutor(ASK_AT_ONCE, "copies") as pool:
            found = [copy for copy in pool.map(copy, self._everyone(key)) if copy]
        return sorted(found, key=lambda copy: (not copy.owner, copy.node))

    def _everyone(self, key: str) -> list[Peer]:
        """Every peer there is a record of, and the owners of the key."""
        everyone = {peer.id: peer for peer in map(peer_of, self._records.live("peer")) if peer}
        return list((everyone | {peer.id: peer for peer in self._durability.owners(key)}).values())

    def _holders(self, key: str, peers: list[Peer]) -> list[Peer]:
        """Those of some peers that answer and have the file."""

        def has(peer: Peer) -> bool:
            try:
                return bool(self._peers.call(peer.address, "has_replicas", [key])[0])
            except RingnodeError:
                return False

        with ThreadPoolExecutor(ASK_AT_ONCE, "holders") as pool:
            return [peer for peer, held in zip(peers, pool.map(has, peers), strict=True) if held]

    # -- opening -----------------------------------------------------------------------------------------------

    def open(self, key: str) -> Source:
        """The file's bytes: from this node's disk, else from a peer that has them, else from the next. Close it."""
        self._live(key)
        return Proved(self._open(key), key, lambda: self._doubt(key))

    def _open(self, key: str) -> Source:

        def elsewhere() -> Source:
            return RemoteFile(self._peers, key, self._addresses(key))

        def instead() -> Source:
            with suppress(RingnodeError):
                self._peers.call(self._config.address, "doubt", key)
            return elsewhere()

        try:
            return LocalFile(self._blobs.open(key), instead)
        except NotFound:
            return elsewhere()
        except CorruptReplica:
            return instead()

    def _doubt(self, key: str) -> None:
        """Have everyone who may hold a copy read it again: one of them is damaged."""
        for address in {self._config.address, *self._addresses(key)()}:
            with suppress(RingnodeError):
                self._peers.call(address, "doubt", key)

    def _addresses(self, key: str) -> Callable[[], Iterator[str]]:
        """Where to look for a file, best first: its owners, then whoever says that it has it."""

        def addresses() -> Iterator[str]:
            owners = self._durability.owners(key)
            yield from (peer.address for peer in owners)
            others = [peer for peer in self._everyone(key) if peer not in owners]
            yield from (peer.address for peer in self._holders(key, others))

        return addresses

    def cover(self, key: str) -> tags.Cover:
        """The picture in the song's file. NotFound if it has none."""
        song = self.song(key)
        with self.open(key) as source:
            cover = tags.cover(as_file(source), song.filename) if song.has_cover else None
        if cover is None:
            raise NotFound("this song has no cover picture")
        return cover


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


def clean_name(filename: str) -> str:
    """A file name without folders and control characters, whatever system it came from."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in name if c.isprintable()).strip()
    stem, dot, suffix = kept.rpartition(".")
    return f"{stem[: NAME_LIMIT - len(dot + suffix)]}{dot}{suffix}"[:NAME_LIMIT] or "unnamed"
