"""Albums out of the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ringnode.catalogue.grouping import VARIOUS_ID, compared
from ringnode.catalogue.model import Song
from ringnode.catalogue.paging import PAGE_LIMIT, Asked, Page, Rows
from ringnode.catalogue.paging import page as page_of
from ringnode.catalogue.records import Records
from ringnode.catalogue.search import words_where
from ringnode.catalogue.songs import COLUMNS as SONG_COLUMNS
from ringnode.catalogue.songs import JOIN, RANDOM, factor, id_of_artist, in_years, moment
from ringnode.catalogue.songs import of_rows as songs_of
from ringnode.errors import NotFound

COLUMNS = "id, title, artist_name, artist, year, songs, discs, duration_ms, size, has_cover, added_at"
ORDERS = {
    "artist": "sort", "title": "title_sort", "year": "year", "songs": "songs", "duration_s": "duration_ms",
    "size_bytes": "size", "added_at": "added_at", "random": RANDOM,
}  # fmt: skip
SORTS = tuple(ORDERS)
"""What albums can be sorted by. `artist`: then by year and title."""
ROWS = Rows(COLUMNS, "album", "dice", ORDERS, "artist")


@dataclass(frozen=True)
class Album:
    """The songs that belong together by their tags."""

    id: str = field(metadata={"help": "The album's id, 32 hex digits, the same on every node"})
    title: str = field(metadata={"help": "Title; `[non-album]` for the songs of an artist that name no album"})
    artist: str = field(metadata={"help": "Artist of the album; `Various Artists` for a compilation"})
    artist_id: str = field(metadata={"help": "The artist's id, 32 hex digits"})
    year: int = field(metadata={"help": "Year of the latest of its songs, 0 if unknown"})
    songs: int = field(metadata={"help": "How many songs"})
    discs: int = field(metadata={"help": "Highest disc number, at least 1"})
    duration_s: float = field(metadata={"help": "Length of all songs in seconds"})
    size_bytes: int = field(metadata={"help": "Size of all files in bytes"})
    has_cover: bool = field(metadata={"help": "Is there a picture: uploaded, or in a song's file?"})
    compilation: bool = field(metadata={"help": "Is it by various artists?"})
    added_at: str = field(metadata={"help": "When its newest song was uploaded, ISO 8601 in UTC"})


@dataclass(frozen=True)
class AlbumView:
    """An album with its songs."""

    album: Album = field(metadata={"help": "The album"})
    songs: tuple[Song, ...] = field(
        metadata={"help": f"Its songs by disc and track, at most {PAGE_LIMIT}: `GET /songs?album=` has them all"}
    )


@dataclass(frozen=True)
class Filter:
    """Which albums are wanted; what is empty, 0 or None does not matter."""

    q: str = ""
    artist: str = ""  # id or name: albums of
    appears: str = ""  # id or name: albums of others with songs of
    genre: str = ""
    year_from: int = 0
    year_to: int = 0
    added_since: str = ""  # ISO 8601
    has_cover: bool | None = None
    compilation: bool | None = None


def page(records: Records, asked: Asked, wanted: Filter | None = None) -> Page[Album]:
    """The albums `wanted`, as `asked`. Invalid names what is wrong."""
    wanted = wanted or Filter()
    where = words_where("found", wanted.q)
    if where is None:
        return Page([], None, 0)
    if wanted.artist:
        where.add("artist = ?", id_of_artist(wanted.artist))
    if wanted.appears:
        id = id_of_artist(wanted.appears)
        others = "SELECT s.album FROM song_artist a JOIN song s ON s.number = a.song WHERE a.artist = ?"
        where.add(f"artist != ? AND id IN ({others})", id, id)
    if wanted.genre:
        those = "SELECT s.album FROM song_genre g JOIN song s ON s.number = g.song WHERE g.genre = ?"
        where.add(f"id IN ({those})", compared(wanted.genre))
    in_years(where, "year", wanted.year_from, wanted.year_to)
    if wanted.added_since:
        where.add("added_at >= ?", moment(wanted.added_since, "added_since"))
    if wanted.has_cover is not None:
        where.add("has_cover = ?", wanted.has_cover)
    if wanted.compilation is not None:
        where.add("artist = ?" if wanted.compilation else "artist != ?", VARIOUS_ID)
    return page_of(records.db, ROWS, asked._replace(seed=factor(asked.seed)), where, of_row)


def get(records: Records, id: str) -> Album:
    """One album. NotFound if there is none."""
    rows = records.db.rows(f"SELECT {COLUMNS} FROM album WHERE id = ?", id)  # noqa: S608
    if not rows:
        raise NotFound(f"there is no album {id:.64}")
    return of_row(rows[0])


def view(records: Records, id: str) -> AlbumView:
    """One album with its songs. NotFound if there is none."""
    with records.db.read():
        return AlbumView(get(records, id), tuple(songs(records, id, PAGE_LIMIT)))


def songs(records: Records, id: str, most: int = -1) -> list[Song]:
    """An album's songs by disc and track: all, or the first; none of an album that is not there."""
    sql = f"SELECT {SONG_COLUMNS} FROM song s {JOIN} WHERE s.album = ? ORDER BY s.disc, s.track, s.title LIMIT ?"  # noqa: S608
    return songs_of(records.db.rows(sql, id, most))


def of_row(row: Sequence[Any]) -> Album:
    """The album of COLUMNS."""
    id, title, artist, artist_id, year, songs, discs, duration_ms, size, has_cover, added_at = row
    return Album(
        id, title, artist, artist_id, year, songs, discs, duration_ms / 1000, size, bool(has_cover),
        artist_id == VARIOUS_ID, added_at,
    )  # fmt: skip
