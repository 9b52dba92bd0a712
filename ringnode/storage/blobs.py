"""Files by key, on one node's disk.

A file is written aside, fsynced, renamed and its folder fsynced: under its key it is whole and durable, or not there.
The folders are the whole truth; there is no index to keep in step. Several processes share them: the gateway spools
uploads and opens files for listeners, the node takes replicas from peers.

    files/ab/abcd...    whole files, by the first two digits of their key
    incoming/           being written; emptied at start
    aside/              found damaged: never deleted by us
"""

import errno
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

from ringnode.errors import CorruptReplica, Invalid, NoSpace, NotFound
from ringnode.protocol.idspace import is_id, owns

READ_BYTES = 1 << 20
PARTIAL_LIMIT = 64  # replicas on their way in at once; more senders are told to come back
PARTIAL_IDLE_S = 600  # a sender that stays away longer starts again


class Spool:
    """Bytes on their way in: write, then `Blobs.keep` or `discard`. Its key is known once all is written."""

    def __init__(self, blobs: "Blobs", name: str) -> None:
        self.path = blobs.incoming / name
        self.size = 0
        self._blobs = blobs
        self._hash = blake3()
        self.file: BinaryIO = self.path.open("x+b", buffering=0)

    @property
    def key(self) -> str:
        """BLAKE3-256 of what was written so far, 64 hex digits."""
        return self._hash.hexdigest()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append. NoSpace before the disk's reserve is touched; nothing is kept of a write that failed."""
        self._blobs.require(len(data))
        with disk_errors():
            if self.file.write(data) != len(data):
                raise NoSpace("the disk is full")
        self._hash.update(data)
        self.size += len(data)

    def discard(self) -> None:
        """Forget it; also after it was kept."""
        if not self.file.closed and hasattr(os, "posix_fadvise"):
            # A library that is uploaded must not push the songs people hear out of memory.
            os.posix_fadvise(self.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self.file.close()
        self.path.unlink(missing_ok=True)


class Partial:
    """A replica on its way in, piece by piece, from one sender or several."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.lock = threading.Lock()
        self.used_at = time.monotonic()


class Blobs:
    """The store under `root`. Writes are refused when fewer than `reserve_bytes` would stay free."""

    def __init__(self, root: Path, reserve_bytes: int = 0) -> None:
        self.root = root
        self.files = root / "files"
        self.incoming = root / "incoming"
        self.aside = root / "aside"
        self.reserve_bytes = reserve_bytes
        self._partials: dict[str, Partial] = {}
        self._lock = threading.Lock()
        for folder in (self.files, self.incoming, self.aside):
            folder.mkdir(parents=True, exist_ok=True)

    def clean(self) -> int:
        """Remove what a crash left half-written. Only the node calls it, before anyone writes. Returns how many."""
        leftovers = list(self.incoming.iterdir())
        for path in leftovers:
            path.unlink()
        return len(leftovers)

    # -- what is there -----------------------------------------------------------------------------------------

    def path(self, key: str) -> Path:
        """Where the file of `key` is or would be. Invalid for what is no key: a key may come from a stranger."""
        if not is_id(key):
            raise Invalid(f"this is no key of a file: {key!r:.80}", "id")
        return self.files / key[:2] / key

    def has(self, key: str) -> bool:
        """Is it here, whole and durable?"""
        return self.path(key).exists()

    def open(self, key: str) -> BinaryIO:
        """The file, for reading. NotFound if it is not here."""
        try:
            return self.path(key).open("rb", buffering=0)
        except FileNotFoundError as error:
            raise NotFound(f"no copy of {key[:12]} on this node") from error

    def size(self, key: str) -> int:
        """Bytes of the file. NotFound if it is not here."""
        try:
            return self.path(key).stat().st_size
        except FileNotFoundError as error:
            raise NotFound(f"no copy of {key[:12]} on this node") from error

    def keys(self, after: str = "0" * 64, upto: str = "0" * 64) -> list[str]:
        """Keys on the clockwise arc (after, upto], sorted; the whole circle if they are the same."""
        found: list[str] = []
        for folder in self.files.iterdir():
            if after >= upto or after[:2] <= folder.name <= upto[:2]:
                found += [path.name for path in folder.iterdir()]
        return sorted(key for key in found if is_id(key) and owns(after, upto, key))

    def age_s(self, key: str) -> float:
        """Seconds since the file was stored or last wanted. NotFound if it is not here."""
        try:
            return time.time() - self.path(key).stat().st_mtime
        except FileNotFoundError as error:
            raise NotFound(f"no copy of {key[:12]} on this node") from error

    def usage(self) -> tuple[int, int]:
        """How many files, and their bytes."""
        sizes = []
        for path in self.files.glob("*/*"):
            with suppress(FileNotFoundError):  # dropped meanwhile
                sizes.append(path.stat().st_size)
        return len(sizes), sum(sizes)

    def free_bytes(self) -> int:
        """What may still be written before the reserve is reached."""
        return shutil.disk_usage(self.root).free - self.reserve_bytes

    def require(self, size: int) -> None:
        """NoSpace unless `size` more bytes leave the reserve alone."""
        free = self.free_bytes()
        if size > free:
            raise NoSpace(f"the disk is full: {max(free, 0) >> 20} MiB may still be used, the reserve not counted")

    # -- writing -----------------------------------------------------------------------------------------------

    def spool(self) -> Spool:
        """A new file to write to."""
        return Spool(self, secrets.token_hex(8))

    def keep(self, spool: Spool) -> None:
        """Make what was spooled durable under its key; its open file stays readable."""
        with disk_errors():
            os.fdatasync(spool.file.fileno())
            target = self.path(spool.key)
            if not target.parent.exists():
                target.parent.mkdir(exist_ok=True)
                _sync_folder(self.files)
            spool.path.rename(target)
            _sync_folder(target.parent)

    def take_piece(self, key: str, size: int, offset: int, data: bytes | memoryview) -> int:
        """One piece of a replica of `size` bytes. Returns the offset to go on at; `size` when it is durable.

        Senders resume, and several may send the same key at once: a piece that does not fit is passed over and the
        answer says what is wanted. CorruptReplica when all is there and does not hash to `key`.
        """
        if self.has(key):
            self.path(key).touch()  # wanted again: its deletion, if there was one, is history
            return size
        partial = self._partial(key, size)
        with partial.lock:
            spool = partial.spool
            if spool.file.closed:  # someone else has just finished it, or thrown it away
                return size if self.has(key) else 0
            if offset == spool.size and data:
                if spool.size + len(data) > size:
                    raise Invalid(f"more bytes than the {size} announced")
                spool.write(data)
                partial.used_at = time.monotonic()
            if spool.size < size:
                return spool.size
            self._finish(key, spool)
            return size

    def _partial(self, key: str, size: int) -> Partial:
        with self._lock:
            for other, partial in list(self._partials.items()):
                if time.monotonic() - partial.used_at > PARTIAL_IDLE_S and not partial.lock.locked():
                    self._partials.pop(other).spool.discard()
            if key not in self._partials:
                if len(self._partials) >= PARTIAL_LIMIT:
                    raise NoSpace(f"{PARTIAL_LIMIT} replicas are on their way in already")
                self.require(size)
                self._partials[key] = Partial(self.spool())
            return self._partials[key]

    def _finish(self, key: str, spool: Spool) -> None:
        try:
            if spool.key != key:
                raise CorruptReplica(f"the bytes received for {key[:12]} hash to {spool.key[:12]}")
            self.keep(spool)
        finally:
            with self._lock:
                del self._partials[key]
            spool.discard()

    def drop(self, key: str) -> None:
        """Delete the file. The caller knows that it may."""
        self.path(key).unlink(missing_ok=True)

    def verify(self, key: str) -> bool:
        """Re-hash the file. A damaged one is moved aside (never deleted) and False returned."""
        with self.open(key) as file:
            digest = blake3()
            while chunk := file.read(READ_BYTES):
                digest.update(chunk)
        if digest.hexdigest() == key:
            return True
        self.path(key).rename(self.aside / key)
        return False

    def close(self) -> None:
        """Forget what is half received."""
        with self._lock:
            for partial in self._partials.values():
                partial.spool.discard()
            self._partials.clear()


@contextmanager
def disk_errors() -> Iterator[None]:
    """A full disk in our words."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace("the disk is full") from error
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
