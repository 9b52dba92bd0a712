"""Who may do what: one table, asked before every request. What it does not name is denied or needs a login."""

from flask import Flask, current_app, g, request

from ringnode.errors import Forbidden, Unauthenticated

ROLES = ("listener", "uploader", "admin")  # each may do what those before it may
LISTENER, UPLOADER, ADMIN = ROLES
PUBLIC = ""
READING = ("GET", "HEAD", "OPTIONS")

NEEDED = {
    "GET /": PUBLIC,
    "GET /api/docs": PUBLIC,
    "GET /api/docs/swaggerui/<path:filename>": PUBLIC,
    "GET /api/v1/swagger.json": PUBLIC,
    "GET /api/v1/health": PUBLIC,
    "GET /api/v1/version": PUBLIC,
    "POST /api/v1/auth/login": PUBLIC,
    "POST /api/v1/songs": UPLOADER,
    "PATCH /api/v1/songs/<id>": UPLOADER,
    "DELETE /api/v1/songs/<id>": ADMIN,
}


def needed(method: str, rule: str) -> str:
    """The role that a request needs. Unnamed: any login may read, only an admin may do the rest."""
    reading = method in READING
    return NEEDED.get(f"{'GET' if reading else method} {rule}", LISTENER if reading else ADMIN)


def install(app: Flask) -> None:
    """Have every request checked."""
    app.before_request(_check)


def _check() -> None:
    """Unauthenticated or Forbidden, else `g.user` is set (where a login is needed)."""
    if request.url_rule is None:  # no such route or method: the router says so, with nothing to protect
        return
    role = needed(request.method, request.url_rule.rule)
    if role == PUBLIC:
        return
    g.user = current_app.extensions["gateway"].accounts.user(_token())
    if g.user.role not in ROLES[ROLES.index(role) :]:
        raise Forbidden(f"this needs the role {role}, yours is {g.user.role}")


def _token() -> str:
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise Unauthenticated("log in at /api/v1/auth/login and send the token as `Authorization: Bearer TOKEN`")
    return given.token
