"""Who people are: passwords, logins, tokens. Accounts are records, so any node logs anyone in."""

import datetime
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadData, URLSafeTimedSerializer

from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import TooManyRequests, Unauthenticated

log = logging.getLogger(__name__)

KIND = "user"
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's floor: small machines log in too
HASH_WAIT_S = 5.0  # a thread that waits longer serves nobody
HASHES_AT_ONCE = 2  # a flood of logins must not take the memory or the cores
PASSWORD_LIMIT = 1024
FAILURES = 10  # wrong passwords for one name from one address ...
WINDOW_S = 60.0  # ... in this time, then that address waits; others still get in with the right one
WATCHED = 10_000  # addresses and names watched at once
PASSWORD_BYTES = 12
TICKET_S = 12 * 3600.0  # an evening of music: its last song must not stop in the middle


@dataclass(frozen=True)
class User:
    """An account as its owner sees it."""

    name: str = field(metadata={"help": "Name to log in with; letter case does not matter"})
    role: str = field(metadata={"help": "What the account may do: listener, uploader or admin"})


@dataclass(frozen=True)
class Login:
    """The answer to a right password."""

    token: str = field(metadata={"help": "To be sent as `Authorization: Bearer TOKEN`, to any node of the ring"})
    expires_at: str = field(metadata={"help": "When it ends, ISO 8601 in UTC"})
    user: User = field(metadata={"help": "Whose it is"})


@dataclass(frozen=True)
class Ticket:
    """Leave to read the library, in a URL: for what can send no headers, and to go on at another node."""

    ticket: str = field(metadata={"help": "To be sent as the query parameter `ticket`, to any node of the ring"})
    expires_at: str = field(metadata={"help": "When it ends, ISO 8601 in UTC"})


def found_admin(records: Records, config: Config) -> list[Record]:
    """The first account of a new ring; its password is printed once if none was given."""
    if records.count(KIND):
        return []
    password = config.admin_password or secrets.token_urlsafe(PASSWORD_BYTES)
    if not config.admin_password:
        log.warning("the ring's first account is %r with password %r: note it now", config.admin_name, password)
    return [put_user(records, config.admin_name, password, "admin")]


def put_user(records: Records, name: str, password: str, role: str) -> Record:
    """Write an account on this node."""
    doc = {"name": name, "role": role, "password": HASHER.hash(password), "epoch": 0}
    return records.put(KIND, name.casefold(), doc)


class Accounts:
    """Logins at one gateway. `find` gives a record by kind and key; all its nodes accept what `secret` signs."""

    def __init__(self, find: Callable[[str, str], Record | None], secret: str, session_s: float) -> None:
        self._find = find
        self._session_s = session_s
        self._signer = URLSafeTimedSerializer(secret, salt="login")
        self._tickets = URLSafeTimedSerializer(secret, salt="ticket")  # neither passes for the other
        self._hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)
        self._failures: OrderedDict[tuple[str, str], list[float]] = OrderedDict()
        self._lock = threading.Lock()
        self._nobody = HASHER.hash(secrets.token_hex())  # an unknown name takes as long as a wrong password

    def login(self, name: str, password: str, address: str) -> Login:
        """Unauthenticated for a wrong name or password, TooManyRequests after many from one address."""
        watched = (address, name.casefold()[:PASSWORD_LIMIT])
        self._require_calm(watched)
        record = self._find(KIND, name.casefold()) if name and name.isprintable() else None
        known = record is not None and not record.deleted
        stored = str(record.doc.get("password", "")) if record and known else self._nobody
        if not self._matches(stored, password) or not known or record is None:
            self._failed(watched)
            raise Unauthenticated("the name or the password is wrong")
        token = self._signer.dumps({"user": record.key, "epoch": record.doc.get("epoch", 0)})
        return Login(str(token), _in(self._session_s), user_of(record))

    def user(self, token: str) -> User:
        """Whose token it is. Unauthenticated if it is forged, expired or revoked."""
        return self._claimed(self._signer, token, self._session_s)

    def ticket(self, user: User) -> Ticket:
        """A new ticket; it ends early with the user's logins."""
        record = self._find(KIND, user.name.casefold())
        epoch = record.doc.get("epoch", 0) if record else None
        return Ticket(str(self._tickets.dumps({"user": user.name.casefold(), "epoch": epoch})), _in(TICKET_S))

    def ticket_user(self, ticket: str) -> User:
        """Whose ticket it is. Unauthenticated as for a token."""
        return self._claimed(self._tickets, ticket, TICKET_S)

    def _claimed(self, signer: URLSafeTimedSerializer, text: str, age_s: float) -> User:
        try:
            claim = signer.loads(text, max_age=int(age_s))
            record = self._find(KIND, claim["user"])
        except (BadData, KeyError, TypeError) as error:
            raise Unauthenticated("the login is not valid or has expired: log in again") from error
        if record is None or record.deleted or record.doc.get("epoch", 0) != claim.get("epoch"):
            raise Unauthenticated("the login was ended: log in again")
        return user_of(record)

    def _matches(self, stored: str, password: str) -> bool:
        if len(password) > PASSWORD_LIMIT:
            return False
        if not self._hashing.acquire(timeout=HASH_WAIT_S):
            raise TooManyRequests("many people are logging in: try again in a minute")
        try:
            return HASHER.verify(stored, password)
        except (VerificationError, InvalidHashError, UnicodeError):
            return False
        finally:
            self._hashing.release()

    def _require_calm(self, watched: tuple[str, str]) -> None:
        with self._lock:
            recent = [at for at in self._failures.get(watched, []) if time.monotonic() - at < WINDOW_S]
        if len(recent) >= FAILURES:
            raise TooManyRequests("too many wrong passwords from here: wait a minute")

    def _failed(self, watched: tuple[str, str]) -> None:
        with self._lock:
            recent = [*self._failures.pop(watched, []), time.monotonic()][-FAILURES:]
            self._failures[watched] = recent
            while len(self._failures) > WATCHED:
                self._failures.popitem(last=False)


def _in(seconds: float) -> str:
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return ends.isoformat(timespec="seconds")


def user_of(record: Record) -> User:
    """The account that a record describes."""
    doc: dict[str, Any] = record.doc
    return User(str(doc.get("name", record.key)), str(doc.get("role", "listener")))
