"""What people see, as frozen dataclasses: the one list of a song's fields.

Tags, REST models, the player's types and the tests all derive from here; a new field is one line.
Lists are tuples, so that a Song can be compared, hashed and shared between threads.
Metadata of a field: `help` for the docs; `edit=True` where people may change it.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

TEXT_LIMIT = 1000  # characters; longer tags are cut: nothing on a screen or in an index needs more
LIST_LIMIT = 50  # values in one field, for the same reason


def tag(help: str, default: Any = "") -> Any:
    """A field that comes from the file's tags and may be edited."""
    return field(default=default, metadata={"help": help, "edit": True})


def fact(help: str, default: Any) -> Any:
    """A field that is true of the file or the upload and cannot be edited."""
    return field(default=default, metadata={"help": help, "edit": False})


@dataclass(frozen=True)
class Song:
    """One song file of the library."""

    id: str = field(metadata={"help": "BLAKE3-256 of the file's bytes, 64 hex digits", "edit": False})
    title: str = tag("Title; the file's name where it has no title tag")
    artist: str = tag("Artist as displayed")
    artists: tuple[str, ...] = tag("Every artist, one by one", ())
    album: str = tag("Album")
    albumartist: str = tag("Artist of the whole album")
    track: int = tag("Track number, 0 if unknown", 0)
    tracks: int = tag("Tracks on the disc, 0 if unknown", 0)
    disc: int = tag("Disc number, 0 if unknown", 0)
    discs: int = tag("Discs of the album, 0 if unknown", 0)
    date: str = tag("Release date: YYYY, YYYY-MM or YYYY-MM-DD")
    genres: tuple[str, ...] = tag("Genres", ())
    composers: tuple[str, ...] = tag("Composers", ())
    compilation: bool = tag("Part of an album of various artists", False)
    bpm: int = tag("Beats per minute, 0 if unknown", 0)
    comment: str = tag("Comment")
    isrc: tuple[str, ...] = tag("International standard recording codes", ())
    mb_recording_id: str = tag("MusicBrainz recording id")
    mb_album_id: str = tag("MusicBrainz release id")
    track_gain_db: float | None = tag("ReplayGain of the track in dB", None)
    track_peak: float | None = tag("ReplayGain peak of the track, 1.0 is full scale", None)
    album_gain_db: float | None = tag("ReplayGain of the album in dB", None)
    album_peak: float | None = tag("ReplayGain peak of the album, 1.0 is full scale", None)
    duration_s: float = fact("Length in seconds", 0.0)
    bitrate: int = fact("Bits per second, 0 if unknown", 0)
    sample_rate: int = fact("Samples per second, 0 if unknown", 0)
    channels: int = fact("Channels, 0 if unknown", 0)
    format: str = fact("Container and codec in short: mp3, flac, vorbis, opus, aac, alac, wav ...", "")
    mime: str = fact("Media type the bytes are served with", "application/octet-stream")
    has_cover: bool = fact("There is a picture: in the file, or uploaded for the song", False)
    size_bytes: int = fact("Size of the file in bytes", 0)
    filename: str = fact("The name the file was uploaded with", "")
    added_at: str = fact("When it was uploaded, ISO 8601 in UTC", "")
    added_by: str = fact("Name of the user who uploaded it", "")

    def doc(self) -> dict[str, Any]:
        """The song as a record's document: everything but the id, tuples as lists."""
        values = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}
        del values["id"]
        return values

    @classmethod
    def of(cls, key: str, doc: dict[str, Any]) -> "Song":
        """The song of a document, which may be another version's: what it does not know or cannot use is left out."""
        song = object.__new__(cls)
        values = vars(song)  # a frozen dataclass's own way in takes several times as long, and pages are of many
        values["id"] = key
        for name, default, kind in _DEFAULTS:
            value = doc.get(name, default)
            values[name] = value if type(value) is kind or value is default else _fitting(value, default)
        return song


def _fitting(value: Any, default: Any) -> Any:
    """The value as the field has it, or the default."""
    if default is None or type(default) is float:
        return value if isinstance(value, int | float) and not isinstance(value, bool) else default
    if isinstance(default, tuple) and isinstance(value, list) and set(map(type, value)) <= TEXTS:
        return tuple(value)
    return default


TEXTS = {str}
_DEFAULTS = [
    (f.name, default, type(default))
    for f in fields(Song)
    if f.name != "id"
    for default in ["" if f.name == "title" else f.default]
]
EDITABLE = tuple(f.name for f in fields(Song) if f.metadata["edit"])
"""Names of the fields that `PATCH` accepts."""
