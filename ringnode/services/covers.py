"""Pictures of songs, albums and artists: those in files, those people upload, and smaller ones of both.

An uploaded picture is a record of at most PICTURE_BYTES, so it is on every node at once, survives what the catalogue
survives, and needs no files, owners and repairs of its own. What is made from pictures lies in a folder of this node
that may be emptied at any time.
"""

import base64
import datetime
import secrets
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3

from ringnode.catalogue import albums, artists, shelves, tags
from ringnode.catalogue.record import Record
from ringnode.catalogue.records import Records
from ringnode.catalogue.tag_reader import TagReader
from ringnode.errors import Invalid, NotFound, TooLarge
from ringnode.services.durability import Durability
from ringnode.services.library import Library

KIND = shelves.COVER
PICTURE_BYTES = 100 << 10  # of an uploaded one: a hundred of them must fit one message of the exchange
UPLOAD_BYTES = 16 << 20
SIZES = (64, 128, 256, 512, 1024)  # pixels; few, so that what is made can be kept
CACHE_BYTES = 256 << 20
CACHE_LEFT = 0.8  # of it, when the oldest are dropped
LOOK_EVERY = 100  # new pictures, then the folder's size is looked at


class Picture(NamedTuple):
    """Where a picture comes from; `version` changes with what it shows."""

    version: str
    song: str  # the song in whose file it is; "" for an uploaded one
    record: str = ""  # key of an uploaded one


class Covers:
    """Over the gateway's parts; `folder` is for what is made."""

    def __init__(
        self, records: Records, durability: Durability, library: Library, reader: TagReader, folder: Path
    ) -> None:
        self._records = records
        self._durability = durability
        self._library = library
        self._reader = reader
        self._folder = folder
        self._made = 0
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    # -- which -------------------------------------------------------------------------------------------------

    def of_song(self, id: str) -> Picture:
        """The picture that was uploaded for a song, else that in its file. NotFound."""
        song = self._library.song(id)
        picture = self._uploaded(song.id) or (Picture(f"{song.id}-file", song.id) if song.has_cover else None)
        if picture is None:
            raise NotFound("this song has no cover picture")
        return picture

    def of_album(self, id: str) -> Picture:
        """The picture that was uploaded for an album, else that of the first song that has one. NotFound."""
        album = albums.get(self._records, id)
        song = self._first("s.album = ? ORDER BY s.disc, s.track, s.dice", id) if album.has_cover else ""
        picture = self._uploaded(id) or (self.of_song(song) if song else None)
        if picture is None:
            raise NotFound("this album has no cover picture")
        return picture

    def of_artist(self, id: str) -> Picture:
        """The picture of the artist's newest album that has one, else of a song that has one. NotFound."""
        artists.get(self._records, id)
        sql = "SELECT id FROM album WHERE artist = ? AND has_cover ORDER BY year DESC, dice LIMIT 1"
        album = self._records.db.value(sql, id)
        if album:
            return self.of_album(album)
        song = self._first("s.number IN (SELECT song FROM song_artist WHERE artist = ?) ORDER BY s.dice", id)
        if not song:
            raise NotFound("this artist has no picture")
        return self.of_song(song)

    def _first(self, condition: str, id: str) -> str:
        sql = (
            f"SELECT r.key FROM song s JOIN record r ON r.number = s.number WHERE s.has_cover AND {condition} LIMIT 1"  # noqa: S608
        )
        return str(self._records.db.value(sql, id) or "")

    def _uploaded(self, key: str) -> Picture | None:
        record = self._records.get(KIND, key)
        if record is None or record.deleted:
            return None
        return Picture(blake3(record.newest().encode()).hexdigest(16), "", key)

    # -- its bytes ---------------------------------------------------------------------------------------------

    def read(self, picture: Picture, size: int) -> tags.Cover:
        """The picture, at most as many pixels wide and high as the next of SIZES says; as it is for 0. NotFound."""
        if not size:
            return self._whole(picture)
        edge = next((edge for edge in SIZES if edge >= size), SIZES[-1])
        path = self._folder / f"{picture.version}-{edge}.jpg"
        with suppress(FileNotFoundError):
            data = path.read_bytes()
            path.touch()  # the least wanted go first
            return tags.Cover("image/jpeg", data)
        return tags.Cover("image/jpeg", self._make(picture, edge, path))

    def _whole(self, picture: Picture) -> tags.Cover:
        if picture.song:
            return self._library.cover(picture.song)
        record = self._records.get(KIND, picture.record)
        if record is None or record.deleted:
            raise NotFound("this picture has just been removed")
        return tags.Cover("image/jpeg", base64.b64decode(record.doc["data"]))

    def _make(self, picture: Picture, edge: int, path: Path) -> bytes:
        source, target = self._spool(), self._spool()
        try:
            source.write_bytes(self._whole(picture).data)
            try:
                self._reader.shrink(str(source), str(target), edge)
            except Invalid as error:  # the file's fault, not that of who asks
                raise NotFound("the picture in this song's file is damaged") from error
            data = target.read_bytes()
            target.rename(path)
        finally:
            source.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
        self._tidy()
        return data

    def _spool(self) -> Path:
        return self._folder / f"{secrets.token_hex(8)}.new"

    def _tidy(self) -> None:
        """Now and then, drop what was not wanted for longest when there is too much, and what a crash left."""
        with self._lock:
            self._made += 1
            if self._made % LOOK_EVERY != 1:
                return
            files = []
            for path in self._folder.iterdir():
                with suppress(FileNotFoundError):
                    files.append((path.stat().st_mtime, path.stat().st_size, path))
            left = sum(size for _, size, _ in files)
            if left > CACHE_BYTES:
                for _, size, path in sorted(files):
                    path.unlink(missing_ok=True)
                    left -= size
                    if left <= CACHE_BYTES * CACHE_LEFT:
                        break

    # -- changing ----------------------------------------------------------------------------------------------

    def put_song(self, id: str, chunks: Iterable[bytes], user: str) -> None:
        """Keep a picture for a song. NotFound, Invalid or TooLarge say what is wrong."""
        self._put(self._library.song(id).id, chunks, user)

    def put_album(self, id: str, chunks: Iterable[bytes], user: str) -> None:
        """Keep a picture for an album."""
        self._put(albums.get(self._records, id).id, chunks, user)

    def _put(self, key: str, chunks: Iterable[bytes], user: str) -> None:
        source, target = self._spool(), self._spool()
        try:
            with source.open("wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                    if file.tell() > UPLOAD_BYTES:
                        raise TooLarge(f"a picture may have {UPLOAD_BYTES >> 20} MiB", "file")
            self._reader.keep(str(source), str(target), PICTURE_BYTES)
            data = base64.b64encode(target.read_bytes()).decode()
        finally:
            source.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._durability.latest(KIND, key)  # so that this picture is later than any that was acknowledged
        self._durability.publish(self._records.draft(KIND, key, {"data": data, "added_at": now, "added_by": user}))

    def remove(self, key: str) -> None:
        """Remove the picture that was uploaded for a song or an album; one in a file stays. NotFound."""
        record: Record | None = self._durability.latest(KIND, key) if len(key) in (32, 64) else None
        if record is None or record.deleted:
            raise NotFound("no picture was uploaded for this")
        self._durability.publish(self._records.draft(KIND, key, {"deleted": True}))
