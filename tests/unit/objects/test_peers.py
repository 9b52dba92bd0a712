"""The Pyro border, over real sockets and real TLS: who is dead, who is busy, who is refused."""

import random
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from Pyro5 import config
from Pyro5.api import Proxy, current_context, expose
from Pyro5.errors import CommunicationError

from ringnode import ca
from ringnode.errors import CorruptReplica, Invalid, NoSpace, NotFound, PeerBusy, PeerDown, PeerRefused
from ringnode.objects import peers as objects_peers
from ringnode.objects import wire
from ringnode.objects.peers import OBJECT, THREADS, Peers
from ringnode.protocol.messages import AtOnce, Call, Peer, With
from ringnode.storage.blobs import Blobs

DATA = random.Random(2).randbytes(3_500_000)
KEY = blake3(DATA).hexdigest()


@expose
class Echo:
    """A remote object with everything that can go wrong."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._hold = threading.Event()

    def echo(self, value: Any) -> Any:
        return value

    def fail(self, name: str) -> None:
        errors = {"NotFound": NotFound("gone"), "Invalid": Invalid("bad", "title"), "NoSpace": NoSpace("full")}
        raise errors.get(name) or ZeroDivisionError("a bug")

    def hang(self) -> None:
        self._hold.wait(10)

    def release(self) -> None:
        self._hold.set()

    def store_replica(self, key: str, size: int, offset: int) -> int:
        return self._blobs.take_piece(key, size, offset, current_context.annotations[wire.DATA])

    def fetch_replica(self, key: str, offset: int, length: int) -> int:
        current_context.response_annotations = {wire.DATA: DATA[offset : offset + length]}
        return len(DATA)


@pytest.fixture
def address(tls: Path, tmp_path: Path) -> Iterator[str]:
    """A served Echo."""
    daemon = wire.NodeDaemon(host="127.0.0.1", port=0)
    blobs = Blobs(tmp_path)
    echo = Echo(blobs)
    daemon.register(echo, OBJECT)
    server = threading.Thread(target=daemon.requestLoop, daemon=True)
    server.start()
    yield daemon.locationStr
    echo.release()
    daemon.shutdown()
    server.join()
    blobs.close()


@pytest.fixture
def peers(tls: Path) -> Iterator[Peers]:
    made = Peers(timeout_s=2.0)
    yield made
    made.close()


def test_values_travel(peers: Peers, address: str) -> None:
    for value in (None, True, 7, 1.5, "å", b"\x00\xff", [1, [2, "x"]], {"a": {"b": [None]}}):
        assert peers.call(address, "echo", value) == value


def test_a_peer_travels_as_a_list(peers: Peers, address: str) -> None:
    peer = Peer("ab", "host:1", 3)
    assert Peer.of(peers.call(address, "echo", peer)) == peer


@pytest.mark.parametrize(("name", "kind"), [("NotFound", NotFound), ("Invalid", Invalid), ("NoSpace", NoSpace)])
def test_our_errors_travel(peers: Peers, address: str, name: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as error:
        peers.call(address, "fail", name)
    assert getattr(error.value, "field", "title") == "title"


def test_a_bug_of_the_peer_is_not_its_death(peers: Peers, address: str) -> None:
    with pytest.raises(PeerBusy, match="ZeroDivisionError"):
        peers.call(address, "fail", "bug")
    with pytest.raises(PeerBusy, match="no_such_method"):
        peers.call(address, "no_such_method")


def test_nobody_there_is_down(peers: Peers) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    with pytest.raises(PeerDown):
        peers.call(f"127.0.0.1:{free}", "echo", 1)


@pytest.mark.parametrize("address", ["::1:7700", "nonsense", ""])
def test_who_has_no_address_is_down(peers: Peers, address: str) -> None:
    with pytest.raises(PeerDown, match="no address"):
        peers.call(address, "echo", 1)


def test_no_answer_in_time_is_down(peers: Peers, address: str) -> None:
    with pytest.raises(PeerDown):
        peers.call(address, "hang", timeout_s=0.2)
    assert peers.call(address, "echo", 1) == 1


def test_a_connection_closed_while_idle_is_tried_afresh(peers: Peers, address: str) -> None:
    assert peers.call(address, "echo", 1) == 1
    (proxy, _), *_ = peers._idle[address]
    proxy._pyroConnection.sock.shutdown(socket.SHUT_RDWR)
    assert peers.call(address, "echo", 2) == 2


def test_a_full_pool_is_busy_not_down(peers: Peers, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "THREADPOOL_SIZE", 1)
    monkeypatch.setattr(config, "THREADPOOL_SIZE_MIN", 1)
    others = [Peers(2.0) for _ in range(8)]
    try:
        with pytest.raises(PeerBusy, match="no free worker"):
            for other in others:
                other.call(address, "echo", 1)
    finally:
        for other in others:
            other.close()


def test_silent_clients_stop_nobody(peers: Peers, address: str) -> None:
    """Each would hold accept() for ever if the TLS handshake were made there."""
    host, port = address.split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(10)]
    try:
        assert peers.call(address, "echo", 1, timeout_s=1.5) == 1
    finally:
        for client in silent:
            client.close()


def test_garbage_instead_of_tls_stops_nobody(peers: Peers, address: str) -> None:
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        assert peers.call(address, "echo", 1) == 1


def test_who_goes_on_sending_after_a_refusal_is_listened_to_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "GOODBYE_S", 0.05)
    here, there = socket.socketpair()

    def trickle() -> None:
        with suppress(OSError):
            while True:
                there.send(b"G")

    sender = threading.Thread(target=trickle)
    listener = threading.Thread(target=wire._let_alert_arrive, args=(here,))
    sender.start()
    listener.start()
    listener.join(5)
    listened_on = listener.is_alive()
    there.shutdown(socket.SHUT_RDWR)
    for thread in (sender, listener):
        thread.join()
    here.close()
    there.close()
    assert not listened_on


def test_without_a_certificate_there_is_nothing(address: str, tls: Path) -> None:
    context = ssl.create_default_context(cafile=str(tls / "ca.crt"))
    context.check_hostname = False
    host, port = address.split(":")
    with (
        socket.create_connection((host, int(port)), 5) as raw,
        context.wrap_socket(raw) as client,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        client.sendall(b"PYRO")
        if client.recv(100) == b"":
            raise ConnectionError("closed")


def test_another_rings_certificate_is_refused_and_not_called_death(
    peers: Peers, address: str, tmp_path: Path, tls: Path
) -> None:
    ca.init(tmp_path / "ca")
    ca.issue(tmp_path / "ca", tmp_path / "node", "stranger", ("127.0.0.1",))
    try:
        wire.setup(tmp_path / "node")  # from now on this process is a stranger to the server, which is already up
        with pytest.raises(PeerRefused):
            peers.call(address, "echo", 1)
    finally:
        wire.setup(tls)


def test_marshal_is_not_accepted(address: str, tls: Path) -> None:
    from Pyro5.serializers import MarshalSerializer, serializers, serializers_by_id

    assert MarshalSerializer.serializer_id not in serializers_by_id
    assert sorted(serializers) == ["json", "msgpack", "serpent"]


def test_a_plain_proxy_sees_plain_data(address: str) -> None:
    with Proxy(f"PYRO:{OBJECT}@{address}") as proxy:
        assert proxy.echo([1, "x"]) == [1, "x"]
        with pytest.raises(NotFound):
            proxy.fail("NotFound")


def test_a_huge_message_is_refused_unread(peers: Peers, address: str) -> None:
    with pytest.raises((PeerRefused, PeerDown)):
        peers.call(address, "echo", b"x" * (wire.MESSAGE_BYTES + 1))
    assert peers.call(address, "echo", 1) == 1


def test_a_file_goes_over_and_comes_back(peers: Peers, address: str, tmp_path: Path) -> None:
    path = tmp_path / "song"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        peers.send_file(address, KEY, file)
    assert Blobs(tmp_path).verify(KEY)
    parts, offset = [], 0
    while offset < len(DATA):
        data, size = peers.fetch(address, KEY, offset, wire.CHUNK_BYTES)
        assert size == len(DATA)
        parts.append(data)
        offset += len(data)
    assert b"".join(parts) == DATA


def test_a_file_that_does_not_hash_to_its_key_is_refused(peers: Peers, address: str, tmp_path: Path) -> None:
    path = tmp_path / "song"
    path.write_bytes(DATA[:-1] + b"!")
    with path.open("rb") as file, pytest.raises(CorruptReplica):
        peers.send_file(address, KEY, file)
    assert not Blobs(tmp_path).has(KEY)


def test_a_file_on_its_way_does_not_hold_up_the_end(peers: Peers, address: str, tmp_path: Path) -> None:
    path = tmp_path / "song"
    path.write_bytes(DATA)
    pieces = []

    def pace(size: int) -> None:
        pieces.append(size)
        if len(pieces) == 2:
            peers.close()

    with path.open("rb") as file, pytest.raises(PeerBusy, match="ends"):
        peers.send_file(address, KEY, file, pace)
    assert len(pieces) == 2


def test_a_file_that_takes_too_long_is_given_up(
    peers: Peers, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "song"
    path.write_bytes(DATA)
    with path.open("rb") as file, pytest.raises(PeerBusy, match="too long"):
        peers.send_file(address, KEY, file, lambda _: monkeypatch.setattr(objects_peers, "TRANSFER_GRACE_S", -1e6))
    assert not Blobs(tmp_path).has(KEY)


def test_an_error_is_thrown_into_the_step_and_it_goes_on(peers: Peers, address: str) -> None:
    there = Peer("ab", address)

    def step() -> Any:
        try:
            yield Call(there, "fail", ("NotFound",))
        except NotFound:
            return (yield Call(there, "echo", ("after",)))

    assert peers.run(step()) == "after"


def test_the_lock_is_free_while_a_step_waits(peers: Peers, address: str) -> None:
    there = Peer("ab", address)
    entered = threading.Event()

    def step() -> Any:
        yield Call(there, "echo", (1,))
        entered.set()
        yield Call(there, "hang")

    runner = threading.Thread(target=lambda: peers.run(step()))
    runner.start()
    assert entered.wait(5)
    assert peers.lock.acquire(timeout=1), "the lock is held across the network"
    peers.lock.release()
    other = Peers(2.0)
    other.call(address, "release")
    other.close()
    runner.join()


def test_who_writes_to_others_does_not_wait_for_a_peer_that_hangs(peers: Peers, address: str) -> None:
    here, hung = Peer("ab", address), socket.create_server(("127.0.0.1", 0))  # it accepts, and says nothing
    there = Peer("cd", f"127.0.0.1:{hung.getsockname()[1]}")

    def question(peer: Peer) -> Any:
        yield Call(peer, "echo", (1,), 5.0)

    peers.perform(AtOnce([With(there, question(there)) for _ in range(THREADS)], 0))
    writer = threading.Thread(target=lambda: peers.perform(AtOnce([With(here, question(here))], 1)))
    writer.start()
    writer.join(4)
    waits = writer.is_alive()
    hung.close()
    writer.join()
    assert not waits


def test_who_does_not_even_greet_is_not_waited_for_as_long_as_for_what_takes_long(tls: Path) -> None:
    impatient, hung = Peers(timeout_s=0.2), socket.create_server(("127.0.0.1", 0))
    errors: list[Exception] = []

    def send() -> None:
        try:
            impatient.send_piece(f"127.0.0.1:{hung.getsockname()[1]}", KEY, 1, 0, b"x")
        except PeerDown as error:
            errors.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    sender.join(5)
    waits = sender.is_alive()
    hung.close()
    sender.join()
    impatient.close()
    assert not waits and errors


def test_a_proxy_of_pyro_gets_nothing_without_tls(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "SSL", False)
    with Proxy(f"PYRO:{OBJECT}@{address}") as proxy:
        proxy._pyroTimeout = 5
        with pytest.raises(CommunicationError):
            proxy.echo(1)
