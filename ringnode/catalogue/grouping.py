"""Which album and which artists a song belongs to, from what its tags say.

Ids are hashes of what is grouped by, so every node gives an album and an artist the same id without asking others.

- An album is its MusicBrainz id, else the album's artist and title, as they are compared, not as they are written. No
  date: `2017` and `2017-03-01` are one album, and so is a compilation of many years.
- The album's artist is the tag of that name, else "Various Artists" for a compilation, else the song's first artist:
  "A feat. B" does not leave the album of A where the tags tell the artists one by one.
- Songs without an album are together under "[non-album]", for each artist.
"""

from typing import Any, NamedTuple

from blake3 import blake3

from ringnode.catalogue.search import normalise

VARIOUS, NON_ALBUM, UNKNOWN = "Various Artists", "[non-album]", "[unknown]"
VARIOUS_AS_WRITTEN = {"various artists", "various", "va", "v a"}
ID_BYTES = 16
SORT_CHARACTERS = 100  # of each part: cursors carry them


class Album(NamedTuple):
    """The album of one song; ids are 32 hex digits."""

    id: str
    title: str
    artist_id: str
    artist: str


def album_of(doc: dict[str, Any]) -> Album:
    """The album that a song's document belongs to."""
    artist = _text(doc, "albumartist") or (VARIOUS if doc.get("compilation") is True else artists_of(doc)[0])
    if artist_id(artist) == VARIOUS_ID:
        artist = VARIOUS
    title, musicbrainz = _text(doc, "album"), _text(doc, "mb_album_id").lower()
    if title and musicbrainz:
        id = _hash("musicbrainz", musicbrainz)
    else:
        id = _hash("album", artist_id(artist), compared(title))
    return Album(id, title or NON_ALBUM, artist_id(artist), artist)


def artists_of(doc: dict[str, Any]) -> list[str]:
    """The names of the song's artists, at least one."""
    names = [name.strip() for name in _texts(doc, "artists") if name.strip()]
    return names or [_text(doc, "artist") or _text(doc, "albumartist") or UNKNOWN]


def genres_of(doc: dict[str, Any]) -> list[str]:
    """The names of the song's genres."""
    return [name.strip() for name in _texts(doc, "genres") if name.strip()]


def year_of(doc: dict[str, Any]) -> int:
    """The year of the song's date, 0 if it has none."""
    year = _text(doc, "date")[:4]
    return int(year) if len(year) == 4 and year.isascii() and year.isdigit() else 0


def artist_id(name: str) -> str:
    """The id of the artist of this name, however it is written."""
    plain = compared(name)
    return _hash("artist", compared(VARIOUS) if plain in VARIOUS_AS_WRITTEN else plain)


def compared(name: str) -> str:
    """A name as it is compared: "Guns N’ Roses" is "guns n roses". What is all punctuation ("!!!") stays itself."""
    return normalise(name) or name.casefold().strip()


def sort_key(*parts: str) -> str:
    """What names are sorted by, the first before the second."""
    return "\x1f".join(compared(part)[:SORT_CHARACTERS] for part in parts)


def _hash(*parts: str) -> str:
    return blake3("\x1f".join(parts).encode("utf-8", "replace")).hexdigest(ID_BYTES)


def _text(doc: dict[str, Any], name: str) -> str:
    value = doc.get(name)
    return value.strip() if isinstance(value, str) else ""


def _texts(doc: dict[str, Any], name: str) -> list[str]:
    value = doc.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


VARIOUS_ID = artist_id(VARIOUS)
