"""What every answer carries: the request's id, and headers that keep browsers from guessing, framing and caching."""

import logging
import re
import secrets
import time
from http import HTTPStatus

from flask import Flask, g, request
from werkzeug.wrappers import Response

log = logging.getLogger(__name__)

SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
ID_BYTES = 8
ADDRESS_LIMIT = 64
HEALTH = "/api/v1/health"
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


def address() -> str:
    """The client's address, as the proxies in front say if there are some."""
    return (request.remote_addr or "")[:ADDRESS_LIMIT]


def install(app: Flask) -> None:
    """Have every answer finished."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    g.began = time.monotonic()


def _path() -> str:
    """For the log: without the query, which may hold a ticket, and without the token of an invitation."""
    rule = request.url_rule
    return rule.rule if rule and "<token>" in rule.rule else request.path


def _finish(response: Response) -> Response:
    for name, value in DEFAULTS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = request_id()
    user, ms = g.get("user"), (time.monotonic() - g.get("began", time.monotonic())) * 1000
    who = user.name if user else "-"
    told = (request.method, _path(), response.status_code, who, ms, request_id())
    log.log(_weight(response), "%s %r %d %r %.0f ms %s", *told)
    return response


def _weight(response: Response) -> int:
    """Those who look every other second whether this node is well would fill the log with saying so."""
    return logging.DEBUG if request.path == HEALTH and response.status_code == HTTPStatus.OK else logging.INFO
