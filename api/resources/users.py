"""For admins: accounts, invitations, and what admins did."""

from typing import Any

from flask import g, request
from flask_restx import Namespace

from api import inputs
from api.models import NewInvitation, NewUser, list_of, model_of, page_of
from api.resources import Resource, unless_changed, unless_known, versioned
from api.resources.auth import ANNA, INVITED
from ringnode.services.accounts import ADMINISTERED, User
from ringnode.services.audit import AuditEntry
from ringnode.services.belongings import WISHES
from ringnode.services.invitations import Invitation

ns = Namespace("users", "Accounts, for admins", path="/")

USER = model_of(ns, User, ANNA)
USERS = list_of(ns, User, ANNA)
NEW_USER = model_of(ns, NewUser, NewUser("anna", "correct horse battery staple", "listener", "Anna"))
PASSWORD = {"password": {"type": "string", "description": "A new password; every login of the account ends"}}
EDIT = ns.schema_model("UserEdit", {
    "type": "object", "description": "Changes of an account.", "example": {"role": "uploader"}, "properties":
    {name: schema for name, schema in USER.__schema__["properties"].items() if name in ADMINISTERED} | PASSWORD,
})  # fmt: skip
NEW_INVITATION = model_of(ns, NewInvitation, NewInvitation("listener", 7, "Anna from the choir"))
INVITATION = model_of(ns, Invitation, INVITED)
INVITATIONS = list_of(ns, Invitation, INVITED)
DONE = AuditEntry("019b7a3c5d4e90ab", "2026-01-01T12:00:00+00:00", "admin", "edit_user",
             "/api/v1/users/anna role = uploader", "192.0.2.7")  # fmt: skip
ENTRIES = page_of(ns, model_of(ns, AuditEntry, DONE), "AuditEntry", DONE)

of_a_user = ns.doc(
    params={"name": {"description": "The account's name", "in": "path"}},
    responses={404: "There is no such account"},
)


@ns.route("/users")
class Users(Resource):
    """All accounts."""

    @ns.doc("list_users")
    @ns.response(200, "The accounts, by name", USERS)
    def get(self) -> Any:
        """Who has an account?"""
        return {"items": self.gateway.accounts.everyone()}

    @ns.doc("add_user")
    @ns.expect(NEW_USER)
    @ns.response(201, "The account; it can log in at every node", USER, headers={"Location": "URL of the account"})
    @ns.response(409, "The name is taken, also if it is just being made at another node")
    def post(self) -> tuple[User, int, dict[str, str]]:
        """Make an account."""
        given = inputs.body(NewUser)
        user = self.gateway.accounts.create(given.name, given.password, given.role, given.display_name)
        return user, 201, {"Location": f"{request.path}/{user.name}"}


@ns.route("/users/<name>")
@of_a_user
class OneUser(Resource):
    """One account."""

    @ns.doc("get_user")
    @unless_known
    @ns.response(200, "The account", USER, headers={"ETag": "Version of the account"})
    def get(self, name: str) -> Any:
        """One account."""
        version = self.gateway.accounts.version(name)
        return versioned(self.gateway.accounts.get(name), version)

    @ns.doc("edit_user")
    @unless_changed
    @ns.expect(EDIT)
    @ns.response(200, "The changed account", USER)
    @ns.response(409, "It is the last admin")
    def patch(self, name: str) -> User:
        """Change an account: role, active, password, display_name, language. What is not named stays.

        An account that is not active cannot log in; that, and a new password, ends all its logins.
        """
        changes = inputs.json_body("application/merge-patch+json")
        return self.gateway.accounts.edit(name, changes, ADMINISTERED, inputs.if_match())

    @ns.doc("delete_user")
    @unless_changed
    @ns.param("playlists", "What becomes of its playlists; needed if it has some: `delete`, `publish` (everybody can"
              " read them, nobody can change them) or `give` to another account", enum=list(WISHES))  # fmt: skip
    @ns.param("to", "With `give`: name of that account", maxLength=64)
    @ns.response(204, "It is gone, with all that was its own")
    @ns.response(409, "It is the last admin")
    def delete(self, name: str) -> tuple[None, int]:
        """Delete an account, with its stars, ratings, plays and logins. To lock it only, make it inactive."""
        wish, to = inputs.text("playlists", 20), inputs.text("to", 64)
        self.gateway.belongings.delete(name, wish, to, inputs.if_match())
        return None, 204


@ns.route("/invitations")
class Invitations(Resource):
    """Links that make accounts."""

    @ns.doc("list_invitations")
    @ns.response(200, "The invitations, the newest first", INVITATIONS)
    def get(self) -> Any:
        """Who is invited?"""
        return {"items": self.gateway.invitations.every()}

    @ns.doc("add_invitation")
    @ns.expect(NEW_INVITATION)
    @ns.response(201, "The invitation with its token and link, which are not told again", INVITATION)
    def post(self) -> tuple[Invitation, int]:
        """Make a link with which a guest makes one account, once."""
        given = inputs.body(NewInvitation)
        return self.gateway.invitations.make(given.role, given.days, given.note, g.user.name), 201


@ns.route("/invitations/<id>")
@ns.doc(params={"id": {"description": "Its id", "in": "path"}}, responses={404: "There is no such invitation"})
class OneInvitation(Resource):
    """One of them."""

    @ns.doc("take_back_invitation")
    @ns.response(204, "It makes no account any more")
    def delete(self, id: str) -> tuple[None, int]:
        """Take an invitation back."""
        self.gateway.invitations.take_back(id)
        return None, 204


@ns.route("/audit")
class AuditResource(Resource):
    """What admins did."""

    @ns.doc("list_audit")
    @inputs.paged(ns, ["at"], "-at")
    @ns.response(200, "A page, the newest first", ENTRIES)
    def get(self) -> Any:
        """What did admins do in the last half year?"""
        return self.gateway.audit.page(inputs.paging(["at"]))
