"""A client of the REST API: any of several nodes, a connection for each thread, logged in when it has to be.

All that is asked here may be asked twice (a song's id is the hash of its bytes), so whatever was lost is repeated.
"""

import http.client
import ipaddress
import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from ringnode.cache import Tokens
from ringnode.errors import Invalid, PeerDown, RingnodeError

API = "/api/v1"
CONNECT_S = 5.0
ANSWER_S = 60.0  # an upload is answered when its copies are on the disks of other nodes
TRIES = 5  # of what the API asked to try again
PATIENCE_S = 10.0  # a longer wait is for a person to decide
SOON_S = 1.0  # where the API does not say when
PIECE_BYTES = 256 << 10
PAGE = 500  # the API gives no more at once

Json = dict[str, Any]


class ApiError(RingnodeError):
    """The API said no: HTTP's `status`, and when to try again (None: that would not help)."""

    def __init__(self, status: int, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s


class Body(NamedTuple):
    """What is sent; `pieces` begins anew at each call."""

    media: str
    size: int
    pieces: Callable[[], Iterable[bytes]]


class Client:
    """A context manager. Every method raises PeerDown if no node answers, ApiError for what the API refuses.

    `password` may be a function: it is asked only when no valid token is kept. Tokens are kept in the folder `cache`,
    nowhere if it is None. `ca` is the file of the ring's authority; without it the system's are trusted.
    """

    def __init__(
        self, urls: Sequence[str], username: str, password: str | Callable[[], str],
        ca: Path | None = None, cache: Path | None = None,
    ) -> None:  # fmt: skip
        self._urls = [_checked(url) for url in urls]
        if not self._urls:
            raise Invalid("no URL of a node was given", "url")
        self._username = username
        self._password = password
        self._tls = _context(ca)
        self._tokens = Tokens(cache, [f"{username}@{url}" for url in self._urls])
        self._token = self._tokens.load()
        self._login_lock = threading.Lock()
        self._here = threading.local()
        self._connections: list[http.client.HTTPConnection] = []
        self._stopped = threading.Event()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        """Once no other thread uses it any more."""
        for connection in self._connections:
            connection.close()

    def stop(self) -> None:
        """End what other threads are doing, also in the middle of a file: they get PeerDown."""
        self._stopped.set()
        for connection in list(self._connections):
            if isinstance(connection.sock, socket.socket):
                with suppress(OSError):  # it has ended by itself
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)  # no TLS goodbye: others use it now

    # -- the API -----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The node that answered last."""
        return self._urls[0]

    def token(self) -> str:
        """The token of the login, for other programs."""
        return self._token or self._login("")

    def ring(self) -> Json:
        """The nodes and how well the songs are kept."""
        return self._ask("GET", "/ring")[1]

    def users(self) -> list[Json]:
        """Every account, by name."""
        items: list[Json] = self._ask("GET", "/users")[1]["items"]
        return items

    def invite(self, role: str, days: int, note: str) -> Json:
        """A new invitation; one that is lost on the way makes no account."""
        return self._ask("POST", "/invitations", _json_body({"role": role, "days": days, "note": note}))[1]

    def tell(self, node: str, does: str, force: bool = False) -> None:
        """Have the node of this id leave, scrub or be expelled."""
        self._ask("POST", f"/ring/nodes/{quote(node, safe='')}/{does}{'?force=true' if force else ''}")

    def inventory(self) -> Iterator[Json]:
        """All files of the ring against the catalogue, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            page = self._ask("GET", f"/ring/inventory?cursor={cursor}")[1]
            yield page
            cursor = page["next_cursor"]

    def also(self, urls: Iterable[str]) -> None:
        """More nodes to ask when those known do not answer."""
        self._urls += [url for url in map(_checked, urls) if url not in self._urls]

    def song(self, key: str) -> Json:
        """One song by its whole id."""
        return self._ask("GET", f"/songs/{quote(key, safe='')}")[1]

    def has(self, key: str) -> bool:
        """Is there such a song?"""
        try:
            self.song(key)
        except ApiError as error:
            if error.status != 404:
                raise
            return False
        return True

    def songs(self, query: str = "", limit: int = PAGE, cursor: str = "") -> Json:
        """A page: items, next_cursor, total."""
        asked = {"q": query, "limit": limit, "cursor": cursor}
        return self._ask("GET", "/songs?" + urlencode({name: value for name, value in asked.items() if value}))[1]

    def every_song(self, query: str = "") -> Iterator[Json]:
        """All songs that `query` finds, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.songs(query, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]

    def upload(self, path: Path, progress: Callable[[int], None] = lambda _: None) -> tuple[Json, bool]:
        """Send a file. Returns its song, and False if it was there already. Invalid if it cannot be read.

        `progress` is told how many bytes of it are sent; it starts at 0 again when the file has to be sent again.
        """
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size

                def pieces() -> Iterator[bytes]:
                    file.seek(0)
                    progress(0)
                    while piece := _read(file.read, min(PIECE_BYTES, size - file.tell())):
                        yield piece
                        progress(file.tell())
                    if file.tell() != size:
                        raise Invalid("it became shorter while it was sent")

                name = quote(path.name.encode("utf-8", "replace"), safe="")
                body = Body("application/octet-stream", size, pieces)
                status, song = self._ask("POST", f"/songs?filename={name}", body)
        except OSError as error:
            raise Invalid(f"it cannot be read: {error.strerror}") from error
        return song, status == http.HTTPStatus.CREATED

    # -- asking ------------------------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, body: Body | None = None) -> tuple[int, Json]:
        """Status and answer, logged in; once more with a new login if the old one has ended."""
        token = self.token()
        try:
            return self._repeat(method, path, body, token)
        except ApiError as error:
            if error.status != http.HTTPStatus.UNAUTHORIZED:
                raise
        return self._repeat(method, path, body, self._login(token))

    def _login(self, stale: str) -> str:
        """A token other than `stale`; threads that come together log in once."""
        with self._login_lock:
            if self._token == stale:
                if not isinstance(self._password, str):
                    self._password = self._password()
                body = _json_body({"username": self._username, "password": self._password})
                self._token = str(self._repeat("POST", "/auth/login", body, "")[1]["token"])
                self._tokens.save(self._token)
            return self._token

    def _repeat(self, method: str, path: str, body: Body | None, token: str) -> tuple[int, Json]:
        """Until it is answered, as long as the API asks to come again soon: then another node may know better."""
        for tries_left in reversed(range(TRIES)):
            try:
                return self._try_nodes(method, path, body, token)
            except ApiError as error:
                if error.retry_after_s is None or error.retry_after_s > PATIENCE_S or not tries_left:
                    raise
                self._urls = self._urls[1:] + self._urls[:1]
                self._stopped.wait(error.retry_after_s)
        raise AssertionError("the last try raises or returns")

    def _try_nodes(self, method: str, path: str, body: Body | None, token: str) -> tuple[int, Json]:
        """The answer of the first node that gives one."""
        failures: dict[str, str] = {}
        # Twice each: a kept connection may be stale, and one lost connection is no death.
        for url in [url for url in self._urls for _ in range(2)]:
            if self._stopped.is_set():
                raise PeerDown("stopped")
            try:
                response, content = self._exchange(url, method, path, body, token)
            except (OSError, http.client.HTTPException) as error:
                failures[url] = f"{url}: {_reason(error)}"
                continue
            if url != self.url:
                self._urls = [url, *(other for other in self._urls if other != url)]
            return _answer(response, content)
        raise PeerDown("no node answers: " + "; ".join(failures.values()))

    def _exchange(
        self, url: str, method: str, path: str, body: Body | None, token: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        if body:
            headers |= {"Content-Type": body.media, "Content-Length": str(body.size)}
        connection = self._connection(url)
        good = False
        try:
            if connection.sock is None:
                connection.connect()
                vars(connection)["sock"].settimeout(ANSWER_S)
            # A server need not read to its end what it refuses: its answer may be there all the same.
            with suppress(ConnectionError, ssl.SSLError):
                connection.request(method, urlsplit(url).path + API + path, body and body.pieces(), headers)
            response = connection.getresponse()
            content = response.read()
            good = response.status < http.HTTPStatus.BAD_REQUEST
        finally:
            if not good:  # what was not read of a refused body would be taken for the next request
                connection.close()
        return response, content

    def _connection(self, url: str) -> http.client.HTTPConnection:
        """This thread's own."""
        mine: dict[str, http.client.HTTPConnection] = self._here.__dict__
        if url not in mine:
            at = urlsplit(url)
            if at.scheme == "https":
                mine[url] = http.client.HTTPSConnection(
                    str(at.hostname), at.port or 443, timeout=CONNECT_S, context=self._tls
                )
            else:
                mine[url] = http.client.HTTPConnection(str(at.hostname), at.port or 80, timeout=CONNECT_S)
            self._connections.append(mine[url])
        return mine[url]


def _json_body(value: Json) -> Body:
    text = json.dumps(value).encode()
    return Body("application/json", len(text), lambda: [text])


def _checked(url: str) -> str:
    """The URL in one way of writing. Invalid if it is none, or would send a password in the clear."""
    try:
        at = urlsplit(url.strip().rstrip("/"))
        whole = at.scheme in ("http", "https") and at.hostname and at.port != 0 and not at.query and not at.fragment
    except ValueError:
        whole = False
    if not whole:
        raise Invalid(f"{url!r} is not the URL of a node, such as https://127.0.0.1:7701", "url")
    if at.scheme == "http" and not _is_loopback(at):
        raise Invalid(f"{url} is not encrypted: use https", "url")
    return at.geturl()


def _is_loopback(at: SplitResult) -> bool:
    try:
        return at.hostname == "localhost" or ipaddress.ip_address(str(at.hostname)).is_loopback
    except ValueError:
        return False


def _context(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # ssl's own errors among them
        raise Invalid(f"{ca} cannot be read as a certificate: {error.strerror or error}", "ca") from error


def _read(read: Callable[[int], bytes], size: int) -> bytes:
    """A trouble of the disk must not look like one of the network, which is tried again."""
    try:
        return read(size)
    except OSError as error:
        raise Invalid(f"it cannot be read: {error.strerror}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted, name the ring's ca.crt with --ca ({error.verify_message})"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _answer(response: http.client.HTTPResponse, content: bytes) -> tuple[int, Json]:
    """Status and JSON; ApiError for what is refused, in the words of its problem+json."""
    status = response.status
    try:
        said = json.loads(content)
    except ValueError:
        said = None
    if status < http.HTTPStatus.MULTIPLE_CHOICES and isinstance(said, dict):
        return status, said
    problem = said if isinstance(said, dict) else {}
    detail = problem.get("detail") or problem.get("title") or f"no answer of a ringnode: {status} {response.reason}"
    retry_after_s = None
    if status in (http.HTTPStatus.TOO_MANY_REQUESTS, http.HTTPStatus.SERVICE_UNAVAILABLE):
        after = response.headers.get("Retry-After", "")
        retry_after_s = float(after) if after.isdecimal() else SOON_S
    raise ApiError(status, str(detail), retry_after_s)
