"""Songs out of the table of records: pages, search, order."""

import base64
import binascii
import json
from typing import Any, NamedTuple

from ringnode.catalogue.model import EDITABLE, LIST_LIMIT, TEXT_LIMIT, Song
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.catalogue.search import condition, normalise
from ringnode.errors import Invalid

KIND = "song"
PAGE_LIMIT = 500
NUMBER_LIMIT = 1_000_000  # tracks, discs, beats: what is above is a mistake
SORT_DIGITS = 4
SORT_CHARACTERS = 100  # of each part: cursors carry them


class Page(NamedTuple):
    """Some songs in order, where the next ones begin (None at the end), and how many there are in all."""

    songs: list[Song]
    next_cursor: str | None
    total: int


def project(doc: dict[str, Any]) -> tuple[str, str]:
    """What a song is sorted by (artist, album, disc, track, title) and found by."""
    artist = normalise(str(doc.get("albumartist") or doc.get("artist") or ""))
    numbers = [f"{_whole(doc.get(name)):0{SORT_DIGITS}d}" for name in ("disc", "track")]
    sort = [artist, normalise(str(doc.get("album", ""))), *numbers, normalise(str(doc.get("title", "")))]
    names = ("title", "artist", "artists", "album", "albumartist", "composers", "genres", "date")
    texts = (doc.get(name) or "" for name in names)
    found = " ".join(" ".join(map(str, t)) if isinstance(t, list) else str(t) for t in texts)
    return "\x1f".join(part[:SORT_CHARACTERS] for part in sort), normalise(found)


def _whole(value: Any) -> int:
    return min(value, 10**SORT_DIGITS - 1) if isinstance(value, int) and value > 0 else 0


def song(record: Record) -> Song:
    """The song that a record describes."""
    return Song.of(record.key, record.doc)


def page(records: Records, limit: int, cursor: str | None = None, query: str = "") -> Page:
    """Songs in order, those that `query` finds if it is given. Invalid for a limit or a cursor that is none."""
    if not 1 <= limit <= PAGE_LIMIT:
        raise Invalid(f"limit must be between 1 and {PAGE_LIMIT}", "limit")
    where, values = condition(query)
    if query.strip() and not where:
        return Page([], None, 0)
    wanted = "kind = 'song' AND deleted = 0" + (f" AND {where}" if where else "")
    total = records.db.value(f"SELECT count(*) FROM record WHERE {wanted}", *values)  # noqa: S608
    if cursor is not None:
        wanted += " AND (sort, key) > (?, ?)"
        values += _position(cursor)
    sql = f"SELECT kind, key, doc, stamp, edits, sort FROM record WHERE {wanted} ORDER BY sort, key LIMIT ?"  # noqa: S608
    rows = records.db.rows(sql, *values, limit + 1)
    songs = [Song.of(row[1], json.loads(row[2])) for row in rows[:limit]]
    more = _cursor(rows[limit - 1][5], rows[limit - 1][1]) if len(rows) > limit else None
    return Page(songs, more, total)


def _cursor(sort: str, key: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([sort, key]).encode()).decode().rstrip("=")


def _position(cursor: str) -> list[str]:
    try:
        sort, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(sort, str) and isinstance(key, str):
            return [sort, key]
    except (ValueError, TypeError, RecursionError, binascii.Error):
        pass
    raise Invalid("this cursor is not one of ours: use next_cursor of an answer, or leave it away", "cursor")


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
