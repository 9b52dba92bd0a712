"""Who may do what: one table, asked before every request. What it does not name is denied or needs a login."""

import logging
from hmac import compare_digest

from flask import Flask, current_app, g, request
from werkzeug.wrappers import Response

from api.headers import address
from api.origins import require_own_page
from ringnode.errors import Forbidden, RingnodeError, Unauthenticated
from ringnode.services.accounts import ROLES
from ringnode.services.sessions import Access

log = logging.getLogger(__name__)

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
    "GET /api/v1/ring/inventory": ADMIN,
    "GET /api/v1/metrics": ADMIN,
    "POST /api/v1/auth/logout": LISTENER,
    "GET /api/v1/auth/invitations/<token>": PUBLIC,
    "POST /api/v1/auth/invitations/<token>": PUBLIC,
    "GET /api/v1/users": ADMIN,
    "GET /api/v1/users/<name>": ADMIN,
    "GET /api/v1/invitations": ADMIN,
    "GET /api/v1/audit": ADMIN,
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

# What uploaders may do to their own songs, and admins to all: written down where an admin does it.
DELETING = ("DELETE /api/v1/songs/<id>", "POST /api/v1/songs/delete", "POST /api/v1/songs/restore",
            "POST /api/v1/songs/<id>/restore")  # fmt: skip

# What an app password does not open: it is its program's, and the account is its owner's.
ACCOUNT = ("/api/v1/auth", "/api/v1/users", "/api/v1/invitations", "/api/v1/audit", "/api/v1/me/password",
           "/api/v1/me/sessions", "/api/v1/me/app-passwords", "/api/v1/me/export", "/api/v1/me/delete")  # fmt: skip
COOKIE = "ringnode"

# Whose GETs a ticket opens: the library, as any listener reads it. All a leaked URL gives away is music.
TICKETED = tuple(f"/api/v1/{noun}" for noun in ("songs", "albums", "artists", "genres", "years", "search", "ring"))
PLAYLIST = (
    "/api/v1/playlists/<id>/download"  # may be somebody's alone: only a ticket made for that very list opens it
)
TICKET = "ticket"
SCRAPED = "/api/v1/metrics"
TOLD = ("role", "active", "ids")  # whose values the audit trail keeps


def takes_ticket(method: str, rule: str) -> bool:
    """May a ticket in the URL stand for the login?"""
    return (
        method in READING
        and _is_below(rule, (*TICKETED, PLAYLIST))
        and needed(method, rule) == LISTENER  # whose ticket it is makes it no more than a listener's
    )


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
    app.after_request(_audit)


def _check() -> None:
    """Unauthenticated or Forbidden, else `g.user` is set (where a login is needed)."""
    if request.url_rule is None:  # no such route or method: the router says so, with nothing to protect
        return
    role = needed(request.method, request.url_rule.rule)
    if role == PUBLIC:
        return
    if request.url_rule.rule == SCRAPED and _is_scraper(current_app.extensions["gateway"].config.metrics_token):
        return
    sessions = current_app.extensions["gateway"].sessions
    g.by_ticket = TICKET in request.args and takes_ticket(request.method, request.url_rule.rule)
    g.access = Access(sessions.ticket_user(request.args[TICKET], _list())) if g.by_ticket else _access()
    g.user = g.access.user
    if g.access.app and _is_below(request.url_rule.rule, ACCOUNT):
        raise Forbidden("an app password does not open the account itself: log in")
    if g.user.role not in ROLES[ROLES.index(role) :]:
        raise Forbidden(f"this needs the role {role}, yours is {g.user.role}")


def _list() -> str:
    """The playlist whose own ticket is needed; "" where any will do."""
    return str((request.view_args or {})["id"]) if request.url_rule and request.url_rule.rule == PLAYLIST else ""


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


def _access() -> Access:
    """By a token, by an app password, or by the cookie of a browser; `g.token` is what it was."""
    given = request.authorization
    bearer = given is not None and given.type == "bearer"
    basic = given is not None and given.type == "basic"
    g.token = (given.token if bearer else given.password) if given else request.cookies.get(COOKIE)
    if not g.token or not (bearer or basic or given is None):
        raise Unauthenticated("log in at /api/v1/auth/login and send the token as `Authorization: Bearer TOKEN`")
    if request.method not in READING and not bearer:
        require_own_page(current_app)
    access: Access = current_app.extensions["gateway"].sessions.access(g.token)
    if basic and given and (not access.app or access.user.name.casefold() != (given.username or "").casefold()):
        raise Unauthenticated("this is no app password of that account")
    return access


def _deletes(rule: str) -> bool:
    return f"{request.method} {rule}" in DELETING


def _audit(response: Response) -> Response:
    """Whatever only an admin may do is written down once it is done; and which songs an admin deletes."""
    rule = request.url_rule
    if rule is None or request.method in READING or response.status_code >= 400:
        return response
    if needed(request.method, rule.rule) == ADMIN or (_deletes(rule.rule) and g.user.role == ADMIN):
        view = getattr(current_app.view_functions[str(request.endpoint)], "view_class", None)
        action = getattr(getattr(view, request.method.lower(), None), "__apidoc__", {}).get("id", rule.rule)
        given = request.get_json(silent=True) if request.is_json else None
        given = given if isinstance(given, dict) else {}
        said = [f"{name} = {value}" if name in TOLD else name for name, value in given.items()]
        try:
            on = f"{request.path} {', '.join(said)}".strip()
            current_app.extensions["gateway"].audit.note(g.user.name, action, on, address())
        except RingnodeError as error:
            log.error("%s by %s could not be written into the audit trail: %s", action, g.user.name, error)
    return response
