"""What is a person's own: all of it for the person who asks, and what becomes of it when the account goes."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, Protocol

from ringnode.catalogue import personal
from ringnode.catalogue.records import Records
from ringnode.errors import Invalid
from ringnode.services.accounts import Accounts, User, account_key
from ringnode.services.durability import Durability

WISHES = DELETE, PUBLISH, GIVE = ("delete", "publish", "give")


@dataclass(frozen=True)
class Export:
    """Everything of one person."""

    user: User = field(metadata={"help": "The account, without its password"})
    own: dict[str, list[dict[str, Any]]] = field(
        metadata={"help": "For each kind of record (playlist, entry, mark, session ...) all that are this person's"}
    )


class Playlists(Protocol):
    """All of a person's at once."""

    def hand_over(self, owner: str, to: str) -> int: ...
    def delete_all(self, owner: str) -> int: ...


class Belongings:
    """Over the gateway's parts."""

    def __init__(self, records: Records, durability: Durability, accounts: Accounts, playlists: Playlists) -> None:
        self._records = records
        self._durability = durability
        self._accounts = accounts
        self._playlists = playlists

    def export(self, user: User) -> Export:
        """All that the library knows of the person."""
        return Export(user, personal.export(self._records, account_key(user.name)))

    def delete(self, name: str, wish: str, to: str, versions: Container[str] | None = None) -> None:
        """Delete an account and what is its own; `wish` says what becomes of its playlists, if it has some.

        Invalid names what is missing; Conflict for the last admin; Stale as for an edit.
        """
        user = self._accounts.get(name)
        if wish not in ("", *WISHES):
            raise Invalid(f"playlists must be one of {', '.join(WISHES)}", "playlists")
        count = len(personal.playlists(self._records, account_key(user.name)))
        if count and not wish:
            raise Invalid(f"{name} has {count} playlists: say what becomes of them", "playlists")
        heir = self._heir(user, to) if wish == GIVE else None
        with self._accounts.deleting(user.name, versions):
            self._pass_on(user, wish, heir)
            for kind in personal.PARTS:
                for record in personal.below(self._records, kind, account_key(user.name)):
                    self._durability.note(self._records.draft_edit(record, {"deleted": True}))

    def _heir(self, user: User, to: str) -> User:
        if not to:
            raise Invalid("say to whom its playlists go", "to")
        heir = self._accounts.find(to)
        if heir is None or heir.name == user.name:
            raise Invalid(f"there is no other account {to:.64}", "to")
        return heir

    def _pass_on(self, user: User, wish: str, heir: User | None) -> None:
        if heir:
            self._playlists.hand_over(user.name, heir.name)
        elif wish == DELETE:
            self._playlists.delete_all(user.name)
        elif wish == PUBLISH:  # an owner without a name: whoever takes this one's name later gets none of it
            for record in personal.playlists(self._records, account_key(user.name)):
                self._durability.publish(self._records.draft_edit(record, {"public": True, "owner": ""}))
