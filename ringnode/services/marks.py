"""Stars, ratings and plays: what each person has done with songs, albums and artists."""

import datetime
import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringnode.catalogue import marks
from ringnode.catalogue.marks import KIND, RATING_LIMIT, SONG, THINGS, Mark
from ringnode.catalogue.model import Song
from ringnode.catalogue.paging import Asked, Page
from ringnode.catalogue.people import key_of
from ringnode.catalogue.records import Records
from ringnode.errors import Invalid
from ringnode.services.durability import Durability

ID_LIMIT = 300  # characters of what is marked
AT_ONCE = 500  # things in one change or question
PLAY_ID_LIMIT = 64
AHEAD_S = 86_400.0  # clocks of clients are wrong, but not by more


@dataclass(frozen=True)
class Marked:
    """A thing with one's own marks on it."""

    id: str = field(metadata={"help": "The id of the song, album or artist"})
    starred_at: str = field(metadata={"help": "When it was starred, ISO 8601 in UTC; empty if it is not"})
    rating: int = field(metadata={"help": "1 to 5; 0 if it is not rated"})
    plays: int = field(metadata={"help": "How often it was played; only songs are counted"})
    played_at: str = field(metadata={"help": "When it was played last, ISO 8601 in UTC; empty if never"})


@dataclass(frozen=True)
class MarkedSong(Marked):
    """A song with one's own marks on it."""

    song: Song = field(metadata={"help": "The song"})


class Marks:
    """Over the gateway's parts; `node` is this node's mark in the counters. `user` is always the name of who asks."""

    def __init__(self, records: Records, durability: Durability, node: str, locks: Path) -> None:
        self._records = records
        self._durability = durability
        self._node = node
        self._locks = locks

    # -- reading -----------------------------------------------------------------------------------------------

    def songs(
        self, user: str, asked: Asked, starred: bool | None = None, played: bool | None = None, rating: int = 0
    ) -> Page[MarkedSong]:
        """Songs that are (or are not) starred and played, and rated so or better; all of them without a condition."""
        found = marks.songs(self._records, key_of(user), asked, starred, played, rating)
        items = [MarkedSong(song.id, *mark, song) for song, mark in found.items]
        return Page(items, found.next_cursor, found.total)

    def starred(self, user: str, what: str, asked: Asked) -> Page[Marked]:
        """Starred songs, albums or artists, the last first."""
        found = marks.starred(self._records, key_of(user), _what(what), asked)
        return Page([Marked(id, *mark) for id, mark in found.items], found.next_cursor, found.total)

    def on(self, user: str, what: str, ids: Sequence[str]) -> list[Marked]:
        """The marks on some things, in their order."""
        if len(ids) > AT_ONCE:
            raise Invalid(f"ask for at most {AT_ONCE} at once", "ids")
        found = marks.on(self._records, key_of(user), _what(what), ids)
        return [Marked(id, *found.get(id, Mark())) for id in ids]

    # -- changing ----------------------------------------------------------------------------------------------

    def star(self, user: str, what: str, ids: Sequence[str], starred: bool) -> None:
        """Set or take away stars. Invalid for a song that is not there."""
        at = _now() if starred else ""
        self._change(
            user, what, ids, lambda doc: {} if bool(doc.get("starred_at")) == starred else {"starred_at": at}
        )

    def rate(self, user: str, what: str, ids: Sequence[str], rating: Any) -> None:
        """Rate things from 1 to 5; 0 takes the rating away. Invalid otherwise."""
        if not isinstance(rating, int) or isinstance(rating, bool) or not 0 <= rating <= RATING_LIMIT:
            raise Invalid(f"rating must be a whole number from 0 to {RATING_LIMIT}", "rating")
        self._change(user, what, ids, lambda doc: {"rating": rating} if doc.get("rating", 0) != rating else {})

    def play(self, user: str, song: str, at: str, id: str) -> Marked:
        """Count a play. `at`: when it was, now if empty; `id`: the play's own: sent again it counts once."""
        if len(id) > PLAY_ID_LIMIT:
            raise Invalid(f"id is longer than {PLAY_ID_LIMIT} characters", "id")
        when = _time(at) if at else _now()
        with self._alone():  # a counter has one writer
            self._change(user, SONG, [song], lambda doc: marks.counted(doc, self._node, when, id))
        return self.on(user, SONG, [song])[0]

    def _change(self, user: str, what: str, ids: Sequence[str], change: Any) -> None:
        self._require(what, ids)
        names = [(KIND, f"{key_of(user)}/{_what(what)}/{id}") for id in dict.fromkeys(ids)]
        drafts = []
        for (kind, key), present in zip(names, self._durability.latest_all(names), strict=True):
            if changes := change(present.doc if present else {}):
                drafts.append(self._records.draft_fields(kind, key, changes, present))
        if drafts:
            self._durability.publish_all(drafts)

    def _require(self, what: str, ids: Sequence[str]) -> None:
        if not 0 < len(ids) <= AT_ONCE:
            raise Invalid(f"name 1 to {AT_ONCE} ids", "ids")
        for id in ids:
            if not 0 < len(id) <= ID_LIMIT or not id.isprintable():
                raise Invalid("this is no id", "ids")
            song = self._durability.find(SONG, id) if what == SONG else None
            if what == SONG and (song is None or song.deleted):
                raise Invalid(f"there is no song {id:.64}", "ids")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time of all this node's processes."""
        with (self._locks / "plays").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _what(what: str) -> str:
    if what not in THINGS:
        raise Invalid(f"only these can be marked: {', '.join(THINGS)}", "what")
    return what


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _time(text: str) -> str:
    """A client's time in UTC to the second. Invalid if it is none, or to come."""
    try:
        time = datetime.datetime.fromisoformat(text)
        time = (time if time.tzinfo else time.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("at must be a time as ISO 8601 writes it, such as 2026-01-31T12:00:00Z", "at") from error
    if time.timestamp() > datetime.datetime.now(datetime.UTC).timestamp() + AHEAD_S:
        raise Invalid("at is a time to come", "at")
    return time.isoformat(timespec="seconds")
