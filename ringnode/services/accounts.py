"""Who people are. Accounts are records, so any node knows everyone."""

import datetime
import logging
import re
import secrets
import unicodedata
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.config import Config
from ringnode.errors import Conflict, Invalid, NotFound
from ringnode.services.durability import Durability
from ringnode.services.passwords import HASHER, hashed

log = logging.getLogger(__name__)

KIND = "user"
ROLES = ("listener", "uploader", "admin")  # each may do what those before it may
ADMIN = ROLES[-1]
PASSWORD_BYTES = 12
NAME_LIMIT = 64
NAME_SIGNS = " .-_@"
TEXT_LIMIT = 100
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}|")
ADMINS = "accounts/admins"  # the lease of who makes one admin fewer


@dataclass(frozen=True)
class User:
    """An account, as its owner and admins see it."""

    name: str = field(metadata={"help": "Name to log in with; letter case does not matter"})
    role: str = field(metadata={"help": "What the account may do: listener, uploader or admin"})
    display_name: str = field(default="", metadata={"help": "Name to be shown; empty: the name itself"})
    language: str = field(
        default="", metadata={"help": "Language of the player, as BCP 47 has it; empty: the browser's"}
    )
    active: bool = field(default=True, metadata={"help": "May it log in?"})
    created_at: str = field(default="", metadata={"help": "When it was made, ISO 8601 in UTC"})


EDITABLE = ("display_name", "language")  # by its owner
ADMINISTERED = (*EDITABLE, "role", "active", "password")  # by an admin


def found_admin(records: Records, config: Config) -> list[Record]:
    """The first account of a new ring; its password is printed once if none was given."""
    if records.count(KIND):
        return []
    password = config.admin_password or secrets.token_urlsafe(PASSWORD_BYTES)
    if not config.admin_password:
        log.warning("the ring's first account is %r with password %r: note it now", config.admin_name, password)
    return [put_user(records, config.admin_name, password, ADMIN)]


def put_user(records: Records, name: str, password: str, role: str) -> Record:
    """Write an account on this node."""
    return records.put(KIND, account_key(name), new_doc(name, HASHER.hash(password), role))


def new_doc(name: str, password: str, role: str, **more: Any) -> dict[str, Any]:
    """The document of a new account. What others had under this name ends with its `epoch`."""
    return {"name": name, "role": role, "password": password, "epoch": new_epoch(), "created_at": now(), **more}


def new_epoch() -> str:
    """In every login of an account; another one ends them all."""
    return secrets.token_hex(4)


def account_key(name: str) -> str:
    """The key of an account's record."""
    return unicodedata.normalize("NFC", name).casefold()


class Accounts:
    """Over the gateway's parts."""

    def __init__(self, records: Records, durability: Durability) -> None:
        self._records = records
        self._durability = durability

    def everyone(self) -> list[User]:
        """All accounts, by name."""
        return [user_of(record) for record in self._records.live(KIND)]

    def get(self, name: str) -> User:
        """One account. NotFound if there is none."""
        return user_of(self._record(name))

    def version(self, name: str) -> str:
        """Changes with every edit of the account."""
        return self._record(name).newest()

    def find(self, name: str) -> User | None:
        """The account of this name, if there is one."""
        record = self._durability.find(KIND, account_key(name)) if is_name(name) else None
        return None if record is None or record.deleted else user_of(record)

    def _record(self, name: str) -> Record:
        record = self._durability.find(KIND, account_key(name)) if is_name(name) else None
        if record is None or record.deleted:
            raise NotFound(f"there is no account {name:.64}")
        return record

    def create(self, name: str, password: str, role: str, display_name: str = "") -> User:
        """Make an account. Conflict if the name is taken, also by one that is just being made at another node."""
        if not is_name(name):
            raise Invalid(
                "a name has 1 to 64 letters, digits, spaces and . - _ @, of which it has none at its ends", "name"
            )
        name = unicodedata.normalize("NFC", name)
        fields = checked({"role": role, "display_name": display_name}, name) | {"password": hashed(password, name)}
        with self._durability.lease(f"account/{account_key(name)}") as held:
            known = self._durability.latest(KIND, account_key(name))
            if known and not known.deleted:
                raise Conflict(f"the name {name} is taken")
            record = self._records.draft(KIND, account_key(name), new_doc(name, **fields))
            held.require()
            return user_of(self._durability.publish(record))

    def edit(self, name: str, changes: Any, fields: tuple[str, ...], versions: Container[str] | None = None) -> User:
        """Change some of `fields`. Invalid names the first bad one; Conflict for the last admin's role.

        Stale if `versions` are given and it has another now. Another password, or none of its business any more
        (inactive), ends all its logins.
        """
        if not isinstance(changes, dict) or not changes:
            raise Invalid(f"name at least one field to change: {', '.join(fields)}")
        for field_name in changes:
            if field_name not in fields:
                raise Invalid(f"there is no field {field_name:.40} here, but {', '.join(fields)}", field_name[:40])
        given = checked(changes, name)
        fewer = given.get("role", ADMIN) != ADMIN or not given.get("active", True)
        with self._changing(name, versions, fewer) as record:
            if "password" in given or not given.get("active", True):
                given["epoch"] = new_epoch()
            return user_of(self._durability.publish(self._records.draft_edit(record, given)))

    @contextmanager
    def deleting(self, name: str, versions: Container[str] | None = None) -> Iterator[None]:
        """Delete an account once what is done inside has succeeded. Conflict for the last admin; Stale as above."""
        with self._changing(name, versions, fewer_admins=True) as record:
            yield
            self._durability.publish(self._records.draft_edit(record, {"deleted": True, "epoch": new_epoch()}))

    @contextmanager
    def _changing(self, name: str, versions: Container[str] | None, fewer_admins: bool) -> Iterator[Record]:
        """An account to be changed. Conflict if that could leave the ring without an admin."""
        key = self._record(name).key
        if fewer_admins and is_admin(self._record(name)):
            with self._durability.lease(ADMINS) as held:
                if not any(self._is_admin_still(other) for other in self._records.live(KIND) if other.key != key):
                    raise Conflict(f"{name} is the last admin: make another one first")
                with self._durability.changing(KIND, key, versions) as record:
                    held.require()
                    yield record
        else:
            with self._durability.changing(KIND, key, versions) as record:
                if fewer_admins and is_admin(record):
                    raise Conflict(f"{name} has just become an admin: try again")
                yield record

    def _is_admin_still(self, record: Record) -> bool:
        """As the owners know it: another node may just have made one admin fewer."""
        if not is_admin(record):
            return False
        latest = self._durability.latest(KIND, record.key)
        return latest is not None and is_admin(latest)


def is_admin(record: Record) -> bool:
    """An admin who can log in?"""
    user = user_of(record)
    return user.role == ADMIN and user.active and not record.deleted


def is_name(name: str) -> bool:
    """May an account be called so? Letters and digits of any script, with a few signs between them."""
    name = unicodedata.normalize("NFC", name)
    inner = all(c.isalnum() or c in NAME_SIGNS or unicodedata.category(c)[0] == "M" for c in name)
    return inner and 0 < len(name) <= NAME_LIMIT and name[0].isalnum() and name[-1] not in NAME_SIGNS


def checked(changes: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Fields of an account as they are kept. Invalid names the first bad one."""
    made = {}
    for field_name, value in changes.items():
        if field_name == "active":
            if not isinstance(value, bool):
                raise Invalid("active must be true or false", "active")
        elif not isinstance(value, str):
            raise Invalid(f"{field_name} must be text", field_name)
        elif field_name == "role" and value not in ROLES:
            raise Invalid(f"role must be one of {', '.join(ROLES)}", "role")
        elif field_name == "display_name" and (len(value) > TEXT_LIMIT or not value.isprintable()):
            raise Invalid(
                f"display_name has at most {TEXT_LIMIT} characters, none of them control characters", field_name
            )
        elif field_name == "language" and not LANGUAGE.fullmatch(value):
            raise Invalid("language must be one of BCP 47, such as de or pt-BR", "language")
        made[field_name] = hashed(value, name) if field_name == "password" else value
    return made


def user_of(record: Record) -> User:
    """The account that a record describes."""
    doc: dict[str, Any] = record.doc
    text = {name: str(doc.get(name, "")) for name in ("display_name", "language", "created_at")}
    active = doc.get("active", True) is True
    return User(str(doc.get("name", record.key)), str(doc.get("role", ROLES[0])), active=active, **text)


def now() -> str:
    """The time, as records and answers have it."""
    return in_s(0)


def in_s(seconds: float) -> str:
    """The time in so many seconds."""
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return at.isoformat(timespec="seconds")
