"""Errors as answers: the second of the two doors where errors are translated. RFC 9457, application/problem+json."""

import logging
from typing import Any

from flask import Flask, current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from api.headers import request_id
from ringnode.errors import (
    ChecksumWrong,
    Conflict,
    CorruptReplica,
    DiskFailed,
    Elsewhere,
    Forbidden,
    Invalid,
    NoSpace,
    NotAble,
    NotEnoughReplicas,
    NotFound,
    NotJoined,
    PeerBusy,
    PeerDown,
    PeerRefused,
    RingnodeError,
    Stale,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
)

log = logging.getLogger(__name__)

TYPE = "urn:ringnode:problem:"
FIELD_LIMIT = 40  # characters of a field's name, which may be a stranger's
FIELDS_LIMIT = 20
WAIT_S = {429: 5, 503: 5, 507: 60}  # where the error itself does not say: the ring mends itself, people make room
PROBLEMS: dict[type[RingnodeError], tuple[int, str, str]] = {
    Invalid: (422, "invalid", "The input is not valid"),
    TooLarge: (413, "too-large", "The input is too large"),
    Unauthenticated: (401, "unauthenticated", "A login is needed"),
    Forbidden: (403, "forbidden", "The login may not do this"),
    NotFound: (404, "not-found", "There is no such thing"),
    Elsewhere: (404, "not-found", "There is no such thing"),
    Conflict: (409, "conflict", "Another is doing this now, or has done it"),
    ChecksumWrong: (460, "checksum-wrong", "The bytes are not what their checksum says"),
    Stale: (412, "precondition-failed", "It has changed since it was read"),
    TooManyRequests: (429, "too-many-requests", "Too many attempts"),
    NotJoined: (503, "not-joined", "The node is not in its ring"),
    NotEnoughReplicas: (503, "not-enough-replicas", "Too few nodes answer"),
    PeerDown: (503, "peer-down", "A node does not answer"),
    PeerBusy: (503, "peer-busy", "A node is busy"),
    PeerRefused: (503, "peer-refused", "A node does not accept this one"),
    NoSpace: (507, "no-space", "The disks are full"),
    NotAble: (501, "not-able", "This node cannot do it"),
    DiskFailed: (507, "disk-failed", "A disk fails"),
    CorruptReplica: (500, "corrupt-replica", "A copy is damaged"),
    RingnodeError: (500, "internal", "Something went wrong here"),
}


def install(app: Flask) -> None:
    """Have every error of the application answered here."""
    app.register_error_handler(RingnodeError, _ours)
    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(Exception, _unforeseen)


def problem(
    status: int, name: str, title: str, detail: str, more: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    """One answer; `name` ends its `type` and is stable, `more` goes with it."""
    body: dict[str, Any] = {"type": TYPE + name, "title": title, "status": status, "detail": detail}
    text = current_app.json.dumps(body | (more or {}) | {"request_id": request_id()})
    return Response(text, status, headers, content_type="application/problem+json")


def _ours(error: RingnodeError) -> Response:
    status, name, title = next(PROBLEMS[cls] for cls in type(error).__mro__ if cls in PROBLEMS)
    headers = {}
    if status in WAIT_S:
        headers["Retry-After"] = str(getattr(error, "retry_after_s", WAIT_S[status]))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="ringnode"'
    if status == 500:
        log.error("%s %r failed [%s]", request.method, request.path, request_id(), exc_info=error)
    return problem(status, name, title, str(error), _blamed(error), headers)


def _blamed(error: RingnodeError) -> dict[str, Any]:
    """The parts of the input that are wrong: one, or several."""
    if not isinstance(error, Invalid) or not error.field:
        return {}
    several = [{"field": name[:FIELD_LIMIT], "detail": why} for name, why in error.fields.items()][:FIELDS_LIMIT]
    return {"field": error.field[:FIELD_LIMIT]} | ({"errors": several} if len(several) > 1 else {})


def answer(error: HTTPException) -> Response:
    """What the router, the parsers and the resources say in HTTP's own words."""
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    name = error.name.lower().replace(" ", "-")
    return problem(error.code or 500, name, error.name, error.description or error.name, headers=headers)


def _unforeseen(error: Exception) -> Response:
    """The traceback is for the log, not for the client."""
    log.error("%s %r failed [%s]", request.method, request.path, request_id(), exc_info=error)
    status, name, title = PROBLEMS[RingnodeError]
    return problem(status, name, title, "the node's log tells more about this request id")
