"""Pages of other origins: which may read answers (CORS), and that none writes in the name of who is logged in here.

A browser adds the login's cookie by itself, whoever asks. SameSite=Strict keeps it from other sites; pages of the
same site at another port, and browsers that remember a Basic login, are told by Sec-Fetch-Site and Origin. Programs
send neither. A bearer token no page can send that does not have it.

That is why the player keeps a token and no cookie: a cookie is one node's alone, and what listeners change and own
must go on at another node when that one dies. So pages of the ring's nodes may ask here, with a token.
"""

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.wrappers import Response

from ringnode.errors import Forbidden

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
SENT = (
    "Authorization, Content-Type, If-Match, If-None-Match, If-Range, Last-Event-ID, Range, X-HTTP-Method-Override,"
    " X-Request-ID, Tus-Resumable, Upload-Checksum, Upload-Length, Upload-Metadata, Upload-Offset"
)
READ = (
    "Accept-Ranges, Content-Disposition, Content-Range, Deprecation, ETag, Location, Retry-After, Tags-Written,"
    " X-Request-ID, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Expires,"
    " Upload-Length, Upload-New, Upload-Offset, Upload-Song"
)
DEFAULT_PORTS = {"http": ":80", "https": ":443"}  # which browsers leave out
KEPT_S = 600  # a browser asks again after it


def install(app: Flask, allowed: tuple[str, ...], url: str, ring: Callable[[], Iterable[str]]) -> None:
    """Answer browsers that ask for pages of other origins.

    For those of `allowed` a browser may add its cookie; those of the nodes that `ring` gives must know a token.
    `url` is where people reach this node.
    """
    app.extensions["origins"] = {*allowed, _origin(url)}

    def shared_with() -> str:
        """The origin that may ask; empty if it may not, or if nobody says one."""
        origin = request.headers.get("Origin", "")
        known = origin in allowed or (origin and origin in map(_origin, ring()))
        return origin if known else ""

    def preflight() -> Response | None:
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if not asks or not shared_with():
            return None
        heads = {"Access-Control-Allow-Methods": METHODS, "Access-Control-Allow-Headers": SENT}
        return Response(status=204, headers=heads | {"Access-Control-Max-Age": str(KEPT_S)})

    def share(response: Response) -> Response:
        if not request.path.startswith("/api/"):
            return response
        response.vary.add("Origin")
        if origin := shared_with():
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = READ
            if origin in allowed:
                response.headers["Access-Control-Allow-Credentials"] = "true"
        return response

    app.before_request(preflight)
    app.after_request(share)


def _origin(url: str) -> str:
    """The origin of a URL, as browsers say it."""
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc.removesuffix(DEFAULT_PORTS.get(parts.scheme, ''))}"


def require_own_page(app: Flask) -> None:
    """Forbidden if a browser says that a page of another origin sends this request."""
    origin = request.headers.get("Origin", "")
    if origin in app.extensions["origins"] or (origin and urlsplit(origin).netloc == request.host):
        return
    site = request.headers.get("Sec-Fetch-Site", "none")
    if origin or site not in ("same-origin", "none"):
        raise Forbidden("pages of other origins may not do this with a login that the browser adds: send a token")
