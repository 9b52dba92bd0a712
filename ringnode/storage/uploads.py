"""Files that arrive in pieces, over days and over many connections: bytes in one file, all else in one beside it.

    uploads/ID         the bytes so far; how many there are is how far the upload is
    uploads/ID.json    whose it is, how long it will be, what became of it

Any process of the node goes on where another one stopped. A piece is written under a lock and only where the file
ends: of two senders the second is told to look, and one that is stalled hinders nobody.
"""

import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from ringnode.errors import Conflict, NotFound
from ringnode.storage.blobs import Blobs, Spool

ID = re.compile(r"[0-9a-f]{12}-[0-9a-f]{24}")
OPEN, DONE, REFUSED = "open", "done", "refused"


@dataclass(frozen=True)
class Incoming:
    """One upload as it is on the disk."""

    id: str
    user: str
    filename: str
    size_bytes: int
    created_at: float  # seconds since 1970, as all times here
    expires_at: float
    state: str = OPEN
    song: str = ""  # its id, when done
    new: bool = False  # was the library without it?
    why: str = ""  # it was refused


class Uploads:
    """The folder beside the blobs', on the same file system."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self.folder = blobs.root / "uploads"
        blobs.disk.make_folder(self.folder)

    def create(self, node: str, user: str, filename: str, size_bytes: int, lasts_s: float) -> Incoming:
        """A new one without bytes. `node`: 12 hex digits, so that whoever sees the id knows where it is."""
        now = time.time()
        made = Incoming(f"{node}-{secrets.token_hex(12)}", user, filename, size_bytes, now, now + lasts_s)
        self._blobs.disk.create(self.folder / made.id).close()
        self.save(made)
        return made

    def save(self, upload: Incoming) -> None:
        """Durable when it returns."""
        self._blobs.disk.replace(self._about(upload.id), json.dumps(asdict(upload)).encode())

    def get(self, id: str) -> Incoming:
        """NotFound if there is none, or no more."""
        try:
            return Incoming(**json.loads(self._about(id).read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise NotFound(f"there is no upload {id:.64}: begin it anew") from error

    def all(self) -> list[Incoming]:
        """Every upload here, the oldest first."""
        found = []
        for path in self.folder.glob("*.json"):
            with suppress(NotFound):  # removed meanwhile
                found.append(self.get(path.stem))
        return sorted(found, key=lambda upload: upload.created_at)

    def _about(self, id: str) -> Path:
        if not ID.fullmatch(id):
            raise NotFound(f"there is no upload {id:.64}: begin it anew")
        return self.folder / f"{id}.json"

    def offset(self, upload: Incoming) -> int:
        """How many bytes are here. While it is open at least one is missing: the last one comes with its end."""
        if upload.state != OPEN:
            return upload.size_bytes
        with suppress(FileNotFoundError):
            return min((self.folder / upload.id).stat().st_size, upload.size_bytes - 1)
        return 0

    @contextmanager
    def hold(self, id: str) -> Iterator[BinaryIO]:
        """The bytes' file, for one process alone. Conflict while another has it, NotFound if it is gone."""
        self._about(id)
        try:
            file = (self.folder / id).open("r+b", buffering=0)
        except FileNotFoundError as error:
            raise NotFound(f"there is no upload {id:.64}: begin it anew") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict("another request is at this upload now: ask how far it is, and go on there") from error
            if os.fstat(file.fileno()).st_nlink == 0:
                raise NotFound(f"there is no upload {id:.64}: begin it anew")
            yield file

    def append(self, upload: Incoming, offset: int, data: bytes) -> int:
        """Write a piece where the upload ends; the offset behind it. Conflict if it ends elsewhere.

        The last byte is never written twice, for what it completes may be in the library already.
        """
        with self.hold(upload.id) as file:
            end = os.fstat(file.fileno()).st_size
            if end == upload.size_bytes and offset == end - 1 and data == os.pread(file.fileno(), 1, offset):
                return end
            if offset != end:
                raise Conflict(f"this upload has {self.offset(upload)} bytes, not {offset}: go on there")
            self._blobs.require(len(data))
            file.seek(end)
            try:
                self._blobs.disk.write(file, data)
            except BaseException:
                os.ftruncate(file.fileno(), end)
                raise
        return offset + len(data)

    def sync(self, id: str) -> None:
        """What arrived survives a power cut."""
        with suppress(FileNotFoundError), (self.folder / id).open("rb", buffering=0) as file:
            self._blobs.disk.sync(file)

    def spool(self, id: str) -> Spool:
        """All the bytes under another name, for the library to take; the upload keeps its own until it is done."""
        return self._blobs.spool_of(self.folder / id)

    def close(self, upload: Incoming) -> None:
        """Remember what became of it; its bytes are no longer needed."""
        self.save(upload)
        self._blobs.disk.remove(self.folder / upload.id)

    def sweep(self) -> None:
        """Remove those whose time is over; one that is being written to is for the next time."""
        for upload in self.all():
            if upload.expires_at < time.time():
                with suppress(Conflict):
                    self.remove(upload.id)

    def remove(self, id: str) -> None:
        """Forget it. Conflict while something is written."""
        with suppress(NotFound), self.hold(id):
            self._blobs.disk.remove(self.folder / id)
        self._blobs.disk.remove(self._about(id))
