"""What two nodes agree on before they talk: TLS, timeouts, serialisers, errors. Set once a process.

Between nodes values travel as msgpack and file bytes as annotations beside them (no packing, twice as fast). A plain
`Pyro5.api.Proxy` speaks serpent, Pyro's default; both see lists, dicts, texts and numbers only. `marshal` is not
accepted from anybody: it must not read hostile bytes.
"""

import logging
import select
import socket
import ssl
import time
from pathlib import Path
from typing import Any

from Pyro5 import config, protocol, serializers, socketutil
from Pyro5.server import Daemon

from ringnode.errors import BY_NAME, RingnodeError

log = logging.getLogger(__name__)

SERIALIZER = "msgpack"
DATA = "DATA"  # the annotation that carries file bytes
CHUNK_BYTES = 1 << 20  # the fastest size under TLS
MESSAGE_BYTES = 8 << 20  # more than any message of ours; a larger one is refused unread
CONNECTIONS = 512  # one thread each: several per peer and per gateway worker; the next one is told "busy"
IDLE_S = 300.0  # a connection without a word; pools close theirs sooner
HANDSHAKE_S = 3.0  # a peer needs milliseconds; who is silent longer has no business here
GOODBYE_S = 0.5


def setup(tls: Path) -> None:
    """Configure Pyro for this process with the certificates in `tls`. Everything else here relies on it."""
    config.SSL = True
    config.SSL_REQUIRECLIENTCERT = True
    config.SSL_SERVERCERT = config.SSL_CLIENTCERT = str(tls / "node.crt")
    config.SSL_SERVERKEY = config.SSL_CLIENTKEY = str(tls / "node.key")
    config.SSL_CACERTS = str(tls / "ca.crt")
    config.SOCK_NODELAY = True
    config.COMMTIMEOUT = IDLE_S
    config.POLLTIMEOUT = 0.5
    config.MAX_MESSAGE_SIZE = MESSAGE_BYTES
    config.MAX_RETRIES = 0
    config.DETAILED_TRACEBACK = False
    config.ITER_STREAMING = False
    config.THREADPOOL_SIZE = CONNECTIONS
    logging.getLogger("Pyro5").setLevel(logging.CRITICAL)  # peers come and go; what matters is said in our words
    # Pyro makes its contexts lazily, racing between threads, and its client trusts the system's authorities too.
    vars(socketutil)["__ssl_server_context"] = _context(ssl.PROTOCOL_TLS_SERVER, tls)
    vars(socketutil)["__ssl_client_context"] = _context(ssl.PROTOCOL_TLS_CLIENT, tls)
    serializers.serializers.pop("marshal", None)
    serializers.serializers_by_id.pop(serializers.MarshalSerializer.serializer_id, None)
    for name, kind in BY_NAME.items():
        serializers.SerializerBase.register_class_to_dict(kind, _error_to_dict)
        serializers.SerializerBase.register_dict_to_class(f"ringnode.{name}", _error_from_dict)


class _Context(ssl.SSLContext):
    """Leaves the server's handshake to the worker: in accept() one silent client would stop all others."""

    def wrap_socket(self, sock: socket.socket, server_side: bool = False, *args: Any, **more: Any) -> ssl.SSLSocket:
        if server_side:
            more["do_handshake_on_connect"] = False
        return super().wrap_socket(sock, server_side, *args, **more)


def _context(side: int, tls: Path) -> ssl.SSLContext:
    context = _Context(side)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # the ring's authority decides who is a node; nodes move between addresses
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(tls / "node.crt", tls / "node.key")
    context.load_verify_locations(tls / "ca.crt")
    return context


def _error_to_dict(error: RingnodeError) -> dict[str, Any]:
    return {"__class__": f"ringnode.{type(error).__name__}", "args": list(error.args)}


def _error_from_dict(name: str, value: dict[str, Any]) -> RingnodeError:
    return BY_NAME[name.rpartition(".")[2]](*value["args"])


class NodeDaemon(Daemon):
    """Pyro's daemon with the TLS handshake in the connection's own thread, in bounded time."""

    def _handshake(self, conn: Any, denied_reason: str | None = None) -> bool:
        """May the connection be used? Raises nothing: a denial is given by the accept loop, which must go on."""
        sock = conn.sock
        try:
            sock.settimeout(HANDSHAKE_S if denied_reason is None else GOODBYE_S)
            sock.do_handshake()
            accepted = _deny(conn, denied_reason) if denied_reason else bool(super()._handshake(conn))
            sock.settimeout(IDLE_S)
        except Exception as error:
            log.debug("a connection came to nothing", exc_info=True)
            if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
                log.info("a connection was refused: %s", error.reason)
                _let_alert_arrive(sock)
            return False
        return accepted


def _deny(conn: Any, reason: str) -> bool:
    """Say no in the caller's own serialiser; Pyro would say it in marshal."""
    asked = protocol.recv_stub(conn, [protocol.MSG_CONNECT])
    serializer = serializers.serializers_by_id[asked.serializer_id]
    answer = serializer.dumps(reason)
    conn.send(protocol.SendingMessage(protocol.MSG_CONNECTFAIL, 0, asked.seq, asked.serializer_id, answer).data)
    return False


def _let_alert_arrive(sock: ssl.SSLSocket) -> None:
    """Read away what a refused client has sent: closing over unread bytes would reset the connection, and the
    client would see a death instead of the reason."""
    deadline = time.monotonic() + GOODBYE_S  # in all: who goes on sending would keep a worker, or the accept loop
    with socket.socket(fileno=socket.dup(sock.fileno())) as raw:
        try:
            raw.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0 and select.select([raw], [], [], left)[0]:
                if not raw.recv(65536):
                    return
        except OSError:
            return
