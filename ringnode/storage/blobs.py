"""Files by key, on one node's disk.

A file is written aside, fsynced, renamed and its folder fsynced: under its key it is whole and durable, or not there.
The folders are the whole truth; there is no index to keep in step. Several processes share them: the gateway spools
uploads and opens files for listeners, the node takes replicas from peers.

    files/ab/abcd...    whole files, by the first two digits of their key
    incoming/           being written; emptied at start
    aside/              found damaged, by key and when that was: never deleted by us
"""

import errno
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

from ringnode.errors import CorruptReplica, DiskFailed, Invalid, NoSpace, NotFound, PeerBusy
from ringnode.protocol.idspace import is_id, owns
from ringnode.storage.disk import Disk

READ_BYTES = 1 << 20
PARTIAL_LIMIT = 64  # replicas on their way in at once; more senders are told to come back
PARTIAL_IDLE_S = 600  # a sender that stays away longer starts again
NOT_ITS_FAULT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.EAGAIN)
YOUNG_S = 60.0  # a name that is older has been made durable by whoever gave it


class Spool:
    """Bytes on their way in: write, then `Blobs.keep` or `discard`. Its key is known once all is written."""

    def __init__(self, blobs: "Blobs", name: str, whole: Path | None = None) -> None:
        self.path = blobs.incoming / name
        self.size = 0
        self._blobs = blobs
        self._hash = blake3()
        self.file = blobs.disk.link(whole, self.path) if whole else blobs.disk.create(self.path)
        while data := self.file.read(READ_BYTES) if whole else b"":
            self._hash.update(data)
            self.size += len(data)

    @property
    def key(self) -> str:
        """BLAKE3-256 of what was written so far, 64 hex digits."""
        return self._hash.hexdigest()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append. NoSpace before the disk's reserve is touched, DiskFailed.

        After an error it must be discarded: a part may be in the file that is not in the hash.
        """
        self._blobs.require(len(data))
        self._blobs.disk.write(self.file, data)
        self._hash.update(data)
        self.size += len(data)

    def discard(self) -> None:
        """Forget it; also after it was kept."""
        if not self.file.closed and hasattr(os, "posix_fadvise"):
            # A library that is uploaded must not push the songs people hear out of memory.
            os.posix_fadvise(self.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self.file.close()
        with suppress(DiskFailed):  # the next start tries again
            self._blobs.disk.remove(self.path)


class Partial:
    """A replica on its way in, piece by piece, from one sender or several."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.lock = threading.Lock()
        self.used_at = time.monotonic()


class Blobs:
    """The store under `root`. Writes are refused when fewer than `reserve_bytes` would stay free."""

    def __init__(self, root: Path, reserve_bytes: int = 0, disk: Disk | None = None) -> None:
        self.root = root
        self.disk = disk or Disk()
        self.files = root / "files"
        self.incoming = root / "incoming"
        self.aside = root / "aside"
        self.reserve_bytes = reserve_bytes
        self._partials: dict[str, Partial] = {}
        self._lock = threading.Lock()
        self._shelves: set[Path] = set()  # folders that are surely durable
        self._unreadable: set[str] = set()  # damaged, and could not be put aside
        for folder in (self.files, self.incoming, self.aside):
            self.disk.make_folder(folder)

    def clean(self, idle_s: float = 0.0) -> int:
        """Remove what a crash left half-written and nobody touched for so long. Returns how many.

        With 0 only the node calls it, before anyone writes.
        """
        leftovers = [path for path in self.incoming.iterdir() if _idle_s(path) >= idle_s]
        for path in leftovers:
            self.disk.remove(path)
        return len(leftovers)

    # -- what is there -----------------------------------------------------------------------------------------

    def path(self, key: str) -> Path:
        """Where the file of `key` is or would be. Invalid for what is no key: a key may come from a stranger."""
        if not is_id(key):
            raise Invalid(f"this is no key of a file: {key!r:.80}", "id")
        return self.files / key[:2] / key

    def has(self, key: str) -> bool:
        """Is it here, whole?"""
        return key not in self._unreadable and self.path(key).exists()

    def vouches(self, key: str) -> bool:
        """Is it here, whole and durable, so that others may give up theirs?"""
        try:
            if self.has(key) and time.time() - self.path(key).stat().st_ctime < YOUNG_S:
                self.disk.sync_folder(self.path(key).parent)  # another process may have given the name just now
        except (DiskFailed, FileNotFoundError):
            return False
        return self.has(key)

    def open(self, key: str) -> BinaryIO:
        """The file, for reading. NotFound if it is not here, CorruptReplica if the disk cannot read it."""
        with reading(key):
            return self.path(key).open("rb", buffering=0)

    def size(self, key: str) -> int:
        """Bytes of the file. NotFound if it is not here."""
        with reading(key):
            return self.path(key).stat().st_size

    def piece(self, key: str, offset: int, length: int) -> tuple[bytes, int]:
        """Some of the file's bytes, fewer only at its end, and its size. Errors as of `open`."""
        with self.open(key) as file, reading(key):
            return os.pread(file.fileno(), length, offset), os.fstat(file.fileno()).st_size

    def keys(self, after: str = "0" * 64, upto: str = "0" * 64) -> list[str]:
        """Keys on the clockwise arc (after, upto], sorted; the whole circle if they are the same."""
        found: list[str] = []
        for shelf in self._present():
            if after >= upto or after[:2] <= shelf.name <= upto[:2]:
                found += self._keys_in(shelf)
        return sorted(key for key in found if owns(after, upto, key))

    def following(self, after: str, count: int) -> list[str]:
        """The first `count` keys behind `after` in order of text, "" to begin."""
        found: list[str] = []
        for shelf in self._present():
            if shelf.name >= after[:2] and len(found) < count:
                found += sorted(key for key in self._keys_in(shelf) if key > after)
        return found[:count]

    def _present(self) -> list[Path]:
        with self.disk.errors():
            return sorted(path for path in self.files.iterdir() if is_id(path.name, 2) and path.is_dir())

    def _keys_in(self, shelf: Path) -> list[str]:
        with self.disk.errors():
            names = [path.name for path in shelf.iterdir()]
        return [name for name in names if is_id(name) and name not in self._unreadable]

    def damaged(self) -> list[str]:
        """Keys of the files that lie aside, and of those that should but cannot; sorted, one for each file."""
        with self.disk.errors():
            aside = [path.name[:64] for path in self.aside.iterdir()]
        return sorted([key for key in aside if is_id(key)] + list(self._unreadable))

    def age_s(self, key: str) -> float:
        """Seconds since the file was stored or last wanted. NotFound if it is not here."""
        with reading(key):
            return time.time() - self.path(key).stat().st_mtime

    def usage(self) -> tuple[int, int]:
        """How many files, and their bytes."""
        sizes = []
        for path in self.files.glob("*/*"):
            with suppress(FileNotFoundError):  # dropped meanwhile
                sizes.append(path.stat().st_size)
        return len(sizes), sum(sizes)

    def free_bytes(self) -> int:
        """What may still be written before the reserve is reached."""
        with self.disk.errors():
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

    def spool_of(self, path: Path) -> Spool:
        """A file of this file system that is whole already, under a second name."""
        return Spool(self, secrets.token_hex(8), path)

    def keep(self, spool: Spool) -> None:
        """Make what was spooled durable under its key; its open file stays readable.

        NoSpace or DiskFailed: then it is not there, and the spool is of no use.
        """
        target = self.path(spool.key)
        with self.disk.errors():
            os.utime(spool.path)  # stored now, however long ago its last byte came: its deletion is history
        self.disk.sync(spool.file)
        self._make_shelf(target.parent)
        before = target.exists()
        self.disk.rename(spool.path, target)
        try:
            self.disk.sync_folder(target.parent)
        except BaseException:
            if not before and _is_same(spool.file, target):
                with suppress(NoSpace):
                    self.disk.remove(target)  # nobody was told that it is there
            raise
        self._unreadable.discard(spool.key)

    def _make_shelf(self, folder: Path) -> None:
        """A folder that is there may be one that another process makes just now, and has not synced."""
        if folder not in self._shelves:
            self.disk.make_folder(folder)
            self.disk.sync_folder(self.files)
            self._shelves.add(folder)

    def take_piece(self, key: str, size: int, offset: int, data: bytes | memoryview) -> int:
        """One piece of a replica of `size` bytes. Returns the offset to go on at; `size` when it is durable.

        Senders resume, and several may send the same key at once: a piece that does not fit is passed over and the
        answer says what is wanted. CorruptReplica: all is there and does not hash to `key`. PeerBusy: too many come.
        """
        if self.has(key) and self._wanted_again(key):
            return size
        partial = self._partial(key, size)
        with partial.lock:
            spool = partial.spool
            if spool.file.closed:  # someone else has just finished it, or thrown it away
                return size if self.has(key) else 0
            if offset == spool.size and data:
                if spool.size + len(data) > size:
                    raise Invalid(f"more bytes than the {size} announced")
                try:
                    spool.write(data)
                except BaseException:
                    self._forget(key, spool)
                    raise
                partial.used_at = time.monotonic()
            if spool.size < size:
                return spool.size
            self._finish(key, spool)
            return size

    def _wanted_again(self, key: str) -> bool:
        """Its deletion, if there was one, is history. Is it still here, and durable?"""
        with suppress(OSError):  # never `touch`: of a file that has just gone it would make an empty one
            os.utime(self.path(key))
        return self.vouches(key)

    def _partial(self, key: str, size: int) -> Partial:
        with self._lock:
            for other, partial in list(self._partials.items()):
                if time.monotonic() - partial.used_at > PARTIAL_IDLE_S and not partial.lock.locked():
                    self._partials.pop(other).spool.discard()
            if key not in self._partials:
                if len(self._partials) >= PARTIAL_LIMIT:
                    raise PeerBusy(f"{PARTIAL_LIMIT} replicas are on their way in already")
                self.require(size)
                self._partials[key] = Partial(self.spool())
            return self._partials[key]

    def _finish(self, key: str, spool: Spool) -> None:
        try:
            if spool.key != key:
                raise CorruptReplica(f"the bytes received for {key[:12]} hash to {spool.key[:12]}")
            self.keep(spool)
        finally:
            self._forget(key, spool)

    def _forget(self, key: str, spool: Spool) -> None:
        with self._lock:
            self._partials.pop(key, None)
        spool.discard()

    def drop(self, key: str) -> None:
        """Delete the file. The caller knows that it may. DiskFailed if it cannot be."""
        self.disk.remove(self.path(key))

    def verify(self, key: str, pace: Callable[[int], None] = lambda _: None) -> bool:
        """Re-hash the file; `pace` is told of bytes before they are read. NotFound if it is not here.

        One that is damaged or cannot be read is moved aside, never deleted, and False returned.
        """
        digest = blake3()
        try:
            with self.open(key) as file:
                with reading(key):
                    while chunk := file.read(READ_BYTES):
                        pace(len(chunk))
                        digest.update(chunk)
                if digest.hexdigest() == key or not _is_same(file, self.path(key)):
                    return True  # or a good copy has taken the place of what was read
        except CorruptReplica:
            pass
        self._put_aside(key)
        return False

    def _put_aside(self, key: str) -> None:
        shelf = self.path(key).parent
        try:
            self.disk.rename(self.path(key), self.aside / f"{key}.{time.time_ns()}")
            self.disk.sync_folder(self.aside)
            self.disk.sync_folder(shelf)
        except NoSpace:  # a disk that cannot be written any more: no copy, all the same
            self._unreadable.add(key)

    def close(self) -> None:
        """Forget what is half received."""
        with self._lock:
            for partial in self._partials.values():
                partial.spool.discard()
            self._partials.clear()


@contextmanager
def reading(key: str) -> Iterator[None]:
    """A file that is not there, and one that cannot be read, which is damage."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"no copy of {key[:12]} on this node") from error
    except OSError as error:
        trouble = PeerBusy if error.errno in NOT_ITS_FAULT else CorruptReplica
        raise trouble(f"the copy of {key[:12]} on this node cannot be read: {error.strerror}") from error


def _idle_s(path: Path) -> float:
    """Seconds since it was written; less than none if it is gone, or no file."""
    with suppress(FileNotFoundError):
        return max(0.0, time.time() - path.stat().st_mtime) if path.is_file() else -1.0
    return -1.0


def _is_same(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False
