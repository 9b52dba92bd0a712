"""Genres and years with what they count: sums over all songs, taken when asked for, kept until songs change."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ringnode.catalogue.paging import PAGE_LIMIT, Asked, Page, cursor_of, position_of
from ringnode.catalogue.records import Records
from ringnode.catalogue.search import normalise
from ringnode.errors import Invalid

SUMS = "count(*), count(DISTINCT s.album), sum(s.duration_ms), sum(s.size)"
GENRES = (
    f"SELECT max(g.name), {SUMS} FROM song_genre g JOIN song s ON s.number = g.song GROUP BY g.genre ORDER BY g.genre"  # noqa: S608
)
YEARS = f"SELECT s.year, {SUMS} FROM song s WHERE s.year > 0 GROUP BY s.year ORDER BY s.year"  # noqa: S608
COUNTS = ("songs", "albums", "duration_s", "size_bytes")
GENRE_SORTS = ("name", *COUNTS)
YEAR_SORTS = ("year", *COUNTS)
T = TypeVar("T")


@dataclass(frozen=True)
class Genre:
    """One genre, however it is written."""

    name: str = field(metadata={"help": "Name, to be sent as `genre` to songs, albums and artists"})
    songs: int = field(metadata={"help": "How many songs"})
    albums: int = field(metadata={"help": "Albums that these songs are on"})
    duration_s: float = field(metadata={"help": "Length of these songs in seconds"})
    size_bytes: int = field(metadata={"help": "Size of their files in bytes"})


@dataclass(frozen=True)
class Year:
    """One year of release; songs without a date are of none."""

    year: int = field(metadata={"help": "The year"})
    songs: int = field(metadata={"help": "How many songs"})
    albums: int = field(metadata={"help": "Albums that these songs are on"})
    duration_s: float = field(metadata={"help": "Length of these songs in seconds"})
    size_bytes: int = field(metadata={"help": "Size of their files in bytes"})


class Facets:
    """Both lists of one catalogue. Any thread may ask."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[int, list[Any]]] = {}

    def genres(self, asked: Asked, q: str = "") -> Page[Genre]:
        """Genres whose names have a word that begins with each of `q`. Invalid names what is wrong."""
        words = [f" {word}" for word in normalise(q).split()]
        genres = [g for g in self._all("genres", GENRES, Genre) if all(w in f" {normalise(g.name)}" for w in words)]
        return _page(genres, asked, "name")

    def years(self, asked: Asked) -> Page[Year]:
        """Years that songs are of. Invalid names what is wrong."""
        return _page(self._all("years", YEARS, Year), asked, "year")

    def _all(self, name: str, sql: str, cls: Callable[..., T]) -> list[T]:
        """By name or year. One thread counts, those that come meanwhile wait for it."""
        with self._lock:
            changes = self._records.db.value("SELECT n FROM changes WHERE name = 'songs'") or 0
            if name not in self._kept or self._kept[name][0] != changes:
                rows = self._records.db.rows(sql)
                self._kept[name] = changes, [cls(r[0], r[1], r[2], r[3] / 1000, r[4]) for r in rows]
            return self._kept[name][1]


def _page(items: Sequence[T], asked: Asked, id: str) -> Page[T]:
    """A page of a list that lies in memory in the order of `id`."""
    if not 1 <= asked.limit <= PAGE_LIMIT:
        raise Invalid(f"limit must be between 1 and {PAGE_LIMIT}", "limit")
    found = list(items)
    for name, down in reversed(asked.order):
        if name == id:
            place = {getattr(item, id): n for n, item in enumerate(items)}
            found.sort(key=lambda item: place[getattr(item, id)], reverse=down)
        else:
            found.sort(key=lambda item, name=name: getattr(item, name), reverse=down)  # type: ignore[misc]
    start = 0
    made_for = list(map(list, asked.order))
    if asked.cursor is not None:
        last = position_of(asked.cursor, made_for, 1)[0]
        places = [n for n, item in enumerate(found) if getattr(item, id) == last]
        if not places:
            raise Invalid("the list has changed: begin it anew", "cursor")
        start = places[0] + 1
    some = found[start : start + asked.limit]
    more = cursor_of(made_for, [getattr(some[-1], id)]) if start + asked.limit < len(found) else None
    return Page(some, more, len(found))
