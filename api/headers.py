"""What every answer carries: the request's id, and headers that keep browsers from guessing, framing and caching."""

import logging
import re
import secrets

from flask import Flask, g, request
from werkzeug.wrappers import Response

log = logging.getLogger(__name__)

SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
ID_BYTES = 8
DEFAULTS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


def request_id() -> str:
    """The id of the present request: the client's if it is sane, else made up."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if SANE_ID.fullmatch(given) else secrets.token_hex(ID_BYTES)
    return str(g.request_id)


def install(app: Flask) -> None:
    """Have every answer finished."""
    app.after_request(_finish)


def _finish(response: Response) -> Response:
    for name, value in DEFAULTS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = request_id()
    log.info("%s %r %d %s", request.method, request.path, response.status_code, request_id())
    return response
