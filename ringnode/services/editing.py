"""Changing songs: one or many, with a history that every change can be undone by."""

import datetime
import secrets
import tempfile
from collections.abc import Callable, Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringnode.catalogue import songs, tag_writer, tags
from ringnode.catalogue.model import EDITABLE, Song
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.errors import Conflict, Forbidden, Invalid, NotFound, RingnodeError
from ringnode.services.accounts import User
from ringnode.services.durability import Durability
from ringnode.services.library import Library
from ringnode.services.reading import LocalFile, Source, as_file

EDIT = "edit"  # kind of record; key: SONG/EDIT
ID_BYTES = 8
HISTORY = 50  # edits of a song that are kept
AT_ONCE = 500  # songs in one request
WORKERS = 8  # songs changed at the same time
ENCODINGS = ("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "koi8-r", "gb18030", "big5",
             "shift_jis", "euc_jp", "euc_kr", "tis-620", "utf-8")  # fmt: skip
TEXTS = tuple(name for name in EDITABLE if Song.__annotations__[name] in (str, tuple[str, ...]))


@dataclass(frozen=True)
class Edit:
    """One change of a song's fields."""

    id: str = field(metadata={"help": "Id of the change, 16 hex digits"})
    at: str = field(metadata={"help": "When it was made, ISO 8601 in UTC"})
    by: str = field(metadata={"help": "Name of the user who made it"})
    before: dict[str, Any] = field(metadata={"help": "The fields that it changed, as they were"})
    after: dict[str, Any] = field(metadata={"help": "The same fields, as they were then"})


@dataclass(frozen=True)
class Outcome:
    """What became of one song of many."""

    id: str = field(metadata={"help": "The song's id"})
    done: bool = field(metadata={"help": "Was it done?"})
    why: str = field(metadata={"help": "Why not; empty if it was"})


@dataclass(frozen=True)
class Reading:
    """How a song's fields would read in another encoding."""

    id: str = field(metadata={"help": "The song's id"})
    before: dict[str, Any] = field(metadata={"help": "The fields that would change, as they are"})
    after: dict[str, Any] = field(metadata={"help": "The same fields as they would read: the changes for PATCH"})
    why: str = field(metadata={"help": "Why nothing can be said; empty if it can"})


class Editing:
    """Over the gateway's parts. `user` is who asks."""

    def __init__(self, records: Records, durability: Durability, library: Library, folder: Path) -> None:
        self._records = records
        self._durability = durability
        self._library = library
        self._folder = folder  # on the disk of the music: for copies that are sent and forgotten

    # -- one song ----------------------------------------------------------------------------------------------

    def edit(self, user: User, key: str, changes: Any, versions: Container[str] | None = None) -> Song:
        """Change fields of a song; those not named stay. Invalid names the first bad one.

        Stale if `versions` are given and it has another now.
        """
        checked = songs.checked_edit(changes)
        key = self._library.song(key).id
        with self._durability.changing(songs.KIND, key, versions) as record:
            return self._publish(user, record, checked)

    def history(self, key: str) -> list[Edit]:
        """The last changes of a song, the newest first."""
        return [_edit(record) for record in self._edits(self._library.song(key).id)]

    def undo(self, user: User, key: str, edit: str = "") -> Song:
        """Give the fields that a change changed their former values again: the last change if none is named.

        Fields that were changed since stay as they are; Conflict if all of them were. An undo is a change itself.
        """
        key = self._library.song(key).id
        edits = self._edits(key)
        chosen = next((record for record in edits if not edit or record.key == f"{key}/{edit}"), None)
        if chosen is None:
            raise NotFound(f"there is no change {edit:.64} of this song to undo")
        before, after = dict(chosen.doc.get("before") or {}), dict(chosen.doc.get("after") or {})
        with self._durability.changing(songs.KIND, key) as record:
            changes = {n: v for n, v in before.items() if n in EDITABLE and record.doc.get(n) == after.get(n)}
            if not changes:
                raise Conflict("all that this changed was changed again since")
            return self._publish(user, record, changes)

    def delete(self, user: User, key: str, versions: Container[str] | None = None) -> None:
        """Delete a song on every node; its file goes after a grace. Forbidden for another's upload, Stale."""
        key = self._library.song(key).id
        with self._durability.changing(songs.KIND, key, versions) as record:
            self._require_own(user, record)
            self._durability.publish(self._records.draft_edit(record, {"deleted": True}))

    def restore(self, user: User, key: str) -> Song:
        """Bring back a deleted song while its file is there. NotFound if that is gone, Forbidden for another's."""
        record = self._durability.latest(songs.KIND, key)
        if record is None:
            raise NotFound(f"there is no song {key:.64}")
        self._require_own(user, record)
        if not record.deleted:
            return songs.song(record)
        restored = self._durability.publish(self._records.draft_edit(record, {"deleted": False}))
        if not any(copy.whole for copy in self._library.copies(key)):  # asked when no node may drop it any more
            self._durability.publish(self._records.draft_edit(restored, {"deleted": True}))
            raise NotFound("the file of this song is gone: upload it again")
        return songs.song(restored)

    def open_edited(self, key: str) -> tuple[Source, bool]:
        """The song's file with its edited fields in its tags; as it was uploaded, and False, if that fails."""
        song = self._library.song(key)
        record = self._durability.find(songs.KIND, song.id)
        names = set(record.edits if record else ()) & set(EDITABLE)
        source = self._library.open(song.id)
        if not names:
            return source, True
        copy = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  whoever is given it closes it
        try:
            for chunk in source.chunks(0, source.size):
                copy.write(chunk)
            written = tag_writer.write(copy, song.filename, song.doc(), names)
        except Exception:  # noqa: BLE001  whatever it is, the file is at fault
            written = False
        if not written:
            copy.close()
            return source, False
        copy.flush()
        source.__exit__(None, None, None)
        return LocalFile(copy, _gone), True

    # -- many --------------------------------------------------------------------------------------------------

    def edit_many(self, user: User, edits: Sequence[tuple[str, Any]]) -> list[Outcome]:
        """Change many songs, each in its own way; what is wrong with one hinders no other."""
        return self._each(edits, lambda edit: self.edit(user, *edit), [id for id, _ in edits])

    def delete_many(self, user: User, ids: Sequence[str]) -> list[Outcome]:
        """Delete many songs; `restore_many` undoes it for a while."""
        return self._each(ids, lambda id: self.delete(user, id), ids)

    def restore_many(self, user: User, ids: Sequence[str]) -> list[Outcome]:
        """Bring back deleted songs."""
        return self._each(ids, lambda id: self.restore(user, id), ids)

    def merge_albums(self, user: User, into: Sequence[Song], others: Sequence[Song]) -> list[Outcome]:
        """Make songs of other albums songs of the album of `into`: they take over what holds an album together.

        At most AT_ONCE of them: those that are left are for the next time.
        """
        names = ("album", "albumartist", "mb_album_id", "compilation")
        first = into[0].doc()
        changes = {name: first[name] for name in names}
        if not first["albumartist"] and not first["compilation"]:
            changes["albumartist"] = first["artist"]
        some = [song for song in (*into, *others) if any(song.doc()[n] != v for n, v in changes.items())]
        return self.edit_many(user, [(song.id, changes) for song in some[:AT_ONCE]]) if some else []

    @staticmethod
    def _each(items: Sequence[Any], act: Callable[[Any], object], ids: Sequence[str]) -> list[Outcome]:
        if not 0 < len(items) <= AT_ONCE:
            raise Invalid(f"name 1 to {AT_ONCE} songs", "ids")

        def one(item: Any) -> str:
            try:
                act(item)
            except RingnodeError as error:
                return str(error) or type(error).__name__
            return ""

        with ThreadPoolExecutor(WORKERS, "edit") as pool:
            return [Outcome(id, not why, why) for id, why in zip(ids, pool.map(one, items), strict=True)]

    # -- encodings ---------------------------------------------------------------------------------------------

    def read_as(self, ids: Sequence[str], encoding: str) -> list[Reading]:
        """How the tags in some songs' files read in another encoding. Nothing is changed."""
        if encoding not in ENCODINGS:
            raise Invalid(f"there is no encoding {encoding[:40]!r} here, but: {', '.join(ENCODINGS)}", "encoding")
        if not 0 < len(ids) <= AT_ONCE:
            raise Invalid(f"name 1 to {AT_ONCE} songs", "ids")
        with ThreadPoolExecutor(WORKERS, "tags") as pool:
            return list(pool.map(lambda id: self._reading(id, encoding), ids))

    def _reading(self, id: str, encoding: str) -> Reading:
        try:
            song = self._library.song(id)
            with self._library.open(id) as source:
                file = as_file(source)
                found = tags.families(file, tags.open_audio(file, song.filename))
                plain, other = (tags.fields_of(found, song.filename, name) for name in ("", encoding))
        except RingnodeError as error:
            return Reading(id, {}, {}, str(error))
        except Exception as error:  # noqa: BLE001  whatever it is, the file is at fault
            return Reading(id, {}, {}, f"the tags of this file cannot be read ({type(error).__name__})")
        after = {name: other[name] for name in TEXTS if plain.get(name) != other.get(name)}
        doc = song.doc()
        return Reading(id, {name: doc[name] for name in after}, after, "")

    # -- parts -------------------------------------------------------------------------------------------------

    def _publish(self, user: User, record: Record, changes: dict[str, Any]) -> Song:
        """The song and the change's own record, in one message to each owner: they lie in one place."""
        song = songs.song(record).doc()
        changed = {name: value for name, value in changes.items() if song[name] != value}
        if not changed:
            return songs.song(record)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        doc = {"at": now, "by": user.name, "before": {name: song[name] for name in changed}, "after": changed}
        edit = self._records.draft(EDIT, f"{record.key}/{secrets.token_hex(ID_BYTES)}", doc)
        old = [self._records.draft_edit(e, {"deleted": True}) for e in self._edits(record.key)[HISTORY - 1 :]]
        self._durability.publish_all([self._records.draft_edit(record, changed), edit, *old])
        return self._library.song(record.key)

    def _edits(self, key: str) -> list[Record]:
        found = self._records.where("kind = ? AND deleted = 0 AND key > ? AND key < ?", EDIT, f"{key}/", f"{key}0")
        return sorted(found, key=lambda record: record.stamp, reverse=True)

    @staticmethod
    def _require_own(user: User, record: Record) -> None:
        owner = str(record.doc.get("added_by", ""))
        if user.role != "admin" and owner.casefold() != user.name.casefold():
            raise Forbidden(f"{owner or 'somebody else'} uploaded this song: ask them or an admin to delete it")


def _gone() -> Source:
    raise NotFound("the copy of this song is gone: nobody else has the same")


def _edit(record: Record) -> Edit:
    doc = record.doc
    at, by = str(doc.get("at", "")), str(doc.get("by", ""))
    return Edit(record.key.partition("/")[2], at, by, dict(doc.get("before") or {}), dict(doc.get("after") or {}))
