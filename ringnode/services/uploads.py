"""Resumable uploads at one node: who may begin one, how far it is, and the song that it becomes."""

import datetime
import hashlib
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from blake3 import blake3

from ringnode.catalogue.people import key_of
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import ChecksumWrong, Conflict, Elsewhere, Invalid, NoSpace, NotFound, TooLarge, TooManyRequests
from ringnode.protocol.idspace import is_id
from ringnode.protocol.membership import GONE
from ringnode.services.library import Library, clean_name
from ringnode.services.roster import member_of
from ringnode.storage.blobs import READ_BYTES, Blobs
from ringnode.storage.uploads import DONE, OPEN, REFUSED, Incoming, Uploads

LASTS_S = 24 * 3600.0  # after its last byte; what became of it is told as long
A_USERS = 200  # uploads of one user under way at one node
IN_ALL = 2000
SHARE = 0.5  # of this node's free space may be waited for by uploads under way
KNOWN_AT_ONCE = 500
CHECKSUMS: dict[str, Callable[[], Any]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False), "sha256": hashlib.sha256, "blake3": blake3,
}  # fmt: skip


@dataclass(frozen=True)
class Upload:
    """A file on its way into the library."""

    id: str = field(metadata={"help": "Its id, the end of its URL"})
    filename: str = field(metadata={"help": "Name of the file"})
    size_bytes: int = field(metadata={"help": "Size of the whole file in bytes"})
    offset: int = field(metadata={"help": "Bytes that have arrived; all of them only when it is done or refused"})
    state: str = field(metadata={"help": "open (more is to come), done (it is a song) or refused"})
    song: str = field(metadata={"help": "Id of the song it became; empty before"})
    new: bool = field(metadata={"help": "true if the library did not have this very file before"})
    why: str = field(metadata={"help": "Why it was refused; empty otherwise"})
    created_at: str = field(metadata={"help": "When it was begun, ISO 8601 in UTC"})
    expires_at: str = field(metadata={"help": "When it will be forgotten unless it goes on, ISO 8601 in UTC"})


class Resumable:
    """Over the gateway's parts. `user` is always the name of who asks."""

    def __init__(self, config: Config, records: Records, blobs: Blobs, library: Library) -> None:
        self._config = config
        self._records = records
        self._blobs = blobs
        self._library = library
        self._uploads = Uploads(blobs)

    # -- before and after --------------------------------------------------------------------------------------

    def create(self, user: str, filename: str, size_bytes: int) -> Upload:
        """Begin one. TooLarge, NoSpace or TooManyRequests before a byte is sent."""
        limit = self._config.upload_limit_bytes
        if size_bytes > limit:
            raise TooLarge(f"the file is larger than the {limit >> 20} MiB this library takes", "Upload-Length")
        if size_bytes < 1:
            raise Invalid("the file is empty", "Upload-Length")
        self._uploads.sweep()
        waiting = [upload for upload in self._uploads.all() if upload.state == OPEN]
        mine = sum(upload.user == key_of(user) for upload in waiting)
        if mine >= A_USERS or len(waiting) >= IN_ALL:
            raise TooManyRequests(f"{A_USERS} uploads of yours are under way, or {IN_ALL} in all: end some first")
        to_come = sum(upload.size_bytes - self._uploads.offset(upload) for upload in waiting)
        if to_come + size_bytes > SHARE * self._blobs.free_bytes():
            raise NoSpace("this node has no room for so many uploads at once: try again when some are done")
        self._require_ring(size_bytes)
        made = self._uploads.create(self._node(), key_of(user), clean_name(filename), size_bytes, LASTS_S)
        return self._shown(made)

    def get(self, user: str, id: str) -> Upload:
        """NotFound for another's, for what is over, and for one that is at another node."""
        return self._shown(self._mine(user, id))

    def settled(self, user: str, id: str) -> Upload:
        """The same, but Conflict while it is just becoming a song: then nobody knows yet how far it is."""
        upload = self._mine(user, id)
        if upload.state == OPEN:
            with self._uploads.hold(id):
                pass
            upload = self._mine(user, id)
        return self._shown(upload)

    def mine(self, user: str) -> list[Upload]:
        """All of a person's at this node, the oldest first."""
        self._uploads.sweep()
        return [self._shown(upload) for upload in self._uploads.all() if upload.user == key_of(user)]

    def delete(self, user: str, id: str) -> None:
        """End one and throw away its bytes. Conflict while something is written."""
        self._mine(user, id)
        self._uploads.remove(id)

    def known(self, hashes: Sequence[str]) -> list[str]:
        """Those of some BLAKE3-256 hashes whose files this node knows to be in the library."""
        if len(hashes) > KNOWN_AT_ONCE or not all(map(is_id, hashes)):
            raise Invalid(f"send at most {KNOWN_AT_ONCE} hashes of 64 hex digits", "hashes")
        return sorted(record.key for record in self._records.some("song", hashes) if not record.deleted)

    # -- bytes -------------------------------------------------------------------------------------------------

    def append(self, user: str, id: str, offset: int, chunks: Iterable[bytes], checksum: str = "") -> Upload:
        """Take bytes that begin at `offset`; with the last one the file becomes a song.

        `checksum`: of all of them, `ALGORITHM BASE64`, empty for none. Conflict if the upload is not at that offset,
        ChecksumWrong; what `Library.take` raises when it is whole. What came before a lost connection is kept.
        """
        upload = self._mine(user, id)
        if upload.state != OPEN or offset != self._uploads.offset(upload):
            raise Conflict(f"this upload has {self._uploads.offset(upload)} bytes, not {offset}: go on there")
        pieces = _checked(chunks, checksum, upload.size_bytes - offset, self._blobs) if checksum else chunks
        try:
            for piece in pieces:
                if offset + len(piece) > upload.size_bytes:
                    raise Invalid(f"more bytes than the {upload.size_bytes} announced", "Upload-Length")
                if piece:
                    offset = self._uploads.append(upload, offset, piece)
        finally:
            self._uploads.sync(id)
        upload = replace(upload, expires_at=time.time() + LASTS_S)
        if offset == upload.size_bytes:
            return self._finish(user, upload)
        self._uploads.save(upload)
        return self._shown(upload)

    def _finish(self, user: str, upload: Incoming) -> Upload:
        with self._uploads.hold(upload.id):
            try:
                song, new = self._library.take(self._uploads.spool(upload.id), upload.filename, user)
            except Invalid as error:
                upload = replace(upload, state=REFUSED, why=str(error))
                raise
            else:
                upload = replace(upload, state=DONE, song=song.id, new=new)
            finally:
                if upload.state != OPEN:
                    self._uploads.close(upload)
        return self._shown(upload)

    # -- parts -------------------------------------------------------------------------------------------------

    def _mine(self, user: str, id: str) -> Incoming:
        node = id.partition("-")[0]
        if node != self._node():
            self._point_to(node)
        upload = self._uploads.get(id)
        if upload.user != key_of(user) or upload.expires_at < time.time():
            raise NotFound(f"there is no upload {id:.64}: begin it anew")
        return upload

    def _node(self) -> str:
        """The beginning of this node's id, chosen when it joined."""
        identity = json.loads((self._config.data / "identity.json").read_text("utf-8"))
        return str(identity["id"])[:12]

    def _point_to(self, node: str) -> None:
        for record in self._records.live("peer"):
            if len(node) == 12 and record.key.startswith(node):
                api, inside = str(record.doc.get("api", "")), str(record.doc.get("inside", ""))
                raise Elsewhere(f"this upload is at {api}: go on there, or begin it anew here", api, inside)

    def _require_ring(self, size_bytes: int) -> None:
        """NoSpace unless as many nodes as it needs say that they have room."""
        peers = [(record, member_of(record)) for record in self._records.live("peer")]
        free = [record.doc.get("free_bytes") for record, member in peers if not member or member.state not in GONE]
        roomy = sum(isinstance(n, int) and n > size_bytes for n in free)
        if roomy < min(self._config.k // 2 + 1, len(free)):
            raise NoSpace("the ring has no room for this file: add a node, or delete songs")

    def _shown(self, upload: Incoming) -> Upload:
        times = (
            datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="seconds")
            for at in (upload.created_at, upload.expires_at)
        )
        size, offset = upload.size_bytes, self._uploads.offset(upload)
        result = (upload.state, upload.song, upload.new, upload.why)
        return Upload(upload.id, upload.filename, size, offset, *result, *times)


def _checked(chunks: Iterable[bytes], checksum: str, most: int, blobs: Blobs) -> Iterator[bytes]:
    """The pieces, once all have come and are what the checksum says. Until then they lie aside."""
    name, _, wanted = checksum.partition(" ")
    if name not in CHECKSUMS:
        raise Invalid(f"checksums are made with: {', '.join(CHECKSUMS)}", "Upload-Checksum")
    digest = CHECKSUMS[name]()
    spool, came = blobs.spool(), 0
    try:
        for chunk in chunks:
            came += len(chunk)
            if came > most:
                raise Invalid("more bytes than announced", "Upload-Length")
            spool.write(chunk)
            digest.update(chunk)
        if wanted != b64encode(digest.digest()).decode():
            raise ChecksumWrong("the bytes are not what their checksum says: send them again")
        spool.file.seek(0)
        while piece := spool.file.read(READ_BYTES):
            yield piece
    finally:
        spool.discard()
