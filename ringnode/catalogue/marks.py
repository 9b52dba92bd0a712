"""What one person has done with one thing: a star, a rating, plays. A record for each person and thing.

The key is USER/WHAT/ID. Plays are counted in a field for each node, which only that node writes, so that counts at
two nodes add up; the field keeps the last few plays' ids, so that a play that is sent again counts once.
"""

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any, NamedTuple

from ringnode.catalogue.model import Song
from ringnode.catalogue.paging import Asked, Page, Rows, Where, page
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.catalogue.songs import of_row

KIND = "mark"
SONG, ALBUM, ARTIST = THINGS = ("song", "album", "artist")
PLAYS = "plays@"  # then the node's mark
RATING_LIMIT = 5
REMEMBERED = 20  # ids of plays that a field keeps
COLUMNS = "mark.starred_at, mark.rating, mark.plays, mark.played_at"

# What lists of marked songs can be sorted by.
ORDERS = {name: f"mark.{name}" for name in ("played_at", "plays", "rating", "starred_at")} | {"library": "song.sort"}
MARKED = Rows(
    columns=f"song.key, song.doc, shelf.has_cover, {COLUMNS}",
    table="mark JOIN record song ON song.kind = 'song' AND song.key = mark.id AND song.deleted = 0"
    " JOIN song shelf ON shelf.number = song.number",
    key="song.key",
    orders=ORDERS,
    default="-played_at",
)
UNMARKED = Rows(
    columns="song.key, song.doc, shelf.has_cover, '', 0, 0, ''",
    table="record song JOIN song shelf ON shelf.number = song.number",
    key="song.key",
    orders={"library": "song.sort"},
    default="library",
)
THINGS_ROWS = Rows(f"mark.id, {COLUMNS}", "mark", "mark.id", {"starred_at": "mark.starred_at"}, "-starred_at")


class Mark(NamedTuple):
    """One person's mark on one thing."""

    starred_at: str = ""
    rating: int = 0
    plays: int = 0
    played_at: str = ""


def of(doc: dict[str, Any]) -> Mark:
    """The mark that a document describes."""
    played = [value for name, value in doc.items() if name.startswith(PLAYS) and _is_count(value)]
    rating = doc.get("rating")
    return Mark(
        str(doc.get("starred_at") or ""),
        rating if isinstance(rating, int) and 0 <= rating <= RATING_LIMIT else 0,
        sum(value[0] for value in played),
        max((value[1] for value in played), default=""),
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and isinstance(value[0], int) and isinstance(value[1], str)


def counted(doc: dict[str, Any], node: str, at: str, id: str) -> dict[str, Any]:
    """The change that counts a play at a node; none if it has been counted, there or elsewhere."""
    played = {name: value for name, value in doc.items() if name.startswith(PLAYS) and _is_count(value)}
    if id and any(id in value[2] for value in played.values()):
        return {}
    count, last, ids = played.get(PLAYS + node, (0, "", []))
    return {PLAYS + node: [count + 1, max(last, at), [*ids, *([id] if id else [])][-REMEMBERED:]]}


def follow(tx: Connection, changed: list[tuple[int, Record]]) -> None:
    """Keep the table in step with the records."""
    for _, record in changed:
        user, what, id = record.key.split("/", 2)
        if record.deleted:
            tx.execute("DELETE FROM mark WHERE user = ? AND what = ? AND id = ?", (user, what, id))
        else:
            tx.execute("INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?, ?, ?, ?)", (user, what, id, *of(record.doc)))


def songs(
    records: Records, user: str, asked: Asked, starred: bool | None, played: bool | None, rating: int
) -> Page[tuple[Song, Mark]]:
    """A page of the songs that a person has starred (or not), played (or not), and rated with `rating` or more.

    The songs without a star or a play come from the whole library; what all those of a page have is said of them.
    """
    where = Where()
    if starred or played or rating:
        where.add("mark.user = ? AND mark.what = ? AND mark.rating >= ?", user, SONG, rating)
        for column, wanted in (("starred_at", starred), ("played_at", played)):
            if wanted is not None:
                where.add(f"mark.{column} {'!=' if wanted else '='} ''")
        return page(records.db, MARKED, asked, where, _marked)
    where.add("song.kind = 'song' AND song.deleted = 0")
    for column, wanted in (("starred_at", starred), ("played_at", played)):
        if wanted is not None:
            there = "SELECT 1 FROM mark WHERE user = ? AND what = ? AND id = song.key"
            where.add(f"NOT EXISTS ({there} AND {column} != '')", user, SONG)
    found = page(records.db, UNMARKED, asked, where, _marked)
    marks = on(records, user, SONG, [song.id for song, _ in found.items])
    return Page([(song, marks.get(song.id, Mark())) for song, _ in found.items], found.next_cursor, found.total)


def _marked(row: Sequence[Any]) -> tuple[Song, Mark]:
    return of_row(*row[:3]), Mark(*row[3:])


def starred(records: Records, user: str, what: str, asked: Asked) -> Page[tuple[str, Mark]]:
    """A page of the ids of one person's starred things, the last first."""
    where = Where()
    where.add("mark.user = ? AND mark.what = ? AND mark.starred_at != ''", user, what)
    return page(records.db, THINGS_ROWS, asked, where, lambda row: (row[0], Mark(*row[1:])))


def on(records: Records, user: str, what: str, ids: Sequence[str]) -> dict[str, Mark]:
    """One person's marks on some things, by id; what has none is not in it."""
    marks = ", ".join("?" * len(ids))
    sql = f"SELECT mark.id, {COLUMNS} FROM mark WHERE user = ? AND what = ? AND id IN ({marks})"  # noqa: S608
    return {id: Mark(*row) for id, *row in records.db.rows(sql, user, what, *ids)}
