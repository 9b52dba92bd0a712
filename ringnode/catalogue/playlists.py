"""Playlists out of the table of records: one record for the list, one for each entry.

Entries are records of their own so that what two people, or one at two nodes, add, move and remove at once merges.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from ringnode.catalogue.model import Song
from ringnode.catalogue.paging import PAGE_LIMIT, Asked, Page, Rows, Where, page
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records, record_of
from ringnode.catalogue.search import normalise
from ringnode.catalogue.songs import of_row

KIND = "playlist"
ENTRY = "entry"  # key: PLAYLIST/ENTRY
END = "\U0010ffff"  # behind every key that begins with what stands before it


class Placed(NamedTuple):
    """An entry: its id, its place in the list, and its song (None where that is deleted)."""

    id: str
    position: str
    song_id: str
    song: Song | None
    added_at: str
    added_by: str


LISTS = Rows(
    columns="kind, key, doc, stamp, edits",
    table="record",
    key="key",
    orders={"name": "sort", "changed_at": "json_extract(doc, '$.changed_at')"},
    default="name",
)
ENTRIES = Rows(
    columns="entry.key, entry.doc, song.doc, shelf.has_cover",
    table="record entry",
    key="entry.key",
    orders={"position": "entry.sort"},
    default="position",
    join="LEFT JOIN record song ON song.kind = 'song' AND song.key = json_extract(entry.doc, '$.song')"
    " AND song.deleted = 0 LEFT JOIN song shelf ON shelf.number = song.number",
)


class Totals(NamedTuple):
    """What is in a playlist; deleted songs do not count."""

    songs: int
    duration_s: float


def project(doc: dict[str, Any]) -> tuple[str, str]:
    """Playlists are listed by owner and name."""
    return f"{doc.get('owner', '')}\x1f{str(doc.get('name', '')).casefold()}", ""


def project_entry(doc: dict[str, Any]) -> tuple[str, str]:
    """Entries stand in order of their places."""
    return f"{doc.get('playlist', '')}\x1f{doc.get('position', '')}", ""


def owned(records: Records, owner: str) -> list[Record]:
    """The playlists of one person."""
    sql = "kind = 'playlist' AND deleted = 0 AND sort > ? AND sort < ? ORDER BY sort, key"
    return records.where(sql, f"{owner}\x1f", f"{owner}\x1f{END}")


def readable(records: Records, reader: str, mine: bool | None, asked: Asked) -> Page[Record]:
    """A page of the playlists that one person may read: all, their own, or those of others."""
    where = Where()
    where.add("kind = 'playlist' AND deleted = 0")
    own, shared = "json_extract(doc, '$.owner') = ?", "json_extract(doc, '$.public') = 1"
    reads = "EXISTS (SELECT 1 FROM json_each(doc, '$.readers') WHERE value = ?)"
    if mine:
        where.add(own, reader)
    else:
        where.add(f"({own} OR {shared} OR {reads})", reader, reader)
    if mine is False:
        where.add(f"NOT {own}", reader)
    return page(records.db, LISTS, asked, where, record_of)


def named(records: Records, reader: str, query: str, limit: int) -> list[Record]:
    """The playlists that one person may read and whose names or descriptions have words that begin so."""
    words = normalise(query).split()
    cursor: str | None = None
    found: list[Record] = []
    while words and len(found) < limit:
        some = readable(records, reader, None, Asked(PAGE_LIMIT, cursor))
        found += [record for record in some.items if _has(record.doc, words)]
        cursor = some.next_cursor
        if cursor is None:
            break
    return found[:limit]


def _has(doc: dict[str, Any], words: list[str]) -> bool:
    text = f" {normalise(' '.join(str(doc.get(name, '')) for name in ('name', 'description')))}"
    return all((f" {word}" if word.isascii() else word) in text for word in words)


def totals(records: Records, playlist: str) -> Totals:
    """Songs and seconds of a playlist."""
    sql = (
        "SELECT count(*), coalesce(sum(json_extract(song.doc, '$.duration_s')), 0) FROM record entry JOIN record song"
        " ON song.kind = 'song' AND song.key = json_extract(entry.doc, '$.song') AND song.deleted = 0"
        " WHERE entry.kind = 'entry' AND entry.deleted = 0 AND entry.sort > ? AND entry.sort < ?"
    )
    count, seconds = records.db.rows(sql, f"{playlist}\x1f", f"{playlist}\x1f{END}")[0]
    return Totals(count, round(seconds, 3))


def count(records: Records, playlist: str) -> int:
    """Entries, those of deleted songs included."""
    sql = "SELECT count(*) FROM record WHERE kind = 'entry' AND deleted = 0 AND sort > ? AND sort < ?"
    return int(records.db.value(sql, f"{playlist}\x1f", f"{playlist}\x1f{END}"))


def entries(records: Records, playlist: str, asked: Asked) -> Page[Placed]:
    """A page of entries in order."""
    where = Where()
    where.add("entry.kind = 'entry' AND entry.deleted = 0 AND entry.sort > ? AND entry.sort < ?",
              f"{playlist}\x1f", f"{playlist}\x1f{END}")  # fmt: skip
    return page(records.db, ENTRIES, asked, where, lambda row: _placed(*row))


def everything(records: Records, playlist: str) -> Iterator[Placed]:
    """All entries in order."""
    cursor: str | None = None
    while True:
        found = entries(records, playlist, Asked(PAGE_LIMIT, cursor))
        yield from found.items
        cursor = found.next_cursor
        if cursor is None:
            return


def following(records: Records, playlist: str, after: str, count: int) -> list[tuple[str, str]]:
    """Place and id of the first entries behind a place."""
    sql = (
        "SELECT sort, key FROM record WHERE kind = 'entry' AND deleted = 0 AND sort > ? AND sort < ?"
        " ORDER BY sort, key LIMIT ?"
    )
    rows = records.db.rows(sql, f"{playlist}\x1f{after}", f"{playlist}\x1f{END}", count)
    return [(sort.partition("\x1f")[2], key.partition("/")[2]) for sort, key in rows]


def last(records: Records, playlist: str) -> str:
    """The place of the last entry; "" in an empty list."""
    sql = "SELECT max(sort) FROM record WHERE kind = 'entry' AND deleted = 0 AND sort > ? AND sort < ?"
    sort = records.db.value(sql, f"{playlist}\x1f", f"{playlist}\x1f{END}")
    return str(sort).partition("\x1f")[2] if sort else ""


def _placed(key: str, entry: str, song: str | None, has_cover: Any) -> Placed:
    doc = json.loads(entry)
    id = str(doc.get("song", ""))
    found = of_row(id, song, has_cover) if song else None
    texts = (str(doc.get(name, "")) for name in ("added_at", "added_by"))
    return Placed(key.partition("/")[2], str(doc.get("position", "")), id, found, *texts)
