"""Logins: what an account is opened with. Any node verifies a token by itself, with the ring's secret.

A token names its account, the account's epoch and a session. It is good while the account is there with that epoch
and no tombstone of the session has come here: a login needs no node but its own, and that one was ended is a small
record that every node has within seconds. An app password is a token without an end, good while its record is there.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer

from ringnode.catalogue.attempts import Attempts
from ringnode.catalogue.people import key_of
from ringnode.catalogue.personal import below
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.errors import Conflict, Invalid, NotFound, TooManyRequests, Unauthenticated
from ringnode.services import accounts
from ringnode.services.accounts import User, account_key, in_s, new_epoch, user_of
from ringnode.services.durability import Durability
from ringnode.services.passwords import Passwords, hashed

KIND = "session"  # keys: USER/ID
APP = "app"  # keys: USER/ID
TICKET_S = 12 * 3600.0  # an evening of music: its last song must not stop in the middle
SEEN_S = 3600  # how coarse `seen_at` is: a write for each request would be a write for nothing
AGENT_LIMIT = 200
SESSIONS_LIMIT = 100  # of one account; the oldest are ended
APPS_LIMIT = 50
NAME_LIMIT = 100
ID_BYTES = 8


@dataclass(frozen=True)
class Login:
    """The answer to a right password."""

    token: str = field(
        metadata={"help": "To be sent as `Authorization: Bearer TOKEN`, to any node; empty if it is in a cookie"}
    )
    expires_at: str = field(metadata={"help": "When it ends, ISO 8601 in UTC"})
    user: User = field(metadata={"help": "Whose it is"})


@dataclass(frozen=True)
class Ticket:
    """Leave to read the library, in a URL: for what can send no headers, and to go on at another node."""

    ticket: str = field(metadata={"help": "To be sent as the query parameter `ticket`, to any node of the ring"})
    expires_at: str = field(metadata={"help": "When it ends, ISO 8601 in UTC"})


@dataclass(frozen=True)
class Session:
    """One login of an account."""

    id: str = field(metadata={"help": "Its id, to end it"})
    agent: str = field(metadata={"help": "What the program that logged in calls itself"})
    address: str = field(metadata={"help": "The network address that logged in"})
    made_at: str = field(metadata={"help": "When, ISO 8601 in UTC"})
    seen_at: str = field(metadata={"help": "When it was last used, to the hour, ISO 8601 in UTC"})
    expires_at: str = field(metadata={"help": "When it ends, ISO 8601 in UTC"})
    current: bool = field(metadata={"help": "Is it the one that asks?"})


@dataclass(frozen=True)
class AppPassword:
    """A password for one program."""

    id: str = field(metadata={"help": "Its id, to revoke it"})
    name: str = field(metadata={"help": "What it is for, in its owner's words"})
    made_at: str = field(metadata={"help": "When it was made, ISO 8601 in UTC"})
    seen_at: str = field(metadata={"help": "When it was last used, to the hour, ISO 8601 in UTC; empty: never"})
    password: str = field(default="", metadata={"help": "The password: told once, when it is made; then empty"})


class Access(NamedTuple):
    """Who asks, and by what: a session, or an app password."""

    user: User
    session: str = ""
    app: str = ""


class Client(NamedTuple):
    """The program that logs in."""

    address: str
    agent: str = ""


class Sessions:
    """At one gateway; all nodes accept what `secret` signs."""

    def __init__(
        self, records: Records, durability: Durability, attempts: Attempts, secret: str, session_s: float
    ) -> None:
        self._records = records
        self._durability = durability
        self._attempts = attempts
        self._session_s = session_s
        self._tokens = URLSafeTimedSerializer(secret, salt="login")
        self._tickets = URLSafeTimedSerializer(secret, salt="ticket")  # none passes for another
        self._apps = URLSafeSerializer(secret, salt="app")
        self._passwords = Passwords()

    # -- logging in --------------------------------------------------------------------------------------------

    def login(self, name: str, password: str, client: Client) -> Login:
        """Unauthenticated for a wrong name or password, TooManyRequests after many from one address."""
        record = self._durability.find(accounts.KIND, account_key(name)) if accounts.is_name(name) else None
        if record and (record.deleted or not user_of(record).active):
            record = None
        self._require_right(record, name, password, client.address)
        assert record
        return self._begin(record, client)

    def _require_right(self, record: Record | None, name: str, password: str, address: str) -> None:
        """What is wrong is not told apart, and guessing gets slower."""
        key = account_key(name)
        wait_s = self._attempts.wait_s(address, key)
        if wait_s:
            error = TooManyRequests(f"too many wrong passwords from here: wait {wait_s} s")
            error.retry_after_s = wait_s
            raise error
        if not self._passwords.right(str(record.doc.get("password", "")) if record else None, password):
            self._attempts.failed(address, key)
            raise Unauthenticated("the name or the password is wrong")
        self._attempts.succeeded(address, key)

    def _begin(self, account: Record, client: Client) -> Login:
        id, ends = secrets.token_hex(ID_BYTES), in_s(self._session_s)
        agent = "".join(c for c in client.agent if c.isprintable())[:AGENT_LIMIT]
        now = in_s(0)
        doc = {"agent": agent, "address": client.address, "made_at": now, "seen_at": now, "expires_at": ends}
        self._durability.note(self._records.draft(KIND, _key(account, id), doc))
        self._end_old(account)
        return self._login(account, id)

    def _login(self, account: Record, id: str) -> Login:
        token = self._tokens.dumps({"user": account.key, "epoch": account.doc.get("epoch"), "id": id})
        return Login(str(token), in_s(self._session_s), user_of(account))

    def _end_old(self, account: Record) -> None:
        """Forget the sessions that have run out, and end the oldest of too many."""
        mine = sorted(self._below(KIND, account), key=lambda session: str(session.doc.get("made_at")), reverse=True)
        for n, session in enumerate(mine):
            if n >= SESSIONS_LIMIT or str(session.doc.get("expires_at")) < in_s(0):
                self._durability.note(self._records.draft_edit(session, {"deleted": True}))

    def _below(self, kind: str, account: Record) -> list[Record]:
        return below(self._records, kind, account.key)

    # -- being known -------------------------------------------------------------------------------------------

    def access(self, token: str) -> Access:
        """Whose login or app password it is. Unauthenticated if it is forged, expired or was ended."""
        if token.count(".") == 1:
            return self._app_access(token)
        account, claim = self._claimed(self._tokens, token, self._session_s)
        return Access(user_of(account), session=str(claim.get("id", "")))

    def ticket(self, access: Access, playlist: str = "") -> Ticket:
        """A new ticket; it ends early with the login or app password it was made with, or with all of the account.

        With `playlist`, an id, it is for that list and for nothing else.
        """
        account = self._account(account_key(access.user.name))
        claim = {"user": account.key, "epoch": account.doc.get("epoch"), "id": access.session, "app": access.app}
        claim |= {"playlist": playlist} if playlist else {}
        return Ticket(str(self._tickets.dumps(claim)), in_s(TICKET_S))

    def ticket_user(self, ticket: str, playlist: str = "") -> User:
        """Whose ticket it is. Unauthenticated as for a token, or if it is not for this playlist ("": the library)."""
        account, claim = self._claimed(self._tickets, ticket, TICKET_S)
        if claim.get("playlist", "") != playlist:
            raise Unauthenticated("this ticket was made for something else: POST /api/v1/me/ticket makes another")
        if claim.get("app"):
            self._living_app(account, str(claim["app"]))
        return user_of(account)

    def _claimed(self, signer: URLSafeTimedSerializer, text: str, age_s: float) -> tuple[Record, dict[str, Any]]:
        try:
            claim = signer.loads(text, max_age=int(age_s))
            account = self._account(claim["user"])
            session = self._records.get(KIND, _key(account, str(claim["id"])))
        except (BadData, KeyError, TypeError) as error:
            raise Unauthenticated("the login is not valid or has expired: log in again") from error
        if account.doc.get("epoch") != claim.get("epoch") or (session and session.deleted):
            raise Unauthenticated("the login was ended: log in again")
        if session:
            self._see(session)
        return account, claim

    def _account(self, key: str) -> Record:
        account = self._durability.find(accounts.KIND, key)
        if account is None or account.deleted or not user_of(account).active:
            raise Unauthenticated("the login was ended: log in again")
        return account

    def _see(self, record: Record) -> None:
        """Note that it is used, but not at every use."""
        seen = str(record.doc.get("seen_at", ""))
        if seen < in_s(-SEEN_S):
            self._durability.note(self._records.draft_edit(record, {"seen_at": in_s(0)}))

    def _app_access(self, password: str) -> Access:
        try:
            key, id = self._apps.loads(password)
            account = self._account(key)
        except (BadData, TypeError, ValueError) as error:
            raise Unauthenticated("this is no app password") from error
        self._see(self._living_app(account, str(id)))
        return Access(user_of(account), app=str(id))

    def _living_app(self, account: Record, id: str) -> Record:
        app = self._durability.find(APP, _key(account, id))
        if app is None or app.deleted:
            raise Unauthenticated("the app password was revoked")
        return app

    # -- one's own ---------------------------------------------------------------------------------------------

    def change_password(self, access: Access, old: str, new: str, client: Client) -> Login:
        """Another password; every other login ends, app passwords stay. Unauthenticated if the old one is wrong."""
        name = access.user.name
        with self._durability.changing(accounts.KIND, account_key(name)) as record:
            self._require_right(record, name, old, client.address)
            changes = {"password": hashed(new, name, "new_password"), "epoch": new_epoch()}
            account = self._durability.publish(self._records.draft_edit(record, changes))
        for session in self._below(KIND, account):
            if session.key != _key(account, access.session):
                self._durability.note(self._records.draft_edit(session, {"deleted": True}))
        return self._login(account, access.session)

    def confirm(self, access: Access, password: str, client: Client) -> None:
        """It is the account's owner who asks. Errors as of `login`."""
        name = access.user.name
        self._require_right(self._durability.find(accounts.KIND, account_key(name)), name, password, client.address)

    def sessions(self, access: Access) -> list[Session]:
        """The account's logins, those used last first."""
        account = self._account(account_key(access.user.name))
        found = [_session(record, access.session) for record in self._below(KIND, account)]
        return sorted((s for s in found if s.expires_at > in_s(0)), key=lambda s: s.seen_at, reverse=True)

    def end(self, access: Access, id: str) -> None:
        """End one of the account's logins. NotFound if there is none of this id."""
        if id == access.session:  # its record may not have come here yet
            account = self._account(account_key(access.user.name))
            self._durability.publish(self._records.draft(KIND, _key(account, id), {"deleted": True}))
        else:
            self._remove(KIND, access, id)

    def apps(self, access: Access) -> list[AppPassword]:
        """The account's app passwords, by name."""
        account = self._account(account_key(access.user.name))
        return sorted(map(_app, self._below(APP, account)), key=lambda app: app.name)

    def new_app(self, access: Access, name: str) -> AppPassword:
        """Make an app password. Conflict if there are too many."""
        if not 0 < len(name) <= NAME_LIMIT or not name.isprintable():
            raise Invalid(f"say what it is for in 1 to {NAME_LIMIT} characters", "name")
        account = self._account(account_key(access.user.name))
        if len(self._below(APP, account)) >= APPS_LIMIT:
            raise Conflict(f"there are {APPS_LIMIT} app passwords already: revoke one first")
        id = secrets.token_hex(ID_BYTES)
        doc = {"name": name, "made_at": in_s(0), "seen_at": ""}
        record = self._durability.publish(self._records.draft(APP, _key(account, id), doc))
        made = _app(record)
        return AppPassword(made.id, made.name, made.made_at, "", str(self._apps.dumps([account.key, id])))

    def revoke_app(self, access: Access, id: str) -> None:
        """Revoke one of the account's app passwords. NotFound if there is none of this id."""
        self._remove(APP, access, id)

    def _remove(self, kind: str, access: Access, id: str) -> None:
        account = self._account(account_key(access.user.name))
        if not id.isalnum() or not id.isascii():
            raise NotFound(f"there is no {kind} {id:.64}")
        with self._durability.changing(kind, _key(account, id)) as record:
            self._durability.publish(self._records.draft_edit(record, {"deleted": True}))


def _key(account: Record, id: str) -> str:
    return f"{key_of(account.key)}/{id}"


def _session(record: Record, current: str) -> Session:
    id = record.key.rpartition("/")[2]
    texts = {name: str(record.doc.get(name, "")) for name in ("agent", "address", "made_at", "seen_at", "expires_at")}
    return Session(id, **texts, current=id == current)


def _app(record: Record) -> AppPassword:
    texts = {name: str(record.doc.get(name, "")) for name in ("name", "made_at", "seen_at")}
    return AppPassword(record.key.rpartition("/")[2], **texts)
