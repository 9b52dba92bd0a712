"""Calls to peers: a pool of connections, Pyro's errors translated into ours, and the threads' driver of steps.

No lock is ever held across the network: `run` holds the ring's lock only while it resumes a step.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, BinaryIO, TypeVar

from Pyro5 import errors as pyro
from Pyro5.api import Proxy, current_context

from ringnode.errors import CorruptReplica, PeerBusy, PeerDown, PeerRefused, RingnodeError
from ringnode.objects.lanes import Lanes
from ringnode.objects.wire import CHUNK_BYTES, DATA, SERIALIZER
from ringnode.protocol.messages import AtOnce, Call, Wait, With

OBJECT = "ringnode.node"
log = logging.getLogger(__name__)

IDLE_S = 60.0  # before the server's own limit, so that a lent connection is seldom found closed
IDLE_A_PEER = 8  # connections kept for the next calls
TRANSFER_S = 30.0  # for a piece of a file: the last one waits for the disk's fsync
SLOWEST_BYTES_PER_S = 50_000  # a transfer slower than this is given up
TRANSFER_GRACE_S = 60.0
THREADS = 64  # effects performed at once by one process
A_PEERS = 16  # of them: a peer that has just fallen silent is waited for by all who write to it
REFUSED_WORDS = ("certificate", "alert")  # OpenSSL's words; Pyro hands on the text alone

T = TypeVar("T")
Effects = dict[type, Callable[[Any], Any]]


class NoReply(PeerDown):
    """The peer itself did not answer; a plain PeerDown may also be what it says of another."""


class Peers:
    """Connections of one process. `address` and `local` (the node's own object) let it answer itself in place."""

    def __init__(self, timeout_s: float, address: str = "", local: Any = None) -> None:
        self.timeout_s = timeout_s
        self.address = address
        self.local = local
        self.lock = threading.RLock()  # the ring's
        self.effects: Effects = {
            Call: lambda call: self.call(call.peer.address, call.method, *call.args, timeout_s=call.timeout_s),
            Wait: lambda pause: time.sleep(pause.seconds),
            With: lambda effect: self.run(effect.step),
            AtOnce: self._at_once,
        }
        self._lanes = Lanes(THREADS, A_PEERS, NoReply)
        self._idle: dict[str, list[tuple[Proxy, float]]] = {}
        self._idle_lock = threading.Lock()
        self._closing = False

    # -- steps -------------------------------------------------------------------------------------------------

    def run(self, step: Generator[Any, Any, T]) -> T:
        """Drive a step to its end: the lock while it thinks, none while it waits."""
        resume: Callable[[Any], Any] = step.send
        value: Any = None
        while True:
            with self.lock:
                try:
                    effect = resume(value)
                except StopIteration as done:
                    return done.value  # type: ignore[no-any-return]
            try:
                value, resume = self.perform(effect), step.send
            except RingnodeError as error:
                value, resume = error, step.throw

    def perform(self, effect: Any) -> Any:
        """Do what a step asks for, in this thread; a whole step may be asked for."""
        if isinstance(effect, Generator):
            return self.run(effect)
        return self.effects[type(effect)](effect)

    def _at_once(self, effect: AtOnce) -> tuple[int, list[RingnodeError]]:
        spares = list(effect.spares)
        pending = {self._begin(some) for some in effect.effects}
        succeeded, errors = 0, []
        while pending and succeeded < effect.wanted:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                error = future.exception()
                if error is None:
                    succeeded += 1
                    continue
                if not isinstance(error, RingnodeError):
                    log.error("an effect failed", exc_info=error)
                    error = PeerBusy(f"{type(error).__name__}: {error}")
                errors.append(error)
                if spares:
                    pending.add(self._begin(spares.pop(0)))
        _when_done(pending, effect.ended)
        return succeeded, errors

    def _begin(self, effect: Any) -> "Future[Any]":
        """Perform it in another thread: of those for its peer, if it is one peer's."""
        peer = getattr(effect, "peer", None)
        return self._lanes.submit(peer.address if peer else "", partial(self.perform, effect))

    # -- calls -------------------------------------------------------------------------------------------------

    def call(
        self, address: str, method: str, *args: Any, data: bytes | None = None, timeout_s: float | None = None
    ) -> Any:
        """Call a peer. PeerDown after two tries, PeerBusy, PeerRefused, or what the peer itself raised."""
        return self._call(address, method, args, data, timeout_s)[0]

    def _call(
        self, address: str, method: str, args: tuple[Any, ...], data: bytes | None, timeout_s: float | None
    ) -> tuple[Any, bytes]:
        if self.local is not None and address == self.address and data is None:
            return getattr(self.local, method)(*args), b""
        if self._closing:  # what is on its way ends at its next piece: a large file would hold up the end for hours
            raise PeerBusy("this node ends")
        try:
            return self._call_once(address, method, args, data, timeout_s)
        except NoReply:
            # One more, on a fresh connection: a kept one may be stale, and one lost packet is no death.
            self._forget(address)
            return self._call_once(address, method, args, data, timeout_s)

    def _call_once(
        self, address: str, method: str, args: tuple[Any, ...], data: bytes | None, timeout_s: float | None
    ) -> tuple[Any, bytes]:
        patience_s = timeout_s or self.timeout_s
        with self._lend(address) as proxy:
            try:
                current_context.annotations = {}
                proxy._pyroTimeout = min(patience_s, self.timeout_s)  # what is asked may take long, to greet may not
                proxy._pyroBind()
                proxy._pyroTimeout = patience_s
                current_context.annotations = {} if data is None else {DATA: data}
                value = proxy._pyroInvoke(method, args, {})
                return value, current_context.response_annotations.get(DATA, b"")
            except RingnodeError:
                raise
            except Exception as error:
                proxy._pyroRelease()
                raise translated(address, method, error) from error
            finally:
                current_context.annotations = {}
                current_context.response_annotations = {}

    # -- files -------------------------------------------------------------------------------------------------

    def send_file(self, address: str, key: str, file: BinaryIO, pace: Callable[[int], None] = lambda _: None) -> None:
        """Store `file` at a peer: durable and verified there when it returns. Goes on where an earlier try ended."""
        size = os.fstat(file.fileno()).st_size
        began, offset = time.monotonic(), 0
        while offset < size:
            require_speed(began, size, key)
            try:
                data = os.pread(file.fileno(), CHUNK_BYTES, offset)
            except OSError as error:
                raise CorruptReplica(f"my copy of {key[:12]} cannot be read: {error.strerror}") from error
            if not data:
                raise CorruptReplica(f"my copy of {key[:12]} is shorter than it was")
            pace(len(data))
            offset = self.send_piece(address, key, size, offset, data)

    def send_piece(self, address: str, key: str, size: int, offset: int, data: bytes) -> int:
        """A piece of a file of `size` bytes to a peer. The offset it wants next; `size` when all is durable."""
        return int(self.call(address, "store_replica", key, size, offset, data=data, timeout_s=TRANSFER_S))

    def fetch(self, address: str, key: str, offset: int, length: int) -> tuple[bytes, int]:
        """Bytes of a peer's copy and the whole size. At most CHUNK_BYTES are given at once."""
        size, data = self._call(address, "fetch_replica", (key, offset, length), None, None)
        return bytes(data), size  # Pyro gives a memoryview, which WSGI servers take one item at a time

    # -- the pool ----------------------------------------------------------------------------------------------

    @contextmanager
    def _lend(self, address: str) -> Iterator[Proxy]:
        """A connection for this thread alone; kept for the next caller if it is still good."""
        with self._idle_lock:
            kept = self._idle.get(address)
            proxy = kept.pop()[0] if kept else None
        if proxy is None:
            try:
                proxy = Proxy(f"PYRO:{OBJECT}@{address}")
            except pyro.PyroError as error:  # of one record that is wrong: it must not end what others need
                raise PeerDown(f"{address!r:.80} is no address of a peer: {error}") from error
            proxy._pyroSerializer = SERIALIZER
        else:
            proxy._pyroClaimOwnership()
        try:
            yield proxy
        finally:
            self._keep(address, proxy)

    def _keep(self, address: str, proxy: Proxy) -> None:
        now = time.monotonic()
        with self._idle_lock:
            if proxy._pyroConnection is not None:
                self._idle.setdefault(address, []).append((proxy, now))
            stale = []
            for kept in self._idle.values():
                while kept and (len(kept) > IDLE_A_PEER or now - kept[0][1] > IDLE_S):
                    stale.append(kept.pop(0)[0])
        _release(stale)

    def _forget(self, address: str) -> None:
        """Close the idle connections to a peer."""
        with self._idle_lock:
            kept = self._idle.pop(address, [])
        _release([proxy for proxy, _ in kept])

    def close(self) -> None:
        """Let the calls that are under way end, and close every connection."""
        self._closing = True
        self._lanes.close()
        for address in list(self._idle):
            self._forget(address)


def require_speed(began: float, size: int, key: str) -> None:
    """PeerBusy where a file of `size` bytes has been on its way since `began` (monotonic) for longer than it may."""
    if time.monotonic() - began > TRANSFER_GRACE_S + size / SLOWEST_BYTES_PER_S:
        raise PeerBusy(f"{key[:12]} takes too long to be copied")


def _when_done(futures: set[Future[object]], done: Callable[[], None]) -> None:
    """Call `done` once, when the last of `futures` has ended."""
    left = list(futures)
    lock = threading.Lock()

    def ended(future: Future[object]) -> None:
        with lock:
            left.remove(future)
            last = not left
        if last:
            done()

    for future in futures:
        future.add_done_callback(ended)
    if not futures:
        done()


def _release(proxies: list[Proxy]) -> None:
    for proxy in proxies:
        with suppress(pyro.PyroError, OSError):
            proxy._pyroClaimOwnership()
            proxy._pyroRelease()


def translated(address: str, method: str, error: Exception) -> RingnodeError:
    """Pyro's error in our words: busy and refused are not death."""
    text = str(error)
    if "no free workers" in text:
        return PeerBusy(f"{address} has no free worker")
    if isinstance(error, pyro.SerializeError | pyro.MessageTooLargeError) or "rejected" in text:
        return PeerRefused(f"{address} and we do not understand each other in {method}: {text:.200}")
    if isinstance(error, pyro.CommunicationError | OSError):
        if any(word in text.lower() for word in REFUSED_WORDS) and "timed out" not in text:
            return PeerRefused(f"{address} and this node do not accept each other's certificates: {text:.200}")
        return NoReply(f"{address} does not answer {method}: {text:.200}")
    return PeerBusy(f"{address} failed in {method}: {type(error).__name__}: {text:.200}")
