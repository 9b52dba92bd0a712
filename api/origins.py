"""Pages of other origins: which may read answers (CORS), and that none writes in the name of who is logged in here.

A browser adds the login's cookie by itself, whoever asks. SameSite=Strict keeps it from other sites; pages of the
same site at another port, and browsers that remember a Basic login, are told by Sec-Fetch-Site and Origin. Programs
send neither. A bearer token no page can send that does not have it.
"""

from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.wrappers import Response

from ringnode.errors import Forbidden

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
SENT = (
    "Authorization, Content-Type, If-Match, If-None-Match, If-Range, Last-Event-ID, Range, X-Request-ID,"
    " Tus-Resumable, Upload-Checksum, Upload-Length, Upload-Metadata, Upload-Offset"
)
READ = (
    "Accept-Ranges, Content-Disposition, Content-Range, Deprecation, ETag, Location, Retry-After, Tags-Written,"
    " X-Request-ID, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Expires,"
    " Upload-Length, Upload-New, Upload-Offset, Upload-Song"
)
KEPT_S = 600  # a browser asks again after it


def install(app: Flask, allowed: tuple[str, ...], url: str) -> None:
    """Answer browsers that ask for pages of the origins `allowed`; `url` is where people reach this node."""
    app.extensions["origins"] = {*allowed, "{0.scheme}://{0.netloc}".format(urlsplit(url))}

    def preflight() -> Response | None:
        if request.method != "OPTIONS" or request.headers.get("Origin") not in allowed:
            return None
        if "Access-Control-Request-Method" not in request.headers:
            return None
        heads = {"Access-Control-Allow-Methods": METHODS, "Access-Control-Allow-Headers": SENT}
        return Response(status=204, headers=heads | {"Access-Control-Max-Age": str(KEPT_S)})

    def share(response: Response) -> Response:
        if allowed:
            response.vary.add("Origin")
        if request.headers.get("Origin") in allowed:
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Expose-Headers"] = READ
        return response

    app.before_request(preflight)
    app.after_request(share)


def require_own_page(app: Flask) -> None:
    """Forbidden if a browser says that a page of another origin sends this request."""
    origin = request.headers.get("Origin", "")
    if origin in app.extensions["origins"] or (origin and urlsplit(origin).netloc == request.host):
        return
    site = request.headers.get("Sec-Fetch-Site", "none")
    if origin or site not in ("same-origin", "none"):
        raise Forbidden("pages of other origins may not do this with a login that the browser adds: send a token")
