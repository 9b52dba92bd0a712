"""Artists out of the catalogue: those of songs, and those of whole albums."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ringnode.catalogue import albums
from ringnode.catalogue.albums import Album
from ringnode.catalogue.grouping import compared
from ringnode.catalogue.paging import PAGE_LIMIT, Asked, Page, Rows, order_of
from ringnode.catalogue.paging import page as page_of
from ringnode.catalogue.records import Records
from ringnode.catalogue.search import words_where
from ringnode.catalogue.songs import RANDOM, factor, moment
from ringnode.errors import NotFound

COLUMNS = "id, name, songs, albums, appears_on, duration_ms, size, has_cover, added_at"
ORDERS = {
    "name": "sort", "songs": "songs", "albums": "albums", "duration_s": "duration_ms", "size_bytes": "size",
    "added_at": "added_at", "random": RANDOM,
}  # fmt: skip
SORTS = tuple(ORDERS)
ROWS = Rows(COLUMNS, "artist", "dice", ORDERS, "name")


@dataclass(frozen=True)
class Artist:
    """Whoever made songs or albums, however the name is written."""

    id: str = field(metadata={"help": "The artist's id, 32 hex digits, the same on every node"})
    name: str = field(metadata={"help": "Name as most songs write it; `[unknown]` of songs that name nobody"})
    songs: int = field(metadata={"help": "Songs by the artist or on the artist's albums"})
    albums: int = field(metadata={"help": "Albums of the artist"})
    appears_on: int = field(metadata={"help": "Albums of others that have songs by the artist"})
    duration_s: float = field(metadata={"help": "Length of these songs in seconds"})
    size_bytes: int = field(metadata={"help": "Size of their files in bytes"})
    has_cover: bool = field(metadata={"help": "Has one of the songs a picture?"})
    added_at: str = field(metadata={"help": "When the newest of these songs was uploaded, ISO 8601 in UTC"})


@dataclass(frozen=True)
class ArtistView:
    """An artist with the albums."""

    artist: Artist = field(metadata={"help": "The artist"})
    albums: tuple[Album, ...] = field(metadata={"help": f"Albums of the artist by year, at most {PAGE_LIMIT}"})
    appears_on: tuple[Album, ...] = field(metadata={"help": f"Albums of others by year, at most {PAGE_LIMIT}"})


@dataclass(frozen=True)
class Filter:
    """Which artists are wanted; what is empty or None does not matter."""

    q: str = ""
    genre: str = ""
    has_albums: bool | None = None
    added_since: str = ""  # ISO 8601


def page(records: Records, asked: Asked, wanted: Filter | None = None) -> Page[Artist]:
    """The artists `wanted`, as `asked`. Invalid names what is wrong."""
    wanted = wanted or Filter()
    where = words_where("found", wanted.q)
    if where is None:
        return Page([], None, 0)
    if wanted.genre:
        those = "SELECT a.artist FROM song_genre g JOIN song_artist a ON a.song = g.song WHERE g.genre = ?"
        where.add(f"id IN ({those})", compared(wanted.genre))
    if wanted.has_albums is not None:
        where.add("albums > 0" if wanted.has_albums else "albums = 0")
    if wanted.added_since:
        where.add("added_at >= ?", moment(wanted.added_since, "added_since"))
    return page_of(records.db, ROWS, asked._replace(seed=factor(asked.seed)), where, of_row)


def get(records: Records, id: str) -> Artist:
    """One artist. NotFound if there is none."""
    rows = records.db.rows(f"SELECT {COLUMNS} FROM artist WHERE id = ?", id)  # noqa: S608
    if not rows:
        raise NotFound(f"there is no artist {id:.64}")
    return of_row(rows[0])


def view(records: Records, id: str) -> ArtistView:
    """One artist with the albums. NotFound if there is none."""
    asked = Asked(PAGE_LIMIT, None, order_of("year,title", albums.SORTS))
    with records.db.read():
        artist = get(records, id)
        own = albums.page(records, asked, albums.Filter(artist=id)).items
        others = albums.page(records, asked, albums.Filter(appears=id)).items
    return ArtistView(artist, tuple(own), tuple(others))


def of_row(row: Sequence[Any]) -> Artist:
    """The artist of COLUMNS."""
    id, name, songs, own, appears_on, duration_ms, size, has_cover, added_at = row
    return Artist(id, name, songs, own, appears_on, duration_ms / 1000, size, bool(has_cover), added_at)
