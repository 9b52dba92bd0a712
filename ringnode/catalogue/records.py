"""The one replicated table: everything that must be on every node.

Written by the node process and the gateway's workers alike; the digests change in the same transaction as the record.
"""

import json
import secrets
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from sqlite3 import Connection
from typing import Any

from blake3 import blake3

from ringnode.catalogue.database import Database
from ringnode.catalogue.record import COUNTER_BITS, HASH_BITS, Record, canonical, merge, milliseconds, reading, stamp
from ringnode.errors import Invalid

AHEAD_MS = 60_000  # a stamp further ahead of our clock is a clock gone wrong: it would win over every later edit
ASIDE_LIMIT = 10_000  # records kept aside; a peer with a broken clock must not fill the disk
HORIZON_MS = 30 * 86_400_000  # a tombstone younger than this is never forgotten
LOOK_UP = 400  # names in one question: below SQLite's limit of variables

Projection = Callable[[dict[str, Any]], tuple[str, str]]
"""From a document to what it is sorted by and what it is found by."""
Follower = Callable[[Connection, list[tuple[int, Record]]], None]
"""Keeps tables of its own in step with the records of a kind, in the transaction that changes these.

It is given their numbers and what they are now: tombstones where they are no more."""
Entry = tuple[str, str, int]


class _Merge:
    """Records that somebody waits for, and what became of them."""

    def __init__(self, records: list[Record]) -> None:
        self.records = records
        self.done = False
        self.news: list[Record] = []
        self.error: Exception | None = None


class Records:
    """The table. `node` is this node's mark in stamps, `now_ms` its wall clock, `projections` and
    `followers` one a kind.

    `life` tells this process from others of the node in its stamps; chance chooses if it is empty.
    """

    horizon_ms = HORIZON_MS

    def __init__(
        self,
        db: Database,
        node: str,
        now_ms: Callable[[], int],
        projections: dict[str, Projection] | None = None,
        life: str = "",
        followers: dict[str, Follower] | None = None,
    ) -> None:
        self.db = db
        self._mark = f"{node}.{life or secrets.token_hex(4)}"  # no two processes of a node give the same stamp
        self._clock = 0
        self._lock = threading.Lock()
        self._waiting: list[_Merge] = []  # to be committed with the next who has the turn
        self._turn = threading.Lock()
        self._now_ms = now_ms
        self._projections = projections or {}
        self._followers = followers or {}

    # -- one record --------------------------------------------------------------------------------------------

    def get(self, kind: str, key: str) -> Record | None:
        """The record, tombstones included."""
        rows = self.db.rows("SELECT kind, key, doc, stamp, edits FROM record WHERE kind = ? AND key = ?", kind, key)
        return record_of(rows[0]) if rows else None

    def draft(self, kind: str, key: str, doc: dict[str, Any]) -> Record:
        """A new record, stamped now; not in the table until it is merged. It replaces what was there."""
        return Record.of(Record(kind, key, doc, self._stamp(self.get(kind, key)), {}))

    def draft_edit(self, record: Record, changes: dict[str, Any]) -> Record:
        """`record` with `changes`, stamped now; not in the table until it is merged."""
        return Record.of(record.edited(changes, self._stamp(record)))

    def draft_fields(self, kind: str, key: str, changes: dict[str, Any], present: Record | None) -> Record:
        """`changes` of a record that may not be there yet: what two nodes make at once then merges field by field."""
        return self.draft_edit(present or Record(kind, key, {}, stamp(0, "0"), {}), changes)

    def put(self, kind: str, key: str, doc: dict[str, Any]) -> Record:
        """Draft and merge: durable on this node when it returns."""
        record = self.draft(kind, key, doc)
        self.merge([record])
        return record

    def _stamp(self, present: Record | None) -> str:
        """A stamp newer than what it changes and than all this process gave, whatever the wall clock does.

        Where that clock was far ahead and has been set right, the process begins anew under another mark.
        """
        with self._lock:
            seen = reading(present.newest()) if present else 0
            now = self._now_ms() << COUNTER_BITS
            if self._clock > now + (AHEAD_MS << COUNTER_BITS):
                self._clock, self._mark = 0, f"{self._mark}+"
            self._clock = max(self._clock + 1, seen + 1, now)
            return stamp(self._clock, self._mark)

    # -- many --------------------------------------------------------------------------------------------------

    def live(self, kind: str) -> Iterator[Record]:
        """Every record of a kind that is not deleted, by key."""
        for row in self.db.rows(
            "SELECT kind, key, doc, stamp, edits FROM record WHERE kind = ? AND deleted = 0 ORDER BY key", kind
        ):
            yield record_of(row)

    def where(self, condition: str, *values: Any) -> list[Record]:
        """Every record that an SQL condition, which never comes from outside, holds for."""
        sql = f"SELECT kind, key, doc, stamp, edits FROM record WHERE {condition}"  # noqa: S608
        return [record_of(row) for row in self.db.rows(sql, *values)]

    def some(self, kind: str, keys: Sequence[str]) -> list[Record]:
        """The records of these keys that are here, tombstones included, in no order."""
        found: list[Record] = []
        for n in range(0, len(keys), LOOK_UP):
            few = keys[n : n + LOOK_UP]
            found += self.where(f"kind = ? AND key IN ({', '.join('?' * len(few))})", kind, *few)
        return found

    def keys(self, kind: str, deleted: bool = False) -> list[str]:
        """The keys of a kind's live or deleted records, sorted."""
        sql = "SELECT key FROM record WHERE kind = ? AND deleted = ? ORDER BY key"
        return [key for (key,) in self.db.rows(sql, kind, deleted)]

    def keys_between(self, kind: str, after: str, upto: str) -> list[str]:
        """Keys of live records on the clockwise arc (after, upto]; the whole circle if they are the same."""
        arc = "key > ? AND key <= ?" if after < upto else "(key > ? OR key <= ?)"
        sql = f"SELECT key FROM record WHERE kind = ? AND deleted = 0 AND {arc} ORDER BY key"  # noqa: S608
        return [key for (key,) in self.db.rows(sql, kind, after, upto)]

    def count(self, kind: str) -> int:
        return int(self.db.value("SELECT count(*) FROM record WHERE kind = ? AND deleted = 0", kind))

    def merge(self, records: Iterable[Record]) -> list[Record]:
        """Take in records; returns those that were news, as they stand now. Durable when it returns.

        Records from the future wait aside until their time has come.
        """
        candidates = [record for record in records if not self._has(record)]
        if not candidates:  # most of what gossip brings is known: it must not cost a commit
            return []
        mine = _Merge(candidates)
        with self._lock:
            self._waiting.append(mine)
        with self._turn:
            if not mine.done:  # nobody took it along: what waits behind me goes in my commit, for those are dear
                with self._lock:
                    together, self._waiting = self._waiting, []
                self._commit(together if mine in together else [mine])  # or who took it was interrupted
        if mine.error:
            raise mine.error
        return mine.news

    def _commit(self, merges: list["_Merge"]) -> None:
        """All of them in one transaction; each in its own if that fails, so that none fails for another."""
        try:
            with self.db.write() as tx:
                news = [self._merge_all(tx, one.records) for one in merges]
        except Exception as error:  # noqa: BLE001  it is raised where somebody waits for it
            if len(merges) == 1:
                merges[0].done, merges[0].error = True, error
            else:
                for one in merges:
                    self._commit([one])
            return
        for one, its in zip(merges, news, strict=True):
            one.done, one.news = True, its

    def _merge_all(self, tx: Connection, records: list[Record]) -> list[Record]:
        now_ms = self._now_ms()
        taken = [pair for record in records if (pair := self._merge_one(tx, record, now_ms))]
        self._follow(tx, taken)
        return [merged for _, merged in taken]

    def _follow(self, tx: Connection, changed: list[tuple[int, Record]]) -> None:
        for kind, follow in self._followers.items():
            mine = [(number, record) for number, record in changed if record.kind == kind]
            if mine:
                follow(tx, mine)

    def keep(self, document: Any) -> list[Record]:
        """Take in one record that somebody waits for: Invalid where `merge` would put it aside."""
        return self.keep_all([document])

    def keep_all(self, documents: Sequence[Any]) -> list[Record]:
        """`keep` for several, in one transaction; none is taken if one is Invalid."""
        records = [Record.of(document) for document in documents]
        for record in records:
            ahead_ms = milliseconds(record.newest()) - self._now_ms()
            present = self.get(record.kind, record.key) if ahead_ms > AHEAD_MS else record
            if present is None or present.newest() < record.newest():
                raise Invalid(
                    f"this was written {ahead_ms // 1000} s ahead of the clock here: set the clock that is wrong"
                )
        return self.merge(records)

    def _has(self, record: Record) -> bool:
        present = self.get(record.kind, record.key)
        return present is not None and (present == record or merge(present, record) == present)

    def _merge_one(self, tx: Connection, record: Record, now_ms: int) -> tuple[int, Record] | None:
        row = tx.execute(
            "SELECT kind, key, doc, stamp, edits, number, bucket, hash FROM record WHERE kind = ? AND key = ?",
            (record.kind, record.key),
        ).fetchone()
        present = record_of(row[:5]) if row else None
        newest = record.newest()
        ahead_ms = milliseconds(newest) - max(now_ms, milliseconds(present.newest()) if present else 0)
        if ahead_ms > AHEAD_MS:
            self._put_aside(tx, list(record), f"its clock is {ahead_ms // 1000} s ahead of ours", newest)
            return None
        merged = merge(present, record) if present else merge(record, record)
        if merged == present or (present is None and merged.deleted and self.outdated(merged)):
            return None
        project = self._projections.get(record.kind)
        sort, text = project(merged.doc) if project else ("", "")
        bucket, digest = _bucket(merged.kind, merged.key), merged.digest()
        number = tx.execute(
            "INSERT INTO record (kind, key, doc, stamp, edits, deleted, bucket, hash, sort)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET doc = excluded.doc,"
            " stamp = excluded.stamp, edits = excluded.edits, deleted = excluded.deleted, hash = excluded.hash,"
            " sort = excluded.sort RETURNING number",
            (merged.kind, merged.key, canonical(merged.doc), merged.stamp, canonical(merged.edits), merged.deleted,
             bucket, digest, sort),
        ).fetchone()[0]  # fmt: skip
        _add_to_digest(tx, bucket, digest - (row[7] if row else 0))
        tx.execute("DELETE FROM search WHERE number = ?", (number,))
        if text and not merged.deleted:
            tx.execute("INSERT INTO search (number, text) VALUES (?, ?)", (number, text))
        return number, merged

    # -- the exchange ------------------------------------------------------------------------------------------

    def groups(self) -> list[int]:
        """The sums of all 256 groups."""
        totals = dict(self.db.rows("SELECT n, total FROM digest WHERE level = 1"))
        return [totals.get(n, 0) for n in range(256)]

    def buckets(self, groups: Sequence[int]) -> list[list[int]]:
        """The sums of the 256 buckets of each group named."""
        answer = []
        for first in (group * 256 for group in groups):
            sql = "SELECT n, total FROM digest WHERE level = 2 AND n >= ? AND n < ?"
            totals = dict(self.db.rows(sql, first, first + 256))
            answer.append([totals.get(first + n, 0) for n in range(256)])
        return answer

    def entries(self, buckets: Sequence[int]) -> list[Entry]:
        """(kind, key, hash) of every record in the buckets."""
        found: list[Entry] = []
        for bucket in buckets:
            found += self.db.rows("SELECT kind, key, hash FROM record WHERE bucket = ?", bucket)
        return found

    def documents(self, names: Sequence[Sequence[str]], most_bytes: int = sys.maxsize) -> list[Record]:
        """The records named by (kind, key), as far as they are here; of more than `most_bytes` the first ones."""
        here = (record for kind, key in names if (record := self.get(kind, key)))
        return list(here) if most_bytes == sys.maxsize else Record.first_few(here, most_bytes)

    def merge_documents(self, documents: Sequence[Any]) -> int:
        """Take in what a peer sent; how many were news. A broken one is kept aside and hinders none."""
        return len(self.take(documents))

    def take(self, documents: Sequence[Any]) -> list[Record]:
        """Like `merge`, from the wire. One that is no record, or of a key that its kind cannot have, is put aside."""
        try:
            return self.merge(map(Record.of, documents))
        except (Invalid, AttributeError, TypeError, ValueError) as error:
            if half := len(documents) // 2:  # the good ones together still: each commit takes its time
                return self.take(documents[:half]) + self.take(documents[half:])
            with self.db.write() as tx:
                self._put_aside(tx, repr(documents[0])[:10_000], str(error), None)
            return []

    # -- forgotten ---------------------------------------------------------------------------------------------

    def outdated(self, record: Record) -> bool:
        """Was its last change so long ago that a tombstone for it may have been forgotten?"""
        return milliseconds(record.newest()) < self._now_ms() - self.horizon_ms

    def season(self) -> int:
        """A number that grows every quarter of the time after which tombstones may be forgotten."""
        return 4 * self._now_ms() // self.horizon_ms

    def old_tombstones(self) -> list[tuple[str, str]]:
        """(kind, key) of the tombstones that are old enough to be forgotten, where all have them."""
        sql = "SELECT kind, key, doc, stamp, edits FROM record WHERE deleted = 1"
        return [(record.kind, record.key) for record in map(record_of, self.db.rows(sql)) if self.outdated(record)]

    def forget(self, names: Iterable[tuple[str, str]]) -> None:
        """Remove tombstones, but none that has come to life meanwhile. The caller knows that none can come back."""
        with self.db.write() as tx:
            for kind, key in names:
                self._remove(tx, kind, key, "deleted = 1")

    def _remove(self, tx: Connection, kind: str, key: str, condition: str = "1") -> None:
        sql = f"DELETE FROM record WHERE kind = ? AND key = ? AND {condition} RETURNING number, bucket, hash"  # noqa: S608
        row = tx.execute(sql, (kind, key)).fetchone()
        if row:
            _add_to_digest(tx, row[1], -row[2])
            tx.execute("DELETE FROM search WHERE number = ?", (row[0],))
            self._follow(tx, [(row[0], Record(kind, key, {"deleted": True}, "", {}))])

    # -- kept aside --------------------------------------------------------------------------------------------

    def put_aside(self, document: Any, why: str) -> None:
        """Take a record out of the table, and keep it for a person to look at."""
        record = Record.of(document)
        with self.db.write() as tx:
            self._remove(tx, record.kind, record.key)
            self._put_aside(tx, list(record), why, None)

    def _put_aside(self, tx: Connection, record: Any, why: str, newest: str | None) -> None:
        until_ms = milliseconds(newest) - AHEAD_MS if newest else 1 << 62
        if tx.execute("SELECT count(*) FROM aside").fetchone()[0] < ASIDE_LIMIT:
            tx.execute("INSERT OR REPLACE INTO aside VALUES (?, ?, ?)", (canonical(record), why, until_ms))

    def take_due(self) -> list[Record]:
        """Merge the records kept aside whose time has come."""
        now_ms = self._now_ms()
        due = self.db.rows("SELECT record FROM aside WHERE until_ms <= ?", now_ms)
        news = self.take([json.loads(text) for (text,) in due])
        with self.db.write() as tx:  # only now: after a crash they are merged once more; none if the clock went back
            tx.execute("DELETE FROM aside WHERE until_ms <= ?", (min(now_ms, self._now_ms()),))
        return news

    def aside(self) -> list[str]:
        """Why records are kept aside, one line each, at most 100."""
        return [f"{record[:60]}: {why}" for record, why in self.db.rows("SELECT record, why FROM aside LIMIT 100")]


def record_of(row: Sequence[Any]) -> Record:
    """The record of a row: its kind, key, doc, stamp and edits."""
    kind, key, doc, made, edits = row
    return Record(kind, key, json.loads(doc), made, json.loads(edits))


def _bucket(kind: str, key: str) -> int:
    return int.from_bytes(blake3(f"{kind}/{key}".encode()).digest()[:2], "big")


def _add_to_digest(tx: Connection, bucket: int, change: int) -> None:
    mask = (1 << HASH_BITS) - 1
    for level, n in ((1, bucket >> 8), (2, bucket)):
        tx.execute(
            "INSERT INTO digest VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET total = (total + excluded.total) & ?",
            (level, n, change & mask, mask),
        )
