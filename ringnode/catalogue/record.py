"""A record and its merge: pure data, the same on every node.

A record is a set of last-writer-wins registers, one a field. Its `stamp` is that of its creation and holds for every
field; `edits` names the fields written later, with theirs. The merge takes for each field the value with the newer
stamp, so it is commutative, associative and idempotent, and two people who edit two fields both keep their edit.
"""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from blake3 import blake3

from ringnode.errors import Invalid

HASH_BITS = 60  # a sum of two stays below SQLite's 63 bits
STAMP_DIGITS = 16
DOCUMENT_LIMIT = 256 * 1024  # characters of a document and its stamps; a record is a description, not a file
COUNTER_BITS = 16


class Record(NamedTuple):
    """One entry of the replicated table. `doc` is JSON; a true `deleted` in it makes the record a tombstone."""

    kind: str
    key: str
    doc: dict[str, Any]
    stamp: str
    edits: dict[str, str]

    @property
    def deleted(self) -> bool:
        return bool(self.doc.get("deleted"))

    def stamp_of(self, field: str) -> str:
        """When and where the field got its value; fields that are not there have been absent since creation."""
        return self.edits.get(field, self.stamp)

    def newest(self) -> str:
        """The stamp of the last change."""
        return max([self.stamp, *self.edits.values()])

    def edited(self, changes: dict[str, Any], stamp: str) -> "Record":
        """This record with `changes` made at `stamp`."""
        return self._replace(doc=self.doc | changes, edits=self.edits | dict.fromkeys(changes, stamp))

    def size_bytes(self) -> int:
        """About what it takes in a message."""
        return len(canonical(list(self)).encode())

    def digest(self) -> int:
        """HASH_BITS bits over everything; equal records have equal digests on every node."""
        return int.from_bytes(blake3(canonical(list(self)).encode()).digest()[:8], "big") >> (64 - HASH_BITS)

    @staticmethod
    def first_few(records: "Iterable[Record]", most_bytes: int) -> "list[Record]":
        """The first of them that are not more than `most_bytes` together, but at least one."""
        few: list[Record] = []
        for record in records:
            most_bytes -= record.size_bytes()
            if few and most_bytes < 0:
                break
            few.append(record)
        return few

    @classmethod
    def of(cls, value: Any) -> "Record":
        """A record from the wire; Invalid says what is wrong with it."""
        try:
            record = cls(*value)
        except TypeError as error:
            raise Invalid(f"this is no record: {value!r:.80}") from error
        texts = (record.kind, record.key, record.stamp, *record.edits, *record.edits.values())
        if not all(isinstance(text, str) and text for text in texts) or not isinstance(record.doc, dict):
            raise Invalid(f"a record's parts have wrong types: {value!r:.80}")
        for stamp in (record.stamp, *record.edits.values()):
            milliseconds(stamp)
        if len(canonical(record.doc)) + sum(map(len, texts)) > DOCUMENT_LIMIT:
            raise Invalid(f"the document of {record.kind} {record.key:.64} is too large")
        return record


def merge(a: Record, b: Record) -> Record:
    """What both sides come to: the newer value of every field."""
    doc: dict[str, Any] = {}
    stamps: dict[str, str] = {}
    for field in sorted(a.doc.keys() | b.doc.keys()):
        if a is b:  # only to be made regular
            newer = a
        elif (of_a := a.stamp_of(field)) == (of_b := b.stamp_of(field)):
            newer = max(a, b, key=lambda side: _rank(side.doc, field))
        else:
            newer = a if of_a > of_b else b
        if field in newer.doc:
            doc[field] = newer.doc[field]
            stamps[field] = newer.stamp_of(field)
    created = max(a.stamp, b.stamp)
    return Record(a.kind, a.key, doc, created, {f: s for f, s in stamps.items() if s != created})


def _rank(doc: dict[str, Any], field: str) -> tuple[bool, str]:
    """Orders different values of one stamp, which only a fault can make; so the merge stays the same everywhere."""
    return field in doc, canonical(doc.get(field))


def canonical(value: Any) -> str:
    """One text for one value. Invalid if it is not plain JSON."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(f"this cannot be written as JSON: {error}") from error


def stamp(clock: int, node: str) -> str:
    """A hybrid logical clock's reading (48 bits of ms, 16 of a counter) and its reader, as sortable text."""
    return f"{clock:0{STAMP_DIGITS}x}-{node}"


def reading(of: str) -> int:
    """The clock's reading in a stamp. Invalid if it is none."""
    try:
        if of[STAMP_DIGITS] == "-":
            return int(of[:STAMP_DIGITS], 16)
    except (IndexError, ValueError):
        pass
    raise Invalid(f"this is no stamp: {of!r:.80}")


def milliseconds(of: str) -> int:
    """The wall clock of a stamp, milliseconds since 1970."""
    return reading(of) >> COUNTER_BITS
