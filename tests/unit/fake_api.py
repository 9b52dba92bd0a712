"""A whole fake of the REST API as its clients see it: songs in a dict, and troubles on demand."""

import hashlib
import json
import os
import signal
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PASSWORD = "correct horse"
PAGE = 3  # songs: a small library has several pages
DROP, GARBLE = 0, 1  # among `troubles`: close the connection without a word; answer as no API does

WORK = {
    "load": 1.0, "repairs": 0, "repair_bytes": 0, "handover": 0, "checked": 0, "damaged": 0, "to_check": 0,
    "to_check_bytes": 0, "files_aside": 0, "disk": "", "clock_ms": 0, "loops": [],
}  # fmt: skip

Answer = tuple[int, dict[str, Any]]


class FakeApi(ThreadingHTTPServer):
    """On a free port of loopback, with TLS if `tls` is a node's folder. `files` maps ids to bytes."""

    daemon_threads = False

    def __init__(self, tls: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server_port}"
        self.songs: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.tokens: set[str] = set()
        self.logins = 0
        self.asked: list[str] = []  # METHOD PATH of every request but logins
        self.troubles: deque[int] = deque()  # statuses of the coming answers, DROP or GARBLE
        self.retry_after = "0"
        self.nodes = [node("one", self.url), node("two", "https://two:7701")]
        self.coming: list[dict[str, Any]] = []  # what becomes of a node, a state for each time the ring is asked for
        self.rot = 0  # files that a scrub finds damaged
        self.pages: list[dict[str, Any]] = []  # of the inventory
        self.counts = {"short": 0, "waiting": 0, "lost": 0}
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls / "node.crt", tls / "node.key")
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the tests."""

    def add(self, name: str, content: bytes = b"", **more: Any) -> dict[str, Any]:
        """Put a song in."""
        key = hashlib.sha256(content or name.encode()).hexdigest()
        title = name.rpartition(".")[0] or name
        known = {"artist": "Artist", "album": "Album", "duration_s": 225.4, "format": "mp3"}
        self.files[key] = content
        return self.songs.setdefault(key, {"id": key, "title": title, "filename": name, **known, **more})


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: FakeApi
    protocol_version = "HTTP/1.1"
    timeout = 10
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        at = urlsplit(self.path)
        path, query = at.path.removeprefix("/api/v1"), {n: v[0] for n, v in parse_qs(at.query).items()}
        if path == "/auth/login":
            return self._send(*self._login(json.loads(self._body())))
        self.server.asked.append(f"{method} {path}")
        if self.server.troubles:
            return self._make_trouble(self.server.troubles.popleft())
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.server.tokens:
            self._body()
            return self._send(401, {"detail": "log in first"})
        if path.startswith("/ring/nodes/"):
            return self._send(*self._act(path, query))
        if path == "/invitations":
            given = json.loads(self._body())
            made = {"expires_at": "2030-01-08T12:00:00+00:00", "token": "t", "url": "https://cellar:7701/join#t"}
            return self._send(201, given | made)
        if method == "POST":
            return self._upload(query["filename"])
        return self._send(*self._look(path, query))

    def _login(self, login: dict[str, str]) -> Answer:
        if login["password"] != PASSWORD:
            return 401, {"detail": "wrong name or password"}
        self.server.logins += 1
        token = f"token-{self.server.server_port}-{self.server.logins}"
        self.server.tokens.add(token)
        return 200, {"token": token, "expires_at": "2030-01-01T00:00:00+00:00", "user": {"name": login["username"]}}

    def _upload(self, name: str) -> None:
        if name.startswith("huge"):  # refused without reading it
            self.close_connection = True
            return self._send(413, {"title": "Too large", "detail": "larger than 1024 MiB"})
        if name.startswith("interrupt"):  # Ctrl-C while this file is being sent; the client hangs up
            os.kill(os.getpid(), signal.SIGINT)
            while self.rfile.read1(65536):
                pass
            self.close_connection = True
            return None
        content = self._body()
        if name.startswith("bad") or len(content) != int(self.headers["Content-Length"]):
            return self._send(422, {"detail": "this is no music", "field": "file"})
        before = len(self.server.songs)
        song = self.server.add(name, content)
        return self._send(201 if len(self.server.songs) > before else 200, song)

    def _act(self, path: str, query: dict[str, str]) -> Answer:
        id, does = path.split("/")[3:]
        chosen = next(n for n in self.server.nodes if n["id"] == id)
        if does == "expel":
            if chosen["state"] == "up" and query.get("force") != "true":
                return 409, {"detail": "the node answers: have it leave instead"}
            chosen |= {"state": "expelled", "work": None}
        if does == "leave":
            self.server.coming += [chosen | {"state": "leaving"}, chosen | {"state": "left", "work": None}]
        if does == "scrub":
            work = chosen["work"]
            found = {"checked": work["checked"] + 5, "damaged": work["damaged"] + self.server.rot}
            reading = {"to_check": 2, "to_check_bytes": 2000}
            self.server.coming += [chosen | {"work": work | reading}, chosen | {"work": work | found}]
        return 202, {"node": id, "does": does}

    def _look(self, path: str, query: dict[str, str]) -> Answer:
        server = self.server
        if path == "/ring/inventory":
            return 200, server.pages[int(query.get("cursor") or 0)]
        if path == "/ring":
            if server.coming:
                now = server.coming.pop(0)
                server.nodes = [now if n["id"] == now["id"] else n for n in server.nodes]
            return 200, {"k": 3, "nodes": server.nodes, "songs": len(server.songs), **server.counts}
        if path == "/users":
            known = {"display_name": "", "created_at": "2026-01-01T12:00:00+00:00"}
            return 200, {"items": [{"name": "admin", "role": "admin", "active": True} | known,
                                   {"name": "ben", "role": "listener", "active": False} | known]}  # fmt: skip
        if path == "/songs":
            found = [s for s in server.songs.values() if query.get("q", "") in s["title"]]
            start, limit = int(query.get("cursor", 0)), min(int(query["limit"]), PAGE)
            more = str(start + limit) if start + limit < len(found) else None
            return 200, {"items": found[start : start + limit], "next_cursor": more, "total": len(found)}
        song = server.songs.get(path.removeprefix("/songs/"))
        return (200, song) if song else (404, {"detail": "there is no such song"})

    def _make_trouble(self, status: int) -> None:
        if status == DROP:
            self.close_connection = True
            return
        self._body()
        self._send(max(status, 200), "<html>" if status == GARBLE else {"detail": f"trouble {status}"})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _send(self, status: int, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status < 400 else "application/problem+json")
        self.send_header("Content-Length", str(len(content)))
        if status in (429, 503):
            self.send_header("Retry-After", self.server.retry_after)
        self.end_headers()
        self.wfile.write(content)


def node(name: str, api: str, state: str = "up") -> dict[str, Any]:
    """A node of GET /ring."""
    known = {"files": 2, "files_bytes": 2_500_000, "free_bytes": 10**9, "songs": 3, "work": WORK}
    unknown = dict.fromkeys(known)
    id = name.encode().hex().ljust(64, "0")
    told = known if state == "up" else unknown
    return {"id": id, "name": name, "api": api, "state": state, "arc": 0.5, "error": "", "version": "1.0", **told}


@contextmanager
def serving(tls: Path | None = None) -> Iterator[FakeApi]:
    """A fake that answers; its threads have ended afterwards."""
    with FakeApi(tls) as api:
        thread = threading.Thread(target=api.serve_forever, args=(0.01,), name="fake API")
        thread.start()
        try:
            yield api
        finally:
            api.shutdown()
            thread.join()
