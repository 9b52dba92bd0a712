"""The records of songs laid out as people look for them: rows of songs, albums and artists.

Made by each node for itself, in the transaction that changes the records (`Records`' followers), and made anew at
start when this module's layout has changed. An album's row is the sum of its songs' rows, taken anew whenever one of
them changes or goes, so that nothing can drift; only a new song that is like the others is added to what is there.
"""

import json
import logging
from collections.abc import Iterable
from sqlite3 import Connection
from typing import Any

from ringnode.catalogue import songs
from ringnode.catalogue.database import Database
from ringnode.catalogue.grouping import album_of, artist_id, artists_of, compared, genres_of, sort_key, year_of
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Follower
from ringnode.catalogue.search import normalise

log = logging.getLogger(__name__)

LAYOUT = 1  # raise it with every change to what this module or `search.normalise` writes
COVER = "cover"  # the kind of records that hold pictures, by the id of a song or an album
DICE_DIGITS = 15  # of an id: 60 bits, below SQLite's 63
AT_ONCE = 1000


def follow(tx: Connection, changed: Iterable[tuple[int, Record]]) -> None:
    """Take in what has become of songs."""
    albums: set[str] = set()
    artists: set[str] = set()
    for number, record in changed:
        _touch(tx, number, albums, artists)
        was_there = tx.execute("DELETE FROM song WHERE number = ?", (number,)).rowcount > 0
        for table in ("song_artist", "song_genre"):
            tx.execute(f"DELETE FROM {table} WHERE song = ?", (number,))  # noqa: S608
        if not record.deleted:
            _place(tx, number, record)
            if was_there or not _add(tx, number):
                _touch(tx, number, albums, artists)
    for album in sorted(albums):
        _sum_album(tx, album, artists)
    for artist in sorted(artists):
        _sum_artist(tx, artist)
    tx.execute("INSERT INTO changes VALUES ('songs', 1) ON CONFLICT DO UPDATE SET n = n + 1")


def follow_covers(tx: Connection, changed: Iterable[tuple[int, Record]]) -> None:
    """Take in that pictures of songs or albums have come or gone."""
    for _, record in changed:
        row = tx.execute("SELECT number, doc FROM record WHERE kind = 'song' AND key = ?", (record.key,)).fetchone()
        if row:
            follow(tx, [(row[0], Record(songs.KIND, record.key, json.loads(row[1]), "", {}))])
        else:
            _sum_album(tx, record.key, set())


def _touch(tx: Connection, number: int, albums: set[str], artists: set[str]) -> None:
    """Note the album and the artists that a song is among now."""
    for album, artist in tx.execute("SELECT album, artist FROM song WHERE number = ?", (number,)):
        albums.add(album)
        artists.add(artist)
    artists.update(artist for (artist,) in tx.execute("SELECT artist FROM song_artist WHERE song = ?", (number,)))


def _place(tx: Connection, number: int, record: Record) -> None:
    doc, album = record.doc, album_of(record.doc)
    seconds = doc.get("duration_s")
    _insert(
        tx, "song", number=number, dice=_dice(record.key), sort=songs.project(doc)[0],
        title=sort_key(str(doc.get("title") or "")), album=album.id, album_title=album.title,
        artist=album.artist_id, artist_name=album.artist,
        disc=songs.place_of(doc.get("disc")), track=songs.place_of(doc.get("track")), year=year_of(doc),
        duration_ms=round(seconds * 1000) if isinstance(seconds, int | float) and 0 < seconds < 1e9 else 0,
        size=_number(doc.get("size_bytes")), bitrate=_number(doc.get("bitrate")), format=str(doc.get("format") or ""),
        added_at=str(doc.get("added_at") or ""), added_by=str(doc.get("added_by") or "").casefold(),
        has_cover=doc.get("has_cover") is True or _uploaded(tx, record.key),
    )  # fmt: skip
    for name in [*artists_of(doc), album.artist]:
        tx.execute("INSERT OR IGNORE INTO song_artist VALUES (?, ?, ?)", (artist_id(name), number, name))
    for name in genres_of(doc):
        tx.execute("INSERT OR IGNORE INTO song_genre VALUES (?, ?, ?)", (compared(name), number, name))


def _add(tx: Connection, number: int) -> bool:
    """Add a new song to the sums of its album and artists, without a look at their other songs.

    False if that would not be the same as all sums taken anew: another spelling, a later year, a first song.
    """
    album, title, artist_name, year, disc, *sums = tx.execute(
        "SELECT album, album_title, artist_name, year, disc, duration_ms, size, has_cover, added_at"
        " FROM song WHERE number = ?", (number,)
    ).fetchone()  # fmt: skip
    same = "SELECT 1 FROM album WHERE id = ? AND title = ? AND artist_name = ? AND year >= ?"
    if not tx.execute(same, (album, title, artist_name, year)).fetchone():
        return False
    artists = tx.execute("SELECT artist, name FROM song_artist WHERE song = ?", (number,)).fetchall()
    known = (
        "SELECT 1 FROM artist WHERE id = ? AND name = ? AND EXISTS (SELECT 1 FROM song s CROSS JOIN song_artist a"
        " ON a.artist = ? AND a.song = s.number WHERE s.album = ? AND s.number != ?)"
    )
    if not all(tx.execute(known, (artist, name, artist, album, number)).fetchone() for artist, name in artists):
        return False
    add = (
        "songs = songs + 1, duration_ms = duration_ms + ?, size = size + ?, has_cover = max(has_cover, ?),"
        " added_at = max(added_at, ?)"
    )
    tx.execute(f"UPDATE album SET {add}, discs = max(discs, ?) WHERE id = ?", (*sums, disc, album))  # noqa: S608
    for artist, _ in artists:
        tx.execute(f"UPDATE artist SET {add} WHERE id = ?", (*sums, artist))  # noqa: S608
    return True


def _sum_album(tx: Connection, id: str, artists: set[str]) -> None:
    """Make the album's row anew, and name the artists whose rows that changes."""
    before = tx.execute("DELETE FROM album WHERE id = ? RETURNING artist", (id,)).fetchone()
    count, discs, duration_ms, size, has_cover, added_at, year = tx.execute(
        "SELECT count(*), max(disc), sum(duration_ms), sum(size), max(has_cover), max(added_at), max(year)"
        " FROM song WHERE album = ?", (id,)
    ).fetchone()  # fmt: skip
    if not count:
        artists.update(before or ())
        return
    title = _usual(tx, "album_title", "song WHERE album = ?", id)
    artist_name = _usual(tx, "artist_name", "song WHERE album = ?", id)
    artist = artist_id(artist_name)
    _insert(
        tx, "album", id=id, dice=_dice(id), sort=sort_key(artist_name, f"{year:04d}", title),
        title_sort=sort_key(title), found=f" {normalise(f'{title} {artist_name}')}", title=title, artist=artist,
        artist_name=artist_name, year=year, songs=count, discs=max(discs, 1), duration_ms=duration_ms, size=size,
        has_cover=has_cover or _uploaded(tx, id), added_at=added_at,
    )  # fmt: skip
    artists.add(artist)
    if before and before[0] != artist:  # its songs' artists no longer appear on it as guests, or now do
        artists.add(before[0])
        sql = "SELECT DISTINCT a.artist FROM song s JOIN song_artist a ON a.song = s.number WHERE s.album = ?"
        artists.update(other for (other,) in tx.execute(sql, (id,)))


def _sum_artist(tx: Connection, id: str) -> None:
    tx.execute("DELETE FROM artist WHERE id = ?", (id,))
    count, duration_ms, size, has_cover, added_at, on = tx.execute(
        "SELECT count(*), sum(duration_ms), sum(size), max(has_cover), max(added_at), count(DISTINCT album)"
        " FROM song_artist a JOIN song s ON s.number = a.song WHERE a.artist = ?", (id,)
    ).fetchone()  # fmt: skip
    if not count:
        return
    (own,) = tx.execute("SELECT count(*) FROM album WHERE artist = ?", (id,)).fetchone()
    name = _usual(tx, "name", "song_artist WHERE artist = ?", id)
    _insert(
        tx, "artist", id=id, dice=_dice(id), sort=sort_key(name), found=f" {normalise(name)}", name=name, songs=count,
        albums=own, appears_on=max(0, on - own), duration_ms=duration_ms, size=size, has_cover=has_cover,
        added_at=added_at,
    )  # fmt: skip


def _insert(tx: Connection, table: str, **values: Any) -> None:
    marks = ", ".join("?" * len(values))
    tx.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))  # noqa: S608


def _usual(tx: Connection, column: str, rows: str, id: str) -> str:
    """A name as most of its songs write it."""
    sql = f"SELECT {column} FROM {rows} GROUP BY {column} ORDER BY count(*) DESC, {column} LIMIT 1"  # noqa: S608
    return str(tx.execute(sql, (id,)).fetchone()[0])


def _uploaded(tx: Connection, key: str) -> bool:
    sql = "SELECT 1 FROM record WHERE kind = ? AND key = ? AND deleted = 0"
    return tx.execute(sql, (COVER, key)).fetchone() is not None


def _dice(id: str) -> int:
    try:
        return int(id[:DICE_DIGITS], 16)
    except ValueError:
        return 0


def _number(value: Any) -> int:
    return value if isinstance(value, int) and 0 < value < 1 << 53 else 0


def bring_up_to_date(db: Database) -> None:
    """Lay out all songs anew if the file was written by another version. One transaction: all or nothing."""
    if db.value("PRAGMA user_version") == LAYOUT:
        return
    with db.write() as tx:
        if tx.execute("PRAGMA user_version").fetchone()[0] == LAYOUT:  # another process has just done it
            return
        for table in ("song", "song_artist", "song_genre", "album", "artist"):
            tx.execute(f"DELETE FROM {table}")  # noqa: S608
        rows = tx.execute("SELECT number, key, doc, stamp FROM record WHERE kind = ? AND deleted = 0", (songs.KIND,))
        count = 0
        while some := rows.fetchmany(AT_ONCE):
            count += len(some)
            follow(
                tx, [(number, Record(songs.KIND, key, json.loads(doc), made, {})) for number, key, doc, made in some]
            )
        tx.execute(f"PRAGMA user_version = {LAYOUT}")
    if count:
        log.info("the catalogue's %d songs are laid out anew for this version", count)


FOLLOWERS: dict[str, Follower] = {songs.KIND: follow, COVER: follow_covers}
"""To be given to `Records`."""
