"""One's own account: profile, password, logins, app passwords, and all that is known of one."""

from typing import Any

from flask import current_app, g
from flask_restx import Namespace

from api import inputs
from api.auth import COOKIE
from api.models import Goodbye, NewAppPassword, NewPassword, list_of, model_of
from api.resources import Resource, unless_changed, unless_known, versioned
from api.resources.auth import ANNA, LOGIN, client, in_cookie, logged_in
from ringnode.services.accounts import EDITABLE, User
from ringnode.services.belongings import Export
from ringnode.services.sessions import AppPassword, Session, Ticket

ns = Namespace("account", "One's own account", path="/me")

ID = "0c4e" * 4
WHEN = "2026-01-01T12:00:00+00:00"
SESSION_SHOWN = Session(ID, "Mozilla/5.0 ...", "192.0.2.7", WHEN, WHEN, "2026-01-31T12:00:00+00:00", True)
APP_SHOWN = AppPassword(ID, "the car's player", WHEN, "", "WyJhbm5hIiwiMGM0ZSJd.k5")
USER = model_of(ns, User, ANNA)
EDIT = model_of(ns, User, {"display_name": "Anna B.", "language": "de"}, "ProfileEdit", EDITABLE)
GOODBYE = model_of(ns, Goodbye, Goodbye("correct horse battery staple", "give", "ben"))
PASSWORD = model_of(ns, NewPassword, NewPassword("correct horse battery staple", "wrong donkey charger clip"))
SESSIONS = list_of(ns, Session, SESSION_SHOWN)
NEW_APP = model_of(ns, NewAppPassword, NewAppPassword("the car's player"))
APP = model_of(ns, AppPassword, APP_SHOWN)
APPS = list_of(ns, AppPassword, APP_SHOWN)
TICKET = model_of(ns, Ticket, Ticket("eyJ1c2VyIjoiYW5uYSJ9.Zx.k4", WHEN))
EXPORT = model_of(ns, Export, Export(ANNA, {"playlist": [{"id": ID, "name": "Evening"}]}))

ID_LIMIT = 64  # characters
LOGIN_NEEDED = "An app password does not open this"


@ns.route("")
class Me(Resource):
    """The account of the login."""

    @ns.doc("me")
    @unless_known
    @ns.response(200, "Whose login it is", USER, headers={"ETag": "Version of the account"})
    def get(self) -> Any:
        """Who am I?"""
        return versioned(g.user, self.gateway.accounts.version(g.user.name))

    @ns.doc("edit_me")
    @unless_changed
    @ns.expect(EDIT)
    @ns.response(200, "The changed account", USER)
    def patch(self) -> User:
        """Change one's name to be shown, or language."""
        changes = inputs.json_body("application/merge-patch+json")
        return self.gateway.accounts.edit(g.user.name, changes, EDITABLE, inputs.if_match())


@ns.route("/delete")
class Deletion(Resource):
    """The end of the account."""

    @ns.doc("delete_me")
    @ns.expect(GOODBYE)
    @ns.response(204, "The account is gone, with all that was its own; the songs one has uploaded stay")
    @ns.response(401, "The password is wrong")
    @ns.response(403, LOGIN_NEEDED)
    @ns.response(409, "It is the last admin")
    @ns.response(429, "Too many wrong passwords")
    def post(self) -> Any:
        """Delete one's own account, with its stars, ratings, plays and logins. It cannot be undone."""
        given = inputs.body(Goodbye)
        self.gateway.sessions.confirm(g.access, given.password, client())
        self.gateway.belongings.delete(g.user.name, given.playlists, given.to)
        response = current_app.response_class(status=204)
        response.delete_cookie(COOKIE, path="/api", secure=True, httponly=True, samesite="Strict")
        return response


@ns.route("/password")
class Password(Resource):
    """The password."""

    @ns.doc("change_password")
    @in_cookie
    @ns.expect(PASSWORD)
    @ns.response(
        200, "It is changed; every other login has ended, and this is the new token of the present one", LOGIN
    )
    @ns.response(401, "The old password is wrong")
    @ns.response(403, LOGIN_NEEDED)
    @ns.response(429, "Too many wrong passwords")
    def put(self) -> Any:
        """Change the password. Every other login ends; app passwords stay."""
        inputs.flag("cookie")
        given = inputs.body(NewPassword)
        login = self.gateway.sessions.change_password(g.access, given.old_password, given.new_password, client())
        return logged_in(login)


@ns.route("/sessions")
class Sessions(Resource):
    """Where one is logged in."""

    @ns.doc("list_sessions")
    @ns.response(200, "The logins, those used last first", SESSIONS)
    @ns.response(403, LOGIN_NEEDED)
    def get(self) -> Any:
        """Where am I logged in?"""
        return {"items": self.gateway.sessions.sessions(g.access)}


@ns.route("/sessions/<id>")
@ns.doc(params={"id": {"description": "The login's id", "in": "path"}}, responses={404: "There is no such login"})
class OneSession(Resource):
    """One login."""

    @ns.doc("end_session")
    @ns.response(204, "It has ended, on every node within seconds")
    @ns.response(403, LOGIN_NEEDED)
    def delete(self, id: str) -> tuple[None, int]:
        """End a login, such as that of a lost telephone."""
        self.gateway.sessions.end(g.access, id)
        return None, 204


@ns.route("/app-passwords")
class AppPasswords(Resource):
    """Passwords for other programs."""

    @ns.doc("list_app_passwords")
    @ns.response(200, "The app passwords, without the passwords themselves", APPS)
    @ns.response(403, LOGIN_NEEDED)
    def get(self) -> Any:
        """Which programs have a password of their own?"""
        return {"items": self.gateway.sessions.apps(g.access)}

    @ns.doc("add_app_password")
    @ns.expect(NEW_APP)
    @ns.response(201, "The password, which is not told again", APP)
    @ns.response(403, LOGIN_NEEDED)
    @ns.response(409, "There are too many")
    def post(self) -> tuple[AppPassword, int]:
        """Make a password for one program.

        The program sends it as a bearer token, or by Basic with the account's name. It has no end but can be revoked,
        may do what the account may, but cannot change the account itself.
        """
        return self.gateway.sessions.new_app(g.access, inputs.body(NewAppPassword).name), 201


@ns.route("/app-passwords/<id>")
@ns.doc(params={"id": {"description": "Its id", "in": "path"}}, responses={404: "There is no such app password"})
class OneAppPassword(Resource):
    """One of them."""

    @ns.doc("revoke_app_password")
    @ns.response(204, "It opens nothing any more, on every node within seconds")
    @ns.response(403, LOGIN_NEEDED)
    def delete(self, id: str) -> tuple[None, int]:
        """Revoke an app password."""
        self.gateway.sessions.revoke_app(g.access, id)
        return None, 204


@ns.route("/export")
class ExportResource(Resource):
    """Everything of one person."""

    @ns.doc("export_me")
    @ns.response(200, "All of it", EXPORT, headers={"Content-Disposition": "A name to save it under"})
    @ns.response(403, LOGIN_NEEDED)
    def get(self) -> Any:
        """All that the library knows of one: account, playlists, stars, ratings, plays, logins."""
        return self.gateway.belongings.export(g.user), 200, {"Content-Disposition": 'attachment; filename="me.json"'}


@ns.route("/ticket")
class TicketResource(Resource):
    """Leave to read the library by URL alone."""

    @ns.doc("new_ticket")
    @ns.param("playlist", "Id of a playlist: the ticket opens its `/download`, and nothing else", maxLength=ID_LIMIT)
    @ns.response(200, "A ticket, good on every node of the ring", TICKET)
    def post(self) -> Ticket:
        """Make a ticket for URLs: a GET of the library with `?ticket=` needs no other login.

        It opens what listeners may read below `/songs`, `/albums`, `/artists`, `/genres`, `/years`, `/search` and
        `/ring`; nothing of an account, and of playlists the download of the one that it is made for. It ends after
        twelve hours, or with the login or app password that it was made with. It is for players, which can send no
        headers, and lets a page go on at another node when its own dies: what a ticket opens may be read by pages of
        any origin.
        """
        return self.gateway.sessions.ticket(g.access, inputs.text("playlist", ID_LIMIT))
