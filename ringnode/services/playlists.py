"""Playlists: made, ordered, shared, copied, brought in and taken out. Only the owner changes one."""

import datetime
import secrets
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ringnode.catalogue import m3u, playlists
from ringnode.catalogue.model import Song
from ringnode.catalogue.ordering import run
from ringnode.catalogue.paging import Asked, Page
from ringnode.catalogue.people import key_of, name_of
from ringnode.catalogue.playlists import ENTRY, KIND, Placed
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.catalogue.songs import of_ids
from ringnode.errors import Conflict, Forbidden, Invalid, NotFound
from ringnode.protocol.idspace import is_id
from ringnode.services import accounts
from ringnode.services.durability import Durability

ID_BYTES = 8
PLAYLISTS_LIMIT = 1000  # of one person
ENTRIES_LIMIT = 10_000  # of one playlist
AT_ONCE = 500  # entries in one change: one message to each owner
READERS_LIMIT = 100
NAME_LIMIT, DESCRIPTION_LIMIT = 200, 2000  # characters
MISSING_SHOWN = 500  # lines of an imported list that are told back


@dataclass(frozen=True)
class Playlist:
    """A list of songs."""

    id: str = field(metadata={"help": "Its id, 16 hex digits"})
    owner: str = field(metadata={"help": "Name of the user whose it is; nobody else can change it"})
    name: str = field(metadata={"help": "What it is called"})
    description: str = field(metadata={"help": "What it is about"})
    public: bool = field(metadata={"help": "May every user read it?"})
    readers: tuple[str, ...] = field(metadata={"help": "Users who may read it, the owner aside"})
    songs: int = field(metadata={"help": "How many songs are in it; deleted ones do not count"})
    duration_s: float = field(metadata={"help": "Their length together in seconds"})
    created_at: str = field(metadata={"help": "When it was made, ISO 8601 in UTC"})
    changed_at: str = field(metadata={"help": "When it or its entries were changed last, ISO 8601 in UTC"})


@dataclass(frozen=True)
class Entry:
    """One song at one place of a playlist; a song may be there several times."""

    id: str = field(metadata={"help": "The entry's id, 16 hex digits: it stays when the entry moves"})
    song_id: str = field(metadata={"help": "The song's id"})
    song: Song | None = field(metadata={"help": "The song; null if it is deleted"})
    added_at: str = field(metadata={"help": "When it was added, ISO 8601 in UTC"})
    added_by: str = field(metadata={"help": "Name of the user who added it"})


@dataclass(frozen=True)
class Imported:
    """What became of a playlist that was brought in."""

    playlist: Playlist = field(metadata={"help": "The new playlist"})
    found: int = field(metadata={"help": "How many of its lines name songs of this library"})
    missing: tuple[str, ...] = field(metadata={"help": f"Lines that do not, the first {MISSING_SHOWN} of them"})
    ambiguous: tuple[str, ...] = field(metadata={"help": "Those of them that several songs fit, such as `01.mp3`"})


class Playlists:
    """Over the gateway's parts. `user` is always the name of who asks."""

    def __init__(self, records: Records, durability: Durability) -> None:
        self._records = records
        self._durability = durability

    # -- reading -----------------------------------------------------------------------------------------------

    def page(self, user: str, mine: bool | None, asked: Asked) -> Page[Playlist]:
        """Playlists that a person may read: all, their own, or those of others."""
        found = playlists.readable(self._records, key_of(user), mine, asked)
        return Page([self._shown(record) for record in found.items], found.next_cursor, found.total)

    def named(self, user: str, query: str, limit: int) -> tuple[Playlist, ...]:
        """Those that a person may read and that a text finds by name or description."""
        return tuple(self._shown(record) for record in playlists.named(self._records, key_of(user), query, limit))

    def get(self, user: str, id: str) -> Playlist:
        """One playlist. NotFound if there is none that this person may read."""
        return self._shown(self._readable(user, id))

    def version(self, user: str, id: str) -> str:
        """Changes with every change of the playlist and its entries."""
        return self._readable(user, id).newest()

    def entries(self, user: str, id: str, asked: Asked) -> Page[Entry]:
        """A page of a playlist's entries in order."""
        self._readable(user, id)
        found = playlists.entries(self._records, id, asked)
        return Page([_entry(placed) for placed in found.items], found.next_cursor, found.total)

    def songs(self, user: str, id: str) -> list[Song]:
        """All songs of a playlist in order; deleted ones are left out."""
        self._readable(user, id)
        return [placed.song for placed in playlists.everything(self._records, id) if placed.song]

    # -- changing ----------------------------------------------------------------------------------------------

    def create(self, user: str, changes: Any, songs: Sequence[str] = ()) -> Playlist:
        """Make a playlist with the fields of `changes` and these songs. Conflict if the person has too many."""
        if len(playlists.owned(self._records, key_of(user))) >= PLAYLISTS_LIMIT:
            raise Conflict(f"you have {PLAYLISTS_LIMIT} playlists already: delete one first")
        if not isinstance(changes, dict) or "name" not in changes:
            raise Invalid("a playlist needs a name", "name")
        now = _now()
        doc = {"description": "", "public": False, "readers": []} | self._checked(changes)
        doc |= {"owner": key_of(user), "owner_name": user, "created_at": now, "changed_at": now}
        id = secrets.token_hex(ID_BYTES)
        record = self._records.draft(KIND, id, doc)
        self._durability.publish_all([record, *self._drafts(user, id, songs[:AT_ONCE], "", "")])
        for n in range(AT_ONCE, len(songs), AT_ONCE):
            self.add(user, id, songs[n : n + AT_ONCE], None)
        return self.get(user, id)

    def edit(self, user: str, id: str, changes: Any, versions: Container[str] | None = None) -> Playlist:
        """Change name, description or readers. Invalid names the first bad field; Stale if `versions` has not its."""
        if not isinstance(changes, dict) or not changes:
            raise Invalid(f"name at least one field to change: {', '.join(FIELDS)}")
        with self._own(user, id, versions) as record:
            self._publish(record, [], self._checked(changes, record.doc.get("readers") or ()))
        return self.get(user, id)

    def delete(self, user: str, id: str, versions: Container[str] | None = None) -> None:
        """Delete a playlist on every node, and then its entries. Stale as for `edit`."""
        with self._own(user, id, versions) as record:
            self._publish(record, [], {"deleted": True})
        while found := playlists.following(self._records, id, "", AT_ONCE):
            records = self._records.some(ENTRY, [f"{id}/{entry}" for _, entry in found])
            self._durability.publish_all([self._records.draft_edit(record, {"deleted": True}) for record in records])

    def add(self, user: str, id: str, songs: Sequence[str], after: str | None) -> list[Entry]:
        """Add songs behind the entry `after`: at the end if it is None, at the start if it is "".

        Invalid for a song that is not there; Conflict if the list would become too long.
        """
        with self._own(user, id) as record:
            if playlists.count(self._records, id) + len(songs) > ENTRIES_LIMIT:
                raise Conflict(f"a playlist has at most {ENTRIES_LIMIT} entries")
            drafts = self._drafts(user, id, songs, *self._gap(id, after, set()))
            self._publish(record, drafts)
        known = {song.id: song for song in of_ids(self._records, songs)}
        added = ((d.key.partition("/")[2], d.doc["song"], d.doc["added_at"]) for d in drafts)
        return [Entry(entry, song, known[song], at, user) for entry, song, at in added]

    def move(self, user: str, id: str, entries: Sequence[str], after: str | None) -> None:
        """Move entries, in the order named, behind the entry `after`, as in `add`."""
        with self._own(user, id) as record:
            found = self._entries(id, entries)
            places = run(*self._gap(id, after, set(entries)), len(found), secrets.randbelow)
            moved = [self._records.draft_edit(e, {"position": p}) for e, p in zip(found, places, strict=True)]
            self._publish(record, moved)

    def remove(self, user: str, id: str, entries: Sequence[str]) -> None:
        """Take entries out; those that are out already do not matter."""
        with self._own(user, id) as record:
            found = self._durability.latest_all([(ENTRY, f"{id}/{entry}") for entry in entries])
            live = [entry for entry in found if entry and not entry.deleted]
            self._publish(record, [self._records.draft_edit(entry, {"deleted": True}) for entry in live])

    def duplicate(self, user: str, id: str, name: str) -> Playlist:
        """A copy of a playlist that a person may read, as their own; "" for the same name."""
        copied = self.get(user, id)
        songs = [song.id for song in self.songs(user, id)]
        return self.create(user, {"name": name or copied.name, "description": copied.description}, songs)

    # -- in and out --------------------------------------------------------------------------------------------

    def import_m3u(self, user: str, name: str, data: bytes) -> Imported:
        """Make a playlist of the songs that an M3U8 file names. Invalid if it names none at all."""
        lines = list(m3u.parse(data))
        if not 0 < len(lines) <= ENTRIES_LIMIT:
            raise Invalid(f"this names {len(lines)} songs: send an M3U8 file with 1 to {ENTRIES_LIMIT}")
        found = [(wanted, m3u.find(self._records, wanted)) for wanted in lines]
        made = self.create(user, {"name": name}, [ids[0] for _, ids in found if len(ids) == 1])
        missing = [(wanted.line[:NAME_LIMIT], len(ids)) for wanted, ids in found if len(ids) != 1]
        shown = missing[:MISSING_SHOWN]
        ambiguous = tuple(line for line, fit in shown if fit)
        return Imported(made, len(lines) - len(missing), tuple(line for line, _ in shown), ambiguous)

    def export_m3u(self, user: str, id: str, api: str) -> str:
        """The playlist as M3U8; each song at the URL of its stream."""
        places = ((song, f"{api}/api/v1/songs/{song.id}/stream") for song in self.songs(user, id))
        return m3u.write(self.get(user, id).name, places)

    # -- when an account ends ----------------------------------------------------------------------------------

    def hand_over(self, owner: str, to: str) -> int:
        """Give all playlists of one person to another; how many."""
        records = playlists.owned(self._records, key_of(owner))
        for record in records:
            self._publish(record, [], {"owner": key_of(to), "owner_name": to})
        return len(records)

    def delete_all(self, owner: str) -> int:
        """Delete all playlists of one person; how many."""
        records = playlists.owned(self._records, key_of(owner))
        for record in records:
            self.delete(owner, record.key)
        return len(records)

    # -- parts -------------------------------------------------------------------------------------------------

    def _readable(self, user: str, id: str) -> Record:
        record = self._durability.find(KIND, id) if 0 < len(id) <= NAME_LIMIT else None
        me = key_of(user)
        if record is None or record.deleted or not _may_read(record.doc, me):
            raise NotFound(f"there is no playlist {id:.64} that you may read")
        return record

    @contextmanager
    def _own(self, user: str, id: str, versions: Container[str] | None = None) -> Iterator[Record]:
        """The playlist as its owners have it, to be changed. Forbidden for what is only shared."""
        self._readable(user, id)
        with self._durability.changing(KIND, id, versions) as record:
            if record.doc.get("owner") != key_of(user):
                raise Forbidden(f"this playlist belongs to {record.doc.get('owner_name')}: duplicate it to change it")
            yield record

    def _publish(self, record: Record, entries: Sequence[Record], changes: dict[str, Any] | None = None) -> None:
        """A change and its time, together: all of a playlist lies in one place."""
        edited = self._records.draft_edit(record, {"changed_at": _now(), **(changes or {})})
        self._durability.publish_all([edited, *entries])

    def _entries(self, id: str, names: Sequence[str]) -> list[Record]:
        found = self._durability.latest_all([(ENTRY, f"{id}/{name}") for name in names])
        live = [entry for entry in found if entry and not entry.deleted]
        if len(live) != len(names) or len(set(names)) != len(names):
            raise Invalid("name entries of this playlist, each once; read it again", "entries")
        return live

    def _gap(self, id: str, after: str | None, moving: set[str]) -> tuple[str, str]:
        """The places between which something is put; entries that are moved themselves do not count."""
        if after is None:
            low = playlists.last(self._records, id)
        else:
            low = str(self._entries(id, [after])[0].doc["position"]) if after else ""
        behind = playlists.following(self._records, id, low, len(moving) + 1)
        return low, next((place for place, entry in behind if entry not in moving), "")

    def _drafts(self, user: str, id: str, songs: Sequence[str], low: str, high: str) -> list[Record]:
        for song in set(songs) - {song.id for song in of_ids(self._records, songs)}:
            found = self._durability.find("song", song) if is_id(song) else None
            if found is None or found.deleted:
                raise Invalid(f"there is no song {song:.64}", "songs")
        now = _now()
        return [
            self._records.draft(
                ENTRY,
                f"{id}/{secrets.token_hex(ID_BYTES)}",
                {"playlist": id, "song": song, "position": place, "added_at": now, "added_by": user},
            )
            for song, place in zip(songs, run(low, high, len(songs), secrets.randbelow) if songs else [], strict=True)
        ]

    def _checked(self, changes: dict[str, Any], before: Sequence[str] = ()) -> dict[str, Any]:
        """Fields as a person sent them. Invalid also for a reader without an account who was none `before`."""
        fields = checked(changes)
        for reader in map(name_of, set(fields.get("readers", ())) - set(before)):
            account = self._durability.find(accounts.KIND, accounts.account_key(reader))
            if account is None or account.deleted:
                raise Invalid(f"there is nobody named {reader:.64} here", "readers")
        return fields

    def _shown(self, record: Record) -> Playlist:
        doc, totals = record.doc, playlists.totals(self._records, record.key)
        owner, name, about, created, changed = (
            str(doc.get(field, "")) for field in ("owner_name", "name", "description", "created_at", "changed_at")
        )
        readers = tuple(name_of(str(reader)) for reader in doc.get("readers") or ())
        public = doc.get("public") is True
        return Playlist(record.key, owner, name, about, public, readers, *totals, created, changed)


def _may_read(doc: dict[str, Any], me: str) -> bool:
    return doc.get("owner") == me or doc.get("public") is True or me in (doc.get("readers") or ())


def _entry(placed: Placed) -> Entry:
    return Entry(placed.id, placed.song_id, placed.song, placed.added_at, placed.added_by)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


FIELDS = ("name", "description", "public", "readers")


def checked(changes: dict[str, Any]) -> dict[str, Any]:
    """Fields of a playlist as a person sent them. Invalid names the first bad one."""
    for name, value in changes.items():
        if name not in FIELDS:
            raise Invalid(f"there is no field {name[:40]!r} here; there are: {', '.join(FIELDS)}", name[:40])
        if name == "public" and not isinstance(value, bool):
            raise Invalid("public must be true or false", name)
        if name in ("name", "description"):
            _require_text(name, value, NAME_LIMIT if name == "name" else DESCRIPTION_LIMIT)
        if name == "readers":
            if not isinstance(value, list) or len(value) > READERS_LIMIT:
                raise Invalid(f"readers must be a list of at most {READERS_LIMIT} names of users", name)
            for reader in value:
                _require_text(name, reader, NAME_LIMIT)
    if "readers" in changes:
        changes = changes | {"readers": [key_of(reader) for reader in changes["readers"]]}
    return changes


def _require_text(name: str, value: Any, limit: int) -> None:
    if not isinstance(value, str) or len(value) > limit or (name != "description" and not value.strip()):
        raise Invalid(f"{name} must be text of at most {limit} characters", name)
    if any((c < " " and c not in "\n\t") or "\ud800" <= c <= "\udfff" for c in value):
        raise Invalid(f"{name} has control characters", name)
