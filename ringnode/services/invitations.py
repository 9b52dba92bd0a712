"""Invitations: a link makes one account, once. An admin chooses the role, the guest the name and the password."""

import secrets
from dataclasses import dataclass, field, replace

from itsdangerous import BadData, URLSafeSerializer

from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.errors import Conflict, Invalid, NotFound
from ringnode.services.accounts import ROLES, Accounts, User, account_key, in_s, is_name
from ringnode.services.durability import Durability

KIND = "invitation"
DAYS, DAYS_LIMIT = 7, 90
NOTE_LIMIT = 200
ID_BYTES = 8


@dataclass(frozen=True)
class Invitation:
    """Leave to make one account."""

    id: str = field(metadata={"help": "Its id, to take it back"})
    role: str = field(metadata={"help": "Role of the account that it makes"})
    note: str = field(metadata={"help": "For whom it is, in the admin's words"})
    made_by: str = field(metadata={"help": "Name of the admin who made it"})
    made_at: str = field(metadata={"help": "When, ISO 8601 in UTC"})
    expires_at: str = field(metadata={"help": "When it ends, ISO 8601 in UTC"})
    used_by: str = field(metadata={"help": "Name of the account that was made with it; empty: none yet"})
    token: str = field(default="", metadata={"help": "What the guest needs: told once, when it is made; then empty"})
    url: str = field(default="", metadata={"help": "A link with it, for the guest: told once; then empty"})


class Invitations:
    """Over the gateway's parts; a token is good on every node."""

    def __init__(
        self, records: Records, durability: Durability, accounts: Accounts, secret: str, api_url: str
    ) -> None:
        self._records = records
        self._durability = durability
        self._accounts = accounts
        self._api_url = api_url
        self._signer = URLSafeSerializer(secret, salt="invitation")

    def every(self) -> list[Invitation]:
        """All that are not taken back, the newest first."""
        found = [_invitation(record) for record in self._records.live(KIND)]
        return sorted(found, key=lambda invitation: invitation.made_at, reverse=True)

    def make(self, role: str, days: int, note: str, by: str) -> Invitation:
        """A new one. Invalid names what is wrong."""
        if role not in ROLES:
            raise Invalid(f"role must be one of {', '.join(ROLES)}", "role")
        if not 1 <= days <= DAYS_LIMIT:
            raise Invalid(f"days must be between 1 and {DAYS_LIMIT}", "days")
        if len(note) > NOTE_LIMIT or not note.isprintable():
            raise Invalid(f"note has at most {NOTE_LIMIT} characters, none of them control characters", "note")
        self._tidy()
        id, ends = secrets.token_hex(ID_BYTES), in_s(days * 86400)
        doc = {"role": role, "note": note, "made_by": by, "made_at": in_s(0), "expires_at": ends, "used_by": ""}
        made = _invitation(self._durability.publish(self._records.draft(KIND, id, doc)))
        token = str(self._signer.dumps(id))
        return replace(made, token=token, url=f"{self._api_url}/join#{token}")  # a fragment is in no server's log

    def _tidy(self) -> None:
        """Forget those that ended a while ago."""
        for record in self._records.live(KIND):
            if str(record.doc.get("expires_at")) < in_s(-DAYS_LIMIT * 86400):
                self._durability.note(self._records.draft_edit(record, {"deleted": True}))

    def take_back(self, id: str) -> None:
        """It makes no account any more. NotFound if there is none."""
        if not id.isalnum() or not id.isascii():
            raise NotFound("there is no such invitation")
        with self._durability.changing(KIND, id) as record:
            self._durability.publish(self._records.draft_edit(record, {"deleted": True}))

    def look(self, token: str) -> Invitation:
        """What a guest is invited to. NotFound if it is forged, expired, used or taken back."""
        return replace(_invitation(self._open(self._id(token))), note="")

    def accept(self, token: str, name: str, password: str, display_name: str = "") -> User:
        """Make the account. NotFound as for `look`; Conflict if the name is taken, or the link is just being used."""
        id = self._id(token)
        with self._durability.lease(f"invitation/{id}") as held:
            record = self._open(id, name)
            role = _invitation(record).role
            if not is_name(name) or self._accounts.find(name):
                return self._accounts.create(name, password, role, display_name)  # says what is wrong
            held.require()
            # First used, then made: who is cut off in between may go on under the same name, and only so.
            self._durability.publish(self._records.draft_edit(record, {"used_by": account_key(name)}))
            try:
                return self._accounts.create(name, password, role, display_name)
            except (Invalid, Conflict):  # also if the name was taken meanwhile: the guest may choose another
                self._durability.publish(self._records.draft_edit(self._open(id, name), {"used_by": ""}))
                raise

    def _id(self, token: str) -> str:
        try:
            return str(self._signer.loads(token))
        except BadData as error:
            raise NotFound("there is no such invitation") from error

    def _open(self, id: str, name: str = "") -> Record:
        """The invitation, if it can still be used, by this name. NotFound says why not."""
        record = self._durability.latest(KIND, id)
        if record is None or record.deleted:
            raise NotFound("this invitation was taken back")
        if _invitation(record).expires_at < in_s(0):
            raise NotFound("this invitation has expired")
        used_by = _invitation(record).used_by
        if used_by and (used_by != account_key(name) or self._accounts.find(name)):
            raise NotFound("this invitation has been used")
        return record


def _invitation(record: Record) -> Invitation:
    names = ("role", "note", "made_by", "made_at", "expires_at", "used_by")
    return Invitation(record.key, **{name: str(record.doc.get(name, "")) for name in names})
