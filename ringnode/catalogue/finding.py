"""Search across the whole library while somebody types: artists, albums, songs; what was meant where little is found.

What fits best comes first, way by way, and a way is only gone when those before it found too few: so the first
letter, which finds half the library, costs no more than the last. There is no count of all hits for the same reason;
`GET /songs?q=` has one.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from ringnode.catalogue import albums, artists, songs
from ringnode.catalogue.albums import Album
from ringnode.catalogue.artists import Artist
from ringnode.catalogue.grouping import compared
from ringnode.catalogue.model import Song
from ringnode.catalogue.records import Records
from ringnode.catalogue.search import PIECE, QUERY_LIMIT, normalise, words_condition
from ringnode.errors import Invalid

LIMIT = 50  # of each kind
FEW = 3  # hits of all kinds: with fewer, the words may be mistyped
ALIKE = 0.7  # share of a word that must be right
SUGGESTIONS = 3
NEAREST = 3  # words looked at for each mistyped one
TRIES = 12  # suggestions tried: only what finds something is suggested
TERMS_S = 60.0  # words of new songs are suggested after this time
LAST = "\U0010ffff"

Way = tuple[str, list[Any], int]
"""A question, its values, and how many must have been found that it is not asked any more."""


@dataclass(frozen=True)
class Found:
    """What a search found, best first."""

    artists: tuple[Artist, ...] = field(metadata={"help": "Artists by name"})
    albums: tuple[Album, ...] = field(metadata={"help": "Albums by title and artist"})
    songs: tuple[Song, ...] = field(metadata={"help": "Songs by title, artist, album, composer, genre or date"})
    suggestions: tuple[str, ...] = field(
        metadata={"help": "Other searches, where little was found and a word may be mistyped; each finds something"}
    )


class Finding:
    """Searches one catalogue. Any thread may ask."""

    def __init__(self, records: Records) -> None:
        self._db = records.db
        self._lock = threading.Lock()
        self._terms: dict[str, int] = {}  # every word there is: how many songs have it
        self._read_at = float("-inf")

    def find(self, query: str, limit: int) -> Found:
        """At most `limit` of each kind. Invalid for a limit that cannot be."""
        if not 1 <= limit <= LIMIT:
            raise Invalid(f"limit must be between 1 and {LIMIT}", "limit")
        query = query[:QUERY_LIMIT]
        if not compared(query):
            return Found((), (), (), ())
        found = self._artists(query, limit), self._albums(query, limit), self._songs(query, limit)
        few = sum(map(len, found)) < FEW
        return Found(*found, suggestions=tuple(self._suggestions(query)) if few else ())

    def _artists(self, query: str, limit: int) -> tuple[Artist, ...]:
        condition, values = _named("sort", query)
        sql = f"SELECT {artists.COLUMNS} FROM artist WHERE {condition}, songs DESC, dice LIMIT ?"  # noqa: S608
        return tuple(map(artists.of_row, self._db.rows(sql, *values, limit)))

    def _albums(self, query: str, limit: int) -> tuple[Album, ...]:
        condition, values = _named("title_sort", query)
        sql = f"SELECT {albums.COLUMNS} FROM album WHERE {condition}, sort, dice LIMIT ?"  # noqa: S608
        return tuple(map(albums.of_row, self._db.rows(sql, *values, limit)))

    def _songs(self, query: str, limit: int) -> tuple[Song, ...]:
        numbers: dict[int, None] = {}
        for sql, values, enough in _ways(query):
            if len(numbers) >= min(enough, limit):
                break
            numbers |= {number: None for (number,) in self._db.rows(f"{sql} LIMIT ?", *values, limit)}
        best = list(numbers)[:limit]
        sql = (
            f"SELECT s.number, {songs.COLUMNS} FROM song s {songs.JOIN}"  # noqa: S608
            f" WHERE s.number IN ({', '.join('?' * len(best))})"
        )
        rows = sorted(self._db.rows(sql, *best), key=lambda row: best.index(row[0]))
        return tuple(songs.of_rows([row[1:] for row in rows]))

    # -- what was meant ----------------------------------------------------------------------------------------

    def _suggestions(self, query: str) -> Iterator[str]:
        """Other words for those that nothing has, in what finds something."""
        terms = self._known_terms()
        choices = [self._nearest(word, terms) for word in normalise(query).split()]
        tried = (" ".join(words) for words in itertools.islice(itertools.product(*choices), TRIES))
        good = (words for words in tried if words != normalise(query) and self._finds(words))
        return itertools.islice(good, SUGGESTIONS)

    def _nearest(self, word: str, terms: dict[str, int]) -> list[str]:
        """The word itself if something has it; else the nearest words, the most frequent of equals first."""
        if self._db.value("SELECT 1 FROM search_word WHERE search_word MATCH ? LIMIT 1", f'"{word}"*'):
            return [word]
        near = extract(word, terms.keys(), scorer=OSA.normalized_similarity, score_cutoff=ALIKE, limit=NEAREST)
        return [term for term, _, _ in sorted(near, key=lambda hit: (-hit[1], -terms[hit[0]]))]

    def _finds(self, words: str) -> bool:
        way = _ways(words)[-1]
        return bool(self._db.rows(f"{way[0]} LIMIT 1", *way[1]))

    def _known_terms(self) -> dict[str, int]:
        with self._lock:
            if time.monotonic() - self._read_at > TERMS_S:
                self._terms = dict(self._db.rows("SELECT term, doc FROM search_term"))
                self._read_at = time.monotonic()
            return self._terms


def _named(column: str, query: str) -> tuple[str, list[Any]]:
    """Condition and order for a small table: exactly so named, named with this beginning, such words, or pieces."""
    plain = compared(query)
    condition, values = words_condition("found", query)
    order = f"({column} = ?) DESC, (substr({column}, 1, ?) = ?) DESC, (instr(found, ?) > 0) DESC"
    first = " " + (normalise(query).split() or [plain])[0]
    return f"{condition or f'{column} = ?'} ORDER BY {order}", [*(values or [plain]), plain, len(plain), plain, first]


def _ways(query: str) -> list[Way]:
    """Questions for numbers of songs, the best first: by title, by artist, by words, by pieces of words."""
    plain, words = compared(query), normalise(query).split()
    ways: list[Way] = [
        ("SELECT number FROM song WHERE title = ? ORDER BY dice", [plain], LIMIT),
        ("SELECT number FROM song WHERE title > ? AND title < ? ORDER BY title, dice", [plain, plain + LAST], LIMIT),
        ("SELECT number FROM song WHERE sort > ? AND sort < ? ORDER BY sort, dice", [plain, plain + LAST], LIMIT),
    ]
    if words:
        match = " AND ".join(f'"{word}"*' for word in words)
        ways.append(("SELECT rowid FROM search_word WHERE search_word MATCH ?", [match], LIMIT))
        pieces = " AND ".join(f'"{word}"' for word in words if len(word) >= PIECE)
        short = [word for word in words if len(word) < PIECE]
        sql = "SELECT number FROM search WHERE 1"
        values: list[Any] = []
        if pieces:
            sql += " AND number IN (SELECT rowid FROM search_piece WHERE search_piece MATCH ?)"
            values.append(pieces)
        for word in short:  # of one or two characters, which pieces cannot see: of words with spaces only beginnings
            sql += " AND instr(' ' || text, ?) > 0"
            values.append(f" {word}" if word.isascii() else word)
        ways.append((sql, values, FEW))
    return ways
