"""Songs out of the catalogue: pages, filters, order, search; and what may be edited."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from blake3 import blake3

from ringnode.catalogue.grouping import album_of, artist_id, compared, sort_key
from ringnode.catalogue.model import EDITABLE, LIST_LIMIT, TEXT_LIMIT, Song
from ringnode.catalogue.paging import Asked, Page, Rows, Where
from ringnode.catalogue.paging import page as page_of
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import LOOK_UP, Records
from ringnode.catalogue.search import condition, normalise
from ringnode.errors import Invalid

KIND = "song"
NUMBER_LIMIT = 1_000_000  # tracks, discs, beats: what is above is a mistake
PLACE_LIMIT = 9999  # of discs and tracks: four digits, so that they sort as text
FOUND = ("title", "artist", "artists", "album", "albumartist", "composers", "genres", "date")

SHUFFLE_PRIME = (1 << 31) - 1
RANDOM = f"((dice & {SHUFFLE_PRIME}) * {{}}) % {SHUFFLE_PRIME}"  # the factor comes from the seed
ORDERS = {
    "artist": "s.sort", "title": "s.title", "album": "s.album_title", "year": "s.year", "disc": "s.disc",
    "track": "s.track", "added_at": "s.added_at", "duration_s": "s.duration_ms", "size_bytes": "s.size",
    "bitrate": "s.bitrate", "format": "s.format", "random": RANDOM,
}  # fmt: skip
SORTS = tuple(ORDERS)
"""What songs can be sorted by. `artist`: then by album, disc, track and title."""
COLUMNS = "r.key, r.doc, s.has_cover"
JOIN = "JOIN record r ON r.number = s.number"
PICK = "JOIN song s ON s.number = page.pick JOIN record r ON r.number = page.pick"
ROWS = Rows(COLUMNS, "song s", "s.dice", ORDERS, "artist", "s.number", PICK)


@dataclass(frozen=True)
class Filter:
    """Which songs are wanted; what is empty, 0 or None does not matter."""

    q: str = ""
    ids: tuple[str, ...] = ()
    artist: str = ""  # id or name
    album: str = ""  # id
    genre: str = ""
    year_from: int = 0
    year_to: int = 0
    format: str = ""
    added_since: str = ""  # ISO 8601
    added_by: str = ""
    has_cover: bool | None = None


def project(doc: dict[str, Any]) -> tuple[str, str]:
    """What a song is sorted by (artist, album, disc, track, title) and found by."""
    album = album_of(doc)
    numbers = (f"{place_of(doc.get(name)):04d}" for name in ("disc", "track"))
    sort = sort_key(album.artist, album.title, *numbers, str(doc.get("title") or ""))
    texts = (doc.get(name) or "" for name in FOUND)
    found = " ".join(" ".join(map(str, t)) if isinstance(t, list) else str(t) for t in texts)
    return sort, normalise(found)


def place_of(value: Any) -> int:
    """A track's or disc's number as far as it is sorted by."""
    return min(value, PLACE_LIMIT) if isinstance(value, int) and value > 0 else 0


def song(record: Record) -> Song:
    """The song that a record describes."""
    return Song.of(record.key, record.doc)


def page(records: Records, asked: Asked, wanted: Filter | None = None) -> Page[Song]:
    """The songs `wanted`, as `asked`. Invalid names what is wrong."""
    wanted = wanted or Filter()
    if wanted.q and not normalise(wanted.q):
        return Page([], None, 0)
    where = Where()
    _narrow(where, wanted)
    found = page_of(records.db, ROWS, asked._replace(seed=factor(asked.seed)), where, list)
    return Page(of_rows(found.items), found.next_cursor, found.total)


def of_rows(rows: Sequence[Sequence[Any]]) -> list[Song]:
    """The songs of COLUMNS. Their documents are read as one: of a page of many, that takes half the time."""
    docs = orjson.loads(f"[{','.join(text for _, text, _ in rows)}]")
    for doc, (_, _, has_cover) in zip(docs, rows, strict=True):
        doc["has_cover"] = bool(has_cover)
    return [Song.of(row[0], doc) for row, doc in zip(rows, docs, strict=True)]


def of_row(id: str, doc: str, has_cover: Any) -> Song:
    """The song of one row of COLUMNS."""
    return of_rows([(id, doc, has_cover)])[0]


def of_ids(records: Records, ids: Sequence[str]) -> list[Song]:
    """The songs of these ids that are there, in this order."""
    found: dict[str, Song] = {}
    for n in range(0, len(ids), LOOK_UP):
        few = ids[n : n + LOOK_UP]
        sql = (
            f"SELECT {COLUMNS} FROM record r JOIN song s ON s.number = r.number"  # noqa: S608
            f" WHERE r.kind = 'song' AND r.key IN ({', '.join('?' * len(few))})"
        )
        found |= {song.id: song for song in of_rows(records.db.rows(sql, *few))}
    return [found[id] for id in ids if id in found]


def _narrow(where: Where, wanted: Filter) -> None:
    words, values = condition(wanted.q)
    if words:
        where.add(words.replace("number IN", "s.number IN"), *values)
    if wanted.ids:
        names = ", ".join("?" * len(wanted.ids))
        named = f"SELECT number FROM record WHERE kind = 'song' AND key IN ({names})"  # noqa: S608
        where.add(f"s.number IN ({named})", *wanted.ids)
    if wanted.artist:
        where.add("s.number IN (SELECT song FROM song_artist WHERE artist = ?)", id_of_artist(wanted.artist))
    if wanted.genre:
        where.add("s.number IN (SELECT song FROM song_genre WHERE genre = ?)", compared(wanted.genre))
    for column, value in (
        ("album", wanted.album),
        ("format", wanted.format),
        ("added_by", wanted.added_by.casefold()),
    ):
        if value:
            where.add(f"s.{column} = ?", value)
    in_years(where, "s.year", wanted.year_from, wanted.year_to)
    if wanted.added_since:
        where.add("s.added_at >= ?", moment(wanted.added_since, "added_since"))
    if wanted.has_cover is not None:
        where.add("s.has_cover = ?", wanted.has_cover)


def in_years(where: Where, column: str, first: int, last: int) -> None:
    """Only what is of these years; what has no year is of none."""
    if first:
        where.add(f"{column} >= ?", first)
    if last:
        where.add(f"{column} BETWEEN 1 AND ?", last)


def id_of_artist(given: str) -> str:
    """An artist's id as it is, or that of a name."""
    is_id = len(given) == len(artist_id("")) and set(given) <= set("0123456789abcdef")
    return given if is_id else artist_id(given)


def moment(text: str, field: str) -> str:
    """A time as `added_at` is written, so that they compare as texts. Invalid if it is none."""
    try:
        at = datetime.datetime.fromisoformat(text)
        at = at.replace(tzinfo=at.tzinfo or datetime.UTC).astimezone(datetime.UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(
            f"{field} must be a time in ISO 8601, such as 2026-01-31 or 2026-01-31T12:00:00Z", field
        ) from error
    return at.isoformat(timespec="seconds")


def factor(seed: int) -> int:
    """What the order `random` multiplies by: near seeds give orders that have nothing in common."""
    return 1 + int.from_bytes(blake3(str(seed).encode()).digest(4), "big") % (SHUFFLE_PRIME - 1)


def checked_edit(changes: Any) -> dict[str, Any]:
    """What a person wants to change, checked against the fields' types; Invalid names the first bad one."""
    if not isinstance(changes, dict) or not changes:
        raise Invalid(f"name at least one field to change: {', '.join(EDITABLE)}")
    return {name: _checked(name, value) for name, value in changes.items()}


def _checked(name: str, value: Any) -> Any:
    if name not in EDITABLE:
        raise Invalid(f"there is no editable field {name:.40}; there are: {', '.join(EDITABLE)}", name[:40])
    kind = Song.__annotations__[name]
    if kind is str:
        return _text(name, value)
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= NUMBER_LIMIT:
        return value
    if kind == tuple[str, ...] and isinstance(value, list) and len(value) <= LIST_LIMIT:
        return [_text(name, item) for item in value]
    if kind == float | None and (value is None or _is_number(value)):
        return value
    raise Invalid(f"{name} must be {EXPECTED[kind]}", name)


EXPECTED: dict[Any, str] = {
    bool: "true or false",
    int: f"a whole number from 0 to {NUMBER_LIMIT}",
    tuple[str, ...]: f"a list of at most {LIST_LIMIT} texts",
    float | None: "a number or null",
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < NUMBER_LIMIT


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{name} must be text", name)
    if len(value) > TEXT_LIMIT:
        raise Invalid(f"{name} is longer than {TEXT_LIMIT} characters", name)
    if any((c < " " and c not in "\n\t") or "\ud800" <= c <= "\udfff" for c in value):
        raise Invalid(f"{name} has control characters", name)
    if name == "title" and not value.strip():
        raise Invalid("a song needs a title", name)
    return value.strip()
