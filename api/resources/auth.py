"""Logging in and out, and becoming a user by an invitation."""

from typing import Any

from flask import current_app, g, request
from flask_restx import Namespace

from api import inputs
from api.auth import COOKIE
from api.headers import address
from api.models import Credentials, Guest, model_of
from api.resources import Resource
from ringnode.services.accounts import User
from ringnode.services.invitations import Invitation
from ringnode.services.sessions import Client, Login

ns = Namespace("auth", "Logging in, and becoming a user", path="/auth")

ANNA = User("anna", "listener", "Anna", "de", True, "2026-01-01T12:00:00+00:00")
INVITED = Invitation("9f2c" * 4, "listener", "Anna from the choir", "admin", "2026-01-01T12:00:00+00:00",
                     "2026-01-08T12:00:00+00:00", "")  # fmt: skip
CREDENTIALS = model_of(ns, Credentials, Credentials("anna", "correct horse battery staple"))
LOGIN = model_of(ns, Login, Login("eyJ1c2VyIjoiYW5uYSJ9.Zx.k3", "2026-01-31T12:00:00+00:00", ANNA))
GUEST = model_of(ns, Guest, Guest("anna", "correct horse battery staple", "Anna"))
INVITATION = model_of(ns, Invitation, INVITED)

in_cookie = ns.param("cookie", "`true`: the token comes as an HttpOnly cookie instead, for pages", type="boolean",
                     default=False)  # fmt: skip


def client() -> Client:
    """Who logs in."""
    return Client(address(), request.headers.get("User-Agent", ""))


def logged_in(login: Login, status: int = 200) -> Any:
    """The answer with the token, or with the cookie that a browser keeps it in, out of reach of scripts."""
    if not inputs.flag("cookie"):
        return login, status
    response = current_app.json.response(Login("", login.expires_at, login.user))
    response.status_code = status
    age_s = int(current_app.extensions["gateway"].config.session_s)
    response.set_cookie(COOKIE, login.token, age_s, path="/api", secure=True, httponly=True, samesite="Strict")
    return response


@ns.route("/login")
class LoginResource(Resource):
    """Where tokens come from."""

    @ns.doc("login")
    @in_cookie
    @ns.expect(CREDENTIALS)
    @ns.response(200, "The password is right", LOGIN, headers={"Set-Cookie": "The token, with `cookie=true`"})
    @ns.response(401, "The name or the password is wrong")
    @ns.response(429, "Too many wrong passwords from this address for this name; from elsewhere it still works")
    def post(self) -> Any:
        """Log in. The token is valid on every node of the ring until it expires or is ended."""
        inputs.flag("cookie")
        given = inputs.body(Credentials)
        return logged_in(self.gateway.sessions.login(given.username, given.password, client()))


@ns.route("/logout")
class Logout(Resource):
    """Where they end."""

    @ns.doc("logout")
    @ns.response(204, "The login has ended, on every node within seconds")
    def post(self) -> Any:
        """Log out: end the login that this is sent with, and take its cookie away."""
        self.gateway.sessions.end(g.access, g.access.session)
        response = current_app.response_class(status=204)
        response.delete_cookie(COOKIE, path="/api", secure=True, httponly=True, samesite="Strict")
        return response


@ns.route("/invitations/<token>")
@ns.doc(
    params={"token": {"description": "The invitation's token", "in": "path"}},
    responses={404: "There is no such invitation, or it was used or taken back, or has expired"},
)
class Welcome(Resource):
    """An invitation, as the guest sees it."""

    @ns.doc("get_invitation")
    @ns.response(200, "It can be used", INVITATION)
    def get(self, token: str) -> Invitation:
        """Look what an invitation is good for."""
        return self.gateway.invitations.look(token)

    @ns.doc("accept_invitation")
    @in_cookie
    @ns.expect(GUEST)
    @ns.response(201, "The account is made and logged in", LOGIN)
    @ns.response(409, "The name is taken")
    def post(self, token: str) -> Any:
        """Make the account, with a name and a password of one's own. An invitation can be used once."""
        inputs.flag("cookie")
        given = inputs.body(Guest)
        self.gateway.invitations.accept(token, given.name, given.password, given.display_name)
        return logged_in(self.gateway.sessions.login(given.name, given.password, client()), 201)
