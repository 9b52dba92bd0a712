"""Who may do what: one table, asked before every request. What it does not name is denied or needs a login."""

from hmac import compare_digest

from flask import Flask, current_app, g, request
from werkzeug.wrappers import Response

from ringnode.errors import Forbidden, Unauthenticated

ROLES = ("listener", "uploader", "admin")  # each may do what those before it may
LISTENER, UPLOADER, ADMIN = ROLES
PUBLIC = ""
READING = ("GET", "HEAD", "OPTIONS")

NEEDED = {
    "GET /api/docs": PUBLIC,
    "GET /api/docs/swaggerui/<path:filename>": PUBLIC,
    "GET /api/v1/swagger.json": PUBLIC,
    "GET /api/v1/openapi.json": PUBLIC,
    "GET /api/v1/health": PUBLIC,
    "GET /api/v1/version": PUBLIC,
    "POST /api/v1/auth/login": PUBLIC,
    "POST /api/v1/me/ticket": LISTENER,
    "GET /api/v1/ring/inventory": ADMIN,
    "GET /api/v1/metrics": ADMIN,
    "POST /api/v1/songs": UPLOADER,
    "PATCH /api/v1/songs/<id>": UPLOADER,
    "POST /api/v1/uploads": UPLOADER,
    "POST /api/v1/uploads/known": UPLOADER,
    "PATCH /api/v1/uploads/<id>": UPLOADER,
    "DELETE /api/v1/uploads/<id>": UPLOADER,
    "DELETE /api/v1/songs/<id>": UPLOADER,  # what they uploaded; an admin any
    **dict.fromkeys(
        (
            f"POST /api/v1/songs/{name}"
            for name in ("edits", "delete", "restore", "encoding-preview", "<id>/undo", "<id>/restore")
        ),
        UPLOADER,
    ),
    "POST /api/v1/albums/merge": UPLOADER,
    "PUT /api/v1/songs/<id>/cover": UPLOADER,
    "DELETE /api/v1/songs/<id>/cover": UPLOADER,
    "PUT /api/v1/albums/<id>/cover": UPLOADER,
    "DELETE /api/v1/albums/<id>/cover": UPLOADER,
    "PUT /api/v1/songs/<id>/lyrics": UPLOADER,
    "DELETE /api/v1/songs/<id>/lyrics": UPLOADER,
}

# Where people have things of their own: any login may write there, and the services see to whose it is.
OWN = ("/api/v1/me", "/api/v1/playlists")

# Whose GETs a ticket opens: the library, nobody's account. All a leaked URL gives away is music.
TICKETED = (
    *(f"/api/v1/{noun}" for noun in ("songs", "albums", "artists", "genres", "years", "search", "ring")),
    "/api/v1/playlists/<id>/download",
)
TICKET = "ticket"
SCRAPED = "/api/v1/metrics"


def takes_ticket(method: str, rule: str) -> bool:
    """May a ticket in the URL stand for the login?"""
    return method in READING and _is_below(rule, TICKETED)


def _is_below(rule: str, paths: tuple[str, ...]) -> bool:
    return any(rule == path or rule.startswith(path + "/") for path in paths)


def needed(method: str, rule: str) -> str:
    """The role that a request needs. Unnamed: any login may read, only an admin may do the rest."""
    reading = method in READING or _is_below(rule, OWN)
    return NEEDED.get(f"{'GET' if method in READING else method} {rule}", LISTENER if reading else ADMIN)


def install(app: Flask) -> None:
    """Have every request checked."""
    app.before_request(_check)
    app.after_request(_share)


def _check() -> None:
    """Unauthenticated or Forbidden, else `g.user` is set (where a login is needed)."""
    if request.url_rule is None:  # no such route or method: the router says so, with nothing to protect
        return
    role = needed(request.method, request.url_rule.rule)
    if role == PUBLIC:
        return
    if request.url_rule.rule == SCRAPED and _is_scraper(current_app.extensions["gateway"].config.metrics_token):
        return
    accounts = current_app.extensions["gateway"].accounts
    g.by_ticket = TICKET in request.args and takes_ticket(request.method, request.url_rule.rule)
    g.user = accounts.ticket_user(request.args[TICKET]) if g.by_ticket else accounts.user(_token())
    if g.user.role not in ROLES[ROLES.index(role) :]:
        raise Forbidden(f"this needs the role {role}, yours is {g.user.role}")


def _is_scraper(token: str) -> bool:
    """Does the request carry the token that only reads figures? No token, no scraper."""
    given = request.authorization
    return bool(token and given and given.token and compare_digest(token.encode(), given.token.encode()))


def _share(response: Response) -> Response:
    """A player that a dead node served goes on at this one: what a ticket opened, pages of any origin may read.

    No cookie is looked at, so no page can ask in the name of a user whose ticket it does not have.
    """
    if g.get("by_ticket"):
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _token() -> str:
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise Unauthenticated("log in at /api/v1/auth/login and send the token as `Authorization: Bearer TOKEN`")
    return given.token
