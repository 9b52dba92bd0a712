"""Lyrics of songs: those that people upload, records on every node, and else those in the files."""

import threading
from collections import OrderedDict

from ringnode.catalogue.lyrics import TEXT_LIMIT, Lyrics, clean, of_file, parsed
from ringnode.catalogue.records import Records
from ringnode.errors import Invalid, NotFound, TooLarge
from ringnode.services.durability import Durability
from ringnode.services.library import Library
from ringnode.services.reading import as_file

KIND = "lyrics"
KEPT = 500  # lyrics of files, read once; a file never changes
LANGUAGE_LIMIT = 35  # characters, as BCP 47 has them


class Words:
    """Over the gateway's parts."""

    def __init__(self, records: Records, durability: Durability, library: Library) -> None:
        self._records = records
        self._durability = durability
        self._library = library
        self._kept: OrderedDict[str, Lyrics | None] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, id: str) -> Lyrics:
        """The lyrics of a song. NotFound if there is no such song, or nobody knows its lyrics."""
        song = self._library.song(id)
        record = self._records.get(KIND, song.id)
        if record and not record.deleted:
            return parsed(str(record.doc.get("text", "")), str(record.doc.get("language", "")))
        with self._lock:
            known = song.id in self._kept
            lyrics = self._kept.get(song.id)
        if not known:
            with self._library.open(song.id) as source:
                lyrics = of_file(as_file(source), song.filename)
            with self._lock:
                self._kept[song.id] = lyrics
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        if lyrics is None:
            raise NotFound("the lyrics of this song are not known")
        return lyrics

    def put(self, id: str, data: bytes, language: str, user: str) -> Lyrics:
        """Keep LRC or plain text, UTF-8, for a song. NotFound, Invalid or TooLarge say what is wrong."""
        song = self._library.song(id)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Invalid("this is not text in UTF-8", "body") from error
        if len(text) > TEXT_LIMIT:
            raise TooLarge(f"lyrics may have {TEXT_LIMIT} characters", "body")
        lyrics = parsed(text, language)
        if not lyrics.plain:
            raise Invalid("there are no words in this text", "body")
        self._durability.latest(KIND, song.id)  # so that this text is later than any that was acknowledged
        doc = {"text": clean(text), "language": language, "added_by": user}
        self._durability.publish(self._records.draft(KIND, song.id, doc))
        return lyrics

    def remove(self, id: str) -> None:
        """Remove lyrics that were uploaded; those in the file stay. NotFound if there are none."""
        record = self._durability.latest(KIND, self._library.song(id).id)
        if record is None or record.deleted:
            raise NotFound("no lyrics were uploaded for this song")
        self._durability.publish(self._records.draft(KIND, record.key, {"deleted": True}))
