"""Logging in."""

from flask import g, request
from flask_restx import Namespace

from api import inputs
from api.models import Credentials, model_of
from api.resources import Resource
from ringnode.services.accounts import Login, Ticket, User

ns = Namespace("auth", "Logging in", path="/")

ANNA = User("anna", "listener")
CREDENTIALS = model_of(ns, Credentials, Credentials("anna", "correct horse battery staple"))
LOGIN = model_of(ns, Login, Login("eyJ1c2VyIjoiYW5uYSJ9.Zx.k3", "2026-01-31T12:00:00+00:00", ANNA))
USER = model_of(ns, User, ANNA)
TICKET = model_of(ns, Ticket, Ticket("eyJ1c2VyIjoiYW5uYSJ9.Zx.k4", "2026-01-01T12:00:00+00:00"))


@ns.route("/auth/login")
class LoginResource(Resource):
    """Where tokens come from."""

    @ns.doc("login")
    @ns.expect(CREDENTIALS)
    @ns.response(200, "The password is right", LOGIN)
    @ns.response(400, "The body is not JSON")
    @ns.response(401, "The name or the password is wrong")
    @ns.response(413, "The body is larger than 64 KiB")
    @ns.response(415, "The body is not sent as application/json")
    @ns.response(429, "Too many wrong passwords", headers={"Retry-After": "Seconds to wait"})
    def post(self) -> Login:
        """Log in. The token is valid on every node of the ring until it expires."""
        given = inputs.body(Credentials)
        return self.gateway.accounts.login(given.username, given.password, request.remote_addr or "")


@ns.route("/me")
class Me(Resource):
    """The account of the token."""

    @ns.doc("me")
    @ns.response(200, "Whose token it is", USER)
    def get(self) -> User:
        """Who am I?"""
        user: User = g.user
        return user


@ns.route("/me/ticket")
class TicketResource(Resource):
    """Leave to read the library by URL alone."""

    @ns.doc("new_ticket")
    @ns.response(200, "A ticket, good on every node of the ring", TICKET)
    def post(self) -> Ticket:
        """Make a ticket for URLs: a GET below `/songs` or `/ring` with `?ticket=` needs no other login.

        It is for players, which can send no headers, and lets a page go on at another node when its own dies: what a
        ticket opens may be read by pages of any origin.
        """
        return self.gateway.accounts.ticket(g.user)
