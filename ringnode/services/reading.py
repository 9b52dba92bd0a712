"""Reading a song's bytes, wherever they are: from this node's disk, or from peers, one after the other as they fail.

Same key, same bytes: when a peer dies in the middle, the next goes on at the same offset and the listener hears
nothing.
"""

import io
import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Protocol, Self

from blake3 import blake3

from ringnode.errors import CorruptReplica, NotEnoughReplicas, RingnodeError
from ringnode.objects.peers import Peers

log = logging.getLogger(__name__)

LOCAL_CHUNK_BYTES = 256 << 10  # what the HTTP server passes on fastest
REMOTE_CHUNK_BYTES = 1 << 20  # what a peer gives at once
PATIENCE_S = 20.0  # how long a reader looks for a peer that has the bytes before it gives up
PAUSE_S = 0.25  # between two rounds of asking everyone


class Source(Protocol):
    """A file's bytes. A context manager; `size` in bytes."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes: ...
    def chunks(self, start: int, end: int) -> Iterator[bytes]: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...


class LocalFile:
    """A file on this node's disk; `elsewhere` opens another copy, for when the disk fails in the middle."""

    def __init__(self, file: BinaryIO, elsewhere: Callable[[], Source]) -> None:
        self._file = file
        self._elsewhere = elsewhere
        self.size = os.fstat(file.fileno()).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes; fewer only at the end."""
        try:
            return os.pread(self._file.fileno(), length, offset)
        except OSError:
            with self._elsewhere() as source:
                return source.read_at(offset, length)

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from start up to end, in order."""
        while start < end:
            try:
                data = os.pread(self._file.fileno(), min(LOCAL_CHUNK_BYTES, end - start), start)
            except OSError:
                data = b""
            if not data:  # unreadable, or cut: the scrub will find it, the listener must not
                log.error("a local file failed at byte %d: going on from a peer", start)
                with self._elsewhere() as source:
                    yield from source.chunks(start, end)
                return
            yield data
            start += len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


class RemoteFile:
    """A file on peers. `addresses` gives where to look, anew each time it is asked."""

    def __init__(self, peers: Peers, key: str, addresses: Callable[[], Iterator[str]]) -> None:
        self._peers = peers
        self._key = key
        self._addresses = addresses
        self._address = ""
        self.size = self._fetch(0, 0)[1]

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes; fewer only at the end. NotEnoughReplicas when no peer has them for a while."""
        parts = []
        end = min(offset + length, self.size)
        while offset < end:
            data = self._fetch(offset, min(REMOTE_CHUNK_BYTES, end - offset))[0]
            parts.append(data)
            offset += len(data)
        return b"".join(parts) if len(parts) != 1 else parts[0]

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from start up to end, in order; the next piece is on its way while one is sent."""
        with ThreadPoolExecutor(1, "ahead") as ahead:
            following: Future[bytes] | None = None
            while start < end:
                data = following.result() if following else self._piece(start, end)
                start += len(data)
                following = ahead.submit(self._piece, start, end) if start < end else None
                yield data

    def _piece(self, start: int, end: int) -> bytes:
        return self._fetch(start, min(REMOTE_CHUNK_BYTES, end - start))[0]

    def _fetch(self, offset: int, length: int) -> tuple[bytes, int]:
        """Bytes and the file's size, from the peer that served last or the next that can."""
        deadline = time.monotonic() + PATIENCE_S
        errors: list[str] = []
        while time.monotonic() < deadline:
            for address in self._candidates():
                try:
                    data, size = self._peers.fetch(address, self._key, offset, length)
                except RingnodeError as error:
                    errors.append(str(error))
                    self._address = ""
                    continue
                if data or not length:
                    self._address = address
                    return data, size
            time.sleep(PAUSE_S)
        raise NotEnoughReplicas(f"no node that has this song answers: {errors[-1] if errors else 'none is known'}")

    def _candidates(self) -> Iterator[str]:
        if self._address:
            yield self._address
        try:
            yield from self._addresses()
        except RingnodeError:
            return  # the ring is mending itself: the caller asks again

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is held between two pieces."""


class Proved:
    """A source that proves itself when it is read whole: its bytes hash to `key`, or the last of them are withheld.

    A rotten copy looks like any other until somebody reads it. Nobody may take it for the song; `doubted` is told, so
    that whoever tries again gets a good one.
    """

    def __init__(self, source: Source, key: str, doubted: Callable[[], None]) -> None:
        self._source = source
        self._key = key
        self._doubted = doubted
        self.size = source.size
        self.read_at = source.read_at

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from start up to end, in order. CorruptReplica before the last if the whole file is damaged."""
        digest, last = blake3(), b""
        for data in self._source.chunks(start, end):
            if last:
                yield last
            digest.update(data)
            last = data
        if (start, end) == (0, self.size) and digest.hexdigest() != self._key:
            self._doubted()
            raise CorruptReplica(f"a copy of {self._key[:12]} is damaged: it is being replaced, try again")
        yield last

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._source.__exit__(*error)


class _Raw(io.RawIOBase):
    """A source as a seekable file, for those who read tags."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._source.read_at(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def as_file(source: Source) -> BinaryIO:
    """The source as a seekable binary file that reads ahead generously."""
    return io.BufferedReader(_Raw(source), REMOTE_CHUNK_BYTES)
