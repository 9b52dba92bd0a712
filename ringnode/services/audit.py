"""The trail of what admins did: a record each, on every node, for half a year."""

import json
import secrets
import time
from dataclasses import dataclass, field

from ringnode.catalogue.paging import Asked, Page, Rows, Where, page
from ringnode.catalogue.records import Records
from ringnode.services.accounts import in_s
from ringnode.services.durability import Durability

KIND = "audit"  # keys: milliseconds in hex, then chance: in order of time
KEPT_S = 180 * 86400.0
AT_ONCE = 100  # old ones forgotten with each new one
LIMIT = 500  # characters of what it was done to
ROWS = Rows("key, doc", "record", "key", {"at": "key"}, "-at")


@dataclass(frozen=True)
class AuditEntry:
    """One thing an admin did."""

    id: str = field(metadata={"help": "Its id; ids are in order of time"})
    at: str = field(metadata={"help": "When, ISO 8601 in UTC"})
    by: str = field(metadata={"help": "Name of the account that did it"})
    action: str = field(metadata={"help": "What was done: an operationId of this API"})
    on: str = field(metadata={"help": "To what: the path, and the names of the fields that were given"})
    address: str = field(metadata={"help": "Network address that it was done from"})


class Audit:
    """Over the gateway's parts."""

    def __init__(self, records: Records, durability: Durability) -> None:
        self._records = records
        self._durability = durability

    def note(self, by: str, action: str, on: str, address: str) -> None:
        """Write it down, here and soon on every node; and forget what is too old."""
        doc = {"at": in_s(0), "by": by, "action": action, "on": on[:LIMIT], "address": address}
        self._durability.note(self._records.draft(KIND, _key(time.time()), doc))
        old = "kind = ? AND deleted = 0 AND key < ? ORDER BY key LIMIT ?"
        for record in self._records.where(old, KIND, _key(time.time() - KEPT_S), AT_ONCE):
            self._durability.note(self._records.draft_edit(record, {"deleted": True}))

    def page(self, asked: Asked) -> Page[AuditEntry]:
        """What was done, the newest first."""
        where = Where()
        where.add("kind = ? AND deleted = 0", KIND)
        return page(self._records.db, ROWS, asked, where, lambda row: _entry(row[0], row[1]))


def _key(at_s: float) -> str:
    return f"{int(at_s * 1000):012x}{secrets.token_hex(4)}"


def _entry(key: str, doc: str) -> AuditEntry:
    values = json.loads(doc)
    return AuditEntry(key, **{name: str(values.get(name, "")) for name in ("at", "by", "action", "on", "address")})
